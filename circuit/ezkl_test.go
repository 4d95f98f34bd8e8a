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
// sample, and compares circuit and integer interpreter in every tensor. All that load
// must pass.
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
			var unsupported *onnx.UnsupportedError
			if errors.As(err, &unsupported) {
				return // package onnx's tests say which, and why
			}
			if err != nil {
				t.Fatal(err)
			}
			in, err := inputfile.Read(filepath.Join(root, f.Name(), "input.json"), inputfile.InputsOf(g))
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			p, report, err := quantize.Quantize(t.Context(), g, quantize.Options{Samples: []quantize.Sample{in}})
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
			if f.Name() == "lenet_5" && c.Domain() > 1<<17 {
				t.Errorf("%d rows, above the limit of 2^17", c.Rows())
			}
			checked++
			t.Logf("rows %d, met %v, tables %v, quantize %v, compile %v, check %v of %d elements", c.Rows(), report.Met, c.Widths, quantized.Round(time.Millisecond), compiled.Round(time.Millisecond), time.Since(start).Round(time.Millisecond), n)
		})
	}
	t.Logf("%d of %d networks checked", checked, len(folders))
	if checked != 57 {
		t.Errorf("%d networks of %d checked, want 57", checked, len(folders))
	}
}
