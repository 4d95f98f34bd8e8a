package onnx

import (
	"math"

	"github.com/zkml-go/zkml/tensor"
)

func init() {
	register("Transpose", 1, lowerTranspose)
	register("Concat", 4, lowerConcat)
	register("Split", 2, lowerSplit)
	register("Slice", 1, lowerSlice)
	register("Pad", 2, lowerPad)
	register("Expand", 8, lowerExpand)
	register("Tile", 6, lowerTile)
	register("Gather", 1, lowerGather)
	register("DepthToSpace", 1, lowerDepthToSpace)
	register("SpaceToDepth", 1, lowerSpaceToDepth)
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
	index := make([]int32, 0, shape.Size())
	for o := 0; o < shape[:axis].Size() && shape.Size() > 0; o++ {
		base := 0
		for _, v := range n.in {
			run := v.shape[axis:].Size()
			for j := range run {
				index = append(index, int32(base+o*run+j))
			}
			base += v.shape.Size()
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

// lowerSlice reads starts, ends, axes and steps from attributes, up to version 9,
// or operands.
func lowerSlice(n *node) ([]value, error) {
	lists, err := n.sliceLists()
	if err != nil {
		return nil, err
	}
	starts, ends, axes, steps := lists[0], lists[1], lists[2], lists[3]
	x := n.in[0]
	rank := len(x.shape)
	if axes == nil {
		for a := range starts {
			axes = append(axes, int64(a))
		}
	}
	if len(ends) != len(starts) || len(axes) != len(starts) || steps != nil && len(steps) != len(starts) {
		return nil, n.malformedf("%d starts, %d ends, %d axes and %d steps", len(starts), len(ends), len(axes), len(steps))
	}
	if _, err := n.axes(axes, rank); err != nil {
		return nil, err
	}
	maps := identityAxes(x.shape)
	strides := x.shape.Strides()
	for i := range starts {
		a, _ := n.axis(axes[i], rank)
		step := int64(1)
		if steps != nil {
			step = steps[i]
		}
		if step == 0 {
			return nil, n.malformedf("a step is 0")
		}
		from, count := sliceRange(starts[i], ends[i], step, int64(x.shape[a]))
		stride := strides[a]
		maps[a] = axisMap{count, func(i int) int { return int(from+int64(i)*step) * stride }}
	}
	return one(n.view(x, maps, 0))
}

func (n *node) sliceLists() (lists [4][]int64, err error) {
	if n.model.opset < 10 {
		if err := n.arity(1, 1); err != nil {
			return lists, err
		}
		for i, name := range []string{"starts", "ends", "axes"} {
			if lists[i], err = n.intsAttr(name); err != nil {
				return lists, err
			}
		}
		return lists, nil
	}
	if err := n.arity(3, 5); err != nil {
		return lists, err
	}
	for i, what := range []string{"starts", "ends", "axes", "steps"} {
		if n.given(i + 1) {
			if lists[i], err = n.ints(i+1, what); err != nil {
				return lists, err
			}
		}
	}
	return lists, nil
}

// sliceRange is Python's slice on an axis of length d: the first position and
// the number of positions.
func sliceRange(start, end, step, d int64) (from int64, count int) {
	bound := func(v, lo, hi int64) int64 {
		if v < 0 {
			v += d // v is at least the smallest int64 and d is not negative
		}
		return min(max(v, lo), hi)
	}
	if step > 0 {
		from, end = bound(start, 0, d), bound(end, 0, d)
		if from >= end {
			return 0, 0
		}
		return from, int((end-from-1)/step) + 1
	}
	from, end = bound(start, -1, d-1), bound(end, -1, d-1)
	if from <= end {
		return 0, 0
	}
	// The distance is at most d; compare in a way that can't overflow for the
	// smallest step.
	if step < -d {
		return from, 1
	}
	return from, int((from-end-1)/-step) + 1
}

// lowerPad extends each axis at its ends, or with negative pads cuts it.
func lowerPad(n *node) ([]value, error) {
	pads, axes, fill, err := n.padOperands()
	if err != nil {
		return nil, err
	}
	x := n.in[0]
	mode, err := n.stringAttr("mode", "constant")
	if err != nil {
		return nil, err
	}
	if !x.constant() && (math.IsInf(fill, 0) || math.IsNaN(fill)) {
		return nil, n.unsupportedf("it pads with %v", fill)
	}
	begin, end, err := n.padding(pads, axes, len(x.shape))
	if err != nil {
		return nil, err
	}
	maps := make([]axisMap, len(x.shape))
	strides := x.shape.Strides()
	for k, d := range x.shape {
		if maps[k], err = n.padAxis(mode, d, strides[k], begin[k], end[k]); err != nil {
			return nil, err
		}
	}
	return one(n.view(x, maps, fill))
}

// padOperands reads pads, axes and the fill value from attributes, up to version
// 10, or operands.
func (n *node) padOperands() (pads, axes []int64, fill float64, err error) {
	if n.model.opset < 11 {
		if err = n.arity(1, 1); err != nil {
			return nil, nil, 0, err
		}
		if pads, err = n.intsAttr("pads"); err != nil {
			return nil, nil, 0, err
		}
		fill, err = n.floatAttr("value", 0)
		return pads, nil, fill, err
	}
	if err = n.arity(2, 4); err != nil {
		return nil, nil, 0, err
	}
	if pads, err = n.ints(1, "padding"); err != nil {
		return nil, nil, 0, err
	}
	if n.given(2) {
		v, err := n.floats(2, "fill value")
		if err != nil {
			return nil, nil, 0, err
		}
		if len(v) != 1 {
			return nil, nil, 0, n.malformedf("the fill value has %d elements, expected 1", len(v))
		}
		fill = v[0]
	}
	if n.given(3) {
		axes, err = n.ints(3, "axes")
	}
	return pads, axes, fill, err
}

// padding spreads the pads of the named axes over all of them.
func (n *node) padding(pads, axes []int64, rank int) (begin, end []int, err error) {
	if axes == nil {
		for a := range rank {
			axes = append(axes, int64(a))
		}
	}
	if len(pads) != 2*len(axes) {
		return nil, nil, n.malformedf("%d pads for %d axes", len(pads), len(axes))
	}
	if _, err := n.axes(axes, rank); err != nil {
		return nil, nil, err
	}
	begin, end = make([]int, rank), make([]int, rank)
	for i, a := range axes {
		k, _ := n.axis(a, rank)
		for side, to := range [][]int{begin, end} {
			v := pads[side*len(axes)+i]
			if v < -maxExtent || v > maxExtent {
				return nil, nil, n.malformedf("a pad is %d", v)
			}
			to[k] = int(v)
		}
	}
	return begin, end, nil
}

// padAxis maps a padded axis of length d.
func (n *node) padAxis(mode string, d, stride, begin, end int) (axisMap, error) {
	length := d + begin + end
	if length < 0 {
		return axisMap{}, n.malformedf("padding %d and %d leaves nothing of an axis of %d", begin, end, d)
	}
	if d == 0 && length > 0 && mode != "constant" {
		return axisMap{}, n.malformedf("mode %q on an axis without elements", mode)
	}
	var at func(i int) int
	switch mode {
	case "constant":
		at = func(i int) int {
			if i < 0 || i >= d {
				return -1
			}
			return i * stride
		}
	case "edge":
		at = func(i int) int { return min(max(i, 0), d-1) * stride }
	case "reflect":
		at = func(i int) int {
			if d == 1 {
				return 0
			}
			period := 2 * (d - 1)
			i = ((i % period) + period) % period
			return min(i, period-i) * stride
		}
	case "wrap":
		at = func(i int) int { return ((i%d + d) % d) * stride }
	default:
		return axisMap{}, n.unsupportedf("its mode is %q", mode)
	}
	return axisMap{length, func(i int) int { return at(i - begin) }}, nil
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

// blocks checks the operand of the operators between depth and space.
func (n *node) blocks() (x value, size int, err error) {
	if err := n.arity(1, 1); err != nil {
		return x, 0, err
	}
	x = n.in[0]
	b, err := n.intAttr("blocksize", 0)
	if err != nil {
		return x, 0, err
	}
	if len(x.shape) != 4 || b < 1 || b > 1<<12 {
		return x, 0, n.malformedf("operand of shape %v and block size %d, expected four axes and a size of at least 1", x.shape, b)
	}
	return x, int(b), nil
}

func lowerDepthToSpace(n *node) ([]value, error) {
	x, b, err := n.blocks()
	if err != nil {
		return nil, err
	}
	mode, err := n.stringAttr("mode", "DCR")
	if err != nil {
		return nil, err
	}
	s := x.shape
	if s[1]%(b*b) != 0 {
		return nil, n.malformedf("%d channels don't divide into blocks of %d", s[1], b*b)
	}
	split, perm := tensor.Shape{s[0], b, b, s[1] / (b * b), s[2], s[3]}, []int{0, 3, 4, 1, 5, 2}
	if mode == "CRD" {
		split, perm = tensor.Shape{s[0], s[1] / (b * b), b, b, s[2], s[3]}, []int{0, 1, 4, 2, 5, 3}
	} else if mode != "DCR" {
		return nil, n.malformedf("attribute \"mode\" is %q", mode)
	}
	return one(n.permute(x, split, perm, tensor.Shape{s[0], s[1] / (b * b), s[2] * b, s[3] * b}))
}

func lowerSpaceToDepth(n *node) ([]value, error) {
	x, b, err := n.blocks()
	if err != nil {
		return nil, err
	}
	s := x.shape
	if s[2]%b != 0 || s[3]%b != 0 {
		return nil, n.malformedf("spatial axes of shape %v don't divide by %d", s, b)
	}
	split := tensor.Shape{s[0], s[1], s[2] / b, b, s[3] / b, b}
	return one(n.permute(x, split, []int{0, 3, 5, 1, 2, 4}, tensor.Shape{s[0], s[1] * b * b, s[2] / b, s[3] / b}))
}

// permute reshapes, transposes and reshapes again.
func (n *node) permute(x value, split tensor.Shape, perm []int, result tensor.Shape) (value, error) {
	v, err := n.reshape(x, split)
	if err != nil {
		return value{}, err
	}
	if v, err = n.transpose(v, perm); err != nil {
		return value{}, err
	}
	return n.reshape(v, result)
}
