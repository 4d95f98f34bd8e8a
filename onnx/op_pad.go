package onnx

import "math"

func init() {
	register("Pad", 2, lowerPad)
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
