// Package client deploys the verifier on a chain, registers models with it, and has
// proofs verified there: what an application in Go needs to use a contract of zkml.
//
//	c, err := client.Dial(ctx, "https://…", client.Options{})
//	verifier, err := c.DeployVerifier(ctx, signer, client.Production)
//	_, err = c.Register(ctx, signer, verifier.Address, vk)
//	_, err = c.Verify(ctx, verifier.Address, vk, proof, client.Pin{})
//
// # What is where
//
// The verifier of all models is created through the deterministic deployment proxy
// (solidity.Proxy), by CREATE2: its address follows from its code alone and is the same on
// every chain ([Variant.Address]). A model's key is registered in it once, by anyone,
// and lies in a data contract whose code is the key. A model's adapter, which takes
// tensors in the model's shape, is created in the same way and so has one address for
// one code. Every step looks first whether it has been done, so that all can be
// repeated after a failure.
//
// # What is trusted
//
// The node is believed about the chain: its answers to calls, the code at addresses,
// receipts. Nothing else is: addresses are computed here, the code found at the
// verifier's is compared with the code in this package, the registered key with the
// model's, byte by byte. Answers are limited in size and time. An adapter's code is
// made for its model, so that a caller has to say which is meant ([Pin]). What a
// transaction pays is the node's word up to a limit ([Options.MaxFee]), and the chain that
// it is signed for is the node's unless the caller says which it must be
// ([Options.ChainID]).
//
// # What an error says
//
// Only [ErrRejected] says that a proof was refused. A call can fail in other ways, and they
// are kept apart: another contract or an unknown model ([CodeError], [ErrNotRegistered]), a
// call that runs out of gas ([HaltError]), a contract that fails ([RevertError]), a node
// that does ([RPCError]).
//
// A transaction counts as done with its first receipt. Where a reorganisation of the
// chain matters, look again later.
package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"
)

// Backend is what a Client needs of a node. [ethclient.Client] and the client of
// go-ethereum's simulated chain are ones.
type Backend interface {
	ethereum.ChainIDReader
	ethereum.ContractCaller
	ethereum.GasEstimator
	ethereum.GasPricer
	ethereum.GasPricer1559
	ethereum.TransactionSender
	BalanceAt(ctx context.Context, account common.Address, block *big.Int) (*big.Int, error)
	CodeAt(ctx context.Context, account common.Address, block *big.Int) ([]byte, error)
	HeaderByNumber(ctx context.Context, number *big.Int) (*types.Header, error)
	PendingNonceAt(ctx context.Context, account common.Address) (uint64, error)
	TransactionReceipt(ctx context.Context, hash common.Hash) (*types.Receipt, error)
}

// Limits on what a node can make a client do.
const (
	// maxAnswer bounds the bytes of an answer: code of 24,576 bytes is the largest
	// thing asked for.
	maxAnswer = 4 << 20
	// callTimeout bounds a single request.
	callTimeout = 30 * time.Second
)

// Options say how a Client behaves.
type Options struct {
	// ChainID is the chain that must be at the other end; nil accepts any.
	ChainID *big.Int
	// Poll is the time between two looks for a receipt, a second if zero.
	Poll time.Duration
	// MaxFee is the most that a transaction may pay for a unit of gas, in wei, the
	// priority fee included; DefaultMaxFee if nil. A node names the fee, and may be wrong
	// or lie.
	MaxFee *big.Int
	// Errors are custom errors of contracts of the caller's own, to be named where one of
	// them reverts ([ParseErrors]). Those of zkml's verifier, adapters and consumer
	// templates are known.
	Errors []abi.Error
}

// DefaultMaxFee is the limit of [Options.MaxFee] where nothing else is said: 100 gwei, at
// which the dearest step of a deployment costs a third of an ether.
func DefaultMaxFee() *big.Int { return big.NewInt(100 * params.GWei) }

// Client talks to one chain. It is safe for concurrent use.
type Client struct {
	backend Backend
	chainID *big.Int
	poll    time.Duration
	maxFee  *big.Int
	errors  map[[4]byte]abi.Error
	close   func()
	// sending is held from choosing a nonce to handing the transaction over, so that
	// two goroutines don't choose the same.
	sending sync.Mutex
}

// Dial connects to a node's JSON-RPC at an http, https, ws or wss address. The error is
// an *RPCError if there is none and a *ChainError if it is of another chain.
func Dial(ctx context.Context, address string, o Options) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%w: not an address such as https://host:port/path", ErrAddress)
	}
	switch u.Scheme {
	case "http", "https", "ws", "wss":
	default:
		return nil, fmt.Errorf("%w: scheme %q, want http, https, ws or wss", ErrAddress, u.Scheme)
	}
	dialing, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	connection, err := rpc.DialOptions(dialing, address,
		rpc.WithHTTPClient(&http.Client{Timeout: callTimeout, Transport: limited{http.DefaultTransport}}),
		rpc.WithWebsocketMessageSizeLimit(maxAnswer))
	if err != nil {
		return nil, rpcError("connecting", err)
	}
	c, err := New(dialing, ethclient.NewClient(connection), o)
	if err != nil {
		connection.Close()
		return nil, err
	}
	c.close = connection.Close
	return c, nil
}

// New returns a client of a chain that is already connected.
func New(ctx context.Context, backend Backend, o Options) (*Client, error) {
	id, err := backend.ChainID(ctx)
	if err != nil {
		return nil, rpcError("asking for the chain id", err)
	}
	if o.ChainID != nil && o.ChainID.Cmp(id) != 0 {
		return nil, &ChainError{Found: id, Want: o.ChainID}
	}
	if o.Poll <= 0 {
		o.Poll = time.Second
	}
	if o.MaxFee == nil {
		o.MaxFee = DefaultMaxFee()
	}
	c := &Client{backend: backend, chainID: id, poll: o.Poll, maxFee: o.MaxFee, errors: maps.Clone(errorsBySelector), close: func() {}}
	for _, e := range o.Errors {
		// What is known keeps its name: a selector belongs to one signature.
		if selector := [4]byte(e.ID[:4]); c.errors[selector].Name == "" {
			c.errors[selector] = e
		}
	}
	return c, nil
}

// Close ends the connection that Dial made.
func (c *Client) Close() { c.close() }

// ChainID returns the chain's number.
func (c *Client) ChainID() *big.Int { return new(big.Int).Set(c.chainID) }

// code returns the code at an address.
func (c *Client) code(ctx context.Context, address common.Address) ([]byte, error) {
	code, err := c.backend.CodeAt(ctx, address, nil)
	if err != nil {
		return nil, rpcError(fmt.Sprintf("reading the code at %s", address), err)
	}
	return code, nil
}

// call runs a call at a block, the latest one if nil. The error is a *RevertError if the
// contract reverts, a *HaltError if the machine gives up, an *RPCError if the node fails.
func (c *Client) call(ctx context.Context, to common.Address, data []byte, block *big.Int) ([]byte, error) {
	answer, err := c.backend.CallContract(ctx, ethereum.CallMsg{To: &to, Data: data}, block)
	if err != nil {
		return nil, c.callError(fmt.Sprintf("calling %s", to), err)
	}
	return answer, nil
}

// limited bounds the answers of a transport.
type limited struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (l limited) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := l.RoundTripper.RoundTrip(request)
	if err == nil {
		response.Body = http.MaxBytesReader(nil, response.Body, maxAnswer)
	}
	return response, err
}

// wait sleeps unless the context ends first.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// isNotFound reports whether a node knows nothing of what was asked for.
func isNotFound(err error) bool { return errors.Is(err, ethereum.NotFound) }
