package quantize

import (
	"fmt"

	"github.com/zkml-go/zkml/tensor"
)

// geometry is a Linear with all its sizes, checked.
type geometry struct {
	n, c, h, w     int // operand X
	o, cg, kh, kw  int // weights
	oh, ow         int // result
	stride, dilate [2]int
	top, left      int
	groups         int
}

// maxSpan bounds strides, dilations and padding, so that the arithmetic of shapes
// stays far from overflow.
const maxSpan = 1 << 28

// newGeometry checks the shapes of a Linear's operands and returns its sizes.
func newGeometry(op Linear, x, w tensor.Shape) (geometry, error) {
	var g geometry
	if len(x) != 4 || len(w) != 4 {
		return g, fmt.Errorf("linear of %v with weights %v: both must have rank 4", x, w)
	}
	g = geometry{
		n: x[0], c: x[1], h: x[2], w: x[3],
		o: w[0], cg: w[1], kh: w[2], kw: w[3],
		stride: op.Stride, dilate: op.Dilation, top: op.Pad[0], left: op.Pad[1], groups: op.Groups,
	}
	for axis := range 2 {
		if s, d := op.Stride[axis], op.Dilation[axis]; s < 1 || d < 1 || s > maxSpan || d > maxSpan {
			return g, fmt.Errorf("linear with stride %v and dilation %v", op.Stride, op.Dilation)
		}
	}
	for _, p := range op.Pad {
		if p < 0 || p > maxSpan {
			return g, fmt.Errorf("linear with padding %v", op.Pad)
		}
	}
	if op.Groups < 1 || g.c%op.Groups != 0 || g.o%op.Groups != 0 || g.cg != g.c/op.Groups {
		return g, fmt.Errorf("linear of %v with weights %v in %d groups", x, w, op.Groups)
	}
	if g.kh < 1 || g.kw < 1 {
		return g, fmt.Errorf("linear with weights %v", w)
	}
	rows := int64(g.h) + int64(op.Pad[0]) + int64(op.Pad[2]) - int64(op.Dilation[0])*int64(g.kh-1) - 1
	cols := int64(g.w) + int64(op.Pad[1]) + int64(op.Pad[3]) - int64(op.Dilation[1])*int64(g.kw-1) - 1
	if rows < 0 || cols < 0 {
		return g, fmt.Errorf("linear of %v: the kernel %v is larger than the padded operand", x, w)
	}
	g.oh, g.ow = int(rows/int64(op.Stride[0]))+1, int(cols/int64(op.Stride[1]))+1
	if err := g.shape().Check(); err != nil {
		return g, err
	}
	return g, nil
}

// shape is the shape of the result.
func (g *geometry) shape() tensor.Shape { return tensor.Shape{g.n, g.o, g.oh, g.ow} }

// work is the number of multiplications, padding included.
func (g *geometry) work() int64 {
	// Each factor product stays below 2^56: sizes are at most MaxElements.
	return int64(g.shape().Size()) * int64(g.cg*g.kh*g.kw)
}

// pointwise says that the kernel is 1 × 1 over every position in order, so that
// the two spatial axes act as one.
func (g *geometry) pointwise() bool {
	return g.kh == 1 && g.kw == 1 && g.stride == [2]int{1, 1} && g.oh == g.h && g.ow == g.w && g.top == 0 && g.left == 0
}

// span returns the output positions v in [from, to) whose input position
// v·stride + offset lies in [0, size).
func span(offset, stride, size, count int) (from, to int) {
	if offset < 0 {
		from = (-offset + stride - 1) / stride
	}
	to = count
	if last := size - 1 - offset; last < 0 {
		to = 0
	} else if q := last/stride + 1; q < to {
		to = q
	}
	return min(from, to), to
}

// accumulate adds the linear map of x with weights w to y, in a fixed order. Sums
// of integers wrap.
func accumulate[T int64 | float64](g *geometry, y, x, w []T) {
	og := g.o / g.groups
	inPlane, outPlane := g.h*g.w, g.oh*g.ow
	taps := g.cg * g.kh * g.kw
	pointwise := g.pointwise()
	for n := range g.n {
		for o := range g.o {
			first := n*g.c + (o/og)*g.cg
			out := y[(n*g.o+o)*outPlane:][:outPlane]
			kernel := w[o*taps:][:taps]
			if pointwise && outPlane == 1 {
				out[0] += dot(kernel, x[first:][:g.cg])
				continue
			}
			for c := range g.cg {
				in := x[(first+c)*inPlane:][:inPlane]
				if pointwise {
					axpy(out, kernel[c], in)
				} else {
					correlate(g, out, in, kernel[c*g.kh*g.kw:])
				}
			}
		}
	}
}

// dot is Σ a·b.
func dot[T int64 | float64](a, b []T) T {
	var sum T
	for i, v := range a {
		sum += T(v * b[i])
	}
	return sum
}

// axpy adds k·x to y.
func axpy[T int64 | float64](y []T, k T, x []T) {
	if k == 0 {
		return
	}
	for i, v := range x {
		y[i] += T(k * v)
	}
}

// correlate adds the correlation of one plane with one kernel to out.
func correlate[T int64 | float64](g *geometry, out, in, kernel []T) {
	for i := range g.kh {
		rowOffset := i*g.dilate[0] - g.top
		fromU, toU := span(rowOffset, g.stride[0], g.h, g.oh)
		for j := range g.kw {
			k := kernel[i*g.kw+j]
			if k == 0 {
				continue
			}
			colOffset := j*g.dilate[1] - g.left
			fromV, toV := span(colOffset, g.stride[1], g.w, g.ow)
			for u := fromU; u < toU; u++ {
				row := in[(u*g.stride[0]+rowOffset)*g.w:][:g.w]
				line := out[u*g.ow:][:g.ow]
				at := fromV*g.stride[1] + colOffset
				for v := fromV; v < toV; v++ {
					line[v] += T(k * row[at])
					at += g.stride[1]
				}
			}
		}
	}
}
