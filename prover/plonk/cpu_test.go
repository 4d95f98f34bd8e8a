package plonk

import (
	"context"
	"fmt"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// drawn returns random elements.
func drawn(n int) fr.Vector {
	v := make(fr.Vector, n)
	v.MustSetRandom()
	return v
}

// TestCPU compares the device with the definitions, at lengths around its block.
func TestCPU(t *testing.T) {
	ctx := context.Background()
	d := new(CPU)
	for _, n := range []int{4, 64, block, 4 * block} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			root, err := fr.Generator(uint64(n))
			if err != nil {
				t.Fatal(err)
			}
			coefficients, shift := drawn(n), drawn(1)[0]
			p, _ := d.Upload(coefficients)

			// ToCoset has the values on the coset, in some order; FromCoset undoes it.
			values, _ := d.Allocate(n)
			if err := d.ToCoset(ctx, shift, Transform{p, values}); err != nil {
				t.Fatal(err)
			}
			found := make(map[fr.Element]bool)
			for _, v := range onCPU(values) {
				found[v] = true
			}
			for i := range n {
				x := power(root, i)
				x.Mul(&x, &shift)
				if !found[horner(coefficients, x)] {
					t.Fatalf("the value at shift·ω^%d isn't among those on the coset", i)
				}
			}
			// Next has those at ω times the point.
			next, _ := d.Allocate(n)
			if err := d.Map(ctx, next, Next(values)); err != nil {
				t.Fatal(err)
			}
			successor := make(map[fr.Element]fr.Element)
			for i := range n {
				x := power(root, i)
				x.Mul(&x, &shift)
				at := horner(coefficients, x)
				x.Mul(&x, &root)
				successor[at] = horner(coefficients, x)
			}
			for i, v := range onCPU(values) {
				if want := successor[v]; !onCPU(next)[i].Equal(&want) {
					t.Fatalf("the value after that at index %d is wrong", i)
				}
			}
			if err := d.FromCoset(ctx, shift, values); err != nil {
				t.Fatal(err)
			}
			if !onCPU(values).Equal(coefficients) {
				t.Error("FromCoset doesn't undo ToCoset")
			}

			// Interpolate takes the values in the order of the rows.
			rows := make(fr.Vector, n)
			for i := range rows {
				rows[i] = horner(coefficients, power(root, i))
			}
			v, _ := d.Upload(rows)
			if err := d.Interpolate(ctx, v); err != nil {
				t.Fatal(err)
			}
			if !rows.Equal(coefficients) {
				t.Error("Interpolate doesn't give the coefficients")
			}

			// Evaluate, and Divide with something carried in.
			z, carry := drawn(1)[0], drawn(1)[0]
			at, err := d.Evaluate(ctx, z, p, p.Slice(1, n))
			if err != nil {
				t.Fatal(err)
			}
			if want := horner(coefficients, z); !at[0].Equal(&want) {
				t.Error("Evaluate is wrong")
			}
			if want := horner(coefficients[1:], z); !at[1].Equal(&want) {
				t.Error("Evaluate of a slice is wrong")
			}
			q, _ := d.Allocate(n)
			remainder, err := d.Divide(ctx, q, p, z, carry)
			if err != nil {
				t.Fatal(err)
			}
			x := drawn(1)[0] // f(x) = q(x)·(x − z) + remainder
			left := horner(append(append(fr.Vector{}, coefficients...), carry), x)
			right := horner(onCPU(q), x)
			var factor fr.Element
			factor.Sub(&x, &z)
			right.Mul(&right, &factor).Add(&right, &remainder)
			if !left.Equal(&right) {
				t.Error("Divide is wrong")
			}
		})
	}
	if _, err := d.Divide(ctx, cpuVector{elements: drawn(4)}, cpuVector{elements: drawn(5)}, fr.One(), fr.One()); err == nil {
		t.Error("Divide into another length")
	}
}

// TestMap compares formulas with their meaning, also where the result replaces one of
// their vectors.
func TestMap(t *testing.T) {
	d := new(CPU)
	const n = 2*block + 3
	a, b, c := drawn(n), drawn(n), drawn(n)
	k := drawn(1)[0]
	va, vb, vc := Of(cpuVector{elements: a}), Of(cpuVector{elements: b}), Of(cpuVector{elements: c})
	tests := map[string]struct {
		formula Formula
		want    func(a, b, c fr.Element) fr.Element
	}{
		"leaf":       {vb, func(_, b, _ fr.Element) fr.Element { return b }},
		"sum":        {Sum(va, vb, vc), func(a, b, c fr.Element) fr.Element { return *a.Add(&a, &b).Add(&a, &c) }},
		"product":    {Product(va, vb, vc), func(a, b, c fr.Element) fr.Element { return *a.Mul(&a, &b).Mul(&a, &c) }},
		"difference": {Difference(va, vb), func(a, b, _ fr.Element) fr.Element { return *a.Sub(&a, &b) }},
		"scale":      {Scale(k, va), func(a, _, _ fr.Element) fr.Element { return *a.Mul(&a, &k) }},
		"plus":       {Plus(k, va), func(a, _, _ fr.Element) fr.Element { return *a.Add(&a, &k) }},
		"tree": {Difference(Product(Sum(va, vb), Plus(k, vc)), Sum(Product(vc, va), Scale(k, Product(vb, va)))), func(a, b, c fr.Element) fr.Element {
			var left, right, x, y fr.Element
			left.Add(&a, &b).Mul(&left, x.Add(&k, &c))
			right.Add(x.Mul(&c, &a), y.Mul(&k, &b).Mul(&y, &a))
			return *left.Sub(&left, &right)
		}},
		"in place": {Sum(Product(vb, vb), Scale(k, va), va), func(a, b, _ fr.Element) fr.Element {
			var x, y fr.Element
			return *x.Mul(&b, &b).Add(&x, y.Mul(&k, &a)).Add(&x, &a)
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			before := append(fr.Vector{}, a...)
			if err := d.Map(t.Context(), cpuVector{elements: a}, test.formula); err != nil {
				t.Fatal(err)
			}
			for i := range a {
				if want := test.want(before[i], b[i], c[i]); !a[i].Equal(&want) {
					t.Fatalf("element %d is wrong", i)
				}
			}
			copy(a, before)
		})
	}
}

// TestCommit compares with gnark-crypto.
func TestCommit(t *testing.T) {
	d := new(CPU)
	_, _, generator, _ := bn254.Generators()
	points := bn254.BatchScalarMultiplicationG1(&generator, drawn(300))
	bases, err := d.LoadBases(points)
	if err != nil {
		t.Fatal(err)
	}
	columns := []fr.Vector{drawn(300), drawn(17), make(fr.Vector, 300)}
	var vectors []Vector
	for _, c := range columns {
		vectors = append(vectors, cpuVector{elements: c})
	}
	sums, err := d.Commit(t.Context(), bases, vectors...)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range columns {
		var want bn254.G1Affine
		if _, err := want.MultiExp(points[:len(c)], c, ecc.MultiExpConfig{}); err != nil {
			t.Fatal(err)
		}
		if !sums[i].Equal(&want) {
			t.Errorf("column %d is wrong", i)
		}
	}
	if _, err := d.Commit(t.Context(), bases, cpuVector{elements: drawn(301)}); err == nil {
		t.Error("more elements than points")
	}
}
