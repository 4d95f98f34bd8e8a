package reusable

import (
	"crypto/sha256"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity/internal/transcript"
)

// EvaluationPoint returns ζ, at which a proof opens its polynomials.
func EvaluationPoint(s *Sample) (fr.Element, error) {
	parsed, err := prover.ParseRaw(s.Proof.Raw, s.Model.Shape.Commitments)
	if err != nil {
		return fr.Element{}, err
	}
	c, err := transcript.Derive(s.Model.VK.Plonk(), parsed, s.Proof.Words)
	return c.Zeta, err
}

// ForgeOpening returns the quotient [W] that opens a proof's polynomials at ζ where the
// digest of the linearised polynomial is said to be another. Only whoever knows the
// string's secret τ can: [W] = ([F] - f·[1]) / (τ - ζ).
func ForgeOpening(s *Sample, digest []byte, tau fr.Element) ([]byte, error) {
	zeta, err := EvaluationPoint(s)
	if err != nil {
		return nil, err
	}
	vk, proof := s.Model.VK.Plonk(), s.Item.Proof
	parsed, err := prover.ParseRaw(s.Proof.Raw, s.Model.Shape.Commitments)
	if err != nil {
		return nil, err
	}
	points := make([]bn254.G1Affine, 1, 6+len(vk.Qcp))
	if _, err := points[0].SetBytes(digest); err != nil {
		return nil, fmt.Errorf("forging an opening: %w", err)
	}
	points = append(append(points, parsed.LRO[:]...), vk.S[0], vk.S[1])
	points = append(points, vk.Qcp...)

	hash := sha256.New()
	point := zeta.Bytes()
	hash.Write(append([]byte("gamma"), point[:]...))
	for i := range points {
		raw := points[i].RawBytes()
		hash.Write(raw[:])
	}
	for _, value := range parsed.BatchedProof.ClaimedValues {
		bytes := value.Bytes()
		hash.Write(bytes[:])
	}
	hash.Write(proof[valueZ:pointW])
	var v fr.Element
	v.SetBytes(hash.Sum(nil))

	var sum bn254.G1Jac
	power := fr.One()
	var value fr.Element
	for i := range points {
		var term bn254.G1Affine
		term.ScalarMultiplication(&points[i], power.BigInt(new(big.Int)))
		sum.AddMixed(&term)
		var claimed fr.Element
		claimed.Mul(&parsed.BatchedProof.ClaimedValues[i], &power)
		value.Add(&value, &claimed)
		power.Mul(&power, &v)
	}
	_, _, g1, _ := bn254.Generators()
	var term bn254.G1Affine
	term.ScalarMultiplication(&g1, value.Neg(&value).BigInt(new(big.Int)))
	sum.AddMixed(&term)
	var inverse fr.Element
	inverse.Sub(&tau, &zeta).Inverse(&inverse)
	sum.ScalarMultiplication(&sum, inverse.BigInt(new(big.Int)))
	term.FromJacobian(&sum)
	raw := term.RawBytes()
	return raw[:], nil
}
