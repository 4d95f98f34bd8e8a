package graph_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

// naive evaluates Linear by its defining formula, with explicit bounds, in the
// documented order of summation.
func naive(l graph.Linear, x, w *graph.Tensor, bias []float64, out *graph.Tensor) {
	at := func(t *graph.Tensor, i ...int) *float64 {
		flat := 0
		for axis, stride := range t.Shape.Strides() {
			flat += i[axis] * stride
		}
		return &t.Data[flat]
	}
	perIn, perOut := x.Shape[1]/l.Groups, w.Shape[0]/l.Groups
	for n := range out.Shape[0] {
		for o := range out.Shape[1] {
			for u := range out.Shape[2] {
				for v := range out.Shape[3] {
					sum := bias[o]
					for c := range perIn {
						for i := range w.Shape[2] {
							for j := range w.Shape[3] {
								h := u*l.Stride[0] + i*l.Dilation[0] - l.Pad[0]
								k := v*l.Stride[1] + j*l.Dilation[1] - l.Pad[1]
								if h < 0 || h >= x.Shape[2] || k < 0 || k >= x.Shape[3] {
									continue
								}
								sum += float64(*at(w, o, c, i, j) * *at(x, n, o/perOut*perIn+c, h, k))
							}
						}
					}
					*at(out, n, o, u, v) = sum
				}
			}
		}
	}
}

// TestLinearAgainstFormula compares random geometries bit for bit.
func TestLinearAgainstFormula(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	small := func(n int) int { return 1 + rng.IntN(n) }
	tried := 0
	for tried < 3000 {
		l := graph.Linear{Groups: small(3)}
		x := tensor.Shape{small(2), l.Groups * small(3), small(7), small(7)}
		w := tensor.Shape{l.Groups * small(6), x[1] / l.Groups, small(4), small(4)}
		switch rng.IntN(4) {
		case 0: // pointwise
			w[2], w[3] = 1, 1
		case 1: // the kernel covers the operand
			w[2], w[3] = x[2], x[3]
		}
		for axis := range 2 {
			l.Stride[axis], l.Dilation[axis] = small(3), small(3)
			if rng.IntN(2) == 0 {
				l.Stride[axis], l.Dilation[axis] = 1, 1
			}
			if rng.IntN(2) == 0 {
				l.Pad[axis], l.Pad[axis+2] = rng.IntN(5), rng.IntN(5)
			}
		}
		shape, err := l.ResultShape(x, w)
		if err != nil {
			continue
		}
		tried++
		b := new(builder)
		bias := make([]float64, w[0])
		ids := []graph.ID{b.input("x", x...), b.constant(random(rng, w.Size()), w...)}
		if rng.IntN(2) == 0 {
			bias = random(rng, w[0])
			ids = append(ids, b.constant(bias, w[0]))
		}
		id := b.add(l, shape, ids...)
		input := of(t, x, random(rng, x.Size())...)
		values, err := b.output(id).Run(map[string]*graph.Tensor{"x": input})
		if err != nil {
			t.Fatalf("%+v of %v and %v: %v", l, x, w, err)
		}
		want := tensor.New[float64](shape)
		naive(l, input, values[ids[1]], bias, want)
		for i := range want.Data {
			if values[id].Data[i] != want.Data[i] {
				t.Fatalf("%+v of %v and %v: element %d is %v, expected %v", l, x, w, i, values[id].Data[i], want.Data[i])
			}
		}
	}
}

// lenet has LeNet-5's layers: two padded convolutions with max pooling, three
// fully connected layers.
func lenet() *graph.Graph {
	rng := rand.New(rand.NewPCG(9, 10))
	b := new(builder)
	conv := func(x graph.ID, shape tensor.Shape, w tensor.Shape, pad int) graph.ID {
		l := unit()
		l.Pad = [4]int{pad, pad, pad, pad}
		id := b.add(l, shape, x, b.constant(random(rng, w.Size()), w...), b.constant(random(rng, w[0]), w[0]))
		return b.add(graph.Unary{Func: graph.Relu}, shape, id)
	}
	pool := func(x graph.ID, c, side int) graph.ID {
		var index []int32
		for i := range c * side * side {
			at := i/(side*side)*4*side*side + i/side%side*4*side + i%side*2
			index = append(index, int32(at), int32(at+1), int32(at+2*side), int32(at+2*side+1))
		}
		windows := b.add(graph.Rewire{Index: index}, tensor.Shape{1, c, side, side, 4}, x)
		return b.add(graph.Max{}, tensor.Shape{1, c, side, side}, windows)
	}
	h := conv(b.input("x", 1, 1, 28, 28), tensor.Shape{1, 6, 28, 28}, tensor.Shape{6, 1, 5, 5}, 2)
	h = pool(h, 6, 14)
	h = conv(h, tensor.Shape{1, 16, 10, 10}, tensor.Shape{16, 6, 5, 5}, 0)
	h = pool(h, 16, 5)
	h = b.add(graph.Rewire{}, tensor.Shape{1, 400, 1, 1}, h)
	for _, size := range [][2]int{{120, 400}, {84, 120}, {10, 84}} {
		h = conv(h, tensor.Shape{1, size[0], 1, 1}, tensor.Shape{size[0], size[1], 1, 1}, 0)
	}
	return b.output(h)
}

func BenchmarkLeNet(b *testing.B) {
	r, err := graph.NewRunner(lenet())
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(11, 12))
	inputs := map[string]*graph.Tensor{"x": of(b, tensor.Shape{1, 1, 28, 28}, random(rng, 784)...)}
	for b.Loop() {
		if _, err := r.Run(inputs); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleLinear_ResultShape() {
	conv := graph.Linear{Groups: 1, Stride: [2]int{2, 2}, Dilation: [2]int{1, 1}, Pad: [4]int{1, 1, 1, 1}}
	shape, err := conv.ResultShape(tensor.Shape{1, 3, 32, 32}, tensor.Shape{8, 3, 3, 3})
	fmt.Println(shape, err)
	// Output: [1 8 16 16] <nil>
}
