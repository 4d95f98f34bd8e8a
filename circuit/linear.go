package circuit

import (
	"github.com/zkml-go/zkml/circuit/gadget"
	"github.com/zkml-go/zkml/quantize"
)

// linear proves a linear map; which rows do it cheapest is the gadget's choice.
func (c *compiler) linear(n *quantize.Node, op quantize.Linear) []gadget.Expr {
	c.b.At(n.Name, "linear")
	x, w := c.program.Nodes[n.Inputs[0]].Shape, c.program.Nodes[n.Inputs[1]].Shape
	g := gadget.Geometry{
		N: x[0], C: x[1], H: x[2], W: x[3], O: w[0], KH: w[2], KW: w[3],
		Groups: op.Groups, Stride: op.Stride, Dilation: op.Dilation, Pad: op.Pad,
	}
	var bias gadget.Operand
	if len(n.Inputs) == 3 {
		bias = c.weights(n.Inputs[2])
	}
	return c.b.Linear(g, c.computed(n.Inputs[0]), c.weights(n.Inputs[1]), bias)
}

// matmul proves a batched product of two computed matrices.
func (c *compiler) matmul(n *quantize.Node) []gadget.Expr {
	c.b.At(n.Name, "matmul")
	x, y := c.program.Nodes[n.Inputs[0]].Shape, c.program.Nodes[n.Inputs[1]].Shape
	return c.b.MatMul(x[0], x[1], x[2], y[2], c.computed(n.Inputs[0]), c.computed(n.Inputs[1]))
}

// computed returns a tensor as the operand of a linear gadget.
func (c *compiler) computed(id quantize.ID) gadget.Operand {
	return gadget.Operand{Exprs: c.tensors[id], Interval: c.interval(id)}
}

// weights is computed, or the fixed integers of a constant.
func (c *compiler) weights(id quantize.ID) gadget.Operand {
	if op, ok := c.program.Nodes[id].Op.(quantize.Const); ok {
		return gadget.Operand{Fixed: op.Values, Interval: c.interval(id)}
	}
	return c.computed(id)
}
