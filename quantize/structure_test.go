package quantize_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// chain builds a graph whose nodes each take the one before.
type chain struct {
	g *graph.Graph
}

// newChain starts with one input.
func newChain(shape tensor.Shape) *chain {
	c := &chain{&graph.Graph{}}
	c.add(graph.Input{Name: "x"}, shape)
	c.g.Inputs = []graph.ID{0}
	return c
}

// add appends a node.
func (c *chain) add(op graph.Op, shape tensor.Shape, in ...graph.ID) graph.ID {
	c.g.Nodes = append(c.g.Nodes, graph.Node{Op: op, Shape: shape, Inputs: in, Name: graph.Kind(op)})
	id := graph.ID(len(c.g.Nodes) - 1)
	c.g.Outputs = []graph.Output{{Name: "y", ID: id}}
	return id
}

// wave is a constant without a common factor.
func (c *chain) wave(shape tensor.Shape) graph.ID {
	v := make([]float64, shape.Size())
	for i := range v {
		v[i] = float64((i*7919)%199-99) / 301
	}
	return c.add(graph.Const{Values: v}, shape)
}

// ops lists the operators of a program, without constants.
func ops(p *quantize.Program) []string {
	var names []string
	for _, n := range p.Nodes {
		if _, ok := n.Op.(quantize.Const); !ok {
			names = append(names, opName(n.Op))
		}
	}
	return names
}

// mustQuantize quantizes with made-up samples.
func mustQuantize(t *testing.T, g *graph.Graph, o quantize.Options) (*quantize.Program, *quantize.Report) {
	t.Helper()
	p, r, err := quantize.Quantize(t.Context(), g, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	return p, r
}

// poolWindows is the index map of 2×2 windows of c planes of n × n.
func poolWindows(c, n int) graph.Rewire {
	var index []int32
	for k := range c {
		for u := 0; u < n; u += 2 {
			for v := 0; v < n; v += 2 {
				at := int32(k*n*n + u*n + v)
				index = append(index, at, at+1, at+int32(n), at+int32(n)+1)
			}
		}
	}
	return graph.Rewire{Index: index}
}

var (
	one2  = [2]int{1, 1}
	plain = graph.Linear{Groups: 1, Stride: one2, Dilation: one2}
)

// TestPoolOnAccumulators wants a ReLU and a max pool to leave one Rescale, after the
// maximum of raw accumulators, whichever comes first.
func TestPoolOnAccumulators(t *testing.T) {
	for _, reluFirst := range []bool{true, false} {
		c := newChain(tensor.Shape{1, 1, 6, 6})
		y := c.add(plain, tensor.Shape{1, 2, 4, 4}, 0, c.wave(tensor.Shape{2, 1, 3, 3}), c.wave(tensor.Shape{2}))
		if reluFirst {
			y = c.add(graph.Unary{Func: graph.Relu}, tensor.Shape{1, 2, 4, 4}, y)
		}
		y = c.add(poolWindows(2, 4), tensor.Shape{1, 2, 2, 2, 4}, y)
		y = c.add(graph.Max{}, tensor.Shape{1, 2, 2, 2}, y)
		if !reluFirst {
			y = c.add(graph.Unary{Func: graph.Relu}, tensor.Shape{1, 2, 2, 2}, y)
		}
		y = c.add(graph.Rewire{}, tensor.Shape{1, 8, 1, 1}, y)
		c.add(plain, tensor.Shape{1, 3, 1, 1}, y, c.wave(tensor.Shape{3, 8, 1, 1}))
		p, _ := mustQuantize(t, c.g, quantize.Options{})
		want := []string{"input", "linear", "rewire", "max", "rewire", "rescale", "linear"}
		if got := ops(p); !slices.Equal(got, want) {
			t.Errorf("ReLU first %v: %v, want %v", reluFirst, got, want)
		}
		for _, n := range p.Nodes {
			if r, ok := n.Op.(quantize.Rescale); ok && (r.Min != 0 || r.Max < n.Hi || r.Multiplier != 1) {
				t.Errorf("%+v: want a ReLU", r)
			}
		}
	}
}

// TestDeferredPastSquare wants x² + x and an average pool to be computed on raw
// accumulators, with one Rescale after them.
func TestDeferredPastSquare(t *testing.T) {
	shape := tensor.Shape{1, 2, 4, 4}
	c := newChain(tensor.Shape{1, 1, 6, 6})
	x := c.add(plain, shape, 0, c.wave(tensor.Shape{2, 1, 3, 3}), c.wave(tensor.Shape{2}))
	y := c.add(graph.Mul{}, shape, x, x)
	y = c.add(graph.Add{Coeffs: []int{1, 1}}, shape, y, x)
	quarter := c.add(graph.Const{Values: slices.Repeat([]float64{0.25}, 8)}, tensor.Shape{2, 1, 2, 2})
	y = c.add(graph.Linear{Groups: 2, Stride: [2]int{2, 2}, Dilation: one2}, tensor.Shape{1, 2, 2, 2}, y, quarter)
	y = c.add(graph.Rewire{}, tensor.Shape{1, 8, 1, 1}, y)
	c.add(plain, tensor.Shape{1, 3, 1, 1}, y, c.wave(tensor.Shape{3, 8, 1, 1}))
	p, _ := mustQuantize(t, c.g, quantize.Options{})
	want := []string{"input", "linear", "mul", "add", "linear", "rewire", "rescale", "linear"}
	if got := ops(p); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestScaleOnly wants a product with a constant and an average to cost no rescale:
// the factor goes into the scale, and from there into the next weights.
func TestScaleOnly(t *testing.T) {
	shape := tensor.Shape{1, 3, 2, 2}
	c := newChain(shape)
	ninth := c.add(graph.Const{Values: slices.Repeat([]float64{float64(float32(1.0 / 9))}, 3)}, tensor.Shape{3, 1, 1, 1})
	y := c.add(graph.Linear{Groups: 3, Stride: one2, Dilation: one2}, shape, 0, ninth)
	c.add(graph.Linear{Groups: 1, Stride: one2, Dilation: one2}, tensor.Shape{1, 2, 2, 2}, y, c.wave(tensor.Shape{2, 3, 1, 1}))
	p, _ := mustQuantize(t, c.g, quantize.Options{})
	if got, want := ops(p), []string{"input", "rewire", "linear"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if s := p.Nodes[1].Scale; s.Num != 1 || s.Den != 9 {
		t.Errorf("scale %v after a factor of 1/9", s)
	}
}

// TestWideAverage wants the average of nine squares, wide and with an odd scale, to
// be rescaled by a multiplier that doesn't overflow.
func TestWideAverage(t *testing.T) {
	shape := tensor.Shape{1, 2, 3, 3}
	c := newChain(shape)
	x := c.add(plain, shape, 0, c.wave(tensor.Shape{2, 2, 1, 1}), c.wave(tensor.Shape{2}))
	y := c.add(graph.Mul{}, shape, x, x)
	ninth := c.add(graph.Const{Values: slices.Repeat([]float64{float64(float32(1.0 / 9))}, 18)}, tensor.Shape{2, 1, 3, 3})
	y = c.add(graph.Linear{Groups: 2, Stride: one2, Dilation: one2}, tensor.Shape{1, 2, 1, 1}, y, ninth)
	c.add(graph.Unary{Func: graph.Clip, Alpha: 0, Beta: 0.1}, tensor.Shape{1, 2, 1, 1}, y)
	p, r := mustQuantize(t, c.g, quantize.Options{WeightBits: 14, ActivationBits: 14, Target: quantize.Target{Kind: quantize.ErrorTarget, Value: 0.01}})
	if got, want := ops(p), []string{"input", "linear", "mul", "linear", "rescale"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if m := p.Nodes[len(p.Nodes)-1].Op.(quantize.Rescale).Multiplier; m == 1 || !r.Met {
		t.Errorf("multiplier %d, target met %v", m, r.Met)
	}
}

// TestBytes wants samples that are bytes over 255 to be taken as bytes.
func TestBytes(t *testing.T) {
	c := newChain(tensor.Shape{1, 30, 1, 1})
	c.add(plain, tensor.Shape{1, 4, 1, 1}, 0, c.wave(tensor.Shape{4, 30, 1, 1}), c.wave(tensor.Shape{4}))
	in := tensor.New[float64](tensor.Shape{1, 30, 1, 1})
	for i := range in.Data {
		in.Data[i] = float64(float32(float64(i*8) / 255))
	}
	p, r := mustQuantize(t, c.g, quantize.Options{Samples: []quantize.Sample{{"x": in}}})
	n := p.Nodes[p.Inputs[0]]
	if n.Lo != 0 || n.Hi != 255 || n.Scale != (quantize.Scale{Num: 1, Den: 255}) {
		t.Errorf("[%d, %d] at %v", n.Lo, n.Hi, n.Scale)
	}
	if len(r.Notices) != 1 || !strings.Contains(r.Notices[0], "bytes") {
		t.Errorf("notices %q", r.Notices)
	}
	if got, want := ops(p), []string{"input", "linear"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestDyadicWeights wants weights of 1/8 and 1/4 to be exact with two bits, not
// spread over the width.
func TestDyadicWeights(t *testing.T) {
	c := newChain(tensor.Shape{1, 3, 1, 1})
	w := c.add(graph.Const{Values: []float64{0.125, -0.25, 0, 0.125, 0.125, 0.25}}, tensor.Shape{2, 3, 1, 1})
	c.add(plain, tensor.Shape{1, 2, 1, 1}, 0, w)
	p, _ := mustQuantize(t, c.g, quantize.Options{})
	if got := p.Nodes[1].Op.(quantize.Const).Values; !slices.Equal(got, []int64{1, -2, 0, 1, 1, 2}) {
		t.Errorf("weights %v", got)
	}
}

// TestHiddenWeights wants weights as Params whose declared intervals, and with them
// all others, don't depend on the values.
func TestHiddenWeights(t *testing.T) {
	build := func(sign float64) *graph.Graph {
		c := newChain(tensor.Shape{1, 5, 1, 1})
		y := c.add(plain, tensor.Shape{1, 4, 1, 1}, 0, c.wave(tensor.Shape{4, 5, 1, 1}), c.wave(tensor.Shape{4}))
		y = c.add(graph.Unary{Func: graph.Relu}, tensor.Shape{1, 4, 1, 1}, y)
		c.add(plain, tensor.Shape{1, 2, 1, 1}, y, c.wave(tensor.Shape{2, 4, 1, 1}))
		w := c.g.Nodes[1].Op.(graph.Const).Values
		w[3] *= sign
		return c.g
	}
	p, r := mustQuantize(t, build(1), quantize.Options{HiddenWeights: true})
	params := 0
	for _, n := range p.Nodes {
		if _, ok := n.Op.(quantize.Param); ok {
			params++
		}
	}
	if params != 3 || !r.Met {
		t.Errorf("%d parameters, target met %v", params, r.Met)
	}
	q, _, err := quantize.Quantize(t.Context(), build(-1), quantize.Options{Settings: r.Settings})
	if err != nil {
		t.Fatal(err)
	}
	if p.Digest() != q.Digest() {
		t.Error("another hidden weight gives another digest")
	}
	a, _ := p.Encode()
	b, _ := q.Encode()
	if bytes.Equal(a, b) {
		t.Error("the hidden weight isn't in the program")
	}
}

// settingsOf reads settings from JSON.
func settingsOf(data []byte) (*quantize.Settings, error) {
	s := new(quantize.Settings)
	return s, json.Unmarshal(data, s)
}

// TestSettingsFile wants settings to come back from JSON as they were, and bad ones
// refused.
func TestSettingsFile(t *testing.T) {
	c := newChain(tensor.Shape{1, 5, 1, 1})
	y := c.add(plain, tensor.Shape{1, 4, 1, 1}, 0, c.wave(tensor.Shape{4, 5, 1, 1}))
	c.add(graph.Unary{Func: graph.Sigmoid}, tensor.Shape{1, 4, 1, 1}, y)
	p, r := mustQuantize(t, c.g, quantize.Options{})
	data, err := json.Marshal(r.Settings)
	if err != nil {
		t.Fatal(err)
	}
	s, err := settingsOf(data)
	if err != nil {
		t.Fatal(err)
	}
	q, again := mustQuantize(t, c.g, quantize.Options{Settings: s})
	if p.Digest() != q.Digest() || again.Samples != 0 {
		t.Error("the settings from the file give another program")
	}
	for name, change := range map[string]func(*quantize.Settings){
		"version":      func(s *quantize.Settings) { s.Version++ },
		"table":        func(s *quantize.Settings) { s.TableBits = 40 },
		"margin":       func(s *quantize.Settings) { s.Margin = math.NaN() },
		"input":        func(s *quantize.Settings) { s.Inputs[0].Name = "other" },
		"inputs":       func(s *quantize.Settings) { s.Inputs = nil },
		"bits":         func(s *quantize.Settings) { s.Inputs[0].Bits = 99 },
		"scale":        func(s *quantize.Settings) { s.Inputs[0].Scale = quantize.Scale{} },
		"node":         func(s *quantize.Settings) { s.Tensors[0].Node = 77 },
		"range":        func(s *quantize.Settings) { s.Tensors[0].Hi = math.Inf(1) },
		"no range":     func(s *quantize.Settings) { s.Tensors = nil },
		"weights":      func(s *quantize.Settings) { s.Weights[0].Bits = 0 },
		"weights node": func(s *quantize.Settings) { s.Weights[0].Node = -1 },
	} {
		bad, _ := settingsOf(data)
		change(bad)
		if _, _, err := quantize.Quantize(t.Context(), c.g, quantize.Options{Settings: bad}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestUnsupported wants a quotient whose divisor has both signs refused by name.
func TestUnsupported(t *testing.T) {
	c := newChain(tensor.Shape{4})
	c.add(graph.Div{}, tensor.Shape{4}, 0, 0)
	c.g.Nodes[1].Name = "quotient"
	sample := &graph.Tensor{Shape: tensor.Shape{4}, Data: []float64{-1, 1, 2, -2}}
	_, _, err := quantize.Quantize(t.Context(), c.g, quantize.Options{Samples: []quantize.Sample{{"x": sample}}})
	var no *quantize.UnsupportedError
	if !errors.As(err, &no) || no.Node != "quotient" || no.Op != "Div" {
		t.Fatalf("%v", err)
	}
}

// TestTarget compares what the targets ask for: a looser one gives fewer bits, and
// one that can't be met is reported.
func TestTarget(t *testing.T) {
	c := newChain(tensor.Shape{1, 20, 1, 1})
	y := c.add(plain, tensor.Shape{1, 8, 1, 1}, 0, c.wave(tensor.Shape{8, 20, 1, 1}))
	y = c.add(graph.Unary{Func: graph.Relu}, tensor.Shape{1, 8, 1, 1}, y)
	c.add(plain, tensor.Shape{1, 3, 1, 1}, y, c.wave(tensor.Shape{3, 8, 1, 1}))
	bits := map[string]int{}
	for _, text := range []string{"error=0.1", "error=0.001", "error=1e-9"} {
		target, err := quantize.ParseTarget(text)
		if err != nil || target.String() != strings.Replace(text, "1e-9", "1e-09", 1) {
			t.Fatalf("%q: %v, %v", text, target, err)
		}
		_, r := mustQuantize(t, c.g, quantize.Options{Target: target})
		if r.Met != (text != "error=1e-9") {
			t.Errorf("%s: met %v", text, r.Met)
		}
		for _, w := range r.Settings.Weights {
			bits[text] += w.Bits
		}
		if r.Met && r.Outputs[0].MaxError > target.Value*r.Outputs[0].Range {
			t.Errorf("%s: error %v of %v", text, r.Outputs[0].MaxError, r.Outputs[0].Range)
		}
		var text bytes.Buffer
		if err := r.Print(&text); err != nil || !strings.Contains(text.String(), "OUTPUT") {
			t.Errorf("printed %q, %v", text.String(), err)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
	}
	if bits["error=0.1"] >= bits["error=0.001"] {
		t.Errorf("widths of weights: %v", bits)
	}
	for _, text := range []string{"argmax", "argmax=2", "error=0", "error=x", "mean=1", "error=inf"} {
		if _, err := quantize.ParseTarget(text); err == nil {
			t.Errorf("%q accepted", text)
		}
	}
}
