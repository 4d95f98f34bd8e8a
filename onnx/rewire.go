package onnx

import (
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

// axisMap says, for one axis of a result, which element of the operand its
// position i stands for: an offset that is added to those of the other axes, or
// -1 for the fill value.
type axisMap struct {
	size int
	at   func(i int) int
}

// regular is the axis with offsets 0, stride, 2·stride …
func regular(size, stride int) axisMap {
	return axisMap{size, func(i int) int { return i * stride }}
}

// identityAxes maps every axis of a tensor to itself.
func identityAxes(s tensor.Shape) []axisMap {
	axes := make([]axisMap, len(s))
	for k, stride := range s.Strides() {
		axes[k] = regular(s[k], stride)
	}
	return axes
}

// mapShape is the shape that the axes span.
func mapShape(axes []axisMap) tensor.Shape {
	s := make(tensor.Shape, len(axes))
	for k, a := range axes {
		s[k] = a.size
	}
	return s
}

// indexOf flattens the axes to an index map, row-major.
func (n *node) indexOf(axes []axisMap) ([]int32, error) {
	shape := mapShape(axes)
	if err := n.budget.checkShape(shape, n.name); err != nil {
		return nil, err
	}
	if err := n.budget.spendRewire(shape.Size(), n.name); err != nil {
		return nil, err
	}
	index := make([]int32, 1, shape.Size()+1)
	if shape.Size() == 0 {
		return []int32{}, nil
	}
	for _, a := range axes {
		next := make([]int32, 0, len(index)*a.size)
		offsets := make([]int32, a.size)
		for i := range offsets {
			offsets[i] = int32(a.at(i))
		}
		for _, base := range index {
			for _, o := range offsets {
				if base < 0 || o < 0 {
					next = append(next, -1)
				} else {
					next = append(next, base+o)
				}
			}
		}
		index = next
	}
	return index, nil
}

// view rearranges one tensor: the result has the shape that the axes span and
// the operand's elements that they point at, or fill.
func (n *node) view(x value, axes []axisMap, fill float64) (value, error) {
	index, err := n.indexOf(axes)
	if err != nil {
		return value{}, err
	}
	return n.rewire(mapShape(axes), index, fill, x)
}

// rewire applies an index map to operands of one type. Constants are rearranged
// at once, so that integers stay exact.
func (n *node) rewire(shape tensor.Shape, index []int32, fill float64, operands ...value) (value, error) {
	dtype := operands[0].dtype
	total := 0
	fold := true
	for _, v := range operands {
		fold = fold && v.constant()
		total += v.shape.Size()
		if total > maxExtent {
			return value{}, &LimitError{File: n.budget.file, Node: n.name, What: "elements of operands together", Limit: maxExtent}
		}
	}
	if !fold {
		return n.emit(graph.Rewire{Index: index, Fill: fill}, shape, dtype, operands...)
	}
	if err := n.budget.spendConst(shape.Size(), n.name); err != nil {
		return value{}, err
	}
	out := &Tensor{DType: dtype, Shape: shape.Clone()}
	if dtype.Integer() {
		out.Ints = gather(index, int64(fill), operands, func(t *Tensor) []int64 { return t.Ints })
	} else {
		out.Floats = gather(index, fill, operands, func(t *Tensor) []float64 { return t.Floats })
	}
	return constant(out), nil
}

func gather[T any](index []int32, fill T, operands []value, data func(*Tensor) []T) []T {
	all := data(operands[0].con)
	if len(operands) > 1 {
		all = nil
		for _, v := range operands {
			all = append(all, data(v.con)...)
		}
	}
	out := make([]T, len(index))
	for i, j := range index {
		if j < 0 {
			out[i] = fill
		} else {
			out[i] = all[j]
		}
	}
	return out
}

// reshape gives x another shape of as many elements.
func (n *node) reshape(x value, shape tensor.Shape) (value, error) {
	if err := n.budget.checkShape(shape, n.name); err != nil {
		return value{}, err
	}
	if shape.Size() != x.shape.Size() {
		return value{}, n.malformedf("%d elements of shape %v don't fit shape %v", x.shape.Size(), x.shape, shape)
	}
	if x.shape.Equal(shape) {
		return x, nil
	}
	if x.constant() {
		t := *x.con
		t.Shape = shape.Clone()
		return constant(&t), nil
	}
	return n.emit(graph.Rewire{}, shape, x.dtype, x)
}

// transpose permutes the axes: axis k of the result is axis perm[k] of x.
func (n *node) transpose(x value, perm []int) (value, error) {
	same := true
	axes := make([]axisMap, len(perm))
	strides := x.shape.Strides()
	for k, p := range perm {
		same = same && k == p
		axes[k] = regular(x.shape[p], strides[p])
	}
	if same {
		return x, nil
	}
	return n.view(x, axes, 0)
}

// broadcast repeats x along axes of size 1, and along new leading axes, as
// ONNX's multidirectional broadcasting does. The shape must fit.
func (n *node) broadcast(x value, shape tensor.Shape) (value, error) {
	if x.shape.Equal(shape) {
		return x, nil
	}
	if x.shape.Size() == shape.Size() {
		return n.reshape(x, shape)
	}
	return n.view(x, broadcastAxes(x.shape, shape), 0)
}

func broadcastAxes(from, to tensor.Shape) []axisMap {
	axes := make([]axisMap, len(to))
	strides := from.Strides()
	skip := len(to) - len(from)
	for k := range to {
		stride := 0
		if k >= skip && from[k-skip] != 1 {
			stride = strides[k-skip]
		}
		axes[k] = regular(to[k], stride)
	}
	return axes
}

// broadcastShape is the shape that tensors are broadcast to.
func (n *node) broadcastShape(shapes ...tensor.Shape) (tensor.Shape, error) {
	rank := 0
	for _, s := range shapes {
		rank = max(rank, len(s))
	}
	out := make(tensor.Shape, rank)
	for k := range out {
		out[k] = 1
	}
	for _, s := range shapes {
		for i, d := range s {
			k := rank - len(s) + i
			switch {
			case d == out[k] || d == 1:
			case out[k] == 1:
				out[k] = d
			default:
				return nil, n.malformedf("shapes %v don't fit together", shapes)
			}
		}
	}
	return out, n.budget.checkShape(out, n.name)
}
