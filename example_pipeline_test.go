package zkml_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
)

// A laboratory's model tells how likely a tumour is malignant, a hospital's model how
// urgent a follow-up is at such a likelihood. Neither the measurements nor the likelihood
// are shown: the first proof states a digest of its output, the second one of its input,
// and if the two are one, the urgency follows from the measurements.
func Example_pipeline() {
	ctx := context.Background()

	// The first model: private measurements, hashed probabilities.
	network, err := zkml.Load("testdata/breast_cancer/model.onnx", zkml.LoadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	samples, err := network.ReadSamples("testdata/breast_cancer/samples.json")
	if err != nil {
		log.Fatal(err)
	}
	first, err := zkml.Compile(ctx, network, zkml.Options{
		Samples:    samples,
		Visibility: map[string]circuit.Visibility{"features": circuit.Private, "probabilities": circuit.Hashed},
	})
	if err != nil {
		log.Fatal(err)
	}

	// The second model takes them in the encoding in which the first one gives them.
	if network, err = zkml.Load("testdata/pipeline/triage.onnx", zkml.LoadOptions{}); err != nil {
		log.Fatal(err)
	}
	encoding, err := zkml.EncodingLike(first.Circuit.Manifest, "probabilities")
	if err != nil {
		log.Fatal(err)
	}
	second, err := zkml.Compile(ctx, network, zkml.Options{
		Encodings:  map[string]quantize.Encoding{"risk": encoding},
		Visibility: map[string]circuit.Visibility{"risk": circuit.Hashed},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := zkml.CheckLink(first.Circuit.Manifest, "probabilities", second.Circuit.Manifest, "risk"); err != nil {
		log.Fatal(err)
	}
	pk1, vk1 := developmentKeys(first)
	pk2, vk2 := developmentKeys(second)

	// The first proof. What it hides is in the secrets.
	inputs, err := first.ReadInputs("testdata/breast_cancer/input.json")
	if err != nil {
		log.Fatal(err)
	}
	var secrets zkml.Secrets
	proof1, err := zkml.Prove(ctx, first, pk1, inputs, zkml.ProveOptions{Secrets: &secrets})
	if err != nil {
		log.Fatal(err)
	}

	// The second proof takes the hidden output under the same salt.
	risk := secrets.Outputs[0]
	inputs = zkml.Inputs{"risk": &graph.Tensor{Shape: risk.Shape, Data: risk.Real}}
	salts := circuit.Salts{"risk": secrets.Salts["probabilities"]}
	proof2, err := zkml.Prove(ctx, second, pk2, inputs, zkml.ProveOptions{Secrets: &zkml.Secrets{Salts: salts}})
	if err != nil {
		log.Fatal(err)
	}

	// Whoever relies on the answer verifies the first proof, and the second one with the
	// digest that the first one states.
	verdict, err := zkml.Verify(vk1, proof1, zkml.Expectation{AllowDevelopmentSRS: true})
	if err != nil {
		log.Fatal(err)
	}
	link := fr.Element(*verdict.Values[0].Digest)
	verdict, err = zkml.Verify(vk2, proof2, zkml.Expectation{
		AllowDevelopmentSRS: true,
		Digests:             map[string]fr.Element{"risk": link},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("urgency %.1f of 10\n", verdict.Values[1].Real[0])

	// The same risk under another salt is another digest: nothing links it.
	unlinked, err := zkml.Prove(ctx, second, pk2, inputs, zkml.ProveOptions{})
	if err != nil {
		log.Fatal(err)
	}
	_, err = zkml.Verify(vk2, unlinked, zkml.Expectation{AllowDevelopmentSRS: true, Digests: map[string]fr.Element{"risk": link}})
	fmt.Println("without the salt rejected:", errors.Is(err, prover.ErrRejected))
	// Output:
	// urgency 1.0 of 10
	// without the salt rejected: true
}

// developmentKeys makes the keys of a model with the development string, whose secret is
// public.
func developmentKeys(m *zkml.Model) (*prover.ProvingKey, *prover.VerifyingKey) {
	reference, err := srs.Development(m.DomainLog())
	if err != nil {
		log.Fatal(err)
	}
	pk, vk, err := zkml.Setup(m, reference)
	if err != nil {
		log.Fatal(err)
	}
	return pk, vk
}
