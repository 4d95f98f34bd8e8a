package graph_test

import (
	"math/rand/v2"
	"testing"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

// builder appends nodes to a graph.
type builder struct{ graph.Graph }

func (b *builder) add(op graph.Op, shape tensor.Shape, inputs ...graph.ID) graph.ID {
	b.Nodes = append(b.Nodes, graph.Node{Op: op, Inputs: inputs, Shape: shape, Name: graph.Kind(op)})
	return graph.ID(len(b.Nodes) - 1)
}

func (b *builder) input(name string, shape ...int) graph.ID {
	id := b.add(graph.Input{Name: name}, shape)
	b.Inputs = append(b.Inputs, id)
	return id
}

func (b *builder) constant(values []float64, shape ...int) graph.ID {
	return b.add(graph.Const{Values: values}, shape)
}

func (b *builder) output(id graph.ID) *graph.Graph {
	b.Outputs = append(b.Outputs, graph.Output{Name: "y", ID: id})
	return &b.Graph
}

// unit is a Linear with one group, unit steps and no padding.
func unit() graph.Linear {
	return graph.Linear{Groups: 1, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
}

// random returns n values in [-1, 1] with 53 random bits.
func random(rng *rand.Rand, n int) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = 2*rng.Float64() - 1
	}
	return values
}

func of(t testing.TB, shape tensor.Shape, data ...float64) *graph.Tensor {
	t.Helper()
	if len(data) != shape.Size() {
		t.Fatalf("%d elements for shape %v", len(data), shape)
	}
	return &graph.Tensor{Shape: shape, Data: data}
}

// everyOp is a small graph in which each operator occurs: a convolution, the
// activations, attention, and the reductions.
func everyOp() *graph.Graph {
	rng := rand.New(rand.NewPCG(3, 4))
	b := &builder{Graph: graph.Graph{Name: "every operator"}}
	x := b.input("x", 1, 2, 6, 6)
	mask := b.add(graph.Input{Name: "mask", Integer: true}, tensor.Shape{1, 4, 9})
	b.Inputs = append(b.Inputs, mask)
	conv := graph.Linear{Groups: 2, Stride: [2]int{2, 2}, Dilation: [2]int{1, 1}, Pad: [4]int{1, 1, 0, 0}}
	h := b.add(conv, tensor.Shape{1, 4, 3, 3}, x,
		b.constant(random(rng, 36), 4, 1, 3, 3), b.constant(random(rng, 4), 4))
	for _, f := range []graph.Unary{
		{Func: graph.LeakyRelu, Alpha: 0.1}, {Func: graph.Sigmoid}, {Func: graph.Tanh}, {Func: graph.Exp},
		{Func: graph.Softplus}, {Func: graph.Elu, Alpha: 0.5}, {Func: graph.Gelu}, {Func: graph.GeluTanh},
		{Func: graph.HardSigmoid, Alpha: 0.2, Beta: 0.5}, {Func: graph.HardSwish}, {Func: graph.Erf},
		{Func: graph.Clip, Alpha: -1, Beta: 1}, {Func: graph.Abs}, {Func: graph.Relu},
	} {
		h = b.add(f, tensor.Shape{1, 4, 3, 3}, h)
	}
	rows := b.add(graph.Rewire{}, tensor.Shape{1, 4, 9}, h)
	rows = b.add(graph.Mul{}, tensor.Shape{1, 4, 9}, rows, mask)
	var transposed []int32
	for i := range 36 {
		transposed = append(transposed, int32(i%4*9+i/4))
	}
	columns := b.add(graph.Rewire{Index: transposed}, tensor.Shape{1, 9, 4}, rows)
	scores := b.add(graph.MatMul{}, tensor.Shape{1, 4, 4}, rows, columns)
	weights := b.add(graph.Softmax{}, tensor.Shape{1, 4, 4}, scores)
	sum := b.add(graph.Add{Coeffs: []int{1, -1}}, tensor.Shape{1, 4, 4}, weights, scores)
	ratio := b.add(graph.Div{}, tensor.Shape{1, 4, 4}, sum, weights)
	top := b.add(graph.Max{}, tensor.Shape{1, 4}, ratio)
	padded := b.add(graph.Rewire{Index: []int32{0, 1, 2, 3, -1, 4}, Fill: 0.5}, tensor.Shape{6}, top, h)
	over := b.add(graph.Threshold{T: 0.5}, tensor.Shape{6}, padded)
	label := b.add(graph.ArgMax{Last: true}, tensor.Shape{}, over)
	b.Outputs = []graph.Output{{Name: "ratio", ID: ratio}, {Name: "label", ID: label}}
	return &b.Graph
}

// everyOpInputs are inputs for everyOp.
func everyOpInputs(seed uint64) map[string]*graph.Tensor {
	rng := rand.New(rand.NewPCG(seed, 6))
	x := tensor.New[float64](tensor.Shape{1, 2, 6, 6})
	copy(x.Data, random(rng, 72))
	mask := tensor.New[float64](tensor.Shape{1, 4, 9})
	for i := range mask.Data {
		mask.Data[i] = float64(rng.IntN(2))
	}
	return map[string]*graph.Tensor{"x": x, "mask": mask}
}
