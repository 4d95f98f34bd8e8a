package quantize

import (
	"math"
	"math/big"

	"github.com/zkml-go/zkml/graph"
)

// add brings its operands to the finest scale among them by powers of two; raw
// accumulators stay raw.
func (l *lowering) add(id graph.ID, op graph.Add) (value, error) {
	n := &l.g.Nodes[id]
	var operands []value
	var signs []int64
	constant := make([]float64, n.Shape.Size())
	found := false
	for i, in := range n.Inputs {
		v := l.values[in]
		if v.constant != nil {
			found = true
			for k, c := range v.constant {
				constant[k] += float64(c * float64(op.Coeffs[i]))
			}
			continue
		}
		v, err := l.even(v)
		if err != nil {
			return value{}, err
		}
		operands, signs = append(operands, v), append(signs, int64(op.Coeffs[i]))
	}
	if found && allZero(constant) {
		found = false
	}
	var extra []float64
	if found {
		extra = constant
	}
	exp, err := l.commonExponent(id, operands, extra)
	if err != nil {
		return value{}, err
	}
	sum := Add{}
	in := make([]ID, 0, len(operands)+1)
	for i, v := range operands {
		in = append(in, v.id)
		sum.Coeffs = append(sum.Coeffs, signs[i]<<(exp-l.b.Node(v.id).Scale.Exp))
	}
	note := deviation{}
	if found {
		if c, ok := commonValue(constant); ok {
			sum.Const = roundConstant(c, exp)
			note.addend = c - math.Ldexp(float64(sum.Const), -exp)
		} else {
			k, err := l.constant(id, constant, n.Shape, exp)
			if err != nil {
				return value{}, err
			}
			l.b.Node(k).Source = -1
			in, sum.Coeffs = append(in, k), append(sum.Coeffs, 1)
		}
	}
	y, err := l.emit(Node{Op: sum, Inputs: in, Scale: PowerOfTwo(exp), Name: n.Name, Source: id}, note)
	return unclamped(y, id), err
}

// mul lowers a product. A constant factor is a change of scale, or a constant
// tensor; computed factors stay raw as long as the product is not too wide.
func (l *lowering) mul(id graph.ID) (value, error) {
	n := &l.g.Nodes[id]
	x, y := l.values[n.Inputs[0]], l.values[n.Inputs[1]]
	if x.constant != nil {
		x, y = y, x
	}
	if y.constant != nil {
		return l.mulConstant(id, x, y)
	}
	var err error
	if x, err = l.settle(x); err != nil {
		return value{}, err
	}
	if y, err = l.settle(y); err != nil {
		return value{}, err
	}
	square := x.id == y.id
	if l.reach(x.id)+l.reach(y.id) > rawBits-2 {
		if l.reach(x.id) < l.reach(y.id) {
			x, y = y, x
		}
		if x, err = l.narrow(x); err != nil {
			return value{}, err
		}
		if square {
			y = x
		} else if l.reach(x.id)+l.reach(y.id) > rawBits-2 {
			if y, err = l.narrow(y); err != nil {
				return value{}, err
			}
		}
	}
	scale, ok := l.b.Node(x.id).Scale.times(l.b.Node(y.id).Scale)
	if !ok {
		if x, err = l.even(x); err != nil {
			return value{}, err
		}
		if y, err = l.even(y); err != nil {
			return value{}, err
		}
		scale, _ = l.b.Node(x.id).Scale.times(l.b.Node(y.id).Scale)
	}
	z, err := l.emit(Node{Op: Mul{}, Inputs: []ID{x.id, y.id}, Scale: scale, Name: n.Name, Source: id}, deviation{})
	return unclamped(z, id), err
}

// mulConstant is x times a constant tensor.
func (l *lowering) mulConstant(id graph.ID, x, factor value) (value, error) {
	n := &l.g.Nodes[id]
	if c, ok := commonValue(factor.constant); ok {
		if s, ok := rational(c); ok {
			if total, ok := l.b.Node(x.id).Scale.times(s); ok {
				return l.scaled(id, x, total, c)
			}
		}
	}
	bound := l.weightBits(id)
	var err error
	if x.pending() || l.width(x.id)+bound > rawBits {
		if x, err = l.narrow(x); err != nil {
			return value{}, err
		}
	}
	k, err := l.constant(factor.source, factor.constant, n.Shape, weightExponent(factor.constant, bound, false))
	if err != nil {
		return value{}, err
	}
	scale, ok := l.b.Node(x.id).Scale.times(l.b.Node(k).Scale)
	if !ok {
		return value{}, l.unsupported(id, "its scale is out of range")
	}
	z, err := l.emit(Node{Op: Mul{}, Inputs: []ID{x.id, k}, Scale: scale, Name: n.Name, Source: id}, deviation{})
	return unclamped(z, id), err
}

// matmul narrows both factors.
func (l *lowering) matmul(id graph.ID) (value, error) {
	n := &l.g.Nodes[id]
	var factors [2]value
	for i, in := range n.Inputs {
		v := l.values[in]
		var err error
		if v.constant != nil {
			k, err := l.constant(in, v.constant, l.shape(in), weightExponent(v.constant, l.weightBits(id), false))
			if err != nil {
				return value{}, err
			}
			v = unclamped(k, in)
		} else if v, err = l.narrow(v); err != nil {
			return value{}, err
		}
		factors[i] = v
	}
	scale, ok := l.b.Node(factors[0].id).Scale.times(l.b.Node(factors[1].id).Scale)
	if !ok {
		return value{}, l.unsupported(id, "its scale is out of range")
	}
	z, err := l.emit(Node{Op: MatMul{}, Inputs: []ID{factors[0].id, factors[1].id}, Scale: scale, Name: n.Name, Source: id}, deviation{})
	return unclamped(z, id), err
}

// max commutes with everything that never decreases: it takes raw accumulators and
// leaves the pending clamp for the Rescale after it.
func (l *lowering) max(id graph.ID) (value, error) {
	n := &l.g.Nodes[id]
	x := l.values[n.Inputs[0]]
	source := id
	if x.pending() {
		source = -1
	}
	y, err := l.emit(Node{Op: Max{}, Inputs: []ID{x.id}, Scale: l.b.Node(x.id).Scale, Name: n.Name, Source: source}, deviation{})
	return value{id: y, source: id, lo: x.lo, hi: x.hi}, err
}

// decide lowers an ArgMax, on raw values: the widest there are.
func (l *lowering) decide(id graph.ID, op Op) (value, error) {
	n := &l.g.Nodes[id]
	x, err := l.settle(l.values[n.Inputs[0]])
	if err != nil {
		return value{}, err
	}
	y, err := l.emit(Node{Op: op, Inputs: []ID{x.id}, Name: n.Name, Source: id}, deviation{})
	return unclamped(y, id), err
}

// threshold compares raw values with the least integer that stands for T or more.
func (l *lowering) threshold(id graph.ID, op graph.Threshold) (value, error) {
	n := &l.g.Nodes[id]
	x, err := l.settle(l.values[n.Inputs[0]])
	if err != nil {
		return value{}, err
	}
	t := new(big.Rat)
	if t.SetFloat64(op.T) == nil {
		return value{}, l.unsupported(id, "the threshold is %v", op.T)
	}
	s := l.b.Node(x.id).Scale
	t.Mul(t, new(big.Rat).SetFrac(new(big.Int).SetUint64(s.Den), new(big.Int).SetUint64(s.Num)))
	power := new(big.Int).Lsh(big.NewInt(1), uint(max(s.Exp, -s.Exp)))
	if s.Exp >= 0 {
		t.Mul(t, new(big.Rat).SetInt(power))
	} else {
		t.Quo(t, new(big.Rat).SetInt(power))
	}
	// ceil(a/b) = -floor(-a/b); big.Int's Div is Euclidean.
	q := new(big.Int).Neg(new(big.Int).Div(new(big.Int).Neg(t.Num()), t.Denom()))
	bound := big.NewInt(MaxMagnitude - 1)
	if q.CmpAbs(bound) > 0 {
		q.Set(bound)
		if t.Sign() < 0 {
			q.Neg(q)
		}
	}
	return l.decide(id, Threshold{T: q.Int64()})
}
