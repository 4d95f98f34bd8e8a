package circuit

import (
	"github.com/zkml-go/zkml/circuit/gadget"
	"github.com/zkml-go/zkml/quantize"
)

func rounding(op quantize.Rescale) gadget.Rounding {
	return gadget.Rounding{
		Mult: op.Multiplier, Shift: op.Shift, HalfEven: op.Rounding == quantize.HalfEven, Min: op.Min, Max: op.Max,
	}
}

// rescale proves a rounded shift with its clamp, together with the maximum before
// it where there is one. A rescale that only feeds a lookup is left to the lookup.
func (c *compiler) rescale(id quantize.ID, n *quantize.Node, op quantize.Rescale) []gadget.Expr {
	if fused[quantize.Lookup](c, id) {
		return nil
	}
	if from := c.source(n.Inputs[0]); c.fusedMax(from) {
		c.b.At(n.Name, "max and rescale")
		maximum := &c.program.Nodes[from]
		x, in := c.operand(maximum, 0)
		return c.b.MaxRescale(groups(x, len(x)/maximum.Shape.Size()), in, rounding(op))
	}
	c.b.At(n.Name, "rescale")
	x, in := c.operand(n, 0)
	return c.b.Rescale(x, in, rounding(op))
}

// lookup proves a table lookup, together with the rescale before it where there is
// one.
func (c *compiler) lookup(n *quantize.Node, op quantize.Lookup) []gadget.Expr {
	from := c.source(n.Inputs[0])
	table := c.b.Table(op.Func, op.Min, op.Table)
	if shift, ok := c.program.Nodes[from].Op.(quantize.Rescale); ok && fused[quantize.Lookup](c, from) {
		c.b.At(n.Name, "rescale and lookup")
		x, in := c.operand(&c.program.Nodes[from], 0)
		return c.b.RescaleLookup(x, in, rounding(shift), table)
	}
	c.b.At(n.Name, "lookup")
	x, _ := c.operand(n, 0)
	return table.Query(x)
}

// fusedMax reports whether the node is a maximum that the one rescale that uses it
// proves.
func (c *compiler) fusedMax(id quantize.ID) bool {
	_, isMax := c.program.Nodes[id].Op.(quantize.Max)
	if !isMax || !fused[quantize.Rescale](c, id) {
		return false
	}
	return !fused[quantize.Lookup](c, c.only[id])
}

// max proves the maximum of each row, unless a rescale does.
func (c *compiler) max(id quantize.ID, n *quantize.Node) []gadget.Expr {
	if c.fusedMax(id) {
		return nil
	}
	c.b.At(n.Name, "max")
	x, in := c.operand(n, 0)
	return c.b.Max(groups(x, len(x)/n.Shape.Size()), in)
}

// argMax proves the index of the largest element of each row.
func (c *compiler) argMax(n *quantize.Node, op quantize.ArgMax) []gadget.Expr {
	c.b.At(n.Name, "argmax")
	x, in := c.operand(n, 0)
	return c.b.ArgMax(groups(x, len(x)/n.Shape.Size()), in, op.Last)
}

// threshold proves a comparison with a constant.
func (c *compiler) threshold(n *quantize.Node, op quantize.Threshold) []gadget.Expr {
	c.b.At(n.Name, "threshold")
	x, in := c.operand(n, 0)
	return c.b.Threshold(x, op.T, in)
}

// div proves a rounded quotient.
func (c *compiler) div(n *quantize.Node, op quantize.Div) []gadget.Expr {
	c.b.At(n.Name, "division")
	x, inX := c.operand(n, 0)
	y, inY := c.operand(n, 1)
	return c.b.Div(x, y, inX, inY, op.Shift)
}
