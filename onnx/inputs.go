package onnx

import (
	"fmt"
	"sort"

	"github.com/zkml-go/zkml/internal/onnxpb"
	"github.com/zkml-go/zkml/tensor"
)

// inputPorts returns the inputs that the caller of the model supplies: those
// without an initializer and not bound to a constant. Free dimensions get their
// size here.
func (m *model) inputPorts(opts Options) ([]Port, error) {
	var ports []Port
	var declared []*onnxpb.ValueInfoProto
	inputNames := map[string]bool{}
	initializers := map[string]bool{} // an input may have one as its default value
	for _, t := range m.graph.Initializer {
		initializers[t.GetName()] = true
	}
	for _, in := range m.graph.Input {
		inputNames[in.GetName()] = true
		if opts.Bind[in.GetName()] == nil && !initializers[in.GetName()] {
			declared = append(declared, in)
		}
	}
	for _, name := range sortedNames(opts.Bind) {
		if !inputNames[name] {
			return nil, m.format("", name, "the model has no input of this name to bind to a constant", "")
		}
	}
	dims := &freeDims{given: opts.Dims, batch: map[string]bool{}, inner: map[string]bool{}, used: map[string]bool{}}
	for _, in := range declared {
		for axis, d := range in.GetType().GetTensorType().GetShape().GetDim() {
			if axis > 0 {
				dims.inner[d.GetDimParam()] = true
			}
		}
	}
	for _, in := range declared {
		port, err := m.inputPort(in, dims)
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	if len(dims.missing) > 0 {
		return nil, &DimError{File: m.budget.file, Dims: dims.missing}
	}
	for _, name := range sortedNames(opts.Dims) {
		if !dims.used[name] {
			return nil, m.format("", name, "the model's inputs have no free dimension of this name", "remove it from the sizes given")
		}
	}
	for _, name := range sortedNames(dims.batch) {
		m.info.Notices = append(m.info.Notices, fmt.Sprintf("the free batch dimension %q is taken as 1", name))
	}
	return ports, nil
}

// freeDims decides the sizes of dimensions that the file leaves open.
type freeDims struct {
	given   map[string]int
	inner   map[string]bool // names that occur on an axis other than the first
	batch   map[string]bool // dimensions taken as 1
	used    map[string]bool // names of given that occur
	missing []FreeDim
}

func (m *model) inputPort(in *onnxpb.ValueInfoProto, dims *freeDims) (Port, error) {
	port := Port{Name: in.GetName()}
	t := in.GetType().GetTensorType()
	if t == nil {
		return port, m.format("", in.GetName(), "the input is not a tensor", "sequences, maps and optional values are not supported")
	}
	port.DType = DType(t.GetElemType())
	if !port.DType.Supported() {
		return port, m.format("", in.GetName(), fmt.Sprintf("the input has element type %v, which is not supported", port.DType), "")
	}
	if t.Shape == nil {
		return port, m.format("", in.GetName(), "the file gives the input no shape", "export the model with the shapes of its inputs")
	}
	if len(t.Shape.Dim) > maxRank {
		return port, &LimitError{File: m.budget.file, Node: in.GetName(), What: "axes in one tensor", Limit: maxRank}
	}
	port.Shape = make(tensor.Shape, 0, len(t.Shape.Dim))
	for axis, d := range t.Shape.Dim {
		value, known := d.Value.(*onnxpb.TensorShapeProto_Dimension_DimValue)
		if known && value.DimValue >= 0 {
			if value.DimValue > maxExtent {
				return port, &LimitError{File: m.budget.file, Node: in.GetName(), What: "elements along one axis", Limit: maxExtent}
			}
			port.Shape = append(port.Shape, int(value.DimValue))
			continue
		}
		port.Shape = append(port.Shape, dims.size(d.GetDimParam(), in.GetName(), axis))
	}
	return port, m.budget.checkShape(port.Shape, in.GetName())
}

// size decides one free dimension; a missing one is noted and counts as 1.
func (f *freeDims) size(name, input string, axis int) int {
	param := name
	if name == "" {
		name = fmt.Sprintf("%s.%d", input, axis)
	}
	if n, ok := f.given[name]; ok && n >= 0 {
		f.used[name] = true
		return n
	}
	if axis == 0 && !(param != "" && f.inner[param]) {
		f.batch[name] = true
	} else {
		f.missing = append(f.missing, FreeDim{Name: name, Input: input, Axis: axis})
	}
	return 1
}

func sortedNames[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
