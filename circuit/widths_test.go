package circuit

import (
	"path/filepath"
	"testing"

	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/quantize"
)

// TestFewestRows counts every candidate to its end: the search, which ends most counts
// before theirs and runs two at a time, must choose the first of those with the fewest
// rows, every time.
func TestFewestRows(t *testing.T) {
	dir := filepath.Join("..", "testdata", "breast_cancer")
	g, _, err := onnx.Load(filepath.Join(dir, "model.onnx"), onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	samples, err := inputfile.ReadSamples(filepath.Join(dir, "samples.json"), inputfile.InputsOf(g))
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := quantize.Quantize(t.Context(), g, quantize.Options{Samples: samples})
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifestOf(p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	single, double := [][]int(nil), [][]int{{3}}
	for w := minWidth; w <= maxWidth; w++ {
		single = append(single, []int{w})
		// the same candidate twice, so that there are equal ones
		double = append(double, []int{2, w}, []int{2, w})
	}
	for _, candidates := range [][][]int{single, double} {
		want, rows := 0, make([]int, len(candidates))
		for i, widths := range candidates {
			if rows[i], err = countRows(t.Context(), p, m, widths, MaxRows+1); err != nil {
				t.Fatal(err)
			}
			if rows[i] < rows[want] {
				want = i
			}
		}
		for range 5 {
			got, fewest, err := fewestRows(t.Context(), p, m, candidates, MaxRows+1)
			if err != nil || got != want || fewest != rows[want] {
				t.Fatalf("chose %v with %d rows, %v; want %v with %d of %v", candidates[got], fewest, err, candidates[want], rows[want], rows)
			}
		}
		if _, fewest, err := fewestRows(t.Context(), p, m, candidates, rows[want]); err != nil || fewest != rows[want] {
			t.Errorf("none has fewer rows than %d: %d, %v", rows[want], fewest, err)
		}
	}
}
