package gadget

import (
	"fmt"
	"math/bits"
)

// limb is one part of an integer that is held to 0 … 2^width − 1 by queries to the
// range table of its table width: one query if they are equal, otherwise two, of x
// and of 2^width − 1 − x, or the single scaled one of 2^(table−width)·x, which
// proves only that this product is an integer.
type limb struct {
	width, table int
	shift        int // its weight is 2^shift
	scaled       bool
}

// digits is a plan to hold an integer v >= 0 as limbs, lowest first.
type digits struct {
	limbs []limb
	bits  int // they hold every v < 2^bits, and no other
}

// Costs in half rows: a query with its commitment, a second query of a committed
// value, a row.
const (
	costLimb  = 7
	costQuery = 5
	costRow   = 2
)

// loose is the cheapest plan that holds every v < 2^n: whole limbs, of at least n
// bits together. For a value that must be an integer which can't wrap the field,
// and needs no exact bound.
func (b *Builder) loose(n int) digits {
	widest := b.widths[len(b.widths)-1]
	count := max(1, (n+widest-1)/widest)
	best := b.fill(count, func(total int) (int, bool) { return total - n, total >= n })
	return stack(best, 0)
}

// exact is the cheapest plan that holds v < 2^n and no other: whole limbs and at
// most one narrow one, which takes two queries. n >= 1.
func (b *Builder) exact(n int) digits {
	widest := b.widths[len(b.widths)-1]
	best, narrow := []int(nil), 0
	for count := max(1, n/widest); count <= n/b.widths[0]; count++ {
		if w := b.fill(count, func(total int) (int, bool) { return 0, total == n }); w != nil {
			best = w
			break
		}
	}
	// count whole limbs and a narrow one against that many whole ones
	for count := max(0, (n-1)/widest); best == nil || len(best)*(costLimb+costRow) > count*(costLimb+costRow)+costLimb+costQuery; count++ {
		w := b.fill(count, func(total int) (int, bool) { return n - total, total < n && n-total < widest })
		if w != nil || count == 0 && n < widest {
			best, narrow = w, n
			for _, k := range w {
				narrow -= k
			}
			break
		}
	}
	d := stack(best, narrow)
	if narrow > 0 {
		d.limbs[0].table = b.tableFor(narrow)
	}
	return d
}

// remainder is the cheapest plan that holds v < 2^n and no other, where v is an
// integer combination of values that are proven to be integers without it: whole
// limbs and at most one narrow one, with one scaled query. The narrow limb has
// weight 1: then the equation makes it an integer. Two narrow limbs, or one of a
// greater weight, would be free to be fractions of each other.
func (b *Builder) remainder(n int) digits {
	widest := b.widths[len(b.widths)-1]
	count := (n - 1) / widest
	// as little scaling as can be
	excess := func(total int) (int, bool) {
		rest := n - total
		if rest < 1 || rest > widest {
			return 0, false
		}
		return b.tableFor(rest) - rest, true
	}
	best := b.fill(count, excess)
	narrow := n
	for _, k := range best {
		narrow -= k
	}
	d := stack(best, narrow)
	d.limbs[0].table = b.tableFor(narrow)
	d.limbs[0].scaled = d.limbs[0].table > narrow
	return d
}

// tableFor returns the least table width that is at least n.
func (b *Builder) tableFor(n int) int {
	for _, w := range b.widths {
		if w >= n {
			return w
		}
	}
	return b.widths[len(b.widths)-1]
}

// fill picks count table widths, ascending, of least cost by the function of their
// sum, which also says whether the sum will do; nil if none does.
func (b *Builder) fill(count int, cost func(total int) (int, bool)) []int {
	type choice struct{ from, width int }
	reach := []map[int]choice{{0: {}}}
	for range count {
		next := make(map[int]choice)
		for _, w := range b.widths {
			for total := range reach[len(reach)-1] {
				if old, ok := next[total+w]; !ok || w < old.width {
					next[total+w] = choice{total, w}
				}
			}
		}
		reach = append(reach, next)
	}
	best, found := 0, -1
	for total := range reach[count] {
		if c, ok := cost(total); ok && (found < 0 || c < best || c == best && total < found) {
			best, found = c, total
		}
	}
	if found < 0 {
		return nil
	}
	widths := make([]int, count)
	for i := count; i > 0; i-- {
		c := reach[i][found]
		widths[i-1], found = c.width, c.from
	}
	return widths
}

// stack lays a narrow limb, if there is one, and whole ones above it.
func stack(whole []int, narrow int) digits {
	var d digits
	if narrow > 0 {
		d.limbs = append(d.limbs, limb{width: narrow})
		d.bits = narrow
	}
	for _, w := range whole {
		d.limbs = append(d.limbs, limb{width: w, table: w, shift: d.bits})
		d.bits += w
	}
	return d
}

// frac is the power of two that makes a value held by d a proven integer.
func (d digits) frac() int {
	if len(d.limbs) > 0 && d.limbs[0].scaled {
		return d.limbs[0].table - d.limbs[0].width
	}
	return 0
}

// cost is the half rows of d's queries.
func (d digits) cost() int {
	c := costLimb * len(d.limbs)
	if len(d.limbs) > 0 && d.limbs[0].table > d.limbs[0].width && !d.limbs[0].scaled {
		c += costQuery
	}
	return c
}

// split writes the limbs of v.
func (d digits) split(v int64, out []int64) {
	for i, l := range d.limbs {
		out[i] = v >> l.shift
		if i < len(d.limbs)-1 {
			out[i] &= 1<<l.width - 1
		}
	}
}

// max returns the largest value, and false if it isn't below maxProven.
func (d digits) max() (int64, bool) {
	if d.bits > 61 {
		return maxProven, false
	}
	return 1<<d.bits - 1, true
}

// check queries the limbs, hinted wires each, and returns the terms whose sum they
// hold.
func (b *Builder) check(d digits, wires []Expr) []Expr {
	terms := make([]Expr, len(d.limbs))
	for i, l := range d.limbs {
		x := wires[i]
		t := b.rangeTable(l.table)
		switch {
		case l.scaled:
			t.query(x.Scale(Pow2(l.table - l.width)))
		case l.table > l.width:
			t.query(x)
			t.query(x.Times(-1).Plus(1<<l.width - 1))
		default:
			t.query(x)
		}
		terms[i] = x.Scale(Pow2(l.shift))
	}
	return terms
}

// bounded is a plan to hold 0 <= v <= m and nothing else.
type bounded struct {
	hints int
	fill  func(v int64, out []int64)
	write func(h []Expr) Expr
	cost  int // in half rows
}

// bounded returns the cheapest plan: exact limbs if m + 1 is a power of two;
// otherwise loose limbs of v and of m − v, which are v and m − v themselves where one
// table holds them.
func (b *Builder) bounded(m int64) bounded {
	if m&(m+1) == 0 {
		d := b.exact(length(m))
		return bounded{
			hints: len(d.limbs),
			fill:  d.split,
			write: func(h []Expr) Expr { return b.hold(d, h) },
			cost:  d.cost() + costRow*(len(d.limbs)-1),
		}
	}
	d := b.loose(length(m))
	n := len(d.limbs)
	if n == 1 {
		return bounded{
			hints: 1,
			fill:  d.split,
			write: func(h []Expr) Expr {
				v := b.hold(d, h)
				b.check(d, []Expr{v.Times(-1).Plus(m)})
				b.prove(v, 0, m, 0)
				return v
			},
			cost: costLimb + costQuery,
		}
	}
	return bounded{
		hints: 2 * n,
		fill: func(v int64, out []int64) {
			d.split(v, out[:n])
			d.split(m-v, out[n:])
		},
		write: func(h []Expr) Expr {
			v := b.hold(d, h[:n])
			b.bind(h[n]) // the lowest limb of m − v is what the committed ones leave
			b.assertZero(append(b.check(d, h[n:]), v, Constant(-m)))
			b.prove(v, 0, m, 0)
			return v
		},
		cost: 2*d.cost() + costRow*2*(n-1) - costRow,
	}
}

// hold is check, with the value on one wire, recorded as bound and, unless it is
// scaled, as proven.
func (b *Builder) hold(d digits, wires []Expr) Expr {
	v := b.Sum(b.check(d, wires)...)
	b.bind(v)
	if most, ok := d.max(); ok && d.frac() == 0 {
		b.prove(v, 0, most, 0)
	}
	return v
}

// length is the number of bits of v >= 0.
func length(v int64) int { return bits.Len64(uint64(v)) }

// needTables reports whether there are range tables, and fails if not.
func (b *Builder) needTables() bool {
	if len(b.widths) == 0 {
		b.fail(fmt.Errorf("a range check needs a table and the builder has no table widths"))
	}
	return len(b.widths) > 0
}
