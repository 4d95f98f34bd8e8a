package evm

import (
	"fmt"
	"math/big"
	"reflect"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity"
)

// ErrRejected says that the contract reverted; it matches prover.ErrRejected too. The
// *RevertError behind it says why.
var ErrRejected = fmt.Errorf("%w by the contract", prover.ErrRejected)

// Report is what running a proof through zkml's verifier measured, under Osaka.
type Report struct {
	// Fork and Compiler are what the figures hold for.
	Fork     string `json:"fork"`
	Compiler string `json:"compiler"`
	// Contract is the verifier's name: its test variant where the key is of the
	// development string.
	Contract string `json:"contract"`
	// ExecutionGas is the gas that the contract's code used, TransactionGas that of
	// the whole transaction, base fee and calldata included.
	ExecutionGas   uint64 `json:"execution_gas"`
	TransactionGas uint64 `json:"transaction_gas"`
	CalldataBytes  int    `json:"calldata_bytes"`
	// VerifierBytes is the size of the runtime code, to stay within
	// solidity.MaxRuntimeBytes.
	VerifierBytes int `json:"verifier_bytes"`
	// RegistrationGas is the gas of the transaction that registers the model's key,
	// DeploymentGas that of the one that creates the verifier, once for all models.
	RegistrationGas uint64 `json:"registration_gas"`
	DeploymentGas   uint64 `json:"deployment_gas"`
}

// Verify creates zkml's verifier in a virtual machine of its own, registers the model's
// key and has the contract verify a proof. It needs no compiler: the contract's code is
// part of this module. A development key is accepted here, by the test variant: whether
// to trust one is for the caller to say. The error matches ErrRejected if the contract
// reverts, and the errors of solidity.NewItem if there is nothing to call it with.
func Verify(vk *prover.VerifyingKey, p *prover.Proof) (*Report, error) {
	item, err := solidity.NewItem(vk, p)
	if err != nil {
		return nil, err
	}
	artifact := solidity.Reusable(vk.Development())
	v, err := DeployArtifact(artifact)
	if err != nil {
		return nil, err
	}
	registration, err := v.Call(solidity.RegisterCalldata(vk))
	if err != nil {
		return nil, err
	}
	if registration.Revert != nil {
		return nil, fmt.Errorf("registering the model: %w", registration.Revert)
	}
	calldata := solidity.EncodeVerify(item)
	result, err := v.Call(calldata)
	if err != nil {
		return nil, err
	}
	if result.Revert != nil {
		return nil, fmt.Errorf("%w: %w", ErrRejected, result.Revert)
	}
	return &Report{
		Fork: solidity.EVMVersion, Compiler: "solc " + solidity.SolcVersion, Contract: artifact.Name,
		ExecutionGas: result.ExecutionGas, TransactionGas: result.TransactionGas, CalldataBytes: len(calldata),
		VerifierBytes: len(v.Code(v.Address)), RegistrationGas: registration.TransactionGas, DeploymentGas: v.DeploymentGas,
	}, nil
}

// createdAddress returns the address of the first contract that a contract creates:
// a new contract's nonce is 1 (EIP-161).
func createdAddress(creator common.Address) common.Address {
	return crypto.CreateAddress(creator, 1)
}

// structFields returns the fields of go-ethereum's decoded struct of int256 lists.
func structFields(decoded any) [][]*big.Int {
	fields := reflect.ValueOf(decoded)
	lists := make([][]*big.Int, fields.NumField())
	for i := range lists {
		lists[i] = fields.Field(i).Interface().([]*big.Int)
	}
	return lists
}
