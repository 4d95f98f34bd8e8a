package circuit

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"

	"github.com/zkml-go/zkml/quantize"
)

// Assignment is one inference, ready to be proven.
type Assignment struct {
	// Witness is what gnark's prover takes: the public words, then the secret
	// inputs.
	Witness witness.Witness
	// Words are the public words, the context first.
	Words []fr.Element
	// Values are the integer tensors of every node, by quantize.ID.
	Values [][]int64
}

// Assign runs the program on the inputs, which are in the order of
// Manifest.Inputs, and returns the witness. The context is the public word that
// binds the proof to one use; it must fit in WordBits bits. An input outside its
// declared interval is a *quantize.RangeError.
func (c *Circuit) Assign(inputs [][]int64, context fr.Element) (*Assignment, error) {
	if b := context.Bytes(); b[0] != 0 {
		return nil, fmt.Errorf("the context 0x%x is above the limit of %d bits", b, WordBits)
	}
	values, err := c.Program.Run(inputs)
	if err != nil {
		return nil, err
	}
	words := make([]fr.Element, 1, c.Manifest.NbWords())
	words[0] = context
	for i, p := range c.Manifest.Inputs {
		w, err := p.Pack(values[c.Program.Inputs[i]])
		if err != nil {
			return nil, err
		}
		words = append(words, w...)
	}
	for i, p := range c.Manifest.Outputs {
		w, err := p.Pack(values[c.Program.Outputs[i].ID])
		if err != nil {
			return nil, err
		}
		words = append(words, w...)
	}
	w, err := c.witness(words, values)
	if err != nil {
		return nil, err
	}
	return &Assignment{Witness: w, Words: words, Values: values}, nil
}

// witness lays out the words and the secret inputs in the order in which compile
// created their wires.
func (c *Circuit) witness(words []fr.Element, values [][]int64) (witness.Witness, error) {
	secret := 0
	for id, n := range c.Program.Nodes {
		if isWitness(n.Op) {
			secret += len(values[id])
		}
	}
	feed := make(chan any, 256)
	go func() {
		defer close(feed)
		for i := range words {
			feed <- words[i]
		}
		var e fr.Element
		for id, n := range c.Program.Nodes {
			if !isWitness(n.Op) {
				continue
			}
			for _, v := range values[id] {
				feed <- *e.SetInt64(v)
			}
		}
	}()
	w, err := witness.New(ecc.BN254.ScalarField())
	if err != nil {
		return nil, err
	}
	if err := w.Fill(len(words), secret, feed); err != nil {
		return nil, fmt.Errorf("fill the witness: %w", err)
	}
	return w, nil
}

func isWitness(op quantize.Op) bool {
	switch op.(type) {
	case quantize.Input, quantize.Param:
		return true
	}
	return false
}
