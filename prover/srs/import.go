package srs

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"golang.org/x/crypto/blake2b"
)

// Ceremony describes a .ptau file that was checked.
type Ceremony struct {
	// Name is the published name of the file, or its own if it isn't published.
	Name string
	// Published is set if the digest is in this program's table.
	Published bool
	// Digest is the BLAKE2b-512 of the file, in hexadecimal.
	Digest string
	// Log is the binary logarithm of the largest domain that the file serves.
	Log int
	// Prepared is set if the file has the Lagrange points.
	Prepared bool
	ID       ID
}

// ImportOptions say how a .ptau file is read.
type ImportOptions struct {
	// Digest is the published BLAKE2b-512 of the file, in hexadecimal. It may be
	// empty if it is in this program's table of ceremonies.
	Digest string
	// MaxLog, if above 0, leaves out the larger domains.
	MaxLog int
	// Progress, if set, is told from time to time what part is done, up to 1.
	Progress func(part float64)
}

// VerifyFile checks a .ptau file: its digest, that all its powers are those of one
// secret, and its Lagrange points. The error matches [ErrInvalid], or
// [ErrDevelopment] if the secret is public.
func VerifyFile(ctx context.Context, path string, options ImportOptions) (*Ceremony, error) {
	return readCeremony(ctx, path, options, func(*SRS, [sourceSize]byte) error { return nil })
}

// Import checks a .ptau file as [VerifyFile] does and puts its string into the
// cache: for every size of domain if the file has the Lagrange points, otherwise
// for the largest.
func (c *Cache) Import(ctx context.Context, path string, options ImportOptions) (*Ceremony, []Entry, error) {
	var entries []Entry
	ceremony, err := readCeremony(ctx, path, options, func(s *SRS, source [sourceSize]byte) error {
		e, err := c.store(s, source)
		entries = append(entries, e)
		return err
	})
	return ceremony, entries, err
}

// readCeremony checks a file and gives each of its strings to take.
func readCeremony(ctx context.Context, path string, options ImportOptions, take func(*SRS, [sourceSize]byte) error) (*Ceremony, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	defer file.Close()
	ceremony, err := readCeremonyFile(ctx, file, filepath.Base(path), options, take)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ceremony, nil
}

func readCeremonyFile(ctx context.Context, file *os.File, name string, options ImportOptions, take func(*SRS, [sourceSize]byte) error) (*Ceremony, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	p, err := openPtau(file, info.Size())
	if err != nil {
		return nil, err
	}
	if IsDevelopment(&p.tauG2) {
		return nil, ErrDevelopment
	}
	if _, _, _, g2 := bn254.Generators(); p.tauG2.Equal(&g2) {
		return nil, fmt.Errorf("%w: its secret is 1: nobody has contributed to it", ErrInvalid)
	}
	steps := newSteps(ctx, p, info.Size(), options.Progress)
	source, err := digestFile(file, info.Size(), steps)
	if err != nil {
		return nil, err
	}
	ceremony := &Ceremony{
		Name:     name,
		Digest:   hex.EncodeToString(source[:]),
		Log:      p.power,
		Prepared: p.prepared(),
		ID:       IDOf(&p.tauG2),
	}
	if err := ceremony.checkDigest(options.Digest); err != nil {
		return nil, err
	}
	largest := p.power
	if options.MaxLog > 0 {
		largest = min(largest, options.MaxLog)
	}
	powers, err := p.powers(1<<largest+extraPowers, steps.points)
	if err != nil {
		return nil, err
	}
	smallest := 1
	if !p.prepared() {
		smallest = largest
	}
	for log := smallest; log <= largest; log++ {
		var lagrange []bn254.G1Affine
		if p.prepared() {
			if lagrange, err = p.lagrange(log, powers); err != nil {
				return nil, err
			}
		}
		s := &SRS{Name: cutName(ceremony.Name), Log: log, Powers: powers[:1<<log+extraPowers], Lagrange: lagrange, TauG2: p.tauG2}
		if err := take(s, source); err != nil {
			return nil, err
		}
		if err := steps.points(2 << log); err != nil {
			return nil, err
		}
	}
	return ceremony, nil
}

// cutName returns at most 255 bytes of a name.
func cutName(name string) string { return name[:min(len(name), 255)] }

// checkDigest compares the file's digest with the published one.
func (c *Ceremony) checkDigest(want string) error {
	for _, known := range hermez {
		if c.Digest == known.digest {
			c.Name, c.Published = known.name, true
		}
	}
	want = strings.ToLower(strings.TrimPrefix(want, "0x"))
	switch {
	case want != "" && want != c.Digest:
		return fmt.Errorf("%w: BLAKE2b-512 is %s: expected %s", ErrInvalid, c.Digest, want)
	case want == "" && !c.Published:
		return fmt.Errorf("%w: BLAKE2b-512 is %s: not a ceremony's that this program knows, so its published digest must be given", ErrInvalid, c.Digest)
	}
	return nil
}

// steps counts what is done of an import, in units of a byte hashed and about as
// much time's worth of points.
type steps struct {
	ctx         context.Context
	done, total float64
	progress    func(float64)
}

// pointCost is how many bytes are hashed in the time that a point takes.
const pointCost = 4000

func newSteps(ctx context.Context, p *ptau, size int64, progress func(float64)) *steps {
	points := float64(int64(2) << p.power)
	if p.prepared() {
		points *= 3
	}
	return &steps{ctx, 0, float64(size) + points*pointCost, progress}
}

func (s *steps) add(n float64) {
	s.done += n
	if s.progress != nil {
		s.progress(min(1, s.done/s.total))
	}
}

func (s *steps) points(n int) error {
	s.add(float64(n) * pointCost)
	return s.ctx.Err()
}

// Write counts hashed bytes, and ends the hashing if the work is cancelled.
func (s *steps) Write(b []byte) (int, error) {
	s.add(float64(len(b)))
	return len(b), s.ctx.Err()
}

// digestFile returns the BLAKE2b-512 of a file.
func digestFile(file io.ReaderAt, size int64, steps io.Writer) (digest [sourceSize]byte, err error) {
	h, err := blake2b.New512(nil)
	if err != nil {
		return digest, err
	}
	n, err := io.CopyBuffer(io.MultiWriter(h, steps), io.NewSectionReader(file, 0, size), make([]byte, 1<<20))
	if err == nil && n != size {
		err = errors.New("file changed while it was read")
	}
	h.Sum(digest[:0])
	return digest, err
}
