// Package srs reads, checks, makes and caches structured reference strings: the
// powers [τ^i]₁ and the point [τ]₂ that KZG commitments on BN254 are made with.
//
// The secret τ must be unknown to everyone, because whoever knows it can prove
// anything. A public ceremony gives such a string: many people contribute to τ in
// turn, and one honest contributor is enough. Its files (".ptau", written by
// snarkjs) are identified by a published BLAKE2b-512 digest. [Cache.Import] takes
// one, checks the digest, checks by a pairing that all of its powers belong to one
// τ, and stores what the prover needs.
//
// For development there is [Development]: its τ is public, so that it costs
// seconds to make and protects nothing. Everyone recognises it by its [τ]₂
// ([IsDevelopment]), and commands refuse it unless asked not to.
//
// An [SRS] holds both forms of the string for one domain of n = 2^Log points: the
// n+3 powers that PLONK's blinded polynomials need, and the n points [L_i(τ)]₁ of
// the Lagrange basis, which commit to a polynomial given by its values.
//
// A string is determined by its τ, and τ by [τ]₂. The digest of a string, its
// [ID], is therefore the Keccak-256 of [τ]₂, whatever the number of powers: a
// truncated file of the same ceremony has the same ID.
package srs

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"
	"golang.org/x/crypto/sha3"
)

// MaxLog is the largest domain that any string is made for, 2^28 points: the
// largest power of two that divides r-1 for BN254's scalar field.
const MaxLog = 28

// extraPowers is how many powers above the size of the domain a prover needs, for
// polynomials that are blinded by a multiple of degree 2 of X^n - 1.
const extraPowers = 3

// Errors of this package. Each matches Err, and a command that meets one exits
// with the code for "SRS missing, wrong or unsafe".
var (
	// Err is matched by every error of this package that is about the string
	// itself rather than about reading files.
	Err = errors.New("structured reference string")
	// ErrMissing is matched when no string that fits is at hand.
	ErrMissing = fmt.Errorf("%w: missing", Err)
	// ErrInvalid is matched when a file isn't a structured reference string, is
	// damaged, isn't the one it should be, or doesn't pass the pairing check.
	ErrInvalid = fmt.Errorf("%w: wrong", Err)
	// ErrDevelopment is matched when the string is the development one, whose τ
	// is public, and the caller didn't allow it.
	ErrDevelopment = fmt.Errorf("%w: unsafe: its secret is public (development)", Err)
)

// ID names a string: the Keccak-256 of [τ]₂ in the EIP-197 encoding.
type ID [32]byte

// String returns the ID in hexadecimal.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// SRS is a structured reference string for one domain.
type SRS struct {
	// Name says where the string comes from, for people: the file's name, or
	// "development".
	Name string
	// Log is the binary logarithm of the size of the domain.
	Log int
	// Powers holds [τ^i]₁ for 0 <= i < 2^Log + 3.
	Powers []bn254.G1Affine
	// Lagrange holds [L_i(τ)]₁ for 0 <= i < 2^Log, where L_i is 1 at ω^i and 0 at
	// the other powers of ω, the generator of the domain.
	Lagrange []bn254.G1Affine
	// TauG2 is [τ]₂.
	TauG2 bn254.G2Affine
}

// ID returns the digest of the string.
func (s *SRS) ID() ID { return IDOf(&s.TauG2) }

// Development reports whether the string is the development one.
func (s *SRS) Development() bool { return IsDevelopment(&s.TauG2) }

// IDOf returns the ID of the strings with this [τ]₂.
func IDOf(tauG2 *bn254.G2Affine) (id ID) {
	encoded := EncodeG2(tauG2)
	h := sha3.NewLegacyKeccak256()
	h.Write(encoded[:])
	h.Sum(id[:0])
	return id
}

// EncodeG2 returns the encoding of EIP-197: the imaginary part of x, its real
// part, then y likewise, 32 bytes each, big-endian.
func EncodeG2(p *bn254.G2Affine) (b [128]byte) {
	for i, c := range []interface{ Bytes() [32]byte }{&p.X.A1, &p.X.A0, &p.Y.A1, &p.Y.A0} {
		v := c.Bytes()
		copy(b[32*i:], v[:])
	}
	return b
}

// Canonical returns the powers as gnark-crypto's type, for one domain of size
// 2^Log.
func (s *SRS) Canonical() kzg.SRS {
	return kzg.SRS{Pk: kzg.ProvingKey{G1: s.Powers}, Vk: VerifyingKey(&s.TauG2)}
}

// InLagrangeForm returns the points of the Lagrange basis as gnark-crypto's type.
func (s *SRS) InLagrangeForm() kzg.SRS {
	return kzg.SRS{Pk: kzg.ProvingKey{G1: s.Lagrange}, Vk: VerifyingKey(&s.TauG2)}
}

// VerifyingKey returns the KZG verifying key of [τ]₂. The other points are BN254's
// standard generators, and the lines of the pairing are computed here: neither is
// ever taken from a file, because a verifier trusts them.
func VerifyingKey(tauG2 *bn254.G2Affine) kzg.VerifyingKey {
	_, _, g1, g2 := bn254.Generators()
	vk := kzg.VerifyingKey{G1: g1, G2: [2]bn254.G2Affine{g2, *tauG2}}
	vk.Lines[0] = bn254.PrecomputeLines(vk.G2[0])
	vk.Lines[1] = bn254.PrecomputeLines(vk.G2[1])
	return vk
}
