package client

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/params"
)

// Receipt is a transaction that happened and succeeded.
type Receipt struct {
	Transaction common.Hash `json:"transaction"`
	Block       *big.Int    `json:"block"`
	GasUsed     uint64      `json:"gas_used"`
}

// attempts bounds how often a transaction is signed anew because somebody else has
// used its nonce.
const attempts = 5

// Submit sends a transaction that calls a contract and waits until it has happened. The
// gas is estimated first, so that what would revert isn't sent. The error is a
// *RevertError if the contract reverts; a *HaltError if it needs more gas than there is; a
// *CodeError if there is none at the address; a *FeeError if the chain's fee is above the
// limit; a *FundsError if the account can't pay; a *PendingError if the context ends while
// the transaction is on its way; an *RPCError if the node fails.
func (c *Client) Submit(ctx context.Context, s *Signer, contract common.Address, calldata []byte) (*Receipt, error) {
	code, err := c.code(ctx, contract)
	if err != nil {
		return nil, err
	}
	if len(code) == 0 {
		return nil, &CodeError{Address: contract, What: "a contract"}
	}
	return c.transact(ctx, s, contract, nil, calldata)
}

// transact sends a transaction and waits for its receipt.
func (c *Client) transact(ctx context.Context, s *Signer, to common.Address, value *big.Int, data []byte) (*Receipt, error) {
	hash, err := c.send(ctx, s, to, value, data)
	if err != nil {
		return nil, err
	}
	receipt, err := c.receipt(ctx, hash)
	if err != nil {
		return nil, err
	}
	if receipt.Status == types.ReceiptStatusSuccessful {
		return &Receipt{Transaction: hash, Block: receipt.BlockNumber, GasUsed: receipt.GasUsed}, nil
	}
	return nil, c.whyReverted(ctx, s, to, value, data, receipt)
}

// send signs and sends, again with another nonce where the one chosen was used
// meanwhile: such a transaction can't happen any more.
func (c *Client) send(ctx context.Context, s *Signer, to common.Address, value *big.Int, data []byte) (common.Hash, error) {
	c.sending.Lock()
	defer c.sending.Unlock()
	if value == nil {
		value = new(big.Int)
	}
	gas, err := c.estimate(ctx, s, to, value, data)
	if err != nil {
		return common.Hash{}, err
	}
	for attempt := 1; ; attempt++ {
		tx, err := c.sign(ctx, s, &to, value, data, gas)
		if err != nil {
			return common.Hash{}, err
		}
		err = c.backend.SendTransaction(ctx, tx)
		switch {
		case err == nil, says(err, "already known", "already imported"):
			return tx.Hash(), nil
		case says(err, "insufficient funds"):
			return common.Hash{}, c.fundsError(ctx, s, nil)
		case says(err, "nonce too low", "nonce is too low", "replacement transaction underpriced", "invalid nonce") && attempt < attempts:
			if err := wait(ctx, c.poll/4); err != nil {
				return common.Hash{}, rpcError("sending the transaction", err)
			}
		default:
			return common.Hash{}, rpcError("sending the transaction", err)
		}
	}
}

// says reports whether a node's error contains one of these words: nodes have no
// codes for them.
func says(err error, words ...string) bool {
	text := strings.ToLower(err.Error())
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// estimate returns the gas to send along: an eighth above the estimate, for a chain
// that moves on meanwhile.
func (c *Client) estimate(ctx context.Context, s *Signer, to common.Address, value *big.Int, data []byte) (uint64, error) {
	gas, err := c.backend.EstimateGas(ctx, ethereum.CallMsg{From: s.Address, To: &to, Value: value, Data: data})
	if err != nil {
		if says(err, "insufficient funds") {
			return 0, c.fundsError(ctx, s, nil)
		}
		return 0, c.callError("estimating the gas", err)
	}
	if gas > params.MaxTxGas { // a chain without EIP-7825
		return gas + gas/8, nil
	}
	return min(gas+gas/8, params.MaxTxGas), nil
}

// sign makes a transaction with the account's next nonce and the fees of now, if these are
// within the limit: they are what the node says.
func (c *Client) sign(ctx context.Context, s *Signer, to *common.Address, value *big.Int, data []byte, gas uint64) (*types.Transaction, error) {
	nonce, err := c.backend.PendingNonceAt(ctx, s.Address)
	if err != nil {
		return nil, rpcError("asking for the account's nonce", err)
	}
	head, err := c.backend.HeaderByNumber(ctx, nil)
	if err != nil {
		return nil, rpcError("asking for the latest block", err)
	}
	var price *big.Int
	var inner types.TxData
	if head.BaseFee == nil {
		if price, err = c.backend.SuggestGasPrice(ctx); err != nil {
			return nil, rpcError("asking for the gas price", err)
		}
		if price.Cmp(c.maxFee) > 0 {
			return nil, &FeeError{Asked: price, Max: c.maxFee}
		}
		inner = &types.LegacyTx{Nonce: nonce, To: to, Value: value, Data: data, Gas: gas, GasPrice: price}
	} else {
		tip, err := c.backend.SuggestGasTipCap(ctx)
		if err != nil {
			return nil, rpcError("asking for the priority fee", err)
		}
		if now := new(big.Int).Add(tip, head.BaseFee); now.Cmp(c.maxFee) > 0 {
			return nil, &FeeError{Asked: now, Max: c.maxFee}
		}
		// The base fee can double within six blocks.
		price = new(big.Int).Add(tip, new(big.Int).Lsh(head.BaseFee, 1))
		if price.Cmp(c.maxFee) > 0 {
			price = c.maxFee
		}
		inner = &types.DynamicFeeTx{ChainID: c.chainID, Nonce: nonce, To: to, Value: value, Data: data, Gas: gas, GasTipCap: tip, GasFeeCap: price}
	}
	cost := new(big.Int).Mul(price, new(big.Int).SetUint64(gas))
	cost.Add(cost, value)
	balance, err := c.backend.BalanceAt(ctx, s.Address, nil)
	if err != nil {
		return nil, rpcError("asking for the account's balance", err)
	}
	if balance.Cmp(cost) < 0 {
		return nil, &FundsError{Account: s.Address, Have: balance, Need: cost}
	}
	tx, err := types.SignNewTx(s.key, types.LatestSignerForChainID(c.chainID), inner)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return tx, nil
}

func (c *Client) fundsError(ctx context.Context, s *Signer, need *big.Int) error {
	balance, err := c.backend.BalanceAt(ctx, s.Address, nil)
	if err != nil {
		return rpcError("asking for the account's balance", err)
	}
	return &FundsError{Account: s.Address, Have: balance, Need: need}
}

// errReceipt is an answer that can't be the receipt that was asked for.
var errReceipt = errors.New("a receipt without a block, or of another transaction")

// receipt waits for a transaction. A node that fails a few times in between is asked
// again: the transaction is out.
func (c *Client) receipt(ctx context.Context, hash common.Hash) (*types.Receipt, error) {
	const tolerated = 10
	for failures := 0; ; {
		receipt, err := c.backend.TransactionReceipt(ctx, hash)
		if err == nil && (receipt.TxHash != hash || receipt.BlockNumber == nil) {
			err = errReceipt
		}
		switch {
		case err == nil:
			return receipt, nil
		case ctx.Err() != nil:
			return nil, &PendingError{hash, ctx.Err()}
		case !isNotFound(err) && !says(err, "indexing is in progress"):
			if failures++; failures > tolerated {
				return nil, &PendingError{hash, rpcError("asking for the receipt", err)}
			}
		}
		if err := wait(ctx, c.poll); err != nil {
			return nil, &PendingError{hash, err}
		}
	}
}

// whyReverted runs a reverted transaction again where it happened, to learn why.
func (c *Client) whyReverted(ctx context.Context, s *Signer, to common.Address, value *big.Int, data []byte, receipt *types.Receipt) error {
	reverted := &RevertError{Transaction: receipt.TxHash}
	before := new(big.Int).Sub(receipt.BlockNumber, big.NewInt(1))
	_, err := c.backend.CallContract(ctx, ethereum.CallMsg{From: s.Address, To: &to, Value: value, Data: data}, before)
	if err == nil {
		return reverted
	}
	var again *RevertError
	if errors.As(c.callError("", err), &again) {
		reverted.Name, reverted.Args, reverted.Data = again.Name, again.Args, again.Data
	}
	return reverted
}
