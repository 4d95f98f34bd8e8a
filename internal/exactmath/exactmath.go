// Package exactmath has elementary functions that give the same bits on every
// machine.
//
// Go's math package chooses an assembly routine for some functions by CPU, and
// the compiler may fuse a·b + c into one operation with one rounding where the
// target has it (GOAMD64=v3, arm64). Either changes last bits, and a last bit of
// a calibration can change which quantized program is chosen. Here is no
// assembly, and every product is rounded by a float64 conversion before it is
// added, which the language specification says prevents fusing.
//
// The functions are accurate to about two units in the last place (Erf, between
// 1/2 and 2, to ten); they are not correctly rounded. Arguments may be any
// float64; infinities give the limits and NaN gives NaN.
package exactmath

import "math"

// ln 2 in two parts: ln2Hi has 21 trailing zero bits, so that k·ln2Hi is exact
// for |k| < 2^21; ln2Lo is the rest.
const (
	ln2Hi = 0x1.62e42feep-01
	ln2Lo = 0x1.a39ef35793c76p-33
	log2E = 0x1.71547652b82fep+00
)

// The arguments above and below which Exp overflows and gives zero.
const (
	expOverflow  = 0x1.62e42fefa39efp+09  // 1024·ln 2
	expUnderflow = -0x1.74910d52d3051p+09 // (-1022-53)·ln 2
)

// inverseFactorials are 1/k! for k = 0 … 17.
var inverseFactorials = [18]float64{
	1, 1, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320,
	1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800,
	1.0 / 87178291200, 1.0 / 1307674368000, 1.0 / 20922789888000, 1.0 / 355687428096000,
}

// reduce writes x = k·ln 2 + hi - lo with |hi - lo| <= ln 2 / 2; hi is exact.
func reduce(x float64) (k int, hi, lo float64) {
	n := math.Floor(float64(x*log2E) + 0.5)
	return int(n), x - float64(n*ln2Hi), float64(n * ln2Lo)
}

// expm1Tail is e^r - 1 - r for |r| <= 1/2, by r²·Σ r^k/(k+2)!.
func expm1Tail(r float64) float64 {
	const terms = 14
	p := inverseFactorials[terms+1]
	for k := terms; k >= 2; k-- {
		p = float64(p*r) + inverseFactorials[k]
	}
	return float64(float64(r*r) * p)
}

// scale is y·2^k, rounded once; k may lead out of the normal range.
func scale(y float64, k int) float64 {
	switch {
	case k > 1023:
		return float64(float64(y*0x1p1023) * powerOfTwo(k-1023))
	case k < -1022:
		return float64(float64(y*powerOfTwo(k+128)) * 0x1p-128)
	}
	return float64(y * powerOfTwo(k))
}

// powerOfTwo is 2^k for -1022 <= k <= 1023.
func powerOfTwo(k int) float64 { return math.Float64frombits(uint64(k+1023) << 52) }

// Exp is e^x.
func Exp(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > expOverflow:
		return math.Inf(1)
	case x < expUnderflow:
		return 0
	}
	k, hi, lo := reduce(x)
	r := hi - lo
	// e^(hi-lo) = 1 + hi + (tail(r) - lo), with the largest terms added last.
	return scale(1+(hi+(expm1Tail(r)-lo)), k)
}

// Expm1 is e^x - 1, accurate near 0.
func Expm1(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > expOverflow:
		return math.Inf(1)
	case x < -40:
		return -1
	case math.Abs(x) <= 0.5:
		return x + expm1Tail(x)
	}
	k, hi, lo := reduce(x)
	m := hi + (expm1Tail(hi-lo) - lo)
	if k > 60 {
		return scale(1+m, k)
	}
	// 2^k(1+m) - 1 = 2^k·m + (2^k - 1); the last is exact for k >= -52.
	return float64(m*powerOfTwo(k)) + (powerOfTwo(k) - 1)
}

// Log is the natural logarithm; it is -Inf at 0 and NaN below.
func Log(x float64) float64 {
	switch {
	case x != x || x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case x > math.MaxFloat64:
		return x
	}
	k := 0
	if x < 0x1p-1022 {
		x, k = float64(x*0x1p54), -54
	}
	// x = 2^k·(1+f) with 1+f in [√2/2, √2).
	bits := math.Float64bits(x)
	k += int(bits>>52) - 1023
	m := math.Float64frombits(bits&(1<<52-1) | 1023<<52)
	if m >= math.Sqrt2 {
		m = float64(m * 0.5)
		k++
	}
	f := m - 1
	// ln(1+f) = 2·artanh(s), s = f/(2+f), z = s²: f - f²/2 + s·(f²/2 + R(z)) with
	// R = Σ 2·z^i/(2i+1), which keeps the leading term f exact.
	s := f / (2 + f)
	z := float64(s * s)
	r := 0.0
	for i := 12; i >= 1; i-- {
		r = float64(z * (r + 2/float64(2*i+1)))
	}
	half := float64(float64(0.5*f) * f)
	n := float64(k)
	return float64(n*ln2Hi) - ((half - (float64(s*(half+r)) + float64(n*ln2Lo))) - f)
}

// Log1p is ln(1+x), accurate near 0.
func Log1p(x float64) float64 {
	switch {
	case x != x || x < -1:
		return math.NaN()
	case math.Abs(x) < 0x1p-54 || x > math.MaxFloat64:
		return x
	}
	u := 1 + x
	if u == 0 {
		return math.Inf(-1)
	}
	if x >= 0x1p53 {
		return Log(u)
	}
	// u was rounded: ln(1+x) = ln u + ((1+x)-u)/u + …
	var lost float64
	if x > 1 {
		lost = 1 - (u - x)
	} else {
		lost = x - (u - 1)
	}
	return Log(u) + lost/u
}

// Tanh is the hyperbolic tangent.
func Tanh(x float64) float64 {
	a := math.Abs(x)
	var y float64
	switch {
	case x != x:
		return x
	case a > 22:
		y = 1
	case a > 0.5:
		y = 1 - 2/(Expm1(float64(2*a))+2)
	default:
		t := Expm1(float64(2 * a))
		y = t / (t + 2)
	}
	return math.Copysign(y, x)
}

// Sigmoid is 1/(1+e^-x).
func Sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + Exp(-x))
	}
	e := Exp(x)
	return e / (1 + e)
}

// Softplus is ln(1+e^x).
func Softplus(x float64) float64 {
	if x > 0 {
		return x + Log1p(Exp(-x))
	}
	return Log1p(Exp(x))
}
