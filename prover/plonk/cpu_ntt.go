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
func (c *CPU) ToCoset(ctx context.Context, transforms ...Transform) error {
	return each(ctx, len(transforms), func(i int) error {
		t := &transforms[i]
		v := onCPU(t.Values)
		scaleByPowers(v, onCPU(t.Coefficients), t.Shift)
		c.domain(len(v)).FFT(v, fft.DIF, tasks(len(transforms)))
		return nil
	})
}

// FromCoset implements [Device].
func (c *CPU) FromCoset(ctx context.Context, shift fr.Element, vectors ...Vector) error {
	var inverse fr.Element
	inverse.Inverse(&shift)
	return each(ctx, len(vectors), func(i int) error {
		v := onCPU(vectors[i])
		c.domain(len(v)).FFTInverse(v, fft.DIT, tasks(len(vectors)))
		scaleByPowers(v, v, inverse)
		return nil
	})
}

// scaleByPowers sets dst[i] to src[i]·xⁱ. It multiplies block by block, by the
// powers of one block that are multiplied by the block's first power, so that no
// table of n powers is needed.
func scaleByPowers(dst, src fr.Vector, x fr.Element) {
	if x.IsOne() {
		copy(dst, src)
		return
	}
	table := powers(x, min(block, len(dst)))
	var step fr.Element
	step.Mul(&table[len(table)-1], &x)
	first := fr.One()
	factors := make(fr.Vector, len(table))
	for from := 0; from < len(dst); from += block {
		to := min(from+block, len(dst))
		factors.ScalarMul(table, &first)
		d := dst[from:to]
		d.Mul(src[from:to], factors[:to-from])
		first.Mul(&first, &step)
	}
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
