package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/verifier/solidity"
)

// Step is one thing that a deployment does, or finds done.
type Step struct {
	// What was done: "proxy", "verifier", "model" or "adapter".
	What    string         `json:"what"`
	Address common.Address `json:"address"`
	// CodeHash is the hash of the code at the address.
	CodeHash common.Hash `json:"code_hash"`
	// Receipt is of the transaction that did it, nil if it had been done before.
	Receipt *Receipt `json:"receipt,omitempty"`
}

// proxy is the deterministic deployment proxy's address, salt that of all contracts
// created through it: nothing but their code tells them apart.
var (
	proxy = common.Address(solidity.Proxy)
	salt  [32]byte
)

// proxyTransaction is the proxy's presigned transaction, by which anyone can create it:
// its signature is a pattern, not made with a key, so that nobody can send anything else
// from its account and the proxy is the same everywhere.
var proxyTransaction = hexutil.MustDecode("0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba02222222222222222222222222222222222222222222222222222222222222222a02222222222222222222222222222222222222222222222222222222222222222")

// DeployVerifier creates the verifier of all models, and the proxy if the chain hasn't
// got it. The error matches ErrNoProxy if the proxy can't be created.
func (c *Client) DeployVerifier(ctx context.Context, s *Signer, v Variant) (*Step, error) {
	step, err := c.create(ctx, s, "verifier", v.creation())
	if err != nil {
		return nil, fmt.Errorf("deploying the verifier: %w", err)
	}
	if step.CodeHash != v.CodeHash() {
		return nil, fmt.Errorf("deploying the verifier: %w", &CodeError{Address: step.Address, What: "zkml's verifier", Found: step.CodeHash})
	}
	return step, nil
}

// DeployAdapter creates a model's adapter through the proxy. The code is that of the
// exported project's ModelVerifier, compiled, with its constructor's arguments behind
// it (solidity.AdapterArguments).
func (c *Client) DeployAdapter(ctx context.Context, s *Signer, creation []byte) (*Step, error) {
	step, err := c.create(ctx, s, "adapter", creation)
	if err != nil {
		return nil, fmt.Errorf("deploying the adapter: %w", err)
	}
	return step, nil
}

// create has the proxy create a contract, unless it is there.
func (c *Client) create(ctx context.Context, s *Signer, what string, creation []byte) (*Step, error) {
	step := &Step{What: what, Address: common.Address(solidity.CreatedAddress(creation))}
	code, err := c.code(ctx, step.Address)
	if err != nil {
		return nil, err
	}
	if len(code) == 0 {
		if _, err := c.DeployProxy(ctx, s); err != nil {
			return nil, err
		}
		if step.Receipt, err = c.transact(ctx, s, proxy, nil, append(salt[:], creation...)); err != nil {
			return nil, err
		}
		if code, err = c.codeSoon(ctx, step.Address); err != nil {
			return nil, err
		}
	}
	if len(code) == 0 {
		return nil, &CodeError{Address: step.Address, What: "the " + what}
	}
	step.CodeHash = crypto.Keccak256Hash(code)
	return step, nil
}

// codeSoon returns the code at an address that a transaction has just created. Behind
// one address of a provider there may be nodes that lag a little.
func (c *Client) codeSoon(ctx context.Context, address common.Address) ([]byte, error) {
	const looks = 5
	for i := 1; ; i++ {
		code, err := c.code(ctx, address)
		if err != nil || len(code) > 0 || i == looks {
			return code, err
		}
		if err := wait(ctx, c.poll); err != nil {
			return nil, rpcError(fmt.Sprintf("reading the code at %s", address), err)
		}
	}
}

// DeployProxy creates the deterministic deployment proxy where it is missing, by
// funding the account of its presigned transaction and sending that. The error matches
// ErrNoProxy where the chain doesn't take it: the transaction isn't bound to a chain,
// and its gas and price are fixed.
func (c *Client) DeployProxy(ctx context.Context, s *Signer) (*Step, error) {
	step := &Step{What: "proxy", Address: proxy}
	code, err := c.code(ctx, proxy)
	if err != nil {
		return nil, err
	}
	if len(code) == 0 {
		if step.Receipt, err = c.sendProxy(ctx, s); err != nil {
			return nil, fmt.Errorf("creating the deterministic deployment proxy: %w", err)
		}
		if code, err = c.codeSoon(ctx, proxy); err != nil {
			return nil, err
		}
	}
	step.CodeHash = crypto.Keccak256Hash(code)
	switch {
	case bytes.Equal(code, params.DeterministicFactoryCode):
		return step, nil
	case len(code) == 0:
		return nil, fmt.Errorf("%w: its transaction had no effect: the chain's gas costs differ", ErrNoProxy)
	}
	return nil, &CodeError{Address: proxy, What: "the deterministic deployment proxy", Found: step.CodeHash}
}

// sendProxy funds and sends the presigned transaction.
func (c *Client) sendProxy(ctx context.Context, s *Signer) (*Receipt, error) {
	var tx types.Transaction
	if err := tx.UnmarshalBinary(proxyTransaction); err != nil {
		return nil, err
	}
	sender, err := types.Sender(types.HomesteadSigner{}, &tx)
	if err != nil {
		return nil, err
	}
	const looks = 10
	funded := false
	for i := 0; ; i++ {
		// The node is asked before money is sent: without it this fails for want of
		// money, and for nothing else, where the transaction would be taken.
		err := c.backend.SendTransaction(ctx, &tx)
		if err == nil || says(err, "already known", "already imported") {
			break
		}
		if !says(err, "insufficient funds") || i == looks {
			return nil, fmt.Errorf("%w: its transaction is refused: %w", ErrNoProxy, rpcError("sending it", err))
		}
		if !funded {
			if err := c.fund(ctx, s, sender, tx.Cost()); err != nil {
				return nil, err
			}
			funded = true
		} else if err := wait(ctx, c.poll); err != nil { // the node sees the money soon
			return nil, rpcError("sending the proxy's transaction", err)
		}
	}
	receipt, err := c.receipt(ctx, tx.Hash())
	if err != nil {
		return nil, err
	}
	return &Receipt{Transaction: tx.Hash(), Block: receipt.BlockNumber, GasUsed: receipt.GasUsed}, nil
}

// fund sends an account what it lacks of an amount.
func (c *Client) fund(ctx context.Context, s *Signer, account common.Address, amount *big.Int) error {
	balance, err := c.backend.BalanceAt(ctx, account, nil)
	if err != nil {
		return rpcError(fmt.Sprintf("asking for the balance of %s", account), err)
	}
	if amount.Cmp(balance) <= 0 {
		return nil
	}
	_, err = c.transact(ctx, s, account, new(big.Int).Sub(amount, balance), nil)
	return err
}

// Register gives a verifier a model's key, unless it has it. The verifier's code is
// checked first. The error matches srs.ErrDevelopment if the key is of the development
// string and the verifier isn't the variant for that, and prover.ErrMismatch if the
// contract isn't zkml's verifier.
func (c *Client) Register(ctx context.Context, s *Signer, verifier common.Address, vk *prover.VerifyingKey) (*Step, error) {
	step, err := c.register(ctx, s, verifier, vk)
	if err != nil {
		return nil, fmt.Errorf("registering the model: %w", err)
	}
	return step, nil
}

func (c *Client) register(ctx context.Context, s *Signer, verifier common.Address, vk *prover.VerifyingKey) (*Step, error) {
	v, err := c.variantAt(ctx, verifier)
	if err != nil {
		return nil, err
	}
	if vk.Development() && v != Development {
		return nil, srs.ErrDevelopment
	}
	step := &Step{What: "model", CodeHash: common.Hash(vk.ModelID())}
	if step.Address, err = c.dataOf(ctx, verifier, vk); err != nil {
		return nil, err
	}
	if step.Address == (common.Address{}) {
		if step.Receipt, err = c.transact(ctx, s, verifier, nil, contract.PackRegister(vk.Blob())); err != nil {
			return nil, err
		}
		for range 5 {
			if step.Address, err = c.dataOf(ctx, verifier, vk); err != nil {
				return nil, err
			}
			if step.Address != (common.Address{}) {
				return step, nil
			}
			if err := wait(ctx, c.poll); err != nil {
				return nil, rpcError("reading the registration", err)
			}
		}
		return nil, ErrNotRegistered
	}
	return step, nil
}

// dataOf asks zkml's verifier for the data contract of a model, whose code must be the key;
// the zero address if there is none.
func (c *Client) dataOf(ctx context.Context, verifier common.Address, vk *prover.VerifyingKey) (data common.Address, err error) {
	const doing = "asking the verifier for the model's key"
	answer, err := c.call(ctx, verifier, contract.PackDataOf(vk.ModelID()), nil)
	var reverted *RevertError
	if errors.As(err, &reverted) {
		// It reads storage and can't revert. Whatever the node says, it isn't of a proof.
		return data, rpcError(doing, errors.New(err.Error()))
	}
	if err != nil {
		return data, err
	}
	if data, err = contract.UnpackDataOf(answer); err != nil {
		return data, rpcError(doing, err)
	}
	if data == (common.Address{}) {
		return data, nil
	}
	code, err := c.code(ctx, data)
	if err != nil {
		return data, err
	}
	if !bytes.Equal(code, vk.Blob()) {
		return data, &CodeError{Address: data, What: "the model's key", Found: crypto.Keccak256Hash(code)}
	}
	return data, nil
}
