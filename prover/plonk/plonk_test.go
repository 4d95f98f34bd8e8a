package plonk_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	gnark "github.com/consensys/gnark/backend/plonk/bn254"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/frontend"

	"github.com/zkml-go/zkml/internal/plonktest"
	"github.com/zkml-go/zkml/prover/plonk"
)

// full has TestRandomCircuits prove 1,000 circuits, as make differential does.
var full = flag.Bool("full", false, "prove 1,000 random circuits")

// TestRandomCircuits compares with gnark: its verifier accepts our proofs of random
// circuits, and none with a single element changed. Every other seed proves in low
// memory.
func TestRandomCircuits(t *testing.T) {
	count := uint64(40)
	if *full {
		count = 1000
	}
	changed := 0
	for seed := range count {
		s, err := plonktest.Random(seed)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		p, err := plonk.New(t.Context(), s.System, s.Key, plonk.Options{LowMemory: seed/4%2 == 1})
		if err != nil {
			t.Fatalf("seed %d, %s: %v", seed, s, err)
		}
		proof, err := p.Prove(t.Context(), s.Witness, plonk.ProofOptions{})
		if err != nil {
			t.Fatalf("seed %d, %s: %v", seed, s, err)
		}
		if err := gnark.Verify(proof, s.Key.Vk, s.Public()); err != nil {
			t.Fatalf("seed %d, %s: %v", seed, s, err)
		}
		for name, change := range changes(proof) {
			undo := change()
			if gnark.Verify(proof, s.Key.Vk, s.Public()) == nil {
				t.Errorf("seed %d, %s: accepted with another %s", seed, s, name)
			}
			undo()
			changed++
		}
		p.Close()
	}
	t.Logf("%d proofs accepted, %d changed ones rejected", count, changed)
}

// changes returns a change to each element of a proof, which returns its undoing.
func changes(p *gnark.Proof) map[string]func() func() {
	m := make(map[string]func() func())
	_, _, generator, _ := bn254.Generators()
	point := func(name string, at *bn254.G1Affine) {
		m[name] = func() func() {
			before := *at
			at.Add(at, &generator)
			return func() { *at = before }
		}
	}
	value := func(name string, at *fr.Element) {
		m[name] = func() func() {
			before := *at
			at.Add(at, new(fr.Element).SetOne())
			return func() { *at = before }
		}
	}
	for i, name := range []string{"L", "R", "O"} {
		point(name, &p.LRO[i])
	}
	for i := range p.H {
		point(fmt.Sprintf("H%d", i+1), &p.H[i])
	}
	for i := range p.Bsb22Commitments {
		point(fmt.Sprintf("commitment %d", i), &p.Bsb22Commitments[i])
	}
	for i := range p.BatchedProof.ClaimedValues {
		value(fmt.Sprintf("value %d", i), &p.BatchedProof.ClaimedValues[i])
	}
	point("Z", &p.Z)
	point("W", &p.BatchedProof.H)
	point("W'", &p.ZShiftedOpening.H)
	value("value of Z", &p.ZShiftedOpening.ClaimedValue)
	return m
}

// equality says that Y is X squared.
type equality struct {
	Y    frontend.Variable `gnark:",public"`
	X    frontend.Variable
	fill int
}

// Define implements frontend.Circuit.
func (c *equality) Define(api frontend.API) error {
	api.AssertIsEqual(c.Y, api.Mul(c.X, c.X))
	x := c.X
	for range c.fill {
		x = api.Mul(x, x)
	}
	return nil
}

// assign returns a witness of equality's.
func assign(t *testing.T, y, x int) witness.Witness {
	t.Helper()
	w, err := frontend.NewWitness(&equality{Y: y, X: x}, ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWitness(t *testing.T) {
	s, err := plonktest.New(&equality{fill: 5}, &equality{Y: 9, X: 3})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plonk.New(t.Context(), s.System, s.Key, plonk.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Prove(t.Context(), assign(t, 9, 3), plonk.ProofOptions{}); err != nil {
		t.Errorf("a witness that satisfies the circuit: %v", err)
	}
	if proof, err := p.Prove(t.Context(), assign(t, 10, 3), plonk.ProofOptions{}); !errors.Is(err, plonk.ErrUnsatisfied) || proof != nil {
		t.Errorf("3² = 10: %v", err)
	}
	public, err := frontend.NewWitness(&equality{Y: 9}, ecc.BN254.ScalarField(), frontend.PublicOnly())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Prove(t.Context(), public, plonk.ProofOptions{}); err == nil {
		t.Error("a witness without secret words was taken")
	}
}

func TestForeignKey(t *testing.T) {
	small, err := plonktest.New(&equality{fill: 5}, &equality{Y: 9, X: 3})
	if err != nil {
		t.Fatal(err)
	}
	large, err := plonktest.New(&equality{fill: 50}, &equality{Y: 9, X: 3})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plonk.New(t.Context(), small.System, large.Key, plonk.Options{}); !errors.Is(err, plonk.ErrKey) {
		t.Errorf("the key of a larger circuit: %v", err)
	}
	short := *small.Key
	short.Kzg.G1 = short.Kzg.G1[:small.Key.Vk.Size+2]
	if _, err := plonk.New(t.Context(), small.System, &short, plonk.Options{}); !errors.Is(err, plonk.ErrKey) {
		t.Errorf("a short string: %v", err)
	}
}

// TestCancel ends the context in each round, and at times within the rounds.
func TestCancel(t *testing.T) {
	s, err := plonktest.Random(38)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plonk.New(t.Context(), s.System, s.Key, plonk.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var seen []plonk.Round
	start := time.Now()
	if _, err := p.Prove(t.Context(), s.Witness, plonk.ProofOptions{Progress: func(r plonk.Round) { seen = append(seen, r) }}); err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	if want := []plonk.Round{plonk.Solve, plonk.Wires, plonk.Permutation, plonk.Quotient, plonk.Evaluations, plonk.Openings}; !slices.Equal(seen, want) {
		t.Errorf("rounds %v, want %v", seen, want)
	}
	for round := range plonk.Round(plonk.NbRounds) {
		ctx, cancel := context.WithCancel(t.Context())
		var cancelled time.Time
		proof, err := p.Prove(ctx, s.Witness, plonk.ProofOptions{Progress: func(r plonk.Round) {
			if r == round {
				cancel()
				cancelled = time.Now()
			}
			if r > round {
				t.Errorf("cancelled in %s: %s begins", round, r)
			}
		}})
		if !errors.Is(err, context.Canceled) || proof != nil {
			t.Errorf("cancelled in %s: %v", round, err)
		}
		if late := time.Since(cancelled); late > time.Second {
			t.Errorf("cancelled in %s: returned %s later", round, late)
		}
		cancel()
	}
	for i := range 8 {
		ctx, cancel := context.WithTimeout(t.Context(), took*time.Duration(i)/16)
		if _, err := p.Prove(ctx, s.Witness, plonk.ProofOptions{}); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ended after %d/16: %v", i, err)
		}
		cancel()
	}
	// The prover is as good as before.
	if _, err := p.Prove(t.Context(), s.Witness, plonk.ProofOptions{}); err != nil {
		t.Errorf("after cancelled proofs: %v", err)
	}
}

// TestCancelLarge ends the context in the middle of rounds that take their time: with
// -full, in a domain of 2^18.
func TestCancelLarge(t *testing.T) {
	log := 13
	if *full {
		log = 18
	}
	s, err := plonktest.Chain(log)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plonk.New(t.Context(), s.System, s.Key, plonk.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var began time.Time
	took := make([]time.Duration, plonk.NbRounds)
	for round := range plonk.Round(plonk.NbRounds) { // without and then with what rounds take
		for _, part := range []time.Duration{0, 3} {
			ctx, cancel := context.WithCancel(t.Context())
			var cancelled time.Time
			_, err := p.Prove(ctx, s.Witness, plonk.ProofOptions{Progress: func(r plonk.Round) {
				if r > 0 && took[r-1] == 0 {
					took[r-1] = time.Since(began)
				}
				began = time.Now()
				if r == round {
					time.AfterFunc(part*took[max(r-1, 0)]/4, func() { cancelled = time.Now(); cancel() })
				}
			}})
			if err == nil || !errors.Is(err, context.Canceled) {
				cancel()
				continue // the round, and the proof with it, was done before
			}
			late := time.Since(cancelled)
			t.Logf("cancelled in %s: returned %s later", round, late)
			if late > time.Second {
				t.Errorf("cancelled in %s: returned %s later", round, late)
			}
		}
	}
}

// TestConcurrent makes proofs with one prover at the same time.
func TestConcurrent(t *testing.T) {
	s, err := plonktest.Random(26)
	if err != nil {
		t.Fatal(err)
	}
	for _, lowMemory := range []bool{false, true} {
		p, err := plonk.New(t.Context(), s.System, s.Key, plonk.Options{LowMemory: lowMemory})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				proof, err := p.Prove(t.Context(), s.Witness, plonk.ProofOptions{})
				if err == nil {
					err = gnark.Verify(proof, s.Key.Vk, s.Public())
				}
				if err != nil {
					t.Errorf("low memory %t: %v", lowMemory, err)
				}
			})
		}
		wg.Wait()
		p.Close()
	}
}
