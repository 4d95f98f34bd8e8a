package cases

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/audit"
	"github.com/zkml-go/zkml/circuit/gadget"
)

// small leaves out what takes long.
func small(t *testing.T) []Case {
	t.Helper()
	gadgets, err := Gadgets()
	if err != nil {
		t.Fatal(err)
	}
	operators, err := Operators()
	if err != nil {
		t.Fatal(err)
	}
	var list []Case
	for _, c := range append(gadgets, operators...) {
		few := 3
		if c.System.CS.GetNbConstraints() > 60 {
			few = 1
		}
		c.Inputs = c.Inputs[:min(len(c.Inputs), few)]
		list = append(list, c)
	}
	return list
}

// Nothing survives in a gadget or an operator, whether lookups are looked up or proven by
// their rows. The exemption is needed: quotients are free where a clamp isn't active.
func TestNothingSurvives(t *testing.T) {
	exempt := make(map[audit.Role]int)
	for _, c := range small(t) {
		for _, exact := range []bool{false, true} {
			if exact && c.System.CS.GetNbConstraints() > 120 {
				continue // the whole audit does it
			}
			r, err := audit.Run(context.Background(), c.System, c.Inputs, audit.Options{Exact: exact})
			if err != nil {
				t.Fatal(err)
			}
			if r.Mutations == 0 && !strings.Contains(c.System.Name, "direct") || r.Inconclusive > 0 && !exact {
				t.Errorf("%s: %d mutations, %d of them given up", r.Name, r.Mutations, r.Inconclusive)
			}
			for _, s := range r.Survivors {
				t.Errorf("%s: %s", r.Name, s)
			}
			for role, n := range r.Exempt {
				exempt[role] += n
			}
			for _, s := range r.Strata {
				if s.Role == audit.RoleQuotient && s.Wires == 0 {
					t.Errorf("%s: an empty stratum", r.Name)
				}
			}
		}
	}
	if len(exempt) != 1 || exempt[audit.RoleQuotient] == 0 {
		t.Errorf("exempt are %v, want only quotients, and some", exempt)
	}
}

// The exemption of quotients is needed, and covers no wire of a tensor: without it they
// survive, and what survives is quotients and what is computed from them alone.
func TestExemption(t *testing.T) {
	list, err := Gadgets()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, c := range list {
		if c.System.Name != "rescale, both clamps, a table's size" && c.System.Name != "rescale, relu, very far below" && c.System.Name != "rescale, half to even" {
			continue
		}
		c.Inputs = c.Inputs[:min(len(c.Inputs), 8)]
		strict, err := audit.Run(context.Background(), c.System, c.Inputs, audit.Options{Strict: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range strict.Survivors {
			found++
			if s.Role != audit.RoleQuotient || len(s.Tensors) > 0 || s.Result {
				t.Errorf("%s: what is exempt is %s", c.System.Name, s)
			}
		}
		usual, err := audit.Run(context.Background(), c.System, c.Inputs, audit.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(usual.Survivors) > 0 || (len(usual.Exempt) > 0) != (len(strict.Survivors) > 0) {
			t.Errorf("%s: exempt %v, survivors %v; without the exemption %v", c.System.Name, usual.Exempt, usual.Survivors, strict.Survivors)
		}
		if len(strict.Survivors) == 0 {
			continue
		}
		// The same system, in which that quotient is an element of a tensor.
		free := strict.Survivors[0].Wire
		element := *c.System
		element.Tensors = append(slices.Clone(element.Tensors), audit.Tensor{
			Name: "quotient", Exprs: []gadget.Expr{{Wire: gadget.Wire(free), Coeff: fr.One()}},
		})
		covered, err := audit.Run(context.Background(), &element, c.Inputs, audit.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(covered.Survivors, func(s audit.Survivor) bool { return s.Wire == free }) {
			t.Errorf("%s: a free element of a tensor is exempt", c.System.Name)
		}
	}
	if found == 0 {
		t.Error("nothing needs the exemption")
	}
}

// Each deletion is detected or explained in these gadgets; the whole audit measures all
// of them.
func TestDeletionsAreDetected(t *testing.T) {
	want := map[string]bool{
		"range of 2 bits": true, "range of two limbs": true, "lookup": true, "div": true,
		"rescale, two limbs of remainder": true, "rescale, relu, very far below": true,
	}
	list, err := Gadgets()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		if !want[c.System.Name] {
			continue
		}
		list, err := audit.Power(context.Background(), c.System, c.Inputs, audit.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			t.Errorf("%s: nothing to delete", c.System.Name)
		}
		for _, d := range list {
			if d.Detected == (Explain(d) != "") {
				t.Errorf("%s without %s: detected %t, explained by %q", d.System, d.Kind, d.Detected, Explain(d))
			}
		}
		delete(want, c.System.Name)
	}
	for name := range want {
		t.Errorf("no gadget %q", name)
	}
}
