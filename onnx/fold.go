package onnx

import (
	"math"

	"github.com/zkml-go/zkml/tensor"
)

// foldOne applies a function to each element of a constant, in integers if its
// type is one. The functions return false, or a NaN, where there is no result.
func (n *node) foldOne(x value, result DType, ints func(int64) (int64, bool), floats func(float64) float64) (value, error) {
	return n.foldPair(x, value{dtype: x.dtype, con: &Tensor{DType: x.dtype, Ints: []int64{0}, Floats: []float64{0}}}, result,
		func(a, _ int64) (int64, bool) {
			if ints == nil {
				return 0, false
			}
			return ints(a)
		},
		func(a, _ float64) float64 { return floats(a) })
}

// foldPair applies a function to two constants of one type with broadcasting.
// Integers wrap around as those of the result's type do.
func (n *node) foldPair(a, b value, result DType, ints func(x, y int64) (int64, bool), floats func(x, y float64) float64) (value, error) {
	shape, err := n.broadcastShape(a.shape, b.shape)
	if err != nil {
		return value{}, err
	}
	if err := n.budget.spendConst(shape.Size(), n.name); err != nil {
		return value{}, err
	}
	ia, err := n.indexOf(broadcastAxes(a.shape, shape))
	if err != nil {
		return value{}, err
	}
	ib, err := n.indexOf(broadcastAxes(b.shape, shape))
	if err != nil {
		return value{}, err
	}
	if !a.dtype.Integer() {
		x, y := a.con.Floats, b.con.Floats
		out := make([]float64, len(ia))
		for i := range out {
			out[i] = floats(x[ia[i]], y[ib[i]])
		}
		return n.constantOf(result, shape, out), nil
	}
	x, y := a.con.Ints, b.con.Ints
	t := &Tensor{DType: result, Shape: shape, Ints: make([]int64, len(ia))}
	for i := range t.Ints {
		v, ok := ints(x[ia[i]], y[ib[i]])
		if !ok {
			return value{}, n.malformedf("no result for the constant integers %d and %d", x[ia[i]], y[ib[i]])
		}
		t.Ints[i] = result.wrap(v)
	}
	return constant(t), nil
}

// wrap reduces v to the range of an integer type.
func (d DType) wrap(v int64) int64 {
	bits := dtypeBits[d]
	switch {
	case d == Bool:
		if v != 0 {
			return 1
		}
		return 0
	case bits == 64:
		return v
	}
	u := uint64(v) << (64 - bits)
	if d.signed() {
		return int64(u) >> (64 - bits)
	}
	return int64(u >> (64 - bits))
}

// cast converts a constant to another type as ONNX's Cast does: floating values
// are truncated towards zero.
func (n *node) cast(v value, to DType) (value, error) {
	if v.dtype == to {
		return v, nil
	}
	if err := n.budget.spendConst(v.shape.Size(), n.name); err != nil {
		return value{}, err
	}
	t := &Tensor{DType: to, Shape: v.shape.Clone()}
	switch {
	case !to.Integer():
		data := v.con.Float64s()
		t.Floats = make([]float64, len(data))
		for i, x := range data {
			t.Floats[i] = to.round(x)
		}
	case v.dtype.Integer():
		t.Ints = make([]int64, len(v.con.Ints))
		for i, x := range v.con.Ints {
			t.Ints[i] = to.wrap(x)
		}
	default:
		t.Ints = make([]int64, len(v.con.Floats))
		for i, x := range v.con.Floats {
			if to == Bool {
				if x != 0 {
					t.Ints[i] = 1
				}
				continue
			}
			lo, hi := to.intRange()
			x = math.Trunc(x)
			if !(x >= float64(lo) && x <= float64(hi)) {
				return value{}, n.malformedf("element %d = %v of a constant is outside of type %v", i, x, to)
			}
			if x == float64(hi) {
				t.Ints[i] = hi
				continue
			}
			t.Ints[i] = int64(x)
		}
	}
	return constant(t), nil
}

// intConstant makes a constant list or scalar of int64.
func intConstant(shape tensor.Shape, ints ...int64) value {
	if ints == nil {
		ints = []int64{}
	}
	return constant(&Tensor{DType: Int64, Shape: shape, Ints: ints})
}
