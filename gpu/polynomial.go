//go:build icicle

package gpu

import (
	"context"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ingonyama-zk/icicle/v2/wrappers/golang/core"
	"github.com/ingonyama-zk/icicle/v2/wrappers/golang/curves/bn254"
	"github.com/ingonyama-zk/icicle/v2/wrappers/golang/curves/bn254/ntt"

	"github.com/zkml-go/zkml/prover/plonk"
)

// transform sets dst to the transform of src, both in the order of the rows. dst isn't src.
//
// ICICLE throws a C++ exception, which ends the program, where the domain is missing or too
// small or the length no power of two: both are seen to before.
func (c *Card) transform(dst, src core.DeviceSlice, direction core.NTTDir) {
	n := src.Len()
	if n&(n-1) != 0 {
		panic(failure{fmt.Errorf("transform of %d elements, no power of two", n)})
	}
	if n > c.domain {
		c.enlarge(n)
	}
	cfg := ntt.GetDefaultNttConfig()
	must(ntt.Ntt(src, direction, &cfg, dst).CudaErrorCode, "transform")
}

// enlarge makes a domain of n elements, in place of the one before: of this card, or of one
// that failed before it could be closed. ICICLE makes none where there is one,
// and loses the memory of the old one's n roots.
func (c *Card) enlarge(n int) {
	c.domain = 0
	must(ntt.ReleaseDomain(deviceContext()).CudaErrorCode, "release the domain")
	root, err := fr.Generator(uint64(n))
	if err != nil {
		panic(failure{err})
	}
	bytes := root.Bytes()
	for i, j := 0, len(bytes)-1; i < j; i, j = i+1, j-1 {
		bytes[i], bytes[j] = bytes[j], bytes[i]
	}
	var w bn254.ScalarField
	must(ntt.InitDomain(w.FromBytesLittleEndian(bytes[:]), deviceContext(), false).CudaErrorCode, "make the domain")
	c.domain = n
}

// Interpolate implements [plonk.Device].
func (c *Card) Interpolate(ctx context.Context, vectors ...plonk.Vector) error {
	for _, v := range vectors {
		v := v.(vector)
		err := c.do(ctx, func() {
			c.with(v.n, func(m core.DeviceSlice) {
				c.transform(m, v.memory, core.KInverse)
				move(v.memory, m)
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ToCoset implements [plonk.Device]: the order is that of the rows. The powers of the shift
// are multiplied in here: ICICLE computes those of a coset on one core, in every call.
func (c *Card) ToCoset(ctx context.Context, shift fr.Element, transforms ...plonk.Transform) error {
	for _, t := range transforms {
		dst, src := t.Values.(vector), t.Coefficients.(vector)
		if dst.n != src.n {
			return errLength
		}
		err := c.do(ctx, func() {
			c.with(dst.n, func(m core.DeviceSlice) {
				c.powers(m, shift)
				apply(core.Mul, src.memory, m, m)
				c.transform(dst.memory, m, core.KForward)
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// FromCoset implements [plonk.Device].
func (c *Card) FromCoset(ctx context.Context, shift fr.Element, vectors ...plonk.Vector) error {
	var inverse fr.Element
	inverse.Inverse(&shift)
	for _, v := range vectors {
		v := v.(vector)
		err := c.do(ctx, func() {
			c.with(v.n, func(m core.DeviceSlice) {
				c.transform(m, v.memory, core.KInverse)
				c.powers(v.memory, inverse)
				apply(core.Mul, m, v.memory, v.memory)
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Evaluate implements [plonk.Device]: the upper half times z^half is added to the lower
// one, until the CPU does the rest.
func (c *Card) Evaluate(ctx context.Context, z fr.Element, polynomials ...plonk.Vector) ([]fr.Element, error) {
	values := make([]fr.Element, len(polynomials))
	for i, p := range polynomials {
		p := p.(vector)
		if err := c.do(ctx, func() { values[i] = c.evaluate(p, z) }); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func (c *Card) evaluate(p vector, z fr.Element) (value fr.Element) {
	rest := make([]fr.Element, min(p.n, fewest))
	if p.n <= fewest {
		read(rest, p.memory)
	} else {
		c.with(p.n, func(sum core.DeviceSlice) {
			c.with(p.n, func(upper core.DeviceSlice) {
				move(sum, p.memory)
				n := p.n
				for n > fewest {
					half := (n + 1) / 2
					u := part(upper, 0, n-half)
					fill(u, power(z, half))
					apply(core.Mul, part(sum, half, n), u, u)
					lower := part(sum, 0, n-half)
					apply(core.Add, lower, u, lower)
					n = half
				}
				rest = rest[:n]
				read(rest, sum)
			})
		})
	}
	for i := len(rest) - 1; i >= 0; i-- {
		value.Mul(&value, &z).Add(&value, &rest[i])
	}
	return value
}

// Divide implements [plonk.Device]. The quotient's coefficients are those of f above, each
// times a power of z by its distance: s[i] = Σ f[j]·z^(j−i) over j ≥ i. With
// s[i] += z^k·s[i+k] for k = 1, 2, 4, … a sum takes in twice as many coefficients each time.
func (c *Card) Divide(ctx context.Context, dst, src plonk.Vector, z, carry fr.Element) (remainder fr.Element, err error) {
	q, f := dst.(vector), src.(vector)
	if q.n != f.n || q.n == 0 {
		return remainder, errLength
	}
	err = c.do(ctx, func() {
		n, s := q.n, q.memory
		if s.AsUnsafePointer() != f.memory.AsUnsafePointer() {
			move(s, f.memory)
		}
		var last [1]fr.Element
		var above fr.Element
		end := part(s, n-1, n)
		read(last[:], end)
		last[0].Add(&last[0], above.Mul(&carry, &z))
		write(end, last[:])
		c.with(n, func(t core.DeviceSlice) {
			factor := z
			for k := 1; k < n; k *= 2 {
				far, near := part(t, 0, n-k), part(s, 0, n-k)
				fill(far, factor)
				apply(core.Mul, part(s, k, n), far, far)
				apply(core.Add, near, far, near)
				factor.Square(&factor)
			}
			var first [1]fr.Element
			read(first[:], s)
			remainder = first[0]
			if n > 1 {
				move(part(t, 0, n-1), part(s, 1, n))
				move(part(s, 0, n-1), part(t, 0, n-1))
			}
			write(end, []fr.Element{carry})
		})
	})
	return remainder, err
}

// power returns xⁿ.
func power(x fr.Element, n int) (p fr.Element) {
	p.Exp(x, big.NewInt(int64(n)))
	return p
}
