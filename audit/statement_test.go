package audit

import (
	"context"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit/gadget"
)

// quarter is y = ⌊x/4⌋.
func quarter(_ *big.Int, in, out []*big.Int) error {
	out[0].Rsh(in[0], 2)
	return nil
}

// Another hidden input is another statement only with the answer that belongs to it. Here
// x − 4·y may be as much as 7, so that x = 5 has the answers 1 and 0; the honest witness
// has x = 1, for which no other answer passes.
func TestAnotherInputWithAWrongAnswer(t *testing.T) {
	for _, test := range []struct {
		name string
		bits int // of the remainder
		want bool
	}{{"exact", 2, false}, {"too wide", 3, true}} {
		s := system(t, func(b *gadget.Builder, x gadget.Expr) []gadget.Expr {
			y := b.HintFunc("quarter", quarter, 1, x)[0]
			b.Range(x, 3)
			b.Range(y, 3)
			b.Range(b.Sub(x, y.Times(4)), test.bits)
			return []gadget.Expr{x, y}
		})
		s.Inputs = []Input{{Name: "x", Count: 1, Lo: 0, Hi: 7, Hidden: true}}
		r, err := Run(context.Background(), s, [][]fr.Element{{gadget.Int(1)}}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(r.Survivors) > 0; got != test.want {
			t.Errorf("remainder %s: survivors %v", test.name, r.Survivors)
		}
	}
}
