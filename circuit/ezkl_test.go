package circuit_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/internal/shared"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/quantize"
)

// beyond names the networks with operators that aren't lowered, and those operators.
var beyond = map[string]string{
	"1l_instance_norm": "InstanceNormalization",
	"1l_lppool":        "Sign",
	"1l_powf":          "Pow", // a fractional exponent
	"1l_sqrt":          "Sqrt",
	"1l_topk":          "TopK",
	"1l_upsample":      "Resize",
	"1l_where":         "Less",
	"bitwise_ops":      "Or",
	"boolean":          "And Xor",
	"decision_tree":    "Less",
	"gather_elements":  "GatherElements",
	"gather_nd":        "GatherND",
	"general_exp":      "Pow", // a computed exponent
	"gru":              "GRU",
	"layernorm":        "LayerNormalization",
	"less":             "Less",
	"linear_svc":       "Greater",
	"log":              "Log",
	"lstm":             "LSTM",
	"lstm_large":       "LSTM",
	"nanoGPT":          "Gather NonZero", // computed indices
	"oh_decision_tree": "Greater OneHot",
	"random_forest":    "Less",
	"reducel1":         "ReduceL1",
	"remainder":        "Floor",
	"rnn":              "RNN",
	"rounding_ops":     "Ceil Floor Round",
	"rsqrt":            "Sqrt",
	"scatter_elements": "ScatterElements",
	"scatter_nd":       "ScatterND",
	"self_attention":   "Sqrt",
	"trig":             "Acos Asin Atan Cos Sin Tan",
	"tril":             "Trilu",
	"triu":             "Trilu",
	"xgboost":          "GatherElements Less",
}

// TestEZKL compiles EZKL's example networks, each with its own input as the only
// sample, and compares circuit and integer interpreter in every tensor. All must
// pass but those of beyond.
func TestEZKL(t *testing.T) {
	root := shared.Path(t, "conformance/ezkl")
	folders, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, f := range folders {
		t.Run(f.Name(), func(t *testing.T) {
			g, _, err := onnx.Load(filepath.Join(root, f.Name(), "network.onnx"), onnx.Options{})
			var unsupported *onnx.UnsupportedError
			if errors.As(err, &unsupported) {
				if found := operators(unsupported); found != beyond[f.Name()] {
					t.Errorf("not loaded for %q, expected %q: %v", found, beyond[f.Name()], err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			in, err := inputfile.Read(filepath.Join(root, f.Name(), "input.json"), inputfile.InputsOf(g))
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			p, report, err := quantize.Quantize(t.Context(), g, quantize.Options{Samples: []quantize.Sample{in}})
			if err != nil {
				t.Fatal(err)
			}
			quantized := time.Since(start)
			start = time.Now()
			c, err := circuit.Compile(context.Background(), p, circuit.Options{Model: f.Name()})
			if err != nil {
				t.Fatal(err)
			}
			compiled := time.Since(start)
			start = time.Now()
			a, err := c.Assign(inputsOf(t, g, p, in), fr.Element{})
			if err != nil {
				t.Fatal(err)
			}
			n, err := c.Check(a)
			if err != nil {
				t.Fatal(err)
			}
			if f.Name() == "lenet_5" && c.Domain() > 1<<17 {
				t.Errorf("%d rows, above the limit of 2^17", c.Rows())
			}
			checked++
			t.Logf("rows %d, met %v, tables %v, quantize %v, compile %v, check %v of %d elements", c.Rows(), report.Met, c.Widths, quantized.Round(time.Millisecond), compiled.Round(time.Millisecond), time.Since(start).Round(time.Millisecond), n)
		})
	}
	t.Logf("%d of %d networks checked", checked, len(folders))
	if checked+len(beyond) != len(folders) {
		t.Errorf("%d networks checked and %d excused, of %d", checked, len(beyond), len(folders))
	}
}

// operators lists the operators of an error, sorted, each once.
func operators(e *onnx.UnsupportedError) string {
	var names []string
	for _, n := range e.Nodes {
		names = append(names, n.OpType)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " ")
}
