package cases

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/zkml-go/zkml/audit"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/quantize"
)

// ModelNames lists the models of a testdata folder.
func ModelNames(folder string) ([]string, error) {
	data, err := os.ReadFile(filepath.Join(folder, "models.json"))
	if err != nil {
		return nil, err
	}
	var models []struct{ Name string }
	if err := json.Unmarshal(data, &models); err != nil {
		return nil, err
	}
	var names []string
	for _, m := range models {
		names = append(names, m.Name)
	}
	return names, nil
}

// Model compiles a model of the folder, with random inputs.
func Model(folder, name string, witnesses int) (Case, error) {
	dir := filepath.Join(folder, name)
	g, _, err := onnx.Load(filepath.Join(dir, "model.onnx"), onnx.Options{})
	if err != nil {
		return Case{}, err
	}
	samples, err := inputfile.ReadSamples(filepath.Join(dir, "samples.json"), inputfile.InputsOf(g))
	if err != nil {
		return Case{}, err
	}
	p, _, err := quantize.Quantize(context.Background(), g, quantize.Options{Samples: samples})
	if err != nil {
		return Case{}, err
	}
	c, err := circuit.Compile(context.Background(), p, circuit.Options{Model: "model " + name})
	if err != nil {
		return Case{}, fmt.Errorf("compile %s: %w", name, err)
	}
	inputs, err := audit.Random(c, witnesses, 1)
	return Case{System: audit.Of(c), Inputs: inputs}, err
}
