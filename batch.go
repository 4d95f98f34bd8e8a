package zkml

import (
	"errors"
	"fmt"
	"math"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/quantize"
)

// Batch returns along how many inferences a proof's tensors lie, as far as the manifest
// tells: the length of the first axis, if it is one for all inputs and outputs, above 1,
// and not the only axis; else 0. A model with such an axis of its own looks the same.
func Batch(m *circuit.Manifest) int {
	n := 0
	for _, tensors := range [][]circuit.Public{m.Inputs, m.Outputs} {
		for _, p := range tensors {
			if len(p.Shape) < 2 || n > 0 && p.Shape[0] != n {
				return 0
			}
			n = p.Shape[0]
		}
	}
	if n < 2 || len(m.Inputs) == 0 {
		return 0
	}
	return n
}

// ReadBatch reads the inputs of a proof about [Batch] inferences from a file, in which
// they are samples. It needs no more than the manifest, which a verifying key has;
// [Model.ReadInputs] does the same. The error is a *DatasetError or comes from the file.
func ReadBatch(m *circuit.Manifest, path string) (Inputs, error) {
	n := Batch(m)
	if n == 0 {
		return nil, errNoBatch(path)
	}
	var ports []inputfile.Input
	for _, p := range m.Inputs {
		ports = append(ports, inputfile.Input{Name: p.Name, Shape: p.Shape[1:]})
	}
	return readBatch(path, ports, n)
}

// Batch lays the inputs of as many inferences as the model was compiled for one behind
// the other, which is what Prove, Assign and Check take. The error is a *DatasetError.
func (m *Model) Batch(sets []Inputs) (Inputs, error) {
	n := m.Settings.Batch
	if n == 0 {
		return nil, errNoBatch("")
	}
	ports := inputfile.InputsOf(m.Graph)
	for i, set := range sets {
		if err := checkSample(ports, set, i); err != nil {
			return nil, err
		}
		if len(set) > len(ports) {
			return nil, &DatasetError{"", i, fmt.Sprintf("%d inputs, the model has %d", len(set), len(ports))}
		}
	}
	return stack("", ports, sets, n)
}

// errNoBatch says that a model takes one set of inputs.
func errNoBatch(path string) error {
	return &DatasetError{path, -1, "the model wasn't compiled for a batch"}
}

// readBatch reads n sets of inputs from a file.
func readBatch(path string, ports []inputfile.Input, n int) (Inputs, error) {
	if len(ports) == 0 {
		return inputfile.Read(path, nil)
	}
	sets, err := inputfile.ReadSamples(path, ports)
	if err != nil {
		return nil, err
	}
	return stack(path, ports, sets, n)
}

// checkRepeated returns an *onnx.LimitError if n inferences of a program have more than
// MaxComputed elements.
func checkRepeated(p *quantize.Program, n int) error {
	total := 0
	for i := range p.Nodes {
		switch p.Nodes[i].Op.(type) {
		case quantize.Const, quantize.Param:
			continue // all inferences share it
		}
		if total += p.Nodes[i].Shape.Size(); n > 0 && total > MaxComputed/n {
			return &onnx.LimitError{Node: p.Nodes[i].Name, What: "elements of tensors of all samples", Limit: MaxComputed}
		}
	}
	return nil
}

// Inference returns the program of one inference: Program, unless the model was compiled
// with a DatasetSize or for a Batch.
func (m *Model) Inference() *quantize.Program {
	if m.inference != nil {
		return m.inference
	}
	return m.Program
}

// sample cuts one inference's tensors out of those of all n.
func sample[T any](all [][]T, i, n int) [][]T {
	one := make([][]T, len(all))
	for k, t := range all {
		size := len(t) / n
		one[k] = t[i*size:][:size]
	}
	return one
}

// inSample names the inference for which an input is out of range.
func (m *Model) inSample(err error) error {
	var outside *quantize.RangeError
	if m.inference == nil || !errors.As(err, &outside) {
		return err
	}
	e := *outside
	for _, p := range m.Circuit.Manifest.Inputs {
		if p.Name == e.Input {
			size := p.Shape.Size() / p.Shape[0]
			i := e.Element / size
			e.Element %= size
			return fmt.Errorf("sample %d: %w", i, &e)
		}
	}
	return err
}

// checkEach is the part of Check that compares each inference of a data set or a batch
// with the model as it was trained, whose tensors for inference i it hands to visit.
func (m *Model) checkEach(r *CheckReport, a *quantize.Analysis, inputs Inputs, values [][]int64, visit func(i int, want []*graph.Tensor)) error {
	n := max(m.Settings.DatasetSize, m.Settings.Batch)
	// The labels of a data set are behind what an inference takes.
	integers, reals := make([][]int64, len(m.inference.Inputs)), make([][]float64, len(m.inference.Inputs))
	for k := range m.inference.Inputs {
		integers[k], reals[k] = values[m.Program.Inputs[k]], inputs[m.Circuit.Manifest.Inputs[k].Name].Data
	}
	for i := range n {
		run, err := m.inference.Run(sample(integers, i, n))
		if err != nil {
			return err
		}
		if err := m.checkBounds(r, a, run); err != nil {
			return fmt.Errorf("sample %d: %w", i, err)
		}
		given := sample(reals, i, n)
		set := make(Inputs, len(given))
		for k, id := range m.inference.Inputs {
			set[m.Circuit.Manifest.Inputs[k].Name] = &graph.Tensor{Shape: m.inference.Nodes[id].Shape, Data: given[k]}
		}
		want, err := m.Graph.Run(set)
		if err != nil {
			return fmt.Errorf("sample %d: %w", i, err)
		}
		visit(i, want)
	}
	return nil
}

// checkBatch is the part of Check that compares the answers of a batch, those of the
// circuit, with the model's.
func (m *Model) checkBatch(r *CheckReport, a *quantize.Analysis, inputs Inputs, values [][]int64) error {
	r.Batch = m.Settings.Batch
	for _, out := range m.Program.Outputs {
		r.Outputs = append(r.Outputs, CheckedOutput{Name: out.Name, Values: m.Program.Dequantize(out.ID, values[out.ID])})
	}
	return m.checkEach(r, a, inputs, values, func(i int, want []*graph.Tensor) {
		for k := range r.Outputs {
			data := want[m.Graph.Outputs[k].ID].Data
			for j, v := range data {
				r.Outputs[k].MaxError = max(r.Outputs[k].MaxError, math.Abs(v-r.Outputs[k].Values[i*len(data)+j]))
			}
		}
	})
}
