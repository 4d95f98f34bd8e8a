package gadget

import "fmt"

// maxRange is the most bits of a range check: sums of two limbs and what is
// reckoned with them stay in int64.
const maxRange = 62

// Range asserts 0 <= x < 2^bits, 0 <= bits <= 62, for any field element x.
//
// One bit is x·(x−1) = 0 and two bits are t·(t+2) = 0 with t = x·(x−3). More bits
// are limbs of the range tables' widths, with the equation x = Σ 2^k·limb; a limb
// narrower than its table takes two queries, x and 2^bits − 1 − x, which bound it
// whatever x is. See Table for what is committed and the soundness error.
//
// Rows: 1, 2, 3.5 for a table's width, 6 below; for more, 3.5 to 6 for each limb
// and 1 for each but the first. It records x as proven, and as bound where limbs
// are committed.
func (b *Builder) Range(x Expr, bits int) { b.RangeAll([]Expr{x}, bits) }

// RangeAll is Range for each of xs.
func (b *Builder) RangeAll(xs []Expr, bits int) {
	if bits < 0 || bits > maxRange {
		b.fail(fmt.Errorf("a range check of %d bits", bits))
		return
	}
	wires := make([]Expr, 0, len(xs))
	for _, x := range xs {
		if !x.IsConst() {
			wires = append(wires, x)
		} else if v, ok := x.integer(); !ok || v < 0 || length(v) > bits {
			b.fail(fmt.Errorf("the constant %s isn't in 0 … 2^%d − 1", x.Const.String(), bits))
		}
	}
	for _, x := range wires {
		switch bits {
		case 0:
			b.AssertEqual(x, Constant(0))
		case 1:
			b.AssertMul(x, x.Plus(-1), Constant(0))
		case 2:
			t := b.Mul(x, x.Plus(-3))
			b.AssertMul(t, t.Plus(2), Constant(0))
		}
	}
	if bits > 2 && b.needTables() {
		b.limbs(wires, b.exact(bits))
	}
	for _, x := range wires {
		if bits < maxRange {
			b.prove(x, 0, 1<<bits-1, 0)
		}
	}
}

// limbs holds each of xs, none of them constant, by the plan d.
func (b *Builder) limbs(xs []Expr, d digits) {
	if len(d.limbs) == 1 {
		for _, x := range xs {
			b.check(d, []Expr{x})
		}
		return
	}
	hints := b.each("limbs", xs, len(d.limbs), d.split)
	for i, x := range xs {
		b.assertZero(append(b.check(d, hints[i]), x.Times(-1)))
		b.bind(x)
	}
}
