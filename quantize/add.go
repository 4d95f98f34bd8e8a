package quantize

import (
	"math"

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
	if found && allZero(constant) && l.isArchitecture(constant) {
		found = false
	}
	var extra []float64
	if found {
		extra = constant
		if d := l.declared(); d != nil && !l.isArchitecture(constant) {
			extra = []float64{math.Ldexp(1, -d.Exp)} // needs the declared exponent
		}
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
		if c, ok := commonValue(constant); ok && l.isArchitecture(constant) {
			sum.Const = roundConstant(c, exp)
			note.addend = c - math.Ldexp(float64(sum.Const), -exp)
		} else {
			k, err := l.factor(id, constant, n.Shape, exp, 0)
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
