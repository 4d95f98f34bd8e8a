package evm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity"
)

// Verifier is a deployed ModelVerifier: a model's adapter, or the contract that
// verifies for one model alone. It is not safe for concurrent use.
type Verifier struct {
	Deployed
	// Plonk is the contract that verifies: zkml's verifier, or gnark's.
	Plonk common.Address
}

// Deploy exports and compiles a model's contract and creates it in a new virtual
// machine: an adapter with zkml's verifier, in which the key is registered. It returns a
// *ToolError if the compiler is missing.
func Deploy(ctx context.Context, vk *prover.VerifyingKey, o solidity.Options) (*Verifier, error) {
	files, err := solidity.Export(vk, o)
	if err != nil {
		return nil, err
	}
	return DeployFiles(ctx, vk, o, files)
}

// DeployFiles is Deploy for the files of a project that was exported with the options.
func DeployFiles(ctx context.Context, vk *prover.VerifyingKey, o solidity.Options, files solidity.Files) (*Verifier, error) {
	compiler, err := FindCompiler()
	if err != nil {
		return nil, err
	}
	contracts, err := compiler.Compile(ctx, files)
	if err != nil {
		return nil, err
	}
	contract, ok := contracts["ModelVerifier"]
	if !ok {
		return nil, errors.New("the project has no contract ModelVerifier")
	}
	v, err := deployModel(vk, o, contract)
	if err != nil {
		return nil, fmt.Errorf("deploying the verifier: %w", err)
	}
	return v, nil
}

func deployModel(vk *prover.VerifyingKey, o solidity.Options, contract Contract) (*Verifier, error) {
	if o.Standalone {
		creation := bytes.Clone(contract.Creation)
		if o.WeightsDigest != nil {
			word := o.WeightsDigest.Bytes()
			creation = append(creation, word[:]...)
		}
		d, err := deploy(creation, contract.ABI)
		if err != nil {
			return nil, err
		}
		// The first contract that a contract creates has nonce 1.
		v := &Verifier{Deployed: *d, Plonk: createdAddress(d.Address)}
		if len(v.Code(v.Plonk)) == 0 {
			return nil, errors.New("gnark's verifier isn't where it should be")
		}
		return v, nil
	}
	reusable, err := DeployArtifact(solidity.Reusable(vk.Development()))
	if err != nil {
		return nil, err
	}
	registered, err := reusable.Call(solidity.RegisterCalldata(vk))
	if err == nil && registered.Revert != nil {
		err = registered.Revert
	}
	if err != nil {
		return nil, fmt.Errorf("registering the model: %w", err)
	}
	creation := append(bytes.Clone(contract.Creation), solidity.AdapterArguments(reusable.Address, o.WeightsDigest)...)
	d, err := reusable.Create(creation, contract.ABI)
	if err != nil {
		return nil, err
	}
	return &Verifier{Deployed: *d, Plonk: reusable.Address}, nil
}

// passingErrors returns a contract's ABI with the errors of one that it calls, which it
// passes on. Two errors may have one name and other arguments.
func passingErrors(caller, called abi.ABI) abi.ABI {
	caller.Errors = maps.Clone(caller.Errors)
	if caller.Errors == nil {
		caller.Errors = map[string]abi.Error{}
	}
	for _, e := range called.Errors {
		caller.Errors[e.Sig] = e
	}
	return caller
}

// Outputs decodes the answer of a call that succeeded: the struct of outputs, each
// a list of integers, in order. It is empty for a model that shows no output.
func (v *Verifier) Outputs(entry solidity.Entry, output []byte) ([][]*big.Int, error) {
	method, ok := v.abi.Methods[entry.String()]
	if !ok {
		return nil, fmt.Errorf("the contract has no function %v", entry)
	}
	values, err := method.Outputs.Unpack(output)
	if err != nil {
		return nil, fmt.Errorf("decoding the answer of %v: %w", entry, err)
	}
	if len(values) == 0 {
		return nil, nil
	}
	return structFields(values[0]), nil
}
