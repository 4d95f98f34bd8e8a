package onnx

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/onnxpb"
)

// isUnsupported reports whether loading failed because the model is well formed but
// beyond what this package reads.
func isUnsupported(err error) bool {
	var unsupported *UnsupportedError
	var opset *OpsetError
	return errors.As(err, &unsupported) || errors.As(err, &opset)
}

// modelBuilder writes small ONNX models for tests.
type modelBuilder struct {
	proto *onnxpb.ModelProto
}

func newModel(opset int64) *modelBuilder {
	return &modelBuilder{&onnxpb.ModelProto{
		IrVersion:   proto.Int64(8),
		OpsetImport: []*onnxpb.OperatorSetIdProto{{Version: proto.Int64(opset)}},
		Graph:       &onnxpb.GraphProto{Name: proto.String("test")},
	}}
}

func (m *modelBuilder) bytes() []byte {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(m.proto)
	if err != nil {
		panic(err)
	}
	return data
}

// port describes an input or output; a dimension is an int or a name.
func port(name string, dtype DType, dims ...any) *onnxpb.ValueInfoProto {
	shape := &onnxpb.TensorShapeProto{}
	for _, d := range dims {
		dim := &onnxpb.TensorShapeProto_Dimension{}
		switch d := d.(type) {
		case int:
			dim.Value = &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: int64(d)}
		case string:
			if d != "" {
				dim.Value = &onnxpb.TensorShapeProto_Dimension_DimParam{DimParam: d}
			}
		}
		shape.Dim = append(shape.Dim, dim)
	}
	return &onnxpb.ValueInfoProto{Name: proto.String(name), Type: &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{
		TensorType: &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(int32(dtype)), Shape: shape}}}}
}

func (m *modelBuilder) input(name string, dtype DType, dims ...any) *modelBuilder {
	m.proto.Graph.Input = append(m.proto.Graph.Input, port(name, dtype, dims...))
	return m
}

func (m *modelBuilder) output(names ...string) *modelBuilder {
	for _, name := range names {
		m.proto.Graph.Output = append(m.proto.Graph.Output, &onnxpb.ValueInfoProto{Name: proto.String(name)})
	}
	return m
}

func floatTensor(name string, dims []int64, values ...float32) *onnxpb.TensorProto {
	t := &onnxpb.TensorProto{Name: proto.String(name), DataType: proto.Int32(int32(Float)), Dims: dims}
	for _, v := range values {
		t.RawData = binary.LittleEndian.AppendUint32(t.RawData, math.Float32bits(v))
	}
	return t
}

func intTensor(name string, dims []int64, values ...int64) *onnxpb.TensorProto {
	return &onnxpb.TensorProto{Name: proto.String(name), DataType: proto.Int32(int32(Int64)), Dims: dims, Int64Data: values}
}

func (m *modelBuilder) weight(t *onnxpb.TensorProto) *modelBuilder {
	m.proto.Graph.Initializer = append(m.proto.Graph.Initializer, t)
	return m
}

// ramp is a float tensor with the elements scale·(1, 2, 3, …), alternating in sign.
func ramp(name string, scale float32, dims ...int64) *onnxpb.TensorProto {
	n := int64(1)
	for _, d := range dims {
		n *= d
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = scale * float32(i+1)
		if i%2 == 1 {
			values[i] = -values[i]
		}
	}
	return floatTensor(name, dims, values...)
}

func (m *modelBuilder) node(opType string, inputs, outputs []string, attrs ...*onnxpb.AttributeProto) *modelBuilder {
	m.proto.Graph.Node = append(m.proto.Graph.Node, &onnxpb.NodeProto{
		Name: proto.String(opType + "_" + outputs[0]), OpType: proto.String(opType), Input: inputs, Output: outputs, Attribute: attrs})
	return m
}

func names(list ...string) []string { return list }

func intAttr(name string, v int64) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INT.Enum(), I: proto.Int64(v)}
}

func intsAttr(name string, v ...int64) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INTS.Enum(), Ints: v}
}

func floatAttr(name string, v float32) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_FLOAT.Enum(), F: proto.Float32(v)}
}

func stringAttr(name, v string) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_STRING.Enum(), S: []byte(v)}
}

func (m *modelBuilder) load(t *testing.T) *graph.Graph {
	t.Helper()
	g, _, err := LoadBytes(m.bytes(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// smallNet is a network with a convolution, normalisation, pooling and two fully
// connected layers, and the reshape chain that exporters write.
func smallNet() *modelBuilder {
	return newModel(13).
		input("x", Float, "batch", 1, 6, 6).
		weight(ramp("w1", 0.1, 2, 1, 3, 3)).weight(ramp("b1", 0.1, 2)).
		weight(ramp("scale", 0.5, 2)).weight(ramp("shift", 0.2, 2)).weight(ramp("mean", 0.3, 2)).weight(floatTensor("var", []int64{2}, 0.5, 2)).
		weight(ramp("w2", 0.05, 8, 3)).weight(ramp("b2", 1, 3)).
		weight(ramp("w3", 0.5, 2, 3)).weight(ramp("b3", 0.1, 2)).
		weight(intTensor("zero", nil, 0)).weight(intTensor("axis0", []int64{1}, 0)).weight(intTensor("minus", []int64{1}, -1)).
		node("Conv", names("x", "w1", "b1"), names("c"), intsAttr("kernel_shape", 3, 3)).
		node("BatchNormalization", names("c", "scale", "shift", "mean", "var"), names("n")).
		node("Relu", names("n"), names("r")).
		node("MaxPool", names("r"), names("p"), intsAttr("kernel_shape", 2, 2), intsAttr("strides", 2, 2)).
		node("Shape", names("p"), names("s")).
		node("Gather", names("s", "zero"), names("d")).
		node("Unsqueeze", names("d", "axis0"), names("u")).
		node("Concat", names("u", "minus"), names("t"), intAttr("axis", 0)).
		node("Reshape", names("p", "t"), names("f")).
		node("MatMul", names("f", "w2"), names("m")).
		node("Add", names("m", "b2"), names("h")).
		node("Sigmoid", names("h"), names("a")).
		node("Gemm", names("a", "w3", "b3"), names("y"), intAttr("transB", 1), floatAttr("alpha", 0.5)).
		output("y")
}

// functionNet is a model whose layers are functions that call functions.
func functionNet() *modelBuilder {
	ref := func(name string) *onnxpb.AttributeProto {
		return &onnxpb.AttributeProto{Name: proto.String("alpha"), RefAttrName: proto.String(name), Type: onnxpb.AttributeProto_FLOAT.Enum()}
	}
	body := func(opType, domain string, inputs, outputs []string, attrs ...*onnxpb.AttributeProto) *onnxpb.NodeProto {
		return &onnxpb.NodeProto{OpType: proto.String(opType), Domain: proto.String(domain), Input: inputs, Output: outputs, Attribute: attrs}
	}
	m := newModel(13).input("x", Float, 2).
		node("Layer", names("x"), names("h"), floatAttr("slope", 0.5)).
		node("Layer", names("h"), names("y")).output("y")
	for _, n := range m.proto.Graph.Node {
		n.Domain = proto.String("com.example")
	}
	m.proto.Functions = []*onnxpb.FunctionProto{
		{Name: proto.String("Layer"), Domain: proto.String("com.example"), Input: names("a", "absent"), Output: names("b"),
			AttributeProto: []*onnxpb.AttributeProto{floatAttr("slope", 0.25)},
			Node: []*onnxpb.NodeProto{
				body("Twice", "com.example", names("a"), names("t")),
				body("LeakyRelu", "", names("t"), names("b"), ref("slope"))}},
		{Name: proto.String("Twice"), Domain: proto.String("com.example"), Input: names("a"), Output: names("b"),
			Node: []*onnxpb.NodeProto{body("Add", "", names("a", "a"), names("t")), body("Identity", "", names("t"), names("b"))}},
	}
	return m
}
