package quantize_test

import (
	"testing"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// TestLabel wants a class that agrees with the graph's, and settings that give the same
// program.
func TestLabel(t *testing.T) {
	shape := tensor.Shape{1, 3}
	g := one(graph.ArgMax{}, shape, shape[:1])
	samples := []quantize.Sample{{"x": {Shape: shape, Data: []float64{-1, 0.5, 0.25}}}}
	p, report, err := quantize.Quantize(t.Context(), g, quantize.Options{Samples: samples})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Nodes) != 2 {
		t.Fatalf("%d nodes", len(p.Nodes))
	}
	if !report.Met || report.Outputs[0].Agreement == nil || *report.Outputs[0].Agreement != 1 {
		t.Fatalf("%+v", report.Outputs[0])
	}
	again, _, err := quantize.Quantize(t.Context(), g, quantize.Options{Settings: report.Settings})
	if err != nil || again.Digest() != p.Digest() {
		t.Fatalf("the settings give another program: %v", err)
	}
}

// TestThreshold compares decisions with the real comparison on every integer.
func TestThreshold(t *testing.T) {
	for _, threshold := range []float64{0.3, -0.125, 0, 1e21, -1e300} {
		shape := tensor.Shape{256}
		g := one(graph.Unary{Func: graph.Clip, Alpha: -10, Beta: 10}, shape, shape)
		g.Nodes = append(g.Nodes, graph.Node{Op: graph.Threshold{T: threshold}, Inputs: []graph.ID{1}, Shape: shape, Name: "y"})
		g.Outputs[0].ID = 2
		p, _, err := quantize.Quantize(t.Context(), g, quantize.Options{Encodings: map[string]quantize.Encoding{"x": {Bits: 8, Lo: -128, Scale: quantize.Scale{Num: 1, Den: 127}}}})
		if err != nil {
			t.Fatal(err)
		}
		in := make([]int64, 256)
		for i := range in {
			in[i] = int64(i) - 128
		}
		values, err := p.Run([][]int64{in})
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range values[p.Outputs[0].ID] {
			want := int64(0)
			if float64(in[i])/127 >= threshold {
				want = 1
			}
			if got != want {
				t.Fatalf("%v: %d/127 gives %d", threshold, in[i], got)
			}
		}
	}
}
