package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
)

// maxSalts is the largest file of salts, in bytes.
const maxSalts = 1 << 20

// readSalts reads {"name": "0x…"}: the salts of hashed tensors.
func readSalts(r io.Reader) (circuit.Salts, error) {
	var words map[string]prover.Word
	if err := json.NewDecoder(io.LimitReader(r, maxSalts)).Decode(&words); err != nil {
		return nil, usagef("salts: %w", err)
	}
	salts := make(circuit.Salts, len(words))
	for name, word := range words {
		salts[name] = fr.Element(word)
	}
	return salts, nil
}

// keepSalts writes the salts of a proof beside it, where only its owner reads them:
// without them nobody can open the digests, and with them everyone can try guesses.
func (a *app) keepSalts(salts circuit.Salts, proof, given string) error {
	if len(salts) == 0 || given != "" {
		return nil
	}
	words := make(map[string]prover.Word, len(salts))
	for name, salt := range salts {
		words[name] = prover.Word(salt)
	}
	text, err := json.MarshalIndent(words, "", "  ")
	if err != nil {
		return fmt.Errorf("encode salts: %w", err)
	}
	path := beside(proof, ".salts.json")
	err = a.writeMode(path, 0o600, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s\n", text)
		return err
	})
	if err != nil {
		return err
	}
	a.notice("%s has the salts of the digests: keep it secret, and keep it", path)
	return nil
}
