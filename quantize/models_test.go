package quantize_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// testModel is a line of testdata/models.json.
type testModel struct {
	Name   string  `json:"name"`
	Input  string  `json:"input"`
	Shape  []int   `json:"input_shape"`
	Scale  string  `json:"input_scale"`
	Metric string  `json:"metric"`
	Value  float64 `json:"metric_value"`
}

// testModels reads the list of trained models.
func testModels(t testing.TB) []testModel {
	t.Helper()
	data, err := os.ReadFile("../testdata/models.json")
	if err != nil {
		t.Fatal(err)
	}
	var models []testModel
	if err := json.Unmarshal(data, &models); err != nil {
		t.Fatal(err)
	}
	return models
}

// load reads a model and its calibration samples.
func (m testModel) load(t testing.TB) (*graph.Graph, []quantize.Sample) {
	t.Helper()
	g, _, err := onnx.Load(filepath.Join("../testdata", m.Name, "model.onnx"), onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	samples, err := inputfile.ReadSamples(filepath.Join("../testdata", m.Name, "samples.json"), inputfile.InputsOf(g))
	if err != nil {
		t.Fatal(err)
	}
	return g, samples
}

// calibrated quantizes a model with default options, once for all tests.
func (m testModel) calibrated(t testing.TB) (*quantize.Program, *quantize.Report) {
	t.Helper()
	if _, ok := calibrations[m.Name]; !ok {
		g, samples := m.load(t)
		start := time.Now()
		p, r, err := quantize.Quantize(t.Context(), g, quantize.Options{Samples: samples})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("calibrated in %v", time.Since(start))
		calibrations[m.Name] = calibration{p, r}
	}
	c := calibrations[m.Name]
	return c.program, c.report
}

// calibration is a cached result; the tests don't run in parallel.
type calibration struct {
	program *quantize.Program
	report  *quantize.Report
}

var calibrations = map[string]calibration{}

// heldOut reads the test set and onnxruntime's answers.
func (m testModel) heldOut(t testing.TB) (inputs []quantize.Sample, outputs [][]float64) {
	t.Helper()
	arrays, err := inputfile.ReadArrays(filepath.Join("../testdata", m.Name, "test.npz"))
	if err != nil {
		t.Fatal(err)
	}
	x, y := arrays["input"], arrays["output"]
	count := x.Shape[0]
	scale := 1.0
	if m.Scale == "1/255" {
		scale = 255
	}
	for k := range count {
		in := &graph.Tensor{Shape: tensor.Shape(m.Shape)}
		width := len(x.Data) / count
		for _, v := range x.Data[k*width:][:width] {
			in.Data = append(in.Data, v/scale)
		}
		inputs = append(inputs, quantize.Sample{m.Input: in})
		width = len(y.Data) / count
		outputs = append(outputs, y.Data[k*width:][:width])
	}
	return inputs, outputs
}

// TestModels calibrates every trained model with default options and compares it
// with onnxruntime on its held-out samples.
func TestModels(t *testing.T) {
	for _, m := range testModels(t) {
		t.Run(m.Name, func(t *testing.T) {
			p, report := m.calibrated(t)
			report.Print(t.Output())
			if !report.Met {
				t.Error("the target is missed")
			}
			out := report.Outputs[0]
			if out.Bound == nil || *out.Bound < out.BoundError || *out.Bound > 50*out.BoundError {
				t.Errorf("the bound doesn't hold or says nothing: %+v", out)
			} else {
				t.Logf("the error bound is %.1f times the error", *out.Bound/out.BoundError)
			}
			inputs, outputs := m.heldOut(t)
			agree, worst := 0, 0.0
			for k := range inputs {
				integers, err := p.QuantizeInputs([][]float64{inputs[k][m.Input].Data}, quantize.Clamp)
				if err != nil {
					t.Fatal(err)
				}
				values, err := p.Run(integers)
				if err != nil {
					t.Fatal(err)
				}
				out := p.Outputs[0].ID
				got := p.Dequantize(out, values[out])
				if largest(got) == largest(outputs[k]) {
					agree++
				}
				for i, v := range got {
					worst = max(worst, v-outputs[k][i], outputs[k][i]-v)
				}
			}
			share := float64(agree) / float64(len(inputs))
			t.Logf("held out: agreement %.2f %% of %d, largest error %.4g of %.4g", 100*share, len(inputs), worst, report.Outputs[0].Range)
			if share < 0.995 {
				t.Errorf("the argmax agrees on %.2f %%", 100*share)
			}
		})
	}
}

// largest is the index of the first largest element.
func largest(v []float64) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}
