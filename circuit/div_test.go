package circuit_test

import (
	"context"
	"errors"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// quotientOf is x·2^shift / d for x of so many bits and d in 1 … 8.
func quotientOf(bits int, shift uint) (*quantize.Program, error) {
	b := quantize.NewBuilder()
	x, err := b.Append(quantize.Node{Op: quantize.Input{Name: "x", Bits: bits}, Shape: tensor.Shape{1}, Name: "x", Source: -1})
	if err != nil {
		return nil, err
	}
	d, err := b.Append(quantize.Node{Op: quantize.Input{Name: "d", Bits: 3}, Shape: tensor.Shape{1}, Lo: 1, Name: "d", Source: -1})
	if err != nil {
		return nil, err
	}
	y, err := b.Append(quantize.Node{Op: quantize.Div{Shift: shift}, Inputs: []quantize.ID{x, d}, Name: "y", Source: -1})
	if err != nil {
		return nil, err
	}
	b.Program.Outputs = []quantize.Output{{Name: "y", ID: y}}
	return b.Program, nil
}

// TestWidestDivision ties what a program may divide to what the gadget takes: every
// dividend up to quantize.MaxDividend compiles and is proven at both ends, and a program
// with a larger one isn't valid.
func TestWidestDivision(t *testing.T) {
	for _, bits := range []int{1, 20, 45, 59, 60} {
		shift := uint(60 - bits)
		if bits == 1 {
			shift = 60 // the bound itself
		}
		p, err := quotientOf(bits, shift)
		if err != nil {
			t.Fatal(err)
		}
		c, err := circuit.Compile(context.Background(), p, circuit.Options{Widths: []int{8}})
		if err != nil {
			t.Errorf("%d bits, shift %d: %v", bits, shift, err)
			continue
		}
		for _, x := range []int64{0, 1, 1<<bits - 1} {
			for _, d := range []int64{1, 8} {
				a, err := c.Assign([][]int64{{x}, {d}}, fr.Element{})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.Check(a); err != nil {
					t.Errorf("%d·2^%d / %d: %v", x, shift, d, err)
				}
			}
		}
		var invalid *quantize.InvalidError
		if _, err := quotientOf(bits, shift+1); !errors.As(err, &invalid) {
			t.Errorf("%d bits, shift %d: %v", bits, shift+1, err)
		}
	}
}
