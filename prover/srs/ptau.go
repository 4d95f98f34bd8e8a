package srs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// A .ptau file is snarkjs's container: the tag "ptau", uint32 version, uint32
// number of sections, and each section with a uint32 number and a uint64 size
// before its bytes, all little-endian. A coordinate is 32 bytes, little-endian, in
// Montgomery form; a G1 point is x, y, a G2 point x real, x imaginary, y real, y
// imaginary.
const (
	ptauHeader   = 1  // uint32 32, the modulus, uint32 power, uint32 power of the ceremony
	ptauPowers   = 2  // [τ^i]₁ for i < 2^(power+1) - 1
	ptauPowersG2 = 3  // [τ^i]₂ for i < 2^power
	ptauLagrange = 12 // for k = 0, 1, …, power + 1: the 2^k points of the basis for 2^k

	maxPtauSections = 64
	g1Size          = 64
	g2Size          = 128
	readChunk       = 1 << 14 // points
)

// ptau is an open .ptau file.
type ptau struct {
	r        io.ReaderAt
	size     int64
	sections map[uint32]ptauSection
	// power is k where the file serves domains of up to 2^k points.
	power int
	tauG2 bn254.G2Affine
	// chunk is how many powers are read and checked at a time.
	chunk int
}

type ptauSection struct{ offset, size int64 }

// openPtau reads the table of sections and the points [1]₂ and [τ]₂. Errors match
// ErrInvalid.
func openPtau(r io.ReaderAt, size int64) (*ptau, error) {
	p := &ptau{r: r, size: size, sections: make(map[uint32]ptauSection), chunk: 1 << 16}
	if err := p.open(); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("ends early")
		}
		return nil, fmt.Errorf("%w: not a BN254 .ptau file: %w", ErrInvalid, err)
	}
	return p, nil
}

func (p *ptau) open() error {
	var head [12]byte
	if err := p.readAt(head[:], 0); err != nil {
		return err
	}
	if string(head[:4]) != "ptau" {
		return fmt.Errorf("it starts with %q", head[:4])
	}
	if v := binary.LittleEndian.Uint32(head[4:]); v != 1 {
		return fmt.Errorf("version %d", v)
	}
	n := binary.LittleEndian.Uint32(head[8:])
	if n > maxPtauSections {
		return fmt.Errorf("%d sections", n)
	}
	for at := int64(len(head)); n > 0; n-- {
		if err := p.readAt(head[:], at); err != nil {
			return err
		}
		number, size := binary.LittleEndian.Uint32(head[:]), binary.LittleEndian.Uint64(head[4:])
		at += int64(len(head))
		if size > uint64(p.size-at) {
			return fmt.Errorf("section %d of %d bytes is longer than the file", number, size)
		}
		if _, twice := p.sections[number]; twice {
			return fmt.Errorf("section %d is there twice", number)
		}
		p.sections[number] = ptauSection{at, int64(size)}
		at += int64(size)
	}
	if err := p.readHeader(); err != nil {
		return err
	}
	return p.readG2()
}

// readAt fills b from the offset.
func (p *ptau) readAt(b []byte, offset int64) error {
	_, err := io.ReadFull(io.NewSectionReader(p.r, offset, int64(len(b))), b)
	return err
}

// readHeader checks the curve and the sizes of the sections of points.
func (p *ptau) readHeader() error {
	s, ok := p.sections[ptauHeader]
	if !ok || s.size != 4+fp.Bytes+8 {
		return errors.New("header section is missing or of another curve")
	}
	var b [4 + fp.Bytes + 8]byte
	if err := p.readAt(b[:], s.offset); err != nil {
		return err
	}
	var modulus [fp.Bytes]byte
	fp.Modulus().FillBytes(modulus[:])
	for i := range modulus {
		if b[4+i] != modulus[fp.Bytes-1-i] {
			return errors.New("it is of another curve")
		}
	}
	power := binary.LittleEndian.Uint32(b[4+fp.Bytes:])
	if binary.LittleEndian.Uint32(b[:]) != fp.Bytes || power < 2 || power > MaxLog {
		return fmt.Errorf("power %d: want 2 to %d", power, MaxLog)
	}
	p.power = int(power)
	want := map[uint32]int64{ptauPowers: (2<<power - 1) * g1Size, ptauPowersG2: 1 << power * g2Size}
	if p.prepared() {
		want[ptauLagrange] = (4<<power - 1) * g1Size
	}
	for number, size := range want {
		if got := p.sections[number].size; got != size {
			return fmt.Errorf("section %d has %d bytes: want %d for power %d", number, got, size, power)
		}
	}
	return nil
}

// prepared reports whether the file has the Lagrange points.
func (p *ptau) prepared() bool {
	_, ok := p.sections[ptauLagrange]
	return ok
}

// readG2 checks [1]₂ and reads [τ]₂. No other point of G2 is used.
func (p *ptau) readG2() error {
	var b [2 * g2Size]byte
	if err := p.readAt(b[:], p.sections[ptauPowersG2].offset); err != nil {
		return err
	}
	var points [2]bn254.G2Affine
	for i := range points {
		q := &points[i]
		for j, c := range []*fp.Element{&q.X.A0, &q.X.A1, &q.Y.A0, &q.Y.A1} {
			if !decodeMontgomery(c, b[g2Size*i+32*j:]) {
				return errors.New("a coordinate in G2 isn't below the modulus")
			}
		}
		if q.IsInfinity() || !q.IsOnCurve() || !q.IsInSubGroup() {
			return errors.New("a point of G2 isn't in the group")
		}
	}
	if _, _, _, g2 := bn254.Generators(); !points[0].Equal(&g2) {
		return errors.New("the first point of G2 isn't the generator")
	}
	p.tauG2 = points[1]
	return nil
}

// powers checks all powers in the file by a pairing and returns the first keep of
// them. It ends early if progress returns an error.
func (p *ptau) powers(keep int, progress func(points int) error) ([]bn254.G1Affine, error) {
	check, err := newPowersCheck()
	if err != nil {
		return nil, err
	}
	all := 2<<p.power - 1
	kept := make([]bn254.G1Affine, 0, min(keep, all))
	points := make([]bn254.G1Affine, min(p.chunk, all))
	for at := 0; at < all; at += len(points) {
		points = points[:min(len(points), all-at)]
		if err := p.readG1(points, p.sections[ptauPowers].offset+int64(at)*g1Size); err != nil {
			return nil, fmt.Errorf("powers from %d: %w", at, err)
		}
		if err := check.add(points); err != nil {
			return nil, err
		}
		kept = append(kept, points[:min(len(points), keep-len(kept))]...)
		if err := progress(len(points)); err != nil {
			return nil, err
		}
	}
	return kept, check.finish(&p.tauG2)
}

// lagrange returns the Lagrange points for a domain of 2^log points, checked
// against the powers.
func (p *ptau) lagrange(log int, powers []bn254.G1Affine) ([]bn254.G1Affine, error) {
	points := make([]bn254.G1Affine, 1<<log)
	offset := p.sections[ptauLagrange].offset + int64(len(points)-1)*g1Size
	if err := p.readG1(points, offset); err != nil {
		return nil, fmt.Errorf("Lagrange points for 2^%d: %w", log, err)
	}
	return points, checkLagrange(points, powers)
}

// readG1 fills points from the offset and checks that each is on the curve and not
// at infinity.
func (p *ptau) readG1(points []bn254.G1Affine, offset int64) error {
	r := io.NewSectionReader(p.r, offset, int64(len(points))*g1Size)
	return readPoints(r, points)
}

// readPoints fills points, x and y in little-endian Montgomery form, and checks
// that each is on the curve and not at infinity.
func readPoints(r io.Reader, points []bn254.G1Affine) error {
	b := make([]byte, min(len(points), readChunk)*g1Size)
	for len(points) > 0 {
		n := min(len(points), readChunk)
		if _, err := io.ReadFull(r, b[:n*g1Size]); err != nil {
			return fmt.Errorf("%w: ends early", ErrInvalid)
		}
		for i := range points[:n] {
			q := &points[i]
			if !decodeMontgomery(&q.X, b[i*g1Size:]) || !decodeMontgomery(&q.Y, b[i*g1Size+32:]) {
				return fmt.Errorf("%w: a coordinate isn't below the modulus", ErrInvalid)
			}
			if q.IsInfinity() || !q.IsOnCurve() {
				return fmt.Errorf("%w: a point isn't on the curve", ErrInvalid)
			}
		}
		points = points[n:]
	}
	return nil
}

// modulusLimbs are the limbs of BN254's base field modulus, least first.
var modulusLimbs = func() (limbs [fp.Limbs]uint64) {
	var b [fp.Bytes]byte
	fp.Modulus().FillBytes(b[:])
	for i := range limbs {
		limbs[i] = binary.BigEndian.Uint64(b[fp.Bytes-8*i-8:])
	}
	return limbs
}()

// decodeMontgomery reads the 32 little-endian bytes of an element's Montgomery
// form, which is how gnark-crypto holds it, and reports whether they are below the
// modulus.
func decodeMontgomery(e *fp.Element, b []byte) bool {
	var borrow uint64
	for i := range e {
		e[i] = binary.LittleEndian.Uint64(b[8*i:])
		_, borrow = bits.Sub64(e[i], modulusLimbs[i], borrow)
	}
	return borrow == 1
}

// appendMontgomery appends what decodeMontgomery reads.
func appendMontgomery(b []byte, e *fp.Element) []byte {
	for _, limb := range e {
		b = binary.LittleEndian.AppendUint64(b, limb)
	}
	return b
}
