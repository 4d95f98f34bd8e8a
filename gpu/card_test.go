//go:build icicle && shim

package gpu

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"testing"

	gc "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	gnark "github.com/consensys/gnark/backend/plonk/bn254"

	"github.com/zkml-go/zkml/gpu/internal/shim"
	"github.com/zkml-go/zkml/internal/plonktest"
	"github.com/zkml-go/zkml/prover/plonk"
)

// full has every call fail in turn, not one in some dozens.
var full = flag.Bool("full", false, "fail every call in turn")

// open returns the first card; when the test ends, nothing may be left on it.
func open(t *testing.T) *Card {
	t.Helper()
	before := shim.Allocated() // a test that has cards hang up can't free everything
	c, err := Open(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if n := shim.Allocated() - before; n != 0 {
			t.Errorf("%d bytes are left on the card", n)
		}
	})
	return c
}

func drawn(n int) fr.Vector {
	v := make(fr.Vector, n)
	v.MustSetRandom()
	return v
}

// TestDevice compares each operation with the CPU's, at lengths around what the CPU does
// for the card.
func TestDevice(t *testing.T) {
	card := open(t)
	for _, n := range []int{4, fewest, 4 * fewest} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			_, _, generator, _ := gc.Generators()
			points := gc.BatchScalarMultiplicationG1(&generator, drawn(n+3))
			points[1] = gc.G1Affine{}
			a, b, shift, z, carry := drawn(n), drawn(n), drawn(1)[0], drawn(1)[0], drawn(1)[0]
			want := run(t, new(plonk.CPU), points, slices.Clone(a), slices.Clone(b), shift, z, carry)
			got := run(t, card, points, slices.Clone(a), slices.Clone(b), shift, z, carry)
			for i := range want {
				if !slices.Equal(got[i].values, want[i].values) {
					t.Errorf("%s differs", want[i].name)
				}
				if !slices.Equal(got[i].points, want[i].points) {
					t.Errorf("%s differs", want[i].name)
				}
			}
		})
	}
}

// outcome is what an operation gave.
type outcome struct {
	name   string
	values []fr.Element
	points []gc.G1Affine
}

// run does everything that a device can. Values on a coset, whose order is the device's own,
// go back to coefficients before they are shown.
func run(t *testing.T, d plonk.Device, points []gc.G1Affine, a, b fr.Vector, shift, z, carry fr.Element) (out []outcome) {
	t.Helper()
	ctx := t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	n := len(a)
	show := func(name string, v plonk.Vector) {
		t.Helper()
		values := make(fr.Vector, v.Len())
		check(d.Read(values, v))
		out = append(out, outcome{name: name, values: values})
	}
	bases, err := d.LoadBases(points)
	check(err)
	va, err := d.Upload(a)
	check(err)
	vb, err := d.Upload(b)
	check(err)
	full, err := d.Allocate(n + 3)
	check(err)
	show("fresh memory", full)
	check(d.Map(ctx, full.Slice(0, n), plonk.Of(va)))
	check(d.Write(full.Slice(n, n+3), drawnFrom(a)))
	sums, err := d.Commit(ctx, bases, va, vb, full, va.Slice(1, n-1))
	check(err)
	out = append(out, outcome{name: "Commit", points: sums})

	dst, err := d.Allocate(n)
	check(err)
	x, y := plonk.Of(va), plonk.Of(vb)
	check(d.Map(ctx, dst, plonk.Difference(plonk.Product(plonk.Sum(x, y, x), plonk.Plus(z, y)), plonk.Sum(plonk.Scale(carry, x), plonk.Product(y, y, x)))))
	show("Map", dst)
	check(d.Map(ctx, dst, plonk.Sum(plonk.Product(plonk.Of(dst), x), plonk.Of(dst))))
	show("Map in place", dst)

	values, err := d.Allocate(n)
	check(err)
	check(d.ToCoset(ctx, shift, plonk.Transform{Coefficients: va, Values: values}))
	check(d.Map(ctx, dst, plonk.Product(plonk.Of(values), plonk.Next(values))))
	check(d.FromCoset(ctx, shift, dst))
	show("ToCoset, Next and FromCoset", dst)
	check(d.Interpolate(ctx, vb))
	show("Interpolate", vb)

	at, err := d.Evaluate(ctx, z, va, vb, va.Slice(1, n))
	check(err)
	out = append(out, outcome{name: "Evaluate", values: at})
	remainder, err := d.Divide(ctx, dst, va, z, carry)
	check(err)
	out = append(out, outcome{name: "the remainder", values: []fr.Element{remainder}})
	show("Divide", dst)
	_, err = d.Divide(ctx, dst, dst, z, carry)
	check(err)
	show("Divide in place", dst)
	d.Free(va, vb, dst, values, full)
	return out
}

func drawnFrom(a fr.Vector) []fr.Element { return slices.Clone(a[:3]) }

// TestProve proves on the card and has gnark verify.
func TestProve(t *testing.T) {
	card := open(t)
	for seed := range uint64(6) {
		s, err := plonktest.Random(seed)
		if err != nil {
			t.Fatal(err)
		}
		p := NewProver(s.System, s.Key, Options{Card: card, LowMemory: seed%2 == 1, Report: func(err error) { t.Errorf("fell back: %v", err) }})
		for range 2 {
			proof, err := p.Prove(t.Context(), s.Witness, plonk.ProofOptions{})
			if err != nil {
				t.Fatalf("seed %d, %s: %v", seed, s, err)
			}
			if err := gnark.Verify(proof, s.Key.Vk, s.Public()); err != nil {
				t.Errorf("seed %d, %s: %v", seed, s, err)
			}
		}
		p.Close()
	}
}

// small returns a circuit with commitments and few rows.
func small(t *testing.T) *plonktest.Subject {
	t.Helper()
	var best *plonktest.Subject
	for seed := range uint64(16) {
		s, err := plonktest.Random(seed)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Key.Vk.Qcp) > 0 && (best == nil || s.Rows() < best.Rows()) {
			best = s
		}
	}
	return best
}

// step is between calls that fail, so that about count of them do; 1 with -full.
func step(calls, count int) int {
	if *full {
		return 1
	}
	return 1 + calls/count
}

// TestFailures has calls fail, one proof for each: the card says so, and the proof comes
// from the CPU and verifies. Then the card works again, and has lost no memory.
func TestFailures(t *testing.T) {
	s := small(t)
	calls, tried := 1, 0
	for n := 1; n <= calls; {
		// A card that hangs up keeps what can't be wiped until it is closed: more than some
		// dozens of proofs that failed would fill it.
		t.Run(fmt.Sprintf("from call %d", n), func(t *testing.T) {
			card := open(t)
			for range 2 { // the second finds memory that the first has left, as those that fail
				shim.FailAt(0)
				p := NewProver(s.System, s.Key, Options{Card: card})
				if _, err := p.Prove(t.Context(), s.Witness, plonk.ProofOptions{}); err != nil {
					t.Fatal(err)
				}
				calls = shim.Calls()
				p.Close()
			}
			for last := tried + 50; n <= calls && tried < last; n += step(calls, 30) {
				failing(t, s, card, n, calls)
				tried++
			}
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%s: %d calls, %d of them failed in turn", s, calls, tried)
}

// failing makes a proof whose n-th call fails.
func failing(t *testing.T, s *plonktest.Subject, card *Card, n, calls int) {
	t.Helper()
	var failed error
	p := NewProver(s.System, s.Key, Options{Card: card, Report: func(err error) { failed = err }})
	defer p.Close()
	shim.FailAt(n)
	proof, err := p.Prove(t.Context(), s.Witness, plonk.ProofOptions{})
	shim.FailAt(0)
	if err != nil {
		t.Fatalf("call %d of %d: %v", n, calls, err)
	}
	if !errors.Is(failed, ErrCard) {
		t.Errorf("call %d of %d fails: error %v", n, calls, failed)
	}
	if err := gnark.Verify(proof, s.Key.Vk, s.Public()); err != nil {
		t.Errorf("call %d of %d: the CPU's proof: %v", n, calls, err)
	}
}

// TestWrongResults has the card give one wrong result for each proof, and no error: no proof
// that doesn't verify leaves the prover.
func TestWrongResults(t *testing.T) {
	s := small(t)
	card := open(t)
	defer shim.WrongAt(0)
	results, tried, onCPU := 0, 0, 0
	for n := 0; n <= results; n += step(results, 15) {
		p := NewProver(s.System, s.Key, Options{Card: card})
		shim.WrongAt(n)
		proof, err := p.Prove(t.Context(), s.Witness, plonk.ProofOptions{})
		if n == 0 {
			results = shim.Results()
			n = 1 - step(results, 15)
		} else {
			tried++
		}
		if err != nil {
			t.Fatalf("result %d of %d: %v", n, results, err)
		}
		if err := gnark.Verify(proof, s.Key.Vk, s.Public()); err != nil {
			t.Errorf("result %d of %d: %v", n, results, err)
		}
		if p.cpu != nil {
			onCPU++
		}
		p.Close()
	}
	t.Logf("%d of %d results wrong in turn, %d proofs made on the CPU", tried, results, onCPU)
	if onCPU < tried/2 {
		t.Error("most of these results are part of the proof: they weren't wrong")
	}
}

// TestWrongWhenOpened has each result be wrong that opening a card compares.
func TestWrongWhenOpened(t *testing.T) {
	defer shim.WrongAt(0)
	shim.WrongAt(0)
	c, err := Open(0)
	if err != nil {
		t.Fatal(err)
	}
	results := shim.Results()
	c.Close()
	for n := 1; n <= results; n += step(results, 10) {
		shim.WrongAt(n)
		if c, err := Open(0); err == nil {
			c.Close()
			t.Errorf("opened, though result %d of %d was wrong", n, results)
		} else if !errors.Is(err, ErrCard) {
			t.Errorf("result %d of %d: %v", n, results, err)
		}
	}
}

// TestOpenFailures has each call fail that opens a card.
func TestOpenFailures(t *testing.T) {
	defer shim.FailAt(0)
	shim.FailAt(0)
	c, err := Open(0)
	if err != nil {
		t.Fatal(err)
	}
	calls := shim.Calls()
	c.Close()
	for n := 1; n <= calls; n += step(calls, 20) {
		shim.FailAt(n)
		c, err := Open(0)
		if err == nil {
			c.Close()
			t.Fatalf("opened, though call %d of %d failed", n, calls)
		}
		if !errors.Is(err, ErrCard) && !errors.Is(err, ErrNoCard) {
			t.Errorf("call %d of %d: error %v", n, calls, err)
		}
	}
}

// TestNoCard has none, one too few, one that is open, and one without memory.
func TestNoCard(t *testing.T) {
	shim.Devices(0)
	if _, err := Open(0); !errors.Is(err, ErrNoCard) {
		t.Errorf("no card: %v", err)
	}
	if card, why, err := Select(Choice{Auto: true}); card != nil || !errors.Is(why, ErrNoCard) || err != nil {
		t.Errorf("auto without a card: %v, %v, %v", card, why, err)
	}
	shim.Devices(1)
	if _, _, err := Select(Choice{Card: 1}); !errors.Is(err, ErrNoCard) {
		t.Errorf("the second of one: %v", err)
	}
	card := open(t)
	if _, err := Open(0); !errors.Is(err, ErrCard) {
		t.Errorf("opened twice: %v", err)
	}
	s := small(t)
	shim.Memory(1 << 12)
	defer shim.Memory(8 << 30)
	var failed error
	p := NewProver(s.System, s.Key, Options{Card: card, Report: func(err error) { failed = err }})
	defer p.Close()
	if _, err := p.Prove(t.Context(), s.Witness, plonk.ProofOptions{}); err != nil || !errors.Is(failed, ErrMemory) {
		t.Errorf("without memory: %v, fell back for %v", err, failed)
	}
}

// TestGiveWay proves two circuits in turn on a card that has room for one.
func TestGiveWay(t *testing.T) {
	s := small(t)
	card := open(t)
	before := shim.Allocated()
	shim.Memory(before + int(needed(int(s.Key.Vk.Size), len(s.Key.Vk.Qcp), false)))
	defer shim.Memory(8 << 30)
	var provers [2]*Prover
	for i := range provers {
		provers[i] = NewProver(s.System, s.Key, Options{Card: card, Report: func(err error) { t.Errorf("prover %d: %v", i, err) }})
		defer provers[i].Close()
	}
	for i := range 4 {
		p, other := provers[i%2], provers[1-i%2]
		proof, err := p.Prove(t.Context(), s.Witness, plonk.ProofOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := gnark.Verify(proof, s.Key.Vk, s.Public()); err != nil {
			t.Error(err)
		}
		if p.card == nil || p.cpu != nil || other.card != nil {
			t.Errorf("proof %d: the card isn't this prover's alone", i)
		}
	}
	// With room for both, both stay.
	shim.Memory(8 << 30)
	for _, p := range provers {
		if _, err := p.Prove(t.Context(), s.Witness, plonk.ProofOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if provers[0].card == nil || provers[1].card == nil {
		t.Error("a circuit had to leave, though there is room")
	}
}

// TestQueue cancels a proof that waits for the card.
func TestQueue(t *testing.T) {
	card := open(t)
	release, _ := card.acquire(nil)
	s := small(t)
	p := NewProver(s.System, s.Key, Options{Card: card})
	defer p.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Prove(ctx, s.Witness, plonk.ProofOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled wait: %v", err)
	}
	release()
	done := make(chan error, 3)
	for range 3 {
		go func() {
			_, err := p.Prove(t.Context(), s.Witness, plonk.ProofOptions{})
			done <- err
		}()
	}
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
