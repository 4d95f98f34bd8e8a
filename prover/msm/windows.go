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

// plan says how the scalars of one column are cut into windows.
//
// With c copies of the bases at a distance of step bits, the j-th copy's bits are
// j·step … (j+1)·step − 1, and they are cut where those of copy 0 are. Windows of
// different copies at the same place in their copy share their buckets: they are one
// pass.
type plan struct {
	passes [][]window // by pass, then by copy; passes[k][0].offset is the weight's exponent
	bias   wide       // Σ 2^(offset+width−1) over all windows
	count  []int      // by pass, an upper bound on the digits that aren't zero
}

// Costs of a pass in units of one addition of affine points.
const (
	costOfTerm = 0.08 // reading a digit that is zero
	costOfPass = 600  // finishing the last buckets by single additions
	bucketAdds = 2.1  // additions a bucket costs when buckets are weighted
	maxWidth   = 18
)

// makePlan returns the cheapest plan for scalars with this histogram. A first window
// of its own width serves columns in which most scalars are short; the rest of the
// bits are cut evenly.
func makePlan(h *histogram, step int) plan {
	longest, terms := 0, 0
	var above [maxBits + 2]int // above[b]: scalars with at least b bits
	for b := maxBits; b >= 0; b-- {
		above[b] = above[b+1] + h[b]
		if h[b] > 0 && b > longest {
			longest = b
		}
	}
	terms = above[1]
	total := longest + 1 // the sign
	span := min(step, total)

	best, bestCost := []window(nil), math.Inf(1)
	for first := 1; first <= min(maxWidth, span); first++ {
		rest := span - first
		least := (rest + maxWidth - 1) / maxWidth
		for count := least; count <= max(least, (rest+2)/3); count++ {
			relative := cut(first, rest, count)
			cost := 0.0
			for _, w := range relative {
				adds := 0
				for offset := w.offset; offset < total; offset += step {
					adds += above[max(offset, 1)]
				}
				buckets := math.Exp2(float64(w.width - 1))
				cost += float64(adds) + costOfTerm*float64(terms) + costOfPass +
					bucketAdds*math.Min(buckets, float64(adds))
			}
			if cost < bestCost {
				best, bestCost = relative, cost
			}
		}
	}
	p := spread(best, step, total)
	for _, pass := range p.passes {
		count := 0
		for _, w := range pass {
			count += above[max(w.offset, 1)]
		}
		p.count = append(p.count, count)
	}
	return p
}

// cut returns a window of first bits and count windows that share rest bits evenly.
func cut(first, rest, count int) []window {
	windows := []window{{offset: 0, width: first}}
	for k := range count {
		offset := first + k*rest/count
		windows = append(windows, window{offset: offset, width: first + (k+1)*rest/count - offset})
	}
	return windows
}

// spread repeats the windows of copy 0 in every copy that a scalar of total bits has
// bits in.
func spread(relative []window, step, total int) plan {
	p := plan{passes: make([][]window, len(relative))}
	for k, w := range relative {
		for offset := w.offset; offset < total; offset += step {
			v := window{offset: offset, width: min(w.width, total-offset)}
			v.last = offset+v.width == total
			p.passes[k] = append(p.passes[k], v)
			top := offset + v.width - 1
			var bit wide
			bit[top>>6] = 1 << (top & 63)
			p.bias, _ = p.bias.add(bit)
		}
	}
	return p
}
