package plonk

import (
	"crypto/sha256"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/hash_to_field"
	fiatshamir "github.com/consensys/gnark-crypto/fiat-shamir"
	gnark "github.com/consensys/gnark/backend/plonk/bn254"
)

// The transcript makes the proof non-interactive: each challenge is the SHA-256 of
// its name, the challenge before it, and what the prover has sent since:
//
//	γ  S₁, S₂, S₃, Ql, Qr, Qm, Qo, Qk, the Qcp, the public words, L, R, O
//	β  nothing more
//	α  the BSB22 commitments, Z
//	ζ  H₁, H₂, H₃
//
// Points are 64 bytes, x and y; elements are 32 bytes; all big-endian.
type transcript struct{ t *fiatshamir.Transcript }

func newTranscript() transcript {
	return transcript{fiatshamir.NewTranscript(sha256.New(), "gamma", "beta", "alpha", "zeta")}
}

// bindKey binds γ to the statement.
func (t transcript) bindKey(vk *gnark.VerifyingKey, public []fr.Element) error {
	points := append([]bn254.G1Affine{vk.S[0], vk.S[1], vk.S[2], vk.Ql, vk.Qr, vk.Qm, vk.Qo, vk.Qk}, vk.Qcp...)
	if err := t.bindPoints("gamma", points...); err != nil {
		return err
	}
	for i := range public {
		if err := t.t.Bind("gamma", public[i].Marshal()); err != nil {
			return err
		}
	}
	return nil
}

func (t transcript) bindPoints(name string, points ...bn254.G1Affine) error {
	for i := range points {
		b := points[i].RawBytes()
		if err := t.t.Bind(name, b[:]); err != nil {
			return err
		}
	}
	return nil
}

// challenge binds points and returns the challenge.
func (t transcript) challenge(name string, points ...bn254.G1Affine) (c fr.Element, err error) {
	if err := t.bindPoints(name, points...); err != nil {
		return c, err
	}
	b, err := t.t.ComputeChallenge(name)
	if err != nil {
		return c, err
	}
	return *c.SetBytes(b), nil
}

// foldingChallenge returns v, with whose powers the openings at ζ are folded: the
// SHA-256 of "gamma", ζ, the digests, the claimed values, and Z(ωζ).
func foldingChallenge(zeta fr.Element, digests []bn254.G1Affine, values []fr.Element, shifted fr.Element) (v fr.Element, err error) {
	t := transcript{fiatshamir.NewTranscript(sha256.New(), "gamma")}
	if err := t.t.Bind("gamma", zeta.Marshal()); err != nil {
		return v, err
	}
	if err := t.bindPoints("gamma", digests...); err != nil {
		return v, err
	}
	for _, value := range append(append([]fr.Element{}, values...), shifted) {
		if err := t.t.Bind("gamma", value.Marshal()); err != nil {
			return v, err
		}
	}
	return t.challenge("gamma")
}

// hashCommitment returns the challenge that a BSB22 commitment gives to the circuit:
// RFC 9380's hash to the field with the tag "BSB22-Plonk".
func hashCommitment(commitment *bn254.G1Affine) (c fr.Element) {
	h := hash_to_field.New([]byte("BSB22-Plonk"))
	b := commitment.RawBytes()
	h.Write(b[:])
	return *c.SetBytes(h.Sum(nil)[:fr.Bytes])
}
