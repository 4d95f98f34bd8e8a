package quantize

import (
	"slices"

	"github.com/zkml-go/zkml/tensor"
)

// Repeat returns the program of n inferences: every input and output has a leading axis
// of n, along which lie the tensors of one inference each. Integers are those of n runs of
// p, bit by bit, and so are the intervals. Constants and hidden weights are not repeated:
// all inferences share them, and a digest of the weights is that of p's. Nodes stand for
// no tensor of the float graph, which has one inference. Errors are of type *InvalidError.
func (p *Program) Repeat(n int) (*Program, error) {
	r, err := p.repeat(n)
	if err != nil {
		return nil, err
	}
	return r.b.Program, nil
}

// repetition is the state of Repeat.
type repetition struct {
	p       *Program
	b       *Builder
	n       int
	ids     []ID   // of p's nodes in the new program
	batched []bool // whether the new node has the leading axis
	size    int    // elements of those nodes, and of shared ones that were copied, in one inference
}

// repeat is Repeat, whose program the caller may go on with.
func (p *Program) repeat(n int) (*repetition, error) {
	if n < 1 {
		return nil, p.invalidf(-1, "%d inferences", n)
	}
	r := &repetition{p: p, b: NewBuilder(), n: n, ids: make([]ID, len(p.Nodes)), batched: make([]bool, len(p.Nodes))}
	for id := range p.Nodes {
		if err := r.node(ID(id)); err != nil {
			return nil, err
		}
	}
	// The builder lists inputs as they come; what counts is the model's order.
	for i, id := range p.Inputs {
		r.b.Program.Inputs[i] = r.ids[id]
	}
	for _, out := range p.Outputs {
		id, err := r.operand(out.ID)
		if err != nil {
			return nil, err
		}
		r.b.Program.Outputs = append(r.b.Program.Outputs, Output{out.Name, id, out.Labels})
	}
	return r, nil
}

// node appends the repeated form of a node.
func (r *repetition) node(id ID) (err error) {
	n := r.p.Nodes[id]
	_, enters := n.Op.(Input)
	r.batched[id] = enters || slices.ContainsFunc(n.Inputs, func(in ID) bool { return r.batched[in] })
	if !r.batched[id] {
		n.Inputs = slices.Clone(n.Inputs)
		for i, in := range n.Inputs {
			n.Inputs[i] = r.ids[in]
		}
		r.ids[id], err = r.append(n)
		return err
	}
	if err := r.count(id); err != nil {
		return err
	}
	switch op := n.Op.(type) {
	case Rewire:
		r.ids[id], err = r.rewire(n, op)
	case Linear:
		// The batch is the first axis already; weights and bias are shared.
		r.ids[id], err = r.merged(n, 1)
	case MatMul:
		r.ids[id], err = r.merged(n, 2)
	default:
		n.Inputs = slices.Clone(n.Inputs)
		for i, in := range n.Inputs {
			if n.Inputs[i], err = r.operand(in); err != nil {
				return err
			}
		}
		n.Shape = r.leading(n.Shape)
		r.ids[id], err = r.append(n)
	}
	return err
}

// count adds a tensor to those that every inference has one of, and refuses too many
// before anything of their size is made.
func (r *repetition) count(id ID) error {
	if r.size += r.p.Nodes[id].Shape.Size(); r.size > MaxElements/r.n {
		return r.p.invalidf(id, "%d inferences have more than %d elements", r.n, MaxElements)
	}
	return nil
}

// append adds a node with the name and the unit of the one that it repeats.
func (r *repetition) append(n Node) (ID, error) {
	n.Source = -1
	return r.b.Append(n)
}

// leading is a shape behind an axis of n.
func (r *repetition) leading(s tensor.Shape) tensor.Shape {
	return append(tensor.Shape{r.n}, s...)
}

// reshape gives a tensor another shape.
func (r *repetition) reshape(id ID, s tensor.Shape) (ID, error) {
	n := r.b.Node(id)
	return r.append(Node{Op: Rewire{}, Inputs: []ID{id}, Shape: s, Scale: n.Scale, Name: n.Name})
}

// operand returns the repeated form of a tensor: if all inferences share it, as many
// copies of it as there are inferences.
func (r *repetition) operand(id ID) (ID, error) {
	if r.batched[id] {
		return r.ids[id], nil
	}
	if err := r.count(id); err != nil {
		return -1, err
	}
	n := &r.p.Nodes[id]
	index := make([]int32, 0, r.n*n.Shape.Size())
	for range r.n {
		for k := range n.Shape.Size() {
			index = append(index, int32(k))
		}
	}
	return r.append(Node{Op: Rewire{Index: index}, Inputs: []ID{r.ids[id]}, Shape: r.leading(n.Shape), Scale: n.Scale, Name: n.Name})
}

// merged appends an operator whose first operands have a batch axis of their own, which
// the leading axis is multiplied into.
func (r *repetition) merged(n Node, operands int) (ID, error) {
	inputs := make([]ID, len(n.Inputs))
	for i, in := range n.Inputs {
		if i >= operands {
			inputs[i] = r.ids[in]
			continue
		}
		id, err := r.operand(in)
		if err != nil {
			return -1, err
		}
		s := r.p.Nodes[in].Shape.Clone()
		s[0] *= r.n
		if inputs[i], err = r.reshape(id, s); err != nil {
			return -1, err
		}
	}
	shape := n.Shape
	n.Inputs = inputs
	id, err := r.append(n)
	if err != nil {
		return -1, err
	}
	return r.reshape(id, r.leading(shape))
}

// rewire appends an index map. Operands that all inferences share keep their place.
func (r *repetition) rewire(n Node, op Rewire) (ID, error) {
	shape := r.leading(n.Shape)
	if op.Index == nil {
		n.Inputs, n.Shape = []ID{r.ids[n.Inputs[0]]}, shape
		return r.append(n)
	}
	// Element k of the operands laid end to end is element first[k] of the repeated ones in
	// the first inference, and lies step[k] further in each that follows.
	var first, step []int
	total := 0
	inputs := make([]ID, len(n.Inputs))
	for i, in := range n.Inputs {
		inputs[i] = r.ids[in]
		size := r.p.Nodes[in].Shape.Size()
		stride, copies := 0, 1
		if r.batched[in] {
			stride, copies = size, r.n
		}
		for k := range size {
			first, step = append(first, total+k), append(step, stride)
		}
		total += size * copies
	}
	index := make([]int32, 0, shape.Size())
	for i := range r.n {
		for _, k := range op.Index {
			if k >= 0 {
				k = int32(first[k] + i*step[k])
			}
			index = append(index, k)
		}
	}
	n.Op, n.Inputs, n.Shape = Rewire{Index: index, Fill: op.Fill}, inputs, shape
	return r.append(n)
}
