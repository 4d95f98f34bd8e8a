package quantize_test

import (
	"slices"
	"testing"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// TestArgMaxHead wants the class of a softmax without the softmax, with labels.
func TestArgMaxHead(t *testing.T) {
	shape := tensor.Shape{1, 3}
	g, err := quantize.WithHead(one(graph.Softmax{}, shape, shape), quantize.Head{Kind: quantize.ArgMaxHead})
	if err != nil {
		t.Fatal(err)
	}
	samples := []quantize.Sample{{"x": {Shape: shape, Data: []float64{-1, 0.5, 0.25}}}}
	p, report, err := quantize.Quantize(g, quantize.Options{Samples: samples, Labels: map[string][]string{"y": {"a", "b", "c"}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Nodes) != 2 || !slices.Equal(p.Outputs[0].Labels, []string{"a", "b", "c"}) {
		t.Fatalf("%d nodes, labels %v", len(p.Nodes), p.Outputs[0].Labels)
	}
	if !report.Met || report.Outputs[0].Agreement == nil || *report.Outputs[0].Agreement != 1 {
		t.Fatalf("%+v", report.Outputs[0])
	}
	again, _, err := quantize.Quantize(g, quantize.Options{Settings: report.Settings})
	if err != nil || again.Digest() != p.Digest() {
		t.Fatalf("the settings give another program: %v", err)
	}
}

// TestThresholdHead compares decisions with the real comparison on every integer.
func TestThresholdHead(t *testing.T) {
	for _, text := range []string{"threshold=0.3", "threshold=-0.125", "threshold=0", "threshold=1000000000000000000000", "threshold=-1e300"} {
		h, err := quantize.ParseHead(text)
		if err != nil {
			t.Fatal(err)
		}
		shape := tensor.Shape{256}
		g, err := quantize.WithHead(one(graph.Unary{Func: graph.Clip, Alpha: -10, Beta: 10}, shape, shape), h)
		if err != nil {
			t.Fatal(err)
		}
		p, _, err := quantize.Quantize(g, quantize.Options{Encodings: map[string]quantize.Encoding{"x": {Bits: 8, Lo: -128, Scale: quantize.Scale{Num: 1, Den: 127}}}})
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
			if float64(in[i])/127 >= h.Threshold {
				want = 1
			}
			if got != want {
				t.Fatalf("%s: %d/127 gives %d", text, in[i], got)
			}
		}
	}
}

// TestHeadErrors wants heads refused that mean nothing.
func TestHeadErrors(t *testing.T) {
	for _, text := range []string{"argmin", "threshold", "threshold=x", "threshold=NaN", "argmax=1"} {
		if h, err := quantize.ParseHead(text); err == nil {
			t.Errorf("%q is read as %+v", text, h)
		}
	}
	argmax := quantize.Head{Kind: quantize.ArgMaxHead}
	scalar := one(graph.Max{}, tensor.Shape{3}, tensor.Shape{})
	if _, err := quantize.WithHead(scalar, argmax); err == nil {
		t.Error("argmax of a scalar")
	}
	label := one(graph.ArgMax{}, tensor.Shape{2, 3}, tensor.Shape{2})
	if _, err := quantize.WithHead(label, argmax); err == nil {
		t.Error("argmax of a class")
	}
	two := one(graph.Softmax{}, tensor.Shape{3}, tensor.Shape{3})
	two.Outputs = append(two.Outputs, graph.Output{Name: "x", ID: 0})
	if _, err := quantize.WithHead(two, argmax); err == nil {
		t.Error("argmax of two outputs")
	}
}
