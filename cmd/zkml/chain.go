package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/params"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/client"
)

// The environment variables that hold secrets: a flag would show them to everyone on
// the machine.
const (
	keyVariable      = "ZKML_PRIVATE_KEY"
	passwordVariable = "ZKML_KEYSTORE_PASSWORD"
)

// chainFlags are the flags of commands that talk to a node.
type chainFlags struct {
	rpc     string
	id      string
	timeout time.Duration
}

func (f *chainFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.rpc, "rpc", "", "the node's JSON-RPC `URL`: http, https, ws or wss")
	flags.StringVar(&f.id, "chain-id", "", "the `number` of the chain that the node must be of")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Minute, "how long to wait for the chain")
}

// dial connects to the node; the context that it returns ends with the timeout.
func (f *chainFlags) dial(ctx context.Context, o client.Options) (*client.Client, context.Context, context.CancelFunc, error) {
	fail := func(err error) (*client.Client, context.Context, context.CancelFunc, error) {
		return nil, nil, nil, err
	}
	if err := require("rpc", f.rpc); err != nil {
		return fail(err)
	}
	if f.timeout <= 0 {
		return fail(usagef("--timeout must be positive"))
	}
	o.Poll = 500 * time.Millisecond
	if f.id != "" {
		id, err := parseChainID(f.id)
		if err != nil {
			return fail(err)
		}
		o.ChainID = id
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	c, err := client.Dial(ctx, f.rpc, o)
	if err != nil {
		cancel()
		return fail(err)
	}
	return c, ctx, func() { c.Close(); cancel() }, nil
}

// parseChainID reads a chain's number.
func parseChainID(text string) (*big.Int, error) {
	id, ok := new(big.Int).SetString(text, 0)
	if !ok || id.Sign() <= 0 || id.BitLen() > 256 {
		return nil, usagef("--chain-id: %.100q is no chain's number", text)
	}
	return id, nil
}

// parseAddress reads the address of a contract or an account.
func parseAddress(flag, text string) (common.Address, error) {
	if err := require(flag, text); err != nil {
		return common.Address{}, err
	}
	if !strings.HasPrefix(text, "0x") || !common.IsHexAddress(text) {
		return common.Address{}, usagef("--%s: %q isn't an address: want 0x and 40 hexadecimal digits", flag, text)
	}
	return common.HexToAddress(text), nil
}

// signerFlags are the flags of commands that send transactions.
type signerFlags struct {
	keystore, password, maxFee string
}

func (f *signerFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.keystore, "keystore", "", "the encrypted key to sign with, a `file` of geth's or cast's keystore (default: the key in "+keyVariable+")")
	flags.StringVar(&f.maxFee, "max-fee", gwei(client.DefaultMaxFee()), "the most to pay for a unit of gas, in `gwei`, whatever the node asks")
	flags.StringVar(&f.password, "password-file", "", "`file` with the keystore's password (default: "+passwordVariable+", or a question on the terminal)")
}

// weiPerGwei is 10^9.
var weiPerGwei = big.NewRat(params.GWei, 1)

// gwei writes an amount in wei as a number of gwei.
func gwei(wei *big.Int) string {
	text := new(big.Rat).Quo(new(big.Rat).SetInt(wei), weiPerGwei).FloatString(9)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// fee reads --max-fee and returns it in wei.
func (f *signerFlags) fee() (*big.Int, error) {
	amount, ok := new(big.Rat), len(f.maxFee) <= 30 && strings.Trim(f.maxFee, "0123456789.") == ""
	if ok {
		_, ok = amount.SetString(f.maxFee)
	}
	if !ok {
		return nil, usagef("--max-fee: %.50q: want a number of gwei, such as 30 or 0.5", f.maxFee)
	}
	if amount.Mul(amount, weiPerGwei); amount.Sign() <= 0 || !amount.IsInt() {
		return nil, usagef("--max-fee: %.50q: want a positive number of gwei with at most nine digits behind the point", f.maxFee)
	}
	return new(big.Int).Set(amount.Num()), nil
}

// announce says what is signed for, before anything is: the node has named the chain.
func (f *signerFlags) announce(a *app, c *client.Client, s *client.Signer) {
	a.notice("signing for chain %v as %s, at %s gwei for a unit of gas at most", c.ChainID(), s.Address, f.maxFee)
}

// signer reads the key to sign with.
func (f *signerFlags) signer(cmd *cobra.Command) (*client.Signer, error) {
	if f.keystore == "" {
		if f.password != "" {
			return nil, usagef("--password-file is for --keystore")
		}
		key := os.Getenv(keyVariable)
		if key == "" {
			return nil, &hintedError{usagef("there is no key to sign with"), "give --keystore FILE, or set " + keyVariable}
		}
		s, err := client.ParseKey(key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", keyVariable, err)
		}
		return s, nil
	}
	file, err := readLimited(f.keystore, client.MaxKeystore)
	if err != nil {
		return nil, err
	}
	password, err := f.readPassword(cmd)
	if err != nil {
		return nil, err
	}
	s, err := client.DecryptKeystore(file, password)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.keystore, err)
	}
	return s, nil
}

// readPassword returns the keystore's password from a file, the environment, or the
// terminal, where it isn't shown.
func (f *signerFlags) readPassword(cmd *cobra.Command) (string, error) {
	if f.password != "" {
		text, err := readLimited(f.password, client.MaxKeystore)
		line, _, _ := strings.Cut(string(text), "\n")
		return strings.TrimSuffix(line, "\r"), err
	}
	if password, set := os.LookupEnv(passwordVariable); set {
		return password, nil
	}
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return "", &hintedError{usagef("there is no password for the keystore"), "give --password-file FILE, or set " + passwordVariable}
	}
	printable.Fprintf(cmd.ErrOrStderr(), "password of %s: ", f.keystore)
	password, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(cmd.ErrOrStderr())
	return string(password), err
}

// readLimited reads a small file.
func readLimited(path string, limit int64) ([]byte, error) {
	return readFile(path, func(r io.Reader) ([]byte, error) {
		data, err := io.ReadAll(io.LimitReader(r, limit+1))
		if err == nil && int64(len(data)) > limit {
			err = usagef("is larger than %d bytes", limit)
		}
		return data, err
	})
}

// chainHint returns what to do about an error of a chain.
func chainHint(err error) string {
	var funds *client.FundsError
	var fee *client.FeeError
	var pending *client.PendingError
	var reverted *client.RevertError
	switch {
	case errors.As(err, &fee):
		return "wait until gas is cheaper, or give --max-fee with what you are ready to pay"
	case errors.As(err, &pending):
		return "look for the transaction before sending another; a deployment can be repeated, it does what is missing"
	case errors.As(err, &funds):
		return "send ether to " + funds.Account.Hex()
	case errors.Is(err, client.ErrNoProxy):
		return "the chain refuses transactions without a chain id, or has other gas costs: ask its operators for the proxy at " + common.Address(solidity.Proxy).Hex() + " (geth: --rpc.allow-unprotected-txs), or deploy the exported project with forge create"
	case errors.Is(err, client.ErrNotRegistered):
		return "zkml deploy registers it"
	case errors.Is(err, client.ErrContext):
		return "it isn't derived from the templates' InferenceConsumer: give --call with its own function for the context"
	case is[*client.ChainError](err):
		return "give the --rpc of the chain that you mean"
	case is[*client.CodeError](err):
		return "compare the address and the chain with deployments/; zkml deploy deploys what is missing"
	case errors.As(err, &reverted) && reverted.Name == "ProofRejected":
		return "the proof doesn't hold for what the contract makes of it: a consumer's context may be another than the proof's"
	case is[*client.HaltError](err), errors.As(err, &reverted) && (reverted.Name == "PrecompileFailed" || len(reverted.Data) == 0):
		return "the node may allow calls too little gas, or the chain's rules be older than Cancun's: ask another --rpc"
	case is[*client.RPCError](err):
		return "check --rpc and that the node is running and synchronised"
	}
	return ""
}

// weightsFlags are the flags that bind a contract to hidden weights.
type weightsFlags struct {
	digest  string
	unbound bool
}

func (f *weightsFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.digest, "weights-digest", "", "the `digest` that the hashed weights must have")
	flags.BoolVar(&f.unbound, "unbound-weights", false, "accept a model with private weights, whose proofs hold for any weights")
}

// word reads the digest, nil if there is none.
func (f *weightsFlags) word() (*prover.Word, error) {
	if f.digest == "" {
		return nil, nil
	}
	word, err := prover.ParseWord(f.digest)
	if err != nil {
		return nil, usagef("--weights-digest: %w", err)
	}
	return (*prover.Word)(&word), nil
}
