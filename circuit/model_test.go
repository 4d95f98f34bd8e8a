package circuit_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/quantize"
)

// model loads and quantizes a model of testdata with its own samples.
func model(t testing.TB, name string) (*graph.Graph, *quantize.Program, []quantize.Sample) {
	t.Helper()
	dir := filepath.Join("..", "testdata", name)
	g, _, err := onnx.Load(filepath.Join(dir, "model.onnx"), onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	samples, err := inputfile.ReadSamples(filepath.Join(dir, "samples.json"), inputfile.InputsOf(g))
	if err != nil {
		t.Fatal(err)
	}
	p, report, err := quantize.Quantize(t.Context(), g, quantize.Options{Samples: samples})
	if err != nil {
		t.Fatal(err)
	}
	if !report.Met {
		t.Errorf("%s: the target is missed", name)
	}
	return g, p, samples
}

// inputsOf puts a sample in the order of the program's inputs, as integers.
func inputsOf(t testing.TB, g *graph.Graph, p *quantize.Program, s quantize.Sample) [][]int64 {
	t.Helper()
	var reals [][]float64
	for _, in := range inputfile.InputsOf(g) {
		reals = append(reals, s[in.Name].Data)
	}
	integers, err := p.QuantizeInputs(reals, quantize.Refuse)
	if err != nil {
		t.Fatal(err)
	}
	return integers
}

func TestTestdataModels(t *testing.T) {
	for _, m := range []struct {
		name   string
		domain int
	}{
		{"lenet5", 1 << 17},
		{"mlp", 1 << 14},
		{"breast_cancer", 1 << 12},
		{"diabetes", 1 << 14},
		{"tictactoe", 1 << 15},
	} {
		t.Run(m.name, func(t *testing.T) {
			start := time.Now()
			g, p, samples := model(t, m.name)
			quantized := time.Since(start)
			c, err := circuit.Compile(context.Background(), p, circuit.Options{Model: m.name})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d rows, domain 2^%d, tables %v, quantize %v, compile %v, soundness 2^-%d",
				c.Rows(), log2(c.Domain()), c.Widths, quantized, time.Since(start)-quantized, c.SoundnessBits())
			for _, l := range c.Layout() {
				t.Logf("  %6d %-24s %s", l.Rows, l.Gadget, l.Node)
			}
			if c.Domain() > m.domain {
				t.Errorf("%d rows, above the limit of %d", c.Rows(), m.domain)
			}
			if c.SoundnessBits() < 100 {
				t.Errorf("a false statement is accepted with probability 2^-%d", c.SoundnessBits())
			}
			for _, s := range samples[:2] {
				a, err := c.Assign(inputsOf(t, g, p, s), fr.NewElement(7))
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				n, err := c.Check(a)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%d elements equal, %v", n, time.Since(start))
			}
		})
	}
}

func log2(n int) int {
	k := 0
	for 1<<k < n {
		k++
	}
	return k
}
