package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/client"
)

// submitResult is what submit prints.
type submitResult struct {
	Contract common.Address `json:"contract"`
	Call     string         `json:"call"`
	Sender   common.Address `json:"sender"`
	*client.Receipt
}

// submitFlags are the flags of submit.
type submitFlags struct {
	chainFlags
	signerFlags
	key, contract, call, abi string
	dev                      bool
}

func (a *app) submitCommand() *cobra.Command {
	var f submitFlags
	cmd := &cobra.Command{
		Use:   "submit PROOF.json --vk MODEL.vk --rpc URL --contract ADDRESS",
		Short: "send a proof to a contract in a transaction",
		Long: `Submit calls a contract with a proof and waits until the transaction has happened.
--call says which function, and what its arguments are of the proof:

  proof    bytes: the proof
  context  uint256: the first public word
  words    uint256[]: all public words, the context first
  model    bytes32: the model id
  tensors  the struct Tensors of the model's IModelVerifier
  packed   its struct PackedTensors

or a constant TYPE:VALUE of type address, bool, bytes32, uintN or intN. Without it the
contract has to be zkml's verifier or a model's adapter, whose functions change
nothing on the chain.

The proof is verified here first, and the gas estimated: what would fail isn't sent. Why
it would is named for the errors of zkml's contracts and templates; give --abi for those of
your own.

The node names the chain, which is shown before anything is signed (--chain-id wants a
certain one), and the price of gas, of which --max-fee is the most that is paid. The key
to sign with comes from --keystore, or from the environment variable
` + keyVariable + `.`,
		Args: exactArgs("PROOF.json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := a.submit(cmd, &f, args[0])
			if err != nil {
				return err
			}
			return a.emit(r, func(w io.Writer) {
				printable.Fprintf(w, "%s of %s: %s gas\n", r.Call, r.Contract, grouped(r.GasUsed))
				printable.Fprintf(w, "transaction %s in block %v\n", r.Transaction, r.Block)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.key, "vk", "", "the verifying key")
	f.chainFlags.register(flags)
	f.signerFlags.register(flags)
	flags.StringVar(&f.contract, "contract", "", "the `address` of the contract")
	flags.StringVar(&f.call, "call", "", "the function and its arguments, for example `submit(proof,tensors)`")
	flags.StringVar(&f.abi, "abi", "", "`file` with the contract's ABI, to name its errors by: solc's list, or a file of Foundry's out folder")
	insecure(flags, &f.dev)
	return cmd
}

// readABI reads the errors that a contract declares, none without a file.
func readABI(path string) ([]abi.Error, error) {
	if path == "" {
		return nil, nil
	}
	text, err := readLimited(path, client.MaxABI)
	if err != nil {
		return nil, err
	}
	list, err := client.ParseErrors(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

func (a *app) submit(cmd *cobra.Command, f *submitFlags, path string) (*submitResult, error) {
	if err := require("vk", f.key); err != nil {
		return nil, err
	}
	vk, err := readFile(f.key, prover.ReadVerifyingKey)
	if err != nil {
		return nil, err
	}
	contract, err := parseAddress("contract", f.contract)
	if err != nil {
		return nil, err
	}
	var call *solidity.Call
	if f.call != "" {
		if call, err = solidity.ParseCall(f.call); err != nil {
			return nil, usagef("--call: %w", err)
		}
	}
	proof, err := readFile(path, prover.ReadProof)
	if err != nil {
		return nil, err
	}
	if _, err := zkml.Verify(vk, proof, zkml.Expectation{AllowDevelopmentSRS: f.dev}); err != nil {
		return nil, err
	}
	var o client.Options
	if o.MaxFee, err = f.fee(); err != nil {
		return nil, err
	}
	if o.Errors, err = readABI(f.abi); err != nil {
		return nil, err
	}
	signer, err := f.signer(cmd)
	if err != nil {
		return nil, err
	}
	c, ctx, done, err := f.dial(cmd.Context(), o)
	if err != nil {
		return nil, err
	}
	defer done()
	f.announce(a, c, signer)
	p := a.progress()
	defer p.done()
	p.start("sending the proof")
	if call == nil {
		found, err := c.Inspect(ctx, contract, vk, client.Pin{})
		if err != nil {
			return nil, err
		}
		call = found.Call(vk)
	}
	calldata, err := call.Encode(vk, proof)
	if err != nil {
		return nil, err
	}
	receipt, err := c.Submit(ctx, signer, contract, calldata)
	var reverted *client.RevertError
	if errors.As(err, &reverted) && reverted.Name == "" && len(reverted.Data) > 0 {
		return nil, &hintedError{err, "give --abi with the contract's ABI to have its errors named"}
	}
	if err != nil {
		return nil, err
	}
	return &submitResult{Contract: contract, Call: call.Signature(vk), Sender: signer.Address, Receipt: receipt}, nil
}
