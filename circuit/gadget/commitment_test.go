package gadget

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/plonk"
	"github.com/consensys/gnark/backend/witness"

	"github.com/zkml-go/zkml/prover/srs"
)

// TestCommittedValueIsTheWire proves with gnark, whose solver skips the rows that carry
// the COMMITTED flag: that what is committed is the value of the wire, only the
// verifier's equation says. A prover that commits to another value gets a challenge of
// its choosing, and no proof.
func TestCommittedValueIsTheWire(t *testing.T) {
	for _, test := range []struct {
		name     string
		commit   func(x Expr) Expr
		accepted bool
	}{
		{"the wire", func(x Expr) Expr { return x }, true},
		{"one more", func(x Expr) Expr { return x.Plus(1) }, false},
		{"its negative", func(x Expr) Expr { return x.Times(-1) }, false},
		{"nothing", func(x Expr) Expr { return Constant(0) }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := New(16)
			x, y := b.Secret("x"), b.Secret("y")
			b.Commit(y)
			b.Commit(x)
			b.inputs[1] = test.commit(x)
			b.Defer(Check, func() error {
				b.AssertMul(b.Challenge(""), x, b.Mul(b.Challenge(""), y))
				return nil
			})
			if err := b.Finish(); err != nil {
				t.Fatal(err)
			}
			if got := prove(t, b, Int(3), Int(3)); got != test.accepted {
				t.Errorf("accepted is %v", got)
			}
		})
	}
}

// prove reports whether gnark makes a proof of the secret inputs that it accepts.
func prove(t *testing.T, b *Builder, secrets ...fr.Element) bool {
	t.Helper()
	system := b.System()
	log := 0
	for 1<<log < system.GetNbConstraints() {
		log++
	}
	s, err := srs.Development(log)
	if err != nil {
		t.Fatal(err)
	}
	canonical, lagrange := s.Canonical(), s.InLagrangeForm()
	pk, vk, err := plonk.Setup(system, &canonical, &lagrange)
	if err != nil {
		t.Fatal(err)
	}
	values := make(chan any, len(secrets))
	for _, v := range secrets {
		values <- v
	}
	close(values)
	w, err := witness.New(ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Fill(0, len(secrets), values); err != nil {
		t.Fatal(err)
	}
	proof, err := plonk.Prove(system, pk, w)
	if err != nil {
		t.Log(err)
		return false
	}
	public, err := w.Public()
	if err != nil {
		t.Fatal(err)
	}
	if err := plonk.Verify(proof, vk, public); err != nil {
		t.Log(err)
		return false
	}
	return true
}
