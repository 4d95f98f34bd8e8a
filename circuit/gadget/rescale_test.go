package gadget

import (
	"fmt"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

var rescales = []struct {
	name   string
	widths []int
	in     Interval
	r      Rounding
}{
	{"no clamp", []int{3}, Interval{-9, 20}, Rounding{1, 2, false, -100, 100}},
	{"no clamp, two limbs of quotient", []int{2}, Interval{-9, 20}, Rounding{1, 1, false, -100, 100}},
	{"no clamp, two limbs of remainder", []int{2}, Interval{-9, 20}, Rounding{1, 3, false, -100, 100}},
	{"no clamp, multiplier", []int{3}, Interval{-5, 7}, Rounding{3, 2, false, -100, 100}},
	{"even multiplier", []int{3}, Interval{-5, 7}, Rounding{6, 3, false, -100, 100}},
	{"relu by its sign", []int{3}, Interval{-20, 20}, Rounding{1, 2, false, 0, 100}},
	{"relu, far below", []int{2, 3}, Interval{-30, 7}, Rounding{1, 2, false, 0, 100}},
	{"clip above by its sign", []int{3}, Interval{-20, 30}, Rounding{1, 2, false, -100, 3}},
	{"clip above, far above", []int{2, 3}, Interval{-5, 30}, Rounding{1, 2, false, -100, 0}},
	{"relu, very far below", []int{2}, Interval{-150, 7}, Rounding{1, 2, false, 0, 100}},
	{"clip above, very far above", []int{2}, Interval{-5, 150}, Rounding{1, 2, false, -50, 1}},
	{"both, a table's size", []int{2, 3}, Interval{-40, 40}, Rounding{1, 2, false, -2, 1}},
	{"both, a power of two", []int{3}, Interval{-40, 40}, Rounding{1, 2, false, -2, 1}},
	{"both, no power of two", []int{3}, Interval{-40, 40}, Rounding{1, 2, false, 0, 4}},
	{"both, no power of two, two limbs", []int{2}, Interval{-12, 30}, Rounding{1, 1, false, 0, 9}},
	{"both, two values", []int{3}, Interval{-40, 40}, Rounding{1, 2, false, 0, 1}},
	{"both, far", []int{2}, Interval{-60, 60}, Rounding{1, 2, false, 0, 3}},
	{"clamp alone", []int{3}, Interval{-12, 12}, Rounding{1, 0, false, 0, 3}},
	{"half to even", []int{3}, Interval{-20, 20}, Rounding{1, 2, true, -100, 100}},
	{"half to even, clamped", []int{3}, Interval{-20, 20}, Rounding{1, 2, true, -2, 1}},
	{"half to even, multiplier", []int{3}, Interval{-9, 9}, Rounding{3, 2, true, -100, 100}},
}

// reference is the definition: floor(v + 1/2), or the tie's even neighbour.
func reference(x int64, r Rounding) int64 {
	v, d := x*r.Mult, int64(1)<<r.Shift
	twice := 2*v + d // floor(twice / 2d)
	q := twice / (2 * d)
	if twice%(2*d) < 0 {
		q--
	}
	if r.HalfEven && r.Shift > 0 && twice%(2*d) == 0 && q%2 != 0 {
		q--
	}
	return min(max(q, r.Min), r.Max)
}

// For each x, exactly one choice of hints satisfies the rows, and gives the result.
func TestRescaleIsUnique(t *testing.T) {
	for _, c := range rescales {
		t.Run(c.name, func(t *testing.T) {
			b := New(64, c.widths...)
			x := b.Secret("x")
			y := b.Rescale([]Expr{x}, c.in, c.r)
			if b.err != nil {
				t.Fatal(b.err)
			}
			p := newProver(t, b)
			list := candidates(8, 2)
			step := 1 + (c.in.Hi-c.in.Lo)/100
			for v := c.in.Lo; v <= c.in.Hi; v += step {
				want := Int(reference(v, c.r))
				got := p.witnesses(list, y, Int(v))
				if len(got) != 1 || !got[0][0].Equal(&want) {
					t.Errorf("x = %d: %d witnesses, want one with %s", v, len(got), want.String())
					for _, g := range got {
						t.Log(g[0].String())
					}
					return
				}
			}
		})
	}
}

// The finished circuit accepts the honest witness and rejects another result.
func TestRescale(t *testing.T) {
	for _, c := range rescales {
		t.Run(c.name, func(t *testing.T) {
			var values, results []fr.Element
			for _, v := range []int64{c.in.Lo, -3, -2, -1, 0, 1, 2, 3, 6, c.in.Hi} {
				values, results = append(values, Int(v)), append(results, Int(reference(v, c.r)))
			}
			n := len(values)
			b := finished(t, 2*n, c.widths, func(b *Builder, xs []Expr) {
				for i, y := range b.Rescale(append(xs[:n:n], Constant(c.in.Lo)), c.in, c.r) {
					if i < n {
						b.AssertEqual(y, xs[n+i])
					} else {
						b.AssertEqual(y, Constant(reference(c.in.Lo, c.r)))
					}
				}
			})
			if err := solve(t, b, nil, append(values, results...)); err != nil {
				t.Fatal(err)
			}
			for i := range results {
				honest := results[i]
				results[i].Add(&honest, &minusOne)
				if solve(t, b, nil, append(values, results...)) == nil {
					t.Errorf("a wrong result of %s is accepted", values[i].String())
				}
				results[i] = honest
			}
			if t.Failed() {
				return
			}
			p := newProver(t, b)
			inputs := append(values, results...)
			if !p.run(inputs...) {
				t.Fatal("the honest witness is rejected")
			}
			rejectLies(t, p, inputs, int64(1)<<c.r.Shift)
		})
	}
}

// rejectLies changes each hinted value in turn and demands that the change alone is
// rejected.
func rejectLies(t *testing.T, p *prover, inputs []fr.Element, step int64) {
	t.Helper()
	p.run(inputs...)
	honest := append([]fr.Element{}, p.values...)
	quarter, far := Int(4), Pow2(252)
	quarter.Inverse(&quarter)
	var random fr.Element
	random.MustSetRandom()
	deltas := []fr.Element{one, minusOne, Int(step), Int(-step), quarter, far, random}
	for _, w := range p.hinted() {
		for _, d := range append(deltas, *new(fr.Element).Neg(&honest[w])) {
			if d.IsZero() {
				continue
			}
			var lie fr.Element
			lie.Add(&honest[w], &d)
			p.lies[w] = lie
			if p.run(inputs...) {
				t.Errorf("wire %d: %s is accepted for %s", w, lie.String(), honest[w].String())
			}
			delete(p.lies, w)
		}
	}
}

func TestRescaleRows(t *testing.T) {
	for _, c := range []struct {
		name   string
		widths []int
		in     Interval
		r      Rounding
		rows   float64
	}{
		{"no clamp", []int{8, 13}, Interval{-1 << 19, 1<<19 - 1}, Rounding{1, 8, false, -1 << 40, 1 << 40}, 8},
		{"relu, range fits", []int{8, 13}, Interval{-1 << 20, 1<<20 - 1}, Rounding{1, 8, false, 0, 1 << 40}, 11},
		{"relu, saturating high limb", []int{8, 13}, Interval{-1 << 20, 1<<20 - 1}, Rounding{1, 8, false, 0, 255}, 14.5},
		{"relu, one width", []int{12}, Interval{-1 << 20, 1<<20 - 1}, Rounding{1, 9, false, 0, 255}, 17},
		{"clip, no power of two", []int{12}, Interval{-1 << 20, 1<<20 - 1}, Rounding{1, 9, false, 0, 100}, 17},
		{"relu, far", []int{8, 13}, Interval{-1 << 28, 1<<28 - 1}, Rounding{1, 8, false, 0, 255}, 16.5},
		{"half to even", []int{8, 13}, Interval{-1 << 19, 1<<19 - 1}, Rounding{1, 8, true, -1 << 40, 1 << 40}, 16},
		{"shift 45", []int{8, 13}, Interval{-1 << 52, 1 << 52}, Rounding{1, 45, false, -1 << 40, 1 << 40}, 21.5},
	} {
		got := marginal(t, c.widths, func(b *Builder, xs []Expr) { b.Rescale(xs, c.in, c.r) })
		if got > c.rows {
			t.Errorf("%s: %v rows, want %v", c.name, got, c.rows)
		}
		t.Logf("%s: %v rows", c.name, got)
	}
}

func TestRescaleRecordsItsOperand(t *testing.T) {
	for _, c := range []struct {
		name  string
		in    Interval
		r     Rounding
		want  Proven
		bound bool
	}{
		{"no clamp", Interval{-100, 100}, Rounding{1, 4, false, -50, 50}, Proven{Interval{-6*16 - 8, (-6+16)*16 - 8 - 1}, 0}, true},
		{"scaled remainder", Interval{-40, 40}, Rounding{1, 2, false, -50, 50}, Proven{Interval{-10*4 - 2, (-10+256)*4 - 2 - 1}, 2}, true},
		{"by sign", Interval{-100, 100}, Rounding{1, 4, false, 0, 50}, Proven{Interval{-16*16 - 8, 16*16 - 8 - 1}, 0}, false},
		{"both", Interval{-200, 200}, Rounding{1, 4, false, 0, 7}, Proven{Interval{-15*16 - 8, (7+16)*16 - 8 - 1}, 0}, true},
	} {
		b := New(16, 4)
		if c.want.Frac > 0 {
			b = New(16, 4, 8)
		}
		x := b.Secret("x")
		b.Rescale([]Expr{x}, c.in, c.r)
		if got, ok := b.Proven(x.Wire); !ok || got != c.want || b.Bound(x.Wire) != c.bound {
			t.Errorf("%s: proven %v (%v), want %v; bound %v", c.name, got, ok, c.want, b.Bound(x.Wire))
		}
	}
}

// What is proven of an operand with a scaled remainder ends below Hi + 1, not at Hi:
// the rows leave Hi + 3/4 open, and no quarter more.
func TestProvenFractionsEndBelowOne(t *testing.T) {
	for quarters, accepted := range []bool{true, true, true, true, false} {
		b := New(1024, 8)
		x := b.Secret("x")
		b.Rescale([]Expr{x}, Interval{-2, 1021}, Rounding{1, 2, false, -1000, 1000})
		if proven, ok := b.Proven(x.Wire); !ok || proven.Hi != 1021 {
			t.Fatalf("proven %v, %v", proven, ok)
		}
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		above := Int(4)
		above.Inverse(&above)
		k := Int(int64(quarters))
		above.Mul(&above, &k)
		rest, value := Int(3), Int(1021)
		rest.Add(&rest, &above)
		value.Add(&value, &above)
		p := newProver(t, b)
		wires := p.hinted() // the quotient, the remainder, multiplicities
		p.lies[wires[0]], p.lies[wires[1]] = Int(255), rest
		if got := p.run(value); got != accepted {
			t.Errorf("%d quarters above the end: accepted is %v", quarters, got)
		}
	}
}

// With q and r both held by scaled queries alone, 100 = 2^6·(5/4) + 20 would pass beside
// 2^6·1 + 36. The quotient's own query is what forbids it.
func TestTwoScaledLimbsDoNotBoundEachOther(t *testing.T) {
	for _, weak := range []bool{true, false} {
		b := New(1024, 8)
		x := b.Secret("x")
		if weak {
			narrow := b.remainder(6)
			h := b.each("weak", []Expr{x}, 2, func(x int64, out []int64) { out[0], out[1] = (x+32)>>6, (x+32)&63 })[0]
			b.quotientAndRest(x, Rounding{Mult: 1, Shift: 6}, b.check(narrow, h[:1]), b.check(narrow, h[1:]))
		} else {
			b.Rescale([]Expr{x}, Interval{-32, 63<<6 - 32}, Rounding{1, 6, false, -100, 100})
		}
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		p := newProver(t, b)
		if !p.run(Int(100 - 32)) {
			t.Fatal("the honest witness is rejected")
		}
		wires := p.hinted()
		quarter := Int(4)
		quarter.Inverse(&quarter)
		fiveQuarters := Int(5)
		fiveQuarters.Mul(&fiveQuarters, &quarter)
		if q, r := p.values[wires[0]], p.values[wires[1]]; !q.IsOne() || r.Uint64() != 36 {
			t.Fatalf("100 is 2^6·%s + %s", q.String(), r.String())
		}
		p.lies[wires[0]], p.lies[wires[1]] = fiveQuarters, Int(20)
		if got := p.run(Int(100 - 32)); got != weak {
			t.Errorf("accepted is %v, with two scaled limbs %v", got, weak)
		}
	}
}

func TestRescaleRefuses(t *testing.T) {
	for _, c := range []struct {
		in Interval
		r  Rounding
	}{
		{Interval{-1 << 61, 1 << 61}, Rounding{2, 1, false, 0, 1}},
		{Interval{0, 1}, Rounding{0, 1, false, 0, 1}},
		{Interval{0, 1}, Rounding{1, 1, false, 2, 1}},
		{Interval{2, 1}, Rounding{1, 1, false, 0, 1}},
		{Interval{0, 1}, Rounding{1, 63, false, 0, 1}},
	} {
		b := New(16, 4)
		b.Rescale(secrets(b, 1), c.in, c.r)
		if b.Finish() == nil {
			t.Error(fmt.Sprint(c, " compiles"))
		}
	}
}

// BenchmarkRescale measures the witness of 20,000 activations, a circuit of about
// 2^18 rows.
func BenchmarkRescale(b *testing.B) {
	const n = 20000
	builder := New(1<<19, 8, 13)
	xs := secrets(builder, n)
	builder.Rescale(xs, Interval{-1 << 20, 1<<20 - 1}, Rounding{1, 8, false, 0, 255})
	if err := builder.Finish(); err != nil {
		b.Fatal(err)
	}
	values := make([]fr.Element, n)
	for i := range values {
		values[i] = Int(int64(i*7919%(1<<21)) - 1<<20)
	}
	b.ReportMetric(float64(builder.Rows()), "rows")
	for b.Loop() {
		if err := solve(b, builder, nil, values); err != nil {
			b.Fatal(err)
		}
	}
}
