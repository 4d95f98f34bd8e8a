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

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// consumer is a deployed contract of testdata that calls generated verifiers.
type consumer struct {
	keys     []*prover.VerifyingKey
	contract evm.Contract
	address  common.Address
	config   runtime.Config
}

// deployConsumer deploys the verifiers of keys and testdata/NAME.sol, whose constructor
// takes their addresses and then words.
func deployConsumer(t *testing.T, name string, keys []*prover.VerifyingKey, words ...fr.Element) *consumer {
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
	c := &consumer{keys: keys, config: runtime.Config{ChainConfig: &chain, State: db, GasLimit: params.MaxTxGas}}
	create := func(files solidity.Files, name string, arguments []byte) common.Address {
		contracts, err := compiler.Compile(context.Background(), files)
		if err != nil {
			t.Fatal(err)
		}
		c.contract = contracts[name]
		_, address, _, err := runtime.Create(append(bytes.Clone(c.contract.Creation), arguments...), &c.config)
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
	for _, w := range words {
		b := w.Bytes()
		arguments = append(arguments, b[:]...)
	}
	source, err := os.ReadFile("testdata/" + name + ".sol")
	if err != nil {
		t.Fatal(err)
	}
	c.address = create(solidity.Files{"src/" + name + ".sol": source}, name, arguments)
	return c
}

// call calls a function that returns one word or nothing, which is zero. What it changes
// stays.
func (c *consumer) call(t *testing.T, function string, arguments ...any) (*big.Int, error) {
	t.Helper()
	calldata, err := c.contract.ABI.Pack(function, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	output, left, err := runtime.Call(c.address, calldata, &c.config)
	if err != nil {
		return nil, err
	}
	t.Logf("%s: %d gas", function, c.config.GasLimit-left)
	return new(big.Int).SetBytes(output), nil
}

// integer returns a word as the ABI's encoder takes it.
func integer(w fr.Element) *big.Int { return w.BigInt(new(big.Int)) }
