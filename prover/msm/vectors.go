package msm

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// vectors is the arithmetic in operations of gnark-crypto's vectors, for every
// processor.
type vectors struct {
	numerators, denominators fp.Vector
	x1, y1, x2, t            fp.Vector
	tree                     fp.Vector // products of denominators
}

func newVectors() *vectors {
	all := make(fp.Vector, 8*batchSize)
	next := func(n int) fp.Vector {
		v := all[:n:n]
		all = all[n:]
		return v
	}
	return &vectors{
		numerators: next(batchSize), denominators: next(batchSize),
		x1: next(batchSize), y1: next(batchSize), x2: next(batchSize), t: next(batchSize),
		tree: next(2 * batchSize),
	}
}

func (v *vectors) subtract(pairs []pairs, points []bn254.G1Affine, equal []uint8) {
	n := lanes * len(pairs)
	x1, y1, x2, y2 := v.x1[:n], v.y1[:n], v.x2[:n], v.t[:n]
	for k := range pairs {
		for lane := range lanes {
			j := k*lanes + lane
			p, q := point(points, pairs[k].first[lane]), point(points, pairs[k].second[lane])
			x1[j], y1[j], x2[j], y2[j] = p.X, p.Y, q.X, q.Y
		}
	}
	d, e := v.denominators[:n], v.numerators[:n]
	d.Sub(x2, x1)
	e.Sub(y2, y1)
	clear(equal)
	for j := range d {
		if d[j].IsZero() {
			equal[j/lanes] |= 1 << (j % lanes)
		}
	}
}

func (v *vectors) set(j int, numerator, denominator *fp.Element) {
	v.numerators[j], v.denominators[j] = *numerator, *denominator
}

func (v *vectors) finish(pairs []pairs, points, sums []bn254.G1Affine, _ []entry) {
	n := lanes * len(pairs)
	x1, y1, x2, t, slope := v.x1[:n], v.y1[:n], v.x2[:n], v.t[:n], v.numerators[:n]
	v.invert(v.denominators[:n])
	slope.Mul(slope, v.denominators[:n])
	t.Mul(slope, slope)
	t.Sub(t, x1)
	x2.Sub(t, x2) // the sums' x
	t.Sub(x1, x2)
	t.Mul(t, slope)
	t.Sub(t, y1) // the sums' y
	for j := range t {
		sums[j] = bn254.G1Affine{X: x2[j], Y: t[j]}
	}
}

// invert inverts the elements of d, none of which is zero and whose number is a
// multiple of lanes, over a tree of products as blocks does.
func (v *vectors) invert(d fp.Vector) {
	var levels [32]fp.Vector
	depth, free := 0, v.tree
	for levels[0] = d; len(levels[depth]) > lanes; depth++ {
		level := levels[depth]
		h := (len(level)/2 + lanes - 1) &^ (lanes - 1)
		products := free[:h:h]
		free = free[h:]
		low := products[:len(level)-h]
		low.Mul(level[:len(level)-h], level[h:])
		copy(products[len(level)-h:], level[len(level)-h:h])
		levels[depth+1] = products
	}
	invertFew(levels[depth])
	for depth--; depth >= 0; depth-- {
		level, inverses := levels[depth], levels[depth+1]
		h := len(inverses)
		k := len(level) - h
		t, low, high := v.t[:k], level[:k], level[h:]
		t.Mul(inverses[:k], high)
		high.Mul(inverses[:k], low)
		copy(low, t)
		copy(level[k:h], inverses[k:h])
	}
}
