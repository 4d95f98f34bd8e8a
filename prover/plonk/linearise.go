package plonk

import (
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// linearised is the linearised polynomial of [proof.open] in three forms: on the device,
// as a combination of commitments, and its value at ζ as the verifier computes it.
type linearised struct {
	combination
	points  []bn254.G1Affine
	scalars []fr.Element
	value   fr.Element
}

// commitment returns the commitment to the polynomial.
func (l *linearised) commitment() (bn254.G1Affine, error) { return combine(l.points, l.scalars) }

// term adds factor·p, p having the commitment point.
func (l *linearised) term(factor fr.Element, p Vector, point bn254.G1Affine) {
	l.combination.add(factor, p)
	l.points, l.scalars = append(l.points, point), append(l.scalars, factor)
}

// linearise puts the linearised polynomial together.
func (s *proof) linearise() (*linearised, error) {
	var lin linearised
	v, one := &s.values, fr.One()

	var lr fr.Element
	lr.Mul(&v.l, &v.r)
	lin.term(v.l, s.fixed[ql], s.vk.Ql)
	lin.term(v.r, s.fixed[qr], s.vk.Qr)
	lin.term(lr, s.fixed[qm], s.vk.Qm)
	lin.term(v.o, s.fixed[qo], s.vk.Qo)
	lin.term(one, s.fixed[qk], s.vk.Qk)
	for i := range s.pi2 {
		lin.term(v.qcp[i], s.pi2[i], s.out.Bsb22Commitments[i])
	}

	// α(l + βs₁ + γ)(r + βs₂ + γ)·z(ωζ), and that times β for S₃
	var sigma, sigma3 fr.Element
	first, second := s.factor(v.l, s.beta, v.s1), s.factor(v.r, s.beta, v.s2)
	sigma.Mul(&first, &second).Mul(&sigma, &v.z).Mul(&sigma, &s.alpha)
	sigma3.Mul(&sigma, &s.beta)
	lin.term(sigma3, s.fixed[s3], s.vk.S[2])

	// α²L₁(ζ) − α(l + βζ + γ)(r + βk₁ζ + γ)(o + βk₂ζ + γ)
	product, scale := s.alpha, s.beta
	for _, wire := range []fr.Element{v.l, v.r, v.o} {
		f := s.factor(wire, scale, s.zeta)
		product.Mul(&product, &f)
		scale.Mul(&scale, &s.vk.CosetShift)
	}
	start := s.lagrangeAt(0)
	start.Mul(&start, &s.alpha).Mul(&start, &s.alpha)
	var coefficient fr.Element
	coefficient.Sub(&start, &product)
	lin.term(coefficient, s.z.body, s.out.Z)
	lin.addHigh(coefficient, s.z.b...)

	if err := s.subtractQuotient(&lin); err != nil {
		return nil, err
	}

	// The value at ζ: α²L₁(ζ) − PI(ζ) − α(l + βs₁ + γ)(r + βs₂ + γ)(o + γ)·z(ωζ).
	last := s.factor(v.o, s.beta, fr.Element{})
	sigma.Mul(&sigma, &last)
	pi := s.publicAtZeta()
	lin.value.Sub(&start, &pi).Sub(&lin.value, &sigma)
	return &lin, nil
}

// subtractQuotient adds −(ζⁿ−1)(H₁ + ζⁿ⁺²H₂ + ζ²ⁿ⁺⁴H₃), of the blinded shares.
func (s *proof) subtractQuotient(lin *linearised) error {
	one := fr.One()
	var factor, step fr.Element
	factor.Sub(&one, &s.values.zn)
	step.Mul(&s.values.zn, &s.zeta).Mul(&step, &s.zeta)
	for i := range s.out.H {
		share := s.share(i)
		lin.term(factor, share.Slice(0, s.n), s.out.H[i])
		var high [3]fr.Element
		if err := s.device.Read(high[:2], share.Slice(s.n, s.n+2)); err != nil {
			return err
		}
		low, top := s.shareBlinding(i)
		high[2] = top
		low.Mul(&low, &factor)
		lin.low.Add(&lin.low, &low)
		lin.addHigh(factor, high[:]...)
		factor.Mul(&factor, &step)
	}
	return nil
}

// factor returns wire + scale·place + γ.
func (s *proof) factor(wire, scale, place fr.Element) (f fr.Element) {
	f.Mul(&scale, &place)
	return *f.Add(&f, &wire).Add(&f, &s.gamma)
}

// lagrangeAt returns the value at ζ of the polynomial that is 1 in one row and 0 in the
// others: ωⁱ(ζⁿ−1)/(n(ζ−ωⁱ)).
func (s *proof) lagrangeAt(row int) (l fr.Element) {
	w, one := power(s.vk.Generator, row), fr.One()
	var numerator fr.Element
	numerator.Sub(&s.values.zn, &one).Mul(&numerator, &w).Mul(&numerator, &s.vk.SizeInv)
	l.Sub(&s.zeta, &w).Inverse(&l)
	return *l.Mul(&l, &numerator)
}

// publicAtZeta returns PI(ζ).
func (s *proof) publicAtZeta() (pi fr.Element) {
	add := func(row int, value *fr.Element) {
		l := s.lagrangeAt(row)
		l.Mul(&l, value)
		pi.Add(&pi, &l)
	}
	for i := range s.public {
		add(i, &s.public[i])
	}
	for i, info := range s.commitments {
		add(s.nbPublic+info.CommitmentIndex, &s.hashed[i])
	}
	return pi
}
