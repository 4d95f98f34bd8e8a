package plonk

import "github.com/consensys/gnark-crypto/ecc/bn254/fr"

// Formula says how to compute one element from the elements of several vectors that
// have the same index. It is a tree, built with [Of], [Next], [Sum], [Product],
// [Difference], [Scale] and [Plus], so that equations of the protocol read as they
// are written. A device decides how to walk it: block by block in a cache, or
// operation by operation over whole vectors.
type Formula struct {
	Op     Op
	Vector Vector     // of Leaf and NextLeaf
	Scalar fr.Element // of ScaleOp and PlusOp
	Terms  []Formula  // of the others: one for ScaleOp and PlusOp, two for DifferenceOp
}

// Op is what a [Formula] does.
type Op uint8

// The operations of formulas.
const (
	Leaf         Op = iota // the vector's element
	NextLeaf               // the vector's element for the next row
	SumOp                  // Σ terms
	ProductOp              // Π terms
	DifferenceOp           // first term − second term
	ScaleOp                // scalar · term
	PlusOp                 // scalar + term
)

// Of is the vector's element.
func Of(v Vector) Formula { return Formula{Op: Leaf, Vector: v} }

// Next is the element of the next row: if the vector has the values of p(X) on a coset,
// in the device's order, that of p(ωX). The vector is whole, no slice of another.
func Next(v Vector) Formula { return Formula{Op: NextLeaf, Vector: v} }

// Sum adds formulas, at least one.
func Sum(terms ...Formula) Formula { return Formula{Op: SumOp, Terms: terms} }

// Product multiplies formulas, at least one.
func Product(terms ...Formula) Formula { return Formula{Op: ProductOp, Terms: terms} }

// Difference is a − b.
func Difference(a, b Formula) Formula {
	return Formula{Op: DifferenceOp, Terms: []Formula{a, b}}
}

// Scale is c·f.
func Scale(c fr.Element, f Formula) Formula {
	return Formula{Op: ScaleOp, Scalar: c, Terms: []Formula{f}}
}

// Plus is c + f.
func Plus(c fr.Element, f Formula) Formula {
	return Formula{Op: PlusOp, Scalar: c, Terms: []Formula{f}}
}
