package onnx

import (
	"math"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

// affine is y_i = scale·x_i + shift with scale and shift given per channel:
// element i has channel (i / inner) mod len(scale). Batch normalisation and
// addition of and multiplication by constants all become one; see simplify.go for
// what becomes of them.
type affine struct {
	inner        int
	scale, shift []float64
}

func (a *affine) channel(i int) int { return i / a.inner % len(a.scale) }

// uniform reports whether there is only one channel.
func (a *affine) uniform() bool { return len(a.scale) == 1 }

// span returns the smallest range of axes [from, to) outside of which nothing of
// shape s, broadcast to rank axes, varies.
func span(s tensor.Shape, rank int) (from, to int) {
	from, to = rank, rank
	for i, d := range s {
		if d != 1 {
			k := rank - len(s) + i
			if from == rank {
				from = k
			}
			to = k + 1
		}
	}
	return from, to
}

// affineOf makes an affine map of operands scale and shift, constants that
// broadcast to the shape of x; nil means 1 or 0.
func (n *node) affineOf(x value, scale, shift *Tensor) (value, error) {
	if x.shape.Size() == 0 {
		return x, nil
	}
	rank := len(x.shape)
	from, to := rank, rank
	for _, t := range []*Tensor{scale, shift} {
		if t == nil {
			continue
		}
		if f, u := span(t.Shape, rank); f < u {
			if from == to {
				from, to = f, u
			} else {
				from, to = min(from, f), max(to, u)
			}
		}
	}
	channels := x.shape[from:to]
	a := &affine{inner: x.shape[to:].Size()}
	var err error
	if a.scale, err = n.spread(scale, channels, rank-to, 1); err != nil {
		return value{}, err
	}
	if a.shift, err = n.spread(shift, channels, rank-to, 0); err != nil {
		return value{}, err
	}
	return n.emitAffine(x, a)
}

// spread broadcasts a constant to the channels, which are followed by skip axes
// along which it doesn't vary.
func (n *node) spread(t *Tensor, channels tensor.Shape, skip int, otherwise float64) ([]float64, error) {
	size := channels.Size()
	if err := n.budget.spendConst(size, n.name); err != nil {
		return nil, err
	}
	out := make([]float64, size)
	if t == nil {
		for i := range out {
			out[i] = otherwise
		}
		return out, nil
	}
	data := t.Float64s()
	shape := t.Shape
	if len(shape) > skip {
		shape = shape[:len(shape)-skip]
	} else {
		shape = nil
	}
	if len(shape) > len(channels) {
		shape = shape[len(shape)-len(channels):]
	}
	index, err := n.indexOf(broadcastAxes(shape, channels))
	if err != nil {
		return nil, err
	}
	for i, j := range index {
		out[i] = data[j]
	}
	return out, nil
}

// emitAffine adds an affine map to the graph.
func (n *node) emitAffine(x value, a *affine) (value, error) {
	if x.constant() {
		data := append([]float64(nil), x.con.Float64s()...)
		for i := range data {
			c := a.channel(i)
			data[i] = float64(a.scale[c]*data[i]) + a.shift[c]
		}
		if err := n.budget.spendConst(len(data), n.name); err != nil {
			return value{}, err
		}
		return n.constantOf(x.dtype, x.shape, data), nil
	}
	id, err := n.add(nil, x.shape, n.name, x.id)
	if err != nil {
		return value{}, err
	}
	n.drafts[id].affine = a
	return value{dtype: x.dtype, shape: x.shape, id: id}, nil
}

// scaleBy multiplies x by a number.
func (n *node) scaleBy(x value, factor float64) (value, error) {
	if factor == 1 || x.shape.Size() == 0 {
		return x, nil
	}
	return n.emitAffine(x, &affine{inner: 1, scale: []float64{factor}, shift: []float64{0}})
}

// then returns the map that applies a and then b to a tensor of size elements.
func (a *affine) then(b *affine, size int) *affine {
	c := a
	switch {
	case a.inner == b.inner && len(a.scale) == len(b.scale), b.uniform():
	case a.uniform():
		c = b
	default:
		c = &affine{inner: 1, scale: make([]float64, size)}
	}
	out := &affine{inner: c.inner, scale: make([]float64, len(c.scale)), shift: make([]float64, len(c.scale))}
	for k := range out.scale {
		i, j := a.channel(k*c.inner), b.channel(k*c.inner)
		out.scale[k] = float64(b.scale[j] * a.scale[i])
		out.shift[k] = float64(b.scale[j]*a.shift[i]) + b.shift[j]
	}
	return out
}

// intoLinear folds the map into a linear map of which it is the only reader,
// possibly through an index map: weights [O, …] and bias [O] of the result. It
// reports false if two elements of one output channel need different factors or
// offsets. index maps the affine map's elements to the linear map's, nil for the
// identity; shape is that of the linear map's result, [N, O, H, W].
func (a *affine) intoLinear(shape tensor.Shape, index []int32, weights, bias []float64) (w, b []float64, ok bool) {
	channels := shape[1]
	inner := shape[2] * shape[3]
	scale := make([]float64, channels)
	shift := make([]float64, channels)
	seen := make([]bool, channels)
	for o := range scale {
		scale[o] = 1
	}
	elements := shape.Size()
	if index != nil {
		elements = len(index)
	}
	for i := range elements {
		e := i
		if index != nil {
			e = int(index[i])
		}
		if e < 0 {
			return nil, nil, false
		}
		o, c := e/inner%channels, a.channel(i)
		if !seen[o] {
			seen[o], scale[o], shift[o] = true, a.scale[c], a.shift[c]
		} else if scale[o] != a.scale[c] || shift[o] != a.shift[c] {
			return nil, nil, false
		}
	}
	w, b = make([]float64, len(weights)), make([]float64, channels)
	per := len(weights) / channels
	for o := range channels {
		for k := range per {
			w[o*per+k] = float64(weights[o*per+k] * scale[o])
		}
		b[o] = shift[o]
		if bias != nil {
			b[o] = float64(bias[o]*scale[o]) + shift[o]
		}
	}
	return w, b, true
}

// maxSpread bounds the ratio of the factors of different channels that are folded
// into the linear map after them. Weights of one output share a scale when they
// are quantized, so that a wide spread would cost them precision.
const maxSpread = 16

// perChannel returns the factor and the offset of each channel of a tensor of
// shape [N, C, H, W] that index map r takes from the affine map's result. It
// reports false if two elements of a channel differ, or if the factors spread
// too far.
func (a *affine) perChannel(shape tensor.Shape, r graph.Rewire) (scale, shift []float64, ok bool) {
	channels, inner := shape[1], shape[2]*shape[3]
	scale, shift = make([]float64, channels), make([]float64, channels)
	seen := make([]bool, channels)
	for i := range shape.Size() {
		e := i
		if r.Index != nil {
			e = int(r.Index[i])
		}
		c := i / inner % channels
		if e < 0 {
			if r.Fill != 0 || !allEqual(a.shift, 0) {
				return nil, nil, false
			}
			continue
		}
		k := a.channel(e)
		if !seen[c] {
			seen[c], scale[c], shift[c] = true, a.scale[k], a.shift[k]
		} else if scale[c] != a.scale[k] || shift[c] != a.shift[k] {
			return nil, nil, false
		}
	}
	least, most := math.Inf(1), 0.0
	for c, v := range scale {
		if seen[c] {
			least, most = min(least, math.Abs(v)), max(most, math.Abs(v))
		}
	}
	return scale, shift, least > 0 && most <= maxSpread*least
}

// scaleInputs returns the weights [O, C/groups, …] and the bias of a linear map
// that first scales and shifts its input channels.
func scaleInputs(weights, bias []float64, shape tensor.Shape, groups int, scale, shift []float64) (w, b []float64) {
	outputs, perGroup, taps := shape[0], shape[1], shape[2]*shape[3]
	w, b = make([]float64, len(weights)), make([]float64, outputs)
	copy(b, bias)
	for o := range outputs {
		first := o / (outputs / groups) * perGroup // input channel of weight 0
		for k := range perGroup * taps {
			i, c := o*perGroup*taps+k, first+k/taps
			w[i] = float64(weights[i] * scale[c])
			b[o] += float64(weights[i] * shift[c])
		}
	}
	return w, b
}

// simplified drops channels that are all alike.
func (a *affine) simplified() *affine {
	for k := range a.scale {
		if a.scale[k] != a.scale[0] || a.shift[k] != a.shift[0] {
			return a
		}
	}
	return &affine{inner: 1, scale: a.scale[:1], shift: a.shift[:1]}
}

// allEqual reports whether every element is v.
func allEqual(list []float64, v float64) bool {
	for _, x := range list {
		if x != v {
			return false
		}
	}
	return true
}
