package gadget

import "fmt"

// Threshold returns 1 where x >= t, else 0, for integers xs of the interval in. For a
// bit y,
//
//	u = y·(2·(x−t) + 1) − (x−t) − 1 >= 0
//
// is x − t >= 0 where y is 1, and t − 1 − x >= 0 where it is 0.
//
// Rows: 5.5 if the interval fits one limb. The limbs of u are committed, y is not; see
// Table for the error.
func (b *Builder) Threshold(xs []Expr, t int64, in Interval) []Expr {
	ys := make([]Expr, len(xs))
	switch {
	case in.Lo > in.Hi || in.Lo < -maxProven || in.Hi > maxProven:
		b.fail(fmt.Errorf("a threshold of [%d, %d]", in.Lo, in.Hi))
		return ys
	case t <= in.Lo:
		return constants(len(xs), 1)
	case t > in.Hi:
		return constants(len(xs), 0)
	case !b.needTables():
		return ys
	}
	above := func(x int64) int64 {
		if x >= t {
			return 1
		}
		return 0
	}
	hints := b.each("threshold", variables(xs), 1, func(x int64, out []int64) { out[0] = above(x) })
	var distances []Expr
	for i, x := range xs {
		if v, ok := x.integer(); ok {
			ys[i] = Constant(above(v))
			continue
		}
		y, d := hints[0][0], x.Plus(-t)
		hints = hints[1:]
		b.AssertMul(y, y.Plus(-1), Constant(0))
		distances = append(distances, b.MulAdd(y, d.Times(2).Plus(1), d.Times(-1).Plus(-1)))
		b.prove(y, 0, 1, 0)
		ys[i] = y
	}
	b.limbs(distances, b.loose(length(max(in.Hi-t, t-1-in.Lo))))
	return ys
}
