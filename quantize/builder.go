package quantize

import "github.com/zkml-go/zkml/tensor"

// Builder makes a Program node by node and keeps the interval of every element,
// so that each node's interval is as tight as the interval arithmetic gives.
type Builder struct {
	Program *Program
	bounds  []bounds
}

// NewBuilder returns a Builder of an empty program.
func NewBuilder() *Builder { return &Builder{Program: &Program{}} }

// Append adds a node and returns its ID. Shape is needed for Input, Const, Param
// and Rewire and follows from the operands otherwise. For Input and Param, Lo and
// the operator's Bits give the interval; for all others it is computed. A scale
// of zero is taken as 1. Errors are of type *InvalidError; then nothing is added.
func (b *Builder) Append(node Node) (ID, error) {
	p := b.Program
	id := ID(len(p.Nodes))
	switch op := node.Op.(type) {
	case Input:
		node.Hi = node.Lo + (1<<min(op.Bits, MaxBits+1) - 1)
	case Param:
		node.Hi = node.Lo + (1<<min(op.Bits, MaxBits+1) - 1)
	default:
		node.Lo, node.Hi = 0, 0
	}
	if node.Scale == (Scale{}) {
		node.Scale = PowerOfTwo(0)
	}
	p.Nodes = append(p.Nodes, node)
	undo := func(err error) (ID, error) {
		p.Nodes = p.Nodes[:id]
		return -1, err
	}
	n := &p.Nodes[id]
	switch n.Op.(type) {
	case Input, Const, Param, Rewire:
	default:
		shapes := make([]tensor.Shape, len(n.Inputs))
		for i, in := range n.Inputs {
			if in < 0 || in >= id {
				return undo(p.invalidf(id, "operand %d is tensor %d, which does not come before it", i, in))
			}
			shapes[i] = p.Nodes[in].Shape
		}
		shape, err := p.resultShape(id, shapes)
		if err != nil {
			return undo(p.invalidf(id, "%v", err))
		}
		n.Shape = shape.Clone()
	}
	if _, err := p.checkNode(id); err != nil {
		return undo(err)
	}
	iv, err := p.intervals(id, func(in ID) bounds { return b.bounds[in] })
	if err != nil {
		return undo(err)
	}
	n.Lo, n.Hi = iv.hull()
	if n.Lo <= -MaxMagnitude || n.Hi >= MaxMagnitude {
		return undo(p.invalidf(id, errMagnitude))
	}
	b.bounds = append(b.bounds, iv)
	if _, ok := n.Op.(Input); ok {
		p.Inputs = append(p.Inputs, id)
	}
	return id, nil
}

// Node returns the node with the given ID, which the caller may annotate (Name,
// Source, Scale).
func (b *Builder) Node(id ID) *Node { return &b.Program.Nodes[id] }
