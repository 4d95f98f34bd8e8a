package plonk_test

import (
	"errors"
	"testing"

	gnark "github.com/consensys/gnark/backend/plonk/bn254"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"

	"github.com/zkml-go/zkml/internal/plonktest"
	"github.com/zkml-go/zkml/prover/plonk"
)

// secretSquares squares X as often as fill says, and commits to it if told to. Nothing is
// public.
type secretSquares struct {
	X      frontend.Variable
	fill   int
	commit bool
}

// Define implements frontend.Circuit.
func (c *secretSquares) Define(api frontend.API) error {
	x := c.X
	for range c.fill {
		x = api.Mul(x, x)
	}
	if c.commit {
		challenge, err := api.(frontend.Committer).Commit(c.X, x)
		if err != nil {
			return err
		}
		api.AssertIsDifferent(api.Mul(challenge, x), 0)
	}
	return nil
}

// TestSmallAndFull proves in the smallest domains, in such without a row of padding, and
// without public words.
func TestSmallAndFull(t *testing.T) {
	tests := map[string]struct {
		subject func() (*plonktest.Subject, error)
		rows    int
		domain  uint64
	}{
		"smallest domain, padded": {func() (*plonktest.Subject, error) {
			return plonktest.New(&equality{fill: 0}, &equality{Y: 9, X: 3})
		}, 3, 4},
		"smallest domain, full":      {func() (*plonktest.Subject, error) { return plonktest.Chain(2) }, 4, 4},
		"eight rows, full":           {func() (*plonktest.Subject, error) { return plonktest.Chain(3) }, 8, 8},
		"full":                       {func() (*plonktest.Subject, error) { return plonktest.Chain(10) }, 1 << 10, 1 << 10},
		"nothing public":             {squares(5, false), 5, 8},
		"nothing public, committed":  {squares(7, true), 12, 16},
		"nothing public, and full":   {squares(16, false), 16, 16},
		"nothing public, and padded": {squares(17, false), 17, 32},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := test.subject()
			if err != nil {
				t.Fatal(err)
			}
			if s.Rows() != test.rows || s.Key.Vk.Size != test.domain {
				t.Fatalf("%d rows in a domain of %d, want %d in %d", s.Rows(), s.Key.Vk.Size, test.rows, test.domain)
			}
			for _, lowMemory := range []bool{false, true} {
				p, err := plonk.New(t.Context(), s.System, s.Key, plonk.Options{LowMemory: lowMemory})
				if err != nil {
					t.Fatal(err)
				}
				proof, err := p.Prove(t.Context(), s.Witness, plonk.ProofOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if err := gnark.Verify(proof, s.Key.Vk, s.Public()); err != nil {
					t.Errorf("low memory %t: %v", lowMemory, err)
				}
				p.Close()
			}
		})
	}
}

func squares(fill int, commit bool) func() (*plonktest.Subject, error) {
	return func() (*plonktest.Subject, error) {
		return plonktest.New(&secretSquares{fill: fill, commit: commit}, &secretSquares{X: 3})
	}
}

// TestTooSmall has no domain to prove in.
func TestTooSmall(t *testing.T) {
	s, err := plonktest.New(&equality{}, &equality{Y: 9, X: 3})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plonk.New(t.Context(), cs.NewSparseR1CS(0), s.Key, plonk.Options{}); err == nil {
		t.Error("a circuit without rows was taken")
	}
	if _, err := plonk.New(t.Context(), s.System, &gnark.ProvingKey{}, plonk.Options{}); !errors.Is(err, plonk.ErrKey) {
		t.Errorf("a key without anything in it: %v", err)
	}
}

// TestDamagedKey proves with keys of the right sizes and wrong contents: there may be an
// error, or a proof that doesn't verify, and nothing worse.
func TestDamagedKey(t *testing.T) {
	tests := map[string]func(pk *gnark.ProvingKey){
		"no coset shift":          func(pk *gnark.ProvingKey) { pk.Vk.CosetShift.SetZero() },
		"cosets that are domains": func(pk *gnark.ProvingKey) { pk.Vk.CosetShift.SetOne() },
		"no generator":            func(pk *gnark.ProvingKey) { pk.Vk.Generator.SetZero() },
		"another generator":       func(pk *gnark.ProvingKey) { pk.Vk.Generator.SetUint64(7) },
		"a string of infinity": func(pk *gnark.ProvingKey) {
			pk.Kzg.G1 = append(pk.Kzg.G1[:0:0], pk.Kzg.G1...)
			clear(pk.Kzg.G1)
		},
		"points off the curve": func(pk *gnark.ProvingKey) {
			pk.KzgLagrange.G1 = append(pk.KzgLagrange.G1[:0:0], pk.KzgLagrange.G1...)
			for i := range pk.KzgLagrange.G1 {
				pk.KzgLagrange.G1[i].X.SetUint64(uint64(i % 3))
				pk.KzgLagrange.G1[i].Y.SetUint64(uint64(i % 2))
			}
		},
		"points at infinity in the key": func(pk *gnark.ProvingKey) {
			clear(pk.Vk.S[:])
			pk.Vk.Ql.SetInfinity()
		},
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := plonktest.Random(17) // with a commitment, in a domain of 2^7
			if err != nil {
				t.Fatal(err)
			}
			pk, vk := *s.Key, *s.Key.Vk
			pk.Vk = &vk
			damage(&pk)
			p, err := plonk.New(t.Context(), s.System, &pk, plonk.Options{})
			if err != nil {
				return
			}
			defer p.Close()
			proof, err := p.Prove(t.Context(), s.Witness, plonk.ProofOptions{})
			if err == nil && gnark.Verify(proof, s.Key.Vk, s.Public()) == nil {
				t.Error("the proof verifies")
			}
		})
	}
}
