package zkml

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/quantize"
)

// SettingsVersion is the version of the JSON form of Settings.
const SettingsVersion = 1

// maxSettingsFile is the largest file that ReadSettings reads, in bytes.
const maxSettingsFile = 1 << 26

// Settings are all the choices that turn one ONNX file into one circuit. With them,
// compiling again needs no samples and gives the same model id.
type Settings struct {
	Version int `json:"version"`
	// Name, Dims and Head are the LoadOptions.
	Name string         `json:"name,omitempty"`
	Dims map[string]int `json:"dims,omitempty"`
	Head Head           `json:"head,omitzero"`
	// Labels name the values of the head's answer.
	Labels []string `json:"labels,omitempty"`
	// DatasetSize is the number of labelled samples over which a proof counts correct
	// answers, or 0 for a proof of one answer.
	DatasetSize int `json:"dataset_size,omitempty"`
	// Batch is the number of inferences of a proof that are laid along a leading axis, or 0
	// for a proof of one answer without that axis.
	Batch int `json:"batch,omitempty"`
	// Visibility has the inputs and outputs that aren't public, by name, and weights
	// that aren't fixed, by circuit.WeightsName.
	Visibility map[string]circuit.Visibility `json:"visibility,omitempty"`
	// Widths are the widths in bits of the circuit's range-check tables.
	Widths []int `json:"widths"`
	// Quantize has the widths and scales of tensors.
	Quantize *quantize.Settings `json:"quantize"`
}

// LoadOptions returns the options with which the ONNX file has to be loaded.
func (s *Settings) LoadOptions() LoadOptions {
	return LoadOptions{Name: s.Name, Dims: s.Dims, Head: s.Head}
}

// Marshal returns the settings as indented JSON.
func (s *Settings) Marshal() ([]byte, error) {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode settings: %w", err)
	}
	return append(data, '\n'), nil
}

// ReadSettings reads what Marshal wrote. The error matches prover.ErrMismatch if it
// isn't that.
func ReadSettings(r io.Reader) (*Settings, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSettingsFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSettingsFile {
		return nil, settingsErrorf("more than %d bytes", maxSettingsFile)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	s := new(Settings)
	if err := decoder.Decode(s); err != nil {
		return nil, settingsErrorf("%v", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, settingsErrorf("something follows the JSON value")
	}
	if s.Version != SettingsVersion {
		return nil, settingsErrorf("version %d, this program reads %d", s.Version, SettingsVersion)
	}
	if s.DatasetSize < 0 {
		return nil, settingsErrorf("a data set of %d samples", s.DatasetSize)
	}
	if s.Batch < 0 || s.Batch > 0 && s.DatasetSize > 0 {
		return nil, settingsErrorf("a batch of %d inferences and a data set of %d samples", s.Batch, s.DatasetSize)
	}
	if s.Quantize == nil {
		return nil, settingsErrorf("member \"quantize\" is missing")
	}
	return s, nil
}

// fits returns an error unless the network was loaded as the settings say.
func (s *Settings) fits(n *Network) error {
	o := n.options
	switch {
	case s.Head != o.Head:
		return settingsErrorf("have head %q: the model was loaded with %q", s.Head, o.Head)
	case s.Name != o.Name:
		return settingsErrorf("have name %q: the model was loaded with %q", s.Name, o.Name)
	case !maps.Equal(s.Dims, o.Dims):
		return settingsErrorf("have dimensions %v: the model was loaded with %v", s.Dims, o.Dims)
	}
	return nil
}

// clone returns a copy that shares no list with s but those of Quantize.
func (s *Settings) clone() *Settings {
	c := *s
	c.Dims, c.Labels, c.Widths = maps.Clone(s.Dims), slices.Clone(s.Labels), slices.Clone(s.Widths)
	c.Visibility = maps.Clone(s.Visibility)
	return &c
}

// circuitOptions returns what the circuit of a model with a name is compiled with.
func (s *Settings) circuitOptions(model string) circuit.Options {
	o := circuit.Options{Model: model, Widths: s.Widths, Visibility: maps.Clone(s.Visibility), Weights: s.Visibility[circuit.WeightsName]}
	delete(o.Visibility, circuit.WeightsName)
	return o
}

// settingsErrorf says why settings can't be used.
func settingsErrorf(format string, args ...any) error {
	return &prover.FileError{File: "model.settings.json", Reason: fmt.Sprintf(format, args...)}
}
