package plonk

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// open is round 5. In T − H·(Xⁿ−1) every product but one factor is replaced by its value
// at ζ. What remains, the linearised polynomial
//
//	lin(X) = l·Ql + r·Qr + lr·Qm + o·Qo + Qk + Σ qcpᵢ·PI2ᵢ
//	       + α(l + βs₁ + γ)(r + βs₂ + γ)β·z(ωζ)·S₃
//	       − α(l + βζ + γ)(r + βk₁ζ + γ)(o + βk₂ζ + γ)·Z
//	       + α²L₁(ζ)·Z
//	       − (ζⁿ−1)(H₁ + ζⁿ⁺²H₂ + ζ²ⁿ⁺⁴H₃),
//
// has a value at ζ that the verifier computes from the others, and a commitment that it
// computes from those it has; so that nothing is sent for it. Then, with a challenge v,
//
//	W(X)  = (Σ vⁱ(fᵢ(X) − fᵢ(ζ)))/(X − ζ)   for f = lin, L, R, O, S₁, S₂, Qcp₁, …
//	W′(X) = (Z(X) − z(ωζ))/(X − ωζ)
//
// are the openings. A remainder other than the claimed values says that T isn't a
// multiple of Xⁿ−1: the witness doesn't satisfy the circuit.
func (s *proof) open() error {
	lin, err := s.linearise()
	if err != nil {
		return err
	}
	digest, err := lin.commitment()
	if err != nil {
		return err
	}
	v := &s.values
	digests := append([]bn254.G1Affine{digest, s.out.LRO[0], s.out.LRO[1], s.out.LRO[2], s.vk.S[0], s.vk.S[1]}, s.vk.Qcp...)
	claimed := append([]fr.Element{lin.value, v.l, v.r, v.o, v.s1, v.s2}, v.qcp...)
	fold, err := foldingChallenge(s.zeta, digests, claimed, v.z)
	if err != nil {
		return err
	}
	folded := lin.combination
	factor := fold
	for _, p := range []*blinded{s.l, s.r, s.o} {
		folded.add(factor, p.body)
		folded.addHigh(factor, p.b...)
		factor.Mul(&factor, &fold)
	}
	for _, p := range append([]Vector{s.fixed[s1], s.fixed[s2]}, s.fixed[qcp:]...) {
		folded.add(factor, p)
		factor.Mul(&factor, &fold)
	}
	if s.out.BatchedProof.H, err = s.divide(&folded, s.zeta, horner(claimed, fold)); err != nil {
		return err
	}
	s.out.BatchedProof.ClaimedValues = claimed

	var z combination
	z.add(fr.One(), s.z.body)
	z.addHigh(fr.One(), s.z.b...)
	var next fr.Element
	next.Mul(&s.zeta, &s.vk.Generator)
	s.out.ZShiftedOpening.ClaimedValue = v.z
	s.out.ZShiftedOpening.H, err = s.divide(&z, next, v.z)
	return err
}

// combination is Σ cᵢ·pᵢ(X) + Xⁿ·high(X), the pᵢ of n coefficients on the device.
type combination struct {
	terms []Formula
	low   fr.Element // added to the coefficient of 1
	high  [3]fr.Element
}

func (c *combination) add(factor fr.Element, p Vector) {
	c.terms = append(c.terms, Scale(factor, Of(p)))
}

func (c *combination) addHigh(factor fr.Element, b ...fr.Element) {
	var t fr.Element
	for i := range b {
		t.Mul(&factor, &b[i])
		c.high[i].Add(&c.high[i], &t)
	}
}

// divide commits to (f(X) − value)/(X − x), where value is f(x).
//
// The high part is divided first, in memory: high = u·(X − x) + carry, and the carry
// goes into the division of the n low coefficients.
func (s *proof) divide(f *combination, x, value fr.Element) (w bn254.G1Affine, err error) {
	q, err := s.device.Allocate(s.n)
	if err != nil {
		return w, err
	}
	defer s.device.Free(q)
	if err := s.device.Map(s.ctx, q, Sum(f.terms...)); err != nil {
		return w, err
	}
	if err := addLow(s.device, q, []fr.Element{f.low}); err != nil {
		return w, err
	}
	u := f.high
	carry := divideHigh(&u, x)
	remainder, err := s.device.Divide(s.ctx, q, q, x, carry)
	if err != nil {
		return w, err
	}
	if !remainder.Equal(&value) {
		return w, fmt.Errorf("%w: an opening leaves a remainder", ErrUnsatisfied)
	}
	sums, err := s.device.Commit(s.ctx, s.powers, q)
	if err != nil {
		return w, err
	}
	high, err := combine(s.high[:2], u[:2])
	if err != nil {
		return w, err
	}
	return *w.Add(&sums[0], &high), nil
}

// divideHigh divides Xⁿ·high(X) by X − x: high becomes what Xⁿ is multiplied by in the
// quotient, and carry·Xⁿ is left.
func divideHigh(high *[3]fr.Element, x fr.Element) (carry fr.Element) {
	for i := len(high) - 1; i >= 0; i-- {
		coefficient := high[i]
		high[i] = carry
		carry.Mul(&carry, &x).Add(&carry, &coefficient)
	}
	return carry
}
