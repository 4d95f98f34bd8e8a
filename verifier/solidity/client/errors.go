package client

import (
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/zkml-go/zkml/prover"
)

var (
	// ErrAddress is matched if a node's address isn't one.
	ErrAddress = errors.New("rpc address")
	// ErrKey is matched if there is no usable key to sign with.
	ErrKey = errors.New("signing key")
	// ErrNoProxy is matched if the chain has no deterministic deployment proxy and
	// doesn't let its presigned transaction create it.
	ErrNoProxy = errors.New("the chain has no deterministic deployment proxy")
	// ErrNotRegistered is matched if a verifier doesn't hold a model's key. It matches
	// prover.ErrMismatch.
	ErrNotRegistered = fmt.Errorf("%w: the model isn't registered with the verifier", prover.ErrMismatch)
	// ErrRejected says that a contract refused a proof. It matches
	// prover.ErrRejected; the *RevertError behind it says why.
	ErrRejected = fmt.Errorf("%w by the contract", prover.ErrRejected)
)

// RPCError is a node that can't be reached, or that can't answer.
type RPCError struct {
	// Doing says what was asked of it.
	Doing string
	Err   error
}

// Error implements error.
func (e *RPCError) Error() string { return fmt.Sprintf("%s: %v", e.Doing, e.Err) }

// Unwrap returns what went wrong.
func (e *RPCError) Unwrap() error { return e.Err }

// rpcError wraps a node's error. An address may hold a password or an access token, so
// it is left out of what the HTTP client says.
func rpcError(doing string, err error) error {
	var located *url.Error
	if errors.As(err, &located) {
		err = located.Err
	}
	var status rpc.HTTPError
	if errors.As(err, &status) {
		err = fmt.Errorf("the node answers %s", status.Status)
	}
	return &RPCError{Doing: doing, Err: err}
}

// ChainError is a node of another chain than the one meant. It matches
// prover.ErrMismatch.
type ChainError struct{ Found, Want *big.Int }

// Error implements error.
func (e *ChainError) Error() string {
	return fmt.Sprintf("the node is of chain %v, want chain %v", e.Found, e.Want)
}

// Is reports whether target is prover.ErrMismatch.
func (e *ChainError) Is(target error) bool { return target == prover.ErrMismatch }

// CodeError is an address with other code than expected, or none. It matches
// prover.ErrMismatch.
type CodeError struct {
	Address common.Address
	// What should be there.
	What string
	// Found is the hash of the code that is there, zero if there is none.
	Found common.Hash
}

// Error implements error.
func (e *CodeError) Error() string {
	if e.Found == (common.Hash{}) {
		return fmt.Sprintf("there is no code at %s, where %s should be", e.Address, e.What)
	}
	return fmt.Sprintf("the code at %s, of hash %s, isn't %s", e.Address, e.Found, e.What)
}

// Is reports whether target is prover.ErrMismatch.
func (e *CodeError) Is(target error) bool { return target == prover.ErrMismatch }

// FundsError is an account that can't pay for a transaction.
type FundsError struct {
	Account common.Address
	// Have is its balance, Need the most that the transaction may cost, in wei; Need
	// is nil if the node only says that it isn't enough.
	Have, Need *big.Int
}

// Error implements error.
func (e *FundsError) Error() string {
	if e.Need == nil {
		return fmt.Sprintf("%s has %s, too little for the transaction", e.Account, ether(e.Have))
	}
	return fmt.Sprintf("%s has %s, and the transaction may cost %s", e.Account, ether(e.Have), ether(e.Need))
}

// FeeError is a chain, or a node that says so, where a unit of gas costs more than the limit.
type FeeError struct {
	// Asked is the fee that the node names, Max the limit, in wei for a unit of gas.
	Asked, Max *big.Int
}

// Error implements error.
func (e *FeeError) Error() string {
	return fmt.Sprintf("the node asks %s for a unit of gas, more than the limit of %s", gwei(e.Asked), gwei(e.Max))
}

// ether writes an amount in wei as ether.
func ether(wei *big.Int) string { return decimal(wei, 18) + " ether" }

// gwei writes an amount in wei as gwei.
func gwei(wei *big.Int) string { return decimal(wei, 9) + " gwei" }

// decimal writes an amount in a unit of 10^places.
func decimal(amount *big.Int, places int) string {
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
	text := new(big.Rat).SetFrac(amount, unit).FloatString(places)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// PendingError is a transaction that was sent and of which nothing more is known: it
// may still happen.
type PendingError struct {
	Transaction common.Hash
	Err         error
}

// Error implements error.
func (e *PendingError) Error() string {
	return fmt.Sprintf("waiting for transaction %s, which may still happen: %v", e.Transaction, e.Err)
}

// Unwrap returns why the waiting ended.
func (e *PendingError) Unwrap() error { return e.Err }

// RevertError is a call or transaction that a contract reverted.
type RevertError struct {
	// Name is the custom error's name, "Error" for a reason in words, empty for an
	// error that isn't known ([Options.Errors]).
	Name string
	Args []any
	// Data is what the contract reverted with; empty if it gave nothing or the node
	// doesn't pass it on.
	Data []byte
	// Transaction is the transaction that happened and reverted, zero for a call.
	Transaction common.Hash
}

// Error implements error.
func (e *RevertError) Error() string {
	reason := "without a reason: out of gas in a part of it, or calldata that isn't what the function takes"
	switch {
	case e.Name != "":
		args := make([]string, len(e.Args))
		for i, arg := range e.Args {
			args[i] = argument(arg)
		}
		reason = fmt.Sprintf("with %s(%s)", e.Name, strings.Join(args, ", "))
	case len(e.Data) > 0:
		// A contract may revert with any amount of data.
		const shown = 68
		reason = "with " + hexutil.Encode(e.Data[:min(len(e.Data), shown)])
		if len(e.Data) > shown {
			reason += fmt.Sprintf("… (%d bytes)", len(e.Data))
		}
	}
	if e.Transaction != (common.Hash{}) {
		return fmt.Sprintf("transaction %s reverted %s", e.Transaction, reason)
	}
	return "reverted " + reason
}

// argument writes an argument of a custom error, of a length that a contract, which may be
// anyone's, doesn't choose.
func argument(arg any) string {
	const shown = 200
	text := ""
	switch arg := arg.(type) {
	case [32]byte:
		text = hexutil.Encode(arg[:])
	case []byte:
		text = hexutil.Encode(arg[:min(len(arg), shown)])
	case string:
		return fmt.Sprintf("%.*q", shown, arg)
	default:
		text = fmt.Sprint(arg)
	}
	if len(text) > shown {
		text = text[:shown] + "…"
	}
	return text
}

// HaltError is a call that the machine gave up: for want of gas, of which a node allows
// calls only so much, or at an instruction that the chain hasn't got. It says nothing of a
// proof.
type HaltError struct {
	// Doing says what was asked of the node.
	Doing string
	// Reason is in the node's words.
	Reason string
}

// Error implements error.
func (e *HaltError) Error() string { return fmt.Sprintf("%s: halted: %.200s", e.Doing, e.Reason) }

// Codes of JSON-RPC errors by which nodes say that a call didn't succeed.
const (
	codeReverted  = 3      // geth, and most nodes since: data is what the contract gave
	codeExecution = -32015 // Nethermind, once Parity: data is "Reverted 0x…", or another reason
)

// Nodes that have no code for it name it in words of their own.
var (
	revertWords = []string{"execution reverted", "reverted with", "evmerror: revert", "vm exception"}
	haltWords   = []string{"out of gas", "outofgas", "gas required exceeds", "intrinsic gas", "insufficient gas", "invalid opcode", "opcodenotfound", "invalidfeopcode",
		"undefined instruction", "bad instruction", "invalid jump", "stack underflow", "stack limit", "stack overflow", "write protection", "static state change"}
)

// callError tells apart what a node can answer to a call: that the contract reverted, that
// the machine gave up, or that the node itself failed. Data alone doesn't make a revert:
// errors of other kinds come with some too.
func (c *Client) callError(doing string, err error) error {
	var answer rpc.Error
	if !errors.As(err, &answer) {
		return rpcError(doing, err)
	}
	words := strings.ToLower(answer.Error())
	contains := func(list []string) bool {
		return slices.ContainsFunc(list, func(w string) bool { return strings.Contains(words, w) })
	}
	data, reverted := errorData(err)
	switch {
	case answer.ErrorCode() == codeReverted, answer.ErrorCode() == codeExecution && reverted, contains(revertWords):
		return c.decodeRevert(data)
	case answer.ErrorCode() == codeExecution, contains(haltWords):
		return &HaltError{Doing: doing, Reason: answer.Error()}
	}
	return rpcError(doing, err)
}

// errorData returns the data that comes with a JSON-RPC error, and whether it says itself
// that it is of a revert.
func errorData(err error) (data []byte, reverted bool) {
	var with rpc.DataError
	if !errors.As(err, &with) {
		return nil, false
	}
	content := with.ErrorData()
	if object, ok := content.(map[string]any); ok { // Hardhat's
		content = object["data"]
	}
	text, _ := content.(string)
	text, reverted = strings.CutPrefix(text, "Reverted ")
	data, decodeErr := hexutil.Decode(text)
	if decodeErr != nil {
		return nil, reverted
	}
	return data, reverted
}

// decodeRevert names what a contract reverted with.
func (c *Client) decodeRevert(data []byte) *RevertError {
	e := &RevertError{Data: data}
	if len(data) < 4 {
		return e
	}
	if known, ok := c.errors[[4]byte(data[:4])]; ok {
		if args, err := known.Inputs.Unpack(data[4:]); err == nil {
			e.Name, e.Args = known.Name, args
			return e
		}
	}
	if reason, err := abi.UnpackRevert(data); err == nil {
		e.Name, e.Args = "Error", []any{reason}
	}
	return e
}
