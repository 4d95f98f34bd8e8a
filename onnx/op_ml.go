package onnx

import (
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/onnxpb"
	"github.com/zkml-go/zkml/tensor"
)

// The operators of the domain ai.onnx.ml that scikit-learn's linear models and
// networks are exported with.
func init() {
	register(mlDomain+".Scaler", 1, lowerScaler)
	register(mlDomain+".LinearRegressor", 1, lowerLinearRegressor)
	register(mlDomain+".LinearClassifier", 1, lowerLinearClassifier)
	register(mlDomain+".Normalizer", 1, lowerNormalizer)
	register(mlDomain+".ArrayFeatureExtractor", 1, lowerArrayFeatureExtractor)
}

const mlDomain = "ai.onnx.ml"

// floatsAttr returns nil if the attribute is absent.
func (n *node) floatsAttr(name string) (*Tensor, error) {
	a, err := n.attr(name, onnxpb.AttributeProto_FLOATS)
	if a == nil {
		return nil, err
	}
	if err := n.budget.spendConst(len(a.Floats), n.name); err != nil {
		return nil, err
	}
	t := &Tensor{DType: Float, Shape: tensor.Shape{len(a.Floats)}, Floats: make([]float64, len(a.Floats))}
	for i, v := range a.Floats {
		t.Floats[i] = float64(v)
	}
	return t, nil
}

// features returns operand 0 as a matrix of real numbers, a row for each sample.
func (n *node) features() (value, error) {
	if err := n.arity(1, 1); err != nil {
		return value{}, err
	}
	x := n.in[0]
	if len(x.shape) == 0 || len(x.shape) > 2 || x.shape.Size() == 0 {
		return value{}, n.malformedf("operand has shape %v, expected rows of features", x.shape)
	}
	if x.constant() {
		var err error
		if x, err = n.cast(x, Float); err != nil {
			return value{}, err
		}
	}
	x.dtype = Float
	if len(x.shape) == 1 {
		return n.reshape(x, tensor.Shape{1, x.shape[0]})
	}
	return x, nil
}

// lowerScaler lowers (x - offset)·scale.
func lowerScaler(n *node) ([]value, error) {
	x, err := n.features()
	if err != nil {
		return nil, err
	}
	offset, err := n.floatsAttr("offset")
	if err != nil {
		return nil, err
	}
	scale, err := n.floatsAttr("scale")
	if err != nil {
		return nil, err
	}
	for _, t := range []*Tensor{offset, scale} {
		if t == nil || t.Shape[0] != 1 && t.Shape[0] != x.shape[1] {
			return nil, n.malformedf("offset and scale don't fit %d features", x.shape[1])
		}
	}
	for i := range offset.Floats {
		offset.Floats[i] = -offset.Floats[i]
	}
	y, err := n.affineOf(x, nil, offset)
	if err != nil {
		return nil, err
	}
	if y, err = n.affineOf(y, scale, nil); err != nil {
		return nil, err
	}
	return one(n.reshape(y, n.in[0].shape))
}

// linearScores lowers x·Wᵀ + intercepts with the coefficients W in an attribute,
// a row for each of count targets.
func (n *node) linearScores(count int) (value, error) {
	x, err := n.features()
	if err != nil {
		return value{}, err
	}
	w, err := n.floatsAttr("coefficients")
	if err != nil {
		return value{}, err
	}
	b, err := n.floatsAttr("intercepts")
	if err != nil {
		return value{}, err
	}
	features := x.shape[1]
	if w == nil || len(w.Floats) != count*features {
		return value{}, n.malformedf("the coefficients don't fit %d features and %d targets", features, count)
	}
	w.Shape = tensor.Shape{count, features}
	weights, err := n.transpose(constant(w), []int{1, 0})
	if err != nil {
		return value{}, err
	}
	y, err := n.matMul(x, weights)
	if err != nil || b == nil {
		return y, err
	}
	if len(b.Floats) != count {
		return value{}, n.malformedf("%d intercepts for %d targets", len(b.Floats), count)
	}
	return n.affineOf(y, nil, b)
}

// transform applies the attribute post_transform to scores [rows, classes].
func (n *node) transform(scores value) (value, error) {
	kind, err := n.stringAttr("post_transform", "NONE")
	if err != nil {
		return value{}, err
	}
	switch kind {
	case "NONE":
		return scores, nil
	case "LOGISTIC":
		return n.unary(graph.Unary{Func: graph.Sigmoid}, scores)
	case "SOFTMAX":
		return n.emit(graph.Softmax{}, scores.shape, scores.dtype, scores)
	}
	return value{}, n.unsupportedf("its attribute \"post_transform\" is %q", kind)
}

func lowerLinearRegressor(n *node) ([]value, error) {
	targets, err := n.intAttr("targets", 1)
	if err != nil {
		return nil, err
	}
	if targets < 1 || targets > maxExtent {
		return nil, n.malformedf("attribute \"targets\" is %d", targets)
	}
	y, err := n.linearScores(int(targets))
	if err != nil {
		return nil, err
	}
	return one(n.transform(y))
}

// lowerLinearClassifier has two results: the label with the largest score, and
// the transformed scores.
func lowerLinearClassifier(n *node) ([]value, error) {
	n.ignoreAttrs("multi_class")
	labels, err := n.intsAttr("classlabels_ints")
	if err != nil {
		return nil, err
	}
	if labels == nil {
		return nil, n.unsupportedf("its labels are strings: export the model with whole numbers as labels")
	}
	if len(labels) < 2 {
		return nil, n.malformedf("%d labels, expected at least 2", len(labels))
	}
	scores, err := n.linearScores(len(labels))
	if err != nil {
		return nil, err
	}
	best, err := n.emit(graph.ArgMax{}, scores.shape[:1], Int64, scores)
	if err != nil {
		return nil, err
	}
	label, err := n.lookUp(labels, best)
	if err != nil {
		return nil, err
	}
	y, err := n.transform(scores)
	if err != nil {
		return nil, err
	}
	return []value{label, y}, nil
}

// lookUp returns the entries of a table of evenly spaced integers at computed
// indices.
func (n *node) lookUp(table []int64, index value) (value, error) {
	first, step := table[0], int64(0)
	if len(table) > 1 {
		step = table[1] - first
	}
	for i, v := range table {
		if v != first+int64(i)*step {
			return value{}, n.unsupportedf("its labels %v are not evenly spaced", table)
		}
	}
	if first == 0 && step == 1 {
		return index, nil
	}
	return n.emitAffine(index, &affine{inner: 1, scale: []float64{float64(step)}, shift: []float64{float64(first)}})
}

// lowerNormalizer divides each row by its sum of magnitudes or its largest
// magnitude.
func lowerNormalizer(n *node) ([]value, error) {
	x, err := n.features()
	if err != nil {
		return nil, err
	}
	norm, err := n.stringAttr("norm", "MAX")
	if err != nil {
		return nil, err
	}
	size := x
	if norm == "L1" {
		if size, err = n.unary(graph.Unary{Func: graph.Abs}, x); err != nil {
			return nil, err
		}
		size, err = n.sumLast(size, 1)
	} else if norm == "MAX" {
		size, err = n.maxLast(x, 1)
	} else {
		return nil, n.unsupportedf("its attribute \"norm\" is %q", norm)
	}
	if err != nil {
		return nil, err
	}
	if size, err = n.reshape(size, tensor.Shape{x.shape[0], 1}); err != nil {
		return nil, err
	}
	y, err := n.div2(x, size)
	if err != nil {
		return nil, err
	}
	return one(n.reshape(y, n.in[0].shape))
}

// lowerArrayFeatureExtractor selects columns: constant ones of a computed tensor,
// or a computed one of a constant row, as when a class index is turned into a
// label.
func lowerArrayFeatureExtractor(n *node) ([]value, error) {
	if err := n.arity(2, 2); err != nil {
		return nil, err
	}
	x, index := n.in[0], n.in[1]
	rank := len(x.shape)
	if rank == 0 || !index.dtype.Integer() {
		return nil, n.malformedf("operands have shapes %v and %v and types %v and %v", x.shape, index.shape, x.dtype, index.dtype)
	}
	count := index.shape.Size()
	shape := append(x.shape[:rank-1].Clone(), count)
	if rank == 1 {
		shape = tensor.Shape{1, count}
	}
	if index.constant() {
		d := int64(x.shape[rank-1])
		for _, i := range index.con.Ints {
			if i < 0 || i >= d {
				return nil, n.malformedf("index %d is outside of an axis of %d", i, d)
			}
		}
		axes := identityAxes(x.shape)
		axes[rank-1] = axisMap{count, func(i int) int { return int(index.con.Ints[i]) }}
		y, err := n.view(x, axes, 0)
		if err != nil {
			return nil, err
		}
		return one(n.reshape(y, shape))
	}
	if !x.constant() || !x.dtype.Integer() || x.shape.Size() != x.shape[rank-1] || x.shape.Size() == 0 {
		return nil, n.unsupportedf("its indices (%q) are computed and its table is not one row of integers", n.proto.Input[1])
	}
	y, err := n.lookUp(x.con.Ints, index)
	if err != nil {
		return nil, err
	}
	y.dtype = x.dtype
	return one(n.reshape(y, shape))
}
