package zkml

import (
	"fmt"
	"math"
	"slices"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// LabelsInput is the name of the labels among the inputs of a model that was compiled
// with a DatasetSize, and CorrectOutput that of its one output, the number of samples
// whose label the model answers with.
const (
	LabelsInput   = quantize.LabelsInput
	CorrectOutput = quantize.CorrectOutput
)

// DatasetError says why samples can't be the data set or the batch that a model was
// compiled for.
type DatasetError struct {
	File   string // "" if they come from no file
	Sample int    // which one, from 0, or -1
	Reason string
}

// Error implements error.
func (e *DatasetError) Error() string {
	text := e.Reason
	if e.Sample >= 0 {
		text = fmt.Sprintf("sample %d: %s", e.Sample, text)
	}
	if e.File != "" {
		text = e.File + ": " + text
	}
	return text
}

// DatasetSize returns over how many labelled samples a proof counts correct answers, or
// 0 if it is about one inference, or about samples that it neither shows nor hashes.
func DatasetSize(m *circuit.Manifest) int {
	last := len(m.Inputs) - 1
	if last < 1 || m.Inputs[last].Name != LabelsInput || len(m.Inputs[last].Shape) != 1 ||
		len(m.Outputs) != 1 || m.Outputs[0].Name != CorrectOutput || !m.Outputs[0].Shape.Equal(tensor.Shape{1}) {
		return 0
	}
	n := m.Inputs[last].Shape[0]
	for _, p := range m.Inputs {
		if len(p.Shape) == 0 || p.Shape[0] != n || p.Visibility == circuit.Private {
			return 0
		}
	}
	return n
}

// ReadDataset reads the labelled samples of a proof from a file: arrays of as many
// samples as [DatasetSize] for each of the model's inputs, as in a file of samples, and
// one label for each sample under LabelsInput, or last where arrays have no names. It needs
// no more than the manifest, which a verifying key has; [Model.ReadDataset] knows, besides,
// which labels are classes. The error is a *DatasetError or comes from the file.
func ReadDataset(m *circuit.Manifest, path string) (Inputs, error) {
	n := DatasetSize(m)
	if n == 0 {
		return nil, errNoDataset(path)
	}
	last := len(m.Inputs) - 1
	var ports []inputfile.Input
	for _, p := range m.Inputs[:last] {
		ports = append(ports, inputfile.Input{Name: p.Name, Shape: p.Shape[1:]})
	}
	return readDataset(path, ports, n, 1<<m.Inputs[last].Bits)
}

// ReadDataset is [ReadDataset] for a compiled model.
func (m *Model) ReadDataset(path string) (Inputs, error) {
	if m.Settings.DatasetSize == 0 {
		return nil, errNoDataset(path)
	}
	classes, err := m.inference.Classes()
	if err != nil {
		return nil, err
	}
	return readDataset(path, inputfile.InputsOf(m.Graph), m.Settings.DatasetSize, classes)
}

// Dataset is [Model.ReadDataset] for samples in memory.
func (m *Model) Dataset(samples []Inputs, labels []int) (Inputs, error) {
	if m.Settings.DatasetSize == 0 {
		return nil, errNoDataset("")
	}
	classes, err := m.inference.Classes()
	if err != nil {
		return nil, err
	}
	if len(labels) != len(samples) {
		return nil, &DatasetError{"", -1, fmt.Sprintf("%d labels for %d samples", len(labels), len(samples))}
	}
	ports := inputfile.InputsOf(m.Graph)
	labelled := make([]Inputs, len(samples))
	for i, sample := range samples {
		labelled[i] = Inputs{LabelsInput: {Data: []float64{float64(labels[i])}}}
		if err := checkSample(ports, sample, i); err != nil {
			return nil, err
		}
		for _, p := range ports {
			labelled[i][p.Name] = sample[p.Name]
		}
	}
	return stackLabelled("", ports, labelled, m.Settings.DatasetSize, classes)
}

// checkSample returns a *DatasetError unless sample i has a tensor for each input.
func checkSample(ports []inputfile.Input, sample Inputs, i int) error {
	for _, p := range ports {
		t, ok := sample[p.Name]
		if !ok || !t.Shape.Equal(p.Shape) || len(t.Data) != p.Shape.Size() {
			return &DatasetError{"", i, fmt.Sprintf("input %q: want a tensor of shape %v", p.Name, p.Shape)}
		}
	}
	return nil
}

// errNoDataset says that a model takes no labels.
func errNoDataset(path string) error {
	return &DatasetError{path, -1, "the model wasn't compiled for a data set"}
}

// readDataset reads n labelled samples of inputs from a file.
func readDataset(path string, ports []inputfile.Input, n, classes int) (Inputs, error) {
	labels := inputfile.Input{Name: LabelsInput, Integer: true}
	samples, err := inputfile.ReadSamples(path, append(slices.Clone(ports), labels))
	if err != nil {
		return nil, err
	}
	return stackLabelled(path, ports, samples, n, classes)
}

// stackLabelled lays n samples and their labels one behind the other.
func stackLabelled(file string, ports []inputfile.Input, samples []Inputs, n, classes int) (Inputs, error) {
	all, err := stack(file, append(slices.Clone(ports), inputfile.Input{Name: LabelsInput}), samples, n)
	if err != nil {
		return nil, err
	}
	for i, label := range all[LabelsInput].Data {
		if label < 0 || label >= float64(classes) {
			return nil, &DatasetError{file, i, fmt.Sprintf("label %v: the classes are 0 to %d", label, classes-1)}
		}
	}
	return all, nil
}

// stack lays n samples of some inputs one behind the other.
func stack(file string, ports []inputfile.Input, samples []Inputs, n int) (Inputs, error) {
	if len(samples) != n {
		return nil, &DatasetError{file, -1, fmt.Sprintf("%d samples, the model was compiled for %d", len(samples), n)}
	}
	all := make(Inputs, len(ports))
	for _, p := range ports {
		t := &graph.Tensor{Shape: append(tensor.Shape{n}, p.Shape...)}
		for _, sample := range samples {
			t.Data = append(t.Data, sample[p.Name].Data...)
		}
		all[p.Name] = t
	}
	return all, nil
}

// countCorrect turns the program of one inference into that of a data set.
func countCorrect(p *quantize.Program, size int) (*quantize.Program, error) {
	if size < 0 {
		return nil, &quantize.AnswerError{Reason: fmt.Sprintf("a data set of %d samples", size)}
	}
	if err := checkRepeated(p, size); err != nil {
		return nil, err
	}
	return p.CountCorrect(size)
}

// checkSamples is the part of Check that counts the answers of a data set.
func (m *Model) checkSamples(r *CheckReport, a *quantize.Analysis, inputs Inputs, values [][]int64) error {
	accuracy := &CheckedAccuracy{Samples: m.Settings.DatasetSize, Correct: int(values[m.Program.Outputs[0].ID][0])}
	err := m.checkEach(r, a, inputs, values, func(i int, want []*graph.Tensor) {
		if want[m.Graph.Outputs[0].ID].Data[0] == inputs[LabelsInput].Data[i] {
			accuracy.ModelCorrect++
		}
	})
	if err != nil {
		return err
	}
	r.Accuracy = accuracy
	r.Outputs = []CheckedOutput{{
		Name: CorrectOutput, Values: []float64{float64(accuracy.Correct)},
		MaxError: math.Abs(float64(accuracy.Correct - accuracy.ModelCorrect)),
	}}
	return nil
}
