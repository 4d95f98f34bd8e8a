package client

import (
	"errors"
	"fmt"
	"math/big"
	"net/url"
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

// ether writes an amount in wei as ether.
func ether(wei *big.Int) string {
	text := new(big.Rat).SetFrac(wei, big.NewInt(1e18)).FloatString(18)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + " ether"
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
	// error that isn't known.
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
	reason := "without a reason: out of gas, or calldata that isn't what the function takes"
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

// argument writes an argument of a custom error.
func argument(arg any) string {
	switch arg := arg.(type) {
	case [32]byte:
		return hexutil.Encode(arg[:])
	case []byte:
		return hexutil.Encode(arg)
	case string:
		// From a contract that may be anyone's.
		return fmt.Sprintf("%.200q", arg)
	}
	return fmt.Sprint(arg)
}

// callError tells a revert from a node's own failure.
func callError(doing string, err error) error {
	var coded rpc.DataError
	if errors.As(err, &coded) {
		if text, ok := coded.ErrorData().(string); ok {
			if data, decodeErr := hexutil.Decode(text); decodeErr == nil {
				return decodeRevert(data)
			}
		}
	}
	// Nodes name the fault of the machine in their own words.
	for _, words := range []string{"execution reverted", "out of gas", "gas required exceeds", "invalid opcode", "EvmError", "Revert"} {
		if strings.Contains(err.Error(), words) {
			return decodeRevert(nil)
		}
	}
	return rpcError(doing, err)
}

// decodeRevert names what a contract reverted with.
func decodeRevert(data []byte) *RevertError {
	e := &RevertError{Data: data}
	if len(data) < 4 {
		return e
	}
	if known, ok := errorsBySelector[[4]byte(data[:4])]; ok {
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
