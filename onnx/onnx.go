// Package onnx reads ONNX models and lowers them to [graph.Graph].
//
// Loading has four steps, each in files of its own:
//
//   - decode: the protobuf is checked and decoded (wire.go, tensor.go, dtype.go,
//     external.go); nothing is allocated before the size of what would be
//     allocated is known to be within [Limits];
//   - check: names, order, dimensions, operators (model.go, inputs.go);
//   - lower: node by node, each operator by the function that its file registers
//     (op_*.go). A value is either a constant or a tensor of the graph that is
//     being built, always with a known shape, so that the chains of Shape, Gather,
//     Concat and Reshape that exporters write are computed here and leave nothing
//     behind;
//   - simplify: index maps are composed, and scales and offsets are folded into
//     the linear maps before them (simplify.go, affine.go).
//
// An operator's lowering is a function that its file registers, and nothing else
// knows of it: a new one is a new function, built from the steps that all share
// (index maps in rewire.go, affine maps in affine.go, windows in window.go), and
// the conformance cases of its name, which then run by themselves.
//
// The semantics are those of the ONNX specification for the operator set that
// the model names, versions 7 to 28, in real arithmetic: integer overflow, and
// the rounding of narrow types in computed tensors, are not modelled.
package onnx

import (
	"os"
	"path/filepath"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/onnxpb"
	"github.com/zkml-go/zkml/tensor"
)

// The operator-set versions that this package reads, both included.
const (
	MinOpset = 7
	MaxOpset = 28
)

// Options says how to load a model. The zero value is the usual choice.
type Options struct {
	// Dims gives a size to the free dimensions of inputs, by the name in the
	// file, or "input.axis" for a dimension without a name.
	Dims map[string]int
	// Bind makes constants of inputs, by name: shapes, axes, indices and other
	// values that must be known when the model is compiled.
	Bind map[string]*Tensor
	// Dir is the folder that external data may lie in. Load sets it to the
	// model's own; without it, external data is refused.
	Dir string
	// Limits bounds memory and work.
	Limits Limits
}

// Info describes a loaded model to its user.
type Info struct {
	Producer string // the program that wrote the file, with its version
	Opset    int    // version of ONNX's operator set
	Inputs   []Port // those of graph.Graph.Inputs
	Outputs  []Port // those of graph.Graph.Outputs
	// Operators counts the ONNX nodes that the outputs depend on, by operator.
	Operators map[string]int
	// Notices are choices that were made for the user, a sentence each.
	Notices []string
}

// Port is an input or an output of a model.
type Port struct {
	Name  string
	DType DType
	Shape tensor.Shape
}

// Load reads the model in the file at path and lowers it. The error is, or
// wraps, a *FormatError, *OpsetError, *UnsupportedError, *DimError or
// *LimitError, comes from the file system, or, if the lowered graph passes a limit
// of package graph, wraps a *graph.NodeError.
func Load(path string, opts Options) (*graph.Graph, *Info, error) {
	stat, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !stat.Mode().IsRegular() {
		return nil, nil, &FormatError{File: path, Problem: "not a regular file"}
	}
	limit := opts.Limits.withDefaults().FileBytes
	if stat.Size() > limit {
		return nil, nil, &LimitError{File: path, What: "bytes of file", Limit: limit}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	if opts.Dir == "" {
		opts.Dir = filepath.Dir(path)
	}
	return load(data, path, opts)
}

// LoadBytes is Load for a model in memory.
func LoadBytes(data []byte, opts Options) (*graph.Graph, *Info, error) {
	return load(data, "", opts)
}

func load(data []byte, file string, opts Options) (*graph.Graph, *Info, error) {
	b := &budget{file: file, limits: opts.Limits.withDefaults()}
	model := &onnxpb.ModelProto{}
	if err := unmarshal(data, model, b); err != nil {
		return nil, nil, err
	}
	m, err := checkModel(model, opts, b)
	if err != nil {
		return nil, nil, err
	}
	l, err := m.lower(opts)
	if err != nil {
		return nil, nil, err
	}
	if err := l.simplify(); err != nil {
		return nil, nil, err
	}
	g, err := l.graph()
	if err != nil {
		return nil, nil, err
	}
	return g, m.info, nil
}
