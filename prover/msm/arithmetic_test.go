package msm

import (
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// edgeElement draws an element of which some words are all zeros or ones, or that is
// near the modulus.
func edgeElement(r *rand.Rand) fp.Element {
	var e fp.Element
	for {
		for i := range e {
			switch r.IntN(4) {
			case 0:
				e[i] = 0
			case 1:
				e[i] = ^uint64(0)
			case 2:
				e[i] = modulus[i] - uint64(r.IntN(3))
			default:
				e[i] = r.Uint64()
			}
		}
		e[3] = min(e[3], modulus[3])
		if wide(e).less(modulus) {
			return e
		}
	}
}

// TestArithmetic compares the processor's arithmetic, all bits of it, with chords
// computed one by one, for coordinates that needn't be those of a curve's points.
func TestArithmetic(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	points := make([]bn254.G1Affine, 500)
	for _, arithmetic := range []arithmetic{newArithmetic(), newVectors()} {
		for _, n := range []int{1, 7, 8, 9, 100, 1000, batchSize - 1, batchSize} {
			for i := range points {
				points[i] = bn254.G1Affine{X: edgeElement(r), Y: edgeElement(r)}
			}
			// Coordinates that differ in one limb only.
			for k := range 5 {
				points[2*k].X[3] &= 1<<60 - 1
				difference := wide{}
				difference[52*k/64] = 1 << (52 * k % 64)
				sum, _ := wide(points[2*k].X).add(difference)
				points[2*k+1].X = fp.Element(sum)
			}
			b := newBatch()
			b.arithmetic = arithmetic
			var entries [][2]entry
			for len(entries) < n {
				e := [2]entry{r.Uint32N(1000), r.Uint32N(1000)}
				if k := entry(len(entries)); k < 5 {
					e = [2]entry{4 * k, 4*k + 2}
				}
				if x1, x2 := points[e[0]>>1].X, points[e[1]>>1].X; !x1.Equal(&x2) {
					entries = append(entries, e)
					b.put(e[0], e[1])
				}
			}
			sums := make([]bn254.G1Affine, n+lanes)
			if b.add(points, sums, false) {
				t.Error("a sum is said to be infinite")
			}
			for j, e := range entries {
				p, q := point(points, e[0]), point(points, e[1])
				if want := chord(&p, &q); sums[j] != want {
					t.Fatalf("%T, %d of %d pairs: %v + %v: got %v, expected %v", arithmetic, j, n, p, q, sums[j], want)
				}
			}
		}
	}
}

// chord adds points of different x.
func chord(p, q *bn254.G1Affine) (sum bn254.G1Affine) {
	var slope, d fp.Element
	slope.Sub(&q.Y, &p.Y)
	d.Sub(&q.X, &p.X)
	slope.Div(&slope, &d)
	sum.X.Square(&slope).Sub(&sum.X, &p.X).Sub(&sum.X, &q.X)
	sum.Y.Sub(&p.X, &sum.X).Mul(&sum.Y, &slope).Sub(&sum.Y, &p.Y)
	return sum
}

// TestExceptions checks sums that no chord gives, alone and between others.
func TestExceptions(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	points := append(randomPoints(r, 50), bn254.G1Affine{})
	for _, arithmetic := range []arithmetic{newArithmetic(), newVectors()} {
		for range 50 {
			b := newBatch()
			b.arithmetic = arithmetic
			var want []bn254.G1Affine
			anyInfinite := false
			for range 1 + r.IntN(100) {
				first, second := r.Uint32N(102), r.Uint32N(102)
				if r.IntN(2) == 0 {
					second = first ^ r.Uint32N(2)
				}
				b.put(first, second)
				p, q := point(points, first), point(points, second)
				var sum bn254.G1Affine
				sum.Add(&p, &q)
				want = append(want, sum)
				anyInfinite = anyInfinite || sum.IsInfinity()
			}
			sums := make([]bn254.G1Affine, len(want)+lanes)
			if got := b.add(points, sums, true); got != anyInfinite {
				t.Errorf("%T: add says infinite %v, expected %v", arithmetic, got, anyInfinite)
			}
			for j := range want {
				if sums[j] != want[j] {
					t.Fatalf("%T: sum %d of %d: got %v, gnark-crypto says %v", arithmetic, j, len(want), sums[j], want[j])
				}
			}
		}
	}
}
