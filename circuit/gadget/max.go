package gadget

import "slices"

// Max returns the largest element of each group, whose elements are integers of the
// interval in; an Expr that a group has twice counts once. With
//
//	d_i = y − x_i >= 0,   Π d_i = 0
//
// y is one of the x_i and no less than any. The limbs of the d_i are committed; see
// Table for the soundness error.
//
// Rows of a group of n, if the interval fits one limb: 5.5·n − 1. A constant in the
// group is a clamp from below, 6.5.
func (b *Builder) Max(groups [][]Expr, in Interval) []Expr {
	return b.MaxRescale(groups, in, Rounding{Mult: 1, Min: in.Lo, Max: in.Hi})
}

// largest is Max for groups of wires.
func (b *Builder) largest(groups [][]Expr, in Interval) []Expr {
	ys := make([]Expr, len(groups))
	if len(groups[0]) == 1 {
		for i, group := range groups {
			ys[i] = group[0]
		}
		return ys
	}
	if !b.needTables() {
		return ys
	}
	var differences []Expr
	for i, h := range b.integers("max", groups, 1, func(in, out []int64) { out[0] = slices.Max(in) }) {
		ys[i] = h[0]
		product := Constant(1)
		bound := false
		for k, x := range groups[i] {
			d := b.Sub(ys[i], x)
			differences = append(differences, d)
			bound = bound || b.isBound(x)
			if k < len(groups[i])-1 {
				product = b.Mul(product, d)
			} else {
				b.AssertMul(product, d, Constant(0))
			}
		}
		if bound { // y = x + d, and d is committed or bound
			b.bind(ys[i])
		}
	}
	b.limbs(differences, b.loose(length(in.Hi-in.Lo)))
	return ys
}
