package quantize

import (
	"fmt"
	"slices"

	"github.com/zkml-go/zkml/tensor"
)

// The limits of a Program. They keep a hostile file from asking for unbounded
// memory or work.
const (
	MaxNodes    = 1 << 16
	MaxRank     = 16
	MaxTable    = 1 << 20 // entries of a Lookup
	MaxBits     = 60      // of an Input or a Param
	MaxWork     = 1 << 32 // multiplications of one run
	MaxElements = 1 << 25 // of all tensors together
)

// Validate checks that the program means something and that its intervals are
// sound: it recomputes each from the exact weights and the declared intervals of
// inputs and hidden weights, and wants the node's [Lo, Hi] to contain it. A nil
// result promises that no run can overflow, leave a lookup's domain or divide by
// zero. Errors are of type *InvalidError.
func (p *Program) Validate() error {
	_, err := p.analyze()
	return err
}

// analyze validates and returns the intervals of all elements.
func (p *Program) analyze() ([]bounds, error) {
	if len(p.Nodes) > MaxNodes {
		return nil, p.invalidf(-1, "%d tensors, the limit is %d", len(p.Nodes), MaxNodes)
	}
	if err := p.checkEnds(); err != nil {
		return nil, err
	}
	var elements, work int64
	all := make([]bounds, len(p.Nodes))
	for i := range p.Nodes {
		id, node := ID(i), &p.Nodes[i]
		w, err := p.checkNode(id)
		if err != nil {
			return nil, err
		}
		work += w
		elements += int64(node.Shape.Size())
		if elements > MaxElements || work > MaxWork {
			return nil, p.invalidf(id, "the program is too large: %d elements, %d multiplications so far", elements, work)
		}
		b, err := p.intervals(id, func(in ID) bounds { return all[in] })
		if err != nil {
			return nil, err
		}
		if lo, hi := b.hull(); lo < node.Lo || hi > node.Hi {
			return nil, p.invalidf(id, "declares [%d, %d] but can be in [%d, %d]", node.Lo, node.Hi, lo, hi)
		}
		all[i] = b
	}
	return all, nil
}

// checkEnds checks the lists of inputs and outputs.
func (p *Program) checkEnds() error {
	declared := map[ID]bool{}
	names := map[string]bool{}
	for _, id := range p.Inputs {
		if id < 0 || int(id) >= len(p.Nodes) {
			return p.invalidf(-1, "input %d does not exist", id)
		}
		in, ok := p.Nodes[id].Op.(Input)
		if !ok || declared[id] || names[in.Name] {
			return p.invalidf(id, "listed as an input twice or without being one")
		}
		declared[id], names[in.Name] = true, true
	}
	for i := range p.Nodes {
		if _, ok := p.Nodes[i].Op.(Input); ok && !declared[ID(i)] {
			return p.invalidf(ID(i), "an input that the program does not list")
		}
	}
	if len(p.Outputs) == 0 {
		return p.invalidf(-1, "no output")
	}
	for _, out := range p.Outputs {
		if out.ID < 0 || int(out.ID) >= len(p.Nodes) {
			return p.invalidf(-1, "output %q: tensor %d does not exist", out.Name, out.ID)
		}
	}
	return nil
}

// checkNode checks everything about a node that needs no interval and returns the
// number of its multiplications.
func (p *Program) checkNode(id ID) (work int64, err error) {
	node := &p.Nodes[id]
	fail := func(format string, args ...any) (int64, error) { return 0, p.invalidf(id, format, args...) }
	if err := node.Shape.Check(); err != nil {
		return fail("%v", err)
	}
	size := node.Shape.Size()
	if size == 0 || len(node.Shape) > MaxRank {
		return fail("shape %v", node.Shape)
	}
	if node.Lo > node.Hi || node.Lo <= -MaxMagnitude || node.Hi >= MaxMagnitude {
		return fail("interval [%d, %d]", node.Lo, node.Hi)
	}
	if s := node.Scale; s.Num == 0 || s.Den == 0 || s.Num > 1<<53 || s.Den > 1<<53 || s.Exp < -1024 || s.Exp > 1024 {
		return fail("scale %+v", node.Scale)
	}
	shapes := make([]tensor.Shape, len(node.Inputs))
	for i, in := range node.Inputs {
		if in < 0 || in >= id {
			return fail("operand %d is tensor %d, which does not come before it", i, in)
		}
		shapes[i] = p.Nodes[in].Shape
	}
	want, err := p.resultShape(id, shapes)
	if err != nil {
		return fail("%v", err)
	}
	if want != nil && !want.Equal(node.Shape) {
		return fail("shape %v where the operands give %v", node.Shape, want)
	}
	switch op := node.Op.(type) {
	case Linear:
		g, _ := newGeometry(op, shapes[0], shapes[1])
		return g.work(), nil
	case MatMul:
		return int64(size) * int64(shapes[0][2]), nil
	}
	return int64(size), nil
}

// resultShape checks a node's operator against the shapes of its operands and
// returns the shape of the result, or nil where any shape will do.
func (p *Program) resultShape(id ID, in []tensor.Shape) (tensor.Shape, error) {
	node := &p.Nodes[id]
	size := node.Shape.Size()
	arity := func(n int) error {
		if len(in) != n {
			return fmt.Errorf("%T with %d operands", node.Op, len(in))
		}
		return nil
	}
	switch op := node.Op.(type) {
	case Input:
		return nil, p.checkDeclared(node, op.Bits, arity(0))
	case Param:
		if op.Values != nil {
			if len(op.Values) != size {
				return nil, fmt.Errorf("%d values for shape %v", len(op.Values), node.Shape)
			}
			if slices.Min(op.Values) < node.Lo || slices.Max(op.Values) > node.Hi {
				return nil, fmt.Errorf("a value lies outside the declared interval [%d, %d]", node.Lo, node.Hi)
			}
		}
		return nil, p.checkDeclared(node, op.Bits, arity(0))
	case Const:
		if len(op.Values) != size {
			return nil, fmt.Errorf("%d values for shape %v", len(op.Values), node.Shape)
		}
		return nil, arity(0)
	case Rewire:
		return nil, op.check(node, in)
	case Linear:
		if len(in) != 2 && len(in) != 3 {
			return nil, arity(2)
		}
		g, err := newGeometry(op, in[0], in[1])
		if err != nil {
			return nil, err
		}
		if len(in) == 3 && !in[2].Equal(tensor.Shape{g.o}) {
			return nil, fmt.Errorf("bias of shape %v for %d channels", in[2], g.o)
		}
		for _, w := range node.Inputs[1:] {
			switch p.Nodes[w].Op.(type) {
			case Const, Param:
			default:
				return nil, fmt.Errorf("a linear map's coefficients are computed")
			}
		}
		return g.shape(), nil
	case MatMul:
		if err := arity(2); err != nil {
			return nil, err
		}
		if len(in[0]) != 3 || len(in[1]) != 3 || in[0][0] != in[1][0] || in[0][2] != in[1][1] {
			return nil, fmt.Errorf("product of %v and %v", in[0], in[1])
		}
		return tensor.Shape{in[0][0], in[0][1], in[1][2]}, nil
	case Mul:
		return sameShape(in, arity(2))
	case Div:
		if op.Shift > 60 {
			return nil, fmt.Errorf("shift %d", op.Shift)
		}
		return sameShape(in, arity(2))
	case Add:
		if len(op.Coeffs) != len(in) || len(in) == 0 {
			return nil, fmt.Errorf("%d coefficients for %d operands", len(op.Coeffs), len(in))
		}
		return sameShape(in, nil)
	case Rescale:
		if op.Multiplier < 1 || op.Shift > 62 || op.Min > op.Max || op.Rounding > HalfEven {
			return nil, fmt.Errorf("rescale %+v", op)
		}
		return sameShape(in, arity(1))
	case Lookup:
		if len(op.Table) == 0 || len(op.Table) > MaxTable || absolute(op.Min) >= MaxMagnitude {
			return nil, fmt.Errorf("table of %d entries at %d", len(op.Table), op.Min)
		}
		return sameShape(in, arity(1))
	case Threshold:
		return sameShape(in, arity(1))
	case Max, ArgMax:
		if err := arity(1); err != nil {
			return nil, err
		}
		if len(in[0]) == 0 {
			return nil, fmt.Errorf("%T of a scalar", op)
		}
		return in[0][:len(in[0])-1], nil
	}
	return nil, fmt.Errorf("unknown operator %T", node.Op)
}

// sameShape wants all operands to have one shape, which the result has too.
func sameShape(in []tensor.Shape, err error) (tensor.Shape, error) {
	if err != nil {
		return nil, err
	}
	for _, s := range in {
		if !s.Equal(in[0]) {
			return nil, fmt.Errorf("operands of shapes %v and %v", in[0], s)
		}
	}
	return in[0].Clone(), nil
}

// checkDeclared checks the interval of an Input or a Param.
func (p *Program) checkDeclared(node *Node, width int, err error) error {
	if err != nil {
		return err
	}
	if width < 1 || width > MaxBits || uint64(node.Hi)-uint64(node.Lo) != 1<<width-1 {
		return fmt.Errorf("interval [%d, %d] for %d bits", node.Lo, node.Hi, width)
	}
	return nil
}

// check checks an index map.
func (op Rewire) check(node *Node, in []tensor.Shape) error {
	total := 0
	for _, s := range in {
		total += s.Size()
	}
	size := node.Shape.Size()
	if len(in) == 0 || total > MaxElements {
		return fmt.Errorf("index map of %d operands", len(in))
	}
	if op.Index == nil {
		if len(in) != 1 || total != size {
			return fmt.Errorf("reshape of %v to %v", in[0], node.Shape)
		}
		return nil
	}
	if len(op.Index) != size {
		return fmt.Errorf("index map with %d entries for shape %v", len(op.Index), node.Shape)
	}
	for i, k := range op.Index {
		if k < -1 || int(k) >= total {
			return fmt.Errorf("entry %d of the index map is %d, of %d elements", i, k, total)
		}
	}
	if absolute(op.Fill) >= MaxMagnitude {
		return fmt.Errorf("fill of %d", op.Fill)
	}
	return nil
}
