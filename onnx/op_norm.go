package onnx

import (
	"math"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

func init() {
	register("BatchNormalization", 7, realOnly(lowerBatchNormalization))
	register("Softmax", 1, realOnly(lowerSoftmax))
}

// lowerBatchNormalization lowers inference: an affine map per channel, with the
// scale and the shift that the stored statistics give.
func lowerBatchNormalization(n *node) ([]value, error) {
	if err := n.arity(5, 5); err != nil {
		return nil, err
	}
	x := n.in[0]
	if len(x.shape) < 2 {
		return nil, n.malformedf("operand has shape %v, expected a batch axis and a channel axis", x.shape)
	}
	epsilon, err := n.floatAttr("epsilon", 1e-5)
	if err != nil {
		return nil, err
	}
	n.ignoreAttrs("momentum")
	training, err := n.boolAttr("training_mode", false)
	if err != nil {
		return nil, err
	}
	spatial, err := n.boolAttr("spatial", true)
	if err != nil {
		return nil, err
	}
	for i, out := range n.proto.Output {
		training = training || i > 0 && out != ""
	}
	switch {
	case training:
		return nil, n.unsupportedf("it is in training mode: export the model for inference")
	case !spatial:
		return nil, n.unsupportedf("its attribute \"spatial\" is 0")
	}
	channels := x.shape[1]
	var stats [4][]float64 // scale, B, mean, var
	for i, what := range []string{"scale", "bias", "mean", "variance"} {
		if stats[i], err = n.floats(i+1, what); err != nil {
			return nil, err
		}
		if !n.in[i+1].shape.Equal(tensor.Shape{channels}) {
			return nil, n.malformedf("%s has shape %v, expected [%d]", what, n.in[i+1].shape, channels)
		}
	}
	if err := n.budget.spendConst(2*channels, n.name); err != nil {
		return nil, err
	}
	shape := tensor.Shape{channels}
	for range len(x.shape) - 2 {
		shape = append(shape, 1)
	}
	scale := &Tensor{DType: Double, Shape: shape, Floats: make([]float64, channels)}
	shift := &Tensor{DType: Double, Shape: shape, Floats: make([]float64, channels)}
	for c := range channels {
		variance := stats[3][c] + epsilon
		if !(variance > 0) {
			return nil, n.malformedf("variance plus epsilon of channel %d is %v, expected a positive number", c, variance)
		}
		scale.Floats[c] = stats[0][c] / math.Sqrt(variance)
		shift.Floats[c] = stats[1][c] - float64(stats[2][c]*scale.Floats[c])
	}
	return one(n.affineOf(x, scale, shift))
}

// lowerSoftmax lowers the softmax over one axis; before version 13 it is over all
// axes from the given one on.
func lowerSoftmax(n *node) ([]value, error) {
	if err := n.arity(1, 1); err != nil {
		return nil, err
	}
	x := n.in[0]
	rank := len(x.shape)
	otherwise := int64(-1)
	if n.model.opset < 13 {
		otherwise = 1
	}
	a, err := n.intAttr("axis", otherwise)
	if err != nil {
		return nil, err
	}
	if x.shape.Size() == 0 {
		return nil, n.unsupportedf("its operand of shape %v has no elements", x.shape)
	}
	if n.model.opset < 13 {
		axis := rank
		if a != int64(rank) {
			if axis, err = n.axis(a, rank); err != nil {
				return nil, err
			}
		}
		flat, err := n.reshape(x, tensor.Shape{x.shape[:axis].Size(), x.shape[axis:].Size()})
		if err != nil {
			return nil, err
		}
		y, err := n.emit(graph.Softmax{}, flat.shape, x.dtype, flat)
		if err != nil {
			return nil, err
		}
		return one(n.reshape(y, x.shape))
	}
	axis, err := n.axis(a, rank)
	if err != nil {
		return nil, err
	}
	perm := swapLast(rank, axis)
	last, err := n.transpose(x, perm)
	if err != nil {
		return nil, err
	}
	y, err := n.emit(graph.Softmax{}, last.shape, x.dtype, last)
	if err != nil {
		return nil, err
	}
	return one(n.transpose(y, perm))
}

// swapLast is the permutation that exchanges an axis with the last.
func swapLast(rank, axis int) []int {
	perm := make([]int, rank)
	for k := range perm {
		perm[k] = k
	}
	perm[axis], perm[rank-1] = rank-1, axis
	return perm
}
