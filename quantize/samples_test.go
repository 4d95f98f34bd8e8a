package quantize

import (
	"errors"
	"math"
	"testing"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

// TestSamplesOfAnyMagnitude calibrates on numbers from end to end of float64. Where
// there is a program, its settings give it again.
func TestSamplesOfAnyMagnitude(t *testing.T) {
	shape := tensor.Shape{1, 2}
	g := &graph.Graph{
		Name: "relu",
		Nodes: []graph.Node{
			{Op: graph.Input{Name: "x"}, Shape: shape, Name: "x"},
			{Op: graph.Unary{Func: graph.Relu}, Inputs: []graph.ID{0}, Shape: shape, Name: "y"},
		},
		Inputs:  []graph.ID{0},
		Outputs: []graph.Output{{Name: "y", ID: 1}},
	}
	for _, test := range []struct {
		values []float64
		fits   bool
	}{
		{[]float64{0, 0}, true},
		{[]float64{-0.5, 3}, true},
		{[]float64{-leastSample, 0}, true},
		{[]float64{-mostSample, 1}, true},
		{[]float64{0, 1e300}, false},
		{[]float64{-math.MaxFloat64, math.MaxFloat64}, false},
		{[]float64{1e-310, 0}, false},
		{[]float64{0, math.SmallestNonzeroFloat64}, false},
	} {
		p, report, err := Quantize(t.Context(), g, Options{Samples: []Sample{{"x": {Shape: shape, Data: test.values}}}})
		var input *graph.InputError
		if !test.fits {
			if !errors.As(err, &input) {
				t.Errorf("%v: error %v", test.values, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%v: %v", test.values, err)
			continue
		}
		again, _, err := Quantize(t.Context(), g, Options{Settings: report.Settings})
		if err != nil {
			t.Errorf("%v, by its settings: %v", test.values, err)
		} else if again.Digest() != p.Digest() {
			t.Errorf("%v: its settings give another program", test.values)
		}
	}
}
