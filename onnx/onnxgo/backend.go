// Package onnxgo takes over models from programs that use onnx-go.
//
// onnx-go decodes an ONNX file into whatever implements its Backend interface. A
// [Backend] is one that records what it is told; [Backend.Graph] writes that down
// as an ONNX model again and hands it to package onnx, so that a model which
// comes through this door and one which comes from its file are lowered by the
// same code and give the same graph:
//
//	backend := onnxgo.New()
//	model := onnx.NewModel(backend)
//	err := onnxgo.Unmarshal(model, data) // model.UnmarshalBinary(data), guarded
//	…
//	g, info, err := backend.Graph(model, onnxgo.Options{Opset: 13})
//
// If you have the file and don't need onnx-go, use onnx.Load: it reads more and
// asks less.
//
// # What onnx-go loses
//
//   - The version of the operator set, by which operators change their meaning:
//     it must be given in [Options].
//   - Free dimensions. onnx-go leaves them out of a shape, so that [batch, 784]
//     arrives as [784]; give the whole shape of such an input in [Options].
//   - Names of nodes: errors and reports name a node by operator and result.
//   - Operator domains: a node of another domain reads as ONNX's own operator of
//     that name. Don't pass models with custom operators.
//   - Weights of types other than float32, float64, int32, int64 and bool,
//     weights without elements, boolean weights stored as raw data, external
//     data, subgraphs: onnx-go refuses these itself.
//   - An attribute whose type the file doesn't state, as very old exporters write
//     it: refused here.
//
// onnx-go panics on some malformed files and allocates whatever a dimension says:
// [Unmarshal] checks the sizes first, and turns a panic into an error.
package onnxgo

import (
	"fmt"

	"github.com/owulveryck/onnx-go"
	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/simple"
	gorgonia "gorgonia.org/tensor"
)

// Backend records the model that onnx-go decodes. It implements onnx-go's
// Backend: a directed graph with an edge from each value to each operand of the
// operation that computes it, weighted by the operand's position. It holds one
// model; use a new one for the next.
type Backend struct {
	*simple.WeightedDirectedGraph

	created    int64 // values so far
	operands   map[int64][]operand
	operations []operation
}

var _ onnx.Backend = (*Backend)(nil)

// New returns a Backend without a model.
func New() *Backend {
	return &Backend{
		WeightedDirectedGraph: simple.NewWeightedDirectedGraph(0, 0),
		operands:              make(map[int64][]operand),
	}
}

// operand is an edge that no operation has claimed yet.
type operand struct {
	position int
	value    *value
}

// operation is one ONNX node.
type operation struct {
	onnx.Operation
	inputs, outputs []*value
}

// value is a tensor of the model: an input, a weight or an intermediate one. It
// implements onnx-go's Namer and DataCarrier.
type value struct {
	id   int64
	name string
	data gorgonia.Tensor
	// times that data was set: onnx-go gives a declared value an empty tensor of
	// its shape first, and then a weight its elements.
	times int
}

var (
	_ onnx.Namer       = (*value)(nil)
	_ onnx.DataCarrier = (*value)(nil)
)

// ID implements gonum's graph.Node.
func (v *value) ID() int64 { return v.id }

// SetName implements onnx-go's Namer.
func (v *value) SetName(name string) { v.name = name }

// GetName implements onnx-go's Namer.
func (v *value) GetName() string { return v.name }

// SetTensor implements onnx-go's DataCarrier.
func (v *value) SetTensor(t gorgonia.Tensor) error {
	v.data = t
	v.times++
	return nil
}

// GetTensor implements onnx-go's DataCarrier. For an input it is an empty tensor
// of its shape.
func (v *value) GetTensor() gorgonia.Tensor { return v.data }

// NewNode implements gonum's graph.NodeAdder. IDs count up.
func (b *Backend) NewNode() graph.Node {
	b.created++
	return &value{id: b.created - 1}
}

// SetWeightedEdge records an operand. Unlike gonum's graph it accepts the same
// operand at two positions, and an operation that reads its own result, which is
// reported later.
func (b *Backend) SetWeightedEdge(e graph.WeightedEdge) {
	from, to := e.From().ID(), e.To()
	if v, ok := to.(*value); ok {
		b.operands[from] = append(b.operands[from], operand{position: int(e.Weight()), value: v})
	}
	if from != to.ID() {
		b.WeightedDirectedGraph.SetWeightedEdge(e)
	}
}

// ApplyOperation implements onnx-go's OperationCarrier: it records that operation
// computes results from the operands whose edges were set since.
func (b *Backend) ApplyOperation(op onnx.Operation, results ...graph.Node) error {
	if len(results) == 0 {
		return fmt.Errorf("onnx-go: operation %s has no result", op.Name)
	}
	recorded := operation{Operation: op}
	for i, r := range results {
		v, ok := r.(*value)
		if !ok {
			return fmt.Errorf("onnx-go: operation %s computes a node that isn't this backend's", op.Name)
		}
		recorded.outputs = append(recorded.outputs, v)
		edges := b.operands[v.id]
		delete(b.operands, v.id)
		if i > 0 {
			continue // the same operands again
		}
		for _, e := range edges {
			for len(recorded.inputs) <= e.position {
				recorded.inputs = append(recorded.inputs, nil)
			}
			recorded.inputs[e.position] = e.value
		}
	}
	b.operations = append(b.operations, recorded)
	return nil
}
