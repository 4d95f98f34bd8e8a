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
	"github.com/zkml-go/zkml/tensor"
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

// Variant says what of a model is shown. The zero value shows all but fixes the weights.
type Variant struct {
	Name    string
	Input   circuit.Visibility
	Output  circuit.Visibility
	Weights circuit.Visibility
}

// Variants are the ways in which the audit compiles the model that has many.
var Variants = []Variant{
	{"all hashed", circuit.Hashed, circuit.Hashed, circuit.Hashed},
	{"input and weights private", circuit.Private, circuit.Shown, circuit.Private},
	{"output private, input hashed", circuit.Hashed, circuit.Private, circuit.Shown},
}

// Model compiles a model of the folder, with random inputs.
func Model(folder, name string, v Variant, witnesses int) (Case, error) {
	dir := filepath.Join(folder, name)
	g, _, err := onnx.Load(filepath.Join(dir, "model.onnx"), onnx.Options{})
	if err != nil {
		return Case{}, err
	}
	samples, err := inputfile.ReadSamples(filepath.Join(dir, "samples.json"), inputfile.InputsOf(g))
	if err != nil {
		return Case{}, err
	}
	p, _, err := quantize.Quantize(context.Background(), g, quantize.Options{Samples: samples, HiddenWeights: v.Weights != circuit.Shown})
	if err != nil {
		return Case{}, err
	}
	o := circuit.Options{Model: "model " + name, Visibility: make(map[string]circuit.Visibility), Weights: v.Weights}
	if v.Name != "" {
		o.Model += ", " + v.Name
	}
	for _, id := range p.Inputs {
		o.Visibility[p.Nodes[id].Op.(quantize.Input).Name] = v.Input
	}
	for _, out := range p.Outputs {
		o.Visibility[out.Name] = v.Output
	}
	return compile(p, o, witnesses)
}

// Convolution is a small network with private weights: a convolution, a rescale with
// ReLU and a fully connected layer.
func Convolution() (Case, error) {
	b := quantize.NewBuilder()
	var failed error
	add := func(op quantize.Op, shape tensor.Shape, lo int64, inputs ...quantize.ID) quantize.ID {
		id, err := b.Append(quantize.Node{Op: op, Inputs: inputs, Shape: shape, Lo: lo, Source: -1, Name: fmt.Sprintf("node %d", len(b.Program.Nodes))})
		if failed == nil {
			failed = err
		}
		return id
	}
	weights := func(name string, shape ...int) quantize.ID {
		values := make([]int64, tensor.Shape(shape).Size())
		for i := range values {
			values[i] = int64(i*5%15) - 7
		}
		return add(quantize.Param{Name: name, Bits: 4, Values: values}, shape, -8)
	}
	linear := quantize.Linear{Groups: 1, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
	x := add(quantize.Input{Name: "x", Bits: 4}, tensor.Shape{1, 1, 7, 7}, -8)
	y := add(linear, nil, 0, x, weights("kernel", 3, 1, 3, 3), weights("bias", 3))
	y = add(quantize.Rescale{Multiplier: 1, Shift: 4, Min: 0, Max: 15}, nil, 0, y)
	flat := make([]int32, 3*5*5)
	for i := range flat {
		flat[i] = int32(i)
	}
	y = add(quantize.Rewire{Index: flat}, tensor.Shape{1, 75, 1, 1}, 0, y)
	y = add(linear, nil, 0, y, weights("matrix", 4, 75, 1, 1))
	if failed != nil {
		return Case{}, failed
	}
	b.Program.Inputs = []quantize.ID{x}
	b.Program.Outputs = []quantize.Output{{Name: "y", ID: y}}
	return compile(b.Program, circuit.Options{Model: "convolution, weights private", Weights: circuit.Private}, 2)
}

// compile compiles a program, with random inputs.
func compile(p *quantize.Program, o circuit.Options, witnesses int) (Case, error) {
	c, err := circuit.Compile(context.Background(), p, o)
	if err != nil {
		return Case{}, fmt.Errorf("compile %s: %w", o.Model, err)
	}
	inputs, err := audit.Random(c, witnesses, 1)
	return Case{System: audit.Of(c), Inputs: inputs}, err
}
