package onnx

func init() {
	register("Slice", 1, lowerSlice)
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
