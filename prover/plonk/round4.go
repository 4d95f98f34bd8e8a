package plonk

import "github.com/consensys/gnark-crypto/ecc/bn254/fr"

// evaluations are the values that a proof states.
type evaluations struct {
	l, r, o, s1, s2 fr.Element   // at ζ
	qcp             []fr.Element // at ζ
	z               fr.Element   // Z(ωζ)
	zn              fr.Element   // ζⁿ
}

// evaluate is round 4: the values of L, R, O, S₁, S₂ and the Qcp at the random point ζ,
// and that of Z at ωζ. With them, T(ζ) = H(ζ)·(ζⁿ−1) becomes linear in the polynomials
// that remain.
func (s *proof) evaluate() error {
	v := &s.values
	v.zn = power(s.zeta, s.n)
	for _, p := range []*blinded{s.l, s.r, s.o, s.z} {
		if err := p.reduce(s.device, fr.Element{}); err != nil {
			return err
		}
	}
	polynomials := append([]Vector{s.l.body, s.r.body, s.o.body, s.fixed[s1], s.fixed[s2]}, s.fixed[qcp:]...)
	at, err := s.device.Evaluate(s.ctx, s.zeta, polynomials...)
	if err != nil {
		return err
	}
	v.l, v.r, v.o, v.s1, v.s2, v.qcp = at[0], at[1], at[2], at[3], at[4], at[5:]
	for i, p := range []*blinded{s.l, s.r, s.o} {
		value := []*fr.Element{&v.l, &v.r, &v.o}[i]
		p.addHigh(value, s.zeta, v.zn)
	}
	var next fr.Element
	next.Mul(&s.zeta, &s.vk.Generator)
	if at, err = s.device.Evaluate(s.ctx, next, s.z.body); err != nil {
		return err
	}
	v.z = at[0]
	s.z.addHigh(&v.z, next, v.zn)
	return nil
}

// addHigh adds xⁿ·b(x) to a value at x of the body modulo Xⁿ; zn is xⁿ.
func (p *blinded) addHigh(value *fr.Element, x, zn fr.Element) {
	high := horner(p.b, x)
	high.Mul(&high, &zn)
	value.Add(value, &high)
}
