package quantize_test

import (
	"testing"

	"github.com/zkml-go/zkml/quantize"
)

// TestHashedWeightsAreNarrower calibrates a model whose weights are hashed, where each
// bit of a weight costs rows: they have fewer bits in all than those of one whose weights are
// private, and meets the target.
func TestHashedWeightsAreNarrower(t *testing.T) {
	g, samples := testModel{Name: "mlp"}.load(t)
	bits := func(hashed bool) (total int) {
		p, report, err := quantize.Quantize(t.Context(), g, quantize.Options{Samples: samples, HiddenWeights: true, HashedWeights: hashed})
		if err != nil || !report.Met {
			t.Fatalf("met %v, %v", report != nil && report.Met, err)
		}
		for _, n := range p.Nodes {
			if op, ok := n.Op.(quantize.Param); ok {
				total += op.Bits * n.Shape.Size()
			}
		}
		return total
	}
	private, hashed := bits(false), bits(true)
	if hashed >= private {
		t.Errorf("%d bits of hashed weights, %d of private ones", hashed, private)
	}
}
