package exactmath

import "math"

const (
	twoOverSqrtPi      = 0x1.20dd750429b6dp+00
	twoOverSqrtPiLess1 = 0x1.06eba8214db69p-03
	oneOverSqrtPi      = 0x1.20dd750429b6dp-01
)

// Erf is the error function 2/√π·∫₀ˣ e^(-t²) dt.
//
// Below 1/2 it is the Taylor series, with the leading x kept exact. Below 2 it is
// the series 2/√π·x·e^(-x²)·Σ (2x²)^n/(1·3·…·(2n+1)), whose terms are all
// positive (Abramowitz and Stegun 7.1.6); above, 1 - erfc x with the continued
// fraction of erfc (7.1.14).
func Erf(x float64) float64 {
	a := math.Abs(x)
	switch {
	case x != x:
		return x
	case a > 6:
		return math.Copysign(1, x)
	case a >= 2:
		return math.Copysign(1-erfcFraction(a), x)
	case a < 0.5:
		square, tail := float64(a*a), 0.0
		for n := 10; n >= 1; n-- {
			tail = float64(-square * (tail + inverseFactorials[n]/float64(2*n+1)))
		}
		return x + float64(x*(twoOverSqrtPiLess1+float64(twoOverSqrtPi*tail)))
	}
	square := float64(2 * float64(a*a))
	term, sum := 1.0, 1.0
	for n := 1; term > 0x1p-56*sum; n++ {
		term = float64(term*square) / float64(2*n+1)
		sum += term
	}
	return float64(x * float64(twoOverSqrtPi*float64(gauss(a)*sum)))
}

// gauss is e^(-x²) for 0 <= x < 2^26: x² is split so that its rounding, which the
// exponential would magnify, is not lost.
func gauss(x float64) float64 {
	high := math.Float64frombits(math.Float64bits(x) &^ (1<<27 - 1))
	rest := float64((x - high) * (x + high))
	return float64(Exp(-float64(high*high)) * (1 - rest + float64(float64(0.5*rest)*rest)))
}

// erfcFraction is erfc x for x >= 2: e^(-x²)/√π / (x + (1/2)/(x + 1/(x + …))).
func erfcFraction(x float64) float64 {
	const depth = 40
	f := x
	for n := depth; n >= 1; n-- {
		f = x + float64(n)*0.5/f
	}
	return float64(oneOverSqrtPi*gauss(x)) / f
}
