package quantize

import (
	"fmt"
	"math"
)

// PowerOfTwo is the scale 2^-exp.
func PowerOfTwo(exp int) Scale { return Scale{Num: 1, Den: 1, Exp: exp} }

// Real returns the real value of q, rounded to float64.
func (s Scale) Real(q int64) float64 {
	return math.Ldexp(float64(float64(float64(q)*float64(s.Num))/float64(s.Den)), -s.Exp)
}

// Float returns the real value of the integer 1.
func (s Scale) Float() float64 { return s.Real(1) }

// Quantize returns the integer whose real value is nearest to v, ties to even. It
// reports false if v is not a number or the integer is not below MaxMagnitude.
func (s Scale) Quantize(v float64) (int64, bool) {
	q := math.RoundToEven(math.Ldexp(float64(float64(v*float64(s.Den))/float64(s.Num)), s.Exp))
	if !(math.Abs(q) < MaxMagnitude) {
		return 0, false
	}
	return int64(q), true
}

// String formats the scale as "2^-8" or "1/255".
func (s Scale) String() string {
	switch {
	case s.Num == s.Den:
		return fmt.Sprintf("2^%d", -s.Exp)
	case s.Exp == 0:
		return fmt.Sprintf("%d/%d", s.Num, s.Den)
	}
	return fmt.Sprintf("%d/%d·2^%d", s.Num, s.Den, -s.Exp)
}

// OutOfRange says what becomes of an input value outside its declared interval.
type OutOfRange uint8

// The two ways.
const (
	// Refuse returns a RangeError.
	Refuse OutOfRange = iota
	// Clamp takes the nearest value of the interval. A value that is not a number
	// is refused all the same.
	Clamp
)

// QuantizeInputs turns real inputs, in the order of p.Inputs, into integers at
// the inputs' scales, rounded to nearest.
func (p *Program) QuantizeInputs(inputs [][]float64, policy OutOfRange) ([][]int64, error) {
	if len(inputs) != len(p.Inputs) {
		return nil, fmt.Errorf("the program has %d inputs, found values for %d", len(p.Inputs), len(inputs))
	}
	result := make([][]int64, len(inputs))
	for i, id := range p.Inputs {
		node := &p.Nodes[id]
		if len(inputs[i]) != node.Shape.Size() {
			return nil, fmt.Errorf("input %q: shape %v needs %d elements, found %d", inputName(node), node.Shape, node.Shape.Size(), len(inputs[i]))
		}
		row := make([]int64, len(inputs[i]))
		for k, v := range inputs[i] {
			q, ok := node.Scale.Quantize(v)
			if policy == Clamp && !math.IsNaN(v) {
				if !ok && v < 0 {
					q = node.Lo
				} else if !ok {
					q = node.Hi
				}
				q, ok = min(max(q, node.Lo), node.Hi), true
			}
			if !ok || q < node.Lo || q > node.Hi {
				return nil, &RangeError{Input: inputName(node), Element: k, Value: v, Lo: node.Scale.Real(node.Lo), Hi: node.Scale.Real(node.Hi)}
			}
			row[k] = q
		}
		result[i] = row
	}
	return result, nil
}

// Dequantize returns the real values of tensor id's integers.
func (p *Program) Dequantize(id ID, values []int64) []float64 {
	real := make([]float64, len(values))
	for i, q := range values {
		real[i] = p.Nodes[id].Scale.Real(q)
	}
	return real
}
