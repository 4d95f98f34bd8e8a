package plonk

import "github.com/consensys/gnark-crypto/ecc/bn254/fr"

// commitQuotient is round 3. With a random α, all that a valid proof must show is that
// one polynomial vanishes on the domain,
//
//	gate(X)        = Ql·L + Qr·R + Qm·L·R + Qo·O + Qk + PI + Σ Qcpᵢ·PI2ᵢ
//	permutation(X) = (L + βS₁ + γ)(R + βS₂ + γ)(O + βS₃ + γ)·Z(ωX)
//	               − (L + βX + γ)(R + βk₁X + γ)(O + βk₂X + γ)·Z(X)
//	start(X)       = L₁·(Z − 1)
//
//	T = gate + α·permutation + α²·start = H·(Xⁿ−1),
//
// where PI has the public words, and the commitments' challenges in their rows. The
// quotient H, of degree 3n+5, is cut into H = H₁ + Xⁿ⁺²·H₂ + X²ⁿ⁺⁴·H₃. The cuts of a
// blinded T aren't blinded by themselves; two more random numbers do that:
//
//	H₁ + b₁·Xⁿ⁺²,  H₂ − b₁ + b₂·Xⁿ⁺²,  H₃ − b₂.
func (s *proof) commitQuotient() (err error) {
	if err := s.quotient(); err != nil {
		return err
	}
	for i := range s.shares {
		if _, err := s.shares[i].SetRandom(); err != nil {
			return err
		}
	}
	sums, err := s.device.Commit(s.ctx, s.powers, s.share(0), s.share(1), s.share(2))
	if err != nil {
		return err
	}
	for i := range s.out.H {
		low, high := s.shareBlinding(i)
		hiding, err := combine(append(s.low[:1:1], s.high[2]), []fr.Element{low, high})
		if err != nil {
			return err
		}
		s.out.H[i].Add(&sums[i], &hiding)
	}
	s.zeta, err = s.transcript.challenge("zeta", s.out.H[:]...)
	return err
}

// share returns the i-th cut of H, n+2 coefficients, without its blinding.
func (s *proof) share(i int) Vector { return s.h.Slice(i*(s.n+2), (i+1)*(s.n+2)) }

// shareBlinding returns what is added to the i-th share's coefficients of 1 and Xⁿ⁺².
func (s *proof) shareBlinding(i int) (low, high fr.Element) {
	if i > 0 {
		low.Neg(&s.shares[i-1])
	}
	if i < len(s.shares) {
		high = s.shares[i]
	}
	return low, high
}

// quotient computes the coefficients of H, 3n+6 of them, on three cosets of n elements.
//
// Without the start, whose quotient is added as it is ([proof.addStart]), T is a sum of
// products: on the coset s·⟨ω⟩ the polynomial Xⁿ is the number c = sⁿ, and so H is T/(c−1)
// there. Transforming that back gives H modulo Xⁿ − c. With H = P₀ + P₁Xⁿ + P₂X²ⁿ + P₃X³ⁿ,
// each coset gives P₀ + cP₁ + c²P₂ + c³P₃. P₃, six coefficients, follows from the leading
// coefficients of T ([proof.topQuotient]); the other three are interpolated in c.
func (s *proof) quotient() error {
	columns := append([]Vector{s.l.body, s.r.body, s.o.body, s.z.body}, s.pi2...)
	if err := s.device.Interpolate(s.ctx, columns...); err != nil {
		return err
	}
	top, err := s.topQuotient()
	if err != nil {
		return err
	}
	completed, err := s.completeQk()
	if err != nil {
		return err
	}
	defer s.device.Free(completed)
	if s.h, err = s.allocate(3*s.n + nbTop); err != nil {
		return err
	}
	if err := s.device.Write(s.h.Slice(3*s.n, 3*s.n+nbTop), top); err != nil {
		return err
	}
	var parts [nbCosets]Vector
	for i := range parts {
		c := &s.cosets[i]
		parts[i] = s.h.Slice(i*s.n, (i+1)*s.n)
		if err := s.onCoset(c, parts[i], completed); err != nil {
			return err
		}
		if err := s.device.FromCoset(s.ctx, c.shift, parts[i]); err != nil {
			return err
		}
		if err := addLow(s.device, parts[i], wrapTop(top, s.n, c.power)); err != nil {
			return err
		}
	}
	if err := s.separate(parts[0], parts[1], parts[2]); err != nil {
		return err
	}
	return s.addStart()
}

// completeQk returns the coefficients of Qk + PI.
func (s *proof) completeQk() (Vector, error) {
	column := make([]fr.Element, s.n) // nothing in it is secret
	copy(column, s.public)
	for i, info := range s.commitments {
		column[s.nbPublic+info.CommitmentIndex] = s.hashed[i]
	}
	v, err := s.device.Upload(column)
	if err != nil {
		return nil, err
	}
	if err = s.device.Interpolate(s.ctx, v); err == nil {
		err = s.device.Map(s.ctx, v, Sum(Of(v), Of(s.fixed[qk])))
	}
	if err != nil {
		s.device.Free(v)
		return nil, err
	}
	return v, nil
}

// onCoset sets dst to the values of (gate + α·permutation)/(Xⁿ−1) on a coset. The gate
// comes first, so that the columns that only it has, or only the permutation, have their
// values in one vector after another.
func (s *proof) onCoset(c *coset, dst, completed Vector) error {
	for _, p := range []*blinded{s.l, s.r, s.o, s.z} {
		if err := p.reduce(s.device, c.power); err != nil {
			return err
		}
	}
	var columns [4]Vector
	for i := range columns {
		var err error
		if columns[i], err = s.device.Allocate(s.n); err != nil {
			return err
		}
		defer s.device.Free(columns[i])
	}
	l, r, o, column := columns[0], columns[1], columns[2], columns[3]
	err := s.device.ToCoset(s.ctx, c.shift,
		Transform{s.l.body, l}, Transform{s.r.body, r}, Transform{s.o.body, o}, Transform{completed, dst})
	if err != nil {
		return err
	}
	if err := s.gate(c, dst, Of(l), Of(r), Of(o)); err != nil {
		return err
	}
	for i, pi2 := range s.pi2 {
		if err := s.device.ToCoset(s.ctx, c.shift, Transform{pi2, column}); err != nil {
			return err
		}
		err := s.withFixed(c, []int{qcp + i}, func(q ...Formula) error {
			return s.device.Map(s.ctx, dst, Sum(Of(dst), Product(q[0], Of(column))))
		})
		if err != nil {
			return err
		}
	}
	if err := s.device.ToCoset(s.ctx, c.shift, Transform{s.z.body, column}); err != nil {
		return err
	}
	return s.permuted(c, dst, Of(l), Of(r), Of(o), column)
}

// gate adds the gate's other terms to dst, which has the values of Qk + PI.
func (s *proof) gate(c *coset, dst Vector, l, r, o Formula) error {
	return s.withFixed(c, []int{ql, qr, qm, qo}, func(q ...Formula) error {
		return s.device.Map(s.ctx, dst, Sum(
			Product(l, Sum(q[ql], Product(q[qm], r))),
			Product(q[qr], r),
			Product(q[qo], o),
			Of(dst),
		))
	})
}

// permuted adds α times the permutation's terms to the gate in dst, and divides by
// Xⁿ−1. z has the values of Z.
func (s *proof) permuted(c *coset, dst Vector, l, r, o Formula, z Vector) error {
	var betaX, betaK1X, betaK2X fr.Element // β times what ωⁱ is multiplied by
	betaX.Mul(&s.beta, &c.shift)
	betaK1X.Mul(&betaX, &s.vk.CosetShift)
	betaK2X.Mul(&betaK1X, &s.vk.CosetShift)
	factor := func(wire Formula, beta fr.Element, place Formula) Formula {
		return Plus(s.gamma, Sum(wire, Scale(beta, place)))
	}
	one := fr.One()
	var inverse fr.Element
	inverse.Sub(&c.power, &one).Inverse(&inverse)
	x := Of(s.identity)
	return s.withFixed(c, []int{s1, s2, s3}, func(sigma ...Formula) error {
		permutation := Difference(
			Product(factor(l, s.beta, sigma[0]), factor(r, s.beta, sigma[1]), factor(o, s.beta, sigma[2]), Next(z)),
			Product(factor(l, betaX, x), factor(r, betaK1X, x), factor(o, betaK2X, x), Of(z)),
		)
		return s.device.Map(s.ctx, dst, Scale(inverse, Sum(Of(dst), Scale(s.alpha, permutation))))
	})
}

// withFixed calls use with the values on a coset of the fixed polynomials of these
// indices, computed for it if they aren't kept.
func (s *proof) withFixed(c *coset, indices []int, use func(...Formula) error) error {
	formulas := make([]Formula, len(indices))
	if c.fixed == nil {
		values, err := s.valuesOn(s.ctx, c, indices)
		if err != nil {
			return err
		}
		defer s.device.Free(values...)
		for i := range values {
			formulas[i] = Of(values[i])
		}
		return use(formulas...)
	}
	for i, index := range indices {
		formulas[i] = Of(c.fixed[index])
	}
	return use(formulas...)
}

// separate takes aᵢ = P₀ + cᵢP₁ + cᵢ²P₂ apart, by Newton's divided differences, and
// leaves P₀, P₁, P₂ in their places.
func (s *proof) separate(a0, a1, a2 Vector) error {
	c0, c1, c2 := s.cosets[0].power, s.cosets[1].power, s.cosets[2].power
	inverse := func(a, b fr.Element) (d fr.Element) {
		d.Sub(&a, &b).Inverse(&d)
		return d
	}
	var sum fr.Element
	sum.Add(&c0, &c1)
	for _, step := range []struct {
		dst     Vector
		formula Formula
	}{
		{a1, Scale(inverse(c1, c0), Difference(Of(a1), Of(a0)))},
		{a2, Scale(inverse(c2, c1), Difference(Scale(inverse(c2, c0), Difference(Of(a2), Of(a0))), Of(a1)))},
		{a1, Difference(Of(a1), Scale(sum, Of(a2)))},
		{a0, Difference(Of(a0), Scale(c0, Sum(Of(a1), Scale(c0, Of(a2)))))},
	} {
		if err := s.device.Map(s.ctx, step.dst, step.formula); err != nil {
			return err
		}
	}
	return nil
}

// addStart adds the quotient of α²·start. Since Z(1) = 1 and L₁ = (Xⁿ−1)/(n(X−1)), it is
//
//	α²/n · (Z(X) − 1)/(X − 1),
//
// of degree n+1.
func (s *proof) addStart() error {
	if err := s.z.reduce(s.device, fr.Element{}); err != nil {
		return err
	}
	q, err := s.device.Allocate(s.n)
	if err != nil {
		return err
	}
	defer s.device.Free(q)
	one, high := fr.One(), [3]fr.Element(s.z.b)
	carry := divideHigh(&high, one)
	if _, err := s.device.Divide(s.ctx, q, s.z.body, one, carry); err != nil {
		return err
	}
	var factor fr.Element
	factor.Square(&s.alpha).Mul(&factor, &s.vk.SizeInv)
	low := s.h.Slice(0, s.n)
	if err := s.device.Map(s.ctx, low, Sum(Of(low), Scale(factor, Of(q)))); err != nil {
		return err
	}
	for i := range high {
		high[i].Mul(&high[i], &factor)
	}
	return addLow(s.device, s.h.Slice(s.n, s.n+2), high[:2])
}
