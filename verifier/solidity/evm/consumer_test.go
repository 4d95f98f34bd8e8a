package evm_test

import (
	"bytes"
	"context"
	"math/big"
	"os"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/common"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// consumer is a deployed contract of testdata that has proofs verified.
type consumer struct {
	keys     []*prover.VerifyingKey
	verifier *evm.Deployed
	contract evm.Contract
	*evm.Deployed
}

// deployConsumer deploys zkml's verifier, registers keys with it, and deploys
// testdata/NAME.sol with the constructor's arguments: words, which may be addresses.
func deployConsumer(t *testing.T, name string, keys []*prover.VerifyingKey, arguments func(c *consumer) [][32]byte) *consumer {
	t.Helper()
	c := &consumer{keys: keys}
	var err error
	if c.verifier, err = evm.DeployArtifact(solidity.Reusable(true)); err != nil {
		t.Fatal(err)
	}
	for _, vk := range keys {
		if r, err := c.verifier.Call(solidity.RegisterCalldata(vk)); err != nil || r.Revert != nil {
			t.Fatal(err, r.Revert)
		}
	}
	source, err := os.ReadFile("testdata/" + name + ".sol")
	if err != nil {
		t.Fatal(err)
	}
	c.contract = compile(t, solidity.Files{"src/" + name + ".sol": source}, name)
	creation := bytes.Clone(c.contract.Creation)
	for _, word := range arguments(c) {
		creation = append(creation, word[:]...)
	}
	if c.Deployed, err = c.verifier.Create(creation, c.contract.ABI); err != nil {
		t.Fatal(err)
	}
	return c
}

// compile compiles a contract.
func compile(t *testing.T, files solidity.Files, name string) evm.Contract {
	t.Helper()
	compiler, err := evm.FindCompiler()
	if err != nil {
		t.Fatal(err)
	}
	contracts, err := compiler.Compile(context.Background(), files)
	if err != nil {
		t.Fatal(err)
	}
	return contracts[name]
}

// adapter deploys a model's adapter and returns its address as a word.
func (c *consumer) adapter(t *testing.T, vk *prover.VerifyingKey) [32]byte {
	t.Helper()
	files, err := solidity.Export(vk, solidity.Options{AllowDevelopmentSRS: true, AllowUnboundWeights: true})
	if err != nil {
		t.Fatal(err)
	}
	contract := compile(t, files, "ModelVerifier")
	adapter, err := c.verifier.Create(append(bytes.Clone(contract.Creation), solidity.AdapterArguments(c.verifier.Address, nil)...), contract.ABI)
	if err != nil {
		t.Fatal(err)
	}
	return [32]byte(common.LeftPadBytes(adapter.Address.Bytes(), 32))
}

// call calls a function that returns one word or nothing, which is zero. What it changes
// stays.
func (c *consumer) call(t *testing.T, function string, arguments ...any) (*big.Int, error) {
	t.Helper()
	calldata, err := c.contract.ABI.Pack(function, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	result, err := c.Call(calldata)
	if err != nil {
		t.Fatal(err)
	}
	if result.Revert != nil {
		return nil, result.Revert
	}
	t.Logf("%s: %d gas", function, result.ExecutionGas)
	return new(big.Int).SetBytes(result.Output), nil
}

// integer returns a word as the ABI's encoder takes it.
func integer(w fr.Element) *big.Int { return w.BigInt(new(big.Int)) }
