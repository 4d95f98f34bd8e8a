package quantize

import (
	"math"
	"math/bits"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

// maxConstant bounds the integers of a constant. What is larger, such as the -1e9
// or -3.4e38 of an attention mask, is brought to it: far enough for the softmax
// that follows.
const maxConstant = 1 << 40

// constant emits real values as a Const at scale 2^-exp, rounded to nearest.
func (l *lowering) constant(source graph.ID, values []float64, shape tensor.Shape, exp int) (ID, error) {
	q := make([]int64, len(values))
	rest := make([]float64, len(values))
	for i, v := range values {
		q[i] = roundConstant(v, exp)
		rest[i] = v - math.Ldexp(float64(q[i]), -exp)
	}
	return l.emit(Node{Op: Const{Values: q}, Shape: shape, Scale: PowerOfTwo(exp), Name: l.g.Nodes[source].Name, Source: source}, deviation{constant: rest})
}

// roundConstant is v·2^exp rounded to nearest, ties to even, and bounded.
func roundConstant(v float64, exp int) int64 {
	q := math.RoundToEven(math.Ldexp(v, exp))
	return int64(min(max(q, -maxConstant), maxConstant))
}

// exactExponent is the least exponent at which all values are integers, or the
// largest at which the greatest of them has no more than width bits.
func exactExponent(values []float64, width int) int {
	largest := 0.0
	exact := -62
	for _, v := range values {
		if v == 0 {
			continue
		}
		largest = max(largest, math.Abs(v))
		exact = max(exact, lowestBit(v))
	}
	if largest == 0 {
		return 0
	}
	return min(exact, width-ceilLog2(largest))
}

// lowestBit is the e for which v·2^e is an odd integer, for v != 0.
func lowestBit(v float64) int {
	f, k := math.Frexp(v)
	mantissa := uint64(math.Abs(math.Ldexp(f, 53)))
	return 53 - k - bits.TrailingZeros64(mantissa)
}

// commonValue returns the value that all have.
func commonValue(values []float64) (float64, bool) {
	for _, v := range values {
		if v != values[0] {
			return 0, false
		}
	}
	return values[0], true
}

// rational writes |c| as num/den·2^-exp with num and den odd: 1/n where c is the
// float32 nearest to it, else exactly. It reports false if neither is short.
func rational(c float64) (Scale, bool) {
	c = math.Abs(c)
	if c == 0 || math.IsInf(c, 0) || math.IsNaN(c) {
		return Scale{}, false
	}
	if e := lowestBit(c); e <= 200 && e >= -200 {
		if m := math.Ldexp(c, e); m < 1<<12 {
			return Scale{Num: uint64(m), Den: 1, Exp: e}, true
		}
	}
	if n := math.RoundToEven(1 / c); n >= 2 && n < 1<<20 && float32(1/n) == float32(c) {
		z := bits.TrailingZeros64(uint64(n))
		return Scale{Num: 1, Den: uint64(n) >> z, Exp: z}, true
	}
	if e := lowestBit(c); e <= 200 && e >= -200 {
		if m := math.Ldexp(c, e); m < maxOdd {
			return Scale{Num: uint64(m), Den: 1, Exp: e}, true
		}
	}
	return Scale{}, false
}

// times is the product of two scales in lowest terms; it reports false if the odd
// parts become too large.
func (s Scale) times(t Scale) (Scale, bool) {
	a, b := reduce(s.Num, t.Den)
	c, d := reduce(t.Num, s.Den)
	hi1, num := bits.Mul64(a, c)
	hi2, den := bits.Mul64(b, d)
	if hi1 != 0 || hi2 != 0 || num >= maxOdd || den >= maxOdd {
		return s, false
	}
	r := Scale{Num: num, Den: den, Exp: s.Exp + t.Exp}
	z := bits.TrailingZeros64(r.Num)
	r.Num, r.Exp = r.Num>>z, r.Exp-z
	z = bits.TrailingZeros64(r.Den)
	r.Den, r.Exp = r.Den>>z, r.Exp+z
	return r, r.Exp > -200 && r.Exp < 200
}

// reduce divides two numbers by their greatest common divisor.
func reduce(a, b uint64) (uint64, uint64) {
	x, y := a, b
	for y != 0 {
		x, y = y, x%y
	}
	return a / x, b / x
}
