package plonk

import (
	"context"
	"errors"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	gnark "github.com/consensys/gnark/backend/plonk/bn254"

	"github.com/zkml-go/zkml/internal/plonktest"
)

// recorder is a CPU that remembers the memory that proofs were given.
type recorder struct {
	CPU
	vectors []fr.Vector
}

func (r *recorder) Allocate(n int) (Vector, error) {
	v, err := r.CPU.Allocate(n)
	r.vectors = append(r.vectors, onCPU(v))
	return v, err
}

func (r *recorder) Upload(elements []fr.Element) (Vector, error) {
	r.vectors = append(r.vectors, elements)
	return r.CPU.Upload(elements)
}

// begin returns a proof before its first round.
func begin(t *testing.T, seed uint64) (*proof, *plonktest.Subject, *recorder) {
	t.Helper()
	subject, err := plonktest.Random(seed)
	if err != nil {
		t.Fatal(err)
	}
	device := new(recorder)
	p, err := New(t.Context(), subject.System, subject.Key, Options{Device: device})
	if err != nil {
		t.Fatal(err)
	}
	device.vectors = nil
	s, err := p.begin(t.Context(), subject.Witness)
	if err != nil {
		t.Fatal(err)
	}
	return s, subject, device
}

// run makes rounds of a proof, up to and with the last one named.
func run(s *proof, w *plonktest.Subject, last Round) error {
	for _, round := range s.rounds(w.Witness, nil)[:last+1] {
		if err := round(); err != nil {
			return err
		}
	}
	return nil
}

// TestBlinding makes the commitments of a proof again, without their blinding: none may
// be the proof's. A proof of the protocol without statistical zero knowledge, for one,
// has the quotient's shares as they are.
func TestBlinding(t *testing.T) {
	s, subject, _ := begin(t, 18)
	if len(s.commitments) != 2 {
		t.Fatalf("%d commitments, want 2", len(s.commitments))
	}
	if err := run(s, subject, Quotient); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for _, p := range []*blinded{s.l, s.r, s.o, s.z} {
		if err := p.reduce(s.device, fr.One()); err != nil {
			t.Fatal(err)
		}
	}
	for i, share := range s.out.H {
		plain, err := s.device.Commit(ctx, s.powers, s.share(i))
		if err != nil {
			t.Fatal(err)
		}
		if plain[0].Equal(&share) {
			t.Errorf("share %d of the quotient isn't blinded", i+1)
		}
	}
	for name, p := range map[string]struct {
		polynomial *blinded
		commitment bn254.G1Affine
		order      int
	}{"L": {s.l, s.out.LRO[0], 2}, "R": {s.r, s.out.LRO[1], 2}, "O": {s.o, s.out.LRO[2], 2}, "Z": {s.z, s.out.Z, 3}} {
		plain, err := s.device.Commit(ctx, s.powers, p.polynomial.body)
		if err != nil {
			t.Fatal(err)
		}
		if plain[0].Equal(&p.commitment) {
			t.Errorf("%s isn't blinded", name)
		}
		seen := map[fr.Element]bool{{}: true}
		for _, b := range p.polynomial.b {
			seen[b] = true
		}
		if len(seen) != p.order+1 {
			t.Errorf("%s is blinded by %d different numbers, want %d", name, len(seen)-1, p.order)
		}
	}
	for i, v := range s.pi2 {
		for _, row := range []int{s.nbPublic + s.commitments[i].CommitmentIndex, s.used - 1} {
			value, err := s.device.Evaluate(ctx, power(s.vk.Generator, row), v)
			if err != nil {
				t.Fatal(err)
			}
			if value[0].IsZero() {
				t.Errorf("commitment %d isn't blinded in row %d", i, row)
			}
		}
	}
}

// TestWiped looks at the memory of a proof afterwards.
func TestWiped(t *testing.T) {
	for _, last := range []Round{Openings, Permutation} {
		s, subject, device := begin(t, 25)
		if err := run(s, subject, last); err != nil {
			t.Fatal(err)
		}
		wires, blinding := s.wires, s.l.b
		s.wipe()
		if len(device.vectors) < 4 {
			t.Fatalf("the proof used %d vectors", len(device.vectors))
		}
		for i, v := range append(device.vectors, append(wires[:], blinding)...) {
			for _, element := range v {
				if !element.IsZero() {
					t.Errorf("after %s: vector %d isn't wiped", last, i)
					break
				}
			}
		}
	}
}

// TestUnsatisfied changes wires after the solver is done. What it can't see then —
// rows that it skips, or a fault of its own — must not become a proof.
func TestUnsatisfied(t *testing.T) {
	tests := map[string]struct {
		change func(s *proof)
		fails  Round
	}{
		"one of two equal wires": {func(s *proof) {
			one := fr.One()
			for row := s.nbPublic; row < s.used; row++ {
				if p := s.wires[0][row]; p.Equal(&s.wires[1][row]) { // a square: l and r are one wire
					s.wires[0][row].Add(&p, &one)
					return
				}
			}
		}, Permutation},
		"a wire with all its copies": {func(s *proof) {
			one := fr.One()
			wrong := s.wires[2][s.used-2] // a value in the middle of the chain
			for i := range s.wires {
				for row, value := range s.wires[i] {
					if value.Equal(&wrong) {
						s.wires[i][row].Add(&value, &one)
					}
				}
			}
		}, Openings},
		"a public word": {func(s *proof) { s.public = append([]fr.Element{fr.NewElement(11)}, s.public[1:]...) }, Openings},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			subject, err := plonktest.Chain(6)
			if err != nil {
				t.Fatal(err)
			}
			p, err := New(t.Context(), subject.System, subject.Key, Options{})
			if err != nil {
				t.Fatal(err)
			}
			s, err := p.begin(t.Context(), subject.Witness)
			if err != nil {
				t.Fatal(err)
			}
			for i, round := range s.rounds(subject.Witness, nil) {
				err := round()
				if Round(i) == Solve && err == nil {
					test.change(s)
				}
				switch {
				case err == nil && Round(i) < test.fails:
				case err == nil || Round(i) != test.fails || !errors.Is(err, ErrUnsatisfied):
					t.Fatalf("%s: %v, want an error in %s", Round(i), err, test.fails)
				default:
					return
				}
			}
			t.Error("no round failed")
		})
	}
}

// TestUnchanged says that what the tests above rely on holds: left alone, rounds make a
// proof.
func TestUnchanged(t *testing.T) {
	s, subject, _ := begin(t, 7)
	if err := run(s, subject, Openings); err != nil {
		t.Fatal(err)
	}
	if err := gnark.Verify(s.out, subject.Key.Vk, subject.Public()); err != nil {
		t.Error(err)
	}
}

// failing is a CPU whose commitments fail.
type failing struct{ CPU }

var errDevice = errors.New("the device failed")

func (f *failing) Commit(context.Context, Bases, ...Vector) ([]bn254.G1Affine, error) {
	return nil, errDevice
}

// TestDeviceFails tells a device's failure, in a hint too, from a wrong witness.
func TestDeviceFails(t *testing.T) {
	for _, seed := range []uint64{4, 5} { // without and with a commitment
		subject, err := plonktest.Random(seed)
		if err != nil {
			t.Fatal(err)
		}
		p, err := New(t.Context(), subject.System, subject.Key, Options{Device: new(failing)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Prove(t.Context(), subject.Witness, ProofOptions{}); !errors.Is(err, errDevice) || errors.Is(err, ErrUnsatisfied) {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}
