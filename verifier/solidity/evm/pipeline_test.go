package evm_test

import (
	"context"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/quantize"
)

// TestPipeline has testdata/Pipeline.sol verify two linked proofs: the second model's
// answer to the first one's hidden answer.
func TestPipeline(t *testing.T) {
	needCompiler(t)
	ctx := context.Background()
	first, inputs := compiled(t, "breast_cancer", zkml.LoadOptions{}, visible{circuit.Private, circuit.Hashed, circuit.Fixed})
	encoding, err := zkml.EncodingLike(first.Circuit.Manifest, "probabilities")
	if err != nil {
		t.Fatal(err)
	}
	network, err := zkml.Load(models+"pipeline/triage.onnx", zkml.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := zkml.Compile(ctx, network, zkml.Options{
		Encodings:  map[string]quantize.Encoding{"risk": encoding},
		Visibility: map[string]circuit.Visibility{"risk": circuit.Hashed},
	})
	if err != nil {
		t.Fatal(err)
	}
	pk1, vk1 := keys(t, first)
	pk2, vk2 := keys(t, second)
	const request = 77
	proveBoth := func(secrets *zkml.Secrets, salts circuit.Salts, change func(risk []float64)) (*prover.Proof, *prover.Proof) {
		one, err := zkml.Prove(ctx, first, pk1, inputs, zkml.ProveOptions{Context: fr.NewElement(request), Secrets: secrets})
		if err != nil {
			t.Fatal(err)
		}
		risk := secrets.Outputs[0]
		change(risk.Real)
		if salts == nil {
			salts = circuit.Salts{"risk": secrets.Salts["probabilities"]}
		}
		two, err := zkml.Prove(ctx, second, pk2, zkml.Inputs{"risk": &graph.Tensor{Shape: risk.Shape, Data: risk.Real}},
			zkml.ProveOptions{Context: fr.NewElement(request), Secrets: &zkml.Secrets{Salts: salts}})
		if err != nil {
			t.Fatal(err)
		}
		return one, two
	}
	same := func([]float64) {}
	one, two := proveBoth(&zkml.Secrets{}, nil, same)
	_, salted := proveBoth(&zkml.Secrets{}, circuit.Salts{"risk": fr.NewElement(9)}, same)
	_, altered := proveBoth(&zkml.Secrets{}, nil, func(risk []float64) { risk[0], risk[1] = risk[1], risk[0] })

	p := deployConsumer(t, "Pipeline", []*prover.VerifyingKey{vk1, vk2}, func(c *consumer) [][32]byte {
		return [][32]byte{c.adapter(t, c.keys[0]), c.adapter(t, c.keys[1])}
	})
	link := one.Words[1]
	if answer, err := p.urgency(t, request, one, link, two); err != nil {
		t.Errorf("linked proofs: %v", err)
	} else if want := two.Values[1].Integers[0]; answer.Int64() != want {
		t.Errorf("the contract answers %v, the proof says %d", answer, want)
	}
	for _, test := range []struct {
		name     string
		request  int64
		one, two *prover.Proof
		link     fr.Element
	}{
		{"another salt", request, one, salted, one.Words[1]},
		{"another salt, its digest", request, one, salted, salted.Words[1]},
		{"another tensor", request, one, altered, one.Words[1]},
		{"another tensor, its digest", request, one, altered, altered.Words[1]},
		{"another context", request + 1, one, two, one.Words[1]},
	} {
		if _, err := p.urgency(t, test.request, test.one, test.link, test.two); err == nil {
			t.Errorf("%s is accepted", test.name)
		}
	}
}

// urgency calls the contract.
func (c *consumer) urgency(t *testing.T, request int64, one *prover.Proof, link fr.Element, two *prover.Proof) (*big.Int, error) {
	t.Helper()
	return c.call(t, "urgency", big.NewInt(request), marshal(t, c.keys[0], one), integer(link), marshal(t, c.keys[1], two), integer(two.Words[2]))
}
