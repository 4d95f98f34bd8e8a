package quantize

import (
	"math"
	"math/bits"

	"github.com/zkml-go/zkml/graph"
)

// width is the number of bits of a node's interval.
func (l *lowering) width(id ID) int {
	n := l.b.Node(id)
	return bits.Len64(uint64(n.Hi) - uint64(n.Lo))
}

// reach is the number of bits of the largest magnitude.
func (l *lowering) reach(id ID) int {
	n := l.b.Node(id)
	return bits.Len64(max(absolute(n.Lo), absolute(n.Hi)))
}

// ceilLog2 is the least k with v <= 2^k, for v > 0.
func ceilLog2(v float64) int {
	f, k := math.Frexp(v)
	if f == 0.5 {
		k--
	}
	return k
}

// settings of a float tensor; a node that calibration didn't list has the range of
// what it comes from and is an error of the settings.
func (l *lowering) tensor(id graph.ID) (TensorSettings, error) {
	t, ok := l.tensors[id]
	if !ok {
		return t, l.unsupported(id, "the settings have no range for it")
	}
	l.used[id] = true
	return t, nil
}

// exponent is the scale's exponent at which a tensor's range has its bits.
func (t TensorSettings) exponent() int {
	span := max(t.Hi, 0) - min(t.Lo, 0)
	if span == 0 {
		return t.Bits
	}
	return t.Bits - ceilLog2(span)
}

// narrow returns v rescaled to the width that its settings give, with its clamp
// applied. What is narrow already is left alone.
//
// The rescale clamps, beyond the pending clamp, only if the proven range would
// not fit a table: then to the calibrated range with its margin.
func (l *lowering) narrow(v value) (value, error) { return l.shrink(v, false) }

// shrink is narrow; with even, the result's scale is a power of two.
func (l *lowering) shrink(v value, even bool) (value, error) {
	if v.constant != nil {
		return v, nil
	}
	t, err := l.tensor(v.source)
	if err != nil {
		return v, err
	}
	node := *l.b.Node(v.id)
	if _, ok := node.Op.(Input); ok && !v.pending() && !even {
		return v, nil
	}
	op := l.rescaleTo(v.id, max(min(t.exponent(), node.Scale.Exp+scaleSlack(node.Scale)), -60), t.Bits)
	exp := op.exp
	if op.Shift == 0 && op.Multiplier == 1 {
		if !v.pending() && l.width(v.id) <= l.s.TableBits {
			return v, nil
		}
	} else if !v.pending() && l.width(v.id) <= t.Bits+2 && (node.Scale.dyadic() || !even) {
		return v, nil
	}
	l.limit(&op.Rescale, &op.note, v, node, t, exp)
	return l.rescaled(v, op)
}

// scaleSlack is how many bits finer than its exponent a scale with an odd part is.
func scaleSlack(s Scale) int {
	if s.dyadic() {
		return 0
	}
	_, k := math.Frexp(float64(s.Num) / float64(s.Den))
	return 1 - k
}

// rescaling is a Rescale in the making: its result's exponent and what the error
// analysis must know.
type rescaling struct {
	Rescale
	exp  int
	note deviation
}

// rescaleTo returns the rescale of a tensor to 2^-exp, unclamped. It never makes a
// dyadic scale finer: then the exponent stays. A multiplier that stands for an odd
// factor is three bits more precise than the result's width, if it fits.
func (l *lowering) rescaleTo(id ID, exp, width int) rescaling {
	s := l.b.Node(id).Scale
	r := rescaling{Rescale: Rescale{Multiplier: 1, Min: -MaxMagnitude + 1, Max: MaxMagnitude - 1}, exp: exp}
	if s.dyadic() {
		if s.Exp <= exp {
			r.exp = s.Exp
			return r
		}
		r.Shift = uint(min(s.Exp-exp, 62))
		r.exp = s.Exp - int(r.Shift)
		return r
	}
	// factor = Num/Den · 2^(exp - s.Exp) ≈ m / 2^shift.
	odd := float64(s.Num) / float64(s.Den)
	_, k := math.Frexp(odd)
	shift := max(min(width+3, 61-l.reach(id)), 1) - k - (exp - s.Exp)
	if shift < 0 {
		shift = 0
	}
	if shift > 62 {
		shift = 62
	}
	r.Shift = uint(shift)
	r.Multiplier = max(1, int64(math.RoundToEven(math.Ldexp(odd, exp-s.Exp+shift))))
	for r.Shift > 0 && r.Multiplier&1 == 0 {
		r.Multiplier >>= 1
		r.Shift--
	}
	r.note.factor = true
	return r
}

// limit sets the clamp of a rescale: the pending one, and a saturation where the
// proven range is wider than a table.
func (l *lowering) limit(op *Rescale, note *deviation, v value, node Node, t TensorSettings, exp int) {
	scale := PowerOfTwo(exp)
	proven := [2]int64{op.round(node.Lo), op.round(node.Hi)}
	op.Min, op.Max = proven[0], proven[1]
	note.clampLo, note.clampHi = v.lo, v.hi
	if q, ok := scale.Quantize(v.lo); ok {
		op.Min = max(op.Min, q)
		op.Max = max(op.Max, op.Min)
	}
	if q, ok := scale.Quantize(v.hi); ok {
		op.Max = min(op.Max, q)
		op.Min = min(op.Min, op.Max)
	}
	if uint64(op.Max)-uint64(op.Min) < 1<<l.s.TableBits {
		return
	}
	lo, hi := t.calibrated(l.s.Margin, exp)
	if lo > op.Min {
		op.Min, note.saturatesLo = lo, true
	}
	if hi < op.Max {
		op.Max, note.saturatesHi = hi, true
	}
	op.Max = max(op.Max, op.Min)
}

// calibrated returns a calibrated range with its margin, moved outward to -2^j and
// 2^k - 1, where a range check ends naturally. It contains 0.
func (t TensorSettings) calibrated(margin float64, exp int) (lo, hi int64) {
	bound := func(v float64) int64 {
		v = math.Ldexp(float64(v*(1+margin)), exp)
		if v <= 0 {
			return 0
		}
		return 1 << min(max(ceilLog2(v), 0), 60)
	}
	lo = -bound(-t.Lo)
	if hi = bound(t.Hi); hi > 0 {
		hi--
	}
	return lo, hi
}

// rescaled emits a rescale of v, unless the same exists, and returns its result.
func (l *lowering) rescaled(v value, op rescaling) (value, error) {
	key := narrowKey{v.id, op.Rescale}
	if id, ok := l.narrowed[key]; ok {
		return unclamped(id, v.source), nil
	}
	node := *l.b.Node(v.id)
	source := graph.ID(-1)
	if l.shape(v.source).Equal(node.Shape) && op.note.flat == [2]bool{} {
		source = v.source
	}
	scale := node.Scale
	if op.Shift != 0 || op.Multiplier != 1 {
		scale = PowerOfTwo(op.exp)
	}
	if op.note.clampLo == 0 && op.note.clampHi == 0 {
		op.note.clampLo, op.note.clampHi = v.lo, v.hi
	}
	id, err := l.emit(Node{Op: op.Rescale, Inputs: []ID{v.id}, Scale: scale, Name: l.g.Nodes[v.source].Name, Source: source}, op.note)
	if err != nil {
		return v, err
	}
	l.narrowed[key] = id
	return unclamped(id, v.source), nil
}

// settle applies a pending clamp and returns a tensor that stands for the value
// itself; it rescales on the way, since the clamp has its price already.
func (l *lowering) settle(v value) (value, error) {
	if v.constant == nil && v.pending() {
		return l.narrow(v)
	}
	return v, nil
}

// even is settle with a result whose scale is a power of two.
func (l *lowering) even(v value) (value, error) {
	if v.constant == nil && (v.pending() || !l.b.Node(v.id).Scale.dyadic()) {
		return l.shrink(v, true)
	}
	return v, nil
}

// dyadic reports whether the scale is a power of two.
func (s Scale) dyadic() bool { return s.Num == s.Den }
