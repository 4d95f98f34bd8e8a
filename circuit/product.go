package circuit

import (
	"github.com/zkml-go/zkml/circuit/gadget"
	"github.com/zkml-go/zkml/quantize"
)

// mul writes one row for each product of two wires.
func (c *compiler) mul(n *quantize.Node) []gadget.Expr {
	c.b.At(n.Name, "product")
	x, _ := c.operand(n, 0)
	y, _ := c.operand(n, 1)
	t := make([]gadget.Expr, len(x))
	for i := range t {
		t[i] = c.b.Mul(x[i], y[i])
	}
	return t
}

// add writes one row for each operand but the first.
func (c *compiler) add(n *quantize.Node, op quantize.Add) []gadget.Expr {
	c.b.At(n.Name, "sum")
	t := make([]gadget.Expr, n.Shape.Size())
	for i := range t {
		t[i] = gadget.Constant(op.Const)
		for k, in := range n.Inputs {
			t[i] = c.b.Add(t[i], c.tensors[in][i].Times(op.Coeffs[k]))
		}
	}
	return t
}
