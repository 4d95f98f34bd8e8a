package msm

import (
	"context"
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// lastBits is the number of bits of a bucket's weight below which single additions
// finish faster than more rounds of batches.
const lastBits = 4

// weigh returns Σ bucket·P over the points of sums, which must be a.lists[0].
//
// The usual running sum of buckets is a chain of additions, each of which waits for
// the last, so nothing of it can be batched. Instead a weight d of 2h bits is cut into
// two digits, d = high·2^h + low, and the sums become points of a second, far smaller
// multi-exponentiation with 2·2^h buckets: two additions a bucket as in the chain, but
// independent ones. Weights of few bits are left for the chain.
func (a *adder) weigh(ctx context.Context, sums *buckets) (bn254.G1Jac, error) {
	largest := uint32(0)
	for _, b := range sums.number {
		largest = max(largest, b)
	}
	width := bits.Len32(largest)
	shifts := []int{0} // exponents of the groups' own weights: bucket = group<<width | digit
	other := &a.lists[1]
	for width > lastBits {
		h := (width + 1) / 2
		shifts = a.halve(sums, width, h, shifts)
		other.reset()
		if err := a.sum(ctx, a.sort, sums.sum, other); err != nil {
			return bn254.G1Jac{}, err
		}
		sums, other = other, sums
		width = h
	}
	return chain(sums, width, shifts), nil
}

// halve sorts the points of sums into twice as many groups, one for each half of the
// digits' bits, and returns the exponents of the new groups.
func (a *adder) halve(sums *buckets, width, h int, shifts []int) []int {
	var doubled []int
	for _, s := range shifts {
		doubled = append(doubled, s, s+h)
	}
	start := resize(&a.sort.start, len(doubled)<<h+1)
	clear(start)
	// A digit's halves as buckets, of which those with a zero digit hold no entries.
	cut := func(b uint32) (low, high uint32) {
		group, digit := b>>width, b&(1<<width-1)
		return 2*group<<h | digit&(1<<h-1), (2*group+1)<<h | digit>>h
	}
	mask := uint32(1)<<h - 1
	total := 0
	for _, b := range sums.number {
		low, high := cut(b)
		for _, c := range [2]uint32{low, high} {
			if c&mask != 0 {
				start[c+1]++
				total++
			}
		}
	}
	for c := 1; c < len(start); c++ {
		start[c] += start[c-1]
	}
	next := resize(&a.begin, len(start))
	copy(next, start)
	entries := resize(&a.sort.entries, total)
	for i, b := range sums.number {
		low, high := cut(b)
		for _, c := range [2]uint32{low, high} {
			if c&mask != 0 {
				entries[next[c]] = entry(i) << 1
				next[c]++
			}
		}
	}
	a.sort = sorted{entries, start}
	return doubled
}

// chain finishes groups of digits of width bits by running sums, and adds them up by
// Horner's rule over the groups' exponents, which grow from group to group.
func chain(sums *buckets, width int, shifts []int) bn254.G1Jac {
	digits := make([]bn254.G1Jac, len(shifts)<<width)
	for i := range digits {
		infinity(&digits[i])
	}
	for i, b := range sums.number {

		digits[b].AddMixed(&sums.sum[i])
	}
	var result bn254.G1Jac
	infinity(&result)
	for group := len(shifts) - 1; group >= 0; group-- {
		var running, sum bn254.G1Jac
		infinity(&running)
		infinity(&sum)
		for d := 1<<width - 1; d > 0; d-- {
			running.AddAssign(&digits[group<<width|d])
			sum.AddAssign(&running)
		}
		result.AddAssign(&sum)
		if group > 0 {
			double(&result, shifts[group]-shifts[group-1])
		}
	}
	return result
}

// double doubles p times times.
func double(p *bn254.G1Jac, times int) {
	for range times {
		p.DoubleAssign()
	}
}

// infinity sets p to the point at infinity.
func infinity(p *bn254.G1Jac) {
	p.X.SetOne()
	p.Y.SetOne()
	p.Z.SetZero()
}
