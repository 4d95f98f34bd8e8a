package plonk

import (
	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// blinded is the polynomial p(X) + b(X)·(Xⁿ−1), which on the domain is p, of degree
// below n, and elsewhere hides it: L, R, O with a b of two random coefficients, Z
// with one of three.
//
// The device holds it modulo Xⁿ − power, n elements: with power 1 that is p itself,
// with power 0 the low coefficients of the blinded polynomial (b the high ones), and
// with power sⁿ a polynomial that equals the blinded one on the coset s·⟨ω⟩.
type blinded struct {
	body  Vector
	power fr.Element
	b     []fr.Element
}

// newBlinded draws b, of order coefficients, from crypto/rand.
func newBlinded(body Vector, order int) (*blinded, error) {
	p := &blinded{body: body, power: fr.One(), b: make([]fr.Element, order)}
	for i := range p.b {
		if _, err := p.b[i].SetRandom(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// reduce changes the modulus to Xⁿ − power: the body becomes body + (power − before)·b.
// The body must hold coefficients.
func (p *blinded) reduce(d Device, power fr.Element) error {
	var difference fr.Element
	difference.Sub(&power, &p.power)
	p.power = power
	more := make([]fr.Element, len(p.b))
	for i := range more {
		more[i].Mul(&p.b[i], &difference)
	}
	return addLow(d, p.body, more)
}

// addLow adds few elements to the first ones of a vector.
func addLow(d Device, v Vector, elements []fr.Element) error {
	low := make([]fr.Element, len(elements))
	head := v.Slice(0, len(low))
	if err := d.Read(low, head); err != nil {
		return err
	}
	for i := range elements {
		low[i].Add(&low[i], &elements[i])
	}
	return d.Write(head, low)
}

// vanishing returns a commitment to b(X)·(Xⁿ−1).
func (p *Prover) vanishing(b []fr.Element) (bn254.G1Affine, error) {
	scalars := make([]fr.Element, 2*len(b))
	copy(scalars, b)
	for i := range b {
		scalars[len(b)+i].Neg(&b[i])
	}
	points := append(append([]bn254.G1Affine{}, p.high[:len(b)]...), p.low[:len(b)]...)
	return combine(points, scalars)
}

// combine returns Σ scalars[i]·points[i] of a few points.
func combine(points []bn254.G1Affine, scalars []fr.Element) (sum bn254.G1Affine, err error) {
	_, err = sum.MultiExp(points, scalars, ecc.MultiExpConfig{})
	return sum, err
}
