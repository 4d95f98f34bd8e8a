package audit

import (
	"context"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit/gadget"
)

// system writes rows over one given input and describes them.
func system(t *testing.T, write func(b *gadget.Builder, x gadget.Expr) []gadget.Expr) *System {
	t.Helper()
	b := gadget.New(64, 3)
	x := b.Secret("x")
	b.At("the node", "the gadget")
	ys := write(b, x)
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	return &System{
		Name: "test", CS: b.System(), Options: b.SolverOptions(), Region: b.RegionOf, HintName: b.HintName, Lookups: b.Lookups(),
		Tensors: []Tensor{{"y", ys}}, Inputs: []Input{{Name: "x", Count: 1, Given: true}},
	}
}

func run(t *testing.T, s *System, x int64) *Result {
	t.Helper()
	r, err := Run(context.Background(), s, [][]fr.Element{{gadget.Int(x)}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A quotient and a remainder of which only one has a range.
func TestFindsAMissingRange(t *testing.T) {
	s := system(t, func(b *gadget.Builder, x gadget.Expr) []gadget.Expr {
		q := b.Rescale([]gadget.Expr{x}, gadget.Interval{Lo: 0, Hi: 30}, gadget.Rounding{Mult: 1, Shift: 2, Min: -100, Max: 100})
		return q
	})
	if r := run(t, s, 13); len(r.Survivors) != 0 || r.Mutations == 0 {
		t.Fatalf("the complete gadget: %d mutations, survivors %v", r.Mutations, r.Survivors)
	}
	full, err := newModel(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	less := *s
	less.Lookups = s.Lookups[:1]
	m, err := newModel(&less, full.closesTable)
	if err != nil {
		t.Fatal(err)
	}
	r, err := m.audit(context.Background(), full, [][]fr.Element{{gadget.Int(13)}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Survivors) == 0 {
		t.Fatal("nothing survives without the range of the remainder")
	}
	found := r.Survivors[0]
	if found.Node != "the node" || found.Gadget != "the gadget" || len(found.Tensors) != 1 || found.Changed < 2 {
		t.Errorf("survivor %+v", found)
	}
	if !strings.Contains(found.String(), `elements of ["y"] change`) {
		t.Errorf("survivor %s", found)
	}
}

// A bit that is only a root of a quadratic equation, and a tensor that follows from it.
func TestFindsAFreeBit(t *testing.T) {
	s := system(t, func(b *gadget.Builder, x gadget.Expr) []gadget.Expr {
		bit := b.Range
		bit(x, 1)
		y := b.HintFunc("bit", oneBit, 1, x)[0]
		b.Range(y, 1)
		return []gadget.Expr{y}
	})
	r := run(t, s, 1)
	if len(r.Survivors) != 2 || r.Survivors[0].Role != RoleElement || r.Survivors[0].Late == r.Survivors[1].Late {
		t.Errorf("survivors %v, want the bit, chosen before the challenge and after it", r.Survivors)
	}
}

// What the static pass derives: all of a gadget whose limbs are digits, but neither a
// free bit nor multiplicities.
func TestDerives(t *testing.T) {
	s := system(t, func(b *gadget.Builder, x gadget.Expr) []gadget.Expr {
		return b.Rescale([]gadget.Expr{x}, gadget.Interval{Lo: 0, Hi: 30}, gadget.Rounding{Mult: 1, Shift: 3, Min: -100, Max: 100})
	})
	r := run(t, s, 13)
	for _, u := range r.Underived {
		if u.Role == RoleElement || u.Role == RoleLimb {
			t.Errorf("not derived: %+v", u)
		}
	}
	if r.Derived == 0 || len(r.Underived) == 0 {
		t.Errorf("%d derived, underived %v", r.Derived, r.Underived)
	}
	s = system(t, func(b *gadget.Builder, x gadget.Expr) []gadget.Expr {
		y := b.HintFunc("bit", oneBit, 1, x)[0]
		b.Range(y, 1)
		return []gadget.Expr{y}
	})
	if r := run(t, s, 1); len(r.Underived) != 1 || r.Underived[0].Reason != "a factor of a product of unknowns" {
		t.Errorf("underived %+v", r.Underived)
	}
}
