package zkml

import (
	"fmt"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/onnx"
)

// Inputs is one set of a model's inputs, by name: real values, each tensor of its
// input's shape.
type Inputs = map[string]*graph.Tensor

// LoadOptions say how an ONNX file becomes a Network. The zero value is the usual
// choice.
type LoadOptions struct {
	// Name replaces the name that the file gives the model. It is part of the model
	// id.
	Name string
	// Dims gives a size to the free dimensions of inputs, by name. A free leading
	// batch dimension becomes 1 without being named.
	Dims map[string]int
	// Head is a decision to append to the model's answer.
	Head Head
}

// Network is a model as it was trained, lowered to real-valued tensor operators.
type Network struct {
	// Graph is the lowered model, head included.
	Graph *graph.Graph
	// Info describes the file.
	Info *onnx.Info

	options LoadOptions
}

// Load reads an ONNX file. The error is, or wraps, one of package onnx's types, a
// *HeadError, or comes from the file system.
func Load(path string, o LoadOptions) (*Network, error) {
	g, info, err := onnx.Load(path, onnx.Options{Dims: o.Dims})
	if err != nil {
		return nil, err
	}
	return newNetwork(g, info, o)
}

// LoadBytes is Load for a model in memory, without external data.
func LoadBytes(data []byte, o LoadOptions) (*Network, error) {
	g, info, err := onnx.LoadBytes(data, onnx.Options{Dims: o.Dims})
	if err != nil {
		return nil, err
	}
	return newNetwork(g, info, o)
}

func newNetwork(g *graph.Graph, info *onnx.Info, o LoadOptions) (*Network, error) {
	if o.Name != "" {
		g.Name = o.Name
	}
	if err := o.Head.appendTo(g); err != nil {
		return nil, err
	}
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("lowered model: %w", err)
	}
	if err := checkSize(g); err != nil {
		return nil, err
	}
	return &Network{Graph: g, Info: info, options: o}, nil
}

// ReadInputs reads one set of inputs from a file: JSON by name, JSON with
// "input_data", .npy, .npz or an ONNX TensorProto.
func (n *Network) ReadInputs(path string) (Inputs, error) {
	return inputfile.Read(path, inputfile.InputsOf(n.Graph))
}

// ReadSamples reads a list of sets of inputs from a file of the same formats, where
// every array has one more axis, the outermost. A model without inputs has one sample.
func (n *Network) ReadSamples(path string) ([]Inputs, error) {
	if len(n.Graph.Inputs) == 0 {
		set, err := n.ReadInputs(path)
		return []Inputs{set}, err
	}
	return inputfile.ReadSamples(path, inputfile.InputsOf(n.Graph))
}

// ReadInputs is [Network.ReadInputs] for a compiled model. If it was compiled for a Batch,
// the file has as many sets of inputs, as a file of samples does; the error is then a
// *DatasetError for another number.
func (m *Model) ReadInputs(path string) (Inputs, error) {
	if n := m.Settings.Batch; n > 0 {
		return readBatch(path, inputfile.InputsOf(m.Graph), n)
	}
	return inputfile.Read(path, inputfile.InputsOf(m.Graph))
}

// ParseInputs is [Model.ReadInputs] of a file's bytes; file is the name that errors give.
func (m *Model) ParseInputs(file string, data []byte) (Inputs, error) {
	ports := inputfile.InputsOf(m.Graph)
	n := m.Settings.Batch
	if n == 0 || len(ports) == 0 {
		return inputfile.Parse(file, data, ports)
	}
	sets, err := inputfile.ParseSamples(file, data, ports)
	if err != nil {
		return nil, err
	}
	return stack(file, ports, sets, n)
}
