//go:build icicle

package gpu

import (
	"context"
	"fmt"
	"slices"

	gc "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/prover/plonk"
)

// compare has the card and the CPU compute the same multi-exponentiation and the same
// transform: libraries for another card, or of another version, give other results.
func (c *Card) compare() (err error) {
	const n = 64
	scalars := make(fr.Vector, n)
	scalars.MustSetRandom()
	scalars[0].SetZero()
	scalars[1].SetOne()
	scalars[2].Neg(&scalars[1])
	_, _, generator, _ := gc.Generators()
	points := gc.BatchScalarMultiplicationG1(&generator, scalars)
	shift := fr.NewElement(5)
	card, release := c.session()
	defer func() {
		for _, failed := range []error{release(), c.takeLost()} {
			if err == nil && failed != nil {
				err = fmt.Errorf("check the card: %w", failed)
			}
		}
	}()
	var sums [2][]gc.G1Affine
	var values [2]fr.Vector
	for i, d := range []plonk.Device{new(plonk.CPU), card} {
		var err error
		if sums[i], values[i], err = sample(d, points, scalars, shift); err != nil {
			return fmt.Errorf("check the card: %w", err)
		}
	}
	if !sums[0][0].Equal(&sums[1][0]) {
		return fmt.Errorf("%w: its multi-exponentiation differs from the CPU's", ErrCard)
	}
	if !slices.Equal(values[0], values[1]) {
		return fmt.Errorf("%w: its transform differs from the CPU's", ErrCard)
	}
	return nil
}

// sample returns Σ scalars·points, and the coefficients of the polynomial whose values on
// shift·⟨ω⟩ are the squares of that with the scalars as coefficients: the order of values is
// a device's own.
func sample(d plonk.Device, points []gc.G1Affine, scalars fr.Vector, shift fr.Element) ([]gc.G1Affine, fr.Vector, error) {
	ctx := context.Background()
	bases, err := d.LoadBases(points)
	if err != nil {
		return nil, nil, err
	}
	v, err := d.Upload(slices.Clone(scalars)) // the CPU's vector is the slice, wiped when freed
	if err != nil {
		return nil, nil, err
	}
	defer d.Free(v)
	values, err := d.Allocate(len(scalars))
	if err != nil {
		return nil, nil, err
	}
	defer d.Free(values)
	sums, err := d.Commit(ctx, bases, v)
	if err == nil {
		err = d.ToCoset(ctx, shift, plonk.Transform{Coefficients: v, Values: values})
	}
	if err == nil {
		err = d.Map(ctx, values, plonk.Product(plonk.Of(values), plonk.Of(values)))
	}
	if err == nil {
		err = d.FromCoset(ctx, shift, values)
	}
	out := make(fr.Vector, len(scalars))
	if err == nil {
		err = d.Read(out, values)
	}
	return sums, out, err
}
