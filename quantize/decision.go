package quantize

import (
	"math/big"

	"github.com/zkml-go/zkml/graph"
)

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
