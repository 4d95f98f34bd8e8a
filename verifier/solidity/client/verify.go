package client

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity"
)

// Pin says which contract is meant where its address isn't enough.
type Pin struct {
	// AdapterCode is the hash of the code that an adapter must have. Zero accepts any
	// that claims the model and one of zkml's verifiers: a contract that answers so
	// and accepts everything does too.
	AdapterCode common.Hash
}

// Contract is what lies at an address.
type Contract struct {
	Address  common.Address `json:"address"`
	CodeHash common.Hash    `json:"code_hash"`
	// Kind is "verifier" or "adapter".
	Kind string `json:"kind"`
	// Verifier is zkml's verifier: the contract itself, or the one that the adapter
	// asks. Variant is its variant.
	Verifier common.Address `json:"verifier"`
	Variant  Variant        `json:"variant"`
	// Pinned says that the code is known: it is in this program, or the caller gave its
	// hash.
	Pinned bool `json:"pinned"`
}

// Answer is a proof that a contract accepted.
type Answer struct {
	Contract
	// Call is the function that was called.
	Call string   `json:"call"`
	Gas  uint64   `json:"gas"` // estimated for a transaction that makes this call
	At   *big.Int `json:"block"`
}

// Verify has a contract, zkml's verifier or a model's adapter, verify a proof in a call
// that changes nothing and costs nothing. The error matches ErrRejected and is a
// *RevertError if the contract refuses the proof; matches prover.ErrMismatch, and
// ErrNotRegistered for a model that the verifier doesn't know, if the contract isn't what
// it should be, or for another model. Nothing is said of the proof by a *HaltError, a call
// that needs more gas than the node allows; an *RPCError, a node that fails; and a
// *RevertError that doesn't match ErrRejected, a contract that fails.
func (c *Client) Verify(ctx context.Context, contract common.Address, vk *prover.VerifyingKey, p *prover.Proof, pin Pin) (*Answer, error) {
	answer, err := c.verify(ctx, contract, vk, p, pin)
	if err != nil {
		return nil, fmt.Errorf("verifying on chain %v: %w", c.chainID, err)
	}
	return answer, nil
}

func (c *Client) verify(ctx context.Context, address common.Address, vk *prover.VerifyingKey, p *prover.Proof, pin Pin) (*Answer, error) {
	found, err := c.Inspect(ctx, address, vk, pin)
	if err != nil {
		return nil, err
	}
	a := &Answer{Contract: *found}
	call := found.Call(vk)
	a.Call = call.Signature(vk)
	calldata, err := call.Encode(vk, p)
	if err != nil {
		return nil, err
	}
	head, err := c.backend.HeaderByNumber(ctx, nil)
	if err != nil {
		return nil, rpcError("asking for the latest block", err)
	}
	a.At = head.Number
	if _, err := c.call(ctx, address, calldata, head.Number); err != nil {
		return nil, judged(err)
	}
	if a.Gas, err = c.estimateCall(ctx, address, calldata); err != nil {
		return nil, err
	}
	return a, nil
}

// judged says what it means that a verifier or an adapter reverts: not every revert refuses
// the proof.
func judged(err error) error {
	var reverted *RevertError
	switch {
	case !errors.As(err, &reverted):
		return err
	case reverted.rejects():
		return fmt.Errorf("%w: %w", ErrRejected, err)
	case reverted.knowsNoModel():
		return fmt.Errorf("%w: %w", ErrNotRegistered, err)
	}
	return fmt.Errorf("the contract fails, and doesn't judge the proof: %w", err)
}

// Call returns the function by which the contract verifies a proof.
func (k *Contract) Call(vk *prover.VerifyingKey) *solidity.Call {
	if k.Kind == "verifier" {
		return solidity.VerifierCall()
	}
	return solidity.EntryCall(vk, solidity.Typed)
}

// Inspect says what a contract is and checks that it is for the model: that zkml's
// verifier holds the key, and, of an adapter, that it asks that verifier about this
// model and that its code is the one meant. The error matches prover.ErrMismatch if
// not.
func (c *Client) Inspect(ctx context.Context, address common.Address, vk *prover.VerifyingKey, pin Pin) (*Contract, error) {
	code, err := c.code(ctx, address)
	if err != nil {
		return nil, err
	}
	if len(code) == 0 {
		return nil, &CodeError{Address: address, What: "a contract"}
	}
	k := &Contract{Address: address, CodeHash: crypto.Keccak256Hash(code), Kind: "verifier", Verifier: address, Pinned: true}
	if v, ok := variantOf(k.CodeHash); ok {
		k.Variant = v
	} else if err := c.inspectAdapter(ctx, k, vk, pin); err != nil {
		return nil, err
	}
	data, err := c.dataOf(ctx, k.Verifier, vk)
	if err != nil {
		return nil, err
	}
	if data == (common.Address{}) {
		return nil, fmt.Errorf("%w %s: deploy it there first", ErrNotRegistered, k.Verifier)
	}
	return k, nil
}

// inspectAdapter fills in what an adapter says of itself.
func (c *Client) inspectAdapter(ctx context.Context, k *Contract, vk *prover.VerifyingKey, pin Pin) error {
	k.Kind = "adapter"
	other := &CodeError{Address: k.Address, What: "zkml's verifier or an adapter of this model", Found: k.CodeHash}
	if k.Pinned = pin.AdapterCode != (common.Hash{}); k.Pinned && pin.AdapterCode != k.CodeHash {
		other.What = fmt.Sprintf("the one meant, of hash %s", pin.AdapterCode)
		return other
	}
	id, err := c.getter(ctx, k.Address, "MODEL_ID()")
	if err != nil {
		return err
	}
	if id != common.Hash(vk.ModelID()) {
		return other
	}
	verifier, err := c.getter(ctx, k.Address, "VERIFIER()")
	if err != nil {
		return err
	}
	k.Verifier = common.BytesToAddress(verifier[12:])
	if common.BytesToHash(k.Verifier[:]) != verifier {
		return other
	}
	k.Variant, err = c.variantAt(ctx, k.Verifier)
	return err
}

// getter reads a word that a contract says of itself; zero if it has no such function.
func (c *Client) getter(ctx context.Context, address common.Address, signature string) (word common.Hash, err error) {
	answer, err := c.call(ctx, address, crypto.Keccak256([]byte(signature))[:4], nil)
	var reverted *RevertError
	var halted *HaltError
	if errors.As(err, &reverted) || errors.As(err, &halted) || err == nil && len(answer) != len(word) {
		return word, nil
	}
	return common.BytesToHash(answer), err
}

// variantAt returns the variant of zkml's verifier at an address, or a *CodeError.
func (c *Client) variantAt(ctx context.Context, verifier common.Address) (Variant, error) {
	code, err := c.code(ctx, verifier)
	if err != nil {
		return 0, err
	}
	missing := &CodeError{Address: verifier, What: "zkml's verifier"}
	if len(code) == 0 {
		return 0, missing
	}
	missing.Found = crypto.Keccak256Hash(code)
	if v, ok := variantOf(missing.Found); ok {
		return v, nil
	}
	return 0, missing
}

// estimateCall returns the gas of a transaction that makes a call, from an account that
// has nothing.
func (c *Client) estimateCall(ctx context.Context, to common.Address, calldata []byte) (uint64, error) {
	gas, err := c.backend.EstimateGas(ctx, ethereum.CallMsg{To: &to, Data: calldata})
	if err != nil {
		return 0, c.callError("estimating the gas", err)
	}
	return gas, nil
}
