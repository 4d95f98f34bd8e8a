//go:build icicle

package gpu

import (
	"context"
	"fmt"
	"unsafe"

	gc "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/ingonyama-zk/icicle/v2/wrappers/golang/core"
	"github.com/ingonyama-zk/icicle/v2/wrappers/golang/curves/bn254"
	"github.com/ingonyama-zk/icicle/v2/wrappers/golang/curves/bn254/msm"

	"github.com/zkml-go/zkml/prover/plonk"
)

// maxFactor is how many multiples of a point are kept at most. Each doubling halves the
// windows that a multi-exponentiation adds up; beyond 8 its gain is small.
const maxFactor = 8

// bases are points on the card in standard form; with a factor above 1, each one's multiples
// too, which ICICLE finds by the window.
type bases struct {
	points core.DeviceSlice
	n      int
	factor int
	window int // in bits; 0 is ICICLE's choice
}

// Len implements [plonk.Bases].
func (b *bases) Len() int { return b.n }

// LoadBases implements [plonk.Device].
func (s *session) LoadBases(points []gc.G1Affine) (plonk.Bases, error) {
	b, err := s.Card.LoadBases(points)
	if err == nil {
		s.mu.Lock()
		s.bases = append(s.bases, b.(*bases))
		s.mu.Unlock()
	}
	return b, err
}

// LoadBases implements [plonk.Device]. Multiples are precomputed as long as they take less
// than a quarter of the free memory.
func (c *Card) LoadBases(points []gc.G1Affine) (plonk.Bases, error) {
	b := &bases{n: len(points), factor: maxFactor}
	err := c.do(context.Background(), func() {
		plain := c.reserve(b.n, pointSize)
		defer func() { // unless it is what stays
			if b.points.AsUnsafePointer() != plain.AsUnsafePointer() {
				c.release(plain)
			}
		}()
		upload(plain, unsafe.Pointer(&points[0]))
		must(bn254.AffineFromMontgomery(&plain), "convert points")
		for free := available(); b.factor > 1 && uint64(b.n*b.factor*pointSize) > free/4; {
			b.factor /= 2
		}
		if b.factor == 1 {
			b.points = plain
			return
		}
		b.window = max(bits(b.n)-4, 1)
		multiples := c.reserve(b.n*b.factor, pointSize)
		cfg := b.config()
		if err := attempt(func() { must(msm.PrecomputePoints(plain, b.n, &cfg, multiples), "precompute points") }); err != nil {
			_ = attempt(func() { c.release(multiples) })
			panic(failure{err})
		}
		b.points = multiples
	})
	return b, err
}

// bits is the number of bits of n − 1.
func bits(n int) (k int) {
	for 1<<k < n {
		k++
	}
	return k
}

// config is of all multi-exponentiations with these bases: scalars and points are in
// standard form.
func (b *bases) config() core.MSMConfig {
	cfg := msm.GetDefaultMSMConfig()
	cfg.PrecomputeFactor = int32(b.factor)
	cfg.C = int32(b.window)
	return cfg
}

// Commit implements [plonk.Device].
func (c *Card) Commit(ctx context.Context, on plonk.Bases, columns ...plonk.Vector) ([]gc.G1Affine, error) {
	b := on.(*bases)
	sums := make([]gc.G1Affine, len(columns))
	for i := range columns {
		v := columns[i].(vector)
		if v.n > b.n {
			return nil, fmt.Errorf("commit to %d elements with %d points", v.n, b.n)
		}
		if v.n == 0 {
			continue // the sum of nothing is at infinity
		}
		if err := c.do(ctx, func() { sums[i] = c.commit(b, v) }); err != nil {
			return nil, err
		}
	}
	return sums, nil
}

func (c *Card) commit(b *bases, v vector) gc.G1Affine {
	cfg := b.config()
	result := make(core.HostSlice[bn254.Projective], 1)
	switch {
	case v.n == b.n:
		must(msm.Msm(v.memory, b.points, &cfg, result), "multi-exponentiation")
	case b.factor == 1:
		must(msm.Msm(v.memory, part(b.points, 0, v.n), &cfg, result), "multi-exponentiation")
	default: // a point's multiples lie behind all points: scalars are padded
		c.with(b.n, func(m core.DeviceSlice) {
			move(part(m, 0, v.n), v.memory)
			zero(part(m, v.n, b.n))
			must(msm.Msm(m, b.points, &cfg, result), "multi-exponentiation")
		})
	}
	return affine(result[0])
}

// affine converts X/Z, Y/Z in standard form. ICICLE's own conversion is wrong.
func affine(p bn254.Projective) (a gc.G1Affine) {
	var x, y, z fp.Element
	for _, f := range []struct {
		to   *fp.Element
		from bn254.BaseField
	}{{&x, p.X}, {&y, p.Y}, {&z, p.Z}} {
		b := [fp.Bytes]byte(f.from.ToBytesLittleEndian())
		e, err := fp.LittleEndian.Element(&b)
		if err != nil {
			panic(failure{fmt.Errorf("%w: a coordinate isn't reduced", ErrCard)})
		}
		*f.to = e
	}
	if z.IsZero() {
		return a
	}
	z.Inverse(&z)
	a.X.Mul(&x, &z)
	a.Y.Mul(&y, &z)
	if !a.IsOnCurve() {
		panic(failure{fmt.Errorf("%w: a sum isn't on the curve", ErrCard)})
	}
	return a
}
