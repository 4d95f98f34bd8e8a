package onnx

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/onnxpb"
	"github.com/zkml-go/zkml/tensor"
)

// kinds lists the operators of a graph, without constants and inputs.
func kinds(g *graph.Graph) string {
	var out []string
	for _, n := range g.Nodes {
		switch n.Op.(type) {
		case graph.Const, graph.Input:
		default:
			out = append(out, strings.TrimPrefix(fmt.Sprintf("%T", n.Op), "graph."))
		}
	}
	return strings.Join(out, " ")
}

func runOne(t *testing.T, g *graph.Graph, data ...float64) []float64 {
	t.Helper()
	in := g.Nodes[g.Inputs[0]]
	values, err := g.Run(map[string]*graph.Tensor{in.Op.(graph.Input).Name: {Shape: in.Shape, Data: data}})
	if err != nil {
		t.Fatal(err)
	}
	return values[g.Outputs[0].ID].Data
}

func TestSmallNet(t *testing.T) {
	g, info, err := LoadBytes(smallNet().bytes(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	// Normalisation, bias and alpha are in the weights; the reshape chain is gone.
	want := "Linear Unary Rewire Max Rewire Linear Rewire Unary Rewire Linear Rewire"
	if got := kinds(g); got != want {
		t.Errorf("graph is %s, expected %s", got, want)
	}
	if !info.Inputs[0].Shape.Equal(tensor.Shape{1, 1, 6, 6}) || len(info.Notices) != 1 || !strings.Contains(info.Notices[0], `"batch"`) {
		t.Errorf("inputs %v, notices %q", info.Inputs, info.Notices)
	}
	if g, _, err = LoadBytes(smallNet().bytes(), Options{Dims: map[string]int{"batch": 3}}); err != nil {
		t.Fatal(err)
	}
	if shape := g.Nodes[g.Outputs[0].ID].Shape; !shape.Equal(tensor.Shape{3, 2}) {
		t.Errorf("output for a batch of 3 has shape %v", shape)
	}
}

// TestFolding compares folded graphs with what the operators compute one by one
// in the test.
func TestFolding(t *testing.T) {
	x := []float64{1, -2, 3, 0.5}
	fc := func(opset int64) *modelBuilder {
		return newModel(opset).input("x", Float, 2, 2).weight(floatTensor("w", []int64{2, 2}, 1, 2, 3, 4)).
			node("MatMul", names("x", "w"), names("m"))
	}
	product := []float64{-5, -6, 4.5, 8} // x·w
	tests := []struct {
		name  string
		model *modelBuilder
		kinds string
		want  func(i int) float64
	}{
		{"bias", fc(13).weight(floatTensor("b", []int64{2}, 10, 20)).node("Add", names("m", "b"), names("y")).output("y"),
			"Rewire Linear Rewire", func(i int) float64 { return product[i] + []float64{10, 20}[i%2] }},
		{"scale and bias in turn", fc(13).weight(floatTensor("b", []int64{2}, 10, 20)).weight(floatTensor("s", nil, -2)).
			node("Mul", names("m", "s"), names("k")).node("Sub", names("b", "k"), names("y")).output("y"),
			"Rewire Linear Rewire", func(i int) float64 { return []float64{10, 20}[i%2] + 2*product[i] }},
		{"offset per row is no bias", fc(13).weight(floatTensor("b", []int64{2, 1}, 10, 20)).node("Add", names("m", "b"), names("y")).output("y"),
			"Rewire Linear Rewire Add", func(i int) float64 { return product[i] + []float64{10, 20}[i/2] }},
		{"result read twice", fc(13).weight(floatTensor("b", []int64{2}, 10, 20)).node("Add", names("m", "b"), names("y")).output("y", "m"),
			"Rewire Linear Rewire Add", func(i int) float64 { return product[i] + []float64{10, 20}[i%2] }},
		{"transposed in between", fc(13).weight(floatTensor("b", []int64{2, 1}, 10, 20)).node("Transpose", names("m"), names("t")).
			node("Add", names("t", "b"), names("y")).output("y"),
			"Rewire Linear Rewire", func(i int) float64 { return []float64{-5, 4.5, -6, 8}[i] + []float64{10, 20}[i/2] }},
		{"scales without a linear map", newModel(13).input("x", Float, 2, 2).weight(floatTensor("a", nil, 3)).weight(floatTensor("b", []int64{2}, 1, 2)).
			node("Mul", names("x", "a"), names("k")).node("Add", names("k", "b"), names("l")).node("Div", names("l", "b"), names("y")).output("y"),
			"Rewire Linear Rewire", func(i int) float64 { return 3*x[i]/[]float64{1, 2}[i%2] + 1 }},
		{"a scale and its inverse", newModel(13).input("x", Float, 2, 2).weight(floatTensor("a", nil, 4)).weight(floatTensor("b", []int64{2}, 1, 2)).
			node("Mul", names("x", "a"), names("k")).node("Add", names("k", "b"), names("l")).node("Div", names("l", "a"), names("y")).output("y"),
			"Add", func(i int) float64 { return x[i] + []float64{1, 2}[i%2]/4 }},
		{"scale before a linear map", newModel(13).input("x", Float, 2, 2).weight(floatTensor("a", []int64{2}, 4, 0.5)).weight(floatTensor("b", nil, 1)).
			weight(floatTensor("w", []int64{2, 2}, 1, 2, 3, 4)).node("Mul", names("x", "a"), names("k")).node("Sub", names("k", "b"), names("l")).
			node("MatMul", names("l", "w"), names("y")).output("y"),
			"Rewire Linear Rewire", func(i int) float64 {
				a, b := 4*x[i/2*2]-1, x[i/2*2+1]/2-1
				return []float64{a + 3*b, 2*a + 4*b}[i%2]
			}},
		{"scales too far apart", newModel(13).input("x", Float, 2, 2).weight(floatTensor("a", []int64{2}, 40, 0.5)).
			weight(floatTensor("w", []int64{2, 2}, 1, 2, 3, 4)).node("Mul", names("x", "a"), names("k")).
			node("MatMul", names("k", "w"), names("y")).output("y"),
			"Rewire Linear Rewire Linear Rewire", func(i int) float64 {
				a, b := 40*x[i/2*2], x[i/2*2+1]/2
				return []float64{a + 3*b, 2*a + 4*b}[i%2]
			}},
		{"offset before padding", newModel(13).input("x", Float, 1, 1, 2, 2).weight(floatTensor("a", nil, 2)).
			weight(floatTensor("w", []int64{1, 1, 1, 3}, 0, 1, 1)).node("Add", names("x", "a"), names("k")).
			node("Conv", names("k", "w"), names("y"), intsAttr("pads", 0, 1, 0, 1)).output("y"),
			"Add Linear", func(i int) float64 { return []float64{3 + 0, 0, 5 + 2.5, 2.5}[i] }},
		{"factor before padding", newModel(13).input("x", Float, 1, 1, 2, 2).weight(floatTensor("a", nil, 2)).
			weight(floatTensor("w", []int64{1, 1, 1, 3}, 0, 1, 1)).node("Mul", names("x", "a"), names("k")).
			node("Conv", names("k", "w"), names("y"), intsAttr("pads", 0, 1, 0, 1)).output("y"),
			"Linear", func(i int) float64 { return 2 * []float64{-1, -2, 3.5, 0.5}[i] }},
		{"identities", newModel(13).input("x", Float, 2, 2).weight(floatTensor("a", nil, 1)).weight(floatTensor("b", []int64{2}, 0, 0)).
			node("Mul", names("x", "a"), names("k")).node("Add", names("k", "b"), names("l")).
			node("Transpose", names("l"), names("t")).node("Transpose", names("t"), names("y")).output("y"),
			"", func(i int) float64 { return x[i] }},
		{"padding isn't shifted", newModel(13).input("x", Float, 2, 2).weight(intTensor("p", []int64{4}, 0, 0, 0, 0)).weight(intTensor("p1", []int64{4}, 0, 1, 0, 0)).
			weight(floatTensor("one", nil, 1)).weight(intTensor("s", []int64{2}, 0, 1)).weight(intTensor("e", []int64{2}, 2, 3)).
			node("Pad", names("x", "p1"), names("q")).node("Add", names("q", "one"), names("r")).node("Slice", names("r", "s", "e"), names("y")).output("y"),
			"Rewire Add Rewire", func(i int) float64 { return x[i] + 1 }},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			g := c.model.load(t)
			if got := kinds(g); got != c.kinds {
				t.Errorf("graph is %q, expected %q", got, c.kinds)
			}
			for i, got := range runOne(t, g, x...) {
				if want := c.want(i); math.Abs(got-want) > 1e-6 {
					t.Errorf("element %d is %v, expected %v", i, got, want)
				}
			}
		})
	}
}

func TestNames(t *testing.T) {
	m := newModel(13).input("x", Float, 2, 2).node("Relu", names("x"), names("y")).output("y")
	m.proto.Graph.Node[0].Name = nil
	g := m.load(t)
	if name := g.Nodes[g.Outputs[0].ID].Name; name != "Relu y" {
		t.Errorf("unnamed node is called %q", name)
	}
}

func TestFunctions(t *testing.T) {
	m := functionNet()
	g := m.load(t)
	if got := runOne(t, g, 3, -4); !slices.Equal(got, []float64{12, -2}) {
		t.Errorf("result %v, expected 12 and -2", got)
	}
	if name := g.Nodes[g.Outputs[0].ID].Name; name != "Layer_y/LeakyRelu b" {
		t.Errorf("the last node is called %q", name)
	}
	m.proto.Functions[1].Node[0].OpType = proto.String("Layer")
	m.proto.Functions[1].Node[0].Domain = proto.String("com.example")
	m.proto.Functions[1].Node[0].Input = names("a")
	var limit *LimitError
	if _, _, err := LoadBytes(m.bytes(), Options{}); !errors.As(err, &limit) {
		t.Errorf("error for a function that calls itself is %v", err)
	}
	m.proto.Functions = m.proto.Functions[:1]
	if _, _, err := LoadBytes(m.bytes(), Options{}); !isUnsupported(err) {
		t.Errorf("error for a missing function is %v", err)
	}
	m.proto.Functions[0].OpsetImport = []*onnxpb.OperatorSetIdProto{{Version: proto.Int64(18)}}
	var bad *FormatError
	if _, _, err := LoadBytes(m.bytes(), Options{}); !errors.As(err, &bad) {
		t.Errorf("error for a function of another version is %v", err)
	}
}

func TestOrder(t *testing.T) {
	m := newModel(13).input("x", Float, 2).node("Neg", names("r"), names("y")).node("Relu", names("x"), names("r")).output("y")
	if got := kinds(m.load(t)); got != "Unary Add" {
		t.Errorf("graph is %q", got)
	}
}

// TestFormatErrors loads models that contradict themselves.
func TestFormatErrors(t *testing.T) {
	relu := func() *modelBuilder {
		return newModel(13).input("x", Float, 2, 3).node("Relu", names("x"), names("y")).output("y")
	}
	withWeight := func(p *onnxpb.TensorProto) *modelBuilder {
		return newModel(13).input("x", Float, 2, 3).weight(p).node("Add", names("x", p.GetName()), names("y")).output("y")
	}
	external := func(location string) *onnxpb.TensorProto {
		return &onnxpb.TensorProto{Name: proto.String("w"), DataType: proto.Int32(int32(Float)), Dims: []int64{2, 3},
			DataLocation: onnxpb.TensorProto_EXTERNAL.Enum(),
			ExternalData: []*onnxpb.StringStringEntryProto{{Key: proto.String("location"), Value: proto.String(location)}}}
	}
	edit := func(m *modelBuilder, f func(g *onnxpb.GraphProto)) *modelBuilder {
		f(m.proto.Graph)
		return m
	}
	tests := []struct {
		name, want string
		data       []byte
	}{
		{"empty", "no graph", nil},
		{"not a protobuf", "not a protobuf", []byte("PK\x03\x04 this is a zip file")},
		{"truncated", "not a protobuf", smallNet().bytes()[:200]},
		{"no output", "no output", newModel(13).input("x", Float, 1).bytes()},
		{"dangling operand", `node "Add_y": "z": the node reads a value that nothing defines`,
			newModel(13).input("x", Float, 1).node("Add", names("x", "z"), names("y")).output("y").bytes()},
		{"dangling output", `"z": the graph answers with a value that nothing defines`, relu().output("z").bytes()},
		{"value defined twice", `"y": this value is already defined`, relu().node("Neg", names("x"), names("y")).bytes()},
		{"node overwrites an input", `"x": this value is already defined`, relu().node("Neg", names("y"), names("x")).bytes()},
		{"inputs of one name", "two inputs", relu().input("x", Float, 1).bytes()},
		{"initializers of one name", "two initializers", relu().weight(ramp("w", 1, 1)).weight(ramp("w", 1, 1)).bytes()},
		{"cycle", "cycle", newModel(13).input("x", Float, 1).node("Add", names("x", "b"), names("a")).node("Relu", names("a"), names("b")).output("b").bytes()},
		{"cycle beside the outputs", "cycle", relu().node("Relu", names("b"), names("a")).node("Relu", names("a"), names("b")).bytes()},
		{"node that reads itself", "cycle", newModel(13).node("Relu", names("y"), names("y")).output("y").bytes()},
		{"negative dimension", "negative dimension -2", withWeight(floatTensor("w", []int64{-2}, 1)).bytes()},
		{"raw data too short", "needs 24 bytes of raw data, found 20", withWeight(floatTensor("w", []int64{2, 3}, 1, 2, 3, 4, 5)).bytes()},
		{"typed data too long", "needs 1 stored elements, found 2", withWeight(intTensor("w", []int64{1}, 1, 2)).bytes()},
		{"string tensor", "element type string", withWeight(&onnxpb.TensorProto{Name: proto.String("w"), DataType: proto.Int32(8), Dims: []int64{1}, StringData: [][]byte{{65}}}).bytes()},
		{"element outside of its type", "element 0 = 300, which is outside of type uint8",
			withWeight(&onnxpb.TensorProto{Name: proto.String("w"), DataType: proto.Int32(2), Dims: []int64{1}, Int32Data: []int32{300}}).bytes()},
		{"external data in memory", "not read from a folder", withWeight(external("weights.bin")).bytes()},
		{"sparse weights", "sparse", edit(relu(), func(g *onnxpb.GraphProto) {
			g.SparseInitializer = []*onnxpb.SparseTensorProto{{Values: ramp("w", 1, 1)}}
		}).bytes()},
		{"shapes that don't broadcast", "don't fit together", withWeight(ramp("w", 1, 2)).bytes()},
		{"types that differ", "types float and int64", withWeight(intTensor("w", []int64{1}, 1)).bytes()},
		{"reshape that doesn't fit", "doesn't fit shape", newModel(13).input("x", Float, 2, 3).weight(intTensor("s", []int64{2}, 4, -1)).
			node("Reshape", names("x", "s"), names("y")).output("y").bytes()},
		{"attribute of another type", `attribute "alpha" has type INT`, newModel(13).input("x", Float, 2).node("Elu", names("x"), names("y"), intAttr("alpha", 1)).output("y").bytes()},
		{"attribute given twice", "given twice", newModel(13).input("x", Float, 2).node("Elu", names("x"), names("y"), floatAttr("alpha", 1), floatAttr("alpha", 2)).output("y").bytes()},
		{"input without a shape", "no shape", edit(relu(), func(g *onnxpb.GraphProto) { g.Input[0].GetType().GetTensorType().Shape = nil }).bytes()},
		{"sequence input", "not a tensor", edit(relu(), func(g *onnxpb.GraphProto) {
			g.Input[0].Type = &onnxpb.TypeProto{Value: &onnxpb.TypeProto_SequenceType{SequenceType: &onnxpb.TypeProto_Sequence{}}}
		}).bytes()},
		{"string input", "element type string", newModel(13).input("x", 8, 2).node("Identity", names("x"), names("y")).output("y").bytes()},
		{"window larger than its axis", "doesn't fit a padded axis", newModel(13).input("x", Float, 1, 1, 3).
			node("MaxPool", names("x"), names("y"), intsAttr("kernel_shape", 4)).output("y").bytes()},
		{"gather out of range", "index 2 is outside", newModel(13).input("x", Float, 2).weight(intTensor("i", nil, 2)).
			node("Gather", names("x", "i"), names("y")).output("y").bytes()},
		{"division by a constant zero", "divisor is 0", newModel(13).input("x", Float, 2).weight(floatTensor("z", nil, 0)).
			node("Div", names("x", "z"), names("y")).output("y").bytes()},
		{"division of integers by a constant zero", "element 1 of the divisor is 0", newModel(13).input("x", Int64, 2).weight(intTensor("z", []int64{2}, 1, 0)).
			node("Div", names("x", "z"), names("y")).output("y").bytes()},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := LoadBytes(c.data, Options{})
			var bad *FormatError
			if !errors.As(err, &bad) {
				t.Fatalf("error is %v (%T), expected a *FormatError", err, err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %q, expected it to contain %q", err, c.want)
			}
		})
	}
}

func TestUnsupported(t *testing.T) {
	m := newModel(13).input("x", Float, 2, 2).input("i", Int64, 2).
		node("Relu", names("x"), names("r")).
		node("Cosh", names("r"), names("a")).
		node("Add", names("a", "x"), names("b")).
		node("Gather", names("x", "i"), names("c")).
		node("Attend", names("x"), names("d")).
		node("If", names("x"), names("unused")).
		output("b", "c", "d")
	m.proto.Graph.Node[4].Domain = proto.String("com.example")
	_, _, err := LoadBytes(m.bytes(), Options{})
	var bad *UnsupportedError
	if !errors.As(err, &bad) || !isUnsupported(err) {
		t.Fatalf("error is %v, expected an *UnsupportedError", err)
	}
	var got []string
	for _, n := range bad.Nodes {
		got = append(got, n.Domain+":"+n.OpType+":"+n.Name)
	}
	// All at once; neither what depends on them nor what no output needs.
	if want := []string{":Cosh:Cosh_a", ":Gather:Gather_c", "com.example:Attend:Attend_d"}; !slices.Equal(got, want) {
		t.Errorf("unsupported nodes %q, expected %q", got, want)
	}
	if text := err.Error(); !strings.Contains(text, "com.example.Attend") || !strings.Contains(text, "3 nodes") {
		t.Errorf("error is %q", text)
	}
}

// TestIntegerDivision divides integers by constants, which rounds toward zero, and
// refuses what it can't.
func TestIntegerDivision(t *testing.T) {
	g := newModel(13).input("x", Int64, 2, 2).weight(intTensor("c", []int64{2}, 4, -3)).
		node("Div", names("x", "c"), names("y")).output("y").load(t)
	if got, want := runOne(t, g, 7, 7, -7, -7), []float64{1, -2, -1, 2}; !slices.Equal(got, want) {
		t.Errorf("quotients %v, expected %v", got, want)
	}
	for _, m := range []*modelBuilder{
		newModel(13).input("x", Int64, 2).input("c", Int64, 2),
		newModel(13).weight(intTensor("x", []int64{2}, 5, 6)).input("c", Int64, 2),
		newModel(13).input("x", Int64, 2).weight(intTensor("c", nil, 1<<53+1)),
	} {
		_, _, err := LoadBytes(m.node("Div", names("x", "c"), names("y")).output("y").bytes(), Options{})
		if !isUnsupported(err) {
			t.Errorf("error is %v, expected an *UnsupportedError", err)
		}
	}
}

func TestUnknownAttribute(t *testing.T) {
	m := newModel(13).input("x", Float, 2).node("Relu", names("x"), names("y"), intAttr("leak", 1)).output("y")
	if _, _, err := LoadBytes(m.bytes(), Options{}); !isUnsupported(err) || !strings.Contains(err.Error(), `"leak"`) {
		t.Errorf("error is %v", err)
	}
}

func TestOpset(t *testing.T) {
	for _, version := range []int64{-1, 0, 6, 29, 1 << 40} {
		m := newModel(version).input("x", Float, 1).node("Relu", names("x"), names("y")).output("y")
		_, _, err := LoadBytes(m.bytes(), Options{})
		var bad *OpsetError
		if !errors.As(err, &bad) || bad.Found != version {
			t.Errorf("version %d: error is %v, expected an *OpsetError", version, err)
		}
	}
	for _, version := range []int64{MinOpset, MaxOpset} {
		newModel(version).input("x", Float, 1).node("Relu", names("x"), names("y")).output("y").load(t)
	}
}

func TestFreeDims(t *testing.T) {
	m := newModel(13).input("x", Float, "n", "length", "").input("mask", Float, "length", "length").
		node("Relu", names("x"), names("y")).output("y")
	_, _, err := LoadBytes(m.bytes(), Options{})
	var bad *DimError
	if !errors.As(err, &bad) {
		t.Fatalf("error is %v, expected a *DimError", err)
	}
	want := []FreeDim{{"length", "x", 1}, {"x.2", "x", 2}, {"length", "mask", 0}, {"length", "mask", 1}}
	if !slices.Equal(bad.Dims, want) {
		t.Errorf("free dimensions %v, expected %v", bad.Dims, want)
	}
	if text := err.Error(); !strings.Contains(text, "--dim length=N --dim x.2=N") {
		t.Errorf("error is %q", text)
	}
	_, info, err := LoadBytes(m.bytes(), Options{Dims: map[string]int{"length": 5, "x.2": 7}})
	if err != nil {
		t.Fatal(err)
	}
	if !info.Inputs[0].Shape.Equal(tensor.Shape{1, 5, 7}) || !info.Inputs[1].Shape.Equal(tensor.Shape{5, 5}) {
		t.Errorf("inputs %v", info.Inputs)
	}
	if _, _, err := LoadBytes(m.bytes(), Options{Dims: map[string]int{"length": 5, "x.2": 7, "width": 1}}); err == nil || !strings.Contains(err.Error(), `"width"`) {
		t.Errorf("error for an unknown name is %v", err)
	}
}

func TestLimits(t *testing.T) {
	huge := func(opType string, dims ...int64) []byte {
		return newModel(13).input("x", Float, 1).weight(intTensor("s", []int64{int64(len(dims))}, dims...)).
			node(opType, names("x", "s"), names("y")).output("y").bytes()
	}
	// A graph in an attribute of a node of a graph in an attribute …
	var deep []byte
	for range 100 {
		for _, field := range []protowire.Number{6, 5, 1} { // AttributeProto.g, NodeProto.attribute, GraphProto.node
			deep = append(protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.BytesType), uint64(len(deep))), deep...)
		}
	}
	deep = append(protowire.AppendVarint(protowire.AppendTag(nil, 7, protowire.BytesType), uint64(len(deep))), deep...)
	tests := []struct {
		name   string
		data   []byte
		limits Limits
	}{
		{"dimension of 2^38", newModel(13).input("x", Float, 1<<38).node("Relu", names("x"), names("y")).output("y").bytes(), Limits{}},
		{"product of dimensions", newModel(13).input("x", Float, 1<<20, 1<<20).node("Relu", names("x"), names("y")).output("y").bytes(), Limits{}},
		{"weight of 2^40 elements", newModel(13).input("x", Float, 1).weight(&onnxpb.TensorProto{Name: proto.String("w"), DataType: proto.Int32(1), Dims: []int64{1 << 20, 1 << 20}}).
			node("Add", names("x", "w"), names("y")).output("y").bytes(), Limits{}},
		{"expand", huge("Expand", 1<<27, 1<<27), Limits{}},
		{"tile", huge("Tile", 1<<28), Limits{}},
		{"constant of shape", newModel(13).weight(intTensor("s", []int64{1}, 1<<28)).node("ConstantOfShape", names("s"), names("y")).output("y").bytes(), Limits{}},
		{"nested graphs", deep, Limits{}},
		{"file size", smallNet().bytes(), Limits{FileBytes: 100}},
		{"messages", smallNet().bytes(), Limits{Messages: 10}},
		{"nodes", smallNet().bytes(), Limits{Nodes: 5}},
		{"constants", smallNet().bytes(), Limits{ConstElements: 20}},
		{"index maps", smallNet().bytes(), Limits{RewireElements: 20}},
		{"tensor", smallNet().bytes(), Limits{TensorElements: 30}},
		{"multiplications", smallNet().bytes(), Limits{MACs: 100}},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := LoadBytes(c.data, Options{Limits: c.limits})
			var bad *LimitError
			if !errors.As(err, &bad) {
				t.Fatalf("error is %v (%T), expected a *LimitError", err, err)
			}
		})
	}
}

func TestExternalData(t *testing.T) {
	dir := t.TempDir()
	inside := filepath.Join(dir, "model")
	if err := os.MkdirAll(filepath.Join(inside, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	raw := floatTensor("", nil, 9, 1, 2, 3).RawData
	for _, path := range []string{filepath.Join(inside, "data", "w.bin"), filepath.Join(dir, "secret.bin")} {
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join("..", "secret.bin"), filepath.Join(inside, "link.bin")); err != nil {
		t.Fatal(err)
	}
	load := func(entries ...string) ([]float64, error) {
		w := &onnxpb.TensorProto{Name: proto.String("w"), DataType: proto.Int32(int32(Float)), Dims: []int64{3}, DataLocation: onnxpb.TensorProto_EXTERNAL.Enum()}
		for i := 0; i < len(entries); i += 2 {
			w.ExternalData = append(w.ExternalData, &onnxpb.StringStringEntryProto{Key: &entries[i], Value: &entries[i+1]})
		}
		path := filepath.Join(inside, "model.onnx")
		m := newModel(13).weight(w).node("Identity", names("w"), names("y")).output("y")
		if err := os.WriteFile(path, m.bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		g, _, err := Load(path, Options{})
		if err != nil {
			return nil, err
		}
		return g.Nodes[g.Outputs[0].ID].Op.(graph.Const).Values, nil
	}
	got, err := load("location", "data/w.bin", "offset", "4", "length", "12")
	if err != nil || !slices.Equal(got, []float64{1, 2, 3}) {
		t.Errorf("read %v, %v", got, err)
	}
	for _, c := range []struct {
		want    string
		entries []string
	}{
		{"inside the model's folder", []string{"location", filepath.Join(dir, "secret.bin")}},
		{"inside the model's folder", []string{"location", "../secret.bin"}},
		{"inside the model's folder", []string{"location", "data/../../secret.bin"}},
		{"escapes", []string{"location", "link.bin"}},
		{"inside the model's folder", nil},
		{"not a regular file", []string{"location", "data"}},
		{"no such file", []string{"location", "missing.bin"}},
		{"does not hold 12", []string{"location", "data/w.bin", "offset", "8"}},
		{"does not hold 12", []string{"location", "data/w.bin", "offset", "-1"}},
		{"does not hold 12", []string{"location", "data/w.bin", "offset", "9223372036854775807"}},
		{"length is 16 bytes", []string{"location", "data/w.bin", "length", "16"}},
		{"not a number", []string{"location", "data/w.bin", "offset", "x"}},
	} {
		var bad *FormatError
		if _, err := load(c.entries...); !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error is %v, expected it to contain %q", c.entries, err, c.want)
		}
	}
}

func TestLoadFile(t *testing.T) {
	if _, _, err := Load(filepath.Join(t.TempDir(), "none.onnx"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error for a missing file is %v", err)
	}
	var bad *FormatError
	if _, _, err := Load(t.TempDir(), Options{}); !errors.As(err, &bad) {
		t.Errorf("error for a folder is %v", err)
	}
}

func TestBind(t *testing.T) {
	m := newModel(13).input("x", Float, 2, 3).input("shape", Int64, 2).node("Reshape", names("x", "shape"), names("y")).output("y")
	shape := &Tensor{DType: Int64, Shape: tensor.Shape{2}, Ints: []int64{3, 2}}
	g, info, err := LoadBytes(m.bytes(), Options{Bind: map[string]*Tensor{"shape": shape}})
	if err != nil {
		t.Fatal(err)
	}
	if len(info.Inputs) != 1 || !g.Nodes[g.Outputs[0].ID].Shape.Equal(tensor.Shape{3, 2}) {
		t.Errorf("inputs %v, output %v", info.Inputs, g.Nodes[g.Outputs[0].ID].Shape)
	}
	for name, bind := range map[string]map[string]*Tensor{
		"unknown name":   {"size": shape},
		"too few values": {"shape": {DType: Int64, Shape: tensor.Shape{2}, Ints: []int64{3}}},
		"wrong kind":     {"shape": {DType: Int64, Shape: tensor.Shape{2}, Floats: []float64{3, 2}}},
	} {
		var bad *FormatError
		if _, _, err := LoadBytes(m.bytes(), Options{Bind: bind}); !errors.As(err, &bad) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

// TestOneZero checks that constants hold no negative zero, so that equal models
// have equal bytes.
func TestOneZero(t *testing.T) {
	m := newModel(13).weight(floatTensor("z", []int64{1}, float32(math.Copysign(0, -1)))).node("Identity", names("z"), names("y")).output("y")
	if v := m.load(t).Nodes[0].Op.(graph.Const).Values[0]; math.Signbit(v) {
		t.Error("the constant is -0")
	}
}

// TestFormerPanics has the models that fuzzing found to panic: a Pad without operands,
// and the reciprocal of integers, fixed and computed.
func TestFormerPanics(t *testing.T) {
	for name, m := range map[string]*modelBuilder{
		"pad without operands":               newModel(13).input("x", Float, 2).node("Pad", nil, names("y")).output("y"),
		"pad without operands, old":          newModel(10).input("x", Float, 2).node("Pad", nil, names("y")).output("y"),
		"pad of no operand":                  newModel(13).input("x", Float, 2).weight(intTensor("p", []int64{2}, 1, 1)).node("Pad", names("", "p"), names("y")).output("y"),
		"reciprocal of fixed integers":       newModel(13).input("x", Float, 2).weight(intTensor("i", []int64{2}, 1, 2)).node("Reciprocal", names("i"), names("y")).output("y"),
		"reciprocal of computed integers":    newModel(13).input("x", Int64, 2).node("Reciprocal", names("x"), names("y")).output("y"),
		"reciprocal of integers in constant": newModel(13).input("x", Int32, 2).weight(intTensor("i", nil, 0)).node("Reciprocal", names("i"), names("z")).node("Add", names("x", "z"), names("y")).output("y"),
	} {
		t.Run(name, func(t *testing.T) {
			data := m.bytes()
			if _, _, err := LoadBytes(data, Options{}); err == nil {
				t.Error("it loads")
			}
			checkLoad(t, data)
		})
	}
}
