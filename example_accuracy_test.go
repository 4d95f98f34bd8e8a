package zkml_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
)

// A company sells answers of a model whose weights it keeps to itself, and publishes their
// digest. A proof says on how many of 64 public samples that model gives the right answer.
func Example_accuracy() {
	ctx := context.Background()

	// The circuit runs the model on 64 labelled samples.
	network, err := zkml.Load("testdata/breast_cancer/model.onnx", zkml.LoadOptions{Head: zkml.ArgMax()})
	if err != nil {
		log.Fatal(err)
	}
	samples, err := network.ReadSamples("testdata/breast_cancer/samples.json")
	if err != nil {
		log.Fatal(err)
	}
	model, err := zkml.Compile(ctx, network, zkml.Options{
		Samples:     samples,
		DatasetSize: 64,
		Visibility:  map[string]circuit.Visibility{circuit.WeightsName: circuit.Hashed},
	})
	if err != nil {
		log.Fatal(err)
	}
	pk, vk := developmentKeys(model)

	// The digest of the weights is published once. Under the same salt it is also that of
	// the circuit for one inference, so answers and accuracy are of one model.
	var secrets zkml.Secrets
	commitment, err := model.CommitWeights(&secrets)
	if err != nil {
		log.Fatal(err)
	}
	published := fr.Element(*commitment.Digest)

	dataset, err := model.ReadDataset("testdata/breast_cancer/dataset.json")
	if err != nil {
		log.Fatal(err)
	}
	proof, err := zkml.Prove(ctx, model, pk, dataset, zkml.ProveOptions{Secrets: &secrets})
	if err != nil {
		log.Fatal(err)
	}

	// A buyer insists on the published weights and on labels that it knows; it looks at the
	// features, or compares them as well.
	labels := make([]int64, 64)
	for i, label := range dataset[zkml.LabelsInput].Data {
		labels[i] = int64(label)
	}
	verdict, err := zkml.Verify(vk, proof, zkml.Expectation{
		AllowDevelopmentSRS: true,
		Digests:             map[string]fr.Element{circuit.WeightsName: published},
		Integers:            map[string][]int64{zkml.LabelsInput: labels},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range verdict.Values {
		if v.Name == zkml.CorrectOutput {
			fmt.Printf("%d of %d correct\n", v.Integers[0], zkml.DatasetSize(vk.Manifest()))
		}
	}

	// Nobody can claim one more: the count is the word before the digest of the weights.
	forged := *proof
	forged.Words = append([]fr.Element(nil), proof.Words...)
	forged.Words[len(forged.Words)-2] = fr.NewElement(64)
	if forged.Values, err = prover.DecodeWords(vk.Manifest(), forged.Words); err != nil {
		log.Fatal(err)
	}
	_, err = zkml.Verify(vk, &forged, zkml.Expectation{AllowDevelopmentSRS: true})
	fmt.Println("64 correct rejected:", errors.Is(err, prover.ErrRejected))
	// Output:
	// 63 of 64 correct
	// 64 correct rejected: true
}
