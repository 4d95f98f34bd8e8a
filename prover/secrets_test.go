package prover_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
)

// A tensor's name comes from the ONNX file: any case, any length that a manifest takes.
func TestSecretsKeepNames(t *testing.T) {
	for _, name := range []string{"x", "Input3", strings.Repeat("Long/", 40), `with "quotes"`} {
		var salt fr.Element
		salt.SetUint64(7)
		var file bytes.Buffer
		if _, err := (&prover.Secrets{Salts: circuit.Salts{name: salt}}).WriteTo(&file); err != nil {
			t.Fatal(err)
		}
		read, err := prover.ReadSecrets(&file)
		if err != nil {
			t.Errorf("%.20q: %v", name, err)
			continue
		}
		if got, ok := read.Salts[name]; !ok || !got.Equal(&salt) {
			t.Errorf("%.20q: salts are %v", name, read.Salts)
		}
	}
}

// Everything but the names of salts is as strict as in proof.json.
func TestReadSecretsIsStrict(t *testing.T) {
	const salt = `"0x0000000000000000000000000000000000000000000000000000000000000007"`
	for name, text := range map[string]string{
		"member in another case": `{"Format": "zkml-secrets", "version": 1, "salts": {}, "outputs": []}`,
		"unknown member":         `{"format": "zkml-secrets", "version": 1, "salts": {}, "outputs": [], "more": 1}`,
		"salt twice":             `{"format": "zkml-secrets", "version": 1, "salts": {"X": ` + salt + `, "X": ` + salt + `}, "outputs": []}`,
		"member of an output":    `{"format": "zkml-secrets", "version": 1, "salts": {}, "outputs": [{"Name": "x"}]}`,
		"map in another place":   `{"format": "zkml-secrets", "version": 1, "salts": {}, "outputs": [{"salts": {"X": 1}}]}`,
	} {
		if s, err := prover.ReadSecrets(strings.NewReader(text)); !errors.Is(err, prover.ErrMismatch) {
			t.Errorf("%s: read %v, error %v", name, s, err)
		}
	}
}
