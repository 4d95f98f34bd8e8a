package quantize

import (
	"fmt"
	"math"
	"math/bits"
	"reflect"
	"slices"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

// declared returns what settings declare for the next hidden weights, or nil if they
// leave it to the values.
func (l *lowering) declared() *ParamSettings {
	if l.s.HiddenWeights && len(l.params) < len(l.s.Params) {
		return &l.s.Params[len(l.params)]
	}
	return nil
}

// isArchitecture reports whether constants may be read off a program with hidden
// weights: those of sums, averages and the like, where one factor stands everywhere.
// Whoever compiles other weights for the same program has to make the same decision.
func (l *lowering) isArchitecture(values []float64) bool {
	if !l.s.HiddenWeights {
		return true
	}
	if len(values) < 2 {
		return false
	}
	_, common := commonValue(values)
	return common
}

// hidden emits integers that stand for trained weights as a Param, for which it
// declares an interval of the given width, sign included. If settings declare one the
// integers have to fit, and a *FitError says which doesn't. The one value that is just
// above the interval becomes the greatest in it: it is the rounding of a number inside.
func (l *lowering) hidden(from graph.ID, q []int64, shape tensor.Shape, scale Scale, width int) (ID, error) {
	name := l.g.Nodes[from].Name
	if l.s.Params != nil {
		d := l.declared()
		if d == nil {
			return -1, &FitError{name, "no hidden weights are declared for it"}
		}
		if d.Exp != scale.Exp {
			return -1, &FitError{name, fmt.Sprintf("its unit would be 2^%d, and 2^%d is declared", -scale.Exp, -d.Exp)}
		}
		width = d.Bits
	}
	lo := -int64(1) << (width - 1)
	for i, v := range q {
		if v < lo || v > -lo {
			return -1, &FitError{name, fmt.Sprintf("element %d is %.4g, outside the declared [%.4g, %.4g]", i, scale.Real(v), scale.Real(lo), scale.Real(-lo-1))}
		}
		q[i] = min(v, -lo-1)
	}
	l.params = append(l.params, ParamSettings{Name: name, Bits: width, Exp: scale.Exp})
	return l.emit(Node{Op: Param{Name: name, Bits: width, Values: q}, Shape: shape, Lo: lo, Scale: scale, Name: name, Source: -1}, deviation{})
}

// leastWidth is the width that holds all values, but for a greatest one that is just
// above it.
func leastWidth(values []int64) int {
	width := 1
	for _, v := range values {
		if v != 0 {
			width = max(width, bits.Len64(absolute(v)-1)+1)
		}
	}
	return width
}

// factor emits a constant operand of a product or a sum at scale 2^-exp: a Const, or
// hidden weights of the given width, or of the width that they need if that is 0.
func (l *lowering) factor(source graph.ID, values []float64, shape tensor.Shape, exp, width int) (ID, error) {
	if l.isArchitecture(values) {
		return l.constant(source, values, shape, exp)
	}
	q := make([]int64, len(values))
	rest := make([]float64, len(values))
	for i, v := range values {
		q[i] = roundConstant(v, exp)
	}
	if width == 0 {
		width = leastWidth(q)
	}
	id, err := l.hidden(source, q, shape, PowerOfTwo(exp), width)
	if err != nil {
		return -1, err
	}
	for i, v := range values {
		rest[i] = v - math.Ldexp(float64(q[i]), -exp)
	}
	l.notes[id].constant = rest
	return id, nil
}

// notHidden names the constants of a program with hidden weights that aren't hidden
// although they differ from element to element.
func (l *lowering) notHidden() []string {
	var names []string
	if !l.s.HiddenWeights {
		return nil
	}
	for _, n := range l.b.Program.Nodes {
		if c, ok := n.Op.(Const); ok && slices.Min(c.Values) != slices.Max(c.Values) && !slices.Contains(names, n.Name) {
			names = append(names, n.Name)
		}
	}
	return names
}

// SameArchitecture returns nil if q is the program p with other hidden weights, so that
// the two have one digest, and else a *FitError that names a tensor in which they
// differ.
func (p *Program) SameArchitecture(q *Program) error {
	if p.Digest() == q.Digest() {
		return nil
	}
	for i := range min(len(p.Nodes), len(q.Nodes)) {
		a, b := &p.Nodes[i], &q.Nodes[i]
		x, err := encodeNode(a, false)
		if err != nil {
			return err
		}
		y, err := encodeNode(b, false)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(x, y) {
			return &FitError{b.Name, describeNode(a, b)}
		}
	}
	return &FitError{Reason: fmt.Sprintf("it has %d integer tensors and %d outputs, not %d and %d", len(q.Nodes), len(q.Outputs), len(p.Nodes), len(p.Outputs))}
}

// describeNode says in what node b differs from a.
func describeNode(a, b *Node) string {
	switch {
	case fmt.Sprintf("%T", a.Op) != fmt.Sprintf("%T", b.Op):
		return fmt.Sprintf("it is a %T, not a %T", b.Op, a.Op)
	case !a.Shape.Equal(b.Shape):
		return fmt.Sprintf("it has shape %v, not %v", b.Shape, a.Shape)
	case a.Scale != b.Scale:
		return fmt.Sprintf("it has unit %v, not %v", b.Scale, a.Scale)
	case a.Lo != b.Lo || a.Hi != b.Hi:
		return fmt.Sprintf("it lies in [%d, %d], not [%d, %d]", b.Lo, b.Hi, a.Lo, a.Hi)
	}
	return "it is computed otherwise, or from constants that aren't hidden"
}
