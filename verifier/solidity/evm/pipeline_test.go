package evm_test

import (
	"bytes"
	"context"
	"math/big"
	"os"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm/runtime"
	"github.com/ethereum/go-ethereum/params"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
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

	p := deployPipeline(t, vk1, vk2)
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

// pipeline is the deployed contract.
type pipeline struct {
	contract evm.Contract
	address  common.Address
	config   runtime.Config
}

// deployPipeline deploys both verifiers and the contract that calls them.
func deployPipeline(t *testing.T, keys ...*prover.VerifyingKey) *pipeline {
	t.Helper()
	compiler, err := evm.FindCompiler()
	if err != nil {
		t.Fatal(err)
	}
	db, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
	if err != nil {
		t.Fatal(err)
	}
	chain := *params.MergedTestChainConfig
	p := &pipeline{config: runtime.Config{ChainConfig: &chain, State: db, GasLimit: params.MaxTxGas}}
	create := func(files solidity.Files, name string, arguments []byte) common.Address {
		contracts, err := compiler.Compile(context.Background(), files)
		if err != nil {
			t.Fatal(err)
		}
		p.contract = contracts[name]
		_, address, _, err := runtime.Create(append(bytes.Clone(p.contract.Creation), arguments...), &p.config)
		if err != nil {
			t.Fatal(err)
		}
		return address
	}
	var arguments []byte
	for _, vk := range keys {
		files, err := solidity.Export(vk, solidity.Options{AllowDevelopmentSRS: true})
		if err != nil {
			t.Fatal(err)
		}
		address := create(files, "ModelVerifier", nil)
		arguments = append(arguments, common.LeftPadBytes(address.Bytes(), 32)...)
	}
	source, err := os.ReadFile("testdata/Pipeline.sol")
	if err != nil {
		t.Fatal(err)
	}
	p.address = create(solidity.Files{"src/Pipeline.sol": source}, "Pipeline", arguments)
	return p
}

// urgency calls the contract.
func (p *pipeline) urgency(t *testing.T, request int64, one *prover.Proof, link fr.Element, two *prover.Proof) (*big.Int, error) {
	t.Helper()
	marshal := func(proof *prover.Proof) []byte {
		parsed, err := prover.ParseRaw(proof.Raw, (len(proof.Raw)-prover.RawSize(0))/96)
		if err != nil {
			t.Fatal(err)
		}
		return parsed.MarshalSolidity()
	}
	calldata, err := p.contract.ABI.Pack("urgency", big.NewInt(request), marshal(one), link.BigInt(new(big.Int)), marshal(two), two.Words[2].BigInt(new(big.Int)))
	if err != nil {
		t.Fatal(err)
	}
	output, left, err := runtime.Call(p.address, calldata, &p.config)
	if err != nil {
		return nil, err
	}
	t.Logf("%d gas", p.config.GasLimit-left)
	return new(big.Int).SetBytes(output), nil
}
