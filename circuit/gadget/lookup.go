package gadget

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// maxEntries bounds the size of a lookup table: with more rows than that it couldn't
// be proven anyway.
const maxEntries = 1 << 22

// Table returns the table that maps x in [min, min+len(results)) to results[x−min].
// Tables of one content are one table. name is for display.
func (b *Builder) Table(name string, min int64, results []int64) *Table {
	if len(results) == 0 || len(results) > maxEntries {
		b.fail(fmt.Errorf("a lookup table of %d entries", len(results)))
		results = []int64{0}
	}
	key := binary.AppendVarint(nil, min)
	for _, y := range results {
		key = binary.AppendVarint(key, y)
	}
	t := b.lookups[string(key)]
	if t == nil {
		t = b.newTable(name, min, len(results), results)
		b.lookups[string(key)] = t
	}
	return t
}

// Query returns the table's result for each of xs. It proves that x is one of the
// table's arguments, whatever field element x is.
//
// Rows: 7.5 with the commitments of x and of the result, which is hinted; 6.5 where
// x is committed already. See Table.
func (t *Table) Query(xs []Expr) []Expr {
	b := t.b
	hints := b.each("lookup", variables(xs), 1, func(x int64, out []int64) { out[0] = t.at(x) })
	ys := make([]Expr, len(xs))
	for i, x := range xs {
		if x.IsConst() {
			v, ok := x.integer()
			if !ok || !t.has(v) {
				b.fail(fmt.Errorf("the constant %s is not in table %q", x.Const.String(), t.name))
				continue
			}
			ys[i] = Constant(t.at(v))
			continue
		}
		ys[i] = hints[0][0]
		hints = hints[1:]
		t.pair(x, ys[i])
	}
	return ys
}

// pair asserts that y is the result for x.
func (t *Table) pair(x, y Expr) {
	b := t.b
	b.Commit(x)
	b.Commit(y)
	t.add(query{x: x, y: y, region: b.region})
	b.prove(x, t.min, t.last(), 0)
	b.prove(y, slices.Min(t.results), slices.Max(t.results), 0)
}

// last is the greatest argument.
func (t *Table) last() int64 { return t.min + int64(t.size) - 1 }

// has reports whether x is an argument.
func (t *Table) has(x int64) bool { return x >= t.min && x <= t.last() }

// at returns the result for x, and 0 if x is no argument.
func (t *Table) at(x int64) int64 {
	if !t.has(x) {
		return 0
	}
	return t.results[x-t.min]
}

// RescaleLookup returns the table's result for each rescaled x. What Rescale says of
// its operands holds here too.
//
// The rescaled value needs no range check of its own: to be an argument of the table
// bounds it. So where the rounding clamps nothing and isn't half to even, it costs 11
// rows with a remainder of one limb; otherwise it is Rescale and Query.
func (b *Builder) RescaleLookup(xs []Expr, in Interval, r Rounding, t *Table) []Expr {
	if err := r.valid(in); err != nil {
		b.fail(err)
		return make([]Expr, len(xs))
	}
	r = r.reduced()
	q := Interval{r.round(in.Lo), r.round(in.Hi)}
	if r.Shift == 0 || r.HalfEven || q.Lo < r.Min || q.Hi > r.Max {
		return t.Query(b.Rescale(xs, in, r))
	}
	if !t.has(q.Lo) || !t.has(q.Hi) {
		b.fail(fmt.Errorf("rescaled values in [%d, %d] are not all in table %q", q.Lo, q.Hi, t.name))
		return make([]Expr, len(xs))
	}
	if !b.needTables() {
		return make([]Expr, len(xs))
	}
	ys := b.divide(xs, r, quotient{
		hints: 2,
		fill:  func(v int64, out []int64) { out[0], out[1] = v, t.at(v) },
		write: func(h []Expr) ([]Expr, Expr) {
			t.pair(h[0], h[1])
			return h[:1], h[1]
		},
		implied: Interval{t.min, t.last()},
		bound:   true,
	})
	for i, x := range xs {
		if v, ok := x.integer(); ok {
			ys[i] = Constant(t.at(r.apply(v)))
		}
	}
	return ys
}
