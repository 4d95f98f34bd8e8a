package srs

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// A cached string is a file of
//
//	8 bytes   "zkml-srs"
//	byte      version, 1
//	byte      log2 of the size of the domain
//	byte      1 if it has the Lagrange points
//	byte      length of the name, then the name
//	64 bytes  BLAKE2b-512 of the .ptau file that it is from; 0 if from none
//	128 bytes [τ]₂ (EIP-197)
//	64 bytes  each power, then each Lagrange point, as in a .ptau file
//	32 bytes  SHA-256 of all before
//
// The digest tells a damaged file from a whole one. That the points are right was
// checked before the file was written.
const (
	fileTag     = "zkml-srs"
	fileVersion = 1
	fixedHeader = len(fileTag) + 4
	sourceSize  = 64
)

// header is the front of a cached string.
type header struct {
	name        string
	log         int
	hasLagrange bool
	source      [sourceSize]byte
	tauG2       bn254.G2Affine
}

// size returns the size of the whole file.
func (h *header) size() int64 {
	points := int64(1)<<h.log + extraPowers
	if h.hasLagrange {
		points += int64(1) << h.log
	}
	return int64(fixedHeader+len(h.name)+sourceSize+g2Size) + points*g1Size + sha256.Size
}

// write writes the header.
func (h *header) write(w io.Writer) error {
	b := append([]byte(fileTag), fileVersion, byte(h.log), 0, byte(len(h.name)))
	if h.hasLagrange {
		b[len(fileTag)+2] = 1
	}
	b = append(b, h.name...)
	b = append(b, h.source[:]...)
	tau := EncodeG2(&h.tauG2)
	_, err := w.Write(append(b, tau[:]...))
	return err
}

// readHeader reads the front of a cached string. Errors match ErrInvalid.
func readHeader(r io.Reader) (*header, error) {
	var fixed [fixedHeader]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil || !bytes.HasPrefix(fixed[:], []byte(fileTag)) {
		return nil, fmt.Errorf("%w: not a cached string", ErrInvalid)
	}
	f := fixed[len(fileTag):]
	if f[0] != fileVersion || f[1] < 1 || f[1] > MaxLog || f[2] > 1 {
		return nil, fmt.Errorf("%w: cached string of version %d for a domain of 2^%d points", ErrInvalid, f[0], f[1])
	}
	h := &header{log: int(f[1]), hasLagrange: f[2] == 1}
	rest := make([]byte, int(f[3])+sourceSize+g2Size)
	if _, err := io.ReadFull(r, rest); err != nil {
		return nil, fmt.Errorf("%w: cached string ends early", ErrInvalid)
	}
	h.name = string(rest[:f[3]])
	copy(h.source[:], rest[f[3]:])
	if err := decodeG2(&h.tauG2, rest[int(f[3])+sourceSize:]); err != nil {
		return nil, fmt.Errorf("%w: cached string: %w", ErrInvalid, err)
	}
	return h, nil
}

// decodeG2 reads what EncodeG2 returns.
func decodeG2(p *bn254.G2Affine, b []byte) error {
	for i, c := range []*fp.Element{&p.X.A1, &p.X.A0, &p.Y.A1, &p.Y.A0} {
		if err := c.SetBytesCanonical(b[32*i : 32*i+32]); err != nil {
			return errors.New("[τ]₂: coordinate isn't below the modulus")
		}
	}
	if p.IsInfinity() || !p.IsOnCurve() || !p.IsInSubGroup() {
		return errors.New("[τ]₂ isn't in the group")
	}
	return nil
}

// write writes a cached string.
func (s *SRS) write(w io.Writer, source [sourceSize]byte) error {
	digest := sha256.New()
	b := bufio.NewWriterSize(io.MultiWriter(w, digest), 1<<20)
	h := header{s.Name, s.Log, len(s.Lagrange) > 0, source, s.TauG2}
	if err := h.write(b); err != nil {
		return err
	}
	var point []byte
	for _, points := range [][]bn254.G1Affine{s.Powers, s.Lagrange} {
		for i := range points {
			point = appendMontgomery(appendMontgomery(point[:0], &points[i].X), &points[i].Y)
			if _, err := b.Write(point); err != nil {
				return err
			}
		}
	}
	if err := b.Flush(); err != nil {
		return err
	}
	_, err := w.Write(digest.Sum(nil))
	return err
}

// read reads a cached string whose file has this size. Nothing is allocated that
// isn't in the file. Errors match ErrInvalid.
func read(r io.Reader, size int64) (*SRS, *header, error) {
	digest := sha256.New()
	tee := io.TeeReader(r, digest)
	h, err := readHeader(tee)
	if err != nil {
		return nil, nil, err
	}
	if h.size() != size {
		return nil, nil, fmt.Errorf("%w: cached string of %d bytes: want %d", ErrInvalid, size, h.size())
	}
	s := &SRS{Name: h.name, Log: h.log, TauG2: h.tauG2}
	s.Powers = make([]bn254.G1Affine, 1<<h.log+extraPowers)
	if err := readPoints(tee, s.Powers); err != nil {
		return nil, nil, err
	}
	if h.hasLagrange {
		s.Lagrange = make([]bn254.G1Affine, 1<<h.log)
		if err := readPoints(tee, s.Lagrange); err != nil {
			return nil, nil, err
		}
	}
	if err := checkDigest(r, digest); err != nil {
		return nil, nil, err
	}
	return s, h, nil
}

// checkDigest compares the digest of what was read with the one that follows.
func checkDigest(r io.Reader, digest hash.Hash) error {
	var want [sha256.Size]byte
	if _, err := io.ReadFull(r, want[:]); err != nil || !bytes.Equal(want[:], digest.Sum(nil)) {
		return fmt.Errorf("%w: cached string is damaged", ErrInvalid)
	}
	return nil
}
