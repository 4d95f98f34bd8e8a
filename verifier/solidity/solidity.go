// Package solidity writes the Solidity contract that verifies a model's proofs,
// and the calldata for it. It is pure text and bytes: it starts no compiler and
// talks to no chain (package evm runs the contract in process).
//
// # Contracts
//
// zkml's verifier, ZkmlVerifier, serves all models: a model's key is registered with it,
// and then proofs are verified by model id and public words ([Reusable], [EncodeVerify]),
// or many at once for less than half the price of each ([BatchItem], [EncodeVerifyBatch]).
// It is compiled when this module is released, so that everyone has the same code, at
// the same address on every chain ([CreatedAddress]).
//
// [Export] writes a Foundry project for one model:
//
//   - ModelVerifier: the model's adapter, what a consumer calls. It takes tensors in the
//     model's shape, checks every length and range, packs them into the public words
//     of the proof, asks zkml's verifier, and either returns the decoded answer or
//     reverts with a custom error. It is bound to the verifier and to the digest of
//     hidden weights when it is created, for good.
//   - IModelVerifier: the interface that a consumer imports.
//   - TensorCodec: the encodings, the same text for every model.
//
// With Options.Standalone there is PlonkVerifier instead of zkml's verifier: gnark's for
// one key, which ModelVerifier creates and stands in front of.
//
// # Encodings
//
// ModelVerifier has one field per tensor that a proof shows or hashes, inputs first,
// then outputs, then the digest of hashed weights. There are two entries. Typed takes
// a shown tensor as bytes: the elements in row-major order, each as Solidity's
// abi.encodePacked writes it, big-endian, in the fewest whole bytes that hold the
// tensor's interval [Lo, Lo + 2^Bits): unsigned where Lo >= 0, two's complement
// otherwise. Pixels of 8 bits are then the bytes of the image. Packed takes the
// public words as they are (circuit.Public): less calldata where elements are odd
// bits wide, and no packing to pay for. A private tensor has no field.
//
// [Calldata] encodes a call for a proof. The contract accepts only the standard ABI
// encoding of it: one length, one place for each argument, zero padding. A statement
// and a proof of it have one calldata, and nothing can ride along.
package solidity

import (
	"fmt"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
)

// What the contracts are compiled with. The same values go into foundry.toml and
// into package evm: other settings give other bytecode and other gas.
const (
	// SolcVersion is the only compiler that the pragma of the contracts admits.
	SolcVersion = "0.8.37"
	// EVMVersion is the fork that the bytecode is made for.
	EVMVersion = "osaka"
	// OptimizerRuns favours gas over code size; both contracts stay below
	// MaxRuntimeBytes.
	OptimizerRuns = 100_000
	// MaxRuntimeBytes is the largest contract that a chain accepts (EIP-170).
	MaxRuntimeBytes = 24_576
)

// ContextBits is the width of the context: its top byte is zero, so that it is a
// canonical field element whatever its other bits are.
const ContextBits = 248

// proofBytes returns the length of a proof in calldata, 768 + 96c bytes for a key
// with c commitments: gnark's raw proof without its counts and without the value of
// the linearised polynomial, which the contract computes.
func proofBytes(vk *prover.VerifyingKey) int { return 768 + 96*vk.NbCommitments() }

// marshalProof returns a proof as the contract reads it. It returns an error if the
// proof can't be one for this key; it doesn't verify it.
func marshalProof(vk *prover.VerifyingKey, p *prover.Proof) ([]byte, error) {
	if p.ModelID != vk.ModelID() {
		return nil, &prover.FileError{File: "proof.json", Reason: fmt.Sprintf("is for model %s: the key is of %s", p.ModelID, vk.ModelID())}
	}
	if len(p.Words) != vk.Manifest().NbWords() {
		return nil, fmt.Errorf("%w: %d public words: the model has %d", prover.ErrRejected, len(p.Words), vk.Manifest().NbWords())
	}
	if context := p.Words[0].Bytes(); context[0] != 0 {
		return nil, fmt.Errorf("%w: the context's top byte isn't zero: a contract takes contexts below 2^%d", prover.ErrRejected, ContextBits)
	}
	parsed, err := prover.ParseRaw(p.Raw, vk.NbCommitments())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", prover.ErrRejected, err)
	}
	return parsed.MarshalSolidity(), nil
}

// weightsNote says what a proof leaves open about the weights.
func weightsNote(v circuit.Visibility) string {
	switch v {
	case circuit.Private:
		return "The weights are private and bound to nothing: some within their intervals give this answer."
	case circuit.Hashed:
		return "The weights are hidden; the contract accepts only those of the digest that it was created with."
	}
	return ""
}
