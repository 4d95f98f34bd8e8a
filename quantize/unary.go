package quantize

import (
	"math"

	"github.com/zkml-go/zkml/graph"
)

// unary notes ReLU and Clip as pending clamps and makes a lookup of every other
// function.
func (l *lowering) unary(id graph.ID, op graph.Unary) (value, error) {
	n := &l.g.Nodes[id]
	x := l.values[n.Inputs[0]]
	switch op.Func {
	case graph.Relu:
		return l.clip(id, x, 0, math.Inf(1)), nil
	case graph.Clip:
		return l.clip(id, x, op.Alpha, op.Beta), nil
	}
	t, err := l.tensor(id)
	if err != nil {
		return value{}, err
	}
	exp := t.exponent()
	if op.Func == graph.Abs || op.Func == graph.LeakyRelu {
		// What is linear on either side needs no finer result than its operand.
		from, err := l.tensor(x.source)
		if err != nil {
			return value{}, err
		}
		exp = max(exp, from.exponent())
	}
	x, tail, err := l.domain(x, op, exp)
	if err != nil {
		return value{}, err
	}
	return l.lookup(id, x, op, tail, exp)
}

// clip adds a pending clamp; one that the proven interval makes idle is dropped.
func (l *lowering) clip(id graph.ID, x value, lo, hi float64) value {
	// Clamping to [x.lo, x.hi] and then to [lo, hi] is one clamp.
	y := value{id: x.id, source: id, lo: min(max(x.lo, lo), hi), hi: max(min(x.hi, hi), lo)}
	node := l.b.Node(x.id)
	if node.Scale.Real(node.Lo) >= y.lo {
		y.lo = math.Inf(-1)
	}
	if node.Scale.Real(node.Hi) <= y.hi {
		y.hi = math.Inf(1)
	}
	return y
}

// flat returns the real bounds beyond which a function stays within 2^-(exp+2) of
// its limit; infinite where it has none.
func flat(op graph.Unary, exp int) (lo, hi float64) {
	lo, hi = math.Inf(-1), math.Inf(1)
	// e^-reach < 2^-(exp+2), ln 2 < 0.7.
	reach := math.Ceil(0.7 * float64(max(exp+2, 1)))
	switch op.Func {
	case graph.Sigmoid:
		return -reach, reach
	case graph.Tanh, graph.Erf:
		return -(reach + 1) / 2, (reach + 1) / 2
	case graph.Exp, graph.Softplus:
		return -reach, hi
	case graph.Gelu, graph.GeluTanh:
		return -max(4, (reach+3)/2), hi
	case graph.Elu:
		return -reach - math.Max(0, math.Ceil(math.Abs(op.Alpha))), hi
	case graph.HardSwish:
		return -3, hi
	case graph.HardSigmoid:
		if op.Alpha != 0 {
			a, b := -op.Beta/op.Alpha, (1-op.Beta)/op.Alpha
			return min(a, b), max(a, b)
		}
	}
	return lo, hi
}

// domain narrows the operand of a lookup. It is clamped where the function is flat,
// for nothing; beyond that only if the table would have more than 2^TableBits
// entries: then to the calibrated range. tail reports which ends are flat.
func (l *lowering) domain(x value, op graph.Unary, exp int) (value, [2]bool, error) {
	var tail [2]bool
	t, err := l.tensor(x.source)
	if err != nil {
		return x, tail, err
	}
	node := *l.b.Node(x.id)
	lo, hi := flat(op, exp)
	r := l.rescaleTo(x.id, min(t.exponent(), node.Scale.Exp+scaleSlack(node.Scale)), t.Bits)
	scale := PowerOfTwo(r.exp)
	if r.Shift == 0 && r.Multiplier == 1 {
		scale = node.Scale
	}
	r.Min, r.Max = r.round(node.Lo), r.round(node.Hi)
	r.note.clampLo, r.note.clampHi = x.lo, x.hi
	bound := func(v float64, lower bool) {
		q, ok := scale.Quantize(v)
		if !ok {
			return
		}
		if lower {
			r.Min = max(r.Min, q)
			r.Max = max(r.Max, r.Min)
		} else {
			r.Max = min(r.Max, q)
			r.Min = min(r.Min, r.Max)
		}
	}
	bound(x.lo, true)
	bound(x.hi, false)
	if q, ok := scale.Quantize(math.Floor(lo)); ok && q > r.Min {
		r.Min, tail[0] = min(q, r.Max), true
		r.note.clampLo = math.Inf(-1)
	}
	if q, ok := scale.Quantize(math.Ceil(hi)); ok && q < r.Max {
		r.Max, tail[1] = max(q, r.Min), true
		r.note.clampHi = math.Inf(1)
	}
	if uint64(r.Max)-uint64(r.Min) >= 1<<l.s.TableBits {
		if q, ok := scale.Quantize(float64(t.Lo * (1 + l.s.Margin))); ok && min(q, 0) > r.Min {
			r.Min, tail[0], r.note.saturatesLo = min(q, 0), false, true
		}
		if q, ok := scale.Quantize(float64(t.Hi * (1 + l.s.Margin))); ok && max(q, 0) < r.Max {
			r.Max, tail[1], r.note.saturatesHi = max(q, 0), false, true
		}
	}
	if r.Shift == 0 && r.Multiplier == 1 && r.Min <= node.Lo && r.Max >= node.Hi {
		return x, [2]bool{}, nil
	}
	r.note.flat = tail
	y, err := l.rescaled(x, r)
	return y, tail, err
}

// lookup emits the table of a function over the operand's interval, rounded to
// 2^-exp.
func (l *lowering) lookup(id graph.ID, x value, op graph.Unary, tail [2]bool, exp int) (value, error) {
	n := &l.g.Nodes[id]
	node := *l.b.Node(x.id)
	if uint64(node.Hi)-uint64(node.Lo) >= MaxTable {
		return value{}, l.unsupported(id, "its domain has more than %d values", MaxTable)
	}
	table := make([]int64, node.Hi-node.Lo+1)
	for i := range table {
		y := op.Eval(node.Scale.Real(node.Lo + int64(i)))
		q, ok := PowerOfTwo(exp).Quantize(y)
		if !ok || absolute(q) >= 1<<rawBits {
			return value{}, l.unsupported(id, "%s of %v is %v", op.Func, node.Scale.Real(node.Lo+int64(i)), y)
		}
		table[i] = q
	}
	y, err := l.emit(Node{Op: Lookup{Func: string(op.Func), Min: node.Lo, Table: table}, Inputs: []ID{x.id}, Scale: PowerOfTwo(exp), Name: n.Name, Source: id}, deviation{function: &op, flat: tail})
	return unclamped(y, id), err
}
