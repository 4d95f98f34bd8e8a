package cases

import (
	"math/rand/v2"

	"github.com/zkml-go/zkml/circuit/gadget"
)

// linears has each way of proving a linear map or a product of matrices. Results that
// lanes need a range of get it from a range check that the gadget chooses.
func linears() []*builder {
	plane := func(n, c, h, w, o, k int) gadget.Geometry {
		return gadget.Geometry{N: n, C: c, H: h, W: w, O: o, KH: k, KW: k, Groups: 1, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
	}
	in := interval{Lo: -8, Hi: 7}
	r := rand.New(rand.NewPCG(6, 28))
	fixed := func(n int) gadget.Operand {
		o := gadget.Operand{Fixed: make([]int64, n)}
		for i := range o.Fixed {
			o.Fixed[i] = 1 + r.Int64N(6)
		}
		return o
	}
	linear := func(g gadget.Geometry, weights, bias gadget.Operand, shift uint) func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr {
		x := g.N * g.C * g.H * g.W
		return func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr {
			w := weights
			if w.Fixed == nil {
				w = gadget.Operand{Exprs: xs[x:], Interval: in}
			}
			ys := b.Linear(g, gadget.Operand{Exprs: xs[:x], Interval: in}, w, bias)
			if shift > 0 { // a consumer that proves ranges
				b.At("node", "rescale")
				b.Rescale(ys, interval{Lo: -1000, Hi: 1000}, rounding{Mult: 1, Shift: shift, Min: -1 << 20, Max: 1 << 20})
				b.At("node", "linear")
			}
			return ys
		}
	}
	dense := plane(1, 12, 1, 1, 8, 1)
	conv := plane(1, 1, 5, 5, 3, 2)
	many := plane(1, 6, 1, 14, 4, 1)
	hidden := plane(1, 3, 1, 5, 4, 1)
	ins := []interval{in}
	return []*builder{
		{name: "linear, direct", widths: []int{4}, in: ins, inputs: 3, write: linear(plane(1, 3, 1, 1, 2, 1), fixed(6), fixed(2), 0)},
		{name: "linear, packed", widths: []int{3, 5}, in: ins, inputs: 12, write: linear(dense, fixed(96), fixed(8), 4)},
		{name: "linear, packed, ranges checked", widths: []int{3, 5}, in: ins, inputs: 12, write: linear(dense, fixed(96), fixed(8), 0)},
		{name: "linear, convolution", widths: []int{3, 5}, in: ins, inputs: 25, write: linear(conv, fixed(12), fixed(3), 4)},
		{name: "linear, Freivalds", widths: []int{3, 5}, in: ins, inputs: 84, write: linear(many, fixed(24), fixed(4), 4)},
		{name: "linear, hidden weights", widths: []int{3, 5}, in: ins, inputs: 15 + 12, write: linear(hidden, gadget.Operand{}, fixed(4), 4)},
		{name: "product of matrices", widths: []int{3, 5}, in: ins, inputs: 2 * 25, write: func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr {
			return b.MatMul(1, 5, 5, 5, gadget.Operand{Exprs: xs[:25], Interval: in}, gadget.Operand{Exprs: xs[25:], Interval: in})
		}},
		{name: "product of matrices, without ranges", in: ins, inputs: 2 * 49, write: func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr {
			return b.MatMul(1, 7, 7, 7, gadget.Operand{Exprs: xs[:49], Interval: in}, gadget.Operand{Exprs: xs[49:], Interval: in})
		}},
	}
}
