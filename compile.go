package zkml

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/quantize"
)

// Options say how a network is compiled. The zero value calibrates on made-up inputs
// in [-1, 1], which is only good for looking at sizes.
type Options struct {
	// Samples are what calibration looks at: a hundred inputs as they will come.
	Samples []Inputs
	// Target is the accuracy to reach.
	Target quantize.Target
	// Strict makes a missed target an *AccuracyError instead of a line in the report.
	Strict bool
	// Encodings fix how inputs are encoded, by name.
	Encodings map[string]quantize.Encoding
	// Visibility says what a proof shows of inputs and outputs, by name, each Shown
	// (the default), Private or Hashed; and, under circuit.WeightsName, whether weights
	// are Fixed (the default), part of the key, or part of the witness and Private or
	// Hashed.
	Visibility map[string]circuit.Visibility
	// Labels name the values of the head's answer.
	Labels []string
	// DatasetSize, if above 0, makes a circuit that runs the network on that many labelled
	// samples and proves how many of its answers are right, instead of one answer. The
	// network's one output has to be a label, so it usually needs a head. Samples and labels
	// can't be Private. Hidden weights have the digest, under one salt, that they have in a
	// circuit for one inference.
	DatasetSize int
	// Batch, if above 0, makes a circuit for that many inferences, which share its tables,
	// its weights and the vectors of their checks: one proof of all answers. Inputs and
	// outputs have a leading axis of that length, and a hashed one has one digest over all
	// inferences. It excludes DatasetSize.
	Batch int
	// Widths fix the widths in bits of the circuit's range-check tables, ascending;
	// nil chooses the cheapest.
	Widths []int
	// Settings, if given, replace calibration and all options above but Samples,
	// Target and Strict, which then serve the report alone.
	Settings *Settings
	// Like, if given, replaces Settings by those of a model with hidden weights, of
	// which the network is to be another training: the circuit, the keys and the model
	// id are then the same. Load the network with Like's LoadOptions.
	Like *Model
	// Progress, if set, is told what is being done.
	Progress func(step string)
}

// Model is a compiled network: all that proving needs besides a key.
type Model struct {
	// Graph is the real-valued model that the program approximates.
	Graph *graph.Graph
	// Program is the exact integer program that is proven.
	Program *quantize.Program
	// Circuit is the constraint system of the program; its Manifest says what the
	// public words of a proof mean.
	Circuit *circuit.Circuit
	// Settings reproduce the model from the ONNX file.
	Settings *Settings
	// Report says how well the program follows the graph on the samples.
	Report *quantize.Report

	inference *quantize.Program // that of one inference, if Program isn't
}

// AccuracyError says that no setting reaches the target on the samples.
type AccuracyError struct {
	Report *quantize.Report
}

// Error implements error.
func (e *AccuracyError) Error() string {
	text := fmt.Sprintf("target %s is missed on %d samples", e.Report.Target, e.Report.Samples)
	for _, o := range e.Report.Outputs {
		text += fmt.Sprintf("; output %q: largest error %.3g in a range of %.3g", o.Name, o.MaxError, o.Range)
		if o.Agreement != nil {
			text += fmt.Sprintf(", same label on %.2f %%", 100**o.Agreement)
		}
	}
	return text
}

// Compile turns a network into a circuit. Errors are *quantize.UnsupportedError where
// a node has no integer form, *AccuracyError if the target is missed and Options say
// strict, *circuit.VisibilityError for what can't be shown or hidden as asked,
// *quantize.FitError for a network that isn't like the model in Options,
// *quantize.AnswerError for one whose answers can't be counted as right,
// *onnx.LimitError for more inferences than are reasonable, and one that matches prover.ErrMismatch for settings of another model. The result is the same for
// the same network and options on every machine.
func Compile(ctx context.Context, n *Network, o Options) (*Model, error) {
	if o.Like != nil {
		var err error
		if n, err = n.like(o.Like); err != nil {
			return nil, err
		}
		o.Settings = o.Like.Settings
	}
	settings, report, program, err := calibrate(ctx, n, o)
	if err != nil {
		return nil, err
	}
	if o.Like != nil {
		if err := o.Like.Inference().SameArchitecture(program); err != nil {
			return nil, err
		}
	}
	m := &Model{Graph: n.Graph, Program: program, Settings: settings, Report: report}
	if err := m.repeat(); err != nil {
		if o.Settings != nil {
			return nil, settingsErrorf("%v", err)
		}
		return nil, err
	}
	if o.Strict && !report.Met {
		return nil, &AccuracyError{Report: report}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o.progress("writing the circuit")
	if m.Circuit, err = circuit.Compile(ctx, m.Program, settings.circuitOptions(n.Graph.Name)); err != nil {
		if o.Settings != nil && ctx.Err() == nil {
			return nil, settingsErrorf("%v", err)
		}
		return nil, fmt.Errorf("compile: %w", err)
	}
	settings.Widths = m.Circuit.Widths
	return m, nil
}

// repeat makes the program of a data set or of a batch from that of one inference, if
// settings say so.
func (m *Model) repeat() error {
	s := m.Settings
	switch {
	case s.DatasetSize != 0 && s.Batch != 0:
		return &quantize.AnswerError{Reason: "a proof is about a data set or a batch, not both"}
	case s.Batch != 0:
		if err := checkRepeated(m.Program, s.Batch); err != nil {
			return err
		}
		p, err := m.Program.Repeat(s.Batch)
		if err != nil {
			return err
		}
		m.inference, m.Program = m.Program, p
		return nil
	case s.DatasetSize == 0:
		return nil
	}
	p, err := countCorrect(m.Program, s.DatasetSize)
	if err != nil {
		return err
	}
	for _, id := range p.Inputs {
		in, _ := p.Nodes[id].Op.(quantize.Input)
		if m.Settings.Visibility[in.Name] == circuit.Private {
			return &circuit.VisibilityError{Name: in.Name, Reason: "right answers on samples that a prover may choose say nothing: make it public or hashed"}
		}
	}
	if m.Settings.Visibility[CorrectOutput] == circuit.Private {
		return &circuit.VisibilityError{Name: CorrectOutput, Reason: "a proof that doesn't say how many answers are right says nothing: make it public or hashed"}
	}
	m.inference, m.Program = m.Program, p
	return nil
}

// calibrate quantizes a network, by settings if there are any.
func calibrate(ctx context.Context, n *Network, o Options) (*Settings, *quantize.Report, *quantize.Program, error) {
	settings := &Settings{
		Version: SettingsVersion, Name: n.options.Name, Dims: n.options.Dims, Head: n.options.Head,
		Labels: o.Labels, DatasetSize: o.DatasetSize, Batch: o.Batch, Widths: o.Widths, Visibility: hiding(o.Visibility),
	}
	weights, hidden := settings.Visibility[circuit.WeightsName]
	q := quantize.Options{Samples: o.Samples, Target: o.Target, Encodings: o.Encodings, HiddenWeights: hidden, HashedWeights: weights == circuit.Hashed}
	if o.Settings != nil {
		if err := o.Settings.fits(n); err != nil {
			return nil, nil, nil, err
		}
		settings = o.Settings.clone()
		q.Settings = settings.Quantize
	}
	if err := checkEncodings(n.Graph, o.Encodings); err != nil {
		return nil, nil, nil, err
	}
	o.progress("calibrating")
	program, report, err := quantize.Quantize(ctx, n.Graph, q)
	if err != nil {
		// Settings are made for a model that can be quantized: with its own they fail
		// for nothing but the samples.
		var sample *graph.InputError
		if o.Like != nil && !errors.As(err, &sample) {
			return nil, nil, nil, unlike(err)
		}
		if o.Settings != nil && !errors.As(err, &sample) {
			return nil, nil, nil, fmt.Errorf("%w: settings: %w", prover.ErrMismatch, err)
		}
		return nil, nil, nil, err
	}
	settings.Quantize = report.Settings
	if err := setLabels(n.Graph, program, settings); err != nil {
		if o.Settings != nil {
			return nil, nil, nil, settingsErrorf("%v", err)
		}
		return nil, nil, nil, err
	}
	return settings, report, program, nil
}

// progress reports a step.
func (o *Options) progress(step string) {
	if o.Progress != nil {
		o.Progress(step)
	}
}

// checkEncodings returns an error if an encoding is for no input.
func checkEncodings(g *graph.Graph, encodings map[string]quantize.Encoding) error {
	for name := range encodings {
		if _, ok := g.Input(name); !ok {
			return &graph.InputError{Name: name, Reason: "has an encoding, and the model has no such input"}
		}
	}
	return nil
}

// setLabels gives the head's answer its labels.
func setLabels(g *graph.Graph, p *quantize.Program, s *Settings) error {
	if len(s.Labels) == 0 {
		return nil
	}
	if classes := s.Head.classes(g); len(s.Labels) != classes {
		return &HeadError{s.Head.String(), fmt.Sprintf("%d labels for %d classes", len(s.Labels), classes)}
	}
	p.Outputs[0].Labels = s.Labels
	return nil
}

// DomainLog returns the binary logarithm of the size of the evaluation domain, which
// the structured reference string must have.
func (m *Model) DomainLog() int { return prover.DomainLog(m.Circuit.System) }

// Assign quantizes one set of inputs and computes the witness. Salts are those of
// o.Salts and, but for outputs, of o.Secrets; new ones where they have none.
func (m *Model) Assign(inputs Inputs, o ProveOptions) (*circuit.Assignment, error) {
	values, err := m.arrange(inputs)
	if err != nil {
		return nil, err
	}
	policy := quantize.Refuse
	if o.Clamp {
		policy = quantize.Clamp
	}
	integers, err := m.Program.QuantizeInputs(values, policy)
	if err != nil {
		return nil, m.inSample(err)
	}
	return m.Circuit.AssignSalted(integers, o.Context, m.salts(o))
}

// arrange puts inputs into the program's order.
func (m *Model) arrange(inputs Inputs) ([][]float64, error) {
	values := make([][]float64, len(m.Program.Inputs))
	for i, p := range m.Circuit.Manifest.Inputs {
		t, ok := inputs[p.Name]
		switch {
		case !ok:
			return nil, &graph.InputError{Name: p.Name, Reason: "no value given"}
		case !t.Shape.Equal(p.Shape):
			return nil, &graph.InputError{Name: p.Name, Reason: fmt.Sprintf("has shape %v: the model takes %v", t.Shape, p.Shape)}
		}
		values[i] = t.Data
	}
	if len(inputs) > len(values) {
		for name := range inputs {
			if !slices.ContainsFunc(m.Circuit.Manifest.Inputs, func(p circuit.Public) bool { return p.Name == name }) {
				return nil, &graph.InputError{Name: name, Reason: "the model has no such input"}
			}
		}
	}
	return values, nil
}
