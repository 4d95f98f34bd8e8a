package quantize

import (
	"math"
	"math/bits"

	"github.com/zkml-go/zkml/graph"
)

// quotientBits bounds the operands of a division: wider ones are rescaled.
const quotientBits = 24

// MaxDividend is the largest that a dividend times 2^shift can be: the circuit works
// with its double in less than 62 bits.
const MaxDividend = 1 << 60

// div lowers a quotient. The divisor's interval must have one sign; a dividend of
// both signs is split into its positive and its negative part.
func (l *lowering) div(id graph.ID) (value, error) {
	n := &l.g.Nodes[id]
	a, b := l.values[n.Inputs[0]], l.values[n.Inputs[1]]
	if b.constant != nil {
		return l.divConstant(id, a, b)
	}
	t, err := l.tensor(id)
	if err != nil {
		return value{}, err
	}
	if b, err = l.operand(b); err != nil {
		return value{}, err
	}
	sign := int64(1)
	if node := l.b.Node(b.id); node.Lo < 0 {
		if node.Hi > 0 {
			return value{}, l.unsupported(id, "its divisor can have either sign: its interval is [%v, %v]", node.Scale.Real(node.Lo), node.Scale.Real(node.Hi))
		}
		sign = -1
	}
	divisor, err := l.positive(id, b, sign, 1)
	if err != nil {
		return value{}, err
	}
	eb := l.b.Node(divisor).Scale.Exp
	if a.constant != nil {
		k, err := l.constant(a.source, a.constant, n.Shape, exactExponent(a.constant, t.Bits+2))
		if err != nil {
			return value{}, err
		}
		a = unclamped(k, a.source)
	} else if a, err = l.operand(a); err != nil {
		return value{}, err
	}
	ea := l.b.Node(a.id).Scale.Exp
	shift := max(t.exponent()-ea+eb, 0)
	if shift+l.reach(a.id) > 60 { // it stays below MaxDividend
		return value{}, l.unsupported(id, "the quotient of scales 2^-%d and 2^-%d is too wide", ea, eb)
	}
	scale := PowerOfTwo(shift + ea - eb)
	quotient := func(side int64) (ID, error) {
		part, err := l.positive(id, a, side, 0)
		if err != nil {
			return -1, err
		}
		return l.emit(Node{Op: Div{Shift: uint(shift)}, Inputs: []ID{part, divisor}, Scale: scale, Name: n.Name, Source: -1}, deviation{})
	}
	node := *l.b.Node(a.id)
	var parts []ID
	var sum Add
	if node.Hi > 0 || node.Lo == 0 {
		y, err := quotient(1)
		if err != nil {
			return value{}, err
		}
		parts, sum.Coeffs = append(parts, y), append(sum.Coeffs, sign)
	}
	if node.Lo < 0 {
		y, err := quotient(-1)
		if err != nil {
			return value{}, err
		}
		parts, sum.Coeffs = append(parts, y), append(sum.Coeffs, -sign)
	}
	if len(parts) == 1 && sum.Coeffs[0] == 1 {
		l.b.Node(parts[0]).Source = id
		return unclamped(parts[0], id), nil
	}
	y, err := l.emit(Node{Op: sum, Inputs: parts, Scale: scale, Name: n.Name, Source: id}, deviation{})
	return unclamped(y, id), err
}

// operand makes a dividend or divisor have a power of two as its scale and a width
// that a division can afford.
func (l *lowering) operand(v value) (value, error) {
	v, err := l.even(v)
	if err != nil || l.width(v.id) <= quotientBits {
		return v, err
	}
	return l.narrow(v)
}

// positive returns max(sign·v, least), without a node where v is so already.
func (l *lowering) positive(id graph.ID, v value, sign, least int64) (ID, error) {
	node := *l.b.Node(v.id)
	x := v.id
	name := l.g.Nodes[id].Name
	var err error
	if sign < 0 {
		if x, err = l.emit(Node{Op: Add{Coeffs: []int64{-1}}, Inputs: []ID{x}, Scale: node.Scale, Name: name, Source: -1}, deviation{}); err != nil {
			return -1, err
		}
		node = *l.b.Node(x)
	}
	if node.Lo >= least {
		return x, nil
	}
	op := Rescale{Multiplier: 1, Min: least, Max: max(node.Hi, least)}
	note := deviation{clampLo: node.Scale.Real(least), clampHi: math.Inf(1)}
	if least > 0 {
		note.clampLo, note.saturatesLo = math.Inf(-1), true
	}
	return l.emit(Node{Op: op, Inputs: []ID{x}, Scale: node.Scale, Name: name, Source: -1}, note)
}

// divConstant is a product with the reciprocals.
func (l *lowering) divConstant(id graph.ID, a, b value) (value, error) {
	reciprocals := make([]float64, len(b.constant))
	for i, v := range b.constant {
		if v == 0 {
			return value{}, l.unsupported(id, "its divisor is zero")
		}
		reciprocals[i] = 1 / v
	}
	if c, ok := commonValue(b.constant); ok {
		// x / n has the scale of x over n, exactly, if n is short.
		if s, ok := rational(c); ok && bits.Len64(s.Num) <= 24 {
			if total, ok := l.b.Node(a.id).Scale.times(Scale{Num: s.Den, Den: s.Num, Exp: -s.Exp}); ok {
				return l.scaled(id, a, total, 1/c)
			}
		}
	}
	return l.mulConstant(id, a, value{source: b.source, constant: reciprocals})
}
