package circuit_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint/solver"
	gnarkcs "github.com/consensys/gnark/frontend/cs"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/quantize/quantizetest"
	"github.com/zkml-go/zkml/tensor"
)

// commitment is the hint that gnark's prover makes the challenge with.
var commitment = solver.GetHintID(gnarkcs.Bsb22CommitmentComputePlaceholder)

// standIn replaces the challenge where nothing is proven: a hash of what is committed.
var standIn = solver.OverrideHint(commitment, func(mod *big.Int, in, out []*big.Int) error {
	h := sha256.New()
	for _, v := range in {
		h.Write(v.FillBytes(make([]byte, 32)))
	}
	out[0].Mod(new(big.Int).SetBytes(h.Sum(nil)), mod)
	return nil
})

// product multiplies the two elements of an input by hidden weights and rounds.
func product() *quantize.Program {
	one := quantize.Scale{Num: 1, Den: 1}
	shape := tensor.Shape{2}
	return &quantize.Program{
		Nodes: []quantize.Node{
			{Op: quantize.Input{Name: "x", Bits: 4}, Shape: shape, Lo: -8, Hi: 7, Scale: one, Name: "x", Source: -1},
			{Op: quantize.Param{Name: "w", Bits: 4, Values: []int64{3, -5}}, Shape: shape, Lo: -8, Hi: 7, Scale: one, Name: "w", Source: -1},
			{Op: quantize.Mul{}, Inputs: []quantize.ID{0, 1}, Shape: shape, Lo: -56, Hi: 64, Scale: one, Name: "product", Source: -1},
			{Op: quantize.Rescale{Multiplier: 1, Shift: 2, Min: -14, Max: 16}, Inputs: []quantize.ID{2}, Shape: shape, Lo: -14, Hi: 16, Scale: one, Name: "y", Source: -1},
		},
		Inputs:  []quantize.ID{0},
		Outputs: []quantize.Output{{Name: "y", ID: 3}},
	}
}

// TestForgedWitness changes what a prover gives: the public words and the tensors that
// enter. The words are the context, x + 8 in 4 bits each and y + 14 in 5 bits each; then
// come the elements of x and of w.
func TestForgedWitness(t *testing.T) {
	c, err := circuit.Compile(context.Background(), product(), circuit.Options{Widths: []int{3}})
	if err != nil {
		t.Fatal(err)
	}
	const wordX, wordY, x0, x1, w0, w1 = 1, 2, 3, 4, 5, 6
	add := func(v *fr.Element, n int64) {
		var e fr.Element
		v.Add(v, e.SetInt64(n))
	}
	for _, test := range []struct {
		name     string
		forge    func(v fr.Vector)
		accepted bool
	}{
		{"nothing", func(v fr.Vector) {}, true},
		{"another context", func(v fr.Vector) { add(&v[0], 1) }, true},
		{"the word of x", func(v fr.Vector) { add(&v[wordX], 1) }, false},
		{"the word of y", func(v fr.Vector) { add(&v[wordY], 1) }, false},
		{"the word of y by an element", func(v fr.Vector) { add(&v[wordY], 32) }, false},
		{"a word by 2^248", func(v fr.Vector) {
			v[wordX].Add(&v[wordX], new(fr.Element).SetBigInt(new(big.Int).Lsh(big.NewInt(1), 248)))
		}, false},
		{"x alone", func(v fr.Vector) { add(&v[x0], 1) }, false},
		// The same word of x from other digits: 4 bits to the one are 1 to the other.
		{"a carry between elements", func(v fr.Vector) { add(&v[x0], 16); add(&v[x1], -1) }, false},
		{"a carry the other way", func(v fr.Vector) { add(&v[x0], -16); add(&v[x1], 1) }, false},
		// x and its word agree, y is what follows: only the interval is broken.
		{"x above its interval", func(v fr.Vector) { add(&v[x0], 6); add(&v[wordX], 6); add(&v[wordY], 4) }, false},
		{"w above its interval", func(v fr.Vector) { add(&v[w0], 8); add(&v[wordY], 4) }, false},
		// Within its interval a hidden weight is the prover's choice.
		{"another w of the same answer", func(v fr.Vector) { add(&v[w1], 0); v[w0].SetInt64(4) }, true},
		{"another w of another answer", func(v fr.Vector) { v[w0].SetInt64(7) }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			// 2·3 and 1·(-5), over 4: 2 (rounded up from 1.5) and -1.
			a, err := c.Assign([][]int64{{2, 1}}, fr.NewElement(1))
			if err != nil {
				t.Fatal(err)
			}
			v := a.Witness.Vector().(fr.Vector)
			test.forge(v)
			copy(a.Words, v[:len(a.Words)])
			_, err = c.System.Solve(a.Witness, append(c.SolverOptions(), standIn)...)
			if (err == nil) != test.accepted {
				t.Errorf("%v, accepted is to be %v", err, test.accepted)
			}
		})
	}
}

// TestForgedHints compiles random programs and lies in one output of one hint at a
// time.
func TestForgedHints(t *testing.T) {
	lies := 0
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 2))
		p := quantizetest.Program(r, quantizetest.Options{})
		lies += tellLies(t, fmt.Sprint("seed ", seed), r, p, [][]int{{4}, {5, 9}, {8}, {3, 6}}[seed%4])
	}
	t.Logf("%d lies", lies)
	if lies < 1000 {
		t.Errorf("only %d lies were told", lies)
	}
}

// TestForgedSoftmax lies in a softmax: its exponentials are table entries and its
// quotients have one value each, so that no other distribution is near enough.
func TestForgedSoftmax(t *testing.T) {
	shape := tensor.Shape{2, 3}
	g := &graph.Graph{
		Nodes: []graph.Node{
			{Op: graph.Input{Name: "x"}, Shape: shape, Name: "x"},
			{Op: graph.Softmax{}, Inputs: []graph.ID{0}, Shape: shape, Name: "softmax"},
		},
		Inputs:  []graph.ID{0},
		Outputs: []graph.Output{{Name: "y", ID: 1}},
	}
	p, _, err := quantize.Quantize(t.Context(), g, quantize.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 3))
	for range 3 {
		if lies := tellLies(t, "softmax", r, p, []int{6}); lies < 20 {
			t.Errorf("only %d lies were told", lies)
		}
	}
}

// tellLies compiles a program and lies in the hints for one set of random inputs.
// Whatever the operators before and after make of a lie, a row must break: the tensors
// of a circuit are determined by its inputs. Only a quotient 0/0, which the gadgets hint
// as 0, is free, and nothing depends on it. It returns how many lies it told.
func tellLies(t *testing.T, what string, r *rand.Rand, p *quantize.Program, widths []int) int {
	t.Helper()
	c, err := circuit.Compile(context.Background(), p, circuit.Options{Widths: widths})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	a, err := c.Assign(quantizetest.Inputs(r, p), fr.Element{})
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	options := append(slices.Clip(c.SolverOptions()), standIn)
	config, err := solver.NewConfig(options...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.System.Solve(a.Witness, options...); err != nil {
		t.Fatalf("%s: the truth is rejected: %v", what, err)
	}
	lies := 0
	for id, name := range c.System.MHintsDependencies {
		if id == commitment {
			continue // the verifier computes this one
		}
		for range 8 {
			liar := &liar{honest: config.HintFunctions[id], r: r}
			_, err := c.System.Solve(a.Witness, append(slices.Clip(options), solver.OverrideHint(id, liar.hint))...)
			if liar.told == "" {
				continue
			}
			lies++
			if err == nil && !(strings.HasSuffix(name, ".ratioHint") && liar.free) {
				t.Errorf("%s: %s: %s is accepted", what, name, liar.told)
			}
		}
	}
	return lies
}

// liar changes one output of one call of a hint.
type liar struct {
	honest solver.Hint
	r      *rand.Rand
	mu     sync.Mutex
	told   string
	free   bool // the honest output is 0
}

func (l *liar) hint(mod *big.Int, in, out []*big.Int) error {
	if err := l.honest(mod, in, out); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.told != "" || len(out) == 0 || l.r.IntN(3) == 0 {
		return nil
	}
	i := l.r.IntN(len(out))
	before := new(big.Int).Set(out[i])
	switch l.r.IntN(5) {
	case 0:
		out[i].Add(out[i], big.NewInt(1))
	case 1:
		out[i].Sub(out[i], big.NewInt(1))
	case 2:
		out[i].Add(out[i], new(big.Int).Lsh(big.NewInt(1), uint(l.r.IntN(253))))
	case 3:
		out[i].Neg(out[i])
	case 4:
		out[i].Add(out[i], new(big.Int).ModInverse(big.NewInt(1+l.r.Int64N(9)), mod))
	}
	out[i].Mod(out[i], mod)
	if out[i].Cmp(before) != 0 {
		l.free = before.Sign() == 0
		l.told = fmt.Sprintf("output %d of %d is %v instead of %v", i, len(out), out[i], before)
	}
	return nil
}

// TestCompileRefusesFalseIntervals gives a program that promises less than its
// operators can give: every range check and lane would rest on the promise.
func TestCompileRefusesFalseIntervals(t *testing.T) {
	var invalid *quantize.InvalidError
	for _, change := range []func(p *quantize.Program){
		func(p *quantize.Program) { p.Nodes[2].Hi = 63 },
		func(p *quantize.Program) { p.Nodes[3].Lo = -13 },
		func(p *quantize.Program) { p.Nodes[0].Hi = 9 },
		func(p *quantize.Program) { p.Nodes[2].Inputs[1] = 3 },
	} {
		p := product()
		change(p)
		if _, err := circuit.Compile(context.Background(), p, circuit.Options{Widths: []int{4}}); !errors.As(err, &invalid) {
			t.Errorf("%v", err)
		}
	}
}
