package circuit

import (
	"github.com/zkml-go/zkml/circuit/gadget"
	"github.com/zkml-go/zkml/quantize"
)

// input range-checks a witness tensor to its declared interval: every later range
// and lane rests on it, for public inputs too.
func (c *compiler) input(n *quantize.Node, bits int, t []gadget.Expr) {
	c.b.At(n.Name, "input range")
	offset := make([]gadget.Expr, len(t))
	for i, x := range t {
		offset[i] = x.Plus(-n.Lo)
	}
	c.b.RangeAll(offset, bits)
	for _, x := range t {
		c.b.Prove(x.Wire, gadget.Proven{Interval: gadget.Interval{Lo: n.Lo, Hi: n.Hi}})
	}
}

func constants(values []int64) []gadget.Expr {
	t := make([]gadget.Expr, len(values))
	for i, v := range values {
		t[i] = gadget.Constant(v)
	}
	return t
}

// rewire moves expressions; it writes no row.
func (c *compiler) rewire(n *quantize.Node, op quantize.Rewire) []gadget.Expr {
	if op.Index == nil {
		return c.tensors[n.Inputs[0]]
	}
	var all []gadget.Expr
	if len(n.Inputs) == 1 {
		all = c.tensors[n.Inputs[0]]
	} else {
		for _, in := range n.Inputs {
			all = append(all, c.tensors[in]...)
		}
	}
	fill := gadget.Constant(op.Fill)
	t := make([]gadget.Expr, len(op.Index))
	for i, j := range op.Index {
		if j < 0 {
			t[i] = fill
		} else {
			t[i] = all[j]
		}
	}
	return t
}
