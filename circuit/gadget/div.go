package gadget

import (
	"fmt"
	"math/bits"
)

// Div returns y = floor((a·2^shift + floor(d/2)) / d) for each pair of dividend and
// divisor, integers of the intervals inA and inD with inD.Lo >= 1: the quotient
// rounded half up.
//
// Doubling avoids the parity of d: y is floor((2·a·2^shift + d) / 2d), as
// 2·floor(d/2) is d or d − 1 and a remainder r < d becomes one of 2r or 2r + 1, below
// 2d. It is proven by
//
//	R = 2·a·2^shift + d − 2·d·y,   0 <= R,   0 <= 2d − 1 − R,
//
// all three, y too, held by limbs: R on both sides, and y since a field element that
// isn't an integer could give any R.
//
// Rows: 13.5 if each fits one limb. The limbs are committed; see Table for the error.
func (b *Builder) Div(as, ds []Expr, inA, inD Interval, shift uint) []Expr {
	ys := make([]Expr, len(as))
	if err := checkDiv(as, ds, inA, inD, shift); err != nil {
		b.fail(err)
		return ys
	}
	if !b.needTables() {
		return ys
	}
	divide := func(a, d int64) int64 {
		return floorDiv(2*a<<shift+d, 2*d)
	}
	lowest := min(divide(inA.Lo, inD.Lo), divide(inA.Lo, inD.Hi))
	highest := max(divide(inA.Hi, inD.Lo), divide(inA.Hi, inD.Hi))
	quotient := b.loose(length(highest - lowest))
	var pairs [][]Expr
	for i := range as {
		if !as[i].IsConst() || !ds[i].IsConst() {
			pairs = append(pairs, []Expr{as[i], ds[i]})
		}
	}
	hints := b.integers("div", pairs, len(quotient.limbs), func(in, out []int64) {
		if in[1] > 0 {
			quotient.split(divide(in[0], in[1])-lowest, out)
		}
	})
	var remainders []Expr
	for i, a := range as {
		d := ds[i]
		if a.IsConst() && d.IsConst() {
			x, _ := a.integer()
			y, _ := d.integer()
			if x < inA.Lo || x > inA.Hi || y < inD.Lo || y > inD.Hi {
				b.fail(fmt.Errorf("the constants %d and %d of a quotient are out of their intervals", x, y))
				continue
			}
			ys[i] = Constant(divide(x, y))
			continue
		}
		y := b.hold(quotient, hints[0]).Plus(lowest)
		hints = hints[1:]
		rest := b.MulAdd(d, y.Times(-2).Plus(1), a.Scale(Pow2(int(shift)+1)))
		remainders = append(remainders, rest, b.Sub(d.Times(2).Plus(-1), rest))
		ys[i] = y
	}
	b.limbs(remainders, b.loose(length(2*inD.Hi-1)))
	return ys
}

// checkDiv refuses what doesn't fit the equation, or int64.
func checkDiv(as, ds []Expr, inA, inD Interval, shift uint) error {
	magnitude := uint64(max(inA.Hi, -inA.Lo, 0))
	high, low := bits.Mul64(magnitude, 2<<min(shift, 61))
	if len(as) != len(ds) || inA.Lo > inA.Hi || inD.Lo > inD.Hi || inD.Lo < 1 || inD.Hi > maxProven || shift > 60 || high != 0 || low > maxProven {
		return fmt.Errorf("a quotient of %d values in [%d, %d]·2^%d and %d in [%d, %d]", len(as), inA.Lo, inA.Hi, shift, len(ds), inD.Lo, inD.Hi)
	}
	return nil
}

// floorDiv is floor(a/d) for d > 0.
func floorDiv(a, d int64) int64 {
	q := a / d
	if a%d < 0 {
		q--
	}
	return q
}
