package prover

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"
	plonk "github.com/consensys/gnark/backend/plonk/bn254"
	"golang.org/x/crypto/sha3"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover/srs"
)

// ModelID names a model: the Keccak-256 of its verifying key's canonical blob. A
// contract whose code is the blob has it as EXTCODEHASH.
type ModelID [32]byte

// String returns the id as 0x and 64 hexadecimal digits.
func (id ModelID) String() string { return "0x" + hex.EncodeToString(id[:]) }

// MarshalText implements encoding.TextMarshaler.
func (id ModelID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ModelID) UnmarshalText(text []byte) error {
	b, err := parseHex32(string(text))
	if err != nil {
		return fmt.Errorf("model id: %w", err)
	}
	*id = b
	return nil
}

// ParseModelID reads 0x and 64 hexadecimal digits.
func ParseModelID(s string) (id ModelID, err error) {
	err = id.UnmarshalText([]byte(s))
	return id, err
}

// parseHex32 reads 0x and 64 hexadecimal digits in lower case.
func parseHex32(s string) (b [32]byte, err error) {
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok || len(digits) != 64 {
		return b, fmt.Errorf("%.80q: want 0x and 64 hexadecimal digits", s)
	}
	if strings.ToLower(digits) != digits {
		return b, fmt.Errorf("%q: want digits in lower case", s)
	}
	if _, err := hex.Decode(b[:], []byte(digits)); err != nil {
		return b, fmt.Errorf("%q: want 0x and 64 hexadecimal digits", s)
	}
	return b, nil
}

// blobTag starts every blob. Its first byte is the opcode STOP, so that a contract
// which holds a blob as its code does nothing when called, and is never 0xEF, with
// which no code may begin.
const blobTag = "\x00zkml"

// maxCommitments bounds the number of BSB22 commitments of a circuit.
const maxCommitments = 64

// blobFields is what a verifying key's blob holds. The blob is, big-endian:
//
//	5 bytes   00 "zkml"
//	uint16    version
//	32 bytes  program digest
//	32 bytes  public-manifest digest
//	uint32    log2 n, n the size of the domain
//	uint32    number of public words
//	uint32    number of commitments, c
//	uint32    row of each of the c commitments, counted after the public words' rows
//	64 bytes  each of [S1] [S2] [S3] [Ql] [Qr] [Qm] [Qo] [Qk] and the c [Qcp]: x, y
//	128 bytes [τ]₂: x imaginary, x real, y imaginary, y real (EIP-197)
//
// The point at infinity is written as x = y = 0; only Ql to Qk may be it.
type blobFields struct {
	programDigest  [32]byte
	manifestDigest [32]byte
	log            int
	nbWords        int
	rows           []uint64
	permutation    [3]kzg.Digest
	selectors      [5]kzg.Digest // Ql, Qr, Qm, Qo, Qk
	committed      []kzg.Digest
	tauG2          bn254.G2Affine
}

// blobSize returns the size of the blob of a key with c commitments.
func blobSize(c int) int { return len(blobTag) + 2 + 64 + 12 + 4*c + 64*(8+c) + 128 }

// fieldsOf returns what the blob of gnark's key holds. It is an error if the key
// has what a blob can't say: other generators of G1 or G2, another domain.
func fieldsOf(vk *plonk.VerifyingKey, m *circuit.Manifest) (*blobFields, error) {
	manifestDigest, err := m.Digest()
	if err != nil {
		return nil, err
	}
	_, _, g1, g2 := bn254.Generators()
	if !vk.Kzg.G1.Equal(&g1) || !vk.Kzg.G2[0].Equal(&g2) {
		return nil, errors.New("the key's generators of G1 and G2 aren't the standard ones")
	}
	if len(vk.Qcp) != len(vk.CommitmentConstraintIndexes) {
		return nil, fmt.Errorf("%d commitments with %d rows", len(vk.Qcp), len(vk.CommitmentConstraintIndexes))
	}
	return &blobFields{
		programDigest:  m.ProgramDigest,
		manifestDigest: manifestDigest,
		log:            bits.TrailingZeros64(vk.Size),
		nbWords:        int(vk.NbPublicVariables),
		rows:           vk.CommitmentConstraintIndexes,
		permutation:    vk.S,
		selectors:      [5]kzg.Digest{vk.Ql, vk.Qr, vk.Qm, vk.Qo, vk.Qk},
		committed:      vk.Qcp,
		tauG2:          vk.Kzg.G2[1],
	}, nil
}

// bytes returns the blob.
func (f *blobFields) bytes() []byte {
	b := make([]byte, 0, blobSize(len(f.rows)))
	b = append(b, blobTag...)
	b = binary.BigEndian.AppendUint16(b, circuit.FormatVersion)
	b = append(b, f.programDigest[:]...)
	b = append(b, f.manifestDigest[:]...)
	for _, v := range []int{f.log, f.nbWords, len(f.rows)} {
		b = binary.BigEndian.AppendUint32(b, uint32(v))
	}
	for _, row := range f.rows {
		b = binary.BigEndian.AppendUint32(b, uint32(row))
	}
	for _, points := range [][]kzg.Digest{f.permutation[:], f.selectors[:], f.committed} {
		for i := range points {
			b = appendG1(b, &points[i])
		}
	}
	tau := srs.EncodeG2(&f.tauG2)
	return append(b, tau[:]...)
}

// parseBlob reads a blob, all of it, and checks everything that can be checked
// without the circuit.
func parseBlob(b []byte) (*blobFields, error) {
	if len(b) < blobSize(0) {
		return nil, fmt.Errorf("blob of %d bytes: want at least %d", len(b), blobSize(0))
	}
	if !bytes.HasPrefix(b, []byte(blobTag)) {
		return nil, errors.New("not a verifying key's blob")
	}
	b = b[len(blobTag):]
	if v := binary.BigEndian.Uint16(b); v != circuit.FormatVersion {
		return nil, fmt.Errorf("version %d: this program reads version %d", v, circuit.FormatVersion)
	}
	var f blobFields
	copy(f.programDigest[:], b[2:])
	copy(f.manifestDigest[:], b[34:])
	b = b[66:]
	log, nbWords, c := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	b = b[12:]
	if log < 1 || log > srs.MaxLog {
		return nil, fmt.Errorf("domain of 2^%d points: want 2^1 to 2^%d", log, srs.MaxLog)
	}
	if nbWords < 1 || nbWords > 1<<log {
		return nil, fmt.Errorf("%d public words in a domain of 2^%d points", nbWords, log)
	}
	if c > maxCommitments {
		return nil, fmt.Errorf("%d commitments: the limit is %d", c, maxCommitments)
	}
	if want := blobSize(int(c)) - blobSize(0) + 64*8 + 128; len(b) != want {
		return nil, fmt.Errorf("blob has %d bytes after its header: want %d for %d commitments", len(b), want, c)
	}
	f.log, f.nbWords = int(log), int(nbWords)
	for i := range c {
		row := uint64(binary.BigEndian.Uint32(b))
		if row+uint64(nbWords) >= 1<<log {
			return nil, fmt.Errorf("commitment %d at row %d + %d: outside the domain of 2^%d points", i, nbWords, row, log)
		}
		if i > 0 && row <= f.rows[i-1] {
			return nil, fmt.Errorf("commitment %d at row %d: not after commitment %d at row %d", i, row, i-1, f.rows[i-1])
		}
		f.rows = append(f.rows, row)
		b = b[4:]
	}
	f.committed = make([]kzg.Digest, c)
	for k, points := range [][]kzg.Digest{f.permutation[:], f.selectors[:], f.committed} {
		for i := range points {
			if err := decodeG1(&points[i], b[:64]); err != nil {
				return nil, fmt.Errorf("%s %d: %w", [...]string{"permutation", "selector", "commitment selector"}[k], i+1, err)
			}
			if k != 1 && points[i].IsInfinity() {
				return nil, fmt.Errorf("%s %d: the point at infinity", [...]string{"permutation", "selector", "commitment selector"}[k], i+1)
			}
			b = b[64:]
		}
	}
	if err := decodeG2(&f.tauG2, b); err != nil {
		return nil, fmt.Errorf("[τ]₂: %w", err)
	}
	return &f, nil
}

// key rebuilds gnark's key: the domain from its size, the pairing's generators
// from the standard, the lines from the points.
func (f *blobFields) key() *plonk.VerifyingKey {
	domain := fft.NewDomain(1<<f.log, fft.WithoutPrecompute())
	return &plonk.VerifyingKey{
		Size:                        domain.Cardinality,
		SizeInv:                     domain.CardinalityInv,
		Generator:                   domain.Generator,
		NbPublicVariables:           uint64(f.nbWords),
		Kzg:                         srs.VerifyingKey(&f.tauG2),
		CosetShift:                  domain.FrMultiplicativeGen,
		S:                           f.permutation,
		Ql:                          f.selectors[0],
		Qr:                          f.selectors[1],
		Qm:                          f.selectors[2],
		Qo:                          f.selectors[3],
		Qk:                          f.selectors[4],
		Qcp:                         f.committed,
		CommitmentConstraintIndexes: f.rows,
	}
}

// appendG1 appends x and y, 32 bytes each, big-endian; infinity is 0, 0.
func appendG1(b []byte, p *bn254.G1Affine) []byte {
	x, y := p.X.Bytes(), p.Y.Bytes()
	return append(append(b, x[:]...), y[:]...)
}

// decodeG1 reads 64 bytes of appendG1. The curve has prime order, so that a point
// on it is in the group.
func decodeG1(p *bn254.G1Affine, b []byte) error {
	if err := decodeCoordinates(b, &p.X, &p.Y); err != nil {
		return err
	}
	if !p.IsInfinity() && !p.IsOnCurve() {
		return errors.New("point isn't on the curve")
	}
	return nil
}

// decodeG2 reads the 128 bytes of srs.EncodeG2, of a point other than infinity.
func decodeG2(p *bn254.G2Affine, b []byte) error {
	if err := decodeCoordinates(b, &p.X.A1, &p.X.A0, &p.Y.A1, &p.Y.A0); err != nil {
		return err
	}
	if p.IsInfinity() {
		return errors.New("the point at infinity")
	}
	if !p.IsOnCurve() {
		return errors.New("point isn't on the curve")
	}
	if !p.IsInSubGroup() {
		return errors.New("point isn't in the subgroup")
	}
	return nil
}

// decodeCoordinates reads 32 bytes, big-endian and below the modulus, for each.
func decodeCoordinates(b []byte, coordinates ...*fp.Element) error {
	for i, c := range coordinates {
		if err := c.SetBytesCanonical(b[32*i : 32*i+32]); err != nil {
			return errors.New("coordinate isn't below the modulus")
		}
	}
	return nil
}

// keccak returns the Keccak-256 of b.
func keccak(b []byte) (digest [32]byte) {
	h := sha3.NewLegacyKeccak256()
	h.Write(b)
	h.Sum(digest[:0])
	return digest
}
