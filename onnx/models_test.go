package onnx_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/tensor"
)

// TestModelsAgainstOnnxruntime evaluates every model of testdata on its whole
// held-out set and compares with what onnxruntime answered, in float32.
func TestModelsAgainstOnnxruntime(t *testing.T) {
	root := filepath.Join("..", "testdata")
	data, err := os.ReadFile(filepath.Join(root, "models.json"))
	if err != nil {
		t.Fatal(err)
	}
	var models []struct {
		Name        string
		Input       string
		InputScale  string `json:"input_scale"`
		Output      string
		Test        string
		TestSamples int `json:"test_samples"`
	}
	if err := json.Unmarshal(data, &models); err != nil {
		t.Fatal(err)
	}
	if len(models) < 5 {
		t.Fatalf("%d models", len(models))
	}
	for _, m := range models {
		t.Run(m.Name, func(t *testing.T) {
			g, _, err := onnx.Load(filepath.Join(root, m.Name, "model.onnx"), onnx.Options{})
			if err != nil {
				t.Fatal(err)
			}
			arrays, err := inputfile.ReadArrays(filepath.Join(root, filepath.FromSlash(m.Test)))
			if err != nil {
				t.Fatal(err)
			}
			run, err := graph.NewRunner(g)
			if err != nil {
				t.Fatal(err)
			}
			shape := g.Nodes[g.Inputs[0]].Shape
			in := tensor.New[float64](shape)
			size := shape.Size()
			want := arrays["output"].Data
			if n := len(arrays["input"].Data) / size; n != m.TestSamples {
				t.Fatalf("%d samples, expected %d", n, m.TestSamples)
			}
			worst := 0.0
			for s := range m.TestSamples {
				for i, v := range arrays["input"].Data[s*size:][:size] {
					// The network saw float32.
					in.Data[i] = float64(float32(v * scale(t, m.InputScale)))
				}
				values, err := run.Run(map[string]*tensor.Dense[float64]{m.Input: in})
				if err != nil {
					t.Fatal(err)
				}
				got := values[g.Outputs[0].ID].Data
				for i, v := range got {
					w := want[s*len(got)+i]
					worst = max(worst, math.Abs(v-w))
					if !(math.Abs(v-w) <= 1e-3*math.Abs(w)+1e-5) {
						t.Fatalf("sample %d, output %d is %v, onnxruntime answered %v", s, i, v, w)
					}
				}
			}
			t.Logf("%d samples, largest difference %.2g", m.TestSamples, worst)
		})
	}
}

// scale reads "1" or "1/255".
func scale(t *testing.T, text string) float64 {
	t.Helper()
	above, below, _ := strings.Cut(text, "/")
	n, err := strconv.ParseFloat(above, 64)
	if err != nil {
		t.Fatal(err)
	}
	if below == "" {
		return n
	}
	d, err := strconv.ParseFloat(below, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n / d
}
