package quantize

import (
	"math"
	"math/bits"
	"slices"

	"github.com/zkml-go/zkml/graph"
)

// divIntegers lowers the quotient of whole numbers by constants, rounded toward zero,
// exactly:
//
//	trunc(x/c) = floor(max(x, 0)/c) − floor(max(−x, 0)/c),   c > 0,
//
// where the half-up quotient of a + ceil(c/2) is floor(a/c) + 1. Negative constants
// turn the sign of x.
func (l *lowering) divIntegers(id graph.ID) (value, error) {
	n := &l.g.Nodes[id]
	b := l.values[n.Inputs[1]].constant
	if len(b) == 0 {
		return value{}, l.unsupported(id, "it has no constant divisor")
	}
	if !l.isArchitecture(b) {
		return value{}, l.unsupported(id, "its divisors count as weights, and divisors can't be hidden")
	}
	signs, divisors, offsets := make([]int64, len(b)), make([]int64, len(b)), make([]int64, len(b))
	for i, v := range b {
		if v == 0 || v != math.Trunc(v) || math.Abs(v) > maxConstant {
			return value{}, l.unsupported(id, "its divisor %v is not a whole number of magnitude 1 to 2^40", v)
		}
		c := int64(math.Abs(v))
		signs[i], divisors[i], offsets[i] = int64(math.Copysign(1, v)), c, c-c/2
	}
	constant := func(q []int64) (ID, error) {
		return l.emit(Node{Op: Const{Values: q}, Shape: n.Shape, Name: n.Name, Source: -1}, deviation{})
	}
	node := func(op Op, source graph.ID, note deviation, in ...ID) (ID, error) {
		return l.emit(Node{Op: op, Inputs: in, Scale: PowerOfTwo(0), Name: n.Name, Source: source}, note)
	}
	x, err := l.whole(id, l.values[n.Inputs[0]])
	if err != nil {
		return value{}, err
	}
	if slices.Min(signs) < 0 {
		sign, err := constant(signs)
		if err != nil {
			return value{}, err
		}
		if x, err = node(Mul{}, -1, deviation{}, x, sign); err != nil {
			return value{}, err
		}
	}
	divisor, err := constant(divisors)
	if err != nil {
		return value{}, err
	}
	offset, err := constant(offsets)
	if err != nil {
		return value{}, err
	}
	// next returns floor(max(side·x, 0)/c) + 1.
	next := func(side int64) (ID, error) {
		a, err := l.positive(id, unclamped(x, id), side, 0)
		if err != nil {
			return -1, err
		}
		if a, err = node(Add{Coeffs: []int64{1, 1}}, -1, deviation{}, a, offset); err != nil {
			return -1, err
		}
		return node(Div{}, -1, deviation{floors: true}, a, divisor)
	}
	in := *l.b.Node(x)
	var parts []ID
	var sum Add
	for _, side := range []int64{1, -1} {
		if side > 0 && in.Hi < 0 || side < 0 && in.Lo >= 0 {
			continue
		}
		y, err := next(side)
		if err != nil {
			return value{}, err
		}
		parts, sum.Coeffs = append(parts, y), append(sum.Coeffs, side)
		sum.Const -= side
	}
	y, err := node(sum, id, deviation{}, parts...)
	return unclamped(y, id), err
}

// whole returns the whole numbers that v stands for as integers of scale 1, with its
// clamp applied. A finer scale is rounded off.
func (l *lowering) whole(id graph.ID, v value) (ID, error) {
	node := *l.b.Node(v.id)
	s := node.Scale
	coarse := max(-s.Exp, 0)
	if s.Den != 1 || s.Num != 1 && s.Exp > 0 || s.Exp > rawBits || l.reach(v.id)+bits.Len64(s.Num)+coarse > rawBits {
		return -1, l.unsupported(id, "its dividend, integers from %d to %d of scale %v, does not give whole numbers of at most %d bits", node.Lo, node.Hi, s, rawBits)
	}
	if factor := int64(s.Num) << coarse; factor != 1 {
		var err error
		if v.id, err = l.emit(Node{Op: Add{Coeffs: []int64{factor}}, Inputs: []ID{v.id}, Scale: PowerOfTwo(0), Name: node.Name, Source: -1}, deviation{}); err != nil {
			return -1, err
		}
		node = *l.b.Node(v.id)
	}
	r := rescaling{Rescale: Rescale{Multiplier: 1, Shift: uint(max(s.Exp, 0))}, note: deviation{clampLo: v.lo, clampHi: v.hi}}
	r.Min, r.Max = r.round(node.Lo), r.round(node.Hi)
	if q, ok := PowerOfTwo(0).Quantize(v.lo); ok {
		r.Min = max(r.Min, q)
		r.Max = max(r.Max, r.Min)
	}
	if q, ok := PowerOfTwo(0).Quantize(v.hi); ok {
		r.Max = min(r.Max, q)
		r.Min = min(r.Min, r.Max)
	}
	if r.Shift == 0 && r.Min == node.Lo && r.Max == node.Hi {
		return v.id, nil
	}
	y, err := l.rescaled(v, r)
	return y.id, err
}
