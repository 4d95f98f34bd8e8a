package gadget

import (
	"math"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint/solver"
)

// quotient is a plan to hold an integer q of a known interval together with
// y = min(max(q, lo), hi): hinted integers, the rows that check them, and q as a
// sum of terms. Given q, which the caller's equation must prove to be an integer
// of no more than 2^62, every hinted integer is unique unless noted.
type quotient struct {
	hints   int
	fill    func(q int64, out []int64)
	write   func(h []Expr) (q []Expr, y Expr)
	implied Interval // q lies in it by what is written alone
	wide    bool     // that is not known: the ends don't fit
	bound   bool     // q is a function of committed hints
	cost    int      // in half rows, with one row for each term of q
}

// quotient returns the cheapest plan for q in the given interval, clamped to
// [lo, hi], which it must meet in more than one point.
func (b *Builder) quotient(q Interval, lo, hi int64) quotient {
	return cheapest(b.quotients(q, lo, hi), func(quotient) bool { return true })
}

// boundQuotient is quotient, among the plans that make q a function of committed
// hints.
func (b *Builder) boundQuotient(q Interval, lo, hi int64) quotient {
	return cheapest(b.quotients(q, lo, hi), func(p quotient) bool { return p.bound })
}

// quotients lists the plans; those that can't be written have no write.
func (b *Builder) quotients(q Interval, lo, hi int64) []quotient {
	under, over := q.Lo < lo, q.Hi > hi
	switch {
	case under && over:
		return []quotient{b.saturate(q, lo, hi), b.saturateHigh(q, lo, hi)}
	case under:
		return []quotient{b.rectifySign(q, lo, 1), b.rectify(q, lo, 1), b.rectifyHigh(q, lo, 1)}
	case over:
		mirrored := Interval{-q.Hi, -q.Lo}
		return []quotient{b.rectifySign(mirrored, -hi, -1), b.rectify(mirrored, -hi, -1), b.rectifyHigh(mirrored, -hi, -1)}
	}
	return []quotient{b.unclamped(q)}
}

// cheapest returns the plan of least cost among those wanted.
func cheapest(plans []quotient, wanted func(quotient) bool) quotient {
	best := quotient{cost: math.MaxInt}
	for _, p := range plans {
		if p.write != nil && wanted(p) && p.cost < best.cost {
			best = p
		}
	}
	return best
}

// unclamped is q = lo + limbs, with y = q.
//
// Rows: 3.5 for each limb, 1 for each but the first.
func (b *Builder) unclamped(q Interval) quotient {
	d := b.loose(length(q.Hi - q.Lo))
	most, ok := d.max()
	return quotient{
		hints: len(d.limbs),
		fill:  func(v int64, out []int64) { d.split(v-q.Lo, out) },
		write: func(h []Expr) ([]Expr, Expr) {
			y := b.hold(d, h).Plus(q.Lo)
			return []Expr{y}, y
		},
		implied: Interval{q.Lo, q.Lo + most},
		wide:    !ok || q.Lo+most > maxProven,
		bound:   true,
		cost:    d.cost() + costRow*len(d.limbs),
	}
}

// The plans for one-sided clamps are written for y = max(q, lo); sign −1 mirrors
// them: q, lo and y stand for −q, −hi and −y.

// rectifySign is ReLU by its sign bit: q − lo = mid − 2^w·n, y − lo = mid·(1 − n),
// with 0 <= mid < 2^w by its limbs and n a bit.
//
// Rows: 3.5 for each limb and 1 for each but the first, 1 for the bit, 1 for y, 1
// more term. The bit isn't committed.
func (b *Builder) rectifySign(q Interval, lo, sign int64) quotient {
	d := b.loose(length(q.Hi - lo))
	most, ok := d.max()
	if !ok || lo-q.Lo > most+1 {
		return quotient{}
	}
	return quotient{
		hints: len(d.limbs) + 1,
		fill: func(v int64, out []int64) {
			v = sign*v - lo
			if v < 0 {
				out[len(d.limbs)] = 1
				v += most + 1
			}
			d.split(v, out[:len(d.limbs)])
		},
		write: func(h []Expr) ([]Expr, Expr) {
			mid, n := b.hold(d, h[:len(d.limbs)]), h[len(d.limbs)]
			b.AssertMul(n, n.Plus(-1), Constant(0))
			u := b.Mul(mid, n.Times(-1).Plus(1))
			b.prove(u, 0, most, 0)
			y := u.Plus(lo).Times(sign)
			return []Expr{mid.Plus(lo).Times(sign), n.Scale(Pow2(d.bits)).Times(-sign)}, y
		},
		implied: oriented(lo-most-1, lo+most, sign),
		wide:    lo-most-1 < -maxProven || lo+most > maxProven,
		cost:    d.cost() + costRow*(len(d.limbs)-1) + costRow*4,
	}
}

// rectify is y − lo = u, q = y − e, u·e = 0, with 0 <= u, e by their limbs.
//
// Rows: 3.5 for each limb, 1 for the product, 1 for each term but the first and
// for each limb but a value's first.
func (b *Builder) rectify(q Interval, lo, sign int64) quotient {
	du, de := b.loose(length(q.Hi-lo)), b.loose(length(lo-q.Lo))
	mu, okU := du.max()
	me, okE := de.max()
	n := len(du.limbs)
	return quotient{
		hints: n + len(de.limbs),
		fill: func(v int64, out []int64) {
			v = sign*v - lo
			du.split(max(v, 0), out[:n])
			de.split(max(-v, 0), out[n:])
		},
		write: func(h []Expr) ([]Expr, Expr) {
			u, e := b.hold(du, h[:n]), b.hold(de, h[n:])
			b.AssertMul(u, e, Constant(0))
			y := u.Plus(lo).Times(sign)
			return []Expr{y, e.Times(-sign)}, y
		},
		implied: oriented(lo-me, lo+mu, sign),
		wide:    !okU || !okE || lo-me < -maxProven || lo+mu > maxProven,
		bound:   true,
		cost:    du.cost() + de.cost() + costRow*(n+len(de.limbs)-2) + costRow*3,
	}
}

// rectifyHigh is q − lo = mid − 2^w·n with 0 <= mid < 2^w and 0 <= n by their limbs,
// and u = mid if n = 0, else 0: n·u = 0 and n·t = u − mid. Where n = 0, t is free;
// nothing else depends on it.
//
// Rows: 3.5 for each limb, 3 for u, 1 for each term but the first and for each limb
// but a value's first.
func (b *Builder) rectifyHigh(q Interval, lo, sign int64) quotient {
	d := b.loose(length(q.Hi - lo))
	most, ok := d.max()
	if !ok {
		return quotient{}
	}
	dn := b.loose(length((lo-q.Lo)>>d.bits + 1))
	times, ok := dn.max()
	wide := !ok || d.bits+dn.bits > 60
	n, k := len(d.limbs), len(d.limbs)+len(dn.limbs)
	implied := Interval{}
	if !wide {
		implied = oriented(lo-times<<d.bits, lo+most, sign)
		wide = implied.Lo < -maxProven || implied.Hi > maxProven
	}
	return quotient{
		hints: k + 1,
		fill: func(v int64, out []int64) {
			v = sign*v - lo
			high := -(v >> d.bits)
			d.split(v&most, out[:n])
			dn.split(high, out[n:k])
			if high <= 0 {
				out[k] = v & most
			}
		},
		write: func(h []Expr) ([]Expr, Expr) {
			mid, high, u := b.hold(d, h[:n]), b.hold(dn, h[n:k]), h[k]
			b.AssertMul(high, u, Constant(0))
			b.assertSelected(high, u, mid)
			b.prove(u, 0, most, 0)
			y := u.Plus(lo).Times(sign)
			return []Expr{mid.Plus(lo).Times(sign), high.Scale(Pow2(d.bits)).Times(-sign)}, y
		},
		implied: implied,
		wide:    wide,
		bound:   true,
		cost:    d.cost() + dn.cost() + costRow*(k-2) + costRow*5,
	}
}

// saturate is both clamps: with u = y − lo, M = hi − lo and 0 <= e,
//
//	s = (2/M)·e·u − e,   s·u = (M/2)·(s + e),   q = y + s,
//
// 0 <= u <= M exactly. The first two say that e·u = s·u, so u = 0 and s = −e, or
// s = e; then e·u = M·e, so e = 0 or u = M. For M = 1 the first one alone says that.
//
// Rows: 3.5 for each limb of e; for u 3.5 if M + 1 = 2^w with a table's width w, 6
// if it is less than a table's size; 2 and 1 for each term but the first.
func (b *Builder) saturate(q Interval, lo, hi int64) quotient {
	m := hi - lo
	du, de := b.bounded(m), b.loose(length(max(lo-q.Lo, q.Hi-hi)))
	most, ok := de.max()
	n := du.hints
	rows := 2
	if m == 1 {
		rows = 1
	}
	return quotient{
		hints: n + len(de.limbs),
		fill: func(v int64, out []int64) {
			y := min(max(v, lo), hi)
			du.fill(y-lo, out[:n])
			de.split(max(v-y, y-v), out[n:])
		},
		write: func(h []Expr) ([]Expr, Expr) {
			u, e := du.write(h[:n]), b.hold(de, h[n:])
			s := b.scaledExcess(u, e, m)
			if m > 1 {
				b.assertExcess(s, u, e, m)
			}
			return []Expr{u.Plus(lo), s}, u.Plus(lo)
		},
		implied: Interval{lo - most, hi + most},
		wide:    !ok || lo-most < -maxProven || hi+most > maxProven,
		bound:   true,
		cost:    du.cost + de.cost() + costRow*(len(de.limbs)-1) + costRow*(rows+2),
	}
}

// excess returns s with s = 0 if e = 0, else −e where u = 0 and e where u = m; other
// u are rejected.
func (b *Builder) excess(u, e Expr, m int64) Expr {
	s := b.scaledExcess(u, e, m)
	b.assertExcess(s, u, e, m)
	return s
}

// scaledExcess returns (2/m)·e·u − e.
func (b *Builder) scaledExcess(u, e Expr, m int64) Expr {
	twice, inverse := Int(2), Int(m)
	inverse.Inverse(&inverse)
	twice.Mul(&twice, &inverse)
	return b.MulAdd(e, u.Scale(twice), e.Times(-1))
}

// assertExcess asserts s·(u − m/2) = (m/2)·e.
func (b *Builder) assertExcess(s, u, e Expr, m int64) {
	half := Int(m)
	half.Halve()
	shifted := u
	shifted.Const.Sub(&shifted.Const, &half)
	b.AssertMul(s, shifted, e.Scale(half))
}

// saturateHigh is both clamps for hi − lo + 1 = 2^k: q − lo = 2^k·s + mid with
// 0 <= mid < 2^k exactly, s as in saturate from 0 <= e and u, and u = mid if e = 0.
//
// Rows: as saturate with mid for u, and 2.
func (b *Builder) saturateHigh(q Interval, lo, hi int64) quotient {
	m := hi - lo
	k := length(m)
	if m != 1<<k-1 {
		return quotient{}
	}
	dm, de := b.bounded(m), b.loose(length(max((lo-q.Lo)>>k+1, (q.Hi-lo)>>k)))
	most, ok := de.max()
	n := dm.hints
	at := n + len(de.limbs)
	implied, wide := Interval{}, !ok || k+de.bits > 60
	if !wide {
		implied = Interval{lo - most<<k, hi + most<<k}
		wide = implied.Lo < -maxProven || implied.Hi > maxProven
	}
	return quotient{
		hints: at + 1,
		fill: func(v int64, out []int64) {
			v -= lo
			high := v >> k
			dm.fill(v&m, out[:n])
			de.split(max(high, -high), out[n:at])
			out[at] = min(max(v, 0), m)
		},
		write: func(h []Expr) ([]Expr, Expr) {
			mid, e, u := dm.write(h[:n]), b.hold(de, h[n:at]), h[at]
			s := b.excess(u, e, m)
			b.assertSelected(e, u, mid)
			b.prove(u, 0, m, 0)
			return []Expr{mid.Plus(lo), s.Scale(Pow2(k))}, u.Plus(lo)
		},
		implied: implied,
		wide:    wide,
		cost:    dm.cost + de.cost() + costRow*(len(de.limbs)-1) + costRow*6,
	}
}

// assertSelected asserts u = v where s = 0, and nothing elsewhere: s·t = u − v, in two
// rows. t is a hint that is free where s = 0 = u − v; nothing else depends on it.
func (b *Builder) assertSelected(s, u, v Expr) {
	d := b.Sub(u, v)
	t := b.Hint(ratioHint, 1, d, s)[0]
	b.AssertMul(s, t, d)
}

func init() { solver.RegisterHint(ratioHint) }

// ratioHint returns inputs[0]/inputs[1], or 0 if the second is zero.
func ratioHint(_ *big.Int, inputs, outputs []*big.Int) error {
	var a, d fr.Element
	a.SetBigInt(inputs[0])
	d.SetBigInt(inputs[1])
	a.Div(&a, &d)
	a.BigInt(outputs[0])
	return nil
}

func oriented(lo, hi, sign int64) Interval {
	if sign < 0 {
		return Interval{-hi, -lo}
	}
	return Interval{lo, hi}
}
