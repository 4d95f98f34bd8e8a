package msm

import "math"

// window is a range of bits of a scalar, read as one signed digit d with
// −2^(width−1) ≤ d < 2^(width−1), or ≤ in the last window, which takes the carry.
type window struct {
	offset, width int
	last          bool
}

// digit returns the window's digit of a value that carries the plan's bias.
func (w window) digit(value *wide) int32 {
	width := w.width
	if w.last {
		width++
	}
	return int32(value.bits(w.offset, width)) - 1<<(w.width-1)
}

// plan says how the scalars of one column are cut into windows, each of which is one
// pass over them.
type plan struct {
	windows []window
	bias    wide  // Σ 2^(offset+width−1) over the windows
	count   []int // by window, an upper bound on the digits that aren't zero
}

// Costs in units of one addition of a batch, about 45 ns, measured.
const (
	costOfTerm = 0.1  // reading a digit that is zero
	costOfPass = 1200 // weighing the last few buckets
	bucketAdds = 2.3  // a bucket when buckets are weighed
	maxWidth   = 18
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

	var best []window
	bestCost := math.Inf(1)
	for first := 1; first <= min(maxWidth, total); first++ {
		rest := total - first
		least := (rest + maxWidth - 1) / maxWidth
		for count := least; count <= max(least, rest/3); count++ {
			windows := cut(first, rest, count)
			cost := 0.0
			for _, w := range windows {
				cost += passCost(above[1], digits(w), w.width)
			}
			if cost < bestCost {
				best, bestCost = windows, cost
			}
		}
	}
	p := plan{windows: best}
	for _, w := range best {
		p.count = append(p.count, digits(w))
		top := w.offset + w.width - 1
		var bit wide
		bit[top>>6] = 1 << (top & 63)
		p.bias, _ = p.bias.add(bit)
	}
	return p
}

// passCost estimates what a pass costs, in additions, over terms scalars of which
// digits don't have the digit zero.
func passCost(terms, digits, width int) float64 {
	buckets := float64(min(digits, 1<<(width-1)))
	return costOfTerm*float64(terms) + float64(digits) + bucketAdds*buckets + costOfPass
}

// cut returns a window of first bits and count windows that share rest bits evenly.
func cut(first, rest, count int) []window {
	windows := []window{{offset: 0, width: first}}
	for k := range count {
		offset := first + k*rest/count
		windows = append(windows, window{offset: offset, width: first + (k+1)*rest/count - offset})
	}
	windows[count].last = true
	return windows
}
