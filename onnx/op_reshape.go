package onnx

import (
	"slices"

	"github.com/zkml-go/zkml/tensor"
)

func init() {
	register("Reshape", 5, lowerReshape)
	register("Flatten", 1, lowerFlatten)
	register("Squeeze", 1, lowerSqueeze)
	register("Unsqueeze", 1, lowerUnsqueeze)
	register("Identity", 1, lowerIdentity)
	register("Dropout", 7, lowerDropout)
	register("Shape", 1, lowerShape)
	register("Size", 1, lowerSize)
	register("Cast", 6, lowerCast)
	register("CastLike", 15, lowerCastLike)
}

func lowerReshape(n *node) ([]value, error) {
	if err := n.arity(2, 2); err != nil {
		return nil, err
	}
	list, err := n.ints(1, "shape")
	if err != nil {
		return nil, err
	}
	keepZero, err := n.boolAttr("allowzero", false)
	if err != nil {
		return nil, err
	}
	if len(list) > maxRank {
		return nil, &LimitError{File: n.budget.file, Node: n.name, What: "axes in one tensor", Limit: maxRank}
	}
	x := n.in[0]
	shape := make(tensor.Shape, len(list))
	infer := -1
	for i, v := range list {
		switch {
		case v == -1 && infer < 0:
			infer = i
			shape[i] = 1
		case v < 0 || v > maxExtent:
			return nil, n.malformedf("shape %v has an impossible dimension", list)
		case v == 0 && !keepZero:
			if i >= len(x.shape) {
				return nil, n.malformedf("shape %v copies axis %d of an operand of shape %v", list, i, x.shape)
			}
			shape[i] = x.shape[i]
		default:
			shape[i] = int(v)
		}
	}
	if err := n.budget.checkShape(shape, n.name); err != nil {
		return nil, err
	}
	if infer >= 0 {
		rest := shape.Size()
		if rest == 0 || x.shape.Size()%rest != 0 {
			return nil, n.malformedf("an operand of shape %v doesn't fit shape %v", x.shape, list)
		}
		shape[infer] = x.shape.Size() / rest
	}
	return one(n.reshape(x, shape))
}

func lowerFlatten(n *node) ([]value, error) {
	if err := n.arity(1, 1); err != nil {
		return nil, err
	}
	x := n.in[0]
	a, err := n.intAttr("axis", 1)
	if err != nil {
		return nil, err
	}
	axis := len(x.shape)
	if a != int64(axis) {
		if axis, err = n.axis(a, len(x.shape)); err != nil {
			return nil, err
		}
	}
	return one(n.reshape(x, tensor.Shape{x.shape[:axis].Size(), x.shape[axis:].Size()}))
}

// movedAxes reads the axes of Squeeze and Unsqueeze: an attribute before version
// 13, an operand from then on; nil if absent.
func (n *node) movedAxes() ([]int64, error) {
	if n.model.opset < 13 {
		if err := n.arity(1, 1); err != nil {
			return nil, err
		}
		return n.intsAttr("axes")
	}
	if err := n.arity(1, 2); err != nil || !n.given(1) {
		return nil, err
	}
	return n.ints(1, "axes")
}

func lowerSqueeze(n *node) ([]value, error) {
	list, err := n.movedAxes()
	if err != nil {
		return nil, err
	}
	x := n.in[0]
	axes, err := n.axes(list, len(x.shape))
	if err != nil {
		return nil, err
	}
	shape := tensor.Shape{}
	for a, d := range x.shape {
		named := slices.Contains(axes, a)
		if named && d != 1 {
			return nil, n.malformedf("axis %d of shape %v is not 1", a, x.shape)
		}
		if !named && (list != nil || d != 1) {
			shape = append(shape, d)
		}
	}
	return one(n.reshape(x, shape))
}

func lowerUnsqueeze(n *node) ([]value, error) {
	list, err := n.movedAxes()
	if err != nil {
		return nil, err
	}
	if list == nil {
		return nil, n.malformedf("the axes are missing")
	}
	x := n.in[0]
	rank := len(x.shape) + len(list)
	if rank > maxRank {
		return nil, &LimitError{File: n.budget.file, Node: n.name, What: "axes in one tensor", Limit: maxRank}
	}
	axes, err := n.axes(list, rank)
	if err != nil {
		return nil, err
	}
	shape := tensor.Shape{}
	rest := x.shape
	for a := range rank {
		if slices.Contains(axes, a) {
			shape = append(shape, 1)
		} else {
			shape = append(shape, rest[0])
			rest = rest[1:]
		}
	}
	return one(n.reshape(x, shape))
}

func lowerIdentity(n *node) ([]value, error) {
	if err := n.arity(1, 1); err != nil {
		return nil, err
	}
	return one(n.in[0], nil)
}

// lowerDropout lowers inference, where nothing is dropped; the mask is all true.
func lowerDropout(n *node) ([]value, error) {
	if err := n.arity(1, 3); err != nil {
		return nil, err
	}
	n.ignoreAttrs("ratio", "seed")
	if n.given(2) {
		training, err := n.ints(2, "training mode")
		if err != nil {
			return nil, err
		}
		ratio := []float64{0.5}
		if n.given(1) {
			if ratio, err = n.floats(1, "ratio"); err != nil {
				return nil, err
			}
		}
		if !(len(training) == 1 && training[0] == 0) && !allEqual(ratio, 0) {
			return nil, n.unsupportedf("it is in training mode: export the model for inference")
		}
	}
	x := n.in[0]
	if len(n.proto.Output) < 2 || n.proto.Output[1] == "" {
		return []value{x, {}}, nil
	}
	if err := n.budget.spendConst(x.shape.Size(), n.name); err != nil {
		return nil, err
	}
	mask := &Tensor{DType: Bool, Shape: x.shape.Clone(), Ints: make([]int64, x.shape.Size())}
	for i := range mask.Ints {
		mask.Ints[i] = 1
	}
	if n.model.opset < 10 { // the mask has the operand's type
		m, err := n.cast(constant(mask), x.dtype)
		return []value{x, m}, err
	}
	return []value{x, constant(mask)}, nil
}

func lowerShape(n *node) ([]value, error) {
	if err := n.arity(1, 1); err != nil {
		return nil, err
	}
	shape := n.in[0].shape
	rank := int64(len(shape))
	start, err := n.intAttr("start", 0)
	if err != nil {
		return nil, err
	}
	end, err := n.intAttr("end", rank)
	if err != nil {
		return nil, err
	}
	clamp := func(a int64) int64 {
		if a < 0 {
			a += rank
		}
		return min(max(a, 0), rank)
	}
	start, end = clamp(start), clamp(end)
	dims := []int64{}
	for a := start; a < end; a++ {
		dims = append(dims, int64(shape[a]))
	}
	return one(intConstant(tensor.Shape{len(dims)}, dims...), nil)
}

func lowerSize(n *node) ([]value, error) {
	if err := n.arity(1, 1); err != nil {
		return nil, err
	}
	return one(intConstant(tensor.Shape{}, int64(n.in[0].shape.Size())), nil)
}

func lowerCast(n *node) ([]value, error) {
	if err := n.arity(1, 1); err != nil {
		return nil, err
	}
	n.ignoreAttrs("saturate", "round_mode") // only concern 8-bit floating point
	to, err := n.intAttr("to", 0)
	if err != nil {
		return nil, err
	}
	if to != int64(int32(to)) || !DType(to).Supported() {
		return nil, n.unsupportedf("it converts to %v", DType(to))
	}
	return one(n.castTo(DType(to)))
}

func lowerCastLike(n *node) ([]value, error) {
	if err := n.arity(2, 2); err != nil {
		return nil, err
	}
	n.ignoreAttrs("saturate", "round_mode")
	return one(n.castTo(n.in[1].dtype))
}

// castTo converts operand 0. A computed value keeps its real value, so it can't
// become an integer unless it is one, nor a type that may not hold it.
func (n *node) castTo(to DType) (value, error) {
	x := n.in[0]
	if x.constant() {
		return n.cast(x, to)
	}
	switch {
	case !to.Integer():
	case !x.dtype.Integer():
		return value{}, n.unsupportedf("it rounds a computed %v to %v", x.dtype, to)
	default:
		lo, hi := x.dtype.intRange()
		toLo, toHi := to.intRange()
		// Exporters narrow 64-bit indices and counts to 32 bits.
		if (toLo > lo || toHi < hi) && dtypeBits[to] < 32 {
			return value{}, n.unsupportedf("it narrows a computed %v to %v", x.dtype, to)
		}
	}
	x.dtype = to
	return x, nil
}
