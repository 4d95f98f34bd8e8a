package prover_test

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/scs"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// doubler stands for a compiled model: its output is twice its hidden input.
type doubler struct {
	Context frontend.Variable `gnark:",public"`
	Out     frontend.Variable `gnark:",public"`
	In      frontend.Variable
}

func (c *doubler) Define(api frontend.API) error {
	api.ToBinary(c.In, 8)
	api.AssertIsEqual(c.Out, api.Mul(2, c.In))
	return nil
}

// From a circuit to a proof that a verifier accepts. The development string makes
// the example quick; a real key is set up with a ceremony's.
func Example() {
	system, err := frontend.Compile(ecc.BN254.ScalarField(), scs.NewBuilder, &doubler{})
	if err != nil {
		log.Fatal(err)
	}
	scale := quantize.Scale{Num: 1, Den: 1, Exp: 4}
	manifest := &circuit.Manifest{
		Version: circuit.FormatVersion,
		Model:   "doubler",
		Inputs:  []circuit.Public{{Name: "in", Visibility: circuit.Private, Shape: tensor.Shape{1}, Bits: 8, Scale: scale}},
		Outputs: []circuit.Public{{Name: "out", Visibility: circuit.Shown, Shape: tensor.Shape{1}, Bits: 9, Scale: scale}},
		Weights: circuit.Fixed,
	}
	reference, err := srs.Development(prover.DomainLog(system))
	if err != nil {
		log.Fatal(err)
	}
	pk, vk, err := prover.Setup(system, manifest, reference)
	if err != nil {
		log.Fatal(err)
	}

	witness, err := frontend.NewWitness(&doubler{Context: 2026, Out: 42, In: 21}, ecc.BN254.ScalarField())
	if err != nil {
		log.Fatal(err)
	}
	proof, err := prover.Prove(context.Background(), system, pk, witness)
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer // proof.json
	if _, err := proof.WriteTo(&file); err != nil {
		log.Fatal(err)
	}

	received, err := prover.ReadProof(&file)
	if err != nil {
		log.Fatal(err)
	}
	request := fr.NewElement(2026)
	verdict, err := prover.Verify(vk, received, prover.Expectation{Context: &request, AllowDevelopmentSRS: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range verdict.Values {
		fmt.Println(v.Role, v.Name, "=", v.Real)
	}

	_, err = prover.Verify(vk, received, prover.Expectation{})
	fmt.Println(err)
	// Output:
	// output out = [2.625]
	// verify: structured reference string: unsafe: its secret is public (development)
}
