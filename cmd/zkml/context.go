package main

import (
	"context"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/client"
)

// contextResult is what context prints.
type contextResult struct {
	Context  prover.Word    `json:"context"`
	ChainID  *big.Int       `json:"chain_id"`
	Consumer common.Address `json:"consumer"`
	// What the context is made of, unless the contract was asked for one of its own making.
	Caller   *common.Address `json:"caller,omitempty"`
	Nonce    string          `json:"nonce,omitempty"`
	Deadline uint64          `json:"deadline,omitempty"`
	Call     string          `json:"call,omitempty"`
	// Checked says that the contract on the chain has this context.
	Checked bool `json:"checked"`
}

// contextFlags are the flags of context.
type contextFlags struct {
	chainFlags
	consumer, caller, nonce, deadline, call string
}

func (a *app) contextCommand() *cobra.Command {
	var f contextFlags
	cmd := &cobra.Command{
		Use:   "context --consumer ADDRESS --caller ADDRESS --nonce N --deadline TIME --chain-id N|--rpc URL",
		Short: "print the context that binds a proof to one call of a contract",
		Long: `Context computes what contracts made by export solidity --template ask of a proof: a hash
of the chain, the contract, who calls it, a nonce that the caller chooses, and the last
second in which the call is good.

  zkml prove model.zkml --input input.json --context $(zkml context --chain-id 1 \
    --consumer $CONSUMER --caller $CALLER --nonce 7 --deadline 2027-01-01T00:00:00Z)

With --rpc the chain is the node's, and the contract on it has to have the same context.
--call asks the contract for one by a function of its own, whose arguments are constants
TYPE:VALUE, for example replyContext(uint256:5,address:$CALLER) of the game.`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := f.run(cmd.Context())
			if err != nil {
				return err
			}
			return a.emit(r, func(w io.Writer) { printable.Fprintf(w, "%s\n", r.Context) })
		},
	}
	flags := cmd.Flags()
	f.chainFlags.register(flags)
	flags.StringVar(&f.consumer, "consumer", "", "the `address` of the contract that will take the proof")
	flags.StringVar(&f.caller, "caller", "", "the `address` that will call it")
	flags.StringVar(&f.nonce, "nonce", "", "a `number` that the caller hasn't used with this deadline")
	flags.StringVar(&f.deadline, "deadline", "", "the last second in which the call is good: a `time` such as 2027-01-01T00:00:00Z, or in seconds since 1970")
	flags.StringVar(&f.call, "call", "", "the contract's own `function` for the context, with constant arguments")
	return cmd
}

// run computes the context, or has the contract do so.
func (f *contextFlags) run(ctx context.Context) (*contextResult, error) {
	consumer, err := parseAddress("consumer", f.consumer)
	if err != nil {
		return nil, err
	}
	r := &contextResult{Consumer: consumer}
	if f.call != "" {
		return r, f.ask(ctx, r)
	}
	request, err := f.request(r)
	if err != nil {
		return nil, err
	}
	var c *client.Client
	if f.rpc == "" {
		if err := require("chain-id", f.id); err != nil {
			return nil, err
		}
		if r.ChainID, err = parseChainID(f.id); err != nil {
			return nil, err
		}
	} else {
		var done context.CancelFunc
		if c, ctx, done, err = f.dial(ctx, client.Options{}); err != nil {
			return nil, err
		}
		defer done()
		r.ChainID = c.ChainID()
	}
	if !r.ChainID.IsUint64() {
		return nil, usagef("chain %v: a number of more than 64 bits", r.ChainID)
	}
	request.ChainID = r.ChainID.Uint64()
	if c != nil {
		if err := c.CheckRequest(ctx, request); err != nil {
			return nil, err
		}
		r.Checked = true
	}
	r.Context = prover.Word(request.Context())
	return r, nil
}

// request reads what the context is made of, but for the chain.
func (f *contextFlags) request(r *contextResult) (*solidity.Request, error) {
	caller, err := parseAddress("caller", f.caller)
	if err != nil {
		return nil, err
	}
	if err := require("nonce", f.nonce); err != nil {
		return nil, err
	}
	if err := require("deadline", f.deadline); err != nil {
		return nil, err
	}
	request := &solidity.Request{Consumer: r.Consumer, Caller: caller}
	nonce, ok := new(big.Int).SetString(f.nonce, 0)
	if !ok || len(f.nonce) > 80 || nonce.Sign() < 0 || nonce.BitLen() > 256 {
		return nil, usagef("--nonce: %.100q: want a number of at most 256 bits", f.nonce)
	}
	nonce.FillBytes(request.Nonce[:])
	if request.Deadline, err = parseDeadline(f.deadline); err != nil {
		return nil, err
	}
	r.Caller, r.Nonce, r.Deadline = &caller, nonce.String(), request.Deadline
	return request, nil
}

// parseDeadline reads a time, in seconds or as RFC 3339 writes it, and returns it in seconds
// since 1970.
func parseDeadline(text string) (uint64, error) {
	if seconds, ok := new(big.Int).SetString(text, 10); ok && len(text) <= 20 && seconds.IsUint64() {
		return seconds.Uint64(), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Unix() < 0 || at.Nanosecond() != 0 {
		return 0, usagef("--deadline: %.50q: want a time such as 2027-01-01T00:00:00Z, or seconds since 1970", text)
	}
	return uint64(at.Unix()), nil
}

// ask has the contract make the context.
func (f *contextFlags) ask(ctx context.Context, r *contextResult) error {
	if f.caller != "" || f.nonce != "" || f.deadline != "" {
		return usagef("--call asks the contract: --caller, --nonce and --deadline are for a context computed here")
	}
	call, err := solidity.ParseCall(f.call)
	if err != nil {
		return usagef("--call: %w", err)
	}
	data, err := call.EncodeConstant()
	if err != nil {
		return usagef("--call: %w", err)
	}
	c, ctx, done, err := f.dial(ctx, client.Options{})
	if err != nil {
		return err
	}
	defer done()
	found, err := c.AskContext(ctx, r.Consumer, data)
	if err != nil {
		return fmt.Errorf("%s: %w", f.call, err)
	}
	r.Context, r.ChainID, r.Call, r.Checked = prover.Word(found), c.ChainID(), f.call, true
	return nil
}
