package gadget

import (
	"fmt"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// uniquely demands that for each row of inputs exactly one choice of hints satisfies
// the rows, and that it gives the results wanted.
func uniquely(t *testing.T, widths []int, list []fr.Element, inputs [][]int64, build func(b *Builder, xs []Expr) []Expr, want func(in []int64) []int64) {
	t.Helper()
	b := New(64, widths...)
	ys := build(b, secrets(b, len(inputs[0])))
	if b.err != nil {
		t.Fatal(b.err)
	}
	p := newProver(t, b)
	for _, in := range inputs {
		row := make([]fr.Element, len(in))
		for i, v := range in {
			row[i] = Int(v)
		}
		got := p.witnesses(list, ys, row...)
		if len(got) != 1 {
			t.Errorf("%v: %d witnesses", in, len(got))
			continue
		}
		for i, w := range want(in) {
			if e := Int(w); !got[0][i].Equal(&e) {
				t.Errorf("%v: result %d is %s, want %d", in, i, got[0][i].String(), w)
			}
		}
	}
}

// grid lists all rows of n values from lo to hi in steps.
func grid(n int, lo, hi, step int64) [][]int64 {
	rows := [][]int64{{}}
	for range n {
		var next [][]int64
		for _, row := range rows {
			for v := lo; v <= hi; v += step {
				next = append(next, append(slices.Clone(row), v))
			}
		}
		rows = next
	}
	return rows
}

var pools = []struct {
	name   string
	widths []int
	in     Interval
	r      Rounding
}{
	{"no clamp", []int{2}, Interval{-6, 9}, Rounding{1, 2, false, -100, 100}},
	{"scaled remainder", []int{2}, Interval{-3, 4}, Rounding{1, 1, false, -100, 100}},
	{"multiplier", []int{2}, Interval{-2, 3}, Rounding{3, 2, false, -100, 100}},
	{"relu", []int{2}, Interval{-6, 9}, Rounding{1, 2, false, 0, 100}},
	{"clip above", []int{2}, Interval{-6, 9}, Rounding{1, 2, false, -100, 1}},
	{"both", []int{1, 2}, Interval{-6, 9}, Rounding{1, 2, false, 0, 1}},
	{"both, no power of two", []int{2}, Interval{-9, 9}, Rounding{1, 2, false, -1, 1}},
	{"half to even", []int{2}, Interval{-2, 6}, Rounding{1, 1, true, -100, 100}},
	{"no shift", []int{2}, Interval{-2, 2}, Rounding{1, 0, false, -1, 100}},
}

func TestMaxRescaleIsUnique(t *testing.T) {
	for _, c := range pools {
		t.Run(c.name, func(t *testing.T) {
			build := func(b *Builder, xs []Expr) []Expr { return b.MaxRescale([][]Expr{xs}, c.in, c.r) }
			want := func(in []int64) []int64 { return []int64{reference(slices.Max(in), c.r)} }
			uniquely(t, c.widths, candidates(6, 1), grid(2, c.in.Lo, c.in.Hi, 2), build, want)
		})
	}
}

// A tensor of pools with padding, repeated and constant elements.
func TestMaxRescale(t *testing.T) {
	for _, c := range pools {
		t.Run(c.name, func(t *testing.T) {
			values := []int64{c.in.Lo, -1, 0, 1, 2, c.in.Hi, -2, 0, 0}
			groups := [][]int{{0, 1, 2, 3}, {0, 0, 0, 0}, {1, 1, 6}, {4, 5}, {7, 8}, {1, -1}, {3, 0, -1, 2}, {-1, -1}}
			const constant = -1
			var ys []Expr // of the circuit built last
			build := func(b *Builder, xs []Expr) {
				list := make([][]Expr, 0, len(groups))
				for _, g := range groups {
					var group []Expr
					for _, i := range g {
						if i < 0 {
							group = append(group, Constant(constant))
						} else {
							group = append(group, xs[i])
						}
					}
					list = append(list, group)
				}
				ys = b.MaxRescale(list, c.in, c.r)
			}
			finished(t, len(values), c.widths, build)
			b := New(1024, c.widths...)
			build(b, secrets(b, len(values)))
			if err := b.Finish(); err != nil {
				t.Fatal(err)
			}
			inputs := make([]fr.Element, len(values))
			for i, v := range values {
				inputs[i] = Int(v)
			}
			if err := solve(t, b, nil, inputs); err != nil {
				t.Fatal(err)
			}
			p := newProver(t, b)
			if !p.run(inputs...) {
				t.Fatal("the honest witness is rejected")
			}
			for k, g := range groups {
				m := int64(-1 << 40)
				for _, i := range g {
					if i < 0 {
						m = max(m, constant)
					} else {
						m = max(m, values[i])
					}
				}
				if got, want := p.value(ys[k]), Int(reference(m, c.r)); !got.Equal(&want) {
					t.Errorf("group %d is %s, want %s", k, got.String(), want.String())
				}
			}
			rejectLies(t, p, inputs, int64(1)<<c.r.Shift)
		})
	}
}

func TestMaxRescaleRecordsItsOperands(t *testing.T) {
	for _, r := range []Rounding{{1, 4, false, -100, 100}, {1, 4, false, 0, 100}, {1, 4, false, 0, 7}} {
		b := New(64, 4)
		xs := secrets(b, 4)
		b.MaxRescale([][]Expr{xs}, Interval{-100, 100}, r)
		for _, x := range xs {
			p, ok := b.Proven(x.Wire)
			if !ok || p.Lo > -100 || p.Hi < 100 || p.Lo < -1000 || p.Hi > 1000 || p.Frac != 0 || !b.Bound(x.Wire) {
				t.Errorf("%v: proven %v (%v), bound %v", r, p, ok, b.Bound(x.Wire))
			}
		}
	}
}

// blocks returns the groups of n elements.
func blocks(xs []Expr, n int) [][]Expr {
	var groups [][]Expr
	for i := 0; i+n <= len(xs); i += n {
		groups = append(groups, xs[i:i+n])
	}
	return groups
}

func TestPoolRows(t *testing.T) {
	in := Interval{-1 << 19, 1<<19 - 1}
	for _, c := range []struct {
		name string
		r    Rounding
		rows float64
	}{
		{"no clamp", Rounding{1, 8, false, -1 << 40, 1 << 40}, 42.5},
		{"relu", Rounding{1, 8, false, 0, 1 << 40}, 43.5},
		{"relu, saturating", Rounding{1, 8, false, 0, 255}, 49},
	} {
		got := marginal(t, []int{8, 13}, func(b *Builder, xs []Expr) { b.MaxRescale(blocks(xs, 4), in, c.r) }) * 4
		if got > c.rows {
			t.Errorf("%s: %v rows, want %v", c.name, got, c.rows)
		}
	}
}

func TestMaxIsUnique(t *testing.T) {
	for n := 2; n <= 3; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			build := func(b *Builder, xs []Expr) []Expr { return b.Max([][]Expr{xs}, Interval{-3, 4}) }
			want := func(in []int64) []int64 { return []int64{slices.Max(in)} }
			uniquely(t, []int{3}, candidates(8, 2), grid(n, -3, 4, 1), build, want)
			uniquely(t, []int{2}, candidates(5, 1), grid(2, -3, 4, 1), build, want)
		})
	}
	t.Run("with constants", func(t *testing.T) {
		build := func(b *Builder, xs []Expr) []Expr {
			return b.Max([][]Expr{{xs[0], Constant(1), Constant(-2)}, {xs[0], xs[1], Constant(0)}, {Constant(2), Constant(3)}}, Interval{-3, 4})
		}
		want := func(in []int64) []int64 { return []int64{max(in[0], 1), max(in[0], in[1], 0), 3} }
		uniquely(t, []int{3}, candidates(8, 0), grid(2, -3, 4, 1), build, want)
	})
}

func argmax(in []int64, last bool) int64 {
	best := 0
	for i, v := range in {
		if v > in[best] || last && v == in[best] {
			best = i
		}
	}
	return int64(best)
}

// Ties go to the first index, or the last, and no other index has a witness.
func TestArgMaxIsUnique(t *testing.T) {
	for _, last := range []bool{false, true} {
		for n := 1; n <= 4; n++ {
			t.Run(fmt.Sprint(n, last), func(t *testing.T) {
				build := func(b *Builder, xs []Expr) []Expr { return b.ArgMax([][]Expr{xs}, Interval{-2, 1}, last) }
				want := func(in []int64) []int64 { return []int64{argmax(in, last)} }
				uniquely(t, []int{4}, candidates(17, 2), grid(n, -2, 1, 1), build, want)
			})
		}
		t.Run(fmt.Sprint("two limbs", last), func(t *testing.T) {
			build := func(b *Builder, xs []Expr) []Expr { return b.ArgMax([][]Expr{xs}, Interval{-2, 1}, last) }
			want := func(in []int64) []int64 { return []int64{argmax(in, last)} }
			uniquely(t, []int{2}, candidates(4, 1), grid(3, -2, 1, 1), build, want)
		})
	}
}

func TestThresholdIsUnique(t *testing.T) {
	for threshold := int64(-5); threshold <= 6; threshold++ {
		build := func(b *Builder, xs []Expr) []Expr { return b.Threshold(xs, threshold, Interval{-4, 5}) }
		want := func(in []int64) []int64 {
			if in[0] >= threshold {
				return []int64{1}
			}
			return []int64{0}
		}
		uniquely(t, []int{3}, candidates(8, 2), grid(1, -4, 5, 1), build, want)
		uniquely(t, []int{2}, candidates(8, 2), grid(1, -4, 5, 1), build, want)
	}
}

func TestDivIsUnique(t *testing.T) {
	for _, c := range []struct {
		widths   []int
		inA, inD Interval
		shift    uint
	}{
		{[]int{4}, Interval{0, 7}, Interval{1, 6}, 0},
		{[]int{4}, Interval{0, 3}, Interval{1, 4}, 1},
		{[]int{2}, Interval{0, 5}, Interval{1, 5}, 0},
		{[]int{4}, Interval{-7, 7}, Interval{2, 5}, 0},
	} {
		build := func(b *Builder, xs []Expr) []Expr { return b.Div(xs[:1], xs[1:], c.inA, c.inD, c.shift) }
		want := func(in []int64) []int64 {
			v := in[0]<<c.shift + in[1]/2
			q := v / in[1]
			if v%in[1] < 0 {
				q--
			}
			return []int64{q}
		}
		var inputs [][]int64
		for a := c.inA.Lo; a <= c.inA.Hi; a++ {
			for d := c.inD.Lo; d <= c.inD.Hi; d++ {
				inputs = append(inputs, []int64{a, d})
			}
		}
		list := candidates(16, 2)
		for d := c.inD.Lo; d <= c.inD.Hi; d++ { // quotients that aren't integers
			inverse := Int(d)
			inverse.Inverse(&inverse)
			for a := int64(1); a < d; a++ {
				e := Int(a)
				list = append(list, *e.Mul(&e, &inverse))
			}
		}
		uniquely(t, c.widths, list, inputs, build, want)
	}
}

func TestConstantsInComparisons(t *testing.T) {
	b := New(64, 4)
	x := b.Secret("x")
	for name, c := range map[string]struct {
		got  Expr
		want int64
	}{
		"threshold": {b.Threshold([]Expr{Constant(3)}, 2, Interval{-4, 4})[0], 1},
		"div":       {b.Div([]Expr{Constant(7)}, []Expr{Constant(2)}, Interval{0, 9}, Interval{1, 3}, 1)[0], 7},
		"argmax":    {b.ArgMax([][]Expr{{x}}, Interval{0, 1}, false)[0], 0},
	} {
		if v, ok := c.got.integer(); !ok || v != c.want {
			t.Errorf("%s is %d", name, v)
		}
	}
}

func TestComparisonsRefuse(t *testing.T) {
	for name, build := range map[string]func(b *Builder, x Expr){
		"argmax of nothing":      func(b *Builder, x Expr) { b.ArgMax([][]Expr{{}}, Interval{0, 1}, false) },
		"argmax of two sizes":    func(b *Builder, x Expr) { b.ArgMax([][]Expr{{x}, {x, x}}, Interval{0, 1}, false) },
		"argmax of large values": func(b *Builder, x Expr) { b.ArgMax([][]Expr{{x, x}}, Interval{0, 1 << 61}, false) },
		"threshold of nothing":   func(b *Builder, x Expr) { b.Threshold([]Expr{x}, 0, Interval{1, 0}) },
		"divisor zero":           func(b *Builder, x Expr) { b.Div([]Expr{x}, []Expr{x}, Interval{0, 1}, Interval{0, 1}, 0) },
		"large dividend":         func(b *Builder, x Expr) { b.Div([]Expr{x}, []Expr{x}, Interval{0, 1 << 40}, Interval{1, 1}, 30) },
		"no tables":              func(b *Builder, x Expr) { b.Max([][]Expr{{x, b.Secret("y")}}, Interval{0, 1}) },
	} {
		b := New(64)
		if name != "no tables" {
			b = New(64, 4)
		}
		build(b, b.Secret("x"))
		if b.err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestComparisonRows(t *testing.T) {
	in := Interval{-1 << 12, 1<<12 - 1}
	for _, c := range []struct {
		name  string
		per   float64
		rows  float64
		build func(b *Builder, xs []Expr)
	}{
		{"max of 4", 4, 21, func(b *Builder, xs []Expr) { b.Max(blocks(xs, 4), in) }},
		{"threshold", 1, 5.5, func(b *Builder, xs []Expr) { b.Threshold(xs, 0, in) }},
		{"argmax of 8", 8, 8*10 + 10, func(b *Builder, xs []Expr) { b.ArgMax(blocks(xs, 8), in, false) }},
		{"div", 2, 13.5, func(b *Builder, xs []Expr) {
			b.Div(xs[:len(xs)/2], xs[len(xs)/2:], Interval{0, 4000}, Interval{1, 4095}, 0)
		}},
	} {
		got := marginal(t, []int{8, 13}, c.build) * c.per
		if got > c.rows {
			t.Errorf("%s: %v rows, want %v", c.name, got, c.rows)
		}
		t.Logf("%s: %v", c.name, got)
	}
}
