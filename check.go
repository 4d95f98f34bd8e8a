package zkml

import (
	"fmt"
	"math"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/quantize"
)

// CheckReport says how the three interpreters of a model agree on one set of inputs.
type CheckReport struct {
	// Elements is the number of elements in which the circuit and the integer
	// interpreter were compared, and found equal.
	Elements int `json:"elements"`
	// Bounded is the number of elements whose distance from the float interpreter was
	// compared with its bound.
	Bounded int `json:"bounded"`
	// Saturations is the number of elements that were clamped although the model
	// doesn't clamp them. With any, no bound holds and Bounded is 0.
	Saturations int `json:"saturations"`
	// Node is the ONNX node of the tensor with the largest error, MaxError, in real
	// units and from the same quantized inputs.
	Node     string  `json:"node"`
	MaxError float64 `json:"max_error"`
	// Batch is the number of inferences, if the model was compiled for one. MaxError and
	// the outputs' are then the largest in any of them.
	Batch int `json:"batch,omitempty"`
	// Outputs compare the answers.
	Outputs []CheckedOutput `json:"outputs"`
	// Accuracy compares the answers with the labels, if the model was compiled for a data
	// set. MaxError is then the largest one in any sample.
	Accuracy *CheckedAccuracy `json:"accuracy,omitempty"`
}

// CheckedAccuracy is how many labels were answered.
type CheckedAccuracy struct {
	Samples int `json:"samples"`
	// Correct is what a proof says, ModelCorrect what the model as it was trained reaches.
	Correct      int `json:"correct"`
	ModelCorrect int `json:"model_correct"`
}

// CheckedOutput is one output of a check.
type CheckedOutput struct {
	Name string `json:"name"`
	// Values are the integer program's, in real units.
	Values []float64 `json:"values"`
	// MaxError is the largest distance from what the float interpreter computes from
	// the given inputs, which is what a user sees.
	MaxError float64 `json:"max_error"`
}

// BoundError says that the integer program departs from the float graph by more than
// the analysis allows: a fault of this library, or a model file that was tampered
// with.
type BoundError struct {
	Node     string // the ONNX node
	Element  int
	Distance float64
	Bound    float64
}

// Error implements error.
func (e *BoundError) Error() string {
	return fmt.Sprintf("node %q: element %d is off by %.3g, beyond its bound of %.3g", e.Node, e.Element, e.Distance, e.Bound)
}

// Check solves the circuit for one set of inputs without proving, and compares:
// every tensor of the circuit with the integer interpreter's, exactly; every tensor
// that stands for one of the graph's with the float interpreter's, within its error
// bound. The error is a *circuit.UnsatisfiedError, a *circuit.DifferenceError or a
// *BoundError, and names the ONNX node.
func (m *Model) Check(inputs Inputs, o ProveOptions) (*CheckReport, error) {
	assignment, err := m.Assign(inputs, o)
	if err != nil {
		return nil, err
	}
	r := &CheckReport{}
	if r.Elements, err = m.Circuit.Check(assignment); err != nil {
		return nil, err
	}
	analysis, err := m.analyze()
	if err != nil {
		return nil, err
	}
	if m.inference != nil {
		compare := m.checkSamples
		if m.Settings.Batch > 0 {
			compare = m.checkBatch
		}
		if err := compare(r, analysis, inputs, assignment.Values); err != nil {
			return nil, err
		}
		return r, nil
	}
	if err := m.checkBounds(r, analysis, assignment.Values); err != nil {
		return nil, err
	}
	want, err := m.Graph.Run(inputs)
	if err != nil {
		return nil, err
	}
	for i, out := range m.Program.Outputs {
		checked := CheckedOutput{Name: out.Name, Values: m.Program.Dequantize(out.ID, assignment.Values[out.ID])}
		for k, v := range want[m.Graph.Outputs[i].ID].Data {
			checked.MaxError = max(checked.MaxError, math.Abs(v-checked.Values[k]))
		}
		r.Outputs = append(r.Outputs, checked)
	}
	return r, nil
}

// analyze makes the program again from graph and settings, and returns an error that
// matches prover.ErrMismatch unless it is the model's own.
func (m *Model) analyze() (*quantize.Analysis, error) {
	analysis, err := quantize.Analyze(m.Graph, m.Settings.Quantize)
	if err != nil {
		return nil, &prover.FileError{File: modelFile, Reason: fmt.Sprintf("its settings: %v", err)}
	}
	if err := setLabels(m.Graph, analysis.Program, m.Settings); err != nil {
		return nil, &prover.FileError{File: modelFile, Reason: err.Error()}
	}
	if analysis.Program.Digest() != m.Inference().Digest() {
		return nil, &prover.FileError{File: modelFile, Reason: "its program isn't what its graph and settings give"}
	}
	return analysis, nil
}

// checkBounds compares the program's tensors with the graph's, from the real values
// of the same integers.
func (m *Model) checkBounds(r *CheckReport, a *quantize.Analysis, values [][]int64) error {
	for _, n := range a.Saturations(values) {
		r.Saturations += n
	}
	real, err := m.Graph.Run(m.dequantizedInputs(values))
	if err != nil {
		return err
	}
	bounds := a.ErrorBounds(values)
	p := m.Inference()
	for id := range p.Nodes {
		n := &p.Nodes[id]
		if n.Source < 0 {
			continue
		}
		for k, q := range values[id] {
			if a.InTail(quantize.ID(id), q) {
				continue
			}
			e := math.Abs(n.Scale.Real(q) - real[n.Source].Data[k])
			if e > r.MaxError {
				r.MaxError, r.Node = e, n.Name
			}
			if r.Saturations > 0 {
				continue
			}
			if !(e <= bounds[id][k]) {
				return &BoundError{Node: n.Name, Element: k, Distance: e, Bound: bounds[id][k]}
			}
			r.Bounded++
		}
	}
	return nil
}

// dequantizedInputs returns the real values of the integer inputs.
func (m *Model) dequantizedInputs(values [][]int64) Inputs {
	program := m.Inference()
	inputs := make(Inputs, len(program.Inputs))
	for i, id := range program.Inputs {
		inputs[m.Circuit.Manifest.Inputs[i].Name] = &graph.Tensor{Shape: program.Nodes[id].Shape, Data: program.Dequantize(id, values[id])}
	}
	return inputs
}
