package msm

import (
	"context"
	"math/bits"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// weigh returns Σ number·sum over the buckets of sums, which must be a.lists[0].
//
// The usual running sum of buckets is a chain of additions, each of which waits for
// the last, so nothing of it can be batched. Instead a number of 2h bits is cut into
// two digits, high·2^h + low, and the buckets become the points of a second, far
// smaller multi-exponentiation with 2·2^h buckets: two additions a bucket as in the
// chain, but independent ones. This goes on until the digits are single bits.
func (a *adder) weigh(ctx context.Context, sums *buckets) (bn254.G1Jac, error) {
	largest := uint32(0)
	for _, b := range sums.number {
		largest = max(largest, b)
	}
	width := bits.Len32(largest)
	shifts := []int{0} // exponents of the groups' own weights: number = group<<width | digit
	other := &a.lists[1]
	for width > 1 {
		h := (width + 1) / 2
		shifts = a.halve(sums, width, h, shifts)
		other.reset()
		if err := a.sum(ctx, a.sort, sums.sum, other); err != nil {
			return bn254.G1Jac{}, err
		}
		sums, other = other, sums
		width = h
	}
	return horner(sums, shifts), nil
}

// halve sorts the buckets of sums into twice as many groups, one for each half of the
// digits' bits, and returns the exponents of the new groups.
func (a *adder) halve(sums *buckets, width, h int, shifts []int) []int {
	var doubled []int
	for _, s := range shifts {
		doubled = append(doubled, s, s+h)
	}
	start := resize(&a.sort.start, len(doubled)<<h+1)
	clear(start)
	mask := uint32(1)<<h - 1
	// halves returns the new numbers, of which one with the digit zero weighs nothing.
	halves := func(number uint32) [2]uint32 {
		group, digit := number>>width, number&(1<<width-1)
		return [2]uint32{2*group<<h | digit&mask, (2*group+1)<<h | digit>>h}
	}
	total := 0
	for _, number := range sums.number {
		for _, b := range halves(number) {
			if b&mask != 0 {
				start[b+1]++
				total++
			}
		}
	}
	for b := 1; b < len(start); b++ {
		start[b] += start[b-1]
	}
	next := resize(&a.next, len(start))
	copy(next, start)
	entries := a.entries(total)
	for i, number := range sums.number {
		for _, b := range halves(number) {
			if b&mask != 0 {
				entries[next[b]] = entry(i) << 1
				next[b]++
			}
		}
	}
	a.sort = sorted{entries, start}
	return doubled
}

// horner returns Σ 2^shifts[group]·sum over buckets with numbers 2·group + 1.
func horner(sums *buckets, shifts []int) bn254.G1Jac {
	weighted := make([]bn254.G1Jac, slices.Max(shifts)+1)
	for i := range weighted {
		infinity(&weighted[i])
	}
	for i, number := range sums.number {
		weighted[shifts[number>>1]].AddMixed(&sums.sum[i])
	}
	total := weighted[len(weighted)-1]
	for i := len(weighted) - 2; i >= 0; i-- {
		total.DoubleAssign()
		total.AddAssign(&weighted[i])
	}
	return total
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
