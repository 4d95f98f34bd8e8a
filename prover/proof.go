package prover

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"
	plonk "github.com/consensys/gnark/backend/plonk/bn254"
)

// Proof is a proof with the words it is about.
type Proof struct {
	// ModelID names the model that the proof claims to be about.
	ModelID ModelID
	// Words are the public words, the context first.
	Words []fr.Element
	// Raw is gnark's uncompressed encoding of the PLONK proof, 808 + 96c bytes.
	Raw []byte
	// Values is what the words mean, for reading only: Verify computes it again
	// and rejects a proof that states anything else.
	Values []Value
}

// Context returns the first public word, which binds a proof to one use.
func (p *Proof) Context() (context fr.Element) {
	if len(p.Words) > 0 {
		context = p.Words[0]
	}
	return context
}

// RawSize returns the size of a raw proof with c commitments.
func RawSize(c int) int { return 808 + 96*c }

// nbOpenings is how many values of polynomials a proof states besides those of the
// commitment selectors: the linearised polynomial, L, R, O, S1, S2.
const nbOpenings = 6

// ParseRaw decodes a raw proof with c commitments:
//
//	64 bytes  each of [L] [R] [O] [Z] [H1] [H2] [H3] [W]: x, y
//	uint32    6 + c, then as many values of 32 bytes
//	64 bytes  [W'], then the value Z(ωζ) of 32 bytes
//	uint32    c, then the c commitments of 64 bytes
//
// Every proof has one encoding: lengths and counts are exact, coordinates and
// values are below their modulus, points are on the curve and not at infinity.
func ParseRaw(raw []byte, c int) (*plonk.Proof, error) {
	if c < 0 || c > maxCommitments || len(raw) != RawSize(c) {
		return nil, fmt.Errorf("raw proof of %d bytes: want %d for %d commitments", len(raw), RawSize(c), c)
	}
	r := rawReader{b: raw}
	var p plonk.Proof
	for _, point := range []*kzg.Digest{
		&p.LRO[0], &p.LRO[1], &p.LRO[2], &p.Z, &p.H[0], &p.H[1], &p.H[2], &p.BatchedProof.H,
	} {
		r.point(point)
	}
	r.count(nbOpenings + c)
	p.BatchedProof.ClaimedValues = make([]fr.Element, nbOpenings+c)
	for i := range p.BatchedProof.ClaimedValues {
		r.value(&p.BatchedProof.ClaimedValues[i])
	}
	r.point(&p.ZShiftedOpening.H)
	r.value(&p.ZShiftedOpening.ClaimedValue)
	r.count(c)
	p.Bsb22Commitments = make([]kzg.Digest, c)
	for i := range p.Bsb22Commitments {
		r.point(&p.Bsb22Commitments[i])
	}
	if r.err != nil {
		return nil, fmt.Errorf("raw proof: %w", r.err)
	}
	return &p, nil
}

// rawReader takes parts off the front of a raw proof of the right length.
type rawReader struct {
	b   []byte
	err error
}

func (r *rawReader) fail(err error) {
	if r.err == nil && err != nil {
		r.err = fmt.Errorf("%d bytes before its end: %w", len(r.b), err)
	}
}

func (r *rawReader) point(p *bn254.G1Affine) {
	err := decodeG1(p, r.b[:64])
	if err == nil && p.IsInfinity() {
		err = errors.New("the point at infinity")
	}
	r.fail(err)
	r.b = r.b[64:]
}

func (r *rawReader) value(v *fr.Element) {
	if v.SetBytesCanonical(r.b[:32]) != nil {
		r.fail(errors.New("value isn't below the modulus"))
	}
	r.b = r.b[32:]
}

func (r *rawReader) count(want int) {
	if got := binary.BigEndian.Uint32(r.b); int64(got) != int64(want) {
		r.fail(fmt.Errorf("count of %d: want %d", got, want))
	}
	r.b = r.b[4:]
}
