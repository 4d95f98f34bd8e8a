package quantize_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/quantize/quantizetest"
	"github.com/zkml-go/zkml/tensor"
)

// TestRandomGraphs quantizes random graphs and wants every tensor of the program
// within the proven error of the float graph's, in each run that doesn't saturate.
func TestRandomGraphs(t *testing.T) {
	unsaturated, unsupported, met := 0, 0, 0
	const graphs = 250
	for seed := range uint64(graphs) {
		r := rand.New(rand.NewPCG(seed, 7))
		g, samples := quantizetest.Graph(r, 1+r.IntN(7))
		p, report, err := quantize.Quantize(t.Context(), g, quantize.Options{Samples: samples})
		var no *quantize.UnsupportedError
		if errors.As(err, &no) || errors.Is(err, graph.ErrNotFinite) {
			unsupported++
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if report.Met {
			met++
		}
		if err := p.Validate(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		a, err := quantize.Analyze(g, report.Settings)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if a.Program.Digest() != p.Digest() {
			t.Fatalf("seed %d: the settings give another program", seed)
		}
		for _, sample := range samples {
			if withinBounds(t, seed, g, a, sample) {
				unsaturated++
			}
		}
	}
	t.Logf("%d graphs: %d unsupported, %d met the target, %d runs compared", graphs, unsupported, met, unsaturated)
	if unsupported > graphs/10 || met < graphs*7/10 || unsaturated < 3*graphs {
		t.Errorf("%d graphs unsupported, %d met the target, %d runs compared", unsupported, met, unsaturated)
	}
}

// withinBounds compares one run with the float graph's from the same inputs. It
// reports false if the run saturated.
func withinBounds(t *testing.T, seed uint64, g *graph.Graph, a *quantize.Analysis, sample quantize.Sample) bool {
	t.Helper()
	p := a.Program
	real := make([][]float64, len(p.Inputs))
	for i, id := range p.Inputs {
		real[i] = sample[p.Nodes[id].Op.(quantize.Input).Name].Data
	}
	integers, err := p.QuantizeInputs(real, quantize.Clamp)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	values, err := p.Run(integers)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	for _, n := range a.Saturations(values) {
		if n > 0 {
			return false
		}
	}
	inputs := quantize.Sample{}
	for i, id := range p.Inputs {
		inputs[p.Nodes[id].Op.(quantize.Input).Name] = &graph.Tensor{Shape: p.Nodes[id].Shape, Data: p.Dequantize(id, integers[i])}
	}
	floats, err := g.Run(inputs)
	if err != nil {
		return false
	}
	bounds := a.ErrorBounds(values)
	for i, n := range p.Nodes {
		if n.Source < 0 {
			continue
		}
		if !n.Shape.Equal(g.Nodes[n.Source].Shape) {
			t.Fatalf("seed %d: tensor %d of shape %v stands for one of shape %v", seed, i, n.Shape, g.Nodes[n.Source].Shape)
		}
		for k, q := range values[i] {
			want := floats[n.Source].Data[k]
			if e := math.Abs(n.Scale.Real(q) - want); e > bounds[i][k]+1e-12*math.Abs(want) {
				t.Fatalf("seed %d: tensor %d (%s, %T) element %d is %v, want %v: off by %v, bound %v", seed, i, n.Name, n.Op, k, n.Scale.Real(q), want, e, bounds[i][k])
			}
		}
	}
	return true
}

// TestBoundsOfChangedScale wants the error of a rounded value to grow with the constant
// that it is multiplied by, which is only a change of scale.
func TestBoundsOfChangedScale(t *testing.T) {
	for _, factor := range []float64{100, -100, 0.01} {
		shape := tensor.Shape{1, 64}
		c := newChain(shape)
		y := c.add(graph.Unary{Func: graph.Sigmoid}, shape, 0)
		k := c.add(graph.Const{Values: slices.Repeat([]float64{factor}, 64)}, shape)
		c.add(graph.Mul{}, shape, y, k)
		sample := &graph.Tensor{Shape: shape}
		for i := range 64 {
			sample.Data = append(sample.Data, float64(i-32)/8)
		}
		_, report := mustQuantize(t, c.g, quantize.Options{Samples: []quantize.Sample{{"x": sample}}})
		a, err := quantize.Analyze(c.g, report.Settings)
		if err != nil {
			t.Fatal(err)
		}
		if !withinBounds(t, 0, c.g, a, quantize.Sample{"x": sample}) {
			t.Errorf("times %v: saturates", factor)
		}
		if out := report.Outputs[0]; out.Bound == nil || *out.Bound > 2*out.BoundError {
			t.Errorf("times %v: bound %v, error %v", factor, out.Bound, out.BoundError)
		}
	}
}

// one builds the graph of one operator on one input of [-1, 1].
func one(op graph.Op, shape, result tensor.Shape) *graph.Graph {
	return &graph.Graph{
		Nodes: []graph.Node{
			{Op: graph.Input{Name: "x"}, Shape: shape, Name: "x"},
			{Op: op, Inputs: []graph.ID{0}, Shape: result, Name: "y"},
		},
		Inputs:  []graph.ID{0},
		Outputs: []graph.Output{{Name: "y", ID: 1}},
	}
}

// TestFunctions wants every function within one percent of its range.
func TestFunctions(t *testing.T) {
	for _, f := range []graph.Unary{
		{Func: graph.Relu}, {Func: graph.LeakyRelu, Alpha: 0.01}, {Func: graph.Clip, Alpha: -0.3, Beta: 0.7}, {Func: graph.Clip, Alpha: math.Inf(-1), Beta: 0.5},
		{Func: graph.Abs}, {Func: graph.Sigmoid}, {Func: graph.Tanh}, {Func: graph.Exp}, {Func: graph.Softplus}, {Func: graph.Elu, Alpha: 0.7},
		{Func: graph.HardSigmoid, Alpha: 0.2, Beta: 0.5}, {Func: graph.HardSwish}, {Func: graph.Gelu}, {Func: graph.GeluTanh}, {Func: graph.Erf},
	} {
		shape := tensor.Shape{1, 64}
		g := one(f, shape, shape)
		sample := &graph.Tensor{Shape: shape}
		for i := range 64 {
			sample.Data = append(sample.Data, float64(i-32)/8)
		}
		_, report, err := quantize.Quantize(t.Context(), g, quantize.Options{Samples: []quantize.Sample{{"x": sample}}, Target: quantize.Target{Kind: quantize.ErrorTarget, Value: 0.01}})
		if err != nil {
			t.Fatalf("%s: %v", f.Func, err)
		}
		if !report.Met || report.Outputs[0].MaxError > 0.01*report.Outputs[0].Range {
			t.Errorf("%s: error %v of %v", f.Func, report.Outputs[0].MaxError, report.Outputs[0].Range)
		}
		if report.Outputs[0].Bound == nil || *report.Outputs[0].Bound < report.Outputs[0].BoundError {
			t.Errorf("%s: the bound doesn't hold: %+v", f.Func, report.Outputs[0])
		}
	}
}
