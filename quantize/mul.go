package quantize

import "github.com/zkml-go/zkml/graph"

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
	if c, ok := commonValue(factor.constant); ok && l.isArchitecture(factor.constant) {
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
	exp := weightExponent(factor.constant, bound, l.s.HiddenWeights)
	if d := l.declared(); d != nil && !l.isArchitecture(factor.constant) {
		exp = d.Exp
	}
	k, err := l.factor(factor.source, factor.constant, n.Shape, exp, bound)
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
			exp := weightExponent(v.constant, l.weightBits(id), l.s.HiddenWeights)
			if d := l.declared(); d != nil && !l.isArchitecture(v.constant) {
				exp = d.Exp
			}
			k, err := l.factor(in, v.constant, l.shape(in), exp, l.weightBits(id))
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
