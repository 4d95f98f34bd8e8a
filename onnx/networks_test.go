package onnx

import (
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/shared"
)

// unsupportedNetworks are the networks of the shared collection that are refused,
// with the operators that the refusal names.
var unsupportedNetworks = map[string]string{
	"1l_instance_norm": "InstanceNormalization",
	"1l_lppool":        "Sign",
	"1l_powf":          "Pow",
	"1l_sqrt":          "Sqrt",
	"1l_topk":          "TopK",
	"1l_upsample":      "Resize",
	"1l_where":         "Less",
	"bitwise_ops":      "Or",
	"boolean":          "And Xor",
	"decision_tree":    "Less",
	"gather_elements":  "GatherElements",
	"gather_nd":        "GatherND",
	"general_exp":      "Pow",
	"gru":              "GRU",
	"layernorm":        "LayerNormalization",
	"less":             "Less",
	"linear_svc":       "Greater",
	"log":              "Log",
	"lstm":             "LSTM",
	"lstm_large":       "LSTM",
	"nanoGPT":          "Gather NonZero",
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

// TestNetworks loads whole networks as several exporters write them.
func TestNetworks(t *testing.T) {
	root := shared.Path(t, "conformance/ezkl")
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	loaded := 0
	for _, e := range entries {
		g, info, err := Load(filepath.Join(root, e.Name(), "network.onnx"), Options{})
		want := unsupportedNetworks[e.Name()]
		if err != nil {
			if !isUnsupported(err) {
				t.Errorf("%s: %v", e.Name(), err)
			} else if got := unsupportedTypes(err); got != want {
				t.Errorf("%s: refused for %s, expected %q", e.Name(), got, want)
			}
			continue
		}
		if want != "" {
			t.Errorf("%s: loads, expected a refusal for %s", e.Name(), want)
		}
		loaded++
		if len(info.Outputs) != len(g.Outputs) || len(info.Inputs) != len(g.Inputs) {
			t.Errorf("%s: %d of %d inputs and %d of %d outputs described", e.Name(), len(info.Inputs), len(g.Inputs), len(info.Outputs), len(g.Outputs))
		}
		inputs := map[string]*graph.Tensor{}
		for _, p := range info.Inputs {
			x := &graph.Tensor{Shape: p.Shape, Data: make([]float64, p.Shape.Size())}
			for i := range x.Data {
				x.Data[i] = 1
			}
			inputs[p.Name] = x
		}
		if _, err := g.Run(inputs); err != nil {
			t.Errorf("%s: %v", e.Name(), err)
		}
	}
	t.Logf("%d networks load, %d are refused", loaded, len(entries)-loaded)
}

// unsupportedTypes lists the operators of an *UnsupportedError, each once.
func unsupportedTypes(err error) string {
	seen := map[string]bool{}
	var list []string
	for _, n := range err.(*UnsupportedError).Nodes {
		if !seen[n.OpType] {
			seen[n.OpType] = true
			list = append(list, n.OpType)
		}
	}
	sort.Strings(list)
	return strings.Join(list, " ")
}
