package onnx

import (
	"math"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

func init() {
	register("Relu", 6, func(n *node) ([]value, error) { return n.lowerUnary(graph.Unary{Func: graph.Relu}) })
	register("Abs", 6, func(n *node) ([]value, error) { return n.lowerUnary(graph.Unary{Func: graph.Abs}) })
	simple := func(opType string, since int, f graph.Func) {
		register(opType, since, realOnly(func(n *node) ([]value, error) { return n.lowerUnary(graph.Unary{Func: f}) }))
	}
	simple("Sigmoid", 6, graph.Sigmoid)
	simple("Tanh", 6, graph.Tanh)
	simple("Exp", 6, graph.Exp)
	simple("Softplus", 1, graph.Softplus)
	simple("HardSwish", 14, graph.HardSwish)
	simple("Erf", 9, graph.Erf)
	register("LeakyRelu", 6, realOnly(func(n *node) ([]value, error) {
		alpha, err := n.floatAttr("alpha", 0.01)
		if err != nil {
			return nil, err
		}
		return n.lowerUnary(graph.Unary{Func: graph.LeakyRelu, Alpha: alpha})
	}))
	register("Elu", 6, realOnly(func(n *node) ([]value, error) {
		alpha, err := n.floatAttr("alpha", 1)
		if err != nil {
			return nil, err
		}
		return n.lowerUnary(graph.Unary{Func: graph.Elu, Alpha: alpha})
	}))
	register("HardSigmoid", 6, realOnly(lowerHardSigmoid))
	register("Gelu", 20, realOnly(lowerGelu))
	register("Clip", 6, lowerClip)
	register("PRelu", 7, realOnly(lowerPRelu))
	register("Selu", 6, realOnly(lowerSelu))
	register("Celu", 12, realOnly(lowerCelu))
	register("Softsign", 1, realOnly(lowerSoftsign))
}

func (n *node) lowerUnary(f graph.Unary) ([]value, error) {
	if err := n.arity(1, 1); err != nil {
		return nil, err
	}
	return one(n.unary(f, n.in[0]))
}

func lowerHardSigmoid(n *node) ([]value, error) {
	alpha, err := n.floatAttr("alpha", 0.2)
	if err != nil {
		return nil, err
	}
	beta, err := n.floatAttr("beta", 0.5)
	if err != nil {
		return nil, err
	}
	return n.lowerUnary(graph.Unary{Func: graph.HardSigmoid, Alpha: alpha, Beta: beta})
}

func lowerGelu(n *node) ([]value, error) {
	kind, err := n.stringAttr("approximate", "none")
	if err != nil {
		return nil, err
	}
	switch kind {
	case "none":
		return n.lowerUnary(graph.Unary{Func: graph.Gelu})
	case "tanh":
		return n.lowerUnary(graph.Unary{Func: graph.GeluTanh})
	}
	return nil, n.malformedf("attribute \"approximate\" is %q, expected none or tanh", kind)
}

// lowerClip reads the bounds from attributes, up to version 10, or operands.
func lowerClip(n *node) ([]value, error) {
	if err := n.arity(1, 3); err != nil {
		return nil, err
	}
	lo, hi := math.Inf(-1), math.Inf(1)
	if n.model.opset < 11 {
		var err error
		if lo, err = n.floatAttr("min", lo); err != nil {
			return nil, err
		}
		if hi, err = n.floatAttr("max", hi); err != nil {
			return nil, err
		}
	}
	for i, bound := range []*float64{&lo, &hi} {
		if !n.given(i + 1) {
			continue
		}
		v, err := n.floats(i+1, "bound")
		if err != nil {
			return nil, err
		}
		if len(v) != 1 {
			return nil, n.malformedf("a bound has %d elements, expected 1", len(v))
		}
		*bound = v[0]
	}
	x := n.in[0]
	if x.dtype.Integer() && x.constant() {
		return one(n.foldOne(x, x.dtype, func(v int64) (int64, bool) {
			if float64(v) < lo {
				v = int64(lo)
			}
			if float64(v) > hi {
				v = int64(hi)
			}
			return v, true
		}, nil))
	}
	return one(n.clip(x, lo, hi))
}

// noBound is the magnitude from which exporters mean "unbounded".
const noBound = math.MaxFloat32

// clip is min(max(x, lo), hi).
func (n *node) clip(x value, lo, hi float64) (value, error) {
	if math.IsNaN(lo) || math.IsNaN(hi) {
		return value{}, n.malformedf("a bound is not a number")
	}
	if lo <= -noBound {
		lo = math.Inf(-1)
	}
	if hi >= noBound {
		hi = math.Inf(1)
	}
	switch {
	case lo > hi: // the upper bound wins
		lo = hi
	case math.IsInf(lo, -1) && math.IsInf(hi, 1):
		return x, nil
	case lo == 0 && math.IsInf(hi, 1):
		return n.unary(graph.Unary{Func: graph.Relu}, x)
	}
	if math.IsInf(lo, 1) || math.IsInf(hi, -1) {
		return value{}, n.malformedf("the bounds %v and %v leave no finite value", lo, hi)
	}
	return n.unary(graph.Unary{Func: graph.Clip, Alpha: lo, Beta: hi}, x)
}

// lowerPRelu lowers x if x >= 0 else slope·x. One slope is a LeakyRelu; more are
// slope·x + (1 - slope)·max(x, 0).
func lowerPRelu(n *node) ([]value, error) {
	if err := n.arity(2, 2); err != nil {
		return nil, err
	}
	x := n.in[0]
	slope, err := n.floats(1, "slope")
	if err != nil {
		return nil, err
	}
	shape, err := n.broadcastShape(x.shape, n.in[1].shape)
	if err != nil {
		return nil, err
	}
	if !shape.Equal(x.shape) {
		return nil, n.malformedf("a slope of shape %v doesn't fit an operand of shape %v", n.in[1].shape, x.shape)
	}
	if len(slope) > 0 && allEqual(slope, slope[0]) {
		return one(n.unary(graph.Unary{Func: graph.LeakyRelu, Alpha: slope[0]}, x))
	}
	rest := &Tensor{DType: Double, Shape: n.in[1].shape, Floats: make([]float64, len(slope))}
	for i, v := range slope {
		rest.Floats[i] = 1 - v
	}
	positive, err := n.unary(graph.Unary{Func: graph.Relu}, x)
	if err != nil {
		return nil, err
	}
	if positive, err = n.affineOf(positive, rest, nil); err != nil {
		return nil, err
	}
	sloped, err := n.affineOf(x, n.in[1].con, nil)
	if err != nil {
		return nil, err
	}
	return one(n.emit(graph.Add{Coeffs: []int{1, 1}}, shape, x.dtype, sloped, positive))
}

// lowerSelu lowers gamma·elu(x).
func lowerSelu(n *node) ([]value, error) {
	if err := n.arity(1, 1); err != nil {
		return nil, err
	}
	alpha, err := n.floatAttr("alpha", 1.67326319217681884765625)
	if err != nil {
		return nil, err
	}
	gamma, err := n.floatAttr("gamma", 1.05070102214813232421875)
	if err != nil {
		return nil, err
	}
	y, err := n.unary(graph.Unary{Func: graph.Elu, Alpha: alpha}, n.in[0])
	if err != nil {
		return nil, err
	}
	return one(n.scaleBy(y, gamma))
}

// lowerCelu lowers alpha·elu(x/alpha) with elu's own parameter 1.
func lowerCelu(n *node) ([]value, error) {
	if err := n.arity(1, 1); err != nil {
		return nil, err
	}
	alpha, err := n.floatAttr("alpha", 1)
	if err != nil {
		return nil, err
	}
	if !(alpha > 0) {
		return nil, n.malformedf("attribute \"alpha\" is %v, expected a positive number", alpha)
	}
	x, err := n.scaleBy(n.in[0], 1/alpha)
	if err != nil {
		return nil, err
	}
	y, err := n.unary(graph.Unary{Func: graph.Elu, Alpha: 1}, x)
	if err != nil {
		return nil, err
	}
	return one(n.scaleBy(y, alpha))
}

// lowerSoftsign lowers x / (1 + |x|).
func lowerSoftsign(n *node) ([]value, error) {
	if err := n.arity(1, 1); err != nil {
		return nil, err
	}
	x := n.in[0]
	size, err := n.unary(graph.Unary{Func: graph.Abs}, x)
	if err != nil {
		return nil, err
	}
	unit := &Tensor{DType: Double, Shape: tensor.Shape{}, Floats: []float64{1}}
	if size, err = n.affineOf(size, nil, unit); err != nil {
		return nil, err
	}
	return one(n.emit(graph.Div{}, x.shape, x.dtype, x, size))
}
