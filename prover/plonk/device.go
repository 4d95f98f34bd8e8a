package plonk

import (
	"context"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Device does the heavy work of a proof where its data is: on the CPU ([CPU]) or on
// an accelerator. A proof uploads columns of the witness and reads back commitments,
// evaluations and a handful of coefficients; everything between stays in [Vector]
// handles. Field elements are in Montgomery form everywhere.
//
// A method that takes a context returns its error within a second of its end. Other
// errors mean that the device failed; the proof is then given up, and the caller may
// make it on another device. Methods may be called by several proofs at once.
type Device interface {
	// LoadBases makes points resident: the terms of later commitments. The device
	// may keep the slice.
	LoadBases(points []bn254.G1Affine) (Bases, error)
	// Commit returns Σ column[i]·bases[i] of each column, which may be shorter than
	// the bases. Columns that share bases cost less in one call.
	Commit(ctx context.Context, bases Bases, columns ...Vector) ([]bn254.G1Affine, error)

	// Allocate returns n zeros.
	Allocate(n int) (Vector, error)
	// Upload returns a vector of these elements. The vector may be the slice itself:
	// whoever hands it over may read it until the vector is written to, and must not
	// change it.
	Upload(elements []fr.Element) (Vector, error)
	// Write overwrites all of dst, Read fetches all of src. Both are meant for few
	// elements.
	Write(dst Vector, elements []fr.Element) error
	Read(elements []fr.Element, src Vector) error
	// Free wipes vectors and gives their memory back.
	Free(vectors ...Vector)

	// Interpolate replaces the values v(ωⁱ) of polynomials, in the order of i, by
	// their coefficients. The domain has as many elements as the vector.
	Interpolate(ctx context.Context, vectors ...Vector) error
	// ToCoset writes the values of polynomials on the coset shift·⟨ω⟩ of the domain.
	// Their order is the device's own, the same in every call: element-wise work
	// doesn't mind, and [Next] finds the next row.
	ToCoset(ctx context.Context, shift fr.Element, transforms ...Transform) error
	// FromCoset undoes ToCoset in place: values on shift·⟨ω⟩ become coefficients.
	FromCoset(ctx context.Context, shift fr.Element, vectors ...Vector) error

	// Map sets dst[i] to the formula's value at each index i. The formula's vectors
	// have dst's length; dst may be among them, but not under [Next].
	Map(ctx context.Context, dst Vector, f Formula) error
	// Evaluate returns the values at z of polynomials given by coefficients.
	Evaluate(ctx context.Context, z fr.Element, polynomials ...Vector) ([]fr.Element, error)
	// Divide divides f(X) = carry·Xⁿ + Σ src[i]·Xⁱ by X − z: dst gets the n
	// coefficients of the quotient, and the remainder, f(z), is returned. dst may
	// be src.
	Divide(ctx context.Context, dst, src Vector, z, carry fr.Element) (fr.Element, error)
}

// Vector is a handle to field elements on a device.
type Vector interface {
	// Len returns the number of elements.
	Len() int
	// Slice returns a handle to the elements from up to, not including, to. It
	// shares their memory and is never freed by itself.
	Slice(from, to int) Vector
}

// Bases is a handle to points of G₁ on a device.
type Bases interface {
	// Len returns the number of points.
	Len() int
}

// Transform names the coefficients of a polynomial, which are left as they are, and a
// vector as long for its values.
type Transform struct{ Coefficients, Values Vector }
