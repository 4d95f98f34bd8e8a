package gadget

import (
	"fmt"
	"slices"
)

// Geometry is the shape of a grouped two-dimensional correlation, the one linear
// map with weights that this package knows: a fully connected layer is H = W = KH =
// KW = 1, a batch of N of them N positions. Tensors are row-major: the operand is
// X [N, C, H, W], the weights are [O, C/Groups, KH, KW] and the result is
// [N, O, OH, OW] with
//
//	Y[n,o,u,v] = bias[o] + Σ_{c,i,j} W[o,c,i,j] · X[n, c', u·Stride+i·Dilation−Pad, v·…]
//
// where c' is channel c of the group of o and elements outside X are 0.
type Geometry struct {
	N, C, H, W       int
	O, KH, KW        int
	Groups           int
	Stride, Dilation [2]int // vertical, horizontal
	Pad              [4]int // top, left, bottom, right
}

// maxExtent bounds each size of a Geometry and each product that counts elements,
// so that index arithmetic doesn't overflow.
const maxExtent = 1 << 28

// check returns an error if the sizes make no sense together.
func (g *Geometry) check() error {
	for _, v := range [...]int{g.N, g.C, g.H, g.W, g.O, g.KH, g.KW, g.Groups, g.Stride[0], g.Stride[1], g.Dilation[0], g.Dilation[1]} {
		if v < 1 || v > maxExtent {
			return fmt.Errorf("linear map with the size %d in %+v", v, *g)
		}
	}
	for _, v := range g.Pad {
		if v < 0 || v > maxExtent {
			return fmt.Errorf("linear map with the padding %d in %+v", v, *g)
		}
	}
	if g.C%g.Groups != 0 || g.O%g.Groups != 0 {
		return fmt.Errorf("linear map of %d to %d channels in %d groups", g.C, g.O, g.Groups)
	}
	v, h := g.axes()
	if v.count < 1 || h.count < 1 {
		return fmt.Errorf("linear map whose kernel is larger than its padded operand: %+v", *g)
	}
	for _, sizes := range [...][]int{{g.N, g.C, g.H, g.W}, {g.O, g.C / g.Groups, g.KH, g.KW}, {g.N, g.O, v.count, h.count}} {
		elements := 1
		for _, s := range sizes {
			if elements > maxExtent/s {
				return fmt.Errorf("linear map with a tensor of sizes %v", sizes)
			}
			elements *= s
		}
	}
	return nil
}

// axes returns the vertical and the horizontal axis, without their phases.
func (g *Geometry) axes() (v, h axis) {
	v = axis{size: g.H, kernel: g.KH, stride: g.Stride[0], dilation: g.Dilation[0], before: g.Pad[0]}
	h = axis{size: g.W, kernel: g.KW, stride: g.Stride[1], dilation: g.Dilation[1], before: g.Pad[1]}
	v.count = v.results(g.Pad[2])
	h.count = h.results(g.Pad[3])
	return
}

// axis is one spatial dimension of a correlation.
type axis struct {
	size, count              int // of the operand and of the result
	kernel, stride, dilation int
	before                   int // padding
}

// results is the number of result positions with the given padding at the end.
func (a *axis) results(after int) int {
	room := a.size + a.before + after - a.dilation*(a.kernel-1) - 1
	if room < 0 {
		return 0
	}
	return room/a.stride + 1
}

// taps returns the range of kernel indices [from, to) whose operand positions exist
// for result position u; kernel index t then lies at operand position first + t·dilation.
func (a *axis) taps(u int) (from, to, first int) {
	first = u*a.stride - a.before
	if first < 0 {
		from = (-first + a.dilation - 1) / a.dilation
	}
	if last := a.size - 1 - first; last >= 0 {
		to = min(a.kernel, last/a.dilation+1)
	}
	return min(from, to), to, first
}

// padded reports whether some kernel index of some position falls outside the operand.
func (a *axis) padded() bool {
	for u := range a.count {
		if from, to, _ := a.taps(u); from > 0 || to < a.kernel {
			return true
		}
	}
	return false
}

// tapClass is a range of kernel indices and the number of positions that have it.
type tapClass struct{ from, to, positions int }

// classes groups the result positions by their range of kernel indices.
func (a *axis) classes() []tapClass {
	var list []tapClass
	for u := range a.count {
		from, to, _ := a.taps(u)
		i := slices.IndexFunc(list, func(c tapClass) bool { return c.from == from && c.to == to })
		if i < 0 {
			list = append(list, tapClass{from, to, 0})
			i = len(list) - 1
		}
		list[i].positions++
	}
	return list
}
