// Package transcript derives a proof's challenges as gnark's verifiers do, and from
// them the digest of the linearised polynomial, which gnark computes but doesn't show.
package transcript

import (
	"crypto/sha256"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	fiatshamir "github.com/consensys/gnark-crypto/fiat-shamir"
	plonk "github.com/consensys/gnark/backend/plonk/bn254"
)

// Challenges are those of a proof up to the point of evaluation, Zeta.
type Challenges struct{ Gamma, Beta, Alpha, Zeta fr.Element }

// Derive hashes the key, the words and the proof.
func Derive(vk *plonk.VerifyingKey, p *plonk.Proof, words []fr.Element) (Challenges, error) {
	transcript := fiatshamir.NewTranscript(sha256.New(), "gamma", "beta", "alpha", "zeta")
	var c Challenges
	points := func(lists ...[]bn254.G1Affine) (data []byte) {
		for _, list := range lists {
			for i := range list {
				raw := list[i].RawBytes()
				data = append(data, raw[:]...)
			}
		}
		return data
	}
	first := points(vk.S[:], []bn254.G1Affine{vk.Ql, vk.Qr, vk.Qm, vk.Qo, vk.Qk}, vk.Qcp)
	for i := range words {
		word := words[i].Bytes()
		first = append(first, word[:]...)
	}
	for _, step := range []struct {
		name string
		data []byte
		to   *fr.Element
	}{
		{"gamma", append(first, points(p.LRO[:])...), &c.Gamma},
		{"beta", nil, &c.Beta},
		{"alpha", points(p.Bsb22Commitments, []bn254.G1Affine{p.Z}), &c.Alpha},
		{"zeta", points(p.H[:]), &c.Zeta},
	} {
		if err := transcript.Bind(step.name, step.data); err != nil {
			return c, fmt.Errorf("challenge %s: %w", step.name, err)
		}
		hash, err := transcript.ComputeChallenge(step.name)
		if err != nil {
			return c, fmt.Errorf("challenge %s: %w", step.name, err)
		}
		step.to.SetBytes(hash)
	}
	return c, nil
}

// Digest computes [Λ], the digest of a proof's linearised polynomial: the sum that the
// comment of contracts/Plonk.sol spells out.
func Digest(vk *plonk.VerifyingKey, p *plonk.Proof, words []fr.Element) (bn254.G1Affine, error) {
	c, err := Derive(vk, p, words)
	if err != nil {
		return bn254.G1Affine{}, err
	}
	l, r, o := p.BatchedProof.ClaimedValues[1], p.BatchedProof.ClaimedValues[2], p.BatchedProof.ClaimedValues[3]
	s1, s2 := p.BatchedProof.ClaimedValues[4], p.BatchedProof.ClaimedValues[5]

	one := fr.One()
	var zetaN, vanishing fr.Element
	zetaN.Exp(c.Zeta, new(big.Int).SetUint64(vk.Size))
	vanishing.Sub(&zetaN, &one)

	// αL₀(ζ) = α·(ζⁿ - 1)/(n·(ζ - 1))
	var first fr.Element
	first.Sub(&c.Zeta, &one)
	first.Inverse(&first).Mul(&first, &vanishing).Mul(&first, &vk.SizeInv).Mul(&first, &c.Alpha)

	// sum = a + βb + γ
	sum := func(a, b *fr.Element) (s fr.Element) {
		s.Mul(&c.Beta, b).Add(&s, a).Add(&s, &c.Gamma)
		return s
	}
	var scalarS3, scalarZ, shifted fr.Element
	left, right := sum(&l, &s1), sum(&r, &s2)
	scalarS3.Mul(&left, &right).Mul(&scalarS3, &c.Beta).Mul(&scalarS3, &p.ZShiftedOpening.ClaimedValue).Mul(&scalarS3, &c.Alpha)
	left = sum(&l, &c.Zeta)
	shifted.Mul(&c.Zeta, &vk.CosetShift)
	right = sum(&r, &shifted)
	scalarZ.Mul(&left, &right)
	shifted.Mul(&shifted, &vk.CosetShift)
	right = sum(&o, &shifted)
	scalarZ.Mul(&scalarZ, &right)
	scalarZ.Sub(&first, &scalarZ).Mul(&scalarZ, &c.Alpha)

	var product, step, h1, h2, h3 fr.Element
	product.Mul(&l, &r)
	step.Square(&c.Zeta).Mul(&step, &zetaN)
	h1.Neg(&vanishing)
	h2.Mul(&h1, &step)
	h3.Mul(&h2, &step)

	points := append([]bn254.G1Affine{vk.Ql, vk.Qr, vk.Qm, vk.Qo, vk.Qk, vk.S[2], p.Z, p.H[0], p.H[1], p.H[2]}, p.Bsb22Commitments...)
	scalars := append([]fr.Element{l, r, product, o, one, scalarS3, scalarZ, h1, h2, h3}, p.BatchedProof.ClaimedValues[6:]...)
	var digest bn254.G1Affine
	if _, err := digest.MultiExp(points, scalars, ecc.MultiExpConfig{}); err != nil {
		return digest, fmt.Errorf("digest of the linearised polynomial: %w", err)
	}
	return digest, nil
}
