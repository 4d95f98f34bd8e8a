package msm

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/utils/cpu"
)

// ErrSize says that there are more scalars than bases, or more bases than fit.
var ErrSize = errors.New("msm: wrong number of terms")

// maxBases is the most bases that an entry can point to.
const maxBases = 1 << 31

// Options says how multi-exponentiations over a set of bases are computed. The zero
// value is the default.
type Options struct {
	// Workers is the number of goroutines that compute at the same time, by default
	// runtime.GOMAXPROCS.
	Workers int
}

// Bases are the points of multi-exponentiations. They may be used by several
// goroutines at the same time.
type Bases struct {
	points   []bn254.G1Affine
	workers  int
	infinite []bool // by base; nil if none is infinite
	own      bool   // compute by this package's method
	// groupTerms is the number of scalars up to which columns are computed at the same
	// time. It bounds the memory, and workers have enough to share by then.
	groupTerms int
	// theirTerms is how many terms gnark-crypto's method, which can't be interrupted,
	// gets at once: less than a second on one core.
	theirTerms int
	*buffers
}

// buffers are what computations leave to the next one.
type buffers struct {
	adders  sync.Pool // of *adder
	columns sync.Pool // of *column
}

func newBuffers() *buffers {
	return &buffers{
		adders:  sync.Pool{New: func() any { return newAdder() }},
		columns: sync.Pool{New: func() any { return new(column) }},
	}
}

// shared are the buffers of all bases: a prover has two of them, in turn.
var shared = newBuffers()

// New returns bases that refer to points, which must not change afterwards and must
// lie on the curve; infinite ones are allowed.
func New(points []bn254.G1Affine, o Options) (*Bases, error) {
	if o.Workers < 0 {
		return nil, fmt.Errorf("msm: %d workers: expected 0 or more", o.Workers)
	}
	if len(points) > maxBases {
		return nil, fmt.Errorf("%w: %d bases, at most %d", ErrSize, len(points), maxBases)
	}
	b := &Bases{
		buffers:    shared,
		points:     points,
		workers:    o.Workers,
		own:        Accelerated,
		groupTerms: 1 << 20,
		theirTerms: 1 << 17,
	}
	if !b.own {
		b.groupTerms = 0 // gnark-crypto's method computes one column at a time
	}
	if b.workers == 0 {
		b.workers = runtime.GOMAXPROCS(0)
	}
	for i := range points {
		if points[i].IsInfinity() {
			if b.infinite == nil {
				b.infinite = make([]bool, len(points))
			}
			b.infinite[i] = true
		}
	}
	return b, nil
}

// Accelerated says whether this processor and build have the vector instructions
// (AVX-512 IFMA) that the package's own method is written for. Without them vectors of
// mostly long scalars are left to gnark-crypto's.
var Accelerated = cpu.SupportAVX512IFMA

// Len returns the number of bases.
func (b *Bases) Len() int { return len(b.points) }

// MultiExp returns Σ scalars[i]·points[i] over the scalars, which may be fewer than
// the bases. It returns ctx's error when ctx is done first: within milliseconds, or
// within a second where gnark-crypto computes.
func (b *Bases) MultiExp(ctx context.Context, scalars []fr.Element) (bn254.G1Affine, error) {
	sums, err := b.MultiExps(ctx, scalars)
	if err != nil {
		return bn254.G1Affine{}, err
	}
	return sums[0], nil
}

// MultiExps returns the multi-exponentiation of every column. Unlike calls one after
// another it keeps all workers busy until the last pass of the last column.
func (b *Bases) MultiExps(ctx context.Context, columns ...[]fr.Element) ([]bn254.G1Affine, error) {
	for i, scalars := range columns {
		if len(scalars) > len(b.points) {
			return nil, fmt.Errorf("%w: column %d has %d scalars for %d bases", ErrSize, i, len(scalars), len(b.points))
		}
	}
	return b.compute(ctx, columns)
}
