package quantize

import (
	"math"
	"slices"

	"github.com/zkml-go/zkml/graph"
)

// rewire keeps raw accumulators and pending clamps: an index map commutes with
// both. Several operands are first brought to one scale.
func (l *lowering) rewire(id graph.ID, op graph.Rewire) (value, error) {
	n := &l.g.Nodes[id]
	operands := make([]value, len(n.Inputs))
	for i, in := range n.Inputs {
		operands[i] = l.values[in]
	}
	filled := slices.Contains(op.Index, -1)
	if filled && (math.IsNaN(op.Fill) || math.IsInf(op.Fill, 0)) {
		return value{}, l.unsupported(id, "the fill value is %v", op.Fill)
	}
	if len(operands) > 1 || filled && (operands[0].pending() || op.Fill != 0) {
		var err error
		fills := []float64{}
		if filled {
			fills = append(fills, op.Fill)
		}
		if operands, err = l.align(id, operands, fills); err != nil {
			return value{}, err
		}
	}
	first := operands[0]
	if op.Index == nil && n.Shape.Equal(l.b.Node(first.id).Shape) {
		first.source = id
		return first, nil
	}
	in := make([]ID, len(operands))
	for i, v := range operands {
		in[i] = v.id
	}
	scale := l.b.Node(first.id).Scale
	fill := int64(0)
	if filled && op.Fill != 0 {
		fill = roundConstant(op.Fill, scale.Exp)
	}
	source := id
	if first.pending() {
		source = -1
	}
	y, err := l.emit(Node{Op: Rewire{Index: op.Index, Fill: fill}, Inputs: in, Shape: n.Shape, Scale: scale, Name: n.Name, Source: source}, deviation{fill: op.Fill})
	if err != nil {
		return value{}, err
	}
	return value{id: y, source: id, lo: first.lo, hi: first.hi}, nil
}

// align brings tensors to one scale and no pending clamp, except where all have the
// same already. Constants among them, and the extra constants, are representable
// at the common scale to within what calibration asks of the result id.
func (l *lowering) align(id graph.ID, operands []value, extra []float64) ([]value, error) {
	same := len(extra) == 0
	for _, v := range operands {
		same = same && v.constant == nil
	}
	if same {
		first := operands[0]
		for _, v := range operands {
			same = same && v.lo == first.lo && v.hi == first.hi && l.b.Node(v.id).Scale == l.b.Node(first.id).Scale
		}
		if same {
			return operands, nil
		}
	}
	operands = slices.Clone(operands)
	for i := range operands {
		var err error
		if operands[i], err = l.even(operands[i]); err != nil {
			return nil, err
		}
	}
	exp, err := l.commonExponent(id, operands, extra)
	if err != nil {
		return nil, err
	}
	for i, v := range operands {
		if v.constant != nil {
			x, err := l.constant(v.source, v.constant, l.shape(v.source), exp)
			if err != nil {
				return nil, err
			}
			operands[i] = unclamped(x, v.source)
			continue
		}
		node := *l.b.Node(v.id)
		if shift := exp - node.Scale.Exp; shift > 0 {
			x, err := l.emit(Node{Op: Add{Coeffs: []int64{1 << shift}}, Inputs: []ID{v.id}, Scale: PowerOfTwo(exp), Name: node.Name, Source: node.Source}, deviation{})
			if err != nil {
				return nil, err
			}
			operands[i] = unclamped(x, v.source)
		}
	}
	return operands, nil
}

// commonExponent is the finest exponent among computed operands, whose scales are
// powers of two, and finer where a constant needs it. Operands that become too wide
// at it are narrowed in place.
func (l *lowering) commonExponent(id graph.ID, operands []value, extra []float64) (int, error) {
	constants := slices.Clone(extra)
	for _, v := range operands {
		constants = append(constants, v.constant...)
	}
	for range 2 * len(operands) {
		exp := math.MinInt
		for _, v := range operands {
			if v.constant == nil {
				exp = max(exp, l.b.Node(v.id).Scale.Exp)
			}
		}
		if need := exactExponent(constants, 62); len(constants) > 0 && need > exp {
			t, err := l.tensor(id)
			if err != nil {
				return 0, err
			}
			exp = max(exp, min(need, t.exponent()+2))
		}
		finest, wide := -1, false
		for i, v := range operands {
			if v.constant != nil {
				continue
			}
			shift := exp - l.b.Node(v.id).Scale.Exp
			if l.reach(v.id)+shift > rawBits {
				wide = true
			}
			if finest < 0 || l.b.Node(v.id).Scale.Exp > l.b.Node(operands[finest].id).Scale.Exp {
				finest = i
			}
		}
		if !wide {
			return exp, nil
		}
		before := operands[finest].id
		v, err := l.narrow(operands[finest])
		if err != nil {
			return 0, err
		}
		if v.id == before {
			break
		}
		operands[finest] = v
	}
	return 0, l.unsupported(id, "its operands' scales lie too far apart")
}
