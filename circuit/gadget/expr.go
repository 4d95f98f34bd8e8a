package gadget

import (
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
)

// Expr is the affine value Coeff·Wire + Const. It costs no row. The zero Expr is
// the constant 0.
type Expr struct {
	Wire  Wire
	Coeff fr.Element
	Const fr.Element
}

var (
	one      = fr.One()
	minusOne = Int(-1)
)

func exprOf(w Wire) Expr { return Expr{Wire: w, Coeff: one} }

// Constant returns the constant v.
func Constant(v int64) Expr { return Expr{Const: Int(v)} }

// Int returns the field element v.
func Int(v int64) (e fr.Element) {
	e.SetInt64(v)
	return
}

// Pow2 returns the field element 2^n, n >= 0.
func Pow2(n int) (e fr.Element) {
	if n < 64 {
		return fr.NewElement(1 << n)
	}
	e.SetBigInt(new(big.Int).Lsh(big.NewInt(1), uint(n)))
	return
}

// IsConst reports whether x has no wire.
func (x Expr) IsConst() bool { return x.Coeff.IsZero() }

// Scale returns k·x.
func (x Expr) Scale(k fr.Element) Expr {
	x.Coeff.Mul(&x.Coeff, &k)
	x.Const.Mul(&x.Const, &k)
	return x
}

// Times returns k·x.
func (x Expr) Times(k int64) Expr { return x.Scale(Int(k)) }

// Plus returns x + k.
func (x Expr) Plus(k int64) Expr {
	e := Int(k)
	x.Const.Add(&x.Const, &e)
	return x
}

// Add returns x + y: free if one is constant or both have one wire, else a row.
func (b *Builder) Add(x, y Expr) Expr {
	var sum Expr
	sum.Const.Add(&x.Const, &y.Const)
	switch {
	case x.IsConst():
		sum.Wire, sum.Coeff = y.Wire, y.Coeff
	case y.IsConst():
		sum.Wire, sum.Coeff = x.Wire, x.Coeff
	case x.Wire == y.Wire:
		sum.Wire = x.Wire
		sum.Coeff.Add(&x.Coeff, &y.Coeff)
	default:
		var zero fr.Element
		sum.Wire, sum.Coeff = b.internal(), one
		b.row(x.Wire, y.Wire, sum.Wire, x.Coeff, y.Coeff, zero, minusOne, zero, constraint.NOT)
	}
	return sum
}

// Sub returns x - y, as Add.
func (b *Builder) Sub(x, y Expr) Expr { return b.Add(x, y.Scale(minusOne)) }

// Sum returns the sum of the terms, one row for each wire but the first.
func (b *Builder) Sum(terms ...Expr) Expr {
	var sum Expr
	for _, t := range terms {
		sum = b.Add(sum, t)
	}
	return sum
}

// Mul returns x·y: free if one is constant, else a row.
func (b *Builder) Mul(x, y Expr) Expr { return b.MulAdd(x, y, Expr{}) }

// MulAdd returns x·y + z: one row where z is constant or shares its wire with x or
// y, otherwise two.
func (b *Builder) MulAdd(x, y, z Expr) Expr {
	switch {
	case x.IsConst():
		return b.Add(y.Scale(x.Const), z)
	case y.IsConst():
		return b.Add(x.Scale(y.Const), z)
	case !z.IsConst() && z.Wire != x.Wire && z.Wire != y.Wire:
		return b.Add(b.MulAdd(x, y, Expr{}), z)
	}
	ql, qr, qm, qk := product(x, y)
	if z.Wire == x.Wire { // a constant z adds 0
		ql.Add(&ql, &z.Coeff)
	} else {
		qr.Add(&qr, &z.Coeff)
	}
	qk.Add(&qk, &z.Const)
	w := b.internal()
	b.row(x.Wire, y.Wire, w, ql, qr, qm, minusOne, qk, constraint.NOT)
	return exprOf(w)
}

// product returns the coefficients of (a·u + k)(c·v + l) = ac·uv + al·u + ck·v + kl.
func product(x, y Expr) (ql, qr, qm, qk fr.Element) {
	ql.Mul(&x.Coeff, &y.Const)
	qr.Mul(&y.Coeff, &x.Const)
	qm.Mul(&x.Coeff, &y.Coeff)
	qk.Mul(&x.Const, &y.Const)
	return
}

// AssertMul asserts x·y = z in one row.
func (b *Builder) AssertMul(x, y, z Expr) {
	ql, qr, qm, qk := product(x, y)
	qo := z.Coeff
	qo.Neg(&qo)
	qk.Sub(&qk, &z.Const)
	b.assert(x.Wire, y.Wire, z.Wire, ql, qr, qm, qo, qk)
}

// AssertSum asserts x + y + z = 0 in one row.
func (b *Builder) AssertSum(x, y, z Expr) {
	var zero, qk fr.Element
	qk.Add(&x.Const, &y.Const).Add(&qk, &z.Const)
	b.assert(x.Wire, y.Wire, z.Wire, x.Coeff, y.Coeff, zero, z.Coeff, qk)
}

// AssertEqual asserts x = y in one row.
func (b *Builder) AssertEqual(x, y Expr) { b.AssertSum(x, y.Scale(minusOne), Expr{}) }

// assert writes an assertion row; a slot without a coefficient is left unused. An
// equation without wires must hold as it stands.
func (b *Builder) assert(xa, xb, xc Wire, ql, qr, qm, qo, qk fr.Element) {
	if qm.IsZero() && ql.IsZero() && qr.IsZero() && qo.IsZero() {
		if !qk.IsZero() {
			b.fail(errFalse)
		}
		return
	}
	if qm.IsZero() && ql.IsZero() {
		xa = 0
	}
	if qm.IsZero() && qr.IsZero() {
		xb = 0
	}
	if qo.IsZero() {
		xc = 0
	}
	b.row(xa, xb, xc, ql, qr, qm, qo, qk, constraint.NOT)
}
