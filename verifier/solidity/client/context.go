package client

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity"
)

// ErrContext is matched if a contract has another context for a request than this package:
// it isn't derived from the consumer templates' base, or the node isn't to be believed. It
// matches prover.ErrMismatch.
var ErrContext = fmt.Errorf("%w: the contract has another context", prover.ErrMismatch)

// CheckRequest asks the consumer of a request for the request's context, by the function
// contextOf of the consumer templates, and compares it with the one computed here
// ([solidity.Request.Context]). The error matches ErrContext if the two differ or there
// is no such function, is a *CodeError if there is no contract, a *ChainError if the
// request is for another chain, and an *RPCError if the node fails.
func (c *Client) CheckRequest(ctx context.Context, r *solidity.Request) error {
	if !c.chainID.IsUint64() || c.chainID.Uint64() != r.ChainID {
		return &ChainError{Found: c.chainID, Want: new(big.Int).SetUint64(r.ChainID)}
	}
	call := crypto.Keccak256([]byte("contextOf(address,uint256,uint256)"))[:4]
	call = append(append(call, make([]byte, 12)...), r.Caller[:]...)
	call = append(call, r.Nonce[:]...)
	call = binary.BigEndian.AppendUint64(append(call, make([]byte, 24)...), r.Deadline)
	found, err := c.AskContext(ctx, r.Consumer, call)
	if err != nil {
		return err
	}
	if want := r.Context(); found != want {
		return fmt.Errorf("%w: %s, want %s", ErrContext, prover.Word(found), prover.Word(want))
	}
	return nil
}

// AskContext makes a call that returns a context, of a function that a consumer has for it.
// The error matches ErrContext if the contract returns none, is a *CodeError if there is
// no contract, and an *RPCError if the node fails.
func (c *Client) AskContext(ctx context.Context, consumer common.Address, calldata []byte) (found fr.Element, err error) {
	code, err := c.code(ctx, consumer)
	if err != nil {
		return found, err
	}
	if len(code) == 0 {
		return found, &CodeError{Address: consumer, What: "a consumer"}
	}
	answer, err := c.call(ctx, consumer, calldata, nil)
	var reverted *RevertError
	var halted *HaltError
	switch {
	case errors.As(err, &reverted), errors.As(err, &halted):
		return found, fmt.Errorf("%w: none: %v", ErrContext, err)
	case err != nil:
		return found, err
	case len(answer) != 32 || answer[0] != 0:
		return found, fmt.Errorf("%w: it returns %d bytes, or more than %d bits", ErrContext, len(answer), solidity.ContextBits)
	}
	found.SetBytes(answer)
	return found, nil
}
