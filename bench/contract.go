package main

import (
	"bytes"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	gnark "github.com/consensys/gnark/backend/plonk/bn254"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// gas is what the reusable verifier costs in go-ethereum's virtual machine.
type gas struct {
	Fork          string `json:"fork"`
	Execution     uint64 `json:"execution"`
	Transaction   uint64 `json:"transaction"` // with base fee and calldata
	CalldataBytes int    `json:"calldata_bytes"`
	Registration  uint64 `json:"registration"` // of the model's key, once
}

// gas has the contract verify a proof.
func (s *subject) gas(proof *gnark.Proof, words fr.Vector) (*gas, error) {
	vk, err := prover.NewVerifyingKey(s.key.Vk, s.model.Circuit.Manifest)
	if err != nil {
		return nil, err
	}
	var raw bytes.Buffer
	if _, err := proof.WriteRawTo(&raw); err != nil {
		return nil, err
	}
	report, err := evm.Verify(vk, &prover.Proof{ModelID: vk.ModelID(), Words: words, Raw: raw.Bytes()})
	if err != nil {
		return nil, fmt.Errorf("in the contract: %w", err)
	}
	return &gas{
		Fork: report.Fork, Execution: report.ExecutionGas, Transaction: report.TransactionGas,
		CalldataBytes: report.CalldataBytes, Registration: report.RegistrationGas,
	}, nil
}
