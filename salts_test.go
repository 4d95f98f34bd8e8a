package zkml_test

import (
	"context"
	"maps"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover/srs"
)

// TestOutputSalts proves twice with the same secrets: input and weights have the same
// digests, the answer another one, unless its salt is asked for.
func TestOutputSalts(t *testing.T) {
	n, err := zkml.Load("testdata/diabetes/model.onnx", zkml.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const output = "progression"
	m, err := zkml.Compile(context.Background(), n, zkml.Options{Visibility: map[string]circuit.Visibility{
		"features": circuit.Hashed, output: circuit.Hashed, circuit.WeightsName: circuit.Hashed,
	}})
	if err != nil {
		t.Fatal(err)
	}
	inputs, err := m.ReadInputs("testdata/diabetes/input.json")
	if err != nil {
		t.Fatal(err)
	}
	s, err := srs.Development(m.DomainLog())
	if err != nil {
		t.Fatal(err)
	}
	pk, _, err := zkml.Setup(m, s)
	if err != nil {
		t.Fatal(err)
	}
	secrets := &zkml.Secrets{}
	var words [3][]fr.Element
	var salts circuit.Salts
	for i, given := range []bool{false, false, true} {
		o := zkml.ProveOptions{Secrets: secrets, Clamp: true}
		if given {
			o.Salts = circuit.Salts{output: salts[output]}
		}
		proof, err := zkml.Prove(context.Background(), m, pk, inputs, o)
		if err != nil {
			t.Fatal(err)
		}
		words[i] = proof.Words
		p := m.Circuit.Manifest.Outputs[0]
		digest, err := p.Digest(secrets.Outputs[0].Integers, secrets.Salts[output])
		if err != nil || digest != proof.Words[2] {
			t.Errorf("proof %d: its secrets don't open the answer's digest: %v", i, err)
		}
		if !given {
			salts = maps.Clone(secrets.Salts)
		}
	}
	const input, answer, weights = 1, 2, 3
	for i := 1; i < 3; i++ {
		if words[0][input] != words[i][input] || words[0][weights] != words[i][weights] {
			t.Errorf("proof %d: the input or the weights have other digests under the same salts", i)
		}
	}
	if words[0][answer] == words[1][answer] {
		t.Error("the second answer has the salt of the first")
	}
	if words[1][answer] != words[2][answer] {
		t.Error("an answer under a given salt has another digest")
	}
}
