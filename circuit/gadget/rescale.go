package gadget

import (
	"fmt"
	"slices"
)

// Rounding is y = min(max(round(x·Mult/2^Shift), Min), Max), where round takes the
// nearest integer and ties go up, or to the even one if HalfEven.
type Rounding struct {
	Mult     int64 // >= 1
	Shift    uint  // <= 62
	HalfEven bool
	Min, Max int64
}

// reduced drops factors of two that the multiplier shares with the divisor.
func (r Rounding) reduced() Rounding {
	for r.Mult&1 == 0 && r.Shift > 0 {
		r.Mult >>= 1
		r.Shift--
	}
	return r
}

// half is what is added before the shift.
func (r Rounding) half() int64 { return 1 << r.Shift >> 1 }

// round returns the rounded value, not clamped.
func (r Rounding) round(x int64) int64 {
	v := x*r.Mult + r.half()
	q := v >> r.Shift
	if r.HalfEven && r.Shift > 0 && v&(1<<r.Shift-1) == 0 {
		q &^= 1
	}
	return q
}

func (r Rounding) apply(x int64) int64 { return min(max(r.round(x), r.Min), r.Max) }

// valid reports whether x·Mult + half stays below 2^62 in magnitude.
func (r Rounding) valid(in Interval) error {
	limit := int64(1)<<62 - 1 - r.half()
	switch {
	case r.Mult < 1 || r.Shift > 62 || r.Min > r.Max || in.Lo > in.Hi:
		return fmt.Errorf("rescale %+v of [%d, %d]", r, in.Lo, in.Hi)
	case in.Hi > limit/r.Mult || in.Lo < -limit/r.Mult:
		return fmt.Errorf("rescale %+v of [%d, %d]: values can reach 2^62", r, in.Lo, in.Hi)
	}
	return nil
}

// Rescale returns y = min(max(round(x·Mult/2^Shift), Min), Max) for each x of xs, by
//
//	x·Mult + 2^(Shift−1) = 2^Shift·q + r,   0 <= r < 2^Shift,
//
// where r is held by limbs and q, with y, by the cheapest plan of quotient.
//
// The caller proves that each x is an integer of the interval in: an integer
// combination (or a product) of values that are range-checked elsewhere by unscaled
// queries, or equal to one by an argument over committed values. It may be a hint
// of the prover whose range nothing else proves. This is what makes r an integer,
// so that a limb narrower than its table needs no second query.
//
// If Mult is 1 and x is a wire with coefficient ±1, the interval that the limbs imply
// is recorded as proven, and if all limbs are committed the wire as bound. y is
// recorded as proven where the limbs say so.
//
// Elements that are results of a linear map whose weights confine them to less than the
// interval in are held by the limbs that they need: see partition.
//
// Rows, with a remainder of one limb: 8 if nothing is clamped and q fits one limb; 11
// for ReLU by its sign; 14.5 for both clamps if Max − Min + 1 is the size of a table
// and the excess fits one limb, 17 if it is less. Half to even costs 9 more and a
// clamp of its own. No row for Shift = 0 without a clamp.
func (b *Builder) Rescale(xs []Expr, in Interval, r Rounding) []Expr {
	if err := r.valid(in); err != nil {
		b.fail(err)
		return make([]Expr, len(xs))
	}
	r = r.reduced()
	ys := make([]Expr, len(xs))
	for _, p := range b.partition(xs, in, r) {
		part := make([]Expr, len(p.members))
		for k, i := range p.members {
			part[k] = xs[i]
		}
		for k, y := range b.rescale(part, p.in, r) {
			ys[p.members[k]] = y
		}
	}
	return ys
}

// part is some of the operands of one call, and the interval they lie in.
type part struct {
	in      Interval
	members []int
}

// partition divides operands by what is known to reach them: an element x of a linear
// map's result lies in its own channel's interval, see Builder.reach, which may be a
// part of in. It needs fewer limbs then, or narrower ones, which prove a narrower
// range of x, and so the linear map's lanes are narrower. The intervals are widened to
// quotients −2^k … 2^l − 1, so that there are few.
//
// It rests on the same as the interval in does: that x is proven to be what the linear
// map gives for operands in their intervals. An x elsewhere has no limbs.
func (b *Builder) partition(xs []Expr, in Interval, r Rounding) []part {
	var parts []part
	up := r // where a tie goes to even, the quotient of the equation is the one above
	up.HalfEven = false
	for i, x := range xs {
		own := in
		reach, ok := b.reaches(x)
		reach = Interval{max(reach.Lo, in.Lo), min(reach.Hi, in.Hi)}
		if ok && r.Mult == 1 && reach.Lo <= reach.Hi {
			lo, hi := up.round(reach.Lo), up.round(reach.Hi)
			if lo < 0 {
				lo = -1 << length(-lo-1)
			} else {
				lo = 0
			}
			hi = 1<<length(max(hi, 0)) - 1
			own.Lo = max(in.Lo, lo<<r.Shift-r.half())
			own.Hi = min(in.Hi, (hi+1)<<r.Shift-1-r.half())
		}
		k := slices.IndexFunc(parts, func(p part) bool { return p.in == own })
		if k < 0 {
			k = len(parts)
			parts = append(parts, part{in: own})
		}
		parts[k].members = append(parts[k].members, i)
	}
	return parts
}

// rescale is Rescale of elements that all lie in the interval in.
func (b *Builder) rescale(xs []Expr, in Interval, r Rounding) []Expr {
	if r.HalfEven && r.Shift > 0 {
		return b.rescaleHalfEven(xs, in, r)
	}
	q := Interval{r.round(in.Lo), r.round(in.Hi)}
	switch {
	case r.apply(in.Lo) == r.apply(in.Hi):
		return constants(len(xs), r.apply(in.Lo))
	case r.Shift == 0 && q.Lo >= r.Min && q.Hi <= r.Max:
		ys := make([]Expr, len(xs))
		for i, x := range xs {
			ys[i] = x.Times(r.Mult)
		}
		return ys
	case !b.needTables():
		return make([]Expr, len(xs))
	}
	plan := b.quotient(q, r.Min, r.Max)
	return b.divide(xs, r, plan)
}

func constants(n int, v int64) []Expr {
	ys := make([]Expr, n)
	for i := range ys {
		ys[i] = Constant(v)
	}
	return ys
}

// divide writes x·Mult + half = 2^Shift·q + r for each x, with q by the plan, and
// returns the plan's results.
func (b *Builder) divide(xs []Expr, r Rounding, plan quotient) []Expr {
	rest := b.rest(r)
	hints := b.each("rescale", variables(xs), plan.hints+len(rest.limbs), func(x int64, out []int64) {
		v := x*r.Mult + r.half()
		plan.fill(v>>r.Shift, out[:plan.hints])
		rest.split(v&(1<<r.Shift-1), out[plan.hints:])
	})
	ys := make([]Expr, len(xs))
	for i, x := range xs {
		if v, ok := x.integer(); ok {
			ys[i] = Constant(r.apply(v))
			continue
		}
		h := hints[0]
		hints = hints[1:]
		q, y := plan.write(h[:plan.hints])
		b.quotientAndRest(x, r, q, b.check(rest, h[plan.hints:]))
		b.recordDividend(x, r, plan, rest)
		ys[i] = y
	}
	return ys
}

// rest is the plan for the remainder.
func (b *Builder) rest(r Rounding) digits {
	if r.Shift == 0 {
		return digits{}
	}
	return b.remainder(int(r.Shift))
}

// quotientAndRest asserts x·Mult + half = 2^Shift·Σq + Σrest.
func (b *Builder) quotientAndRest(x Expr, r Rounding, q, rest []Expr) {
	terms := append([]Expr{}, rest...)
	for _, t := range q {
		terms = append(terms, t.Scale(Pow2(int(r.Shift))))
	}
	b.assertZero(append(terms, x.Times(-r.Mult).Plus(-r.half())))
}

// recordDividend records what the limbs say of x.
func (b *Builder) recordDividend(x Expr, r Rounding, plan quotient, rest digits) {
	if plan.bound {
		b.bind(x)
	}
	limit := int64(maxProven>>r.Shift) - 1
	if r.Mult == 1 && !plan.wide && plan.implied.Hi < limit && plan.implied.Lo > -limit {
		b.prove(x, plan.implied.Lo<<r.Shift-r.half(), (plan.implied.Hi+1)<<r.Shift-1-r.half(), rest.frac())
	}
}

// variables returns the Exprs that aren't constant.
func variables(xs []Expr) []Expr {
	var vs []Expr
	for _, x := range xs {
		if !x.IsConst() {
			vs = append(vs, x)
		}
	}
	return vs
}

// rescaleHalfEven proves ties to even: with the equation of Rescale, q = base + 2k + p
// for a bit p, k by limbs and base even, z = 1 if r = 0, else 0, y = q − z·p, clamped
// as an integer of its own. z is r·i = 1 − z, r·z = 0; i is free where r = 0 and
// nothing else depends on it. The bit isn't committed.
func (b *Builder) rescaleHalfEven(xs []Expr, in Interval, r Rounding) []Expr {
	if !b.needTables() {
		return make([]Expr, len(xs))
	}
	up := r
	up.HalfEven = false
	base := up.round(in.Lo) &^ 1
	d, rest := b.loose(length((up.round(in.Hi)-base)>>1)), b.rest(r)
	n := len(d.limbs) + 1
	hints := b.each("rescale half-even", variables(xs), n+len(rest.limbs), func(x int64, out []int64) {
		v := x*r.Mult + r.half()
		q := v>>r.Shift - base
		out[0] = q & 1
		d.split(q>>1, out[1:n])
		rest.split(v&(1<<r.Shift-1), out[n:])
	})
	most, ok := d.max()
	plan := quotient{implied: Interval{base, base + 2*min(most, maxProven/4) + 1}, wide: !ok || most >= maxProven/4}
	ys := make([]Expr, len(xs))
	for i, x := range xs {
		if v, ok := x.integer(); ok {
			ys[i] = Constant(r.round(v))
			continue
		}
		h := hints[0]
		hints = hints[1:]
		p, k := h[0], b.Sum(b.check(d, h[1:n])...)
		b.AssertMul(p, p.Plus(-1), Constant(0))
		q := b.Add(k.Times(2), p).Plus(base)
		low := b.Sum(b.check(rest, h[n:])...)
		b.quotientAndRest(x, r, []Expr{q}, []Expr{low})
		b.recordDividend(x, r, plan, rest)
		ys[i] = b.Sub(q, b.Mul(b.isZero(low), p))
	}
	clamp := Rounding{Mult: 1, Min: r.Min, Max: r.Max}
	return b.Rescale(ys, Interval{r.round(in.Lo), r.round(in.Hi)}, clamp)
}

// isZero returns 1 if x = 0, else 0: x·i = 1 − z, x·z = 0, two rows. i is free where
// x = 0; nothing else depends on it.
func (b *Builder) isZero(x Expr) Expr {
	i := b.Hint(ratioHint, 1, Constant(1), x)[0]
	z := b.Mul(x.Scale(minusOne), i).Plus(1)
	b.AssertMul(x, z, Constant(0))
	return z
}
