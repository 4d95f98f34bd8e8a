package circuit_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/quantize/quantizetest"
)

// checkRandom compiles a random program and compares every tensor of its circuit
// with the integer interpreter's, on inputs that favour the ends of intervals.
func checkRandom(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	checkProgram(t, seed, r, quantizetest.Program(r, quantizetest.Options{}))
}

func checkProgram(t *testing.T, seed uint64, r *rand.Rand, p *quantize.Program) {
	if len(p.Inputs) == 0 {
		return
	}
	widths := [][]int{{4}, {5, 9}, {8}, {3, 6}}[seed%4]
	c, err := circuit.Compile(context.Background(), p, circuit.Options{Widths: widths})
	if err != nil {
		t.Fatalf("seed %d: compile: %v", seed, err)
	}
	for range 3 {
		a, err := c.Assign(quantizetest.Inputs(r, p), fr.NewElement(seed))
		if err != nil {
			t.Fatalf("seed %d: assign: %v", seed, err)
		}
		if _, err := c.Check(a); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func TestRandomPrograms(t *testing.T) {
	for seed := range uint64(300) {
		checkRandom(t, seed)
	}
}

// TestRepeatedPrograms is TestRandomPrograms for programs of several inferences.
func TestRepeatedPrograms(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		p, err := quantizetest.Program(r, quantizetest.Options{}).Repeat(2 + r.IntN(4))
		if err != nil {
			t.Fatalf("seed %d: repeat: %v", seed, err)
		}
		checkProgram(t, seed, r, p)
	}
}

// FuzzCircuit looks for a program on which circuit and integer interpreter differ.
func FuzzCircuit(f *testing.F) {
	for seed := range uint64(16) {
		f.Add(seed)
	}
	f.Fuzz(checkRandom)
}
