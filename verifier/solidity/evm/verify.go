package evm

import (
	"context"
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

// Report is what running a proof through the contract measured, under Osaka.
type Report struct {
	// Fork and Compiler are what the figures hold for.
	Fork     string `json:"fork"`
	Compiler string `json:"compiler"`
	// Entry is the function that was called.
	Entry string `json:"entry"`
	// ExecutionGas is the gas that the contracts' code used, TransactionGas that of
	// the whole transaction, base fee and calldata included.
	ExecutionGas   uint64 `json:"execution_gas"`
	TransactionGas uint64 `json:"transaction_gas"`
	CalldataBytes  int    `json:"calldata_bytes"`
	// ModelVerifierBytes and PlonkVerifierBytes are the sizes of the runtime codes,
	// each to stay within solidity.MaxRuntimeBytes.
	ModelVerifierBytes int    `json:"model_verifier_bytes"`
	PlonkVerifierBytes int    `json:"plonk_verifier_bytes"`
	DeploymentGas      uint64 `json:"deployment_gas"`
	// Outputs is the answer that the contract decoded, one list of integers for
	// each shown output.
	Outputs [][]*big.Int `json:"outputs"`
}

// Verify exports the model's contracts, compiles and deploys them in process and
// runs a proof through an entry. A development key is accepted here: whether to
// trust one is for the caller to say. The error matches ErrRejected if the contract
// reverts, the errors of solidity.Calldata if there is nothing to call it with, and
// is a *ToolError if the compiler is missing.
func Verify(ctx context.Context, vk *prover.VerifyingKey, entry solidity.Entry, p *prover.Proof) (*Report, error) {
	calldata, err := solidity.Calldata(vk, entry, p)
	if err != nil {
		return nil, err
	}
	files, err := solidity.Export(vk, solidity.Options{AllowDevelopmentSRS: true})
	if err != nil {
		return nil, err
	}
	v, err := Deploy(ctx, files)
	if err != nil {
		return nil, err
	}
	result, err := v.Call(calldata)
	if err != nil {
		return nil, err
	}
	if result.Revert != nil {
		return nil, fmt.Errorf("%w: %w", ErrRejected, result.Revert)
	}
	outputs, err := v.Outputs(entry, result.Output)
	if err != nil {
		return nil, err
	}
	return &Report{
		Fork: solidity.EVMVersion, Compiler: "solc " + solidity.SolcVersion, Entry: entry.String(),
		ExecutionGas: result.ExecutionGas, TransactionGas: result.TransactionGas, CalldataBytes: len(calldata),
		ModelVerifierBytes: len(v.Code(v.Address)), PlonkVerifierBytes: len(v.Code(v.PlonkVerifier)),
		DeploymentGas: v.DeploymentGas, Outputs: outputs,
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
