package circuit

import (
	"context"
	"fmt"

	"github.com/zkml-go/zkml/circuit/gadget"
	"github.com/zkml-go/zkml/quantize"
)

// compiler writes one program to one builder.
type compiler struct {
	program  *quantize.Program
	manifest *Manifest
	b        *gadget.Builder
	words    []gadget.Expr // the public words
	salts    map[string]gadget.Expr
	tensors  [][]gadget.Expr // by quantize.ID
	uses     []int           // how many operands and outputs refer to each node
	only     []quantize.ID   // the one node that uses it, if uses is 1 and that is no output
}

// compile writes all rows, unless there are too many or the context ends.
func (c *compiler) compile(ctx context.Context) error {
	return c.b.Bounded(ctx, c.write)
}

// write writes all rows. Public words and secret inputs come first, as gnark
// numbers wires in that order.
func (c *compiler) write() error {
	p := c.program
	c.countUses()
	c.tensors = make([][]gadget.Expr, len(p.Nodes))
	for i := range c.manifest.NbWords() {
		c.words = append(c.words, c.b.Public(fmt.Sprintf("word %d", i)))
	}
	for id, n := range p.Nodes {
		switch n.Op.(type) {
		case quantize.Input, quantize.Param:
			t := make([]gadget.Expr, n.Shape.Size())
			for i := range t {
				t[i] = c.b.Secret(fmt.Sprintf("%s[%d]", n.Name, i))
			}
			c.tensors[id] = t
		}
	}
	c.salts = make(map[string]gadget.Expr)
	for _, name := range c.manifest.Hashed() {
		c.salts[name] = c.b.Secret("salt of " + name)
	}
	for id := range p.Nodes {
		if err := c.node(quantize.ID(id)); err != nil {
			return fmt.Errorf("%s: %w", p.Nodes[id].Name, err)
		}
		if err := c.b.Err(); err != nil {
			return err
		}
	}
	c.bindWords()
	return c.b.Finish()
}

// countUses finds who uses each node, for fusion. A reshape isn't a use: it passes
// its operand on.
func (c *compiler) countUses() {
	c.uses = make([]int, len(c.program.Nodes))
	c.only = make([]quantize.ID, len(c.program.Nodes))
	use := func(id, by quantize.ID) {
		id = c.source(id)
		c.uses[id]++
		c.only[id] = by
	}
	for id, n := range c.program.Nodes {
		if isReshape(n.Op) {
			continue
		}
		for _, in := range n.Inputs {
			use(in, quantize.ID(id))
		}
	}
	for _, out := range c.program.Outputs {
		use(out.ID, -1)
	}
	for id := range c.only {
		if c.uses[id] != 1 {
			c.only[id] = -1
		}
	}
}

func isReshape(op quantize.Op) bool {
	r, ok := op.(quantize.Rewire)
	return ok && r.Index == nil
}

// source returns the node whose elements, in their order, are those of id: id
// itself, or what it reshapes.
func (c *compiler) source(id quantize.ID) quantize.ID {
	for isReshape(c.program.Nodes[id].Op) {
		id = c.program.Nodes[id].Inputs[0]
	}
	return id
}

// fused reports whether the node's only use is by an operator of type T, which then
// proves both.
func fused[T quantize.Op](c *compiler, id quantize.ID) bool {
	if c.only[id] < 0 {
		return false
	}
	_, ok := c.program.Nodes[c.only[id]].Op.(T)
	return ok
}

// node writes one node. Its operands are written already.
func (c *compiler) node(id quantize.ID) error {
	n := &c.program.Nodes[id]
	var out []gadget.Expr
	var err error
	switch op := n.Op.(type) {
	case quantize.Input:
		c.input(n, op.Bits, c.tensors[id])
		return nil
	case quantize.Param:
		c.input(n, op.Bits, c.tensors[id])
		return nil
	case quantize.Const:
		out = constants(op.Values)
	case quantize.Rewire:
		out = c.rewire(n, op)
	case quantize.Linear:
		out = c.linear(n, op)
	case quantize.MatMul:
		out = c.matmul(n)
	case quantize.Mul:
		out = c.mul(n)
	case quantize.Add:
		out = c.add(n, op)
	case quantize.Rescale:
		out = c.rescale(id, n, op)
	case quantize.Lookup:
		out = c.lookup(n, op)
	case quantize.Max:
		out = c.max(id, n)
	case quantize.Threshold:
		out = c.threshold(n, op)
	case quantize.Div:
		out = c.div(n, op)
	case quantize.ArgMax:
		out = c.argMax(n, op)
	default:
		err = fmt.Errorf("operator %T is unknown", n.Op)
	}
	c.tensors[id] = out
	return err
}

// operand returns the i-th operand's expressions and interval.
func (c *compiler) operand(n *quantize.Node, i int) ([]gadget.Expr, gadget.Interval) {
	return c.tensors[n.Inputs[i]], c.interval(n.Inputs[i])
}

func (c *compiler) interval(id quantize.ID) gadget.Interval {
	n := &c.program.Nodes[id]
	return gadget.Interval{Lo: n.Lo, Hi: n.Hi}
}

// groups cuts a tensor into its rows along the last axis, of k elements each.
func groups(t []gadget.Expr, k int) [][]gadget.Expr {
	out := make([][]gadget.Expr, 0, len(t)/k)
	for i := 0; i < len(t); i += k {
		out = append(out, t[i:i+k])
	}
	return out
}
