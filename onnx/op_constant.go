package onnx

import (
	"math"

	"github.com/zkml-go/zkml/internal/exactmath"
	"github.com/zkml-go/zkml/internal/onnxpb"
	"github.com/zkml-go/zkml/tensor"
)

func init() {
	register("Constant", 1, lowerConstant)
	register("ConstantOfShape", 9, lowerConstantOfShape)
	register("Range", 11, lowerRange)
	register("Where", 9, lowerWhere)
	registerComparison("Equal", func(x, y int64) bool { return x == y }, func(x, y float64) bool { return x == y })
	registerComparison("Less", func(x, y int64) bool { return x < y }, func(x, y float64) bool { return x < y })
	registerComparison("LessOrEqual", func(x, y int64) bool { return x <= y }, func(x, y float64) bool { return x <= y })
	registerComparison("Greater", func(x, y int64) bool { return x > y }, func(x, y float64) bool { return x > y })
	registerComparison("GreaterOrEqual", func(x, y int64) bool { return x >= y }, func(x, y float64) bool { return x >= y })
	registerComparison("And", func(x, y int64) bool { return x&y != 0 }, nil)
	registerComparison("Or", func(x, y int64) bool { return x|y != 0 }, nil)
	registerComparison("Xor", func(x, y int64) bool { return x != y }, nil)
	registerConstant("Not", func(x int64) (int64, bool) { return 1 - x, true }, nil)
	registerConstant("Floor", nil, math.Floor)
	registerConstant("Ceil", nil, math.Ceil)
	registerConstant("Round", nil, math.RoundToEven)
	registerConstant("Sqrt", nil, math.Sqrt)
	registerConstant("Log", nil, exactmath.Log)
	registerConstant("Sign", func(x int64) (int64, bool) { return int64(sign(float64(x))), true }, sign)
	register("Mod", 10, lowerMod)
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// registerConstant adds a function of one operand that is only computed on
// constants; a nil function has no meaning for that kind of type.
func registerConstant(opType string, ints func(int64) (int64, bool), floats func(float64) float64) {
	register(opType, 1, func(n *node) ([]value, error) {
		if err := n.arity(1, 1); err != nil {
			return nil, err
		}
		x := n.in[0]
		if !x.constant() {
			return nil, n.unsupportedf("its operand is not a constant")
		}
		if x.dtype.Integer() && ints == nil || !x.dtype.Integer() && floats == nil {
			return nil, n.malformedf("operand has type %v", x.dtype)
		}
		return one(n.foldOne(x, x.dtype, ints, floats))
	})
}

// registerComparison adds a relation that is only computed on constants.
func registerComparison(opType string, ints func(x, y int64) bool, floats func(x, y float64) bool) {
	truth := func(b bool) int64 {
		if b {
			return 1
		}
		return 0
	}
	register(opType, 1, func(n *node) ([]value, error) {
		a, b, err := n.pair()
		if err != nil {
			return nil, err
		}
		if !a.constant() || !b.constant() {
			return nil, n.unsupportedf("its operands are not constants")
		}
		if !a.dtype.Integer() && floats == nil {
			return nil, n.malformedf("operands have type %v", a.dtype)
		}
		return one(n.foldPair(a, b, Bool,
			func(x, y int64) (int64, bool) { return truth(ints(x, y)), true },
			func(x, y float64) float64 { return float64(truth(floats(x, y))) }))
	})
}

func lowerMod(n *node) ([]value, error) {
	a, b, err := n.pair()
	if err != nil {
		return nil, err
	}
	if !a.constant() || !b.constant() {
		return nil, n.unsupportedf("its operands are not constants")
	}
	truncated, err := n.boolAttr("fmod", false)
	if err != nil {
		return nil, err
	}
	return one(n.foldPair(a, b, a.dtype, func(x, y int64) (int64, bool) {
		if y == 0 {
			return 0, false
		}
		m := x % y
		if !truncated && m != 0 && (m < 0) != (y < 0) {
			m += y
		}
		return m, true
	}, math.Mod))
}

// lowerConstant reads the one of Constant's attributes that is there.
func lowerConstant(n *node) ([]value, error) {
	if err := n.arity(0, 0); err != nil {
		return nil, err
	}
	if len(n.attrs.order) != 1 {
		return nil, n.malformedf("%d attributes, expected one", len(n.attrs.order))
	}
	switch name := n.attrs.order[0]; name {
	case "value":
		a, err := n.attr(name, onnxpb.AttributeProto_TENSOR)
		if err != nil {
			return nil, err
		}
		if a.GetT() == nil {
			return nil, n.malformedf("attribute \"value\" has no tensor")
		}
		t, err := decodeTensor(a.GetT(), n.budget, n.model.external)
		if err != nil {
			return nil, err
		}
		return one(constant(t), nil)
	case "value_int":
		v, err := n.intAttr(name, 0)
		return one(intConstant(tensor.Shape{}, v), err)
	case "value_ints":
		v, err := n.intsAttr(name)
		return one(intConstant(tensor.Shape{len(v)}, v...), err)
	case "value_float":
		v, err := n.floatAttr(name, 0)
		return one(constant(&Tensor{DType: Float, Shape: tensor.Shape{}, Floats: []float64{v}}), err)
	case "value_floats":
		a, err := n.attr(name, onnxpb.AttributeProto_FLOATS)
		if err != nil {
			return nil, err
		}
		t := &Tensor{DType: Float, Shape: tensor.Shape{len(a.Floats)}, Floats: make([]float64, len(a.Floats))}
		for i, v := range a.Floats {
			t.Floats[i] = float64(v)
		}
		return one(constant(t), n.budget.spendConst(len(a.Floats), n.name))
	default:
		return nil, n.unsupportedf("its attribute %q is not supported", name)
	}
}

func lowerConstantOfShape(n *node) ([]value, error) {
	if err := n.arity(1, 1); err != nil {
		return nil, err
	}
	list, err := n.ints(0, "shape")
	if err != nil {
		return nil, err
	}
	dims, err := n.sizes(list, "a dimension")
	if err != nil {
		return nil, err
	}
	fill := &Tensor{DType: Float, Shape: tensor.Shape{}, Floats: []float64{0}}
	a, err := n.attr("value", onnxpb.AttributeProto_TENSOR)
	if err != nil {
		return nil, err
	}
	if a != nil {
		if a.GetT() == nil {
			return nil, n.malformedf("attribute \"value\" has no tensor")
		}
		if fill, err = decodeTensor(a.GetT(), n.budget, n.model.external); err != nil {
			return nil, err
		}
		if fill.Shape.Size() != 1 {
			return nil, n.malformedf("attribute \"value\" has shape %v, expected one element", fill.Shape)
		}
	}
	scalar := *fill
	scalar.Shape = tensor.Shape{}
	return one(n.view(constant(&scalar), broadcastAxes(tensor.Shape{}, dims), 0))
}

func lowerRange(n *node) ([]value, error) {
	if err := n.arity(3, 3); err != nil {
		return nil, err
	}
	for _, v := range n.in {
		if !v.constant() {
			return nil, n.unsupportedf("its operands are not constants")
		}
		if v.shape.Size() != 1 || v.dtype != n.in[0].dtype {
			return nil, n.malformedf("operands must be three numbers of one type")
		}
	}
	dtype := n.in[0].dtype
	start, limit, delta := n.in[0].con.Float64s()[0], n.in[1].con.Float64s()[0], n.in[2].con.Float64s()[0]
	count := math.Ceil((limit - start) / delta)
	if math.IsNaN(count) || delta == 0 || count > float64(n.budget.limits.ConstElements) {
		return nil, n.malformedf("a range from %v to %v in steps of %v", start, limit, delta)
	}
	size := int(max(count, 0))
	if err := n.budget.spendConst(size, n.name); err != nil {
		return nil, err
	}
	t := &Tensor{DType: dtype, Shape: tensor.Shape{size}}
	if dtype.Integer() {
		from, step := n.in[0].con.Ints[0], n.in[2].con.Ints[0]
		t.Ints = make([]int64, size)
		for i := range t.Ints {
			t.Ints[i] = from + int64(i)*step
		}
	} else {
		t.Floats = make([]float64, size)
		for i := range t.Floats {
			t.Floats[i] = dtype.round(start + float64(float64(i)*delta))
		}
	}
	return one(constant(t), nil)
}

// lowerWhere chooses by a constant condition: an index map over both operands.
func lowerWhere(n *node) ([]value, error) {
	if err := n.arity(3, 3); err != nil {
		return nil, err
	}
	cond, a, b := n.in[0], n.in[1], n.in[2]
	if !cond.constant() {
		return nil, n.unsupportedf("its condition (%q) is not a constant", n.proto.Input[0])
	}
	if !cond.dtype.Integer() || a.dtype != b.dtype {
		return nil, n.malformedf("operands have types %v, %v and %v", cond.dtype, a.dtype, b.dtype)
	}
	shape, err := n.broadcastShape(cond.shape, a.shape, b.shape)
	if err != nil {
		return nil, err
	}
	var maps [3][]int32
	for i, v := range n.in {
		if maps[i], err = n.indexOf(broadcastAxes(v.shape, shape)); err != nil {
			return nil, err
		}
	}
	index := maps[0]
	for i, c := range index {
		if cond.con.Ints[c] != 0 {
			index[i] = maps[1][i]
		} else {
			index[i] = int32(a.shape.Size()) + maps[2][i]
		}
	}
	return one(n.rewire(shape, index, 0, a, b))
}
