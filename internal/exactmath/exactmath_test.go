package exactmath

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// ulps is the distance between two float64 in units of the last place of want.
func ulps(got, want float64) float64 {
	if got == want || (got != got && want != want) {
		return 0
	}
	unit := math.Nextafter(math.Abs(want), math.Inf(1)) - math.Abs(want)
	return math.Abs(got-want) / unit
}

type function struct {
	name   string
	f, std func(float64) float64
	lo, hi float64
	limit  float64 // in ulps, with one allowed for the reference
}

func functions() []function {
	return []function{
		{"exp", Exp, math.Exp, -746, 710, 2},
		{"exp near 0", Exp, math.Exp, -3, 3, 2},
		{"expm1", Expm1, math.Expm1, -42, 42, 3},
		{"expm1 near 0", Expm1, math.Expm1, -1.5, 1.5, 3},
		{"log", Log, math.Log, 1e-300, 1e6, 2},
		{"log near 1", Log, math.Log, 0.5, 2, 2},
		{"log1p", Log1p, math.Log1p, -0.9999, 50, 2},
		{"log1p near 0", Log1p, math.Log1p, -0.01, 0.01, 2},
		{"tanh", Tanh, math.Tanh, -25, 25, 3},
		{"tanh near 0", Tanh, math.Tanh, -1, 1, 3},
		{"erf", Erf, math.Erf, -7, 7, 10},
		{"erf near 0", Erf, math.Erf, -1e-3, 1e-3, 3},
		{"sigmoid", Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, -30, 40, 4},
		{"softplus", Softplus, func(x float64) float64 { return math.Log1p(math.Exp(x)) }, -30, 40, 3},
	}
}

func sample(lo, hi float64) []float64 {
	rng := rand.New(rand.NewPCG(1, 2))
	xs := make([]float64, 20000)
	for i := range xs {
		// float64() so that the arguments themselves aren't fused.
		xs[i] = lo + float64(rng.Float64()*(hi-lo))
	}
	return xs
}

func TestAgainstMath(t *testing.T) {
	for _, c := range functions() {
		t.Run(c.name, func(t *testing.T) {
			worst, at := 0.0, 0.0
			for _, x := range sample(c.lo, c.hi) {
				if d := ulps(c.f(x), c.std(x)); d > worst {
					worst, at = d, x
				}
			}
			t.Logf("largest distance %.2f ulp at %v", worst, at)
			if worst > c.limit {
				t.Errorf("%.2f ulp from package math at %v: found %v, expected %v", worst, at, c.f(at), c.std(at))
			}
		})
	}
}

// TestSameBits holds the functions to bits that were computed once: run under
// GOAMD64=v1 and v3, and on arm64, it shows that nothing is fused.
func TestSameBits(t *testing.T) {
	h := sha256.New()
	for _, c := range functions() {
		for _, x := range sample(c.lo, c.hi) {
			h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(c.f(x))))
		}
	}
	const want = "f30641b9b5cac70b533e24388ecf8ae734d9c8827642bf018271cd2f93e41d28"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("digest of the results is %s, expected %s", got, want)
	}
}

func TestLimits(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	cases := []struct {
		name    string
		f       func(float64) float64
		x, want float64
	}{
		{"exp 0", Exp, 0, 1}, {"exp inf", Exp, inf, inf}, {"exp -inf", Exp, -inf, 0},
		{"exp nan", Exp, nan, nan}, {"exp 709.78", Exp, 709.78, 0x1.fe9ce5c4c52b4p+1023},
		{"exp 710", Exp, 710, inf}, {"exp subnormal", Exp, -740, math.Exp(-740)},
		{"expm1 0", Expm1, 0, 0}, {"expm1 inf", Expm1, inf, inf}, {"expm1 -inf", Expm1, -inf, -1},
		{"expm1 tiny", Expm1, 1e-300, 1e-300}, {"expm1 nan", Expm1, nan, nan},
		{"log 1", Log, 1, 0}, {"log 0", Log, 0, -inf}, {"log -1", Log, -1, nan},
		{"log inf", Log, inf, inf}, {"log subnormal", Log, 5e-324, -744.4400719213812},
		{"log1p 0", Log1p, 0, 0}, {"log1p -1", Log1p, -1, -inf}, {"log1p -2", Log1p, -2, nan},
		{"log1p inf", Log1p, inf, inf}, {"log1p 1e300", Log1p, 1e300, math.Log(1e300)},
		{"tanh 0", Tanh, 0, 0}, {"tanh inf", Tanh, inf, 1}, {"tanh -inf", Tanh, -inf, -1},
		{"tanh nan", Tanh, nan, nan},
		{"erf 0", Erf, 0, 0}, {"erf inf", Erf, inf, 1}, {"erf -inf", Erf, -inf, -1}, {"erf nan", Erf, nan, nan},
		{"sigmoid 0", Sigmoid, 0, 0.5}, {"sigmoid inf", Sigmoid, inf, 1}, {"sigmoid -inf", Sigmoid, -inf, 0},
		{"softplus inf", Softplus, inf, inf}, {"softplus -inf", Softplus, -inf, 0},
		{"softplus 0", Softplus, 0, math.Ln2},
	}
	for _, c := range cases {
		if got := c.f(c.x); got != c.want && !(got != got && c.want != c.want) {
			t.Errorf("%s: found %v, expected %v", c.name, got, c.want)
		}
	}
}

// TestExpAgainstBig sums the exponential series in 200 bits, a reference that
// shares nothing with package math.
func TestExpAgainstBig(t *testing.T) {
	for _, x := range sample(-20, 20)[:300] {
		sum, term := big.NewFloat(1).SetPrec(400), big.NewFloat(1).SetPrec(400)
		bx := new(big.Float).SetPrec(400).SetFloat64(x)
		for n := int64(1); n < 160; n++ {
			term.Mul(term, bx).Quo(term, new(big.Float).SetPrec(400).SetInt64(n))
			sum.Add(sum, term)
		}
		want, _ := sum.Float64()
		if d := ulps(Exp(x), want); d > 1 {
			t.Errorf("exp(%v) is %.2f ulp off: found %v, expected %v", x, d, Exp(x), want)
		}
	}
}

func BenchmarkExp(b *testing.B) {
	for i := range b.N {
		Exp(float64(i%100) * 0.1)
	}
}

func BenchmarkErf(b *testing.B) {
	for i := range b.N {
		Erf(float64(i%100) * 0.05)
	}
}
