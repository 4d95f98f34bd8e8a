package onnx

import (
	"math"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/exactmath"
	"github.com/zkml-go/zkml/tensor"
)

func init() {
	register("Add", 7, func(n *node) ([]value, error) { return n.sum(1, 1) })
	register("Sub", 7, func(n *node) ([]value, error) { return n.sum(1, -1) })
	register("Sum", 6, lowerSum)
	register("Mean", 6, realOnly(lowerMean))
	register("Mul", 7, lowerMul)
	register("Div", 7, lowerDiv)
	register("Neg", 6, lowerNeg)
	register("Pow", 7, lowerPow)
	register("Reciprocal", 6, realOnly(lowerReciprocal))
	register("Max", 6, func(n *node) ([]value, error) { return lowerExtreme(n, 1) })
	register("Min", 6, func(n *node) ([]value, error) { return lowerExtreme(n, -1) })
}

// pair returns the two operands of an elementwise operator and the shape that
// they broadcast to.
func (n *node) pair() (a, b value, err error) {
	if err := n.arity(2, 2); err != nil {
		return a, b, err
	}
	a, b = n.in[0], n.in[1]
	if a.dtype != b.dtype {
		return a, b, n.malformedf("operands have types %v and %v, expected one type", a.dtype, b.dtype)
	}
	return a, b, nil
}

// sum lowers ca·a + cb·b.
func (n *node) sum(ca, cb int) ([]value, error) {
	a, b, err := n.pair()
	if err != nil {
		return nil, err
	}
	if a.constant() && b.constant() {
		return one(n.foldPair(a, b, a.dtype,
			func(x, y int64) (int64, bool) { return int64(ca)*x + int64(cb)*y, true },
			func(x, y float64) float64 { return float64(float64(ca)*x) + float64(float64(cb)*y) }))
	}
	return one(n.add2(a, b, ca, cb))
}

// add2 returns ca·a + cb·b with broadcasting; the coefficients are 1 or -1.
func (n *node) add2(a, b value, ca, cb int) (value, error) {
	shape, err := n.broadcastShape(a.shape, b.shape)
	if err != nil {
		return value{}, err
	}
	if a.constant() {
		a, b, ca, cb = b, a, cb, ca
	}
	if a, err = n.broadcast(a, shape); err != nil {
		return value{}, err
	}
	if b.constant() {
		scale := &Tensor{DType: Double, Floats: []float64{float64(ca)}}
		shift, err := n.emitConstant(b, float64(cb))
		if err != nil {
			return value{}, err
		}
		return n.affineOf(a, scale, shift)
	}
	if b, err = n.broadcast(b, shape); err != nil {
		return value{}, err
	}
	return n.emit(graph.Add{Coeffs: []int{ca, cb}}, shape, a.dtype, a, b)
}

// emitConstant returns factor·v as real numbers.
func (n *node) emitConstant(v value, factor float64) (*Tensor, error) {
	if err := n.budget.spendConst(v.shape.Size(), n.name); err != nil {
		return nil, err
	}
	data := append([]float64(nil), v.con.Float64s()...)
	for i := range data {
		data[i] *= factor
	}
	return &Tensor{DType: Double, Shape: v.shape, Floats: data}, nil
}

func lowerSum(n *node) ([]value, error) {
	return one(n.sumAll())
}

// sumAll adds all operands.
func (n *node) sumAll() (value, error) {
	if err := n.arity(1, math.MaxInt32); err != nil {
		return value{}, err
	}
	total := n.in[0]
	for i, v := range n.in[1:] {
		if !n.has[i+1] || v.dtype != total.dtype {
			return value{}, n.malformedf("operand %d is missing or of another type", i+1)
		}
		var err error
		if total, err = n.add2(total, v, 1, 1); err != nil {
			return value{}, err
		}
	}
	return total, nil
}

func lowerMean(n *node) ([]value, error) {
	total, err := n.sumAll()
	if err != nil {
		return nil, err
	}
	return one(n.scaleBy(total, 1/float64(len(n.in))))
}

func lowerMul(n *node) ([]value, error) {
	a, b, err := n.pair()
	if err != nil {
		return nil, err
	}
	if a.constant() && b.constant() {
		return one(n.foldPair(a, b, a.dtype,
			func(x, y int64) (int64, bool) { return x * y, true },
			func(x, y float64) float64 { return x * y }))
	}
	return one(n.mul2(a, b))
}

// mul2 returns the product with broadcasting.
func (n *node) mul2(a, b value) (value, error) {
	shape, err := n.broadcastShape(a.shape, b.shape)
	if err != nil {
		return value{}, err
	}
	if a.constant() {
		a, b = b, a
	}
	if a, err = n.broadcast(a, shape); err != nil {
		return value{}, err
	}
	if b.constant() {
		return n.affineOf(a, b.con, nil)
	}
	if b, err = n.broadcast(b, shape); err != nil {
		return value{}, err
	}
	return n.emit(graph.Mul{}, shape, a.dtype, a, b)
}

func lowerDiv(n *node) ([]value, error) {
	a, b, err := n.pair()
	if err != nil {
		return nil, err
	}
	if a.constant() && b.constant() {
		return one(n.foldPair(a, b, a.dtype,
			func(x, y int64) (int64, bool) {
				if y == 0 {
					return 0, false
				}
				return x / y, true
			},
			func(x, y float64) float64 { return x / y }))
	}
	if a.dtype.Integer() {
		return one(n.divIntegers(a, b))
	}
	return one(n.div2(a, b))
}

// divIntegers returns the quotient of integers by constants, rounded toward zero,
// with broadcasting.
func (n *node) divIntegers(a, b value) (value, error) {
	if !b.constant() {
		return value{}, n.unsupportedf("it divides integers by integers that are computed at run time")
	}
	for i, v := range b.con.Ints {
		switch {
		case v == 0:
			return value{}, n.malformedf("element %d of the divisor is 0", i)
		case v > 1<<53 || v < -1<<53:
			return value{}, n.unsupportedf("element %d of the divisor is %d, beyond 2^53", i, v)
		}
	}
	shape, err := n.broadcastShape(a.shape, b.shape)
	if err != nil {
		return value{}, err
	}
	if a, err = n.broadcast(a, shape); err != nil {
		return value{}, err
	}
	if b, err = n.broadcast(b, shape); err != nil {
		return value{}, err
	}
	return n.emit(graph.Div{Truncate: true}, shape, a.dtype, a, b)
}

// div2 returns the quotient of real numbers with broadcasting.
func (n *node) div2(a, b value) (value, error) {
	shape, err := n.broadcastShape(a.shape, b.shape)
	if err != nil {
		return value{}, err
	}
	if a, err = n.broadcast(a, shape); err != nil {
		return value{}, err
	}
	if b.constant() {
		inverse, err := n.emitConstant(b, 1)
		if err != nil {
			return value{}, err
		}
		for i, v := range inverse.Floats {
			if v == 0 {
				return value{}, n.malformedf("element %d of the divisor is 0", i)
			}
			inverse.Floats[i] = 1 / v
		}
		return n.affineOf(a, inverse, nil)
	}
	if b, err = n.broadcast(b, shape); err != nil {
		return value{}, err
	}
	return n.emit(graph.Div{}, shape, a.dtype, a, b)
}

func lowerNeg(n *node) ([]value, error) {
	if err := n.arity(1, 1); err != nil {
		return nil, err
	}
	if v := n.in[0]; v.constant() {
		return one(n.foldOne(v, v.dtype, func(x int64) (int64, bool) { return -x, true }, func(x float64) float64 { return -x }))
	}
	return one(n.scaleBy(n.in[0], -1))
}

func lowerReciprocal(n *node) ([]value, error) {
	if err := n.arity(1, 1); err != nil {
		return nil, err
	}
	x := n.in[0]
	unit := constant(&Tensor{DType: x.dtype, Floats: []float64{1}})
	if x.constant() {
		return one(n.foldOne(x, x.dtype, nil, func(x float64) float64 { return 1 / x }))
	}
	return one(n.div2(unit, x))
}

// maxPower bounds the exponents that are lowered to products.
const maxPower = 8

// lowerPow lowers a power with a small whole exponent to products.
func lowerPow(n *node) ([]value, error) {
	if err := n.arity(2, 2); err != nil {
		return nil, err
	}
	x, exponent := n.in[0], n.in[1]
	if x.constant() && exponent.constant() {
		if x.dtype != exponent.dtype {
			var err error
			if exponent, err = n.cast(exponent, x.dtype); err != nil {
				return nil, err
			}
		}
		return one(n.foldPair(x, exponent, x.dtype, intPower, power))
	}
	e, err := n.floats(1, "exponent")
	if err != nil {
		return nil, err
	}
	if len(e) == 0 || !allEqual(e, e[0]) || e[0] != math.Trunc(e[0]) || e[0] < 1 || e[0] > maxPower {
		return nil, n.unsupportedf("its exponent is not one whole number from 1 to %d", maxPower)
	}
	shape, err := n.broadcastShape(x.shape, exponent.shape)
	if err != nil {
		return nil, err
	}
	base, err := n.broadcast(x, shape)
	if err != nil {
		return nil, err
	}
	y := base
	for k := 1; k < int(e[0]); k++ {
		if y, err = n.mul2(y, base); err != nil {
			return nil, err
		}
	}
	return one(y, nil)
}

// power is x^y with the same bits on every machine: repeated multiplication or a
// square root where they do, else e^(y·ln x).
func power(x, y float64) float64 {
	switch {
	case y == 0.5:
		return math.Sqrt(x)
	case y == math.Trunc(y) && math.Abs(y) <= 64:
		p := 1.0
		for range int(math.Abs(y)) {
			p *= x
		}
		if y < 0 {
			return 1 / p
		}
		return p
	case x == 0 || math.IsInf(x, 0) || math.IsInf(y, 0):
		return math.Pow(x, y)
	}
	return exactmath.Exp(y * exactmath.Log(x))
}

func intPower(x, y int64) (int64, bool) {
	if y < 0 || y > 63 {
		return 0, false
	}
	p := int64(1)
	for range y {
		p *= x
	}
	return p, true
}

// lowerExtreme lowers the elementwise maximum of any number of tensors, or with
// sign -1 the minimum as -max(-x).
func lowerExtreme(n *node, sign float64) ([]value, error) {
	if err := n.arity(1, math.MaxInt32); err != nil {
		return nil, err
	}
	var computed, constants []value
	for i, v := range n.in {
		if !n.has[i] || v.dtype != n.in[0].dtype {
			return nil, n.malformedf("operand %d is missing or of another type", i)
		}
		if v.constant() {
			constants = append(constants, v)
		} else {
			computed = append(computed, v)
		}
	}
	var limit value // of all constants together
	for i, v := range constants {
		if i == 0 {
			limit = v
			continue
		}
		var err error
		limit, err = n.foldPair(limit, v, v.dtype, func(x, y int64) (int64, bool) {
			if sign > 0 {
				return max(x, y), true
			}
			return min(x, y), true
		}, func(x, y float64) float64 { return sign * max(sign*x, sign*y) })
		if err != nil {
			return nil, err
		}
	}
	if len(computed) == 0 {
		return one(limit, nil)
	}
	if len(constants) > 0 {
		if data := limit.con.Float64s(); len(computed) == 1 && len(data) > 0 && allEqual(data, data[0]) {
			return one(n.clipOne(computed[0], limit, sign))
		}
		computed = append(computed, limit)
	}
	return one(n.maxAll(computed, sign))
}

// clipOne is the maximum of x and one number, or the minimum for sign -1.
func (n *node) clipOne(x, limit value, sign float64) (value, error) {
	shape, err := n.broadcastShape(x.shape, limit.shape)
	if err != nil {
		return value{}, err
	}
	if x, err = n.broadcast(x, shape); err != nil {
		return value{}, err
	}
	bound := limit.con.Float64s()[0]
	if sign > 0 {
		return n.clip(x, bound, math.Inf(1))
	}
	return n.clip(x, math.Inf(-1), bound)
}

// maxAll is sign·max(sign·v) over several tensors.
func (n *node) maxAll(list []value, sign float64) (value, error) {
	if len(list) == 1 {
		return list[0], nil
	}
	shapes := make([]tensor.Shape, len(list))
	for i, v := range list {
		shapes[i] = v.shape
	}
	shape, err := n.broadcastShape(shapes...)
	if err != nil {
		return value{}, err
	}
	size := shape.Size()
	if err := n.budget.spendRewire(size, n.name); err != nil {
		return value{}, err
	}
	for i := range list {
		if list[i], err = n.broadcast(list[i], shape); err != nil {
			return value{}, err
		}
		if list[i], err = n.scaleBy(list[i], sign); err != nil {
			return value{}, err
		}
	}
	stacked := append(shape.Clone(), len(list))
	if err := n.budget.checkShape(stacked, n.name); err != nil {
		return value{}, err
	}
	if err := n.budget.spendRewire(stacked.Size(), n.name); err != nil {
		return value{}, err
	}
	index := make([]int32, 0, stacked.Size())
	for i := range size {
		for k := range list {
			index = append(index, int32(k*size+i))
		}
	}
	all, err := n.rewire(stacked, index, 0, list...)
	if err != nil {
		return value{}, err
	}
	y, err := n.emit(graph.Max{}, shape, all.dtype, all)
	if err != nil {
		return value{}, err
	}
	return n.scaleBy(y, sign)
}
