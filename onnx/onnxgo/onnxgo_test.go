package onnxgo_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	onnxgolib "github.com/owulveryck/onnx-go"
	"google.golang.org/protobuf/proto"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/onnxpb"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/onnx/onnxgo"
	"github.com/zkml-go/zkml/tensor"
)

// through passes a model through onnx-go.
func through(data []byte, opts onnxgo.Options) (*graph.Graph, error) {
	backend := onnxgo.New()
	model := onnxgolib.NewModel(backend)
	if err := onnxgo.Unmarshal(model, data); err != nil {
		return nil, err
	}
	g, _, err := backend.Graph(model, opts)
	return g, err
}

// nameless encodes a graph without the names of its nodes, which onnx-go drops,
// and its own.
func nameless(t *testing.T, g *graph.Graph) []byte {
	t.Helper()
	c := *g
	c.Name = ""
	c.Nodes = append([]graph.Node{}, g.Nodes...)
	for i := range c.Nodes {
		c.Nodes[i].Name = ""
	}
	data, err := graph.Encode(&c)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestBothDoors loads each model from its file and through onnx-go.
func TestBothDoors(t *testing.T) {
	cases := []struct {
		model string
		opts  onnxgo.Options
	}{
		{"lenet5", onnxgo.Options{Opset: 13}},
		{"mlp", onnxgo.Options{Opset: 17, Shapes: map[string]tensor.Shape{"pixels": {1, 784}}}},
		{"breast_cancer", onnxgo.Options{Opset: 14, Shapes: map[string]tensor.Shape{"features": {1, 30}}}},
		{"diabetes", onnxgo.Options{Opset: 13, Shapes: map[string]tensor.Shape{"features": {1, 10}}}},
		{"tictactoe", onnxgo.Options{Opset: 14}},
	}
	for _, c := range cases {
		t.Run(c.model, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("..", "..", "testdata", c.model, "model.onnx"))
			if err != nil {
				t.Fatal(err)
			}
			want, _, err := onnx.LoadBytes(data, onnx.Options{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := through(data, c.opts)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(nameless(t, got), nameless(t, want)) {
				t.Errorf("the graphs differ:\n%+v\n%+v", got, want)
			}
		})
	}
}

func dims(sizes ...int64) *onnxpb.TensorShapeProto {
	s := &onnxpb.TensorShapeProto{}
	for _, d := range sizes {
		s.Dim = append(s.Dim, &onnxpb.TensorShapeProto_Dimension{Value: &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: d}})
	}
	return s
}

func declared(name string, kind onnxpb.TensorProto_DataType, shape *onnxpb.TensorShapeProto) *onnxpb.ValueInfoProto {
	return &onnxpb.ValueInfoProto{Name: proto.String(name), Type: &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{
		TensorType: &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(int32(kind)), Shape: shape}}}}
}

func floats(name string, shape []int64, values ...float32) *onnxpb.TensorProto {
	return &onnxpb.TensorProto{Name: proto.String(name), Dims: shape, DataType: proto.Int32(int32(onnxpb.TensorProto_FLOAT)), FloatData: values}
}

func longs(name string, values ...int64) *onnxpb.TensorProto {
	return &onnxpb.TensorProto{Name: proto.String(name), Dims: []int64{int64(len(values))},
		DataType: proto.Int32(int32(onnxpb.TensorProto_INT64)), Int64Data: values}
}

func node(op string, outputs, inputs []string, attributes ...*onnxpb.AttributeProto) *onnxpb.NodeProto {
	return &onnxpb.NodeProto{OpType: proto.String(op), Input: inputs, Output: outputs, Attribute: attributes}
}

// modelOf encodes a model of opset 13.
func modelOf(t testing.TB, g *onnxpb.GraphProto) []byte {
	t.Helper()
	data, err := proto.Marshal(&onnxpb.ModelProto{IrVersion: proto.Int64(8), Graph: g,
		OpsetImport: []*onnxpb.OperatorSetIdProto{{Version: proto.Int64(13)}}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

type names = []string

// small is y = op(x) for x of shape [2 3].
func small(nodes ...*onnxpb.NodeProto) *onnxpb.GraphProto {
	float := onnxpb.TensorProto_FLOAT
	return &onnxpb.GraphProto{Node: nodes,
		Input:  []*onnxpb.ValueInfoProto{declared("x", float, dims(2, 3))},
		Output: []*onnxpb.ValueInfoProto{declared("y", float, dims(2, 3))},
	}
}

// TestSmallModels holds what is easy to lose on the way to the file's own graph.
func TestSmallModels(t *testing.T) {
	int1 := func(name string, v int64) *onnxpb.AttributeProto {
		return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INT.Enum(), I: proto.Int64(v)}
	}
	tensor1 := func(name string, v *onnxpb.TensorProto) *onnxpb.AttributeProto {
		return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_TENSOR.Enum(), T: v}
	}
	with := func(g *onnxpb.GraphProto, weights ...*onnxpb.TensorProto) *onnxpb.GraphProto {
		g.Initializer = weights
		return g
	}
	weightInInputs := with(small(node("Add", names{"y"}, names{"x", "w"})), floats("w", []int64{3}, 1, 2, 3))
	weightInInputs.Input = append(weightInInputs.Input, declared("w", onnxpb.TensorProto_FLOAT, dims(3)))
	valueInfo := small(node("Relu", names{"h"}, names{"x"}), node("Neg", names{"y"}, names{"h"}))
	valueInfo.ValueInfo = []*onnxpb.ValueInfoProto{declared("h", onnxpb.TensorProto_FLOAT, dims(2, 3))}
	cases := map[string]*onnxpb.GraphProto{
		"the same operand twice":        small(node("Mul", names{"y"}, names{"x", "x"})),
		"order of operands":             with(small(node("Sub", names{"y"}, names{"w", "x"})), floats("w", []int64{3}, 1, 2, 3)),
		"scalar weight":                 with(small(node("Mul", names{"y"}, names{"x", "w"})), floats("w", nil, 2.5)),
		"weight with one element":       with(small(node("Mul", names{"y"}, names{"x", "w"})), floats("w", []int64{1}, 2.5)),
		"missing optional operand":      with(small(node("Clip", names{"y"}, names{"x", "", "w"})), floats("w", nil, 2.5)),
		"weight declared as an input":   weightInInputs,
		"declared intermediate value":   valueInfo,
		"constant":                      small(node("Constant", names{"c"}, nil, tensor1("value", floats("", []int64{1, 3}, 1, 2, 3))), node("Add", names{"y"}, names{"x", "c"})),
		"two constants without a name":  small(node("Constant", names{"c"}, nil, tensor1("value", floats("", []int64{3}, 1, 2, 3))), node("Constant", names{"d"}, nil, tensor1("value", floats("", []int64{3}, 4, 5, 6))), node("Add", names{"h"}, names{"x", "c"}), node("Add", names{"y"}, names{"h", "d"})),
		"two results":                   with(small(node("Split", names{"a", "b"}, names{"x", "s"}, int1("axis", 1)), node("Concat", names{"y"}, names{"b", "a"}, int1("axis", 1))), longs("s", 1, 2)),
		"integer weight and attribute":  with(small(node("Reshape", names{"r"}, names{"x", "s"}), node("Softmax", names{"z"}, names{"r"}, int1("axis", 0)), node("Reshape", names{"y"}, names{"z", "t"})), longs("s", 3, 2), longs("t", 2, 3)),
		"a weight that is all zeros":    with(small(node("Add", names{"y"}, names{"x", "w"})), floats("w", []int64{3}, 0, 0, 0)),
		"a value read by several nodes": small(node("Relu", names{"h"}, names{"x"}), node("Neg", names{"n"}, names{"h"}), node("Add", names{"y"}, names{"n", "h"})),
	}
	for name, g := range cases {
		t.Run(name, func(t *testing.T) {
			data := modelOf(t, g)
			want, _, err := onnx.LoadBytes(data, onnx.Options{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := through(data, onnxgo.Options{Opset: 13})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(nameless(t, got), nameless(t, want)) {
				t.Errorf("the graphs differ:\n%+v\n%+v", got, want)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	float := onnxpb.TensorProto_FLOAT
	opset := onnxgo.Options{Opset: 13}
	with := func(change func(g *onnxpb.GraphProto)) []byte {
		g := small(node("Relu", names{"y"}, names{"x"}))
		change(g)
		return modelOf(t, g)
	}
	whole := with(func(*onnxpb.GraphProto) {})
	untyped := &onnxpb.AttributeProto{Name: proto.String("alpha"), F: proto.Float32(0.5)}
	twice := func() []byte { // one shape in two parts: 2 and 3, then 2 and 3 again
		model := &onnxpb.ModelProto{}
		if err := proto.Unmarshal(whole, model); err != nil {
			t.Fatal(err)
		}
		part, _ := proto.Marshal(&onnxpb.TypeProto_Tensor{Shape: dims(2, 3)})
		kind := model.Graph.Input[0].Type.GetTensorType()
		kind.ProtoReflect().SetUnknown(part) // written after the known fields
		data, _ := proto.Marshal(model)
		return data
	}()
	cases := []struct {
		name string
		data []byte
		opts onnxgo.Options
		err  error
		want string
	}{
		{"no opset", whole, onnxgo.Options{}, nil, "Options.Opset"},
		{"opset too new", whole, onnxgo.Options{Opset: 99}, nil, "99"},
		{"shape for an unknown input", whole, onnxgo.Options{Opset: 13, Shapes: map[string]tensor.Shape{"z": {1}}}, nil, `"z"`},
		{"not a protobuf", []byte("hello"), opset, onnxgo.ErrRefused, ""},
		{"cut off", whole[:len(whole)-3], opset, onnxgo.ErrRefused, ""},
		{"huge input", with(func(g *onnxpb.GraphProto) { g.Input[0] = declared("x", float, dims(1<<38)) }), opset, onnxgo.ErrRefused, "dimension of 274877906944"},
		{"huge product", with(func(g *onnxpb.GraphProto) { g.Input[0] = declared("x", float, dims(1<<20, 1<<20)) }), opset, onnxgo.ErrRefused, "elements"},
		{"negative dimension", with(func(g *onnxpb.GraphProto) { g.Input[0] = declared("x", float, dims(-1, 3)) }), opset, onnxgo.ErrRefused, "dimension of -1"},
		{"huge value info", with(func(g *onnxpb.GraphProto) {
			g.ValueInfo = []*onnxpb.ValueInfoProto{declared("h", float, dims(1<<38))}
		}), opset, onnxgo.ErrRefused, "dimension"},
		{"many large values", with(func(g *onnxpb.GraphProto) {
			for i := range 5 {
				g.ValueInfo = append(g.ValueInfo, declared(fmt.Sprint("h", i), float, dims(1<<23)))
			}
		}), opset, onnxgo.ErrRefused, "together"},
		{"huge weight", with(func(g *onnxpb.GraphProto) {
			g.Initializer = []*onnxpb.TensorProto{floats("w", []int64{1 << 38}, 1)}
		}), opset, onnxgo.ErrRefused, "dimension"},
		{"shape in two parts", twice, opset, onnxgo.ErrRefused, "stands twice"},
		{"weight with other dimensions than elements", with(func(g *onnxpb.GraphProto) {
			g.Initializer = []*onnxpb.TensorProto{floats("w", []int64{4}, 1)}
		}), opset, onnxgo.ErrPanic, ""},
		{"attribute without a type", modelOf(t, small(node("LeakyRelu", names{"y"}, names{"x"}, untyped))), opset, nil, "doesn't state its type"},
		{"output that nothing computes", with(func(g *onnxpb.GraphProto) { g.Output[0] = declared("z", float, dims(2)) }), opset, nil, `"z"`},
		{"declared value that nothing computes", modelOf(t, func() *onnxpb.GraphProto {
			g := small(node("Add", names{"y"}, names{"x", "h"}))
			g.ValueInfo = []*onnxpb.ValueInfoProto{declared("h", float, dims(2, 3))}
			return g
		}()), opset, nil, `"h"`},
		{"cycle", modelOf(t, small(node("Add", names{"y"}, names{"x", "y"}))), opset, nil, "cycle"},
		{"unsupported operator", modelOf(t, small(node("Frobnicate", names{"y"}, names{"x"}))), opset, nil, "Frobnicate"},
		{"input of strings", with(func(g *onnxpb.GraphProto) {
			g.Input[0] = declared("x", onnxpb.TensorProto_STRING, dims(2))
		}), opset, nil, "element type"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := through(c.data, c.opts)
			if err == nil || (c.err != nil && !errors.Is(err, c.err)) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("found %v, expected %v with %q", err, c.err, c.want)
			}
		})
	}
}

func TestOtherModelsBackend(t *testing.T) {
	data := modelOf(t, small(node("Relu", names{"y"}, names{"x"})))
	model := onnxgolib.NewModel(onnxgo.New())
	if err := onnxgo.Unmarshal(model, data); err != nil {
		t.Fatal(err)
	}
	if _, _, err := onnxgo.New().Graph(model, onnxgo.Options{Opset: 13}); err == nil || !strings.Contains(err.Error(), "isn't in this backend") {
		t.Errorf("found %v", err)
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add(modelOf(f, small(node("Mul", names{"y"}, names{"x", "x"}))))
	g := small(node("Clip", names{"y"}, names{"x", "", "w"}))
	g.Initializer = []*onnxpb.TensorProto{floats("w", nil, 2.5)}
	f.Add(modelOf(f, g))
	f.Fuzz(func(t *testing.T, data []byte) {
		small := onnx.Limits{ConstElements: 1 << 16, RewireElements: 1 << 16, TensorElements: 1 << 16, MACs: 1 << 20}
		if g, err := through(data, onnxgo.Options{Opset: 13, Load: onnx.Options{Limits: small}}); err == nil {
			if err := g.Validate(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func Example() {
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "lenet5", "model.onnx"))
	if err != nil {
		fmt.Println(err)
		return
	}
	backend := onnxgo.New()
	model := onnxgolib.NewModel(backend)
	if err := onnxgo.Unmarshal(model, data); err != nil {
		fmt.Println(err)
		return
	}
	g, info, err := backend.Graph(model, onnxgo.Options{Opset: 13})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Inputs[0].Name, info.Inputs[0].Shape, len(g.Outputs))
	// Output: image [1 1 28 28] 1
}
