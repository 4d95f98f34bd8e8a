package srs

import (
	"runtime"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// multiplyFixed returns scalars[i]·base for every i.
//
// The base is the same for all, so that its multiples d·2^(cw)·base, 1 <= d <=
// 2^(c-1), are tabulated for every window w of c bits, and a product is the sum of
// one table entry per window, negated where the signed digit is. Many products are
// made at a time: an affine addition costs three multiplications and a shared
// inversion, which is cheaper than any projective one.
func multiplyFixed(base *bn254.G1Affine, scalars []fr.Element) []bn254.G1Affine {
	table := newFixedTable(base, windowFor(len(scalars)))
	points := make([]bn254.G1Affine, len(scalars))
	const block = 1024
	inParallel((len(scalars)+block-1)/block, func(blocks <-chan int) {
		w := table.newWorker(block)
		for b := range blocks {
			end := min((b+1)*block, len(scalars))
			w.multiply(points[b*block:end], scalars[b*block:end])
		}
	})
	return points
}

// windowFor returns the width that costs the fewest additions for n products, at
// most 13 bits so that the table stays in the processor's cache.
func windowFor(n int) int {
	best := 4
	cost := func(c int) int { return (fr.Bits/c + 1) * (n + 1<<(c-1)) }
	for c := best + 1; c <= 13; c++ {
		if cost(c) < cost(best) {
			best = c
		}
	}
	return best
}

// inParallel hands 0, …, n-1 to as many calls of work as there are processors.
func inParallel(n int, work func(<-chan int)) {
	indices := make(chan int, n)
	for i := range n {
		indices <- i
	}
	close(indices)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Go(func() { work(indices) })
	}
	wg.Wait()
}

// fixedTable holds the multiples of one point: windows[w][d-1] = d·2^(bits·w)·base.
type fixedTable struct {
	bits    int
	windows [][]bn254.G1Affine
}

func newFixedTable(base *bn254.G1Affine, bits int) *fixedTable {
	// One bit more than the scalars have takes the last carry of the signed digits.
	t := &fixedTable{bits: bits, windows: make([][]bn254.G1Affine, fr.Bits/bits+1)}
	var p bn254.G1Jac
	p.FromAffine(base)
	for w := range t.windows {
		t.windows[w] = make([]bn254.G1Affine, 1<<(bits-1))
		t.windows[w][0].FromJacobian(&p)
		for range bits {
			p.DoubleAssign()
		}
	}
	inParallel(len(t.windows), func(windows <-chan int) {
		sum := newAdder(1 << (bits - 1))
		for w := range windows {
			m := t.windows[w]
			// From the multiples up to have, adding have·P gives those up to 2·have.
			for have := 1; have < len(m); have *= 2 {
				for i := range have {
					m[have+i], sum.addend[i] = m[i], m[have-1]
				}
				sum.add(m[have : 2*have])
			}
		}
	})
	return t
}

// fixedWorker multiplies blocks of scalars.
type fixedWorker struct {
	table *fixedTable
	sum   *adder
	bits  [][4]uint64
	carry []bool
}

func (t *fixedTable) newWorker(block int) *fixedWorker {
	return &fixedWorker{t, newAdder(block), make([][4]uint64, block), make([]bool, block)}
}

// multiply sets points[i] = scalars[i]·base.
func (w *fixedWorker) multiply(points []bn254.G1Affine, scalars []fr.Element) {
	for i := range scalars {
		w.bits[i], w.carry[i] = scalars[i].Bits(), false
		points[i] = bn254.G1Affine{}
	}
	c, half := w.table.bits, 1<<(w.table.bits-1)
	for j, multiples := range w.table.windows {
		for i := range scalars {
			digit := int(window(&w.bits[i], j*c, c))
			if w.carry[i] {
				digit++
			}
			w.carry[i] = digit > half
			switch {
			case digit == 0 || digit == 2*half:
				w.sum.addend[i] = bn254.G1Affine{}
			case digit > half:
				w.sum.addend[i].Neg(&multiples[2*half-digit-1])
			default:
				w.sum.addend[i] = multiples[digit-1]
			}
		}
		w.sum.add(points)
	}
}

// window returns the c bits of v that start at bit from; bits above 255 are 0.
func window(v *[4]uint64, from, c int) uint64 {
	word, shift := from/64, from%64
	if word > 3 {
		return 0
	}
	d := v[word] >> shift
	if shift+c > 64 && word < 3 {
		d |= v[word+1] << (64 - shift)
	}
	return d & (1<<c - 1)
}

// adder adds vectors of affine points with one inversion for the whole vector
// (Montgomery's trick).
type adder struct {
	addend   []bn254.G1Affine
	slope    []fp.Element // first the denominators, then the slopes
	products []fp.Element
}

func newAdder(n int) *adder {
	return &adder{make([]bn254.G1Affine, n), make([]fp.Element, n), make([]fp.Element, n)}
}

// add sets points[i] += addend[i] for every i < len(points).
func (a *adder) add(points []bn254.G1Affine) {
	product := fp.One()
	for i := range points {
		p, q := &points[i], &a.addend[i]
		switch a.slope[i].Sub(&q.X, &p.X); {
		case q.IsInfinity():
			a.slope[i].SetZero()
			continue
		case p.IsInfinity():
			*p = *q
			a.slope[i].SetZero()
			continue
		case a.slope[i].IsZero(): // a doubling or inverse points
			p.Add(p, q)
			continue
		}
		a.products[i] = product
		product.Mul(&product, &a.slope[i])
	}
	product.Inverse(&product)
	for i := len(points) - 1; i >= 0; i-- {
		if a.slope[i].IsZero() {
			continue
		}
		p, q := &points[i], &a.addend[i]
		var slope, x, y fp.Element
		slope.Mul(&product, &a.products[i]) // 1 / (x₂ - x₁)
		product.Mul(&product, &a.slope[i])
		slope.Mul(&slope, y.Sub(&q.Y, &p.Y))
		x.Square(&slope).Sub(&x, &p.X).Sub(&x, &q.X)
		y.Sub(&p.X, &x).Mul(&y, &slope).Sub(&y, &p.Y)
		p.X, p.Y = x, y
	}
}
