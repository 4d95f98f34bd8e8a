package circuit

import (
	"fmt"
	"maps"
	"slices"

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
	// Salts are those of the hashed tensors. They are part of the witness and stay
	// secret; without them nobody can open the digests.
	Salts Salts
}

// Assign runs the program on the inputs, which are in the order of
// Manifest.Inputs, and returns the witness. The context is the public word that
// binds the proof to one use; it must fit in WordBits bits. Salts for hashed tensors
// are drawn from crypto/rand. An input outside its declared interval is a
// *quantize.RangeError.
func (c *Circuit) Assign(inputs [][]int64, context fr.Element) (*Assignment, error) {
	return c.AssignSalted(inputs, context, nil)
}

// AssignSalted is Assign with given salts; those that are missing are drawn. A salt for
// what isn't hashed is a *VisibilityError.
func (c *Circuit) AssignSalted(inputs [][]int64, context fr.Element, given Salts) (*Assignment, error) {
	if b := context.Bytes(); b[0] != 0 {
		return nil, fmt.Errorf("the context 0x%x is above the limit of %d bits", b, WordBits)
	}
	salts, err := c.Manifest.completeSalts(given)
	if err != nil {
		return nil, err
	}
	values, err := c.Program.Run(inputs)
	if err != nil {
		return nil, err
	}
	words := make([]fr.Element, 1, c.Manifest.NbWords())
	words[0] = context
	for i, p := range c.Manifest.Inputs {
		if words, err = p.appendWords(words, values[c.Program.Inputs[i]], salts); err != nil {
			return nil, err
		}
	}
	for i, p := range c.Manifest.Outputs {
		if words, err = p.appendWords(words, values[c.Program.Outputs[i].ID], salts); err != nil {
			return nil, err
		}
	}
	if c.Manifest.Weights == Hashed {
		digest, err := WeightsDigest(c.Program, salts[WeightsName])
		if err != nil {
			return nil, err
		}
		words = append(words, digest)
	}
	w, err := c.witness(words, values, salts)
	if err != nil {
		return nil, err
	}
	return &Assignment{Witness: w, Words: words, Values: values, Salts: salts}, nil
}

// appendWords appends the public words of a tensor: packed, a digest or none.
func (p Public) appendWords(words []fr.Element, values []int64, salts Salts) ([]fr.Element, error) {
	switch p.Visibility {
	case Private:
		return words, nil
	case Hashed:
		digest, err := p.Digest(values, salts[p.Name])
		return append(words, digest), err
	}
	packed, err := p.Pack(values)
	return append(words, packed...), err
}

// completeSalts returns a salt for each hashed tensor: the given one, or a new one.
func (m *Manifest) completeSalts(given Salts) (Salts, error) {
	hashed := m.Hashed()
	salts := make(Salts, len(hashed))
	for _, name := range hashed {
		salt, ok := given[name]
		if !ok {
			var err error
			if salt, err = NewSalt(); err != nil {
				return nil, err
			}
		}
		salts[name] = salt
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if _, ok := salts[name]; !ok {
			return nil, &VisibilityError{name, "a salt is given, but it isn't hashed"}
		}
	}
	return salts, nil
}

// witness lays out the words, the tensors that enter and the salts in the order in
// which compile created their wires.
func (c *Circuit) witness(words []fr.Element, values [][]int64, salts Salts) (witness.Witness, error) {
	hashed := c.Manifest.Hashed()
	secret := len(hashed)
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
		for _, name := range hashed {
			feed <- salts[name]
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
