package gadget

import (
	"errors"
	"fmt"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// finished builds a circuit with secret inputs and finishes it.
func finished(t testing.TB, inputs int, widths []int, build func(b *Builder, xs []Expr)) *Builder {
	t.Helper()
	b := New(1024, widths...)
	build(b, secrets(b, inputs))
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	dry := NewDry(widths...)
	dry.Limit(b.Rows()) // which it must not take to be passed before it is
	build(dry, secrets(dry, inputs))
	if err := dry.Finish(); err != nil || dry.Rows() != b.Rows() {
		t.Fatalf("dry run: %d rows, %v; want %d", dry.Rows(), err, b.Rows())
	}
	few := NewDry(widths...)
	few.Limit(b.Rows() - 1)
	build(few, secrets(few, inputs))
	if err := few.Finish(); !errors.Is(err, ErrTooLarge) && b.Rows() > 0 {
		t.Fatalf("%d rows where %d are allowed: %v", b.Rows(), b.Rows()-1, err)
	}
	if b.Rows() != b.System().GetNbConstraints() {
		t.Fatalf("%d rows counted, %d written", b.Rows(), b.System().GetNbConstraints())
	}
	return b
}

func secrets(b *Builder, n int) []Expr {
	xs := make([]Expr, n)
	for i := range xs {
		xs[i] = b.Secret(fmt.Sprint("x", i))
	}
	return xs
}

// marginal returns the rows that each of 1,000 elements more cost.
func marginal(t testing.TB, widths []int, build func(b *Builder, xs []Expr)) float64 {
	t.Helper()
	rows := func(n int) int {
		b := NewDry(widths...)
		build(b, secrets(b, n))
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		return b.Rows()
	}
	return float64(rows(2000)-rows(1000)) / 1000
}

func TestRange(t *testing.T) {
	for _, c := range []struct {
		widths []int
		bits   int
		rows   float64
	}{
		{[]int{4}, 0, 1}, {[]int{4}, 1, 1}, {[]int{4}, 2, 2},
		{[]int{4}, 3, 6}, {[]int{4}, 4, 3.5}, {[]int{4}, 5, 10.5}, {[]int{4}, 8, 8},
		{[]int{3, 5}, 4, 6}, {[]int{3, 5}, 6, 8}, {[]int{3, 5}, 8, 8}, {[]int{3, 5}, 11, 12.5},
		{[]int{12}, 62, 28.5}, {[]int{8, 13}, 8, 3.5},
	} {
		t.Run(fmt.Sprint(c.widths, c.bits), func(t *testing.T) {
			build := func(b *Builder, xs []Expr) { b.RangeAll(xs, c.bits) }
			if got := marginal(t, c.widths, build); got != c.rows {
				t.Errorf("%v rows, want %v", got, c.rows)
			}
			if c.widths[0] > 8 {
				return
			}
			b := finished(t, 1, c.widths, build)
			p := newProver(t, b)
			limit := int64(1) << c.bits
			half := Int(2)
			half.Inverse(&half)
			for v := int64(-3); v < 3; v++ {
				for _, base := range []int64{0, limit} {
					x := base + v
					if got, want := p.run(Int(x)), 0 <= x && x < limit; got != want {
						t.Errorf("%d: accepted is %v", x, got)
					}
				}
			}
			for _, x := range []fr.Element{half, Pow2(c.bits + 1), Pow2(253), Pow2(120)} {
				if p.run(x) {
					t.Errorf("%s is accepted", x.String())
				}
			}
		})
	}
}

// No choice of limbs passes a value outside the range, and one passes a value in it.
func TestRangeLimbsAreUnique(t *testing.T) {
	for _, c := range []struct {
		widths []int
		bits   int
	}{{[]int{2}, 3}, {[]int{2}, 4}, {[]int{2, 3}, 5}, {[]int{3}, 4}, {[]int{2}, 5}} {
		b := New(64, c.widths...)
		x := b.Secret("x")
		b.Range(x, c.bits)
		p := newProver(t, b)
		list := candidates(8, 2)
		for _, v := range candidates(40, 2) {
			n, ok := signed(v)
			want := 0
			if ok && 0 <= n && n < 1<<c.bits {
				want = 1
			}
			if got := p.witnesses(list, nil, v); len(got) != want {
				t.Errorf("%d bits of %v: %s has %d witnesses", c.bits, c.widths, v.String(), len(got))
			}
		}
	}
}

func TestConstantsAreCheckedAtCompileTime(t *testing.T) {
	for v, want := range map[int64]bool{-1: false, 0: true, 15: true, 16: false} {
		b := New(16, 4)
		b.Range(Constant(v), 4)
		if err := b.Finish(); (err == nil) != want || b.Rows() != 0 {
			t.Errorf("%d: %v, %d rows", v, err, b.Rows())
		}
	}
}

func TestProvenByRange(t *testing.T) {
	b := New(16, 4)
	x := b.Secret("x")
	b.Range(x.Times(-1).Plus(10), 4)
	if got, ok := b.Proven(x.Wire); !ok || got != (Proven{Interval{-5, 10}, 0}) {
		t.Errorf("%v, %v", got, ok)
	}
}
