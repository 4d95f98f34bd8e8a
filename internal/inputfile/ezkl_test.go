package inputfile_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/internal/shared"
	"github.com/zkml-go/zkml/onnx"
)

// coarse are networks whose outputs came with too few fractional bits to compare.
var coarse = map[string]string{
	"large_op_graph": "three fractional bits, through many layers",
}

// TestEZKLNetworks reads the inputs of every shared network that package onnx
// lowers, evaluates it on them, and compares with the outputs that came with the
// network where there are some. Those were computed in fixed point, mostly with
// seven fractional bits: the tolerance is two of the last, and 2 %.
func TestEZKLNetworks(t *testing.T) {
	root := shared.Path(t, "conformance/ezkl")
	folders, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	ran, compared := 0, 0
	for _, f := range folders {
		g, _, err := onnx.Load(filepath.Join(root, f.Name(), "network.onnx"), onnx.Options{})
		if unsupported := new(onnx.UnsupportedError); errors.As(err, &unsupported) {
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", f.Name(), err)
			continue
		}
		file := filepath.Join(root, f.Name(), "input.json")
		set, err := inputfile.Read(file, inputfile.InputsOf(g))
		if err != nil {
			t.Error(err)
			continue
		}
		values, err := g.Run(set)
		if err != nil {
			t.Errorf("%s: %v", f.Name(), err)
			continue
		}
		ran++
		expected := outputs(t, file)
		if len(expected) != len(g.Outputs) || coarse[f.Name()] != "" {
			continue
		}
		compared++
		for i, out := range g.Outputs {
			got := values[out.ID].Data
			if len(got) != len(expected[i]) {
				t.Errorf("%s: output %q has %d elements, expected %d", f.Name(), out.Name, len(got), len(expected[i]))
				continue
			}
			for j, want := range expected[i] {
				if !(math.Abs(got[j]-want) <= 1.0/64+0.02*math.Abs(want)) {
					t.Errorf("%s: output %q, element %d is %v, expected %v", f.Name(), out.Name, j, got[j], want)
					break
				}
			}
		}
	}
	t.Logf("%d networks, %d evaluated, %d compared", len(folders), ran, compared)
	if ran < 50 || compared < 30 {
		t.Errorf("only %d networks were evaluated and %d compared", ran, compared)
	}
}

// outputs reads the outputs that came with a network, nil if there are none of
// flat numbers.
func outputs(t *testing.T, file string) [][]float64 {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var content struct {
		OutputData json.RawMessage `json:"output_data"`
	}
	if err := json.Unmarshal(data, &content); err != nil {
		t.Fatal(err)
	}
	var flat [][]float64
	if json.Unmarshal(content.OutputData, &flat) != nil {
		return nil
	}
	return flat
}
