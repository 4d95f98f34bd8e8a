package msm

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

const (
	// batchSize is the most additions that share one inversion. Their vectors have to
	// stay in a core's second-level cache.
	batchSize = 2048
	lanes     = 8 // elements a vector instruction multiplies
)

// batch adds up to batchSize pairs of affine points (x1, y1) + (x2, y2) at once.
type batch struct {
	x1, y1, x2, y2 fp.Vector
	slope, d, t    fp.Vector
	tree           fp.Vector // products of denominators, two elements and fewer to a product
	special        []special
}

// special is a sum that the formula for different points doesn't give.
type special struct {
	at  int
	sum bn254.G1Affine
}

func newBatch() *batch {
	all := make(fp.Vector, 9*batchSize)
	vector := func(n int) fp.Vector {
		v := all[:n:n]
		all = all[n:]
		return v
	}
	return &batch{
		x1: vector(batchSize), y1: vector(batchSize), x2: vector(batchSize), y2: vector(batchSize),
		slope: vector(batchSize), d: vector(batchSize), t: vector(batchSize),
		tree: vector(2 * batchSize),
	}
}

// add sets (x, y)[j] to the sum of the j-th pair for j < n. The outputs and the
// batch's vectors are written up to the next multiple of lanes.
//
// For different x it is the chord: λ = (y2−y1)/(x2−x1), x = λ²−x1−x2,
// y = λ(x1−x)−y1, six multiplications with three for the share of the inversion.
// For equal points the slope is the tangent's, 3x²/2y, and all else is the same.
// Opposite points, and with infinite set also infinite ones (written (0, 0)), are put
// in afterwards. It returns whether a sum is infinite.
func (b *batch) add(n int, x, y fp.Vector, infinite bool) bool {
	m := (n + lanes - 1) &^ (lanes - 1)
	x, y = x[:m], y[:m]
	x1, y1, x2, y2, slope, d, t := b.x1[:m], b.y1[:m], b.x2[:m], b.y2[:m], b.slope[:m], b.d[:m], b.t[:m]
	d.Sub(x2, x1)
	slope.Sub(y2, y1)
	b.special = b.special[:0]
	for j := range d[:n] {
		if infinite && (isInfinite(&x1[j], &y1[j]) || isInfinite(&x2[j], &y2[j])) || d[j].IsZero() {
			b.exception(j)
		}
	}
	for j := n; j < m; j++ {
		d[j].SetOne()
	}
	b.invert(d)

	slope.Mul(slope, d)
	t.Mul(slope, slope)
	t.Sub(t, x1)
	x.Sub(t, x2)
	t.Sub(x1, x)
	t.Mul(t, slope)
	y.Sub(t, y1)

	infinite = false
	for _, s := range b.special {
		x[s.at], y[s.at] = s.sum.X, s.sum.Y
		infinite = infinite || s.sum.IsInfinity()
	}
	return infinite
}

func isInfinite(x, y *fp.Element) bool { return x.IsZero() && y.IsZero() }

// exception makes the j-th denominator one that has an inverse.
func (b *batch) exception(j int) {
	x1, y1, x2, y2 := &b.x1[j], &b.y1[j], &b.x2[j], &b.y2[j]
	var sum bn254.G1Affine
	switch {
	case isInfinite(x1, y1):
		sum = bn254.G1Affine{X: *x2, Y: *y2}
	case isInfinite(x2, y2):
		sum = bn254.G1Affine{X: *x1, Y: *y1}
	case y1.Equal(y2) && !y1.IsZero():
		var xx fp.Element
		xx.Square(x1)
		b.slope[j].Double(&xx).Add(&b.slope[j], &xx)
		b.d[j].Double(y1)
		return
	}
	b.d[j].SetOne()
	b.special = append(b.special, special{j, sum})
}

// invert inverts the elements of v, none of which is zero and whose number is a
// multiple of lanes, by Montgomery's trick over a tree: a level's first half times its
// second half is the next level, down to one vector instruction's worth; back up, an
// element's inverse is its product's times the other factor.
func (b *batch) invert(v fp.Vector) {
	var levels [32]fp.Vector
	depth, free := 0, b.tree
	for levels[0] = v; len(levels[depth]) > lanes; depth++ {
		level := levels[depth]
		h := (len(level)/2 + lanes - 1) &^ (lanes - 1)
		products := free[:h:h]
		free = free[h:]
		k := len(level) - h
		low := products[:k]
		low.Mul(level[:k], level[h:])
		copy(products[k:], level[k:h])
		levels[depth+1] = products
	}
	invertFew(levels[depth])
	for depth--; depth >= 0; depth-- {
		level, inverses := levels[depth], levels[depth+1]
		h := len(inverses)
		k := len(level) - h
		t, low, high := b.t[:k], level[:k], level[h:]
		t.Mul(inverses[:k], high)
		high.Mul(inverses[:k], low)
		copy(low, t)
		copy(level[k:h], inverses[k:h])
	}
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
