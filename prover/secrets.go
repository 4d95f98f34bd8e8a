package prover

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
)

// A secrets file is one JSON object with exactly these members:
//
//	format   "zkml-secrets"
//	version  1
//	salts    the salt of each hashed tensor, by name: 0x and 64 hexadecimal digits
//	outputs  the outputs that the proof doesn't show, as the values of proof.json
const (
	secretsFormat  = "zkml-secrets"
	secretsFile    = "secrets.json"
	maxSecretsFile = 1 << 28
)

// Secrets are what the prover keeps and a proof doesn't show. With the salt of a digest
// and the values it can be opened; without the salt, guessing the values is of no use.
type Secrets struct {
	Salts circuit.Salts
	// Outputs are the private and the hashed outputs.
	Outputs []Value
}

// jsonSecrets is the file.
type jsonSecrets struct {
	Format  string          `json:"format"`
	Version int             `json:"version"`
	Salts   map[string]Word `json:"salts"`
	Outputs []Value         `json:"outputs"`
}

// WriteTo writes the secrets file. Nobody but the prover should be able to read it.
func (s *Secrets) WriteTo(w io.Writer) (int64, error) {
	file := jsonSecrets{secretsFormat, circuit.FormatVersion, make(map[string]Word, len(s.Salts)), s.Outputs}
	for name, salt := range s.Salts {
		file.Salts[name] = Word(salt)
	}
	if file.Outputs == nil {
		file.Outputs = []Value{}
	}
	text, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", secretsFile, err)
	}
	n, err := w.Write(append(text, '\n'))
	return int64(n), err
}

// ReadSecrets reads a secrets file, all of r. The error matches [ErrMismatch] if it
// isn't one.
func ReadSecrets(r io.Reader) (*Secrets, error) {
	b, err := readLimited(r, maxSecretsFile)
	if err != nil {
		return nil, fileErrorf(secretsFile, "%v", err)
	}
	var file jsonSecrets
	if err := unmarshalStrictly(b, &file, "salts"); err != nil {
		return nil, fileErrorf(secretsFile, "%v", err)
	}
	if file.Format != secretsFormat || file.Version != circuit.FormatVersion {
		return nil, fileErrorf(secretsFile, "format %.80q version %d: this program reads %q version %d", file.Format, file.Version, secretsFormat, circuit.FormatVersion)
	}
	s := &Secrets{Salts: make(circuit.Salts, len(file.Salts)), Outputs: file.Outputs}
	for name, salt := range file.Salts {
		s.Salts[name] = fr.Element(salt)
	}
	return s, nil
}

// HiddenValue describes an output that a proof doesn't show.
func HiddenValue(p *circuit.Public, integers []int64) Value {
	v := Value{Name: p.Name, Role: "output", Visibility: p.Visibility, Shape: p.Shape}
	v.setIntegers(p, integers)
	return v
}
