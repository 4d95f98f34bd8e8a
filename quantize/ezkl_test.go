package quantize_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/internal/shared"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/quantize"
)

// TestEZKL quantizes those of EZKL's example networks that load, each with its
// input as the sample: all of them meet the target and keep to their error bounds.
func TestEZKL(t *testing.T) {
	root := shared.Path(t, "conformance/ezkl")
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	loaded, quantized := 0, 0
	for _, e := range entries {
		g, _, err := onnx.Load(filepath.Join(root, e.Name(), "network.onnx"), onnx.Options{})
		if err != nil {
			t.Logf("%-28s not loaded: %v", e.Name(), err)
			continue
		}
		loaded++
		var samples []quantize.Sample
		in, err := inputfile.Read(filepath.Join(root, e.Name(), "input.json"), inputfile.InputsOf(g))
		if err != nil {
			t.Logf("%-28s no input: %v", e.Name(), err)
		} else {
			samples = append(samples, in)
		}
		start := time.Now()
		p, report, err := quantize.Quantize(t.Context(), g, quantize.Options{Samples: samples})
		if err != nil {
			t.Errorf("%-28s %v", e.Name(), err)
			continue
		}
		quantized++
		if err := p.Validate(); err != nil {
			t.Errorf("%-28s %v", e.Name(), err)
		}
		if !report.Met {
			t.Errorf("%-28s misses the target", e.Name())
		}
		if samples != nil {
			a, err := quantize.Analyze(g, report.Settings)
			if err != nil {
				t.Errorf("%-28s %v", e.Name(), err)
				continue
			}
			if !withinBounds(t, 0, g, a, samples[0]) {
				t.Errorf("%-28s saturates on the sample that it was calibrated on", e.Name())
			}
		}
		for _, out := range report.Outputs {
			t.Logf("%-28s met %v, error %.3g of %.3g, %d nodes, %v", e.Name(), report.Met, out.MaxError, out.Range, len(p.Nodes), time.Since(start).Round(time.Millisecond))
		}
	}
	t.Logf("%d networks: %d loaded, %d quantized within the target", len(entries), loaded, quantized)
}
