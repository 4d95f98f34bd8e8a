package onnx

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/onnxpb"
	"github.com/zkml-go/zkml/internal/shared"
	"github.com/zkml-go/zkml/tensor"
)

// promised are the operators whose every conformance case must pass, or be
// skipped for one of the reasons below other than notPromised.
var promised = strings.Fields(`Gemm MatMul Conv ConvTranspose BatchNormalization Add Sub Mul Div Neg
	Relu LeakyRelu PRelu Clip Sigmoid Tanh Exp Softplus Elu HardSigmoid HardSwish Gelu Erf Abs Softmax
	MaxPool AveragePool GlobalAveragePool GlobalMaxPool ReduceSum ReduceMean ReduceMax ReduceMin ArgMax
	Flatten Reshape Transpose Squeeze Unsqueeze Concat Split Slice Pad Expand Tile Gather Shape Constant
	ConstantOfShape Cast Identity Dropout Max Min`)

// constantOperands lists the operands that lowering needs as constants; the
// harness binds a graph input that feeds one. -1 stands for all.
var constantOperands = map[string][]int{
	"Reshape": {1}, "Expand": {1}, "Tile": {1}, "Slice": {1, 2, 3, 4}, "Gather": {1}, "Pad": {1, 2, 3},
	"Squeeze": {1}, "Unsqueeze": {1}, "Split": {1}, "ReduceSum": {1}, "ReduceMean": {1}, "ReduceMax": {1},
	"ReduceMin": {1}, "ReduceProd": {-1}, "Clip": {1, 2}, "Dropout": {1, 2}, "ConstantOfShape": {0}, "Range": {-1},
	"Where": {0}, "Conv": {1, 2}, "ConvTranspose": {1, 2}, "BatchNormalization": {1, 2, 3, 4}, "PRelu": {1}, "Pow": {1},
	"Equal": {-1}, "Less": {-1}, "LessOrEqual": {-1}, "Greater": {-1}, "GreaterOrEqual": {-1}, "And": {-1}, "Or": {-1},
	"Xor": {-1}, "Not": {-1}, "Floor": {-1}, "Ceil": {-1}, "Round": {-1}, "Sqrt": {-1}, "Log": {-1}, "Sign": {-1}, "Mod": {-1},
}

// The closed list of reasons for which a case may be skipped.
const (
	notPromised  = "operator outside of the supported set"
	oldOpset     = "operator set below 7"
	otherType    = "string, sequence, map or optional value"
	otherNumber  = "complex, 8-, 6- or 4-bit floating-point type"
	threeAxes    = "three spatial axes"
	training     = "training mode"
	poolIndices  = "indices of a maximum pool"
	computedArgs = "operand computed at run time that must be a constant"
	rounding     = "conversion that rounds or narrows computed values"
	empty        = "tensor without elements"
	infinite     = "infinity or NaN"
	sparse       = "sparse tensor"
	overflow     = "integer overflow"
	corrected    = "case that a later edition of the tests corrects"
)

// toleranceExceptions are the cases that need more than rtol 1e-3, with reasons.
var toleranceExceptions = map[string]struct {
	rtol   float64
	reason string
}{
	"node-1.23/test_celu_bfloat16":          {1e-2, "computed in bfloat16, which has 8 bits"},
	"node-1.23/test_celu_bfloat16_expanded": {1e-2, "computed in bfloat16, which has 8 bits"},
}

// skippedCases are skipped for what their data says, not their model.
var skippedCases = map[string]string{
	"node-1.9/test_mul_uint8":                  overflow,
	"node-1.9/test_convtranspose_autopad_same": corrected,
	"node-1.9/test_cast_BFLOAT16_to_FLOAT":     corrected,
}

func TestConformance(t *testing.T) {
	root := shared.Path(t, "conformance/onnx")
	skipped := map[string][]string{}
	passed, failed := 0, 0
	for _, set := range []string{"node-1.9", "node-1.23", "simple", "pytorch-converted", "pytorch-operator"} {
		entries, err := os.ReadDir(filepath.Join(root, set))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !e.IsDir() {
				continue
			}
			name := set + "/" + e.Name()
			reason, err := skippedCases[name], error(nil)
			if reason == "" {
				reason, err = runCase(filepath.Join(root, set, e.Name()), name)
			}
			switch {
			case err != nil:
				failed++
				t.Errorf("%s: %v", name, err)
			case reason != "":
				skipped[reason] = append(skipped[reason], name)
			default:
				passed++
			}
		}
	}
	total := 0
	var reasons []string
	for r := range skipped {
		reasons = append(reasons, r)
		total += len(skipped[r])
	}
	sort.Strings(reasons)
	t.Logf("%d passed, %d failed, %d skipped", passed, failed, total)
	for _, r := range reasons {
		t.Logf("%5d skipped: %s", len(skipped[r]), r)
		if testing.Verbose() {
			for _, name := range skipped[r] {
				t.Logf("            %s", name)
			}
		}
	}
	if passed == 0 {
		t.Error("no case passed")
	}
}

// runCase loads one model and runs its data sets. It returns the reason if the
// case is skipped.
func runCase(dir, name string) (string, error) {
	data, err := os.ReadFile(filepath.Join(dir, "model.onnx"))
	if err != nil {
		return "", err
	}
	model := &onnxpb.ModelProto{}
	if err := proto.Unmarshal(data, model); err != nil {
		return "", err
	}
	sets, err := filepath.Glob(filepath.Join(dir, "test_data_set_*"))
	if err != nil || len(sets) == 0 {
		return "", fmt.Errorf("no data sets: %v", err)
	}
	for _, set := range sets {
		if reason, err := runDataSet(data, model, set, name); reason != "" || err != nil {
			return reason, err
		}
	}
	return "", nil
}

func runDataSet(data []byte, model *onnxpb.ModelProto, set, name string) (string, error) {
	opts := Options{Bind: map[string]*Tensor{}, Dims: map[string]int{}}
	inputs := map[string]*Tensor{}
	bind := inputsToBind(model)
	for i, in := range model.Graph.Input {
		if in.GetType().GetTensorType() == nil {
			return otherType, nil
		}
		t, err := readTensor(filepath.Join(set, fmt.Sprintf("input_%d.pb", i)))
		if errors.Is(err, os.ErrNotExist) && hasInitializer(model, in.GetName()) {
			continue
		}
		if reason := typeReason(err); reason != "" {
			return reason, nil
		}
		if err != nil {
			return "", fmt.Errorf("input %d: %w", i, err)
		}
		if bind[in.GetName()] {
			opts.Bind[in.GetName()] = t
			continue
		}
		inputs[in.GetName()] = t
		for axis, d := range in.GetType().GetTensorType().GetShape().GetDim() {
			if d.GetDimParam() != "" && axis < len(t.Shape) {
				opts.Dims[d.GetDimParam()] = t.Shape[axis]
			}
		}
	}
	for _, out := range model.Graph.Output {
		if out.GetType().GetTensorType() == nil {
			return otherType, nil
		}
	}
	g, info, err := LoadBytes(data, opts)
	if err != nil {
		return skipReason(err)
	}
	values := map[string]*graph.Tensor{}
	for name, t := range inputs {
		values[name] = &graph.Tensor{Shape: t.Shape, Data: t.Float64s()}
	}
	results, err := g.Run(values)
	if err != nil {
		var bad *graph.InputError
		if errors.Is(err, graph.ErrNotFinite) || errors.As(err, &bad) && (strings.Contains(bad.Reason, "Inf") || strings.Contains(bad.Reason, "NaN")) {
			return infinite, nil
		}
		return "", err
	}
	rtol := 1e-3
	if e, ok := toleranceExceptions[name]; ok {
		rtol = e.rtol
	}
	for i, out := range g.Outputs {
		want, err := readTensor(filepath.Join(set, fmt.Sprintf("output_%d.pb", i)))
		if reason := typeReason(err); reason != "" {
			return reason, nil
		}
		if err != nil {
			return "", fmt.Errorf("output %d: %w", i, err)
		}
		if want.DType != info.Outputs[i].DType {
			return "", fmt.Errorf("output %q has type %v, expected %v", out.Name, info.Outputs[i].DType, want.DType)
		}
		got := results[out.ID]
		if err := compare(got.Shape, got.Data, want, rtol); err != nil {
			return "", fmt.Errorf("output %q: %w", out.Name, err)
		}
	}
	return "", nil
}

func compare(shape tensor.Shape, got []float64, want *Tensor, rtol float64) error {
	if !shape.Equal(want.Shape) {
		return fmt.Errorf("shape %v, expected %v", shape, want.Shape)
	}
	for i, w := range want.Float64s() {
		if !(math.Abs(got[i]-w) <= 1e-7+rtol*math.Abs(w)) {
			return fmt.Errorf("element %d is %v, expected %v", i, got[i], w)
		}
	}
	return nil
}

func readTensor(path string) (*Tensor, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return DecodeTensor(data)
}

func hasInitializer(model *onnxpb.ModelProto, name string) bool {
	return slices.ContainsFunc(model.Graph.Initializer, func(t *onnxpb.TensorProto) bool { return t.GetName() == name })
}

func inputsToBind(model *onnxpb.ModelProto) map[string]bool {
	bind, integers := map[string]bool{}, map[string]bool{}
	for _, in := range model.Graph.Input {
		integers[in.GetName()] = DType(in.GetType().GetTensorType().GetElemType()).Integer()
	}
	for _, n := range model.Graph.Node {
		positions := constantOperands[n.GetOpType()]
		for i, in := range n.Input {
			// Integers are divided by constants only.
			divisor := n.GetOpType() == "Div" && i == 1 && integers[in]
			if divisor || slices.Contains(positions, i) || slices.Contains(positions, -1) {
				bind[in] = true
			}
		}
	}
	return bind
}

// typeReason says whether reading a tensor failed because of its element type.
func typeReason(err error) string {
	var bad *FormatError
	if !errors.As(err, &bad) {
		return ""
	}
	if strings.Contains(bad.Problem, "element type string") {
		return otherType
	}
	if strings.Contains(bad.Problem, "element type") {
		return otherNumber
	}
	return ""
}

// skipReason maps an error of Load to a reason of the closed list, or returns the
// error.
func skipReason(err error) (string, error) {
	if reason := typeReason(err); reason != "" {
		return reason, nil
	}
	var opset *OpsetError
	if errors.As(err, &opset) && opset.Found < MinOpset {
		return oldOpset, nil
	}
	var bad *FormatError
	if errors.As(err, &bad) && strings.Contains(bad.Problem, "sparse") {
		return sparse, nil
	}
	var unsupported *UnsupportedError
	if !errors.As(err, &unsupported) {
		return "", err
	}
	for _, n := range unsupported.Nodes {
		if n.OpType == "constant" {
			continue
		}
		if n.Domain != "" || !slices.Contains(promised, n.OpType) {
			return notPromised, nil
		}
	}
	n := unsupported.Nodes[0]
	for _, known := range []struct{ text, reason string }{
		{"spatial axes, at most 2", threeAxes},
		{"training mode", training},
		{"second result, the indices", poolIndices},
		{"is not a constant", computedArgs},
		{"rounds a computed", rounding},
		{"narrows a computed", rounding},
		{"has no elements", empty},
		{"without elements", empty},
		{"finite", infinite},
		{"it converts to string", otherType},
		{"it converts to", otherNumber},
	} {
		if strings.Contains(n.Reason, known.text) {
			return known.reason, nil
		}
	}
	return "", err
}
