package onnxgo

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/owulveryck/onnx-go"
	"google.golang.org/protobuf/proto"
	gorgonia "gorgonia.org/tensor"

	zkgraph "github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/onnxpb"
	zkonnx "github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/tensor"
)

// Options gives what onnx-go doesn't keep.
type Options struct {
	// Opset is the version of ONNX's operator set that the model uses. It must be
	// given; package onnx reads 7 to 28.
	Opset int
	// Shapes are the shapes of inputs, by name. An input with a free dimension
	// needs one, a free batch dimension being 1.
	Shapes map[string]tensor.Shape
	// Load is passed on to package onnx.
	Load zkonnx.Options
}

// Graph lowers the model that onnx-go has decoded into this backend; m is the
// model whose backend this is. Errors are those of onnx.Load, whose file is this
// model written down again.
func (b *Backend) Graph(m *onnx.Model, opts Options) (*zkgraph.Graph, *zkonnx.Info, error) {
	if opts.Opset == 0 {
		return nil, nil, fmt.Errorf("onnx-go doesn't keep the version of the operator set: give it in Options.Opset")
	}
	model, err := b.rebuild(m, opts)
	if err != nil {
		return nil, nil, err
	}
	data, err := proto.Marshal(model)
	if err != nil {
		return nil, nil, fmt.Errorf("write the model down: %w", err)
	}
	return zkonnx.LoadBytes(data, opts.Load)
}

// rebuild writes the recorded model as a ModelProto. Values are told apart by
// name: onnx-go makes a second node for a value that is declared twice.
func (b *Backend) rebuild(m *onnx.Model, opts Options) (*onnxpb.ModelProto, error) {
	g := &onnxpb.GraphProto{}
	defined := make(map[string]bool) // inputs and results
	for _, id := range m.Input {
		v, err := b.value(id)
		if err != nil {
			return nil, err
		}
		declared, err := inputDeclaration(v, opts.Shapes[v.name])
		if err != nil {
			return nil, err
		}
		g.Input = append(g.Input, declared)
		defined[v.name] = true
	}
	for name := range opts.Shapes {
		if !defined[name] {
			return nil, fmt.Errorf("the model has no input %q to give a shape to", name)
		}
	}
	lastDeclared := int64(-1)
	for _, id := range m.Output {
		v, err := b.value(id)
		if err != nil {
			return nil, err
		}
		lastDeclared = max(lastDeclared, id)
		g.Output = append(g.Output, &onnxpb.ValueInfoProto{Name: proto.String(v.name)})
	}
	for _, op := range b.operations {
		for _, out := range op.outputs {
			defined[out.name] = true
		}
	}
	for _, op := range b.operations {
		node, err := op.node()
		if err != nil {
			return nil, err
		}
		g.Node = append(g.Node, node)
	}
	weights, err := b.weights(defined, lastDeclared)
	if err != nil {
		return nil, err
	}
	g.Initializer = weights
	return &onnxpb.ModelProto{
		IrVersion:   proto.Int64(8),
		OpsetImport: []*onnxpb.OperatorSetIdProto{{Version: proto.Int64(int64(opts.Opset))}},
		Graph:       g,
	}, nil
}

// value returns the value with the given ID.
func (b *Backend) value(id int64) (*value, error) {
	if v, ok := b.Node(id).(*value); ok {
		return v, nil
	}
	return nil, fmt.Errorf("the model's node %d isn't in this backend: was the model decoded into it?", id)
}

// weights returns the constants: values that hold elements and that nothing
// computes. A declared value holds an empty tensor of its shape before it gets its
// elements, so that one alone makes no weight; onnx-go creates the declared values
// first.
func (b *Backend) weights(defined map[string]bool, lastDeclared int64) ([]*onnxpb.TensorProto, error) {
	var weights []*onnxpb.TensorProto
	for id := range b.created {
		v, ok := b.Node(id).(*value)
		if !ok || v.times == 0 || defined[v.name] || (id <= lastDeclared && v.times < 2) {
			continue
		}
		w, err := encodeTensor(v.data)
		if err != nil {
			return nil, fmt.Errorf("weight %q: %w", v.name, err)
		}
		w.Name = proto.String(v.name)
		weights = append(weights, w)
		defined[v.name] = true
	}
	return weights, nil
}

// inputDeclaration declares an input with its own shape or the one given.
func inputDeclaration(v *value, given tensor.Shape) (*onnxpb.ValueInfoProto, error) {
	if v.data == nil {
		return nil, fmt.Errorf("input %q is declared without a type", v.name)
	}
	dtype, ok := dtypes[v.data.Dtype()]
	if !ok {
		return nil, fmt.Errorf("input %q has element type %v, which is not supported", v.name, v.data.Dtype())
	}
	shape := tensor.Shape(v.data.Shape())
	if given != nil {
		shape = given
	}
	dims := &onnxpb.TensorShapeProto{}
	for _, d := range shape {
		dims.Dim = append(dims.Dim, &onnxpb.TensorShapeProto_Dimension{
			Value: &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: int64(d)},
		})
	}
	return &onnxpb.ValueInfoProto{
		Name: proto.String(v.name),
		Type: &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{
			TensorType: &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(int32(dtype)), Shape: dims},
		}},
	}, nil
}

// node writes an operation as a NodeProto.
func (op *operation) node() (*onnxpb.NodeProto, error) {
	n := &onnxpb.NodeProto{OpType: proto.String(op.Name)}
	for _, v := range op.outputs {
		n.Output = append(n.Output, v.name)
	}
	// onnx-go gives an operation without operands an empty one.
	if op.Name != "Constant" {
		for _, v := range op.inputs {
			name := ""
			if v != nil {
				name = v.name
			}
			n.Input = append(n.Input, name)
		}
	}
	var names []string
	for name := range op.Attributes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		a, err := encodeAttribute(op.Attributes[name])
		if err != nil {
			return nil, fmt.Errorf("attribute %q of %s, which computes %q: %w", name, op.Name, n.Output[0], err)
		}
		a.Name = proto.String(name)
		n.Attribute = append(n.Attribute, a)
	}
	return n, nil
}

// encodeAttribute writes one of the Go values that onnx-go makes of attributes.
func encodeAttribute(v any) (*onnxpb.AttributeProto, error) {
	a := &onnxpb.AttributeProto{}
	switch v := v.(type) {
	case float32:
		a.Type, a.F = onnxpb.AttributeProto_FLOAT.Enum(), proto.Float32(v)
	case int64:
		a.Type, a.I = onnxpb.AttributeProto_INT.Enum(), proto.Int64(v)
	case string:
		a.Type, a.S = onnxpb.AttributeProto_STRING.Enum(), []byte(v)
	case []float32:
		a.Type, a.Floats = onnxpb.AttributeProto_FLOATS.Enum(), v
	case []int64:
		a.Type, a.Ints = onnxpb.AttributeProto_INTS.Enum(), v
	case []string:
		a.Type = onnxpb.AttributeProto_STRINGS.Enum()
		for _, s := range v {
			a.Strings = append(a.Strings, []byte(s))
		}
	case gorgonia.Tensor:
		t, err := encodeTensor(v)
		if err != nil {
			return nil, err
		}
		a.Type, a.T = onnxpb.AttributeProto_TENSOR.Enum(), t
	case struct{}:
		return nil, fmt.Errorf("the file doesn't state its type, and onnx-go drops it then; export the model with a newer exporter")
	default:
		return nil, fmt.Errorf("onnx-go gives it as a %T, which is not supported", v)
	}
	return a, nil
}

// dtypes are ONNX's names of the element types that onnx-go knows.
var dtypes = map[gorgonia.Dtype]onnxpb.TensorProto_DataType{
	gorgonia.Float32: onnxpb.TensorProto_FLOAT,
	gorgonia.Float64: onnxpb.TensorProto_DOUBLE,
	gorgonia.Int8:    onnxpb.TensorProto_INT8,
	gorgonia.Int16:   onnxpb.TensorProto_INT16,
	gorgonia.Int32:   onnxpb.TensorProto_INT32,
	gorgonia.Int64:   onnxpb.TensorProto_INT64,
	gorgonia.Uint8:   onnxpb.TensorProto_UINT8,
	gorgonia.Uint16:  onnxpb.TensorProto_UINT16,
	gorgonia.Uint32:  onnxpb.TensorProto_UINT32,
	gorgonia.Uint64:  onnxpb.TensorProto_UINT64,
	gorgonia.Bool:    onnxpb.TensorProto_BOOL,
}

// encodeTensor writes a tensor with its elements as raw data. gorgonia gives the
// elements as a slice, and that of a scalar as itself.
func encodeTensor(t gorgonia.Tensor) (*onnxpb.TensorProto, error) {
	dtype, ok := dtypes[t.Dtype()]
	if !ok {
		return nil, fmt.Errorf("element type %v is not supported", t.Dtype())
	}
	p := &onnxpb.TensorProto{DataType: proto.Int32(int32(dtype))}
	for _, d := range t.Shape() {
		p.Dims = append(p.Dims, int64(d))
	}
	raw, err := binary.Append(nil, binary.LittleEndian, t.Data())
	if err != nil {
		return nil, fmt.Errorf("elements: %w", err)
	}
	p.RawData = raw
	return p, nil
}
