package onnx

import (
	"errors"
	"fmt"
	"slices"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/onnxpb"
	"github.com/zkml-go/zkml/tensor"
)

// value is an intermediate tensor of the model: a constant, or a tensor that the
// graph under construction computes. Its shape is always known.
type value struct {
	dtype DType
	shape tensor.Shape
	con   *Tensor // nil for a computed value
	id    graph.ID
}

func (v value) constant() bool { return v.con != nil }

func constant(t *Tensor) value { return value{dtype: t.DType, shape: t.Shape, con: t} }

// operator lowers the nodes of one ONNX operator.
type operator struct {
	since int // the first version of the operator set that has it
	lower func(n *node) ([]value, error)
}

// operators is filled by the op_*.go files.
var operators = map[string]operator{}

// register adds an operator; each file of operators calls it on start.
func register(opType string, since int, lower func(n *node) ([]value, error)) {
	operators[opType] = operator{since, lower}
}

// realOnly wraps the lowering of an operator that ONNX only defines for floating
// types.
func realOnly(lower func(n *node) ([]value, error)) func(n *node) ([]value, error) {
	return func(n *node) ([]value, error) {
		if n.given(0) && n.in[0].dtype.Integer() {
			return nil, n.malformedf("operand has type %v, expected a floating type", n.in[0].dtype)
		}
		return lower(n)
	}
}

// Operators returns the names of the ONNX operators that this package lowers,
// sorted; those of other domains than ONNX's own as "domain.name". Some of them
// are only lowered with constant operands.
func Operators() []string { return sortedNames(operators) }

// lowerer holds the state of lowering one model.
type lowerer struct {
	*builder
	model  *model
	values map[string]value
	// failed names the values that can't be computed because of a node in
	// unsupported.
	failed      map[string]bool
	unsupported []UnsupportedNode
}

// node is an ONNX node while it is being lowered.
type node struct {
	*lowerer
	proto *onnxpb.NodeProto
	name  string
	in    []value
	has   []bool // which of in are present
	attrs attributes
}

// unsupportedReason is the error of a lowering function that can't lower a node.
type unsupportedReason string

func (u unsupportedReason) Error() string { return string(u) }

// unsupported says why this node can't be lowered.
func (n *node) unsupportedf(format string, args ...any) error {
	return unsupportedReason(fmt.Sprintf(format, args...))
}

// malformed says what in this node contradicts the specification.
func (n *node) malformedf(format string, args ...any) error {
	return &FormatError{File: n.budget.file, Node: n.name, Problem: n.proto.GetOpType() + ": " + fmt.Sprintf(format, args...)}
}

// lower lowers every node and collects what is unsupported.
func (m *model) lower(opts Options) (*lowerer, error) {
	l := &lowerer{builder: &builder{budget: m.budget}, model: m, values: map[string]value{}, failed: map[string]bool{}}
	ports, err := m.inputPorts(opts)
	if err != nil {
		return nil, err
	}
	m.info.Inputs = ports
	for _, p := range ports {
		id, err := l.add(graph.Input{Name: p.Name, Integer: p.DType.Integer()}, p.Shape, p.Name)
		if err != nil {
			return nil, err
		}
		l.inputs = append(l.inputs, id)
		l.values[p.Name] = value{dtype: p.DType, shape: p.Shape, id: id}
	}
	for name, t := range m.weights {
		l.values[name] = constant(t)
	}
	for name, t := range opts.Bind {
		if err := m.budget.checkShape(t.Shape, name); err != nil {
			return nil, err
		}
		if len(t.Ints)+len(t.Floats) != t.Shape.Size() || t.DType.Integer() && t.Floats != nil || !t.DType.Integer() && t.Ints != nil {
			return nil, m.format("", name, "the constant to bind is inconsistent: its shape and type don't fit its elements", "")
		}
		l.values[name] = constant(t)
	}
	for _, p := range m.nodes {
		if err := l.lowerNode(p); err != nil {
			return nil, err
		}
	}
	if len(l.unsupported) > 0 {
		return nil, &UnsupportedError{File: m.budget.file, Nodes: l.unsupported}
	}
	for _, out := range m.graph.Output {
		v := l.values[out.GetName()]
		id, err := l.operand(v, out.GetName())
		if err != nil {
			return nil, err
		}
		l.outputs = append(l.outputs, graph.Output{Name: out.GetName(), ID: id})
		m.info.Outputs = append(m.info.Outputs, Port{Name: out.GetName(), DType: v.dtype, Shape: v.shape})
	}
	return l, nil
}

func (l *lowerer) lowerNode(p *onnxpb.NodeProto) error {
	n := &node{lowerer: l, proto: p, name: nodeName(p)}
	out, err := n.run()
	var reason unsupportedReason
	if errors.As(err, &reason) {
		if reason != "" {
			l.unsupported = append(l.unsupported, UnsupportedNode{Name: n.name, OpType: p.GetOpType(), Domain: p.GetDomain(), Reason: string(reason)})
		}
		for _, name := range p.Output {
			l.failed[name] = true
		}
		return nil
	}
	if err != nil {
		return err
	}
	for i, name := range p.Output {
		if name == "" {
			continue
		}
		if i >= len(out) {
			return n.malformedf("the node has %d outputs, the operator at most %d", len(p.Output), len(out))
		}
		l.values[name] = out[i]
	}
	return nil
}

// run lowers the node. An empty unsupportedReason means that an operand failed.
func (n *node) run() ([]value, error) {
	p := n.proto
	op, err := n.operator()
	if err != nil {
		return nil, err
	}
	for _, name := range p.Input {
		if n.failed[name] {
			return nil, unsupportedReason("")
		}
		v, ok := n.values[name]
		if !ok && name != "" {
			return nil, n.malformedf("operand %q is not defined before its use", name)
		}
		n.in = append(n.in, v)
		n.has = append(n.has, ok)
	}
	if err := n.readAttributes(); err != nil {
		return nil, err
	}
	out, err := op.lower(n)
	if err != nil {
		return nil, err
	}
	if name := n.attrs.unread(); name != "" {
		return nil, n.unsupportedf("its attribute %q is not supported", name)
	}
	return out, nil
}

// operator looks the node's operator up. Versions are those of ONNX's own set;
// what is registered of other domains has not changed over theirs.
func (n *node) operator() (operator, error) {
	name := n.proto.GetOpType()
	if !ownDomain(n.proto.GetDomain()) {
		name = n.proto.GetDomain() + "." + name
	}
	op, ok := operators[name]
	switch {
	case !ok:
		return op, n.unsupportedf("there is no lowering for this operator")
	case n.model.opset < op.since && ownDomain(n.proto.GetDomain()):
		return op, n.unsupportedf("the operator has a lowering from version %d of the operator set on, the model has version %d", op.since, n.model.opset)
	}
	return op, nil
}

// arity checks the number of operands; the first required ones must be present.
func (n *node) arity(required, most int) error {
	if len(n.in) < required || len(n.in) > most {
		return n.malformedf("%d operands, expected %d to %d", len(n.in), required, most)
	}
	for i := range required {
		if !n.has[i] {
			return n.malformedf("operand %d is missing", i)
		}
	}
	return nil
}

// given reports whether optional operand i is present.
func (n *node) given(i int) bool { return i < len(n.has) && n.has[i] }

// one wraps a single result.
func one(v value, err error) ([]value, error) {
	if err != nil {
		return nil, err
	}
	return []value{v}, nil
}

// ints returns the elements of operand i, which must be a constant of integers.
func (n *node) ints(i int, what string) ([]int64, error) {
	v := n.in[i]
	if !v.constant() {
		return nil, n.unsupportedf("its %s (%q) is not a constant", what, n.proto.Input[i])
	}
	if !v.dtype.Integer() {
		return nil, n.malformedf("%s has type %v, expected integers", what, v.dtype)
	}
	if len(v.shape) > 1 {
		return nil, n.malformedf("%s has shape %v, expected a list", what, v.shape)
	}
	return v.con.Ints, nil
}

// floats returns the elements of operand i, which must be a constant.
func (n *node) floats(i int, what string) ([]float64, error) {
	v := n.in[i]
	if !v.constant() {
		return nil, n.unsupportedf("its %s (%q) is not a constant", what, n.proto.Input[i])
	}
	return v.con.Float64s(), nil
}

// axis brings an axis, which may count from the end, into 0 … rank-1.
func (n *node) axis(a int64, rank int) (int, error) {
	if a < int64(-rank) || a >= int64(rank) {
		return 0, n.malformedf("axis %d is outside of a tensor with %d axes", a, rank)
	}
	if a < 0 {
		a += int64(rank)
	}
	return int(a), nil
}

// axes does so for a list, which may not repeat an axis, and sorts it.
func (n *node) axes(list []int64, rank int) ([]int, error) {
	var out []int
	for _, a := range list {
		i, err := n.axis(a, rank)
		if err != nil {
			return nil, err
		}
		if slices.Contains(out, i) {
			return nil, n.malformedf("axis %d is named twice", a)
		}
		out = append(out, i)
	}
	slices.Sort(out)
	return out, nil
}

// sizes converts dimensions from a file, refusing those out of bounds.
func (n *node) sizes(list []int64, what string) ([]int, error) {
	if len(list) > maxRank {
		return nil, &LimitError{File: n.budget.file, Node: n.name, What: "axes in one tensor", Limit: maxRank}
	}
	out := make([]int, len(list))
	for i, v := range list {
		if v < 0 || v > maxExtent {
			return nil, n.malformedf("%s is %d, expected 0 to %d", what, v, maxExtent)
		}
		out[i] = int(v)
	}
	return out, nil
}
