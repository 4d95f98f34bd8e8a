package onnx

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/onnxpb"
)

// fuzzLimits keep one execution short.
var fuzzLimits = Limits{FileBytes: 1 << 16, Messages: 1 << 10, Nodes: 256, ConstElements: 1 << 14,
	RewireElements: 1 << 16, TensorElements: 1 << 12, MACs: 1 << 20}

// checkLoad loads a model and checks what must hold whatever the bytes are: a
// typed error, or a valid graph that can be run or says why not.
func checkLoad(t *testing.T, data []byte) {
	g, _, err := LoadBytes(data, Options{Limits: fuzzLimits})
	if err != nil {
		var format *FormatError
		var opset *OpsetError
		var unsupported *UnsupportedError
		var dim *DimError
		var limit *LimitError
		var path *fs.PathError
		if !errors.As(err, &format) && !errors.As(err, &opset) && !errors.As(err, &unsupported) &&
			!errors.As(err, &dim) && !errors.As(err, &limit) && !errors.As(err, &path) {
			t.Fatalf("error of no known type: %v", err)
		}
		return
	}
	inputs := map[string]*graph.Tensor{}
	for _, id := range g.Inputs {
		n := g.Nodes[id]
		x := &graph.Tensor{Shape: n.Shape, Data: make([]float64, n.Shape.Size())}
		for i := range x.Data {
			x.Data[i] = float64(i%5 - 2)
		}
		inputs[n.Op.(graph.Input).Name] = x
	}
	values, err := g.Run(inputs)
	if err != nil {
		if !errors.Is(err, graph.ErrNotFinite) {
			t.Fatalf("loaded, but can't be run: %v", err)
		}
		return
	}
	checkPlain(t, data, g, inputs, values)
}

// checkPlain compares a graph with what the same model gives without folding.
func checkPlain(t *testing.T, data []byte, g *graph.Graph, inputs map[string]*graph.Tensor, values graph.Values) {
	plain, err := loadPlain(data)
	if err != nil {
		return // a limit, or an infinity that is folded away
	}
	expected, err := plain.Run(inputs)
	if err != nil {
		return
	}
	// Rounding the constants is magnified by large values, and by an argmax.
	for i, n := range plain.Nodes {
		if _, ok := n.Op.(graph.ArgMax); ok {
			return
		}
		for _, v := range expected[i].Data {
			if math.Abs(v) > 100 {
				return
			}
		}
	}
	for k, out := range g.Outputs {
		got, want := values[out.ID], expected[plain.Outputs[k].ID]
		if !got.Shape.Equal(want.Shape) {
			t.Fatalf("shape %v, without folding %v", got.Shape, want.Shape)
		}
		for i := range want.Data {
			if math.Abs(got.Data[i]-want.Data[i]) > 1e-3*(1+math.Abs(want.Data[i])) {
				t.Fatalf("element %d is %v, without folding %v", i, got.Data[i], want.Data[i])
			}
		}
	}
}

// loadPlain is LoadBytes without any simplification.
func loadPlain(data []byte) (*graph.Graph, error) {
	b := &budget{limits: fuzzLimits}
	model := &onnxpb.ModelProto{}
	if err := unmarshal(data, model, b); err != nil {
		return nil, err
	}
	m, err := checkModel(model, Options{}, b)
	if err != nil {
		return nil, err
	}
	l, err := m.lower(Options{})
	if err != nil {
		return nil, err
	}
	s := newSimplifier(l.builder)
	if err := s.materialize(); err != nil {
		return nil, err
	}
	s.renumber()
	return l.graph()
}

// seeds are models that reach most operators.
func seeds() []*modelBuilder {
	x4 := func(opset int64) *modelBuilder { return newModel(opset).input("x", Float, 1, 2, 4, 4) }
	return []*modelBuilder{
		smallNet(),
		functionNet(),
		x4(13).weight(ramp("w", 0.1, 2, 2, 3, 3)).node("ConvTranspose", names("x", "w"), names("y"), intsAttr("strides", 2, 2), intsAttr("pads", 1, 1, 1, 1)).output("y"),
		x4(13).node("AveragePool", names("x"), names("y"), intsAttr("kernel_shape", 3, 3), intAttr("ceil_mode", 1), stringAttr("auto_pad", "SAME_UPPER")).output("y"),
		x4(13).node("ReduceMean", names("x"), names("a"), intsAttr("axes", -1, 1)).node("Softmax", names("a"), names("y"), intAttr("axis", 2)).output("y"),
		x4(13).node("ArgMax", names("x"), names("y"), intAttr("axis", 1), intAttr("select_last_index", 1)).output("y"),
		x4(13).weight(intTensor("s", []int64{2}, 1, -1)).weight(intTensor("e", []int64{2}, math.MaxInt64, math.MinInt64)).weight(intTensor("a", []int64{2}, 1, 3)).weight(intTensor("p", []int64{2}, 1, -2)).
			node("Slice", names("x", "s", "e", "a", "p"), names("y")).output("y"),
		x4(13).weight(intTensor("p", []int64{8}, 0, 0, 1, 2, 0, 0, 2, 1)).node("Pad", names("x", "p"), names("y"), stringAttr("mode", "reflect")).output("y"),
		x4(13).weight(intTensor("p", []int64{2}, 1, 1)).node("Split", names("x", "p"), names("a", "b"), intAttr("axis", 1)).
			node("Concat", names("b", "a", "x"), names("y"), intAttr("axis", 1)).output("y"),
		x4(13).node("MatMul", names("x", "x"), names("a")).node("Mul", names("a", "x"), names("b")).node("Div", names("b", "x"), names("y")).output("y"),
		x4(13).weight(ramp("s", 0.1, 2, 1, 1)).node("PRelu", names("x", "s"), names("a")).node("Max", names("a", "x", "s"), names("y")).output("y"),
		x4(13).weight(intTensor("i", []int64{2, 2}, 0, -1, 3, 1)).node("Gather", names("x", "i"), names("a"), intAttr("axis", 2)).
			node("Transpose", names("a"), names("y"), intsAttr("perm", 4, 3, 0, 1, 2)).output("y"),
		newModel(9).input("x", Float, 2, 3).node("Clip", names("x"), names("a"), floatAttr("min", -1), floatAttr("max", 1)).
			node("Softmax", names("a"), names("b")).node("Dropout", names("b"), names("c", "m")).node("Squeeze", names("c"), names("y"), intsAttr("axes", 0)).output("y"),
		newModel(18).input("x", Float, 2, "n").weight(intTensor("s", []int64{3}, 4, 2, 3)).node("Expand", names("x", "s"), names("y")).output("y"),
		newModel(11).weight(intTensor("a", nil, 0)).weight(intTensor("b", nil, 10)).weight(intTensor("c", nil, 3)).
			node("Range", names("a", "b", "c"), names("r")).node("Cast", names("r"), names("f"), intAttr("to", 1)).node("Sqrt", names("f"), names("y")).output("y"),
	}
}

func FuzzLoad(f *testing.F) {
	for _, m := range seeds() {
		f.Add(m.bytes())
	}
	f.Fuzz(checkLoad)
}

// FuzzTensor feeds arbitrary bytes to the reader of TensorProto files.
func FuzzTensor(f *testing.F) {
	f.Add([]byte{})
	for _, p := range []*onnxpb.TensorProto{ramp("w", 1, 2, 3), intTensor("i", []int64{2}, 1, -1)} {
		data, err := proto.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := DecodeTensor(data)
		if err == nil && len(x.Ints)+len(x.Floats) != x.Shape.Size() {
			t.Fatalf("shape %v with %d elements", x.Shape, len(x.Ints)+len(x.Floats))
		}
	})
}

// FuzzLower builds models of well-formed nodes with arbitrary operators,
// operands and attributes: each byte of the input is a choice.
func FuzzLower(f *testing.F) {
	for i := range 64 {
		data := make([]byte, 96)
		for k := range data {
			data[k] = byte(i*31 + k*k*7)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &chooser{data: data}
		checkLoad(t, c.model().bytes())
	})
}

// chooser turns bytes into choices; it chooses 0 when they are used up.
type chooser struct {
	data []byte
	base []int64 // a shape that many tensors share
}

func (c *chooser) below(n int) int {
	if len(c.data) == 0 {
		return 0
	}
	v := int(c.data[0])
	c.data = c.data[1:]
	return v % n
}

// integer is mostly small, sometimes at the edge of what fits.
func (c *chooser) integer() int64 {
	extremes := []int64{math.MaxInt64, math.MinInt64, 1 << 31, -1 << 31, 1 << 28, 1000}
	if k := c.below(64); k < len(extremes) {
		return extremes[k]
	}
	return int64(c.below(8) - 2)
}

// integers is a list that often has an entry for each axis, or two.
func (c *chooser) integers() []int64 {
	rank := len(c.base)
	list := make([]int64, []int{rank, rank, 2 * rank, max(rank-2, 0), 1, 2, c.below(5), rank}[c.below(8)])
	for i := range list {
		list[i] = c.integer()
	}
	return list
}

func (c *chooser) dims() []int64 {
	switch c.below(4) {
	case 0, 1:
		return c.base
	case 2:
		return c.base[c.below(len(c.base)+1):]
	}
	return c.shape()
}

func (c *chooser) shape() []int64 {
	list := make([]int64, []int{4, 3, 2, 4, 3, 1, 0, 5}[c.below(8)])
	for i := range list {
		list[i] = []int64{1, 2, 3, 4, 1, 2, 5, 4}[c.below(8)]
		if c.below(64) == 0 {
			list[i] = 0
		}
	}
	return list
}

// usage says how often an operator takes operands and which attributes it reads.
// Operators not listed take one operand and no attribute.
var usage = map[string]struct {
	operands   int
	attributes string
}{
	"Add": {2, ""}, "Sub": {2, ""}, "Mul": {2, ""}, "Div": {2, ""}, "Pow": {2, ""}, "Mod": {2, "fmod"}, "Max": {3, ""}, "Min": {3, ""},
	"Sum": {3, ""}, "Mean": {2, ""}, "And": {2, ""}, "Or": {2, ""}, "Xor": {2, ""}, "Equal": {2, ""}, "Less": {2, ""}, "Greater": {2, ""},
	"LessOrEqual": {2, ""}, "GreaterOrEqual": {2, ""}, "Where": {3, ""}, "PRelu": {2, ""}, "CastLike": {2, ""}, "MatMul": {2, ""},
	"Gemm": {3, "transA transB alpha beta"}, "BatchNormalization": {5, "epsilon spatial training_mode"},
	"Conv":          {3, "strides pads dilations auto_pad group kernel_shape"},
	"ConvTranspose": {3, "strides pads dilations auto_pad group output_padding output_shape"},
	"MaxPool":       {1, "kernel_shape kernel_shape kernel_shape kernel_shape strides pads dilations auto_pad ceil_mode"},
	"AveragePool":   {1, "kernel_shape kernel_shape kernel_shape kernel_shape strides pads dilations auto_pad ceil_mode count_include_pad"},
	"ReduceSum":     {2, "axes keepdims noop_with_empty_axes"}, "ReduceMean": {2, "axes keepdims noop_with_empty_axes"},
	"ReduceMax": {1, "axes keepdims noop_with_empty_axes"}, "ReduceMin": {1, "axes keepdims"}, "ReduceProd": {1, "axes keepdims"},
	"ArgMax": {1, "axis keepdims select_last_index"}, "Softmax": {1, "axis"}, "Flatten": {1, "axis"}, "Concat": {3, "axis axis axis"},
	"Split": {2, "axis split num_outputs"}, "Squeeze": {2, "axes"}, "Unsqueeze": {2, "axes"}, "Reshape": {2, "allowzero"},
	"Transpose": {1, "perm"}, "Slice": {5, "starts ends axes"}, "Pad": {4, "pads mode value"}, "Expand": {2, ""}, "Tile": {2, ""},
	"Gather": {2, "axis"}, "Shape": {1, "start end"}, "Cast": {1, "to"}, "Clip": {3, "min max"}, "Elu": {1, "alpha"}, "LeakyRelu": {1, "alpha"},
	"HardSigmoid": {1, "alpha beta"}, "Gelu": {1, "approximate"}, "Selu": {1, "alpha gamma"}, "Celu": {1, "alpha"}, "Dropout": {3, ""},
	"Constant": {0, "value_int value_ints value_float"}, "Range": {3, ""}, "DepthToSpace": {1, "blocksize mode"}, "SpaceToDepth": {1, "blocksize"},
}

// kernel is the shape of weights for a convolution over the shared shape.
func (c *chooser) kernel() []int64 {
	dims := []int64{int64(1 + c.below(4)), int64(1 + c.below(3))}
	if len(c.base) > 1 && c.below(4) > 0 {
		dims[c.below(2)] = c.base[1]
	}
	for range max(len(c.base)-2, 0) {
		dims = append(dims, int64(1+c.below(3)))
	}
	return dims
}

// attribute chooses a value for an attribute by its name.
func (c *chooser) attribute(name string) *onnxpb.AttributeProto {
	switch name {
	case "kernel_shape", "strides", "dilations", "output_padding", "output_shape", "pads":
		list := make([]int64, max(len(c.base)-2, 0))
		if name == "pads" {
			list = make([]int64, 2*max(len(c.base)-2, 0))
		}
		for i := range list {
			list[i] = int64(1 + c.below(3))
			if c.below(32) == 0 {
				list[i] = c.integer()
			}
		}
		return intsAttr(name, list...)
	case "axes", "perm", "split", "starts", "ends", "value_ints":
		return intsAttr(name, c.integers()...)
	case "alpha", "beta", "epsilon", "gamma", "min", "max", "value", "value_float":
		return floatAttr(name, float32(c.below(9)-2)/2)
	case "auto_pad", "mode", "approximate":
		values := map[string][]string{"auto_pad": {"SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"}, "approximate": {"tanh", "none"},
			"mode": {"constant", "edge", "reflect", "wrap", "DCR", "CRD"}}[name]
		return stringAttr(name, values[c.below(len(values))])
	}
	return intAttr(name, c.integer())
}

func (c *chooser) attributes(opType string) []*onnxpb.AttributeProto {
	var list []*onnxpb.AttributeProto
	seen := map[string]bool{}
	for _, name := range strings.Fields(usage[opType].attributes) {
		if !seen[name] && c.below(3) == 0 {
			seen[name] = true
			list = append(list, c.attribute(name))
		}
	}
	return list
}

func (c *chooser) operands(opType string, values []string) []string {
	u, ok := usage[opType]
	if !ok {
		u.operands = 1
	}
	inputs := make([]string, u.operands)
	for k := range inputs {
		inputs[k] = values[c.below(len(values))]
	}
	if len(inputs) > 0 && c.below(2) == 0 { // what came last, or the first input
		inputs[0] = values[(len(values)-1)*c.below(2)]
	}
	for len(inputs) > 1 && c.below(8) == 0 {
		inputs = inputs[:len(inputs)-1]
	}
	return inputs
}

func (c *chooser) model() *modelBuilder {
	m := newModel(int64(MinOpset + c.below(MaxOpset-MinOpset+1)))
	c.base = c.shape()
	var values []string
	for i := range 2 {
		var dims []any
		for _, d := range c.dims() {
			dims = append(dims, int(d))
		}
		name := fmt.Sprintf("x%d", i)
		m.input(name, []DType{Float, Float, Float, Int64}[c.below(4)], dims...)
		values = append(values, name)
	}
	for i := range 3 {
		w := ramp(fmt.Sprintf("w%d", i), 0.5, c.dims()...)
		list := c.integers()
		n := intTensor(fmt.Sprintf("i%d", i), []int64{int64(len(list))}, list...)
		m.weight(w).weight(n)
		values = append(values, w.GetName(), n.GetName())
	}
	opTypes := Operators()
	for i := range 1 + c.below(4) {
		opType := opTypes[c.below(len(opTypes))]
		if c.below(4) == 0 {
			opType = []string{"Conv", "ConvTranspose", "MaxPool", "AveragePool", "Slice", "Pad", "Gemm", "BatchNormalization"}[c.below(8)]
		}
		inputs := c.operands(opType, values)
		if strings.Contains("Reshape Expand Tile Slice Pad Gather Squeeze Unsqueeze Split ReduceSum ReduceMean", opType) {
			for k := 1; k < len(inputs); k++ { // these take lists of integers
				inputs[k] = fmt.Sprintf("i%d", c.below(3))
			}
		}
		if opType == "Conv" || opType == "ConvTranspose" { // weights of the right rank, mostly no bias
			w := ramp(fmt.Sprintf("k%d", i), 0.5, c.kernel()...)
			m.weight(w)
			inputs = append([]string{inputs[0], w.GetName()}, inputs[min(len(inputs), 2):]...)
		}
		outputs := []string{fmt.Sprintf("y%d", i)}
		if c.below(8) == 0 && (opType == "Split" || opType == "Dropout") {
			outputs = append(outputs, fmt.Sprintf("z%d", i))
		}
		m.node(opType, inputs, outputs, c.attributes(opType)...)
		values = append(values, outputs...)
	}
	return m.output(values[len(values)-1])
}
