package circuit_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/internal/shared"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/quantize"
)

// TestEZKL compiles EZKL's example networks, each with its own input as the only
// sample, and compares circuit and integer interpreter in every tensor.
func TestEZKL(t *testing.T) {
	root := shared.Path(t, "conformance/ezkl")
	folders, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, f := range folders {
		t.Run(f.Name(), func(t *testing.T) {
			g, _, err := onnx.Load(filepath.Join(root, f.Name(), "network.onnx"), onnx.Options{})
			if onnx.IsUnsupported(err) {
				t.Logf("not loaded: %v", err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			in, err := inputfile.Read(filepath.Join(root, f.Name(), "input.json"), inputfile.InputsOf(g))
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			p, report, err := quantize.Quantize(g, quantize.Options{Samples: []quantize.Sample{in}})
			var no *quantize.UnsupportedError
			if errors.As(err, &no) {
				t.Logf("not quantized: %v", err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			quantized := time.Since(start)
			start = time.Now()
			c, err := circuit.Compile(context.Background(), p, circuit.Options{Model: f.Name()})
			if err != nil {
				t.Fatal(err)
			}
			compiled := time.Since(start)
			start = time.Now()
			a, err := c.Assign(inputsOf(t, g, p, in), fr.Element{})
			if err != nil {
				t.Fatal(err)
			}
			n, err := c.Check(a)
			if err != nil {
				t.Fatal(err)
			}
			checked++
			t.Logf("rows %d, met %v, tables %v, quantize %v, compile %v, check %v of %d elements", c.Rows(), report.Met, c.Widths, quantized.Round(time.Millisecond), compiled.Round(time.Millisecond), time.Since(start).Round(time.Millisecond), n)
		})
	}
	t.Logf("%d of %d networks checked", checked, len(folders))
}
