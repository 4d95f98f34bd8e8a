package msm

import "math"

// window is a range of bits of a scalar, read as one signed digit d with
// −2^(width−1) ≤ d < 2^(width−1), or ≤ in the last window, which takes the carry.
type window struct {
	offset, width int
	last          bool
}

// digits sets digits to the window's of values that carry the plan's bias, and returns
// their number.
func (w window) digits(digits []int32, values []wide) int {
	width := w.width
	if w.last {
		width++
	}
	// Where the window lies in one word, what comes from another is masked away.
	low, shift := w.offset/64, uint(w.offset%64)
	high := min(low+1, len(wide{})-1)
	mask, zero := uint64(1)<<width-1, int32(1)<<(w.width-1)
	digits = digits[:len(values)]
	for i := range values {
		v := &values[i]
		digits[i] = int32((v[low]>>shift|v[high]<<(64-shift))&mask) - zero
	}
	return len(values)
}

// plan says how the scalars of one column are cut into windows, each of which is one
// pass over them.
type plan struct {
	windows []window
	bias    wide  // Σ 2^(offset+width−1) over the windows
	digits  []int // by window, an upper bound on the digits that aren't zero
	reads   []int // by window, the scalars whose digits have to be read
}

// Costs in units of one addition of a batch, about 45 ns, measured.
const (
	costOfRead   = 0.1  // reading and sorting a digit
	costOfPass   = 1200 // weighing the last few buckets
	bucketAdds   = 2.3  // weighing a bucket
	costOfBucket = 0.1  // a bucket that stays empty
	maxWidth     = 18
)

// makePlan returns the cheapest plan for scalars with this histogram. A first window
// of its own width serves columns in which most scalars are short; the rest of the
// bits are cut evenly.
func makePlan(h *histogram) plan {
	longest := 0
	var above [maxBits + 2]int // above[b]: scalars of at least b bits
	for b := maxBits; b >= 0; b-- {
		above[b] = above[b+1] + h[b]
		if h[b] > 0 {
			longest = max(longest, b)
		}
	}
	total := longest + 1 // the sign
	// A scalar shorter than a window's offset has the digit 0 in it.
	digits := func(w window) int { return above[max(w.offset, 1)] }
	// All windows but the first are read only in scalars that don't fit the first.
	reads := func(k, first int) int {
		if k == 0 {
			return above[1]
		}
		return above[first]
	}

	bestFirst, bestCount, bestCost := 0, 0, math.Inf(1)
	for first := 1; first <= min(maxWidth, total); first++ {
		for width := 2; width <= maxWidth; width++ {
			count := (total - first + width - 1) / width
			cost := 0.0
			for k := 0; k <= count && cost < bestCost; k++ {
				w := cut(first, total, count, k)
				cost += passCost(reads(k, first), digits(w), w.width)
			}
			if cost < bestCost {
				bestFirst, bestCount, bestCost = first, count, cost
			}
		}
	}
	var p plan
	for k := range bestCount + 1 {
		w := cut(bestFirst, total, bestCount, k)
		p.windows = append(p.windows, w)
		p.digits = append(p.digits, digits(w))
		p.reads = append(p.reads, reads(k, bestFirst))
		top := w.offset + w.width - 1
		var bit wide
		bit[top>>6] = 1 << (top & 63)
		p.bias, _ = p.bias.add(bit)
	}
	return p
}

// passCost estimates what a pass costs, in additions, that reads so many scalars and
// finds so many digits that aren't zero.
func passCost(reads, digits, width int) float64 {
	buckets := 1 << (width - 1)
	return costOfRead*float64(reads) + float64(digits) + bucketAdds*float64(min(digits, buckets)) +
		costOfBucket*float64(buckets) + costOfPass
}

// cut returns the k-th window where the first has first bits and count others share the
// rest of total evenly.
func cut(first, total, count, k int) window {
	if k == 0 {
		return window{offset: 0, width: first, last: count == 0}
	}
	offset := first + (k-1)*(total-first)/count
	return window{offset: offset, width: first + k*(total-first)/count - offset, last: k == count}
}
