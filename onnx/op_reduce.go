package onnx

import (
	"slices"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

func init() {
	register("ReduceSum", 1, func(n *node) ([]value, error) {
		return n.lowerReduce(13, func(x value) (value, error) { return n.sumLast(x, 1) })
	})
	register("ReduceMean", 1, func(n *node) ([]value, error) {
		return n.lowerReduce(18, func(x value) (value, error) {
			if x.dtype.Integer() {
				return value{}, n.unsupportedf("it is a mean of integers")
			}
			return n.sumLast(x, 1/float64(x.shape[len(x.shape)-1]))
		})
	})
	register("ReduceMax", 1, func(n *node) ([]value, error) {
		return n.lowerReduce(18, func(x value) (value, error) { return n.maxLast(x, 1) })
	})
	register("ReduceMin", 1, func(n *node) ([]value, error) {
		return n.lowerReduce(18, func(x value) (value, error) { return n.maxLast(x, -1) })
	})
	register("ReduceSumSquare", 1, func(n *node) ([]value, error) {
		return n.lowerReduce(18, func(x value) (value, error) {
			square, err := n.mul2(x, x)
			if err != nil {
				return value{}, err
			}
			return n.sumLast(square, 1)
		})
	})
	register("ReduceProd", 1, func(n *node) ([]value, error) { return n.lowerReduce(18, n.productLast) })
	register("ArgMax", 1, func(n *node) ([]value, error) { return lowerArgMax(n, 1) })
	register("ArgMin", 1, func(n *node) ([]value, error) { return lowerArgMax(n, -1) })
}

// reduceAxes reads the axes of a reduction, which are an operand from version
// operandSince on and an attribute before. all axes are meant if there are none,
// unless noop_with_empty_axes says that nothing is reduced.
func (n *node) reduceAxes(operandSince int) (axes []int, keep bool, err error) {
	if err := n.arity(1, 2); err != nil {
		return nil, false, err
	}
	rank := len(n.in[0].shape)
	if keep, err = n.boolAttr("keepdims", true); err != nil {
		return nil, false, err
	}
	noop, err := n.boolAttr("noop_with_empty_axes", false)
	if err != nil {
		return nil, false, err
	}
	var list []int64
	if n.model.opset < operandSince {
		list, err = n.intsAttr("axes")
	} else if n.given(1) {
		list, err = n.ints(1, "axes")
	}
	if err != nil {
		return nil, false, err
	}
	if len(list) == 0 {
		if noop {
			return nil, keep, nil
		}
		for a := range rank {
			axes = append(axes, a)
		}
		return axes, keep, nil
	}
	axes, err = n.axes(list, rank)
	return axes, keep, err
}

// lowerReduce brings the axes to reduce to the end, as one, and calls reduce,
// which drops that axis.
func (n *node) lowerReduce(operandSince int, reduce func(x value) (value, error)) ([]value, error) {
	axes, keep, err := n.reduceAxes(operandSince)
	if err != nil {
		return nil, err
	}
	x := n.in[0]
	if axes == nil && len(x.shape) > 0 {
		return one(x, nil) // noop_with_empty_axes
	}
	var kept, shape, dropped tensor.Shape
	var perm []int
	for a, d := range x.shape {
		if slices.Contains(axes, a) {
			shape = append(shape, 1)
			continue
		}
		perm = append(perm, a)
		kept = append(kept, d)
		dropped = append(dropped, d)
		shape = append(shape, d)
	}
	perm = append(perm, axes...)
	if !keep {
		shape = dropped
	}
	if x.shape.Size() == 0 {
		return nil, n.unsupportedf("its operand of shape %v has no elements", x.shape)
	}
	last, err := n.transpose(x, perm)
	if err != nil {
		return nil, err
	}
	if last, err = n.reshape(last, append(kept.Clone(), x.shape.Size()/kept.Size())); err != nil {
		return nil, err
	}
	y, err := reduce(last)
	if err != nil {
		return nil, err
	}
	return one(n.reshape(y, shape))
}

// maxLast is the maximum over the last axis, or for sign -1 the minimum.
func (n *node) maxLast(x value, sign float64) (value, error) {
	if len(x.shape) > 0 && x.shape[len(x.shape)-1] == 1 {
		return n.reshape(x, x.shape[:len(x.shape)-1])
	}
	x, err := n.scaleBy(x, sign)
	if err != nil {
		return value{}, err
	}
	y, err := n.emit(graph.Max{}, x.shape[:len(x.shape)-1], x.dtype, x)
	if err != nil {
		return value{}, err
	}
	return n.scaleBy(y, sign)
}

// productLast is the product over the last axis: exact for constants, as in the
// sizes of shapes, else a chain of products of at most maxPower factors.
func (n *node) productLast(x value) (value, error) {
	rank := len(x.shape)
	width := x.shape[rank-1]
	if x.constant() && x.dtype.Integer() {
		out := &Tensor{DType: x.dtype, Shape: x.shape[:rank-1].Clone()}
		for i := range out.Shape.Size() {
			p := int64(1)
			for _, v := range x.con.Ints[i*width : (i+1)*width] {
				p = x.dtype.wrap(p * v)
			}
			out.Ints = append(out.Ints, p)
		}
		return constant(out), nil
	}
	if width > maxPower {
		return value{}, n.unsupportedf("it is a product of %d factors, at most %d are supported", width, maxPower)
	}
	var y value
	for k := range width {
		factor, err := n.part(x, rank-1, k, 1)
		if err != nil {
			return value{}, err
		}
		if k == 0 {
			y = factor
		} else if y, err = n.mul2(y, factor); err != nil {
			return value{}, err
		}
	}
	return n.reshape(y, x.shape[:rank-1])
}

// lowerArgMax lowers the index of the largest element, or for sign -1 of the
// smallest.
func lowerArgMax(n *node, sign float64) ([]value, error) {
	if err := n.arity(1, 1); err != nil {
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
	keep, err := n.boolAttr("keepdims", true)
	if err != nil {
		return nil, err
	}
	last, err := n.boolAttr("select_last_index", false)
	if err != nil {
		return nil, err
	}
	if x.shape.Size() == 0 {
		return nil, n.unsupportedf("its operand of shape %v has no elements", x.shape)
	}
	var perm []int
	var shape tensor.Shape
	for k, d := range x.shape {
		if k != axis {
			perm = append(perm, k)
			shape = append(shape, d)
		} else if keep {
			shape = append(shape, 1)
		}
	}
	if x, err = n.scaleBy(x, sign); err != nil {
		return nil, err
	}
	t, err := n.transpose(x, append(perm, axis))
	if err != nil {
		return nil, err
	}
	y, err := n.emit(graph.ArgMax{Last: last}, t.shape[:len(t.shape)-1], Int64, t)
	if err != nil {
		return nil, err
	}
	return one(n.reshape(y, shape))
}
