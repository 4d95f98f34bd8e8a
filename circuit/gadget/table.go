package gadget

import (
	"fmt"
	"math/big"
	"slices"
)

// Table is a lookup table with its queries, proven by one logarithmic derivative
// sum (Haböck, https://eprint.iacr.org/2022/1530): for a random β,
//
//	Σ over queries z of 1/(β − z)  =  Σ over entries j of m_j/(β − z_j),
//
// where the multiplicities m_j are the prover's choice. Both sides are sums of
// distinct simple poles, so that a query that is no entry leaves a pole that no m_j
// can cancel. A table of one column has z = x; one of two columns x, y has
// z = x + γ·y with γ independent of β. It must not be β or a power of it: then
// different pairs share poles, or split one over two entries.
//
// # Committed before β
//
// Queries (both columns) and multiplicities.
//
// # Rows
//
// A query in one column is 3.5 rows: its commitment and, for each two queries with
// d1 = β − x1 and d2 = β − x2, five rows for d1, d2, e·d2 = d1 + d2, f·d1 = e and
// the sum of the f = 1/d1 + 1/d2. In two columns it is 6.5: the result's commitment
// and γ·y, x + γ·y. An entry is 3 rows: commit m, t·(β − j) = m, the sum of the t;
// in two columns one more for each distinct result y, β − γ·y.
//
// # Soundness error
//
// 2·(queries + entries)/p: the sums' common numerator has queries + entries roots at
// most, and where β is itself a query or an entry a term of the sums is free.
//
// The multiplicities are unique as long as entries are distinct, which a table's
// first column ensures.
type Table struct {
	b       *Builder
	name    string
	min     int64   // the first column's first entry
	size    int     // of the first column
	results []int64 // the second column, nil if there is none
	queries []query
	open    int // how many queries; a dry run doesn't keep those of one column
}

type query struct {
	x, y   Expr
	region Region
}

// newTable adds a table, which is written when its first query comes.
func (b *Builder) newTable(name string, min int64, size int, results []int64) *Table {
	t := &Table{b: b, name: name, min: min, size: size, results: results}
	b.tables = append(b.tables, t)
	return t
}

// rangeTable returns the table of 0 … 2^width − 1.
func (b *Builder) rangeTable(width int) *Table {
	t := b.ranges[width]
	if t == nil {
		t = b.newTable(fmt.Sprintf("range %d", width), 0, 1<<width, nil)
		b.ranges[width] = t
	}
	return t
}

// query asserts that x is an entry of a range table, in one column.
func (t *Table) query(x Expr) {
	b := t.b
	if x.IsConst() {
		if v, ok := x.integer(); !ok || !t.has(v) {
			b.fail(fmt.Errorf("the constant %s is not in table %q", x.Const.String(), t.name))
		}
		return
	}
	b.Commit(x)
	t.add(query{x: x, region: b.region})
}

func (t *Table) add(q query) {
	if t.open == 0 {
		t.b.Defer(Tally, t.tally)
		t.b.pending += 2 * (entryRows*t.size - 1)
	}
	if t.b.phase > Decide {
		t.b.fail(fmt.Errorf("table %q queried after it was closed", t.name))
		return
	}
	if !t.counted() {
		t.queries = append(t.queries, q)
	}
	t.open++
	t.b.pending += costQuery
	t.b.limit()
}

// entryRows is how many rows an entry takes, in one column.
const entryRows = 3

// counted says that the table's rows are only counted: nothing but the numbers of
// queries and entries matters in a dry run.
func (t *Table) counted() bool { return t.b.sys == nil && t.results == nil }

// checkRows returns the rows of check in one column: five for two queries and three for
// one left over, two for an entry, and one for the equation, less one for the first term
// of either sum.
func (t *Table) checkRows() int { return 5*(t.open/2) + 3*(t.open%2) + 2*t.size - 1 }

// tally hints and commits the multiplicities.
func (t *Table) tally() error {
	b := t.b
	b.At("", t.name)
	b.Soundness(2 * (t.open + t.size))
	if t.counted() {
		b.count(t.size)
		b.Defer(Check, func() error {
			b.At("", t.name)
			b.count(t.checkRows())
			return nil
		})
		return nil
	}
	xs := make([]Expr, len(t.queries))
	for i, q := range t.queries {
		xs[i] = q.x
	}
	m := b.HintFunc(countName(slices.Index(b.tables, t)), t.count, t.size, xs...)
	for _, e := range m {
		b.Commit(e)
	}
	b.Defer(Check, func() error {
		t.check(m, b.Challenge(""), t.gamma())
		return nil
	})
	return nil
}

// countName is the name of the hint of a table's multiplicities.
func countName(table int) string { return fmt.Sprintf("count %d", table) }

// gamma is the weight of the second column.
func (t *Table) gamma() Expr {
	if t.results == nil {
		return Expr{}
	}
	return t.b.Challenge("lookup")
}

// count is the hint of the multiplicities. Queries outside the table count nowhere.
func (t *Table) count(field *big.Int, in, out []*big.Int) error {
	counts := make([]int64, t.size)
	var negative big.Int
	for _, v := range in {
		if !v.IsInt64() {
			v = negative.Sub(v, field)
		}
		if !v.IsInt64() {
			continue
		}
		if x := v.Int64(); t.has(x) {
			counts[x-t.min]++
		}
	}
	for i, c := range counts {
		out[i].SetInt64(c)
	}
	return nil
}

// chain is how many terms of a sum follow one another; sums of chains are added in
// turn. It bounds the depth of the solver's work.
const chain = 256

// check writes the two sums.
func (t *Table) check(m []Expr, beta, gamma Expr) {
	b := t.b
	var left, right sum
	for i := 0; i < len(t.queries); i += 2 {
		b.region = t.queries[i].region
		if i+1 < len(t.queries) {
			left.add(b, b.fractions(t.pole(t.queries[i], beta, gamma), t.pole(t.queries[i+1], beta, gamma)))
		} else {
			left.add(b, b.fraction(t.pole(t.queries[i], beta, gamma), Constant(1)))
		}
	}
	b.At("", t.name)
	poles := make(map[int64]Expr) // β − γ·y by y
	for j := range t.size {
		pole := beta
		if t.results != nil {
			y := t.results[j]
			if _, ok := poles[y]; !ok {
				poles[y] = b.Sub(beta, gamma.Times(y))
			}
			pole = poles[y]
		}
		right.add(b, b.fraction(pole.Plus(-t.min-int64(j)), m[j]))
	}
	b.AssertEqual(left.total(b), right.total(b))
}

// pole returns β − x − γ·y.
func (t *Table) pole(q query, beta, gamma Expr) Expr {
	z := q.x
	if t.results != nil {
		z = t.b.Add(z, t.b.Mul(gamma, q.y))
	}
	return t.b.Sub(beta, z)
}

// fraction returns numerator/d: t·d = numerator in one row, which leaves t free where
// d is zero.
func (b *Builder) fraction(d, numerator Expr) Expr {
	t := exprOf(b.internal())
	b.AssertMul(t, d, numerator)
	return t
}

// fractions returns f = 1/d1 + 1/d2 as e·d2 = d1 + d2 and f·d1 = e, for d1 and d2 on
// wires of their own. f is free only where both are zero.
func (b *Builder) fractions(d1, d2 Expr) Expr {
	e := exprOf(b.internal())
	// (e − 1)·d2 = d1
	b.AssertMul(e.Plus(-1), d2, d1)
	return b.fraction(d1, e)
}

// sum adds terms in chains.
type sum struct {
	chains []Expr
	n      int
}

func (s *sum) add(b *Builder, x Expr) {
	if s.n%chain == 0 {
		s.chains = append(s.chains, x)
	} else {
		last := len(s.chains) - 1
		s.chains[last] = b.Add(s.chains[last], x)
	}
	s.n++
}

func (s *sum) total(b *Builder) Expr { return b.Sum(s.chains...) }
