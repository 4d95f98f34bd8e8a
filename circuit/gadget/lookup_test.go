package gadget

import (
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
)

// relu is ReLU over −4 … 3.
func relu() (int64, []int64) { return -4, []int64{0, 0, 0, 0, 0, 1, 2, 3} }

func squareTable(b *Builder) *Table {
	return b.Table("square", -3, []int64{9, 4, 1, 0, 1, 4, 9, 16})
}

func TestQuery(t *testing.T) {
	square := []int64{9, 4, 1, 0, 1, 4, 9, 16}
	var xs []fr.Element
	for v := int64(-3); v <= 4; v++ {
		xs = append(xs, Int(v))
	}
	var ys []Expr
	b := finished(t, len(xs), nil, func(b *Builder, xs []Expr) {
		ys = squareTable(b).Query(append(xs[:len(xs):len(xs)], Constant(4)))
		if b.Table("again", -3, square) != squareTable(b) {
			t.Error("a table is made twice")
		}
		if b.Table("other", -2, square) == squareTable(b) {
			t.Error("two tables are one")
		}
	})
	if err := solve(t, b, nil, xs); err != nil {
		t.Fatal(err)
	}
	if v, _ := ys[len(ys)-1].integer(); v != 16 {
		t.Errorf("4 squared is %d", v)
	}
	p := newProver(t, b)
	if !p.run(xs...) {
		t.Fatal("the honest witness is rejected")
	}
	for i, y := range square {
		if want := Int(y); !want.Equal(&p.values[ys[i].Wire]) {
			t.Errorf("result %d is %s, want %d", i, p.values[ys[i].Wire].String(), y)
		}
	}
	rejectLies(t, p, xs, 1)
	for _, outside := range []fr.Element{Int(-4), Int(5), Pow2(100)} {
		xs[0] = outside
		if p.run(xs...) {
			t.Errorf("%s is an argument", outside.String())
		}
	}
}

func TestConstantQueryOutsideFails(t *testing.T) {
	b := New(16)
	squareTable(b).Query([]Expr{Constant(5)})
	if b.Finish() == nil {
		t.Error("5 is an argument")
	}
}

// A circuit without queries has no table rows.
func TestUnusedTablesCostNothing(t *testing.T) {
	b := New(16, 8)
	squareTable(b)
	if err := b.Finish(); err != nil || b.Rows() != 0 {
		t.Errorf("%d rows, %v", b.Rows(), err)
	}
}

func TestRescaleLookup(t *testing.T) {
	for _, c := range []struct {
		name string
		in   Interval
		r    Rounding
	}{
		{"fused", Interval{-14, 17}, Rounding{1, 2, false, -100, 100}},
		{"fused, multiplier", Interval{-4, 5}, Rounding{3, 2, false, -100, 100}},
		{"clamped", Interval{-40, 40}, Rounding{1, 2, false, -3, 4}},
		{"half to even", Interval{-13, 17}, Rounding{1, 2, true, -100, 100}},
		{"no shift", Interval{-3, 4}, Rounding{1, 0, false, -100, 100}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := New(64, 3)
			x := b.Secret("x")
			table := squareTable(b)
			y := b.RescaleLookup([]Expr{x, Constant(c.in.Lo)}, c.in, c.r, table)
			if b.err != nil {
				t.Fatal(b.err)
			}
			if v, _ := y[1].integer(); v != table.at(reference(c.in.Lo, c.r)) {
				t.Errorf("constant %d gives %d", c.in.Lo, v)
			}
			p := newProver(t, b)
			list := candidates(8, 2)
			for _, far := range []int64{9, 16} {
				list = append(list, Int(far))
			}
			for v := c.in.Lo; v <= c.in.Hi; v++ {
				want := Int(table.at(reference(v, c.r)))
				if got := p.witnesses(list, y[:1], Int(v)); len(got) != 1 || !got[0][0].Equal(&want) {
					t.Errorf("x = %d: %d witnesses, want one with %s", v, len(got), want.String())
				}
			}
		})
	}
}

// Whatever a table's sums rest on is bound before the challenge is drawn, and the
// circuit doesn't end with a commitment's row.
func TestTablesAreBound(t *testing.T) {
	b := New(1024, 3, 5)
	xs := secrets(b, 8)
	in := Interval{-60, 60}
	b.RangeAll(xs[:1], 5)
	b.RangeAll(xs[1:2], 11)
	b.Rescale(xs[2:3], in, Rounding{1, 3, true, 0, 7})
	b.MaxRescale([][]Expr{xs[3:6]}, in, Rounding{1, 3, false, 0, 7})
	b.RescaleLookup(xs[6:7], in, Rounding{1, 4, false, -4, 3}, squareTable(b))
	b.ArgMax([][]Expr{xs}, in, false)
	var bound []bool
	b.Defer(Check, func() error {
		for _, table := range b.tables {
			for _, q := range table.queries {
				bound = append(bound, b.isBound(q.x), b.isBound(q.y))
			}
		}
		return nil
	})
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	if len(bound) == 0 || slices.Contains(bound, false) {
		t.Errorf("queries are not bound: %v", bound)
	}
	p := newProver(t, b)
	for _, s := range p.steps {
		if s.call == nil || !strings.HasPrefix(b.hintNames[s.call.id], "count") {
			continue
		}
		for _, w := range s.call.outputs {
			if !slices.Contains(b.inputs, exprOf(w)) {
				t.Errorf("multiplicity %d is not committed", w)
			}
		}
	}
	if rows := b.System().GetSparseR1Cs(); rows[len(rows)-1].Commitment != constraint.NOT {
		t.Error("the last row is a commitment's")
	}
	queries := 0
	for _, table := range b.tables {
		if len(table.queries) > 0 {
			queries += len(table.queries) + table.size
		}
	}
	if b.SoundnessTerms() != uint64(2*queries) {
		t.Errorf("%d soundness terms for %d queries and entries", b.SoundnessTerms(), queries)
	}
}

func TestLookupRows(t *testing.T) {
	table := make([]int64, 4096)
	for i := range table {
		table[i] = int64(i) * int64(i)
	}
	for _, c := range []struct {
		name  string
		rows  float64
		build func(b *Builder, xs []Expr)
	}{
		{"query", 7.5, func(b *Builder, xs []Expr) { b.Table("square", 0, table).Query(xs) }},
		{"query of committed arguments", 6.5 + 3.5, func(b *Builder, xs []Expr) {
			b.RangeAll(xs, 8)
			b.Table("square", 0, table).Query(xs)
		}},
		{"rescale and query", 11, func(b *Builder, xs []Expr) {
			b.RescaleLookup(xs, Interval{0, 4000 << 8}, Rounding{1, 8, false, 0, 4095}, b.Table("square", 0, table))
		}},
	} {
		if got := marginal(t, []int{8}, c.build); got > c.rows {
			t.Errorf("%s: %v rows, want %v", c.name, got, c.rows)
		}
	}
	entries := func(n int) float64 {
		b := NewDry(8)
		b.Table("square", 0, table[:n]).Query(secrets(b, 1))
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		return float64(b.Rows())
	}
	if got := (entries(4096) - entries(2048)) / 2048; got > 4 {
		t.Errorf("%v rows for an entry", got)
	}
	ranges := func(width int) float64 {
		b := NewDry(width)
		b.Range(b.Secret("x"), width)
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		return float64(b.Rows())
	}
	if got := (ranges(12) - ranges(11)) / 2048; got > 3 {
		t.Errorf("%v rows for an entry of a range table", got)
	}
}

// forge makes the circuit of one query x, y to a ReLU table whose second column has
// the weight gamma, and reports whether the given multiplicities pass.
func forge(t *testing.T, x, y fr.Element, multiplicities map[int64]fr.Element, gamma func(b *Builder) Expr) bool {
	t.Helper()
	b := New(1024)
	ex, ey := b.Secret("x"), b.Secret("y")
	lowest, results := relu()
	table := b.newTable("relu", lowest, len(results), results)
	b.Commit(ex)
	b.Commit(ey)
	m := secrets(b, len(results))
	inputs := []fr.Element{x, y}
	for j, e := range m {
		b.Commit(e)
		inputs = append(inputs, multiplicities[lowest+int64(j)])
	}
	b.Defer(Check, func() error {
		table.queries = []query{{x: ex, y: ey}}
		table.check(m, b.Challenge(""), gamma(b))
		return nil
	})
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	return newProver(t, b).run(inputs...)
}

// With γ = β or β², or any power of it, multiplicities exist that pass a pair that is
// no entry. With the table's own γ they don't.
func TestForgedPairs(t *testing.T) {
	third := Int(3)
	third.Inverse(&third)
	var twoThirds fr.Element
	twoThirds.Double(&third)
	beta := func(b *Builder) Expr { return b.Challenge("") }
	square := func(b *Builder) Expr { return b.Mul(b.Challenge(""), b.Challenge("")) }
	own := func(b *Builder) Expr { return (&Table{b: b, results: []int64{0}}).gamma() }
	for _, c := range []struct {
		name           string
		x, y           fr.Element
		multiplicities map[int64]fr.Element
		weak           func(b *Builder) Expr
	}{
		{"honest", Int(2), Int(2), map[int64]fr.Element{2: one}, nil},
		// β − 0 − 2β = −(β − 0 − 0)
		{"ReLU(0) = 2 with γ = β", Int(0), Int(2), map[int64]fr.Element{0: minusOne}, beta},
		// β + 2/3 + β²/3 = (β+1)(β+2)/3
		{"ReLU(−2/3) = −1/3 with γ = β²", *twoThirds.Neg(&twoThirds), *third.Neg(&third), map[int64]fr.Element{-1: Int(3), -2: Int(-3)}, square},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := forge(t, c.x, c.y, c.multiplicities, own); got != (c.weak == nil) {
				t.Errorf("accepted is %v with the table's own γ", got)
			}
			if c.weak != nil && !forge(t, c.x, c.y, c.multiplicities, c.weak) {
				t.Error("the forgery is none: the weak γ rejects it too")
			}
		})
	}
}

// A prover who knows β finds multiplicities that pass any value: m_0 = β/(β − x). They
// are committed so that β depends on them.
func TestMultiplicitiesChosenAfterTheChallenge(t *testing.T) {
	for _, committed := range []bool{true, false} {
		b := New(1024)
		x := b.Secret("x")
		table := b.newTable("range 3", 0, 8, nil)
		b.Commit(x)
		m := secrets(b, 8)
		if committed {
			for _, e := range m {
				b.Commit(e)
			}
		}
		b.Defer(Check, func() error {
			table.queries = []query{{x: x}}
			table.check(m, b.Challenge(""), Expr{})
			return nil
		})
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		p := newProver(t, b)
		inputs := make([]fr.Element, 9)
		for _, outside := range []fr.Element{Int(-1), Int(8), Pow2(200)} {
			inputs[0], inputs[1] = outside, fr.Element{}
			if p.run(inputs...) {
				t.Fatalf("%s passes without multiplicities", outside.String())
			}
			beta := p.value(b.challenge)
			inputs[1].Sub(&beta, &outside)
			inputs[1].Div(&beta, &inputs[1])
			if got := p.run(inputs...); got == committed {
				t.Errorf("%s: accepted is %v, with multiplicities committed %v", outside.String(), got, committed)
			}
		}
	}
}
