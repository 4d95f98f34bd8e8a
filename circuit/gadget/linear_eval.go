package gadget

import (
	"math/big"

	"github.com/consensys/gnark/constraint/solver"
)

// lowInt64 returns the integer of least magnitude that is v modulo q. Where that is
// out of int64 — only a dishonest witness gets there — it returns the low bits:
// some value, which the constraints reject. v is in [0, q).
func lowInt64(v, q, scratch *big.Int) int64 {
	if v.IsInt64() {
		return v.Int64()
	}
	if scratch.Sub(v, q); scratch.IsInt64() {
		return scratch.Int64()
	}
	return int64(v.Uint64())
}

// hint returns the function that computes the result when the system is solved. Its
// inputs are the expressions of X, then those of the weights and of the bias where
// they are hidden. Sums wrap modulo 2^64, as for the integer interpreter: they don't
// for operands within their intervals.
func (l *layer) hint() solver.Hint {
	g, v, h := l.g, l.v, l.h
	fixedWeights, fixedBias := l.weights.Fixed, l.bias.Fixed
	sizes := [3]int{len(l.x.Exprs), len(l.weights.Exprs), len(l.bias.Exprs)}
	return func(q *big.Int, in, out []*big.Int) error {
		var scratch big.Int
		read := func(n int) []int64 {
			values := make([]int64, n)
			for i := range values {
				values[i] = lowInt64(in[i], q, &scratch)
			}
			in = in[n:]
			return values
		}
		x, weights, bias := read(sizes[0]), read(sizes[1]), read(sizes[2])
		if fixedWeights != nil {
			weights = fixedWeights
		}
		if fixedBias != nil {
			bias = fixedBias
		}
		y := make([]int64, len(out))
		g.apply(&v, &h, y, x, weights, bias)
		for i, value := range y {
			out[i].SetInt64(value)
		}
		return nil
	}
}

// apply computes the linear map into y; an empty bias is 0.
func (g *Geometry) apply(v, h *axis, y, x, weights, bias []int64) {
	channels, outputs := g.C/g.Groups, g.O/g.Groups
	area, taps := v.count*h.count, g.KH*g.KW
	for n := range g.N {
		for o := range g.O {
			plane := y[(n*g.O+o)*area:][:area]
			if len(bias) > 0 {
				for i := range plane {
					plane[i] = bias[o]
				}
			}
			for c := range channels {
				in := x[(n*g.C+o/outputs*channels+c)*g.H*g.W:][:g.H*g.W]
				kernel := weights[(o*channels+c)*taps:][:taps]
				if taps == 1 && area == 1 && len(in) == 1 {
					plane[0] += kernel[0] * in[0]
					continue
				}
				correlate(v, h, plane, in, kernel)
			}
		}
	}
}

// correlate adds the correlation of one plane with one kernel to another plane.
func correlate(v, h *axis, out, in, kernel []int64) {
	for j := range h.kernel {
		from, to := h.positions(j)
		if from >= to {
			continue
		}
		first := from*h.stride + j*h.dilation - h.before
		for i := range v.kernel {
			k := kernel[i*h.kernel+j]
			if k == 0 {
				continue
			}
			top, bottom := v.positions(i)
			for u := top; u < bottom; u++ {
				row := in[(u*v.stride+i*v.dilation-v.before)*h.size:][:h.size]
				line := out[u*h.count:][from:to]
				at := first
				for p := range line {
					line[p] += k * row[at]
					at += h.stride
				}
			}
		}
	}
}

// positions returns the result positions [from, to) at which kernel index t meets an
// element of the operand.
func (a *axis) positions(t int) (from, to int) {
	offset := t*a.dilation - a.before
	if offset < 0 {
		from = (-offset + a.stride - 1) / a.stride
	}
	if last := a.size - 1 - offset; last >= 0 {
		to = min(a.count, last/a.stride+1)
	}
	return min(from, to), to
}
