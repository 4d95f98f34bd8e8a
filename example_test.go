package zkml_test

import (
	"context"
	"fmt"
	"log"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/prover/srs"
)

// A model's owner compiles it and publishes the verifying key; a clinic proves what
// the model says of one patient; whoever relies on the answer verifies it.
func Example() {
	ctx := context.Background()

	// Once for each model.
	network, err := zkml.Load("testdata/breast_cancer/model.onnx", zkml.LoadOptions{Head: zkml.ArgMax()})
	if err != nil {
		log.Fatal(err)
	}
	samples, err := network.ReadSamples("testdata/breast_cancer/samples.json")
	if err != nil {
		log.Fatal(err)
	}
	model, err := zkml.Compile(ctx, network, zkml.Options{
		Samples: samples,
		Labels:  []string{"malignant", "benign"},
	})
	if err != nil {
		log.Fatal(err)
	}
	// For real use, the string of a ceremony; this one's secret is public.
	reference, err := srs.Development(model.DomainLog())
	if err != nil {
		log.Fatal(err)
	}
	pk, vk, err := zkml.Setup(model, reference)
	if err != nil {
		log.Fatal(err)
	}

	// Once for each question.
	inputs, err := model.ReadInputs("testdata/breast_cancer/input.json")
	if err != nil {
		log.Fatal(err)
	}
	proof, err := zkml.Prove(ctx, model, pk, inputs, zkml.ProveOptions{})
	if err != nil {
		log.Fatal(err)
	}

	// By whoever relies on the answer.
	verdict, err := zkml.Verify(vk, proof, zkml.Expectation{AllowDevelopmentSRS: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, value := range verdict.Values {
		if value.Role == "output" {
			fmt.Println(value.Name, value.Labels)
		}
	}
	// Output: label [benign]
}
