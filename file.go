package zkml

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/codec"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/quantize"
)

// A model's file, model.zkml, is
//
//	8 bytes   "zkml-mo" 01
//	...       an array in deterministic CBOR: the graph's, the program's and the
//	          manifest's encodings, the settings and the calibration report in JSON,
//	          each a byte string; the program is that of one inference
//	32 bytes  SHA-256 of everything before
//
// The constraint system isn't in it: it is compiled again when the file is read,
// because one from a file would have to be trusted.
const (
	modelTag     = "zkml-mo\x01"
	modelFile    = "model.zkml"
	maxModelFile = 1 << 30
)

// encodedModel is the array.
type encodedModel struct {
	_        struct{} `cbor:",toarray"`
	Graph    []byte
	Program  []byte
	Manifest []byte
	Settings []byte
	Report   []byte
}

// Save writes the model's file. The same model gives the same bytes on every machine.
func (m *Model) Save(w io.Writer) error {
	data, err := m.encode()
	if err != nil {
		return fmt.Errorf("write %s: %w", modelFile, err)
	}
	if len(data) > maxModelFile {
		return fmt.Errorf("write %s: %d bytes, above the limit of %d", modelFile, len(data), maxModelFile)
	}
	_, err = w.Write(data)
	return err
}

func (m *Model) encode() ([]byte, error) {
	var e encodedModel
	var err error
	if e.Graph, err = graph.Encode(m.Graph); err != nil {
		return nil, err
	}
	if e.Program, err = m.Inference().Encode(); err != nil {
		return nil, err
	}
	if e.Manifest, err = m.Circuit.Manifest.AppendBinary(nil); err != nil {
		return nil, err
	}
	if err := m.encodeJSON(&e); err != nil {
		return nil, err
	}
	body, err := codec.Marshal(e)
	if err != nil {
		return nil, err
	}
	data := append([]byte(modelTag), body...)
	sum := sha256.Sum256(data)
	return append(data, sum[:]...), nil
}

// encodeJSON sets the settings and the report.
func (m *Model) encodeJSON(e *encodedModel) (err error) {
	if e.Settings, err = json.Marshal(m.Settings); err != nil {
		return err
	}
	report := *m.Report
	report.Settings = nil // they are in Settings
	e.Report, err = json.Marshal(report)
	return err
}

// Open reads a model's file, all of r, and compiles its circuit. The file may come
// from anyone: what it gives is whole and consistent, but whether it is the right
// model only the model id of its verifying key says. The error matches
// prover.ErrMismatch if the file isn't one, is damaged or contradicts itself.
func Open(ctx context.Context, r io.Reader) (*Model, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxModelFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxModelFile {
		return nil, modelErrorf("more than %d bytes", maxModelFile)
	}
	m, manifest, err := decodeModel(data)
	if err != nil {
		return nil, err
	}
	if err := m.repeat(); err != nil {
		return nil, modelErrorf("%v", err)
	}
	m.Circuit, err = circuit.Compile(ctx, m.Program, m.Settings.circuitOptions(m.Graph.Name))
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, modelErrorf("%v", err)
	}
	compiled, err := m.Circuit.Manifest.AppendBinary(nil)
	if err != nil {
		return nil, modelErrorf("%v", err)
	}
	if !bytes.Equal(compiled, manifest) {
		return nil, modelErrorf("its manifest isn't the one of its program")
	}
	return m, nil
}

// HiddenWeights reports whether a model's file, as [Model.Save] writes it, has weights that its
// proofs don't show. It doesn't compile the circuit, so that a file that Open refuses may pass.
func HiddenWeights(r io.Reader) (bool, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxModelFile+1))
	if err != nil {
		return false, err
	}
	if len(data) > maxModelFile {
		return false, modelErrorf("more than %d bytes", maxModelFile)
	}
	m, _, err := decodeModel(data)
	if err != nil {
		return false, err
	}
	weights, given := m.Settings.Visibility[circuit.WeightsName]
	return given && weights != circuit.Fixed, nil
}

// decodeModel reads everything but the circuit, and returns the manifest's encoding.
func decodeModel(data []byte) (*Model, []byte, error) {
	rest, ok := bytes.CutPrefix(data, []byte(modelTag))
	if !ok || len(rest) < sha256.Size {
		return nil, nil, modelErrorf("not a model's file of version 1")
	}
	body := rest[:len(rest)-sha256.Size]
	if sha256.Sum256(data[:len(data)-sha256.Size]) != [32]byte(rest[len(body):]) {
		return nil, nil, modelErrorf("its bytes don't have the digest at its end: it is damaged or cut short")
	}
	var e encodedModel
	if err := codec.Unmarshal(body, &e); err != nil {
		return nil, nil, modelErrorf("%v", err)
	}
	if err := codec.CheckCanonical(body, e); err != nil {
		return nil, nil, modelErrorf("%v", err)
	}
	m := &Model{}
	var err error
	if m.Graph, err = graph.Decode(e.Graph); err != nil {
		return nil, nil, modelErrorf("%v", err)
	}
	if m.Program, err = quantize.Decode(e.Program); err != nil {
		return nil, nil, modelErrorf("%v", err)
	}
	if m.Settings, err = ReadSettings(bytes.NewReader(e.Settings)); err != nil {
		return nil, nil, modelErrorf("%v", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(e.Report))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&m.Report); err != nil {
		return nil, nil, modelErrorf("report: %v", err)
	}
	if m.Report == nil {
		return nil, nil, modelErrorf("report is missing")
	}
	if err := m.checkJSON(&e); err != nil {
		return nil, nil, modelErrorf("%v", err)
	}
	m.Report.Settings = m.Settings.Quantize
	if err := m.checkParts(); err != nil {
		return nil, nil, modelErrorf("%v", err)
	}
	return m, e.Manifest, nil
}

// checkJSON returns an error unless settings and report are written as Save writes
// them: a model has one file.
func (m *Model) checkJSON(e *encodedModel) error {
	var again encodedModel
	if err := m.encodeJSON(&again); err != nil {
		return err
	}
	if !bytes.Equal(again.Settings, e.Settings) || !bytes.Equal(again.Report, e.Report) {
		return codec.ErrNotCanonical
	}
	return nil
}

// checkParts returns an error unless the program speaks of the graph's tensors. That
// it computes what the graph does is for Check to say.
func (m *Model) checkParts() error {
	if err := checkSize(m.Graph); err != nil {
		return err
	}
	if err := checkProgramSize(m.Program); err != nil {
		return err
	}
	if len(m.Program.Inputs) != len(m.Graph.Inputs) || len(m.Program.Outputs) != len(m.Graph.Outputs) {
		return errors.New("program and graph differ in their inputs or outputs")
	}
	for i, id := range m.Program.Inputs {
		in, _ := m.Program.Nodes[id].Op.(quantize.Input)
		want, ok := m.Graph.Input(in.Name)
		if !ok || want != m.Graph.Inputs[i] || !m.Graph.Nodes[want].Shape.Equal(m.Program.Nodes[id].Shape) {
			return fmt.Errorf("input %q of the program isn't input %d of the graph", in.Name, i)
		}
	}
	for i, out := range m.Program.Outputs {
		node := &m.Program.Nodes[out.ID]
		if node.Shape.Size() != m.Graph.Nodes[m.Graph.Outputs[i].ID].Shape.Size() {
			return fmt.Errorf("output %q has another shape in the graph", out.Name)
		}
	}
	for i := range m.Program.Nodes {
		n := &m.Program.Nodes[i]
		if n.Source < 0 {
			continue
		}
		if int(n.Source) >= len(m.Graph.Nodes) || m.Graph.Nodes[n.Source].Shape.Size() != n.Shape.Size() {
			return fmt.Errorf("tensor %d of the program stands for none of the graph's", i)
		}
	}
	if !slices.IsSorted(m.Settings.Widths) || len(m.Settings.Widths) == 0 {
		return fmt.Errorf("table widths %v", m.Settings.Widths)
	}
	return nil
}

// modelErrorf says why a model's file can't be used.
func modelErrorf(format string, args ...any) error {
	return &prover.FileError{File: modelFile, Reason: fmt.Sprintf(format, args...)}
}
