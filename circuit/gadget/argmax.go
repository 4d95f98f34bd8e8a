package gadget

import (
	"fmt"
	"slices"
)

// ArgMax returns the index of each group's largest element, the first such index or,
// if last, the last one. The elements are integers of the interval in; all groups
// have one size.
//
// Ties are decided by the key z_i = 2^k·x_i + t_i with 2^k at least the group's size
// and t_i = n − 1 − i, or i if last: all keys differ, and the largest belongs to the
// index. It is proven as in Max by
//
//	Z = 2^k·X + t,   d_i = Z − z_i >= 0,   Π d_i = 0
//
// with limbs for X and 0 <= t < n exactly, which make X and t the largest key's own.
//
// Rows of a group of n, if the keys fit one limb: 5.5·n − 1 as in Max, and 10.5 for X, t
// and Z; 10·n if they take two. The limbs are committed; see Table for the error.
func (b *Builder) ArgMax(groups [][]Expr, in Interval, last bool) []Expr {
	ys := make([]Expr, len(groups))
	if len(groups) == 0 {
		return ys
	}
	n := len(groups[0])
	k := length(int64(n) - 1)
	limit := int64(maxProven) >> k
	if slices.ContainsFunc(groups, func(g []Expr) bool { return len(g) != n }) || n == 0 || in.Lo > in.Hi || in.Lo <= -limit || in.Hi >= limit {
		b.fail(fmt.Errorf("an argmax of %d elements in [%d, %d]", n, in.Lo, in.Hi))
		return ys
	}
	if n == 1 {
		return constants(len(groups), 0)
	}
	if !b.needTables() {
		return ys
	}
	rank := func(i int) int64 {
		if last {
			return int64(i)
		}
		return int64(n - 1 - i)
	}
	value, tie := b.loose(length(in.Hi-in.Lo)), b.bounded(int64(n)-1)
	m := len(value.limbs)
	var differences []Expr
	hints := b.integers("argmax", groups, m+tie.hints, func(values, out []int64) {
		best := values[0]<<k + rank(0)
		for i, x := range values {
			best = max(best, x<<k+rank(i))
		}
		value.split(best>>k-in.Lo, out[:m])
		tie.fill(best&(1<<k-1), out[m:])
	})
	for i, group := range groups {
		t := tie.write(hints[i][m:])
		z := b.Sum(append(scaled(b.check(value, hints[i][:m]), k), t)...).Plus(in.Lo << k)
		product := Constant(1)
		for j, x := range group {
			d := b.Sub(z, x.Times(1<<k).Plus(rank(j)))
			differences = append(differences, d)
			if j < n-1 {
				product = b.Mul(product, d)
			} else {
				b.AssertMul(product, d, Constant(0))
			}
		}
		ys[i] = t
		if !last {
			ys[i] = t.Times(-1).Plus(int64(n) - 1)
		}
	}
	b.limbs(differences, b.loose(length(in.Hi-in.Lo)+k))
	return ys
}

// scaled returns the terms times 2^k.
func scaled(terms []Expr, k int) []Expr {
	for i := range terms {
		terms[i] = terms[i].Scale(Pow2(k))
	}
	return terms
}
