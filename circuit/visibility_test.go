package circuit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"golang.org/x/crypto/sha3"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/quantize/quantizetest"
	"github.com/zkml-go/zkml/tensor"
)

// blend is y = x·w + x·v: swapping the hidden w and v changes no answer.
func blend() *quantize.Program {
	one := quantize.Scale{Num: 1, Den: 1}
	shape := tensor.Shape{2}
	return &quantize.Program{
		Nodes: []quantize.Node{
			{Op: quantize.Input{Name: "x", Bits: 4}, Shape: shape, Lo: -8, Hi: 7, Scale: one, Name: "x", Source: -1},
			{Op: quantize.Param{Name: "w", Bits: 4, Values: []int64{3, -5}}, Shape: shape, Lo: -8, Hi: 7, Scale: one, Name: "w", Source: -1},
			{Op: quantize.Param{Name: "v", Bits: 4, Values: []int64{2, 6}}, Shape: shape, Lo: -8, Hi: 7, Scale: one, Name: "v", Source: -1},
			{Op: quantize.Mul{}, Inputs: []quantize.ID{0, 1}, Shape: shape, Lo: -56, Hi: 64, Scale: one, Name: "xw", Source: -1},
			{Op: quantize.Mul{}, Inputs: []quantize.ID{0, 2}, Shape: shape, Lo: -56, Hi: 64, Scale: one, Name: "xv", Source: -1},
			{Op: quantize.Add{Coeffs: []int64{1, 1}}, Inputs: []quantize.ID{3, 4}, Shape: shape, Lo: -112, Hi: 128, Scale: one, Name: "y", Source: -1},
		},
		Inputs:  []quantize.ID{0},
		Outputs: []quantize.Output{{Name: "y", ID: 5}},
	}
}

// TestForgedDigests changes what a prover gives where everything is hashed. The words
// are the context and the digests of x, y and the weights; then come x, w, v and the
// three salts.
func TestForgedDigests(t *testing.T) {
	c, err := circuit.Compile(context.Background(), blend(), circuit.Options{
		Widths: []int{3}, Visibility: map[string]circuit.Visibility{"x": circuit.Hashed, "y": circuit.Hashed}, Weights: circuit.Hashed,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Manifest.NbWords(); got != 4 {
		t.Fatalf("%d words", got)
	}
	const digestX, digestY, digestW, x0, x1, w0, w1, v0, v1, saltX, saltY, saltW = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
	salts := circuit.Salts{"x": fr.NewElement(101), "y": fr.NewElement(102), circuit.WeightsName: fr.NewElement(103)}
	digest := func(p circuit.Public, salt uint64, values ...int64) fr.Element {
		d, err := p.Digest(values, fr.NewElement(salt))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	weights := func(salt uint64, values ...int64) fr.Element {
		p := blend()
		for i, id := range []int{1, 2} {
			op := p.Nodes[id].Op.(quantize.Param)
			op.Values = values[2*i : 2*i+2]
			p.Nodes[id].Op = op
		}
		d, err := circuit.WeightsDigest(p, fr.NewElement(salt))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	x, y := c.Manifest.Inputs[0], c.Manifest.Outputs[0]
	set := func(v fr.Vector, from int, values ...int64) {
		for i, value := range values {
			v[from+i].SetInt64(value)
		}
	}
	for _, test := range []struct {
		name     string
		forge    func(v fr.Vector)
		accepted bool
	}{
		{"nothing", func(fr.Vector) {}, true},
		{"another salt of x", func(v fr.Vector) { set(v, saltX, 1) }, false},
		{"another salt of y", func(v fr.Vector) { set(v, saltY, 1) }, false},
		{"another salt of the weights", func(v fr.Vector) { set(v, saltW, 1) }, false},
		// Which salt a prover takes is free; it gives another digest.
		{"another salt and its digest", func(v fr.Vector) { set(v, saltX, 1); v[digestX] = digest(x, 1, 2, 1) }, true},
		{"a salt beyond every packed word", func(v fr.Vector) {
			v[saltX].SetInt64(-1)
			salt := v[saltX]
			d, err := x.Digest([]int64{2, 1}, salt)
			if err != nil {
				t.Fatal(err)
			}
			v[digestX] = d
		}, true},
		{"the digests of x and y swapped", func(v fr.Vector) { v[digestX], v[digestY] = v[digestY], v[digestX] }, false},
		{"another x under the digest", func(v fr.Vector) { set(v, x0, 3); v[digestY] = digest(y, 102, 15, 1) }, false},
		{"another x and its digest", func(v fr.Vector) {
			set(v, x0, 3)
			v[digestX], v[digestY] = digest(x, 101, 3, 1), digest(y, 102, 15, 1)
		}, true},
		{"another y", func(v fr.Vector) { v[digestY] = digest(y, 102, 11, 1) }, false},
		// The words are those of x, the digits aren't in their interval.
		{"a carry between elements of x", func(v fr.Vector) {
			set(v, x0, 2+16, 1-1)
			v[digestY] = digest(y, 102, 90, 0)
		}, false},
		{"w and v swapped", func(v fr.Vector) { set(v, w0, 2, 6, 3, -5) }, false},
		{"w and v swapped, with their digest", func(v fr.Vector) { set(v, w0, 2, 6, 3, -5); v[digestW] = weights(103, 2, 6, 3, -5) }, true},
		{"the digest of other weights of the same answer", func(v fr.Vector) { v[digestW] = weights(103, 2, -5, 3, 6) }, false},
		{"other weights of the same answer under the digest", func(v fr.Vector) { set(v, w0, 4); set(v, v0, 1) }, false},
		{"an unsalted digest", func(v fr.Vector) { v[digestW] = weights(0, 3, -5, 2, 6) }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, err := c.AssignSalted([][]int64{{2, 1}}, fr.NewElement(1), salts)
			if err != nil {
				t.Fatal(err)
			}
			v := a.Witness.Vector().(fr.Vector)
			if want := weights(103, 3, -5, 2, 6); !v[digestW].Equal(&want) {
				t.Fatal("the word isn't the weights' digest")
			}
			test.forge(v)
			copy(a.Words, v[:len(a.Words)])
			_, err = c.System.Solve(a.Witness, append(c.SolverOptions(), standIn)...)
			if (err == nil) != test.accepted {
				t.Errorf("%v, accepted is to be %v", err, test.accepted)
			}
		})
	}
}

// TestWeightsDigest makes the digest of two Params of other parts: each begins a new
// word, and the tag is the hash of theirs.
func TestWeightsDigest(t *testing.T) {
	p := blend()
	salt := fr.NewElement(9)
	got, err := circuit.WeightsDigest(p, salt)
	if err != nil {
		t.Fatal(err)
	}
	describe := circuit.Public{Shape: tensor.Shape{2}, Lo: -8, Bits: 4, Scale: quantize.Scale{Num: 1, Den: 1}}
	one := soliditySideTag(t, &describe)
	b := one.Bytes()
	h := sha3.NewLegacyKeccak256()
	h.Write(b[:])
	h.Write(b[:])
	sum := h.Sum(nil)
	sum[0] = 0
	var tag fr.Element
	tag.SetBytes(sum)
	want := compressAll(t, []fr.Element{fr.NewElement(4), tag, salt, fr.NewElement(11 + 3<<4), fr.NewElement(10 + 14<<4)})
	if !got.Equal(&want) {
		t.Errorf("%s, want %s", got.String(), want.String())
	}
	data, err := os.ReadFile("testdata/weights.json")
	if err != nil {
		t.Fatal(err)
	}
	var committed struct {
		Params            []vector
		Salt, Tag, Digest string
	}
	if err := json.Unmarshal(data, &committed); err != nil {
		t.Fatal(err)
	}
	if committed.Tag != tag.String() || committed.Digest != got.String() || committed.Salt != salt.String() || len(committed.Params) != 2 {
		t.Errorf("tag %s, digest %s: testdata/weights.json has %+v", tag.String(), got.String(), committed)
	}
	for i, v := range committed.Params {
		op := p.Nodes[i+1].Op.(quantize.Param)
		if !slices.Equal(v.Values, op.Values) || v.Bits != op.Bits || v.Tag != one.String() {
			t.Errorf("param %d of testdata/weights.json is %+v, its tag %s", i, v, one.String())
		}
	}
}

// TestVisibilityOfRandomPrograms hides tensors at random: the circuit still computes what
// the interpreter does, whatever it shows.
func TestVisibilityOfRandomPrograms(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 3))
		p := quantizetest.Program(r, quantizetest.Options{})
		o := circuit.Options{Widths: []int{4}, Visibility: make(map[string]circuit.Visibility)}
		for _, id := range p.Inputs {
			o.Visibility[p.Nodes[id].Op.(quantize.Input).Name] = circuit.Visibility(r.IntN(3))
		}
		for _, out := range p.Outputs {
			o.Visibility[out.Name] = circuit.Visibility(r.IntN(3))
		}
		for _, n := range p.Nodes {
			if _, ok := n.Op.(quantize.Param); ok && r.IntN(2) == 0 {
				o.Weights = circuit.Hashed
			}
		}
		c, err := circuit.Compile(context.Background(), p, o)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		a, err := c.Assign(quantizetest.Inputs(r, p), fr.NewElement(seed))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if len(a.Words) != c.Manifest.NbWords() || len(a.Salts) != len(c.Manifest.Hashed()) {
			t.Errorf("seed %d: %d words, %d salts", seed, len(a.Words), len(a.Salts))
		}
		if _, err := c.Check(a); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

func TestVisibilityErrors(t *testing.T) {
	fixed := quantizetest.Program(rand.New(rand.NewPCG(1, 1)), quantizetest.Options{NoParam: true})
	twice := blend()
	twice.Outputs[0].Name = "x"
	weights := blend()
	weights.Outputs[0].Name = circuit.WeightsName
	both := map[string]circuit.Visibility{"x": circuit.Hashed}
	for i, test := range []struct {
		program *quantize.Program
		o       circuit.Options
	}{
		{blend(), circuit.Options{Visibility: map[string]circuit.Visibility{"z": circuit.Private}}},
		{blend(), circuit.Options{Visibility: map[string]circuit.Visibility{"x": circuit.Fixed}}},
		{blend(), circuit.Options{Weights: circuit.Fixed}},
		{fixed, circuit.Options{Weights: circuit.Private}},
		{fixed, circuit.Options{Weights: circuit.Hashed}},
		{twice, circuit.Options{Visibility: both}},
		{weights, circuit.Options{Weights: circuit.Hashed}},
	} {
		test.o.Widths = []int{4}
		_, err := circuit.Compile(context.Background(), test.program, test.o)
		var refused *circuit.VisibilityError
		if !errors.As(err, &refused) {
			t.Errorf("case %d: %v", i, err)
		}
	}
	c, err := circuit.Compile(context.Background(), blend(), circuit.Options{Widths: []int{4}})
	if err != nil {
		t.Fatal(err)
	}
	var refused *circuit.VisibilityError
	if _, err := c.AssignSalted([][]int64{{0, 0}}, fr.Element{}, circuit.Salts{"x": {}}); !errors.As(err, &refused) {
		t.Errorf("a salt of a shown tensor: %v", err)
	}
}

// TestFreshSalts hashes one input twice: the digests differ.
func TestFreshSalts(t *testing.T) {
	c, err := circuit.Compile(context.Background(), blend(), circuit.Options{Widths: []int{4}, Visibility: map[string]circuit.Visibility{"x": circuit.Hashed}})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for range 8 {
		a, err := c.Assign([][]int64{{1, 2}}, fr.Element{})
		if err != nil {
			t.Fatal(err)
		}
		seen[fmt.Sprint(a.Words[1])] = true
	}
	if len(seen) != 8 {
		t.Errorf("%d digests of 8", len(seen))
	}
}
