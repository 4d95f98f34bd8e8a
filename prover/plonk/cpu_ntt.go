package plonk

import (
	"context"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	"github.com/consensys/gnark-crypto/utils"
)

// block is how many elements the CPU works on at a time: a few blocks fit into a
// core's second-level cache.
const block = 512

// domain returns the domain of n elements with its tables, made at the first use.
func (c *CPU) domain(n int) *fft.Domain {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.domains == nil {
		c.domains = make(map[int]*fft.Domain)
	}
	if c.domains[n] == nil {
		c.domains[n] = fft.NewDomain(uint64(n))
	}
	return c.domains[n]
}

// tasks returns the FFT's option for one of count transforms that run at once:
// several small transforms, one to a core, are faster than one after another on all.
func tasks(count int) fft.Option {
	return fft.WithNbTasks(max(1, workers()/count))
}

// Interpolate implements [Device].
func (c *CPU) Interpolate(ctx context.Context, vectors ...Vector) error {
	return each(ctx, len(vectors), func(i int) error {
		v := onCPU(vectors[i])
		c.domain(len(v)).FFTInverse(v, fft.DIF, tasks(len(vectors)))
		utils.BitReverse(v)
		return nil
	})
}

// ToCoset implements [Device].
func (c *CPU) ToCoset(ctx context.Context, shift fr.Element, transforms ...Transform) error {
	if len(transforms) == 0 {
		return nil
	}
	dst, src := make([]fr.Vector, len(transforms)), make([]fr.Vector, len(transforms))
	for i, t := range transforms {
		dst[i], src[i] = onCPU(t.Values), onCPU(t.Coefficients)
	}
	scaleByPowers(dst, src, shift)
	return each(ctx, len(transforms), func(i int) error {
		c.domain(len(dst[i])).FFT(dst[i], fft.DIF, tasks(len(transforms)))
		return nil
	})
}

// FromCoset implements [Device].
func (c *CPU) FromCoset(ctx context.Context, shift fr.Element, vectors ...Vector) error {
	if len(vectors) == 0 {
		return nil
	}
	v := make([]fr.Vector, len(vectors))
	for i := range vectors {
		v[i] = onCPU(vectors[i])
	}
	err := each(ctx, len(v), func(i int) error {
		c.domain(len(v[i])).FFTInverse(v[i], fft.DIT, tasks(len(v)))
		return nil
	})
	if err != nil {
		return err
	}
	var inverse fr.Element
	inverse.Inverse(&shift)
	scaleByPowers(v, v, inverse)
	return nil
}

// scaleByPowers sets dst[k][i] to src[k][i]·xⁱ; all are of one length. Block by block, it
// multiplies the powers of one block by the block's first power, so that no table of n
// powers is needed.
func scaleByPowers(dst, src []fr.Vector, x fr.Element) {
	n := len(dst[0])
	table := powers(x, min(block, n))
	step := power(x, block)
	ranges(n, block, func(_, first, last int) {
		start := power(x, first)
		factors := make(fr.Vector, len(table))
		for from := first; from < last; from += block {
			to := min(from+block, last)
			factors.ScalarMul(table, &start)
			for k := range dst {
				part := dst[k][from:to]
				part.Mul(src[k][from:to], factors[:to-from])
			}
			start.Mul(&start, &step)
		}
	})
}

// powers returns 1, x, x², … of n elements.
func powers(x fr.Element, n int) fr.Vector {
	table := make(fr.Vector, n)
	table[0].SetOne()
	for i := 1; i < n; i++ {
		table[i].Mul(&table[i-1], &x)
	}
	return table
}

// power returns xⁿ.
func power(x fr.Element, n int) (p fr.Element) {
	p.Exp(x, big.NewInt(int64(n)))
	return p
}
