package quantizetest

import (
	"fmt"
	"math/rand/v2"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// Graph returns a random valid float graph with one or two inputs, over all
// operators that a program can follow, and samples for it. The same r gives the
// same graph.
func Graph(r *rand.Rand, nodes int) (*graph.Graph, []quantize.Sample) {
	g := &grower{r: r, g: &graph.Graph{Name: "random"}}
	for i := range 1 + r.IntN(2) {
		shape := tensor.Shape{1, 1 + r.IntN(3), 1 + r.IntN(5), 1 + r.IntN(5)}
		id := g.add(graph.Input{Name: fmt.Sprintf("input%d", i)}, shape)
		g.g.Inputs = append(g.g.Inputs, id)
		g.pool = append(g.pool, id)
	}
	for range nodes {
		g.step()
	}
	g.g.Outputs = []graph.Output{{Name: "output0", ID: g.pool[len(g.pool)-1]}}
	samples := make([]quantize.Sample, 8)
	for k := range samples {
		samples[k] = quantize.Sample{}
		for _, id := range g.g.Inputs {
			t := tensor.New[float64](g.g.Nodes[id].Shape)
			for i := range t.Data {
				t.Data[i] = float64(float32(2*r.Float64() - 1))
			}
			samples[k][fmt.Sprintf("input%d", id)] = t
		}
	}
	return g.g, samples
}

// grower grows one graph.
type grower struct {
	r    *rand.Rand
	g    *graph.Graph
	pool []graph.ID
}

// add appends a node.
func (g *grower) add(op graph.Op, shape tensor.Shape, in ...graph.ID) graph.ID {
	id := graph.ID(len(g.g.Nodes))
	g.g.Nodes = append(g.g.Nodes, graph.Node{Op: op, Shape: shape.Clone(), Inputs: in, Name: fmt.Sprintf("node%d", id)})
	return id
}

// constant appends a Const of random values of [-m, m], some of them dyadic.
func (g *grower) constant(shape tensor.Shape, m float64) graph.ID {
	v := make([]float64, shape.Size())
	for i := range v {
		v[i] = float64(float32(m * (2*g.r.Float64() - 1)))
	}
	switch g.r.IntN(6) {
	case 0:
		for i := range v {
			v[i] = float64(g.r.IntN(9)-4) / 8
		}
	case 1:
		for i := range v {
			v[i] = v[0]
		}
	}
	return g.add(graph.Const{Values: v}, shape)
}

// pick is a random operand, more often a recent one.
func (g *grower) pick() graph.ID {
	n := len(g.pool)
	return g.pool[n-1-min(g.r.IntN(n), g.r.IntN(n))]
}

// shaped makes x fit a shape by repeating its elements.
func (g *grower) shaped(x graph.ID, shape tensor.Shape) graph.ID {
	from := g.g.Nodes[x].Shape
	if from.Equal(shape) {
		return x
	}
	index := make([]int32, shape.Size())
	for i := range index {
		index[i] = int32(i % from.Size())
	}
	return g.add(graph.Rewire{Index: index}, shape, x)
}

// step adds one random operator.
func (g *grower) step() {
	x := g.pick()
	shape := g.g.Nodes[x].Shape
	switch g.r.IntN(12) {
	case 0:
		x = g.rewire(x)
	case 1, 2:
		x = g.linear(x)
	case 3:
		y := g.shaped(g.pick(), shape)
		if g.r.IntN(3) == 0 {
			y = g.constant(shape, 2)
		}
		x = g.add(graph.Mul{}, shape, x, y)
	case 4:
		y := g.shaped(g.pick(), shape)
		if g.r.IntN(3) == 0 {
			y = g.constant(shape, 2)
		}
		x = g.add(graph.Add{Coeffs: []int{1 - 2*g.r.IntN(2), 1}}, shape, x, y)
	case 5, 6, 7:
		x = g.add(g.unary(), shape, x)
	case 8:
		windows := 1 + g.r.IntN(6)
		x = g.shaped(x, tensor.Shape{windows, 4})
		x = g.add(graph.Max{}, tensor.Shape{windows}, x)
	case 9:
		x = g.shaped(x, tensor.Shape{2, 5})
		x = g.add(graph.Softmax{}, tensor.Shape{2, 5}, x)
	case 10:
		a := g.shaped(x, tensor.Shape{1, 3, 4})
		b := g.shaped(g.pick(), tensor.Shape{1, 4, 2})
		x = g.add(graph.MatMul{}, tensor.Shape{1, 3, 2}, a, b)
	case 11:
		divisor := g.add(graph.Unary{Func: graph.Sigmoid}, shape, g.shaped(g.pick(), shape))
		offset := g.add(graph.Const{Values: constant(shape.Size(), 0.5)}, shape)
		divisor = g.add(graph.Add{Coeffs: []int{1, 1}}, shape, divisor, offset)
		x = g.add(graph.Div{}, shape, x, divisor)
	}
	g.pool = append(g.pool, x)
}

// constant is n times v.
func constant(n int, v float64) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = v
	}
	return all
}

// unary is a random function.
func (g *grower) unary() graph.Unary {
	all := []graph.Unary{
		{Func: graph.Relu}, {Func: graph.Relu}, {Func: graph.LeakyRelu, Alpha: 0.1}, {Func: graph.Clip, Alpha: -0.3, Beta: 0.6},
		{Func: graph.Abs}, {Func: graph.Sigmoid}, {Func: graph.Tanh}, {Func: graph.Softplus}, {Func: graph.Elu, Alpha: 1},
		{Func: graph.HardSigmoid, Alpha: 0.2, Beta: 0.5}, {Func: graph.HardSwish}, {Func: graph.Gelu}, {Func: graph.GeluTanh}, {Func: graph.Erf},
	}
	return all[g.r.IntN(len(all))]
}

// rewire adds a concatenation, a padding or a reshape.
func (g *grower) rewire(x graph.ID) graph.ID {
	size := g.g.Nodes[x].Shape.Size()
	switch g.r.IntN(3) {
	case 0:
		return g.add(graph.Rewire{}, tensor.Shape{size}, x)
	case 1:
		y := g.pick()
		total := size + g.g.Nodes[y].Shape.Size()
		index := make([]int32, min(total, 60))
		for i := range index {
			index[i] = int32(i)
		}
		return g.add(graph.Rewire{Index: index}, tensor.Shape{len(index)}, x, y)
	}
	index := make([]int32, size+2)
	for i := range index {
		index[i] = int32(i) - 1
	}
	index[size+1] = -1
	return g.add(graph.Rewire{Index: index, Fill: []float64{0, 0.5, -0.25}[g.r.IntN(3)]}, tensor.Shape{size + 2}, x)
}

// linear adds a convolution, a fully connected layer, a mean or a factor per channel.
func (g *grower) linear(x graph.ID) graph.ID {
	size := g.g.Nodes[x].Shape.Size()
	one := [2]int{1, 1}
	op := graph.Linear{Groups: 1, Stride: one, Dilation: one}
	switch g.r.IntN(4) {
	case 0:
		n := 1 + g.r.IntN(6)
		x = g.shaped(x, tensor.Shape{1, size, 1, 1})
		return g.add(op, tensor.Shape{1, n, 1, 1}, x, g.constant(tensor.Shape{n, size, 1, 1}, 0.5), g.constant(tensor.Shape{n}, 1))
	case 1:
		x = g.shaped(x, tensor.Shape{1, 2, 4, 4})
		op.Pad = [4]int{1, 1, 1, 1}
		return g.add(op, tensor.Shape{1, 3, 4, 4}, x, g.constant(tensor.Shape{3, 2, 3, 3}, 0.5), g.constant(tensor.Shape{3}, 0.5))
	case 2:
		x = g.shaped(x, tensor.Shape{1, 2, 3, 3})
		op.Groups = 2
		w := g.add(graph.Const{Values: constant(18, float64(float32(1.0/9)))}, tensor.Shape{2, 1, 3, 3})
		return g.add(op, tensor.Shape{1, 2, 1, 1}, x, w)
	}
	x = g.shaped(x, tensor.Shape{1, 3, 2, 2})
	op.Groups = 3
	return g.add(op, tensor.Shape{1, 3, 2, 2}, x, g.constant(tensor.Shape{3, 1, 1, 1}, 1.5), g.constant(tensor.Shape{3}, 0.5))
}
