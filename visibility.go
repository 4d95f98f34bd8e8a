package zkml

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/quantize"
)

// Secrets are the salts of a proof's digests and the answers that it doesn't show; see
// [prover.Secrets].
type Secrets = prover.Secrets

// hiding returns what differs from the default: all shown, weights fixed.
func hiding(asked map[string]circuit.Visibility) map[string]circuit.Visibility {
	var hidden map[string]circuit.Visibility
	for name, v := range asked {
		if v == circuit.Shown && name != circuit.WeightsName || v == circuit.Fixed && name == circuit.WeightsName {
			continue
		}
		if hidden == nil {
			hidden = make(map[string]circuit.Visibility)
		}
		hidden[name] = v
	}
	return hidden
}

// LoadOptions returns the options with which another training of the model has to be
// loaded, to be compiled like it.
func (m *Model) LoadOptions() LoadOptions {
	o := m.Settings.LoadOptions()
	o.Name = m.Graph.Name
	return o
}

// like returns the network with the names of a model of which it is to be another
// training. Two exporters, or two runs of one, may name nodes differently.
func (n *Network) like(m *Model) (*Network, error) {
	if m.Circuit.Manifest.Weights == circuit.Fixed {
		return nil, &quantize.FitError{Reason: "the weights of the other model are fixed, part of its key"}
	}
	if n.options.Name != "" && n.options.Name != m.Graph.Name || n.options.Head != m.Settings.Head {
		return nil, &quantize.FitError{Reason: "it was loaded with another name or head"}
	}
	if len(n.Graph.Nodes) != len(m.Graph.Nodes) {
		return nil, &quantize.FitError{Reason: fmt.Sprintf("it has %d tensors, not %d", len(n.Graph.Nodes), len(m.Graph.Nodes))}
	}
	g := *n.Graph
	g.Name = m.Graph.Name
	g.Nodes = slices.Clone(g.Nodes)
	for i := range g.Nodes {
		g.Nodes[i].Name = m.Graph.Nodes[i].Name
	}
	return &Network{Graph: &g, Info: n.Info, options: m.Settings.LoadOptions()}, nil
}

// unlike is the error of quantizing a network by another model's settings.
func unlike(err error) error {
	var fit *quantize.FitError
	if errors.As(err, &fit) {
		return fit
	}
	return &quantize.FitError{Reason: err.Error()}
}

// EncodingLike returns the encoding of one tensor of a model, for the input of another
// that is to take it: with it, and the same shape, equal digests mean equal values. The
// error matches prover.ErrUnknownTensor if the model has no such output or input.
func EncodingLike(m *circuit.Manifest, name string) (quantize.Encoding, error) {
	for _, tensors := range [][]circuit.Public{m.Outputs, m.Inputs} {
		for _, p := range tensors {
			if p.Name == name {
				return quantize.Encoding{Bits: p.Bits, Lo: p.Lo, Scale: p.Scale}, nil
			}
		}
	}
	return quantize.Encoding{}, fmt.Errorf("%w: %q", prover.ErrUnknownTensor, name)
}

// CheckLink returns nil if an output of one model and an input of another have one
// encoding and shape, so that equal digests mean equal values, and else a
// *quantize.FitError.
func CheckLink(from *circuit.Manifest, output string, to *circuit.Manifest, input string) error {
	find := func(tensors []circuit.Public, name string) *circuit.Public {
		for i := range tensors {
			if tensors[i].Name == name {
				return &tensors[i]
			}
		}
		return nil
	}
	a, b := find(from.Outputs, output), find(to.Inputs, input)
	if a == nil {
		a = find(from.Inputs, output)
	}
	switch {
	case a == nil:
		return fmt.Errorf("%w: %q", prover.ErrUnknownTensor, output)
	case b == nil:
		return fmt.Errorf("%w: %q", prover.ErrUnknownTensor, input)
	case a.Tag() != b.Tag():
		return &quantize.FitError{Tensor: input, Reason: fmt.Sprintf("it has shape %v, %d bits from %d and unit %v; %q of the other model has %v, %d bits from %d and unit %v",
			b.Shape, b.Bits, b.Lo, b.Scale, output, a.Shape, a.Bits, a.Lo, a.Scale)}
	}
	return nil
}

// Commit returns the digests of the hashed inputs for which there are values, as a
// proof of them will state them. Salts are those of s; missing ones are drawn and
// stored in it. It needs no more than the manifest, which a verifying key has. A value
// outside its interval is a *quantize.RangeError, a tensor of another shape a
// *graph.InputError.
func Commit(m *circuit.Manifest, inputs Inputs, s *Secrets) ([]prover.Value, error) {
	var values []prover.Value
	for _, p := range m.Inputs {
		t, ok := inputs[p.Name]
		if !ok || p.Visibility != circuit.Hashed {
			continue
		}
		if !t.Shape.Equal(p.Shape) {
			return nil, &graph.InputError{Name: p.Name, Reason: fmt.Sprintf("has shape %v: the model takes %v", t.Shape, p.Shape)}
		}
		integers := make([]int64, len(t.Data))
		hi := p.Lo + (1<<p.Bits - 1)
		for i, v := range t.Data {
			q, ok := p.Scale.Quantize(v)
			if !ok || q < p.Lo || q > hi {
				return nil, &quantize.RangeError{Input: p.Name, Element: i, Value: v, Lo: p.Scale.Real(p.Lo), Hi: p.Scale.Real(hi)}
			}
			integers[i] = q
		}
		salt, err := saltOf(s, p.Name)
		if err != nil {
			return nil, err
		}
		digest, err := p.Digest(integers, salt)
		if err != nil {
			return nil, err
		}
		values = append(values, prover.Value{Name: p.Name, Role: "input", Visibility: circuit.Hashed, Shape: p.Shape, Digest: (*prover.Word)(&digest)})
	}
	return values, nil
}

// saltOf returns a salt, drawn and stored if there is none.
func saltOf(s *Secrets, name string) (fr.Element, error) {
	if salt, ok := s.Salts[name]; ok {
		return salt, nil
	}
	salt, err := circuit.NewSalt()
	if err != nil {
		return salt, err
	}
	if s.Salts == nil {
		s.Salts = make(circuit.Salts)
	}
	s.Salts[name] = salt
	return salt, nil
}

// CommitWeights is Commit for the hidden weights of a model.
func (m *Model) CommitWeights(s *Secrets) (prover.Value, error) {
	salt, err := saltOf(s, circuit.WeightsName)
	if err != nil {
		return prover.Value{}, err
	}
	digest, err := circuit.WeightsDigest(m.Program, salt)
	if err != nil {
		return prover.Value{}, err
	}
	return prover.Value{Name: circuit.WeightsName, Role: circuit.WeightsName, Visibility: circuit.Hashed, Digest: (*prover.Word)(&digest)}, nil
}

// salts returns the salts that a proof is to take, without those of outputs that an
// earlier proof left in the secrets.
func (m *Model) salts(o ProveOptions) circuit.Salts {
	salts := make(circuit.Salts)
	if o.Secrets != nil {
		maps.Copy(salts, o.Secrets.Salts)
	}
	for _, p := range m.Circuit.Manifest.Outputs {
		delete(salts, p.Name)
	}
	maps.Copy(salts, o.Salts)
	return salts
}

// keep stores what a proof doesn't show: the salts and the hidden outputs.
func (m *Model) keep(s *Secrets, a *circuit.Assignment) {
	if s == nil {
		return
	}
	s.Salts = a.Salts
	s.Outputs = nil
	for i, p := range m.Circuit.Manifest.Outputs {
		if p.Visibility != circuit.Shown {
			s.Outputs = append(s.Outputs, prover.HiddenValue(&p, a.Values[m.Program.Outputs[i].ID]))
		}
	}
}
