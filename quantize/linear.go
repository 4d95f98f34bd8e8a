package quantize

import (
	"math"
	"math/bits"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

// linear lowers a linear map. A factor that all its weights share goes into the
// scale: sums and averages have weights 1, and a map with nothing else left is
// only a change of scale. Such a map takes raw accumulators; any other gets a
// narrow operand, and leaves a raw accumulator at the weights' scale.
func (l *lowering) linear(id graph.ID, op graph.Linear) (value, error) {
	n := &l.g.Nodes[id]
	x, w := l.values[n.Inputs[0]], l.values[n.Inputs[1]].constant
	var bias []float64
	if len(n.Inputs) == 3 {
		if bias = l.values[n.Inputs[2]].constant; bias == nil {
			return value{}, l.unsupported(id, "its bias is computed")
		}
	}
	if w == nil || x.constant != nil {
		return value{}, l.unsupported(id, "its weights are computed")
	}
	if allZero(bias) && !l.s.HiddenWeights {
		bias = nil
	}
	if bias == nil && l.isArchitecture(nonZero(w)) || !l.s.HiddenWeights {
		if v, done, err := l.uniformLinear(id, op, x, w, bias); done || err != nil {
			return v, err
		}
	}
	shape := l.shape(n.Inputs[1])
	var err error
	bound := l.weightBits(id)
	if perChannel := shape[1]*shape[2]*shape[3] == 1; !perChannel || x.pending() || l.width(x.id)+bound > rawBits {
		if x, err = l.narrow(x); err != nil {
			return value{}, err
		}
	}
	in := *l.b.Node(x.id)
	factor := float64(in.Scale.Num) / float64(in.Scale.Den)
	real := make([]float64, len(w))
	for i, v := range w {
		real[i] = float64(v * factor)
	}
	exp := weightExponent(real, bound, l.s.HiddenWeights)
	if d := l.declared(); d != nil {
		exp = d.Exp
	} else if bias != nil {
		// A coarse accumulator must still hold the bias to the result's width.
		t, err := l.tensor(id)
		if err != nil {
			return value{}, err
		}
		if need := min(exactExponent(bias, 62), t.exponent()+3) - in.Scale.Exp; need > exp {
			exp = min(need, exp+24)
		}
	}
	return l.emitLinear(id, Linear(op), x, w, bias, roundAll(real, exp), exp)
}

// nonZero is the weights that are connected.
func nonZero(w []float64) []float64 {
	var values []float64
	for _, v := range w {
		if v != 0 {
			values = append(values, v)
		}
	}
	return values
}

// allZero reports whether a bias does nothing.
func allZero(values []float64) bool {
	for _, v := range values {
		if v != 0 {
			return false
		}
	}
	return true
}

// weightBits is the width of a node's weights.
func (l *lowering) weightBits(id graph.ID) int {
	l.usedW[id] = true
	if w, ok := l.weights[id]; ok {
		return w
	}
	return 8
}

// weightExponent is the largest exponent at which weights have at most the given
// width, sign included; less if they are exact with fewer bits, unless they are
// hidden.
func weightExponent(w []float64, width int, hidden bool) int {
	largest := 0.0
	for _, v := range w {
		largest = max(largest, math.Abs(v))
	}
	if largest == 0 {
		return 0
	}
	exp := width - 1 - ceilLog2(largest)
	if hidden {
		return exp
	}
	common := uint64(0)
	for _, v := range roundAll(w, exp) {
		common |= absolute(v)
	}
	return exp - bits.TrailingZeros64(common)
}

// roundAll is each v·2^exp rounded to nearest, ties to even.
func roundAll(values []float64, exp int) []int64 {
	q := make([]int64, len(values))
	factor := math.Ldexp(1, exp)
	for i, v := range values {
		q[i] = int64(math.RoundToEven(v * factor))
	}
	return q
}

// uniformLinear handles weights that are all 0 or ±c. It reports false if they
// aren't, or if a bias needs a finer scale.
func (l *lowering) uniformLinear(id graph.ID, op graph.Linear, x value, w, bias []float64) (value, bool, error) {
	c := 0.0
	for _, v := range w {
		if v != 0 && c == 0 {
			c = math.Abs(v)
		}
		if v != 0 && math.Abs(v) != c {
			return value{}, false, nil
		}
	}
	scale, ok := rational(c)
	if !ok {
		return value{}, false, nil
	}
	n := &l.g.Nodes[id]
	shape := l.shape(n.Inputs[1])
	taps := shape[1] * shape[2] * shape[3]
	var err error
	if l.width(x.id)+bits.Len(uint(taps)) > rawBits || x.pending() && (taps > 1 || bias != nil) {
		if x, err = l.narrow(x); err != nil {
			return value{}, true, err
		}
	}
	total, ok := l.b.Node(x.id).Scale.times(scale)
	if !ok {
		return value{}, false, nil
	}
	if bias != nil {
		t, err := l.tensor(id)
		if err != nil {
			return value{}, true, err
		}
		if need := min(exactExponent(bias, 62), t.exponent()+3); !total.dyadic() || need > total.Exp {
			return value{}, false, nil
		}
	}
	if v, done, err := l.changeOfScale(id, op, x, w, bias, total); done || err != nil {
		return v, done, err
	}
	q := make([]int64, len(w))
	for i, v := range w {
		switch {
		case v > 0:
			q[i] = 1
		case v < 0:
			q[i] = -1
		}
	}
	v, err := l.emitScaled(id, Linear(op), x, w, bias, q, total, false)
	return v, true, err
}

// changeOfScale handles a map that multiplies every element by one constant.
func (l *lowering) changeOfScale(id graph.ID, op graph.Linear, x value, w, bias []float64, total Scale) (value, bool, error) {
	n := &l.g.Nodes[id]
	common, same := commonValue(w)
	shape := l.shape(n.Inputs[1])
	if bias != nil || !same || shape[1] != 1 || op.Groups != shape[0] || !n.Shape.Equal(l.b.Node(x.id).Shape) || shape[2]*shape[3] != 1 || op.Stride != [2]int{1, 1} || op.Pad != [4]int{} {
		return value{}, false, nil
	}
	v, err := l.scaled(id, x, total, common)
	return v, true, err
}

// scaled is x·c, where total is x's scale times |c|, or its nearest short fraction:
// the same integers, or their negatives, under another scale.
func (l *lowering) scaled(id graph.ID, x value, total Scale, c float64) (value, error) {
	n := &l.g.Nodes[id]
	source := id
	if x.pending() {
		source = -1
	}
	op, lo, hi := Op(Rewire{}), float64(x.lo*c), float64(x.hi*c)
	if c < 0 {
		op, lo, hi = Add{Coeffs: []int64{-1}}, hi, lo
	}
	drift := math.Abs(float64(float64(l.b.Node(x.id).Scale.Float()*math.Abs(c))/total.Float()) - 1)
	y, err := l.emit(Node{Op: op, Inputs: []ID{x.id}, Shape: n.Shape, Scale: total, Name: n.Name, Source: source}, deviation{drift: drift})
	return value{id: y, source: id, lo: lo, hi: hi}, err
}

// emitLinear emits a linear map whose weights have scale 2^-exp.
func (l *lowering) emitLinear(id graph.ID, op Linear, x value, w, bias []float64, q []int64, exp int) (value, error) {
	return l.emitScaled(id, op, x, w, bias, q, PowerOfTwo(l.b.Node(x.id).Scale.Exp+exp), l.s.HiddenWeights)
}

// emitScaled emits a linear map with integer weights q, which stand for w, and a
// result of the given scale.
func (l *lowering) emitScaled(id graph.ID, op Linear, x value, w, bias []float64, q []int64, scale Scale, hidden bool) (value, error) {
	n := &l.g.Nodes[id]
	unit := float64(scale.Float() / l.b.Node(x.id).Scale.Float())
	note := deviation{weights: w, residue: make([]float64, len(w))}
	weights, err := l.coefficients(n.Inputs[1], q, l.shape(n.Inputs[1]), hidden, weightScale(scale, l.b.Node(x.id).Scale), max(l.weightBits(id), leastWidth(q)))
	if err != nil {
		return value{}, err
	}
	for i, v := range w {
		note.residue[i] = v - float64(float64(q[i])*unit)
	}
	in := []ID{x.id, weights}
	if bias != nil {
		shifted := make([]int64, len(bias))
		for i, v := range bias {
			k, ok := scale.Quantize(v)
			if !ok || absolute(k) >= 1<<rawBits {
				return value{}, l.unsupported(id, "its bias is too large for the scale of its weights")
			}
			shifted[i] = k
		}
		b, err := l.coefficients(n.Inputs[2], shifted, tensor.Shape{len(bias)}, hidden, scale, leastWidth(shifted))
		if err != nil {
			return value{}, err
		}
		note.bias = make([]float64, len(bias))
		for i, v := range bias {
			note.bias[i] = v - scale.Real(shifted[i])
		}
		in = append(in, b)
	}
	y, err := l.emit(Node{Op: op, Inputs: in, Scale: scale, Name: n.Name, Source: id}, note)
	return unclamped(y, id), err
}

// weightScale is the scale of weights that take a tensor of one scale to a result of
// another, both with odd parts of which the result's are 1.
func weightScale(result, x Scale) Scale {
	return Scale{Num: x.Den, Den: x.Num, Exp: result.Exp - x.Exp}
}

// coefficients emits integer weights, as a Const or as hidden weights of the given
// scale and width. It may move one that is on the interval's upper end, in q too.
func (l *lowering) coefficients(from graph.ID, q []int64, shape tensor.Shape, hidden bool, scale Scale, width int) (ID, error) {
	if hidden {
		return l.hidden(from, q, shape, scale, width)
	}
	return l.emit(Node{Op: Const{Values: q}, Shape: shape, Name: l.g.Nodes[from].Name, Source: -1}, deviation{})
}
