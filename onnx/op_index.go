package onnx

import (
	"math"

	"github.com/zkml-go/zkml/tensor"
)

func init() {
	register("Transpose", 1, lowerTranspose)
	register("Concat", 4, lowerConcat)
	register("Split", 2, lowerSplit)
	register("Expand", 8, lowerExpand)
	register("Tile", 6, lowerTile)
	register("Gather", 1, lowerGather)
}

func lowerTranspose(n *node) ([]value, error) {
	if err := n.arity(1, 1); err != nil {
		return nil, err
	}
	rank := len(n.in[0].shape)
	list, err := n.intsAttr("perm")
	if err != nil {
		return nil, err
	}
	perm := make([]int, rank)
	for k := range perm {
		perm[k] = rank - 1 - k
	}
	if list != nil {
		if sorted, err := n.axes(list, rank); err != nil || len(sorted) != rank {
			return nil, n.malformedf("attribute \"perm\" %v is not a permutation of %d axes", list, rank)
		}
		for k, a := range list {
			perm[k], _ = n.axis(a, rank)
		}
	}
	return one(n.transpose(n.in[0], perm))
}

func lowerConcat(n *node) ([]value, error) {
	if err := n.arity(1, math.MaxInt32); err != nil {
		return nil, err
	}
	if !n.hasAttr("axis") {
		return nil, n.malformedf("attribute \"axis\" is missing")
	}
	a, err := n.intAttr("axis", 0)
	if err != nil {
		return nil, err
	}
	first := n.in[0]
	axis, err := n.axis(a, len(first.shape))
	if err != nil {
		return nil, err
	}
	shape := first.shape.Clone()
	shape[axis] = 0
	for i, v := range n.in {
		if !n.has[i] || v.dtype != first.dtype || len(v.shape) != len(shape) {
			return nil, n.malformedf("operand %d doesn't fit operand 0 in type or number of axes", i)
		}
		for k, d := range v.shape {
			if k != axis && d != shape[k] {
				return nil, n.malformedf("operand %d of shape %v doesn't fit operand 0 of shape %v", i, v.shape, first.shape)
			}
		}
		shape[axis] += v.shape[axis]
		if err := n.budget.checkShape(shape, n.name); err != nil {
			return nil, err
		}
	}
	if err := n.budget.spendRewire(shape.Size(), n.name); err != nil {
		return nil, err
	}
	// Each operand with elements contributes runs, one for each outer position.
	type run struct{ base, length int }
	var runs []run
	base := 0
	for _, v := range n.in {
		if v.shape.Size() > 0 {
			runs = append(runs, run{base, v.shape[axis:].Size()})
			base += v.shape.Size()
		}
	}
	index := make([]int32, 0, shape.Size())
	for o := 0; o < shape[:axis].Size() && len(runs) > 0; o++ {
		for _, r := range runs {
			for j := range r.length {
				index = append(index, int32(r.base+o*r.length+j))
			}
		}
	}
	return one(n.rewire(shape, index, 0, n.in...))
}

// part is the range [from, from+size) of an axis.
func (n *node) part(x value, axis, from, size int) (value, error) {
	axes := identityAxes(x.shape)
	stride := x.shape.Strides()[axis]
	axes[axis] = axisMap{size, func(i int) int { return (from + i) * stride }}
	return n.view(x, axes, 0)
}

func lowerSplit(n *node) ([]value, error) {
	if err := n.arity(1, 2); err != nil {
		return nil, err
	}
	x := n.in[0]
	a, err := n.intAttr("axis", 0)
	if err != nil {
		return nil, err
	}
	axis, err := n.axis(a, len(x.shape))
	if err != nil {
		return nil, err
	}
	sizes, err := n.splitSizes(x.shape[axis])
	if err != nil {
		return nil, err
	}
	var out []value
	from := 0
	for _, size := range sizes {
		if from+size > x.shape[axis] {
			return nil, n.malformedf("parts of sizes %v don't fit an axis of %d", sizes, x.shape[axis])
		}
		v, err := n.part(x, axis, from, size)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		from += size
	}
	if from != x.shape[axis] {
		return nil, n.malformedf("parts of sizes %v don't fill an axis of %d", sizes, x.shape[axis])
	}
	return out, nil
}

func (n *node) splitSizes(length int) ([]int, error) {
	var list []int64
	var err error
	if n.model.opset < 13 {
		list, err = n.intsAttr("split")
	} else if n.given(1) {
		list, err = n.ints(1, "part sizes")
	}
	if err != nil {
		return nil, err
	}
	if list != nil {
		if len(list) < len(n.proto.Output) {
			return nil, n.malformedf("%d part sizes for %d results", len(list), len(n.proto.Output))
		}
		out := make([]int, len(list))
		for i, v := range list {
			if v < 0 || v > int64(length) {
				return nil, n.malformedf("part size %d doesn't fit an axis of %d", v, length)
			}
			out[i] = int(v)
		}
		return out, nil
	}
	parts := len(n.proto.Output)
	if n.hasAttr("num_outputs") {
		said, err := n.intAttr("num_outputs", 0)
		if err != nil {
			return nil, err
		}
		if said != int64(parts) {
			return nil, n.malformedf("attribute \"num_outputs\" is %d, the node has %d results", said, parts)
		}
	} else if parts == 0 || length%parts != 0 {
		return nil, n.malformedf("an axis of %d doesn't divide into %d equal parts", length, parts)
	}
	size := (length + parts - 1) / parts
	out := make([]int, parts)
	for i := range out {
		out[i] = min(size, length-min(length, i*size))
	}
	return out, nil
}

func lowerExpand(n *node) ([]value, error) {
	if err := n.arity(2, 2); err != nil {
		return nil, err
	}
	list, err := n.ints(1, "shape")
	if err != nil {
		return nil, err
	}
	dims, err := n.sizes(list, "a dimension")
	if err != nil {
		return nil, err
	}
	shape, err := n.broadcastShape(n.in[0].shape, dims)
	if err != nil {
		return nil, err
	}
	return one(n.broadcast(n.in[0], shape))
}

func lowerTile(n *node) ([]value, error) {
	if err := n.arity(2, 2); err != nil {
		return nil, err
	}
	x := n.in[0]
	list, err := n.ints(1, "repeats")
	if err != nil {
		return nil, err
	}
	repeats, err := n.sizes(list, "a repeat")
	if err != nil {
		return nil, err
	}
	if len(repeats) != len(x.shape) {
		return nil, n.malformedf("%d repeats for %d axes", len(repeats), len(x.shape))
	}
	axes := make([]axisMap, len(repeats))
	for k, stride := range x.shape.Strides() {
		d := x.shape[k]
		axes[k] = axisMap{d * repeats[k], func(i int) int { return i % d * stride }}
	}
	return one(n.view(x, axes, 0))
}

func lowerGather(n *node) ([]value, error) {
	if err := n.arity(2, 2); err != nil {
		return nil, err
	}
	x, indices := n.in[0], n.in[1]
	a, err := n.intAttr("axis", 0)
	if err != nil {
		return nil, err
	}
	axis, err := n.axis(a, len(x.shape))
	if err != nil {
		return nil, err
	}
	if !indices.constant() {
		return nil, n.unsupportedf("its indices (%q) are not a constant", n.proto.Input[1])
	}
	if !indices.dtype.Integer() {
		return nil, n.malformedf("indices have type %v, expected integers", indices.dtype)
	}
	d := int64(x.shape[axis])
	for _, i := range indices.con.Ints {
		if i < -d || i >= d {
			return nil, n.malformedf("index %d is outside of an axis of %d", i, d)
		}
	}
	axes := identityAxes(x.shape)
	stride := axes[axis]
	axes[axis] = axisMap{len(indices.con.Ints), func(i int) int {
		j := indices.con.Ints[i]
		if j < 0 {
			j += d
		}
		return stride.at(int(j))
	}}
	y, err := n.view(x, axes, 0)
	if err != nil {
		return nil, err
	}
	shape := append(tensor.Shape{}, x.shape[:axis]...)
	shape = append(shape, indices.shape...)
	return one(n.reshape(y, append(shape, x.shape[axis+1:]...)))
}
