package graph

import (
	"fmt"

	"github.com/zkml-go/zkml/tensor"
)

func (Linear) kind() string { return "Linear" }

// ResultShape returns the shape of the map's result for an operand of shape x
// and weights of shape w, or an error if they don't fit together.
func (l Linear) ResultShape(x, w tensor.Shape) (tensor.Shape, error) {
	if len(x) != 4 || len(w) != 4 {
		return nil, fmt.Errorf("operand of shape %v and weights of shape %v, expected four axes each", x, w)
	}
	if l.Groups < 1 || x[1] < 1 || x[1]%l.Groups != 0 || w[0] < 1 || w[0]%l.Groups != 0 {
		return nil, fmt.Errorf("%d groups of %d channels in and %d out", l.Groups, x[1], w[0])
	}
	if w[1] != x[1]/l.Groups {
		return nil, fmt.Errorf("weights for %d channels per group, the operand has %d in %d groups", w[1], x[1], l.Groups)
	}
	out := tensor.Shape{x[0], w[0], 0, 0}
	for axis := range 2 {
		stride, dilation := l.Stride[axis], l.Dilation[axis]
		before, after := l.Pad[axis], l.Pad[axis+2]
		if stride < 1 || stride > MaxStep || dilation < 1 || dilation > MaxStep {
			return nil, fmt.Errorf("stride %d and dilation %d, expected 1 to %d", stride, dilation, MaxStep)
		}
		if before < 0 || before > MaxStep || after < 0 || after > MaxStep {
			return nil, fmt.Errorf("padding %d and %d, expected 0 to %d", before, after, MaxStep)
		}
		kernel := int64(w[axis+2])
		extent := int64(dilation)*(kernel-1) + 1
		padded := int64(x[axis+2]) + int64(before) + int64(after)
		if kernel < 1 || extent > padded {
			return nil, fmt.Errorf("kernel of %d with dilation %d over an axis of %d with its padding", kernel, dilation, padded)
		}
		out[axis+2] = int((padded-extent)/int64(stride)) + 1
	}
	return out, out.Check()
}

func (l Linear) check(g *Graph, n *Node) error {
	if err := n.operands(2, 3); err != nil {
		return err
	}
	for i, what := range []string{"weights", "bias"} {
		if i+1 >= len(n.Inputs) {
			break
		}
		if _, ok := g.Nodes[n.Inputs[i+1]].Op.(Const); !ok {
			return fmt.Errorf("the %s are node %d, not a Const", what, n.Inputs[i+1])
		}
	}
	shape, err := l.ResultShape(g.shape(n, 0), g.shape(n, 1))
	if err != nil {
		return err
	}
	if len(n.Inputs) == 3 {
		if bias := g.shape(n, 2); !bias.Equal(tensor.Shape{shape[1]}) {
			return fmt.Errorf("bias of shape %v for %d output channels", bias, shape[1])
		}
	}
	return n.result(shape)
}

// eval adds the terms of every output in one fixed order: bias, then channels,
// kernel rows, kernel columns. Both loops below keep it, so that the layout
// never changes a bit of the result.
func (l Linear) eval(out *Tensor, in []*Tensor) {
	p := linearPlan{Linear: l, x: in[0].Data, w: in[1].Data, y: out.Data}
	xs, ws := in[0].Shape, in[1].Shape
	p.n, p.c, p.h, p.wd = xs[0], xs[1], xs[2], xs[3]
	p.o, p.cg, p.kh, p.kw = ws[0], ws[1], ws[2], ws[3]
	p.oh, p.ow = out.Shape[2], out.Shape[3]
	if len(in) == 3 {
		p.b = in[2].Data
	} else {
		p.b = make([]float64, p.o)
	}
	unpadded := l.Pad == [4]int{}
	if unpadded && p.kh == 1 && p.kw == 1 && l.Stride == [2]int{1, 1} {
		// One weight per channel pair: the two spatial axes are as good as one.
		p.wd, p.ow = p.h*p.wd, p.oh*p.ow
		p.h, p.oh = 1, 1
	}
	if unpadded && p.kh == p.h && p.kw == p.wd && p.oh == 1 && p.ow == 1 {
		p.dotProducts()
		return
	}
	p.slidingRows()
}

// linearPlan is one evaluation of a Linear: flat operands and the sizes of their
// axes.
type linearPlan struct {
	Linear
	x, w, b, y    []float64
	n, c, h, wd   int
	o, cg, kh, kw int
	oh, ow        int
}

// dotProducts evaluates a map whose kernel covers its operand: each output is one
// dot product. Four outputs advance together so that their additions overlap.
func (p *linearPlan) dotProducts() {
	k := p.cg * p.kh * p.kw
	perGroup := p.o / p.Groups
	for n := range p.n {
		for group := range p.Groups {
			x := p.x[(n*p.Groups+group)*k:][:k]
			y := p.y[n*p.o+group*perGroup:][:perGroup]
			w := p.w[group*perGroup*k:][:perGroup*k]
			b := p.b[group*perGroup:][:perGroup]
			o := 0
			for ; o+4 <= perGroup; o += 4 {
				w0, w1, w2, w3 := w[o*k:][:k], w[(o+1)*k:][:k], w[(o+2)*k:][:k], w[(o+3)*k:][:k]
				s0, s1, s2, s3 := b[o], b[o+1], b[o+2], b[o+3]
				for i, v := range x {
					s0 += float64(w0[i] * v)
					s1 += float64(w1[i] * v)
					s2 += float64(w2[i] * v)
					s3 += float64(w3[i] * v)
				}
				y[o], y[o+1], y[o+2], y[o+3] = s0, s1, s2, s3
			}
			for ; o < perGroup; o++ {
				s := b[o]
				for i, v := range x {
					s += float64(w[o*k+i] * v)
				}
				y[o] = s
			}
		}
	}
}

// slidingRows evaluates the general map: for each weight, a multiple of the rows
// of one input plane is added to the rows of one output plane.
func (p *linearPlan) slidingRows() {
	perGroup := p.o / p.Groups
	for n := range p.n {
		for o := range p.o {
			y := p.y[(n*p.o+o)*p.oh*p.ow:][:p.oh*p.ow]
			for i := range y {
				y[i] = p.b[o]
			}
			first := n*p.c + o/perGroup*p.cg
			for c := range p.cg {
				plane := p.x[(first+c)*p.h*p.wd:][:p.h*p.wd]
				kernel := p.w[(o*p.cg+c)*p.kh*p.kw:][:p.kh*p.kw]
				p.slide(y, plane, kernel)
			}
		}
	}
}

// slide adds the correlation of one plane with one kernel to y.
func (p *linearPlan) slide(y, plane, kernel []float64) {
	for i := range p.kh {
		rowShift := i*p.Dilation[0] - p.Pad[0]
		u0, u1 := inside(rowShift, p.Stride[0], p.h, p.oh)
		for j := range p.kw {
			w := kernel[i*p.kw+j]
			shift := j*p.Dilation[1] - p.Pad[1]
			stride := p.Stride[1]
			v0, v1 := inside(shift, stride, p.wd, p.ow)
			if v0 >= v1 {
				continue
			}
			for u := u0; u < u1; u++ {
				row := plane[(u*p.Stride[0]+rowShift)*p.wd:][:p.wd]
				to := y[u*p.ow+v0 : u*p.ow+v1]
				if stride == 1 {
					from := row[v0+shift:][:len(to)]
					for k, v := range from {
						to[k] += float64(w * v)
					}
					continue
				}
				at := v0*stride + shift
				for k := range to {
					to[k] += float64(w * row[at])
					at += stride
				}
			}
		}
	}
}

// inside returns the range of output positions u in [0, outputs) for which
// u·stride + shift lies in [0, size).
func inside(shift, stride, size, outputs int) (from, to int) {
	if shift < 0 {
		from = (-shift + stride - 1) / stride
	}
	if shift < size {
		to = (size-1-shift)/stride + 1
	}
	return from, min(to, outputs)
}
