package graph_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

func TestValidateAccepts(t *testing.T) {
	for name, g := range map[string]*graph.Graph{"every operator": everyOp(), "LeNet": lenet()} {
		if err := g.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// chain is x [2 3] → Relu → y, for one thing after another to be broken in.
func chain() *graph.Graph {
	b := new(builder)
	x := b.input("x", 2, 3)
	y := b.add(graph.Unary{Func: graph.Relu}, tensor.Shape{2, 3}, x)
	b.Nodes[y].Name = "/relu/Relu"
	return b.output(y)
}

func TestValidateRefuses(t *testing.T) {
	op := func(op graph.Op, shape tensor.Shape, operands ...tensor.Shape) *graph.Graph {
		b := new(builder)
		var ids []graph.ID
		for i, s := range operands {
			ids = append(ids, b.input(string(rune('a'+i)), s...))
		}
		return b.output(b.add(op, shape, ids...))
	}
	linear := func(change func(l *graph.Linear), x, w, bias, y tensor.Shape) *graph.Graph {
		b := new(builder)
		l := unit()
		change(&l)
		ids := []graph.ID{b.input("x", x...), b.constant(make([]float64, w.Size()), w...)}
		if bias != nil {
			ids = append(ids, b.constant(make([]float64, bias.Size()), bias...))
		}
		return b.output(b.add(l, y, ids...))
	}
	changed := func(change func(g *graph.Graph)) *graph.Graph {
		g := chain()
		change(g)
		return g
	}
	same := func(*graph.Linear) {}
	s := func(d ...int) tensor.Shape { return d }
	nan, inf := math.NaN(), math.Inf(1)
	cases := []struct {
		name string
		g    *graph.Graph
		want string
	}{
		{"empty", new(graph.Graph), "no output"},
		{"no operator", changed(func(g *graph.Graph) { g.Nodes[1].Op = nil }), "no operator"},
		{"cycle", changed(func(g *graph.Graph) { g.Nodes[1].Inputs[0] = 1 }), "operand 1 is not computed before it"},
		{"negative operand", changed(func(g *graph.Graph) { g.Nodes[1].Inputs[0] = -1 }), "operand -1"},
		{"operand beyond the end", changed(func(g *graph.Graph) { g.Nodes[1].Inputs[0] = 7 }), "operand 7"},
		{"negative dimension", changed(func(g *graph.Graph) { g.Nodes[0].Shape[0] = -2 }), "negative"},
		{"huge dimension", changed(func(g *graph.Graph) { g.Nodes[0].Shape[0] = 1 << 40 }), "limit"},
		{"huge total", op(graph.Rewire{}, s(1<<27), s(1<<27)), "elements together"},
		{"huge rank", op(graph.Rewire{}, make(tensor.Shape, 40), s(0)), "axes"},
		{"shape not the operand's", changed(func(g *graph.Graph) { g.Nodes[1].Shape = s(3, 2) }), "operand 0 has shape [2 3]"},
		{"input not listed", changed(func(g *graph.Graph) { g.Inputs = nil }), "not in the list"},
		{"input listed twice", changed(func(g *graph.Graph) { g.Inputs = []graph.ID{0, 0} }), "listed twice"},
		{"input list beyond the end", changed(func(g *graph.Graph) { g.Inputs = []graph.ID{9} }), "node 9"},
		{"other node listed as input", changed(func(g *graph.Graph) { g.Inputs = []graph.ID{0, 1} }), "listed as an input"},
		{"two inputs of one name", func() *graph.Graph { b := new(builder); b.input("x", 1); return b.output(b.input("x", 1)) }(), "a second input"},
		{"input without a name", func() *graph.Graph { b := new(builder); return b.output(b.input("", 1)) }(), "without a name"},
		{"output beyond the end", changed(func(g *graph.Graph) { g.Outputs[0].ID = 2 }), `output "y" names node 2`},
		{"negative output", changed(func(g *graph.Graph) { g.Outputs[0].ID = -1 }), "node -1"},
		{"two outputs of one name", changed(func(g *graph.Graph) { g.Outputs = append(g.Outputs, g.Outputs[0]) }), "two outputs"},
		{"input with an operand", op(graph.Input{Name: "z"}, s(1), s(1)), "1 operands, expected 0"},
		{"const of the wrong size", op(graph.Const{Values: []float64{1}}, s(2)), "needs 2 values"},
		{"const with a NaN", op(graph.Const{Values: []float64{1, nan}}, s(2)), "value 1 is NaN"},
		{"rewire without operands", op(graph.Rewire{Index: []int32{-1}}, s(1)), "0 operands"},
		{"reshape to another size", op(graph.Rewire{}, s(5), s(2, 3)), "reshape"},
		{"reshape of two", op(graph.Rewire{}, s(2), s(1), s(1)), "reshape of 2"},
		{"rewire index too large", op(graph.Rewire{Index: []int32{0, 2}}, s(2), s(1), s(1)), "index 1 is 2"},
		{"rewire index below -1", op(graph.Rewire{Index: []int32{-2}}, s(1), s(1)), "index 0 is -2"},
		{"rewire with too few indices", op(graph.Rewire{Index: []int32{0}}, s(2), s(1)), "needs 2 indices"},
		{"rewire with an infinite fill", op(graph.Rewire{Index: []int32{-1}, Fill: inf}, s(1), s(1)), "fill value"},
		{"linear of computed weights", op(unit(), s(1, 1, 1, 1), s(1, 1, 1, 1), s(1, 1, 1, 1)), "not a Const"},
		{"linear of three axes", linear(same, s(1, 1, 1), s(1, 1, 1, 1), nil, s(1, 1, 1)), "four axes"},
		{"linear of other channels", linear(same, s(1, 2, 1, 1), s(1, 1, 1, 1), nil, s(1, 1, 1, 1)), "channels per group"},
		{"linear with a kernel too large", linear(same, s(1, 1, 2, 2), s(1, 1, 3, 1), nil, s(1, 1, 1, 2)), "kernel of 3"},
		{"linear with an empty kernel", linear(same, s(1, 1, 2, 2), s(1, 1, 0, 1), nil, s(1, 1, 1, 2)), "kernel of 0"},
		{"linear without channels", linear(same, s(1, 0, 2, 2), s(1, 0, 1, 1), nil, s(1, 1, 2, 2)), "0 channels"},
		{"linear with a wrong result", linear(same, s(1, 1, 2, 2), s(1, 1, 1, 1), nil, s(1, 1, 2, 1)), "its operands give [1 1 2 2]"},
		{"linear with a long bias", linear(same, s(1, 1, 2, 2), s(1, 1, 1, 1), s(2), s(1, 1, 2, 2)), "bias of shape [2]"},
		{"linear in no groups", linear(func(l *graph.Linear) { l.Groups = 0 }, s(1, 1, 1, 1), s(1, 1, 1, 1), nil, s(1, 1, 1, 1)), "0 groups"},
		{"linear in uneven groups", linear(func(l *graph.Linear) { l.Groups = 2 }, s(1, 3, 1, 1), s(2, 1, 1, 1), nil, s(1, 2, 1, 1)), "2 groups of 3"},
		{"linear with stride 0", linear(func(l *graph.Linear) { l.Stride[1] = 0 }, s(1, 1, 1, 1), s(1, 1, 1, 1), nil, s(1, 1, 1, 1)), "stride 0"},
		{"linear with dilation 0", linear(func(l *graph.Linear) { l.Dilation[0] = 0 }, s(1, 1, 1, 1), s(1, 1, 1, 1), nil, s(1, 1, 1, 1)), "dilation 0"},
		{"linear with negative padding", linear(func(l *graph.Linear) { l.Pad[3] = -1 }, s(1, 1, 1, 2), s(1, 1, 1, 1), nil, s(1, 1, 1, 1)), "padding 0 and -1"},
		{"linear with huge padding", linear(func(l *graph.Linear) { l.Pad[0] = 1 << 40 }, s(1, 1, 1, 1), s(1, 1, 1, 1), nil, s(1, 1, 1, 1)), "padding"},
		{"linear with too much work", linear(func(l *graph.Linear) { l.Pad = [4]int{2048, 2048, 2048, 2048} },
			s(1, 1, 512, 512), s(1, 1, 256, 256), nil, s(1, 1, 4353, 4353)), "multiplications"},
		{"matmul of matrices", op(graph.MatMul{}, s(1, 1), s(1, 1), s(1, 1)), "expected [B M K]"},
		{"matmul of other inner axes", op(graph.MatMul{}, s(1, 1, 1), s(1, 1, 2), s(1, 3, 1)), "expected [B M K]"},
		{"matmul of other batches", op(graph.MatMul{}, s(2, 1, 1), s(2, 1, 1), s(1, 1, 1)), "expected [B M K]"},
		{"mul of one", op(graph.Mul{}, s(1), s(1)), "1 operands, expected 2"},
		{"mul that broadcasts", op(graph.Mul{}, s(2), s(2), s(1)), "operand 1 has shape [1]"},
		{"div that broadcasts", op(graph.Div{}, s(2), s(2), s(1)), "operand 1 has shape [1]"},
		{"add without coefficients", op(graph.Add{}, s(1), s(1)), "0 coefficients"},
		{"add with coefficient 2", op(graph.Add{Coeffs: []int{2}}, s(1), s(1)), "coefficient 0 is 2"},
		{"add of nothing", op(graph.Add{}, s(1)), "0 operands"},
		{"unknown function", op(graph.Unary{Func: "cube"}, s(1), s(1)), `unknown function "cube"`},
		{"slope that is NaN", op(graph.Unary{Func: graph.LeakyRelu, Alpha: nan}, s(1), s(1)), "alpha is NaN"},
		{"clip to nothing", op(graph.Unary{Func: graph.Clip, Alpha: 1, Beta: 0}, s(1), s(1)), "clip to [1, 0]"},
		{"clip to NaN", op(graph.Unary{Func: graph.Clip, Alpha: nan, Beta: 0}, s(1), s(1)), "clip to [NaN, 0]"},
		{"clip to infinity", op(graph.Unary{Func: graph.Clip, Alpha: inf, Beta: inf}, s(1), s(1)), "clip to"},
		{"max of a scalar", op(graph.Max{}, s(), s()), "no last axis"},
		{"max of nothing", op(graph.Max{}, s(2), s(2, 0)), "no last axis"},
		{"max with a wrong result", op(graph.Max{}, s(3), s(2, 3)), "its operands give [2]"},
		{"argmax that keeps its axis", op(graph.ArgMax{}, s(2, 1), s(2, 3)), "its operands give [2]"},
		{"softmax of a scalar", op(graph.Softmax{}, s(), s()), "no last axis"},
		{"threshold at NaN", op(graph.Threshold{T: nan}, s(1), s(1)), "threshold is NaN"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			err := c.g.Validate()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("found %v, expected %q", err, c.want)
			}
		})
	}
}

func TestNodeErrorNames(t *testing.T) {
	g := chain()
	g.Nodes[1].Shape = tensor.Shape{6}
	err := g.Validate()
	var node *graph.NodeError
	if !errors.As(err, &node) || node.ID != 1 || node.Name != "/relu/Relu" || node.Kind != "Unary" {
		t.Errorf("found %v, expected a NodeError about node 1", err)
	}
}
