package msm

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

const (
	lanes = 8 // elements to a vector instruction
	// batchSize is the most additions that share one inversion. What is kept of them
	// has to stay in a core's second-level cache.
	batchSize = 2048
)

// An entry is a point of a list and its sign: index<<1 | negative.
type entry = uint32

// pairs are additions to make: first[k] + second[k].
type pairs struct{ first, second [lanes]entry }

// batch is a list of additions that share an inversion.
//
// For points of different x a sum is the chord's: λ = (y2−y1)/(x2−x1),
// x = λ²−x1−x2, y = λ(x1−x)−y1, six multiplications with three for the share of the
// inversion. For equal points the slope is the tangent's, 3x²/2y, and all else is the
// same. Opposite points and infinite ones, written (0, 0), are put in afterwards.
type batch struct {
	arithmetic
	n       int
	pairs   []pairs // room for prefetching beyond the last
	equal   []uint8 // by eight pairs, one bit each: x1 = x2
	special []special
	ahead   []entry // whose points to fetch, with as many after them that may be fetched
}

// arithmetic does the work of all additions of a batch, eight at a time.
type arithmetic interface {
	// subtract finds numerators and denominators of the slopes, and in which pairs
	// x1 = x2.
	subtract(pairs []pairs, points []bn254.G1Affine, equal []uint8)
	// set replaces the numerator and denominator of the j-th slope.
	set(j int, numerator, denominator *fp.Element)
	// finish writes the sums, of which each slope's denominator must not be zero. If
	// there are two entries ahead for each pair, their points will be wanted next.
	finish(pairs []pairs, points, sums []bn254.G1Affine, ahead []entry)
}

// special is a sum that isn't the chord's or the tangent's.
type special struct {
	at  int
	sum bn254.G1Affine
}

func newBatch() *batch {
	return &batch{
		arithmetic: newArithmetic(),
		pairs:      make([]pairs, batchSize/lanes+8),
		equal:      make([]uint8, batchSize/lanes),
	}
}

// put makes the next addition that of two entries.
func (b *batch) put(first, second entry) {
	p := &b.pairs[b.n/lanes]
	p.first[b.n%lanes], p.second[b.n%lanes] = first, second
	b.n++
}

// add writes the sums of the pairs, whose entries are of points, and empties the
// batch. Sums are written up to the next multiple of lanes. Only with infinite set may
// points be infinite; it returns whether a sum is.
func (b *batch) add(points, sums []bn254.G1Affine, infinite bool) bool {
	n := b.n
	if n == 0 {
		return false
	}
	for b.n%lanes != 0 {
		b.put(0, 0)
	}
	pairs, equal := b.pairs[:b.n/lanes], b.equal[:b.n/lanes]
	b.subtract(pairs, points, equal)
	var one fp.Element
	one.SetOne()
	for j := n; j < b.n; j++ {
		b.set(j, &one, &one)
	}
	b.special = b.special[:0]
	for k, mask := range equal {
		if mask == 0 && !infinite {
			continue
		}
		for lane := range min(lanes, n-k*lanes) {
			p := point(points, pairs[k].first[lane])
			q := point(points, pairs[k].second[lane])
			if mask>>lane&1 == 1 || infinite && (p.IsInfinity() || q.IsInfinity()) {
				b.exception(k*lanes+lane, &p, &q)
			}
		}
	}
	b.finish(pairs, points, sums, b.ahead)
	b.n = 0

	infinite = false
	for _, s := range b.special {
		sums[s.at] = s.sum
		infinite = infinite || s.sum.IsInfinity()
	}
	return infinite
}

// exception sets the j-th slope to the tangent's at p = q, or to 1 when the sum is not
// found by a slope.
func (b *batch) exception(j int, p, q *bn254.G1Affine) {
	var numerator, denominator fp.Element
	var sum bn254.G1Affine
	switch {
	case p.IsInfinity():
		sum = *q
	case q.IsInfinity():
		sum = *p
	case p.Y.Equal(&q.Y) && !p.Y.IsZero():
		var xx fp.Element
		xx.Square(&p.X)
		numerator.Double(&xx).Add(&numerator, &xx)
		denominator.Double(&p.Y)
		b.set(j, &numerator, &denominator)
		return
	}
	numerator.SetOne()
	denominator.SetOne()
	b.set(j, &numerator, &denominator)
	b.special = append(b.special, special{j, sum})
}

// point returns the point of an entry, with its sign.
func point(points []bn254.G1Affine, e entry) bn254.G1Affine {
	p := points[e>>1]
	if e&1 == 1 {
		p.Y.Neg(&p.Y)
	}
	return p
}

// invertFew inverts at most lanes elements, one after another.
func invertFew(v fp.Vector) {
	var before [lanes]fp.Element
	var product fp.Element
	product.SetOne()
	for i := range v {
		before[i] = product
		product.Mul(&product, &v[i])
	}
	product.Inverse(&product)
	for i := len(v) - 1; i >= 0; i-- {
		var inverse fp.Element
		inverse.Mul(&product, &before[i])
		product.Mul(&product, &v[i])
		v[i] = inverse
	}
}
