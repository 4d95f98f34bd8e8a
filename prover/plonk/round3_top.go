package plonk

import "github.com/consensys/gnark-crypto/ecc/bn254/fr"

// nbTop is how many coefficients H has beyond 3n.
const nbTop = 6

// series holds leading coefficients of a polynomial of known degree d: those of X^d,
// X^(d−1), …, X^(d−5). The leading coefficients of a product are the product of
// series, cut off.
type series [nbTop]fr.Element

// multiply sets a to a·b.
func (a *series) multiply(b *series) {
	var product series
	var t fr.Element
	for i := range a {
		for j := range nbTop - i {
			t.Mul(&a[i], &b[j])
			product[i+j].Add(&product[i+j], &t)
		}
	}
	*a = product
}

// topQuotient returns the coefficients of X³ⁿ to X³ⁿ⁺⁵ of H.
//
// T = H·Xⁿ − H, so that the coefficient of X^(k−n) in H is that of X^k in T plus that
// of X^k in H. For k from 4n to 4n+5 the first comes from the permutation alone: L, R
// and O have degree n+1 and Z has n+2, so that its products of four have degree 4n+5,
// and the gate has no more than 3n+1. The second is 0 unless n < 6.
func (s *proof) topQuotient() ([]fr.Element, error) {
	n, beta := s.n, s.beta
	var wires [3]series
	for i, p := range []*blinded{s.l, s.r, s.o} {
		var err error
		if wires[i], err = s.top(p); err != nil {
			return nil, err
		}
	}
	z, err := s.top(s.z)
	if err != nil {
		return nil, err
	}
	// The coefficient of X^k is at place d − k. Z(ωX) has ω^k·z_k, and ωⁿ = 1.
	next := z
	degree := n + 2
	for i := range next {
		if k := degree - i; k >= 0 {
			w := power(s.vk.Generator, k)
			next[i].Mul(&next[i], &w)
		}
	}
	degree = n + 1
	scale := beta // β, βk₁, βk₂
	for i := range wires {
		sigma, identity := wires[i], wires[i]
		for j := range nbTop {
			switch k := degree - j; {
			case k < n && k >= 0:
				var t fr.Element
				t.Mul(&beta, &s.sigmaTop[i][n-1-k])
				sigma[j].Add(&sigma[j], &t)
				if k == 1 {
					identity[j].Add(&identity[j], &scale)
				}
				if k == 0 {
					sigma[j].Add(&sigma[j], &s.gamma)
					identity[j].Add(&identity[j], &s.gamma)
				}
			}
		}
		next.multiply(&sigma)
		z.multiply(&identity)
		scale.Mul(&scale, &s.vk.CosetShift)
	}
	top := make([]fr.Element, nbTop)
	for i := range nbTop { // from X³ⁿ⁺⁵ down
		j := nbTop - 1 - i
		top[j].Sub(&next[i], &z[i])
		top[j].Mul(&top[j], &s.alpha)
		if n+j < nbTop {
			top[j].Add(&top[j], &top[n+j])
		}
	}
	return top, nil
}

// top returns the leading coefficients of a blinded polynomial of degree n + len(b) − 1.
func (s *proof) top(p *blinded) (t series, err error) {
	if err := p.reduce(s.device, fr.Element{}); err != nil {
		return t, err
	}
	for i := range p.b {
		t[len(p.b)-1-i] = p.b[i]
	}
	low := t[len(p.b):]
	return t, s.readTop(low[:min(len(low), s.n)], p.body)
}

// wrapTop returns what to add to a part so as to take P₃·X³ⁿ out of it: its negative
// modulo Xⁿ − c.
func wrapTop(top []fr.Element, n int, c fr.Element) []fr.Element {
	low := make([]fr.Element, min(nbTop, n))
	factor := power(c, 3)
	var t fr.Element
	for j := range top {
		if j > 0 && j%n == 0 {
			factor.Mul(&factor, &c)
		}
		t.Mul(&factor, &top[j])
		low[j%n].Sub(&low[j%n], &t)
	}
	return low
}
