package quantize_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/internal/shared"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/quantize"
)

// TestEZKL quantizes those of EZKL's example networks that load, each with its
// input as the sample.
func TestEZKL(t *testing.T) {
	root := shared.Path(t, "conformance/ezkl")
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	loaded, quantized, met := 0, 0, 0
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
		p, report, err := quantize.Quantize(g, quantize.Options{Samples: samples})
		var no *quantize.UnsupportedError
		if errors.As(err, &no) || errors.Is(err, graph.ErrNotFinite) {
			t.Logf("%-28s unsupported: %v", e.Name(), err)
			continue
		}
		if err != nil {
			t.Errorf("%-28s %v", e.Name(), err)
			continue
		}
		quantized++
		if err := p.Validate(); err != nil {
			t.Errorf("%-28s %v", e.Name(), err)
		}
		if report.Met {
			met++
		}
		if samples != nil {
			a, err := quantize.Analyze(g, report.Settings)
			if err != nil {
				t.Errorf("%-28s %v", e.Name(), err)
				continue
			}
			if !withinBounds(t, 0, g, a, samples[0]) {
				t.Logf("%-28s saturated", e.Name())
			}
		}
		for _, out := range report.Outputs {
			t.Logf("%-28s met %v, error %.3g of %.3g, %d nodes, %v", e.Name(), report.Met, out.MaxError, out.Range, len(p.Nodes), time.Since(start).Round(time.Millisecond))
		}
	}
	t.Logf("%d networks: %d loaded, %d quantized, %d met the target", len(entries), loaded, quantized, met)
}
