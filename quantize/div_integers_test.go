package quantize_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// integers starts a chain with an input of n whole numbers.
func integers(n int) *chain {
	c := &chain{&graph.Graph{}}
	c.add(graph.Input{Name: "x", Integer: true}, tensor.Shape{n})
	c.g.Inputs = []graph.ID{0}
	return c
}

// repeated is a constant that repeats values.
func (c *chain) repeated(n int, values ...float64) graph.ID {
	all := make([]float64, n)
	for i := range all {
		all[i] = values[i%len(values)]
	}
	return c.add(graph.Const{Values: all}, tensor.Shape{n})
}

// TestDivIntegers divides every whole number of an interval and wants the quotients of
// the float graph, with nothing left to the error bound.
func TestDivIntegers(t *testing.T) {
	const n = 250
	shape := tensor.Shape{n}
	for _, low := range []float64{0, -120, -300} {
		for _, divisors := range [][]float64{{1}, {2}, {-2}, {7}, {64}, {-9}, {1000}, {1 << 40}, {3, -3, 5, 1, 119, -120, 301}} {
			for name, before := range map[string]func(c *chain) graph.ID{
				"input": func(c *chain) graph.ID { return 0 },
				"relu":  func(c *chain) graph.ID { return c.add(graph.Unary{Func: graph.Relu}, shape, 0) },
				"clip": func(c *chain) graph.ID {
					return c.add(graph.Unary{Func: graph.Clip, Alpha: -55, Beta: 44}, shape, 0)
				},
				"times 12": func(c *chain) graph.ID { return c.add(graph.Mul{}, shape, 0, c.repeated(n, 12)) },
				"times 8, then relu": func(c *chain) graph.ID {
					return c.add(graph.Unary{Func: graph.Relu}, shape, c.add(graph.Mul{}, shape, 0, c.repeated(n, -8)))
				},
				"fourth power": func(c *chain) graph.ID {
					square := c.add(graph.Mul{}, shape, 0, 0)
					return c.add(graph.Mul{}, shape, square, square)
				},
			} {
				c := integers(n)
				y := c.add(graph.Div{Truncate: true}, shape, before(c), c.repeated(n, divisors...))
				c.add(graph.Add{Coeffs: []int{1, 1}}, shape, y, 0)
				x := tensor.New[float64](shape)
				for i := range x.Data {
					x.Data[i] = low + float64(i)
				}
				sample := quantize.Sample{"x": x}
				what := fmt.Sprintf("%s from %v on, by %v", name, low, divisors)
				_, report := mustQuantize(t, c.g, quantize.Options{Samples: []quantize.Sample{sample}})
				a, err := quantize.Analyze(c.g, report.Settings)
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				if !withinBounds(t, 0, c.g, a, sample) {
					t.Errorf("%s: saturates", what)
				}
				if out := report.Outputs[0]; out.MaxError != 0 || out.Bound == nil || *out.Bound != 0 {
					t.Errorf("%s: error %v, bound %v, expected none", what, out.MaxError, out.Bound)
				}
			}
		}
	}
}

// TestDivIntegersHidden divides products with hidden weights, whose scale is finer than
// 1: the rescale to whole numbers loses nothing.
func TestDivIntegersHidden(t *testing.T) {
	shape := tensor.Shape{60}
	c := integers(60)
	y := c.add(graph.Mul{}, shape, 0, c.repeated(60, 3, -5, 7))
	c.add(graph.Div{Truncate: true}, shape, c.add(graph.Unary{Func: graph.Clip, Alpha: -99, Beta: 120}, shape, y), c.repeated(60, 4))
	x := tensor.New[float64](shape)
	for i := range x.Data {
		x.Data[i] = float64(i - 25)
	}
	sample := quantize.Sample{"x": x}
	p, report := mustQuantize(t, c.g, quantize.Options{Samples: []quantize.Sample{sample}, HiddenWeights: true, WeightBits: 10})
	a, err := quantize.Analyze(c.g, report.Settings)
	if err != nil {
		t.Fatal(err)
	}
	if !withinBounds(t, 0, c.g, a, sample) || report.Outputs[0].MaxError != 0 {
		t.Errorf("error %v, expected none", report.Outputs[0].MaxError)
	}
	if !slices.ContainsFunc(p.Nodes, func(n quantize.Node) bool { r, ok := n.Op.(quantize.Rescale); return ok && r.Shift > 0 }) {
		t.Error("no rescale to whole numbers")
	}
}

// TestDivIntegersRandom follows random operators on integers, some of which round, and
// wants the error bounds to hold.
func TestDivIntegersRandom(t *testing.T) {
	const n, graphs = 12, 200
	shape := tensor.Shape{n}
	exact, compared := 0, 0
	for seed := range uint64(graphs) {
		r := rand.New(rand.NewPCG(seed, 13))
		c := integers(n)
		y := graph.ID(0)
		number := func(limit int) float64 { return float64((1 + r.IntN(limit)) * (1 - 2*r.IntN(2))) }
		numbers := func(limit int) graph.ID {
			if r.IntN(2) == 0 {
				return c.repeated(n, number(limit))
			}
			return c.repeated(n, number(limit), number(limit), number(limit))
		}
		for range 1 + r.IntN(4) {
			switch r.IntN(6) {
			case 0:
				y = c.add(graph.Mul{}, shape, y, numbers(2000))
			case 1:
				y = c.add(graph.Add{Coeffs: []int{1, -1}}, shape, y, numbers(50))
			case 2:
				y = c.add(graph.Unary{Func: graph.Relu}, shape, y)
			case 3:
				y = c.add(graph.Unary{Func: graph.Abs}, shape, y)
			case 4:
				y = c.add(graph.Mul{}, shape, y, 0)
			case 5:
				y = c.add(graph.Div{Truncate: true}, shape, y, numbers(20))
			}
		}
		c.add(graph.Div{Truncate: true}, shape, y, numbers(30))
		var samples []quantize.Sample
		for range 4 {
			x := tensor.New[float64](shape)
			for i := range x.Data {
				x.Data[i] = float64(r.IntN(200) - 100)
			}
			samples = append(samples, quantize.Sample{"x": x})
		}
		_, report, err := quantize.Quantize(t.Context(), c.g, quantize.Options{Samples: samples})
		var no *quantize.UnsupportedError
		if errors.As(err, &no) {
			t.Logf("seed %d: %v", seed, err)
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		a, err := quantize.Analyze(c.g, report.Settings)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, sample := range samples {
			if withinBounds(t, seed, c.g, a, sample) {
				compared++
			}
		}
		if report.Outputs[0].MaxError == 0 {
			exact++
		}
	}
	t.Logf("%d graphs: %d exact, %d runs compared", graphs, exact, compared)
	if exact < graphs/2 || compared < 3*graphs {
		t.Errorf("%d of %d graphs exact, %d runs compared", exact, graphs, compared)
	}
}

// TestDivIntegersRefuses names the division that has no integer form.
func TestDivIntegersRefuses(t *testing.T) {
	shape := tensor.Shape{4}
	for name, c := range map[string]struct {
		divisor func(c *chain) graph.ID
		hidden  bool
	}{
		"a fraction":           {func(c *chain) graph.ID { return c.repeated(4, 1.5) }, false},
		"too large":            {func(c *chain) graph.ID { return c.repeated(4, math.Ldexp(1, 41)) }, false},
		"computed":             {func(c *chain) graph.ID { return 0 }, false},
		"hidden and not alike": {func(c *chain) graph.ID { return c.repeated(4, 3, 4) }, true},
	} {
		g := integers(4)
		g.add(graph.Div{Truncate: true}, shape, 0, c.divisor(g))
		x := tensor.New[float64](shape)
		copy(x.Data, []float64{1, 2, 3, 4})
		_, _, err := quantize.Quantize(t.Context(), g.g, quantize.Options{Samples: []quantize.Sample{{"x": x}}, HiddenWeights: c.hidden})
		var no *quantize.UnsupportedError
		if !errors.As(err, &no) || no.Node != "Div" {
			t.Errorf("%s: error is %v, expected an *UnsupportedError of the division", name, err)
		}
	}
	// Thirds of whole numbers are not whole.
	g := newChain(shape)
	y := g.add(graph.Div{}, shape, 0, g.repeated(4, 3))
	g.add(graph.Div{Truncate: true}, shape, y, g.repeated(4, 2))
	_, _, err := quantize.Quantize(t.Context(), g.g, quantize.Options{})
	var no *quantize.UnsupportedError
	if !errors.As(err, &no) {
		t.Errorf("thirds: error is %v, expected an *UnsupportedError", err)
	}
}
