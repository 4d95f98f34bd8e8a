package gadget

import (
	"math/big"
	"testing"
)

// TestProvenHolds makes the operands hints, which nothing but the gadget's own rows
// binds, and looks at every choice of hints that satisfies them: what is recorded as
// proven of an operand holds in all, fractions included. Lanes rest on it.
func TestProvenHolds(t *testing.T) {
	for _, c := range rescales {
		t.Run("rescale "+c.name, func(t *testing.T) {
			provenHolds(t, c.r.reduced().Mult == 1, c.widths, 1, 70, func(b *Builder, xs []Expr) { b.Rescale(xs, c.in, c.r) })
		})
	}
	for _, c := range []struct {
		name   string
		widths []int
		in     Interval
		r      Rounding
	}{
		{"no clamp", []int{2}, Interval{-6, 9}, Rounding{1, 2, false, -100, 100}},
		{"scaled remainder", []int{2}, Interval{-3, 4}, Rounding{1, 1, false, -100, 100}},
		{"relu", []int{2}, Interval{-6, 9}, Rounding{1, 2, false, 0, 100}},
		{"relu, scaled remainder", []int{2}, Interval{-3, 4}, Rounding{1, 1, false, 0, 100}},
	} {
		t.Run("max and rescale "+c.name, func(t *testing.T) {
			provenHolds(t, true, c.widths, 2, 20, func(b *Builder, xs []Expr) { b.MaxRescale([][]Expr{xs}, c.in, c.r) })
		})
	}
	t.Run("rescale and lookup", func(t *testing.T) {
		provenHolds(t, true, []int{3}, 1, 20, func(b *Builder, xs []Expr) {
			b.RescaleLookup(xs, Interval{-9, 9}, Rounding{1, 2, false, -100, 100}, b.Table("squares", -3, []int64{9, 4, 1, 0, 1, 4, 9}))
		})
	})
}

// provenHolds tries candidates of magnitude up to most for hints that no query bounds.
// Whether anything is recorded of the operand must be as said.
func provenHolds(t *testing.T, recorded bool, widths []int, operands int, most int64, build func(*Builder, []Expr)) {
	b := New(64, widths...)
	none := func(*big.Int, []*big.Int, []*big.Int) error { return nil }
	xs := b.HintFunc("operands", none, operands, b.Secret("unused"))
	build(b, xs)
	if b.err != nil {
		t.Fatal(b.err)
	}
	proven, ok := b.Proven(xs[0].Wire)
	if ok != recorded {
		t.Fatalf("recorded: %v, expected %v", ok, recorded)
	}
	if !ok {
		return // with a multiplier the rows don't make the operand an integer
	}
	found := newProver(t, b).witnesses(candidates(most, 2), xs[:1], Int(0))
	if len(found) == 0 {
		t.Fatal("no witness")
	}
	unit := int64(1) << proven.Frac
	scale := Int(unit)
	for _, f := range found {
		x := f[0]
		x.Mul(&x, &scale)
		if v, integer := signed(x); !integer || v <= (proven.Lo-1)*unit || v >= (proven.Hi+1)*unit {
			t.Fatalf("%s passes where %v is proven", f[0].String(), proven)
		}
	}
	t.Logf("%d witnesses", len(found))
}
