package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/quantize"
)

// parseVisibility reads NAME=public|private|hashed and weights=fixed|private|hashed.
func parseVisibility(texts []string) (map[string]circuit.Visibility, error) {
	parsed := make(map[string]circuit.Visibility, len(texts))
	for _, text := range texts {
		name, value, _ := cutLast(text, "=")
		var v circuit.Visibility
		err := v.UnmarshalText([]byte(value))
		unfit := circuit.Fixed
		if name == circuit.WeightsName {
			unfit = circuit.Shown
		}
		if _, twice := parsed[name]; err != nil || name == "" || v == unfit || twice {
			return nil, usagef("--visibility %q: want NAME=public, private or hashed, or weights=fixed, private or hashed, once for each", text)
		}
		parsed[name] = v
	}
	return parsed, nil
}

// link is an input that is encoded as another model's tensor.
type link struct {
	input string
	from  *circuit.Manifest
	name  string
}

// link reads the flags --input-like and adds their encodings.
func (f *compileFlags) link(n *zkml.Network, o *zkml.Options) error {
	f.links = nil
	for _, text := range f.inputLike {
		i := strings.LastIndex(text, ".vk:")
		if i < 0 {
			return usagef("--input-like %q: want [INPUT=]MODEL.vk:NAME", text)
		}
		input, path, named := strings.Cut(text[:i+len(".vk")], "=")
		l := link{input: input, name: text[i+len(".vk:"):]}
		if !named {
			path = input
			if len(n.Graph.Inputs) != 1 {
				return usagef("--input-like %q: the model has %d inputs: say which, INPUT=MODEL.vk:NAME", text, len(n.Graph.Inputs))
			}
			l.input = inputfile.InputsOf(n.Graph)[0].Name
		}
		vk, err := readFile(path, prover.ReadVerifyingKey)
		if err != nil {
			return err
		}
		l.from = vk.Manifest()
		e, err := zkml.EncodingLike(l.from, l.name)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if _, twice := o.Encodings[l.input]; twice {
			return usagef("--input-like %q: the input has an encoding already", text)
		}
		if o.Encodings == nil {
			o.Encodings = make(map[string]quantize.Encoding)
		}
		o.Encodings[l.input] = e
		f.links = append(f.links, l)
	}
	return nil
}

// checkLinks returns an error if a linked input can't have the digests of what it is
// like.
func checkLinks(m *zkml.Model, links []link) error {
	for _, l := range links {
		if err := zkml.CheckLink(l.from, l.name, m.Circuit.Manifest, l.input); err != nil {
			return err
		}
	}
	return nil
}

// readSecrets reads a secrets file, if there is one.
func readSecrets(path string) (*zkml.Secrets, error) {
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return &zkml.Secrets{}, nil
	}
	return readFile(path, prover.ReadSecrets)
}

// readSalts takes salts from other secrets files, NAME=FILE:OTHER.
func readSalts(texts []string) (circuit.Salts, error) {
	salts := make(circuit.Salts)
	for _, text := range texts {
		name, source, _ := strings.Cut(text, "=")
		path, other, ok := strings.Cut(source, ":")
		if name == "" || !ok {
			return nil, usagef("--salt %q: want NAME=SECRETS:OTHER", text)
		}
		from, err := readFile(path, prover.ReadSecrets)
		if err != nil {
			return nil, err
		}
		salt, ok := from.Salts[other]
		if !ok {
			return nil, usagef("--salt %q: %s has no salt of %q", text, path, other)
		}
		salts[name] = salt
	}
	return salts, nil
}
