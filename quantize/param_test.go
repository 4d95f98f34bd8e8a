package quantize_test

import (
	"errors"
	"math"
	"testing"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// trained builds a graph with constants wherever training puts some: a linear map and
// its bias, a factor, an addend, a matrix, a map with one weight. Each of its values is
// times scale, and swap exchanges two.
func trained(scale float64, swap bool) *graph.Graph {
	c := newChain(tensor.Shape{1, 6, 1, 1})
	training := func(id graph.ID) graph.ID {
		v := c.g.Nodes[id].Op.(graph.Const).Values
		for i := range v {
			v[i] *= scale
		}
		if swap && len(v) > 1 {
			v[0], v[1] = v[1], v[0]
		}
		return id
	}
	shape := tensor.Shape{1, 4, 1, 1}
	y := c.add(plain, shape, 0, training(c.wave(tensor.Shape{4, 6, 1, 1})), training(c.wave(tensor.Shape{4})))
	y = c.add(graph.Unary{Func: graph.Relu}, shape, y)
	y = c.add(graph.Mul{}, shape, y, training(c.wave(shape)))
	y = c.add(graph.Add{Coeffs: []int{1, 1}}, shape, y, training(c.wave(shape)))
	y = c.add(graph.Rewire{}, tensor.Shape{1, 1, 4}, y)
	y = c.add(graph.MatMul{}, tensor.Shape{1, 1, 1}, y, training(c.wave(tensor.Shape{1, 4, 1})))
	y = c.add(graph.Rewire{}, tensor.Shape{1, 1, 1, 1}, y)
	c.add(plain, tensor.Shape{1, 1, 1, 1}, y, training(c.add(graph.Const{Values: []float64{0.375}}, tensor.Shape{1, 1, 1, 1})))
	return c.g
}

// TestHiddenEverywhere wants every trained constant hidden, and the same program for
// other values of them all.
func TestHiddenEverywhere(t *testing.T) {
	p, r := mustQuantize(t, trained(1, false), quantize.Options{HiddenWeights: true})
	params := 0
	for i := range p.Nodes {
		switch op := p.Nodes[i].Op.(type) {
		case quantize.Param:
			params++
			for k, q := range op.Values {
				if real := p.Nodes[i].Scale.Real(q); math.Abs(real) > 0.4 {
					t.Errorf("%s: element %d is %v: no constant is as large", op.Name, k, real)
				}
			}
		case quantize.Const:
			t.Errorf("tensor %d (%s) is a constant of the key", i, p.Nodes[i].Name)
		}
	}
	if params != 6 || len(r.Settings.Params) != params {
		t.Errorf("%d hidden tensors, %d declared", params, len(r.Settings.Params))
	}
	for _, test := range []struct {
		name  string
		scale float64
		swap  bool
		fits  bool
	}{
		{"the same", 1, false, true},
		{"swapped", 1, true, true},
		{"smaller", 0.6, true, true},
		{"negative", -1, false, true},
		// One value everywhere is taken for a part of the architecture.
		{"zero", 0, false, false},
		{"larger", 9, false, false},
	} {
		q, again, err := quantize.Quantize(t.Context(), trained(test.scale, test.swap), quantize.Options{Settings: r.Settings})
		if err == nil {
			err = p.SameArchitecture(q)
		}
		var fit *quantize.FitError
		switch {
		case !test.fits && !errors.As(err, &fit):
			t.Errorf("%s: %v", test.name, err)
		case test.fits && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.fits && len(again.Settings.Params) != params:
			t.Errorf("%s: %d declared", test.name, len(again.Settings.Params))
		}
	}
	other := newChain(tensor.Shape{1, 6, 1, 1})
	other.add(graph.Unary{Func: graph.Relu}, tensor.Shape{1, 6, 1, 1}, 0)
	q, _ := mustQuantize(t, other.g, quantize.Options{})
	var fit *quantize.FitError
	if err := p.SameArchitecture(q); !errors.As(err, &fit) {
		t.Errorf("another architecture: %v", err)
	}
}

// TestArchitectureStays leaves the factors of sums and averages in the program.
func TestArchitectureStays(t *testing.T) {
	c := newChain(tensor.Shape{1, 2, 2, 2})
	quarter := c.add(graph.Const{Values: []float64{0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25}}, tensor.Shape{2, 1, 2, 2})
	c.add(graph.Linear{Groups: 2, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}, tensor.Shape{1, 2, 1, 1}, 0, quarter)
	p, r := mustQuantize(t, c.g, quantize.Options{HiddenWeights: true})
	for _, n := range p.Nodes {
		if _, ok := n.Op.(quantize.Param); ok {
			t.Errorf("%s is hidden", n.Name)
		}
	}
	if len(r.Settings.Params) != 0 {
		t.Errorf("%d declared", len(r.Settings.Params))
	}
}

// TestBoundsOfHiddenConstants counts what the rounding of a hidden addend or factor makes
// of a result: 1 is above an interval that ends at 1 less a unit.
func TestBoundsOfHiddenConstants(t *testing.T) {
	for _, test := range []struct {
		name string
		op   graph.Op
	}{
		{"addend", graph.Add{Coeffs: []int{-1, 1}}},
		{"factor", graph.Mul{}},
	} {
		c := newChain(tensor.Shape{1})
		y := c.add(graph.Unary{Func: graph.Sigmoid}, tensor.Shape{1}, 0)
		c.add(test.op, tensor.Shape{1}, y, c.add(graph.Const{Values: []float64{1}}, tensor.Shape{1}))
		sample := quantize.Sample{"x": {Shape: tensor.Shape{1}, Data: []float64{0.75}}}
		p, report := mustQuantize(t, c.g, quantize.Options{Samples: []quantize.Sample{sample}, HiddenWeights: true})
		if len(params(p)) != 1 {
			t.Fatalf("%s: %d hidden tensors", test.name, len(params(p)))
		}
		a, err := quantize.Analyze(c.g, report.Settings)
		if err != nil {
			t.Fatal(err)
		}
		if !withinBounds(t, 0, c.g, a, sample) {
			t.Errorf("%s: the run says nothing", test.name)
		}
	}
}
