package main

import (
	"context"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity/client"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// verifyResult is what verify prints of an accepted proof.
type verifyResult struct {
	Accepted bool           `json:"accepted"`
	ModelID  prover.ModelID `json:"model_id"`
	Pinned   bool           `json:"pinned"` // whether key or id came from the verifier
	Context  prover.Word    `json:"context"`
	// ContextPinned says whether the verifier gave the context that the proof carries.
	ContextPinned bool           `json:"context_pinned"`
	Seconds       float64        `json:"seconds"`
	Values        []prover.Value `json:"values"`
	// DatasetSize is the number of samples over which the proof counts correct answers.
	DatasetSize int `json:"dataset_size,omitempty"`
	// Batch is the number of inferences that the proof is about, if tensors lie along them.
	Batch       int          `json:"batch,omitempty"`
	NotPinned   []string     `json:"not_pinned,omitempty"`
	AnyWeights  bool         `json:"any_weights"`
	Development bool         `json:"development"`
	Ceremony    string       `json:"ceremony,omitempty"` // "" if this program knows none that made the key's srs
	EVM         *evm.Report  `json:"evm,omitempty"`
	Chain       *chainAnswer `json:"chain,omitempty"`
}

// verifyFlags are the flags of verify.
type verifyFlags struct {
	key, model, word string
	expect           []string
	evm, dev         bool

	chain          chainFlags
	contract, code string
	folder         string
}

func (a *app) verifyCommand() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify PROOF.json --vk MODEL.vk",
		Short: "verify a proof and print what it says",
		Long: `Verify checks a proof against a key. The key, or the model id, has to come from the
verifier: a key that lies beside the proof may be anyone's.

With --rpc and --contract it also asks a contract on a chain, zkml's verifier or the
model's adapter, in a call that changes nothing and costs nothing.`,
		Args: exactArgs("PROOF.json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			vk, pinned, err := f.findKey(args[0])
			if err != nil {
				return err
			}
			expect, err := f.expectation(cmd, vk)
			if err != nil {
				return err
			}
			proof, err := readFile(args[0], prover.ReadProof)
			if err != nil {
				return err
			}
			start := time.Now()
			verdict, err := zkml.Verify(vk, proof, *expect)
			if err != nil {
				return err
			}
			r := verifyResult{
				Accepted: true, ModelID: verdict.ModelID, Pinned: pinned, Context: prover.Word(verdict.Context),
				ContextPinned: expect.Context != nil,
				Seconds:       time.Since(start).Seconds(), Values: verdict.Values, NotPinned: verdict.NotPinned,
				DatasetSize: zkml.DatasetSize(vk.Manifest()), Batch: zkml.Batch(vk.Manifest()),
				AnyWeights: verdict.AnyWeights, Development: verdict.Development, Ceremony: verdict.Ceremony,
			}
			if f.evm {
				p := a.progress()
				defer p.done()
				p.start("running the contract")
				if r.EVM, err = evm.Verify(vk, proof); err != nil {
					return err
				}
				p.done()
			}
			if f.chain.rpc != "" || f.contract != "" {
				if r.Chain, err = a.verifyOnChain(cmd.Context(), &f, vk, proof); err != nil {
					return err
				}
			}
			a.verifyNotices(&r)
			return a.emit(r, func(w io.Writer) { printVerdict(w, &r) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.key, "vk", "", "the verifying key (default: the only .vk file beside the proof, which is not pinned)")
	flags.StringVar(&f.model, "model-id", "", "the model id that the key must have")
	flags.StringVar(&f.word, "context", "", "the context that the proof must carry")
	flags.StringArrayVar(&f.expect, "expect", nil, "what the proof must say: `NAME=VALUE`, numbers or labels separated by commas, or NAME=DIGEST; repeatable")
	flags.BoolVar(&f.evm, "evm", false, "run the contract too, and print its gas and code size")
	f.chain.register(flags)
	flags.StringVar(&f.contract, "contract", "", "the `address` of the contract to ask: zkml's verifier or the model's adapter")
	flags.StringVar(&f.code, "code-hash", "", "the `hash` that the adapter's code must have (default: from the record of deployments)")
	flags.StringVar(&f.folder, "deployments", "deployments", "`folder` with the record of deployments")
	insecure(flags, &f.dev)
	return cmd
}

// findKey reads the key that the user names, or the one beside the proof. It is
// pinned if the user gave it or its model id.
func (f *verifyFlags) findKey(proof string) (vk *prover.VerifyingKey, pinned bool, err error) {
	path := f.key
	if path == "" {
		found, err := keysBeside(proof)
		if err != nil {
			return nil, false, err
		}
		if len(found) != 1 {
			return nil, false, usagef("flag --vk is required: there are %d .vk files beside the proof", len(found))
		}
		path = found[0]
	}
	vk, err = readFile(path, prover.ReadVerifyingKey)
	return vk, f.key != "" || f.model != "", err
}

// keysBeside returns the paths of the verifying keys in a proof's folder.
func keysBeside(proof string) (paths []string, err error) {
	folder := filepath.Dir(proof)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) == ".vk" {
			paths = append(paths, filepath.Join(folder, e.Name()))
		}
	}
	return paths, nil
}

// expectation collects what the verifier knows.
func (f *verifyFlags) expectation(cmd *cobra.Command, vk *prover.VerifyingKey) (*prover.Expectation, error) {
	expect := &prover.Expectation{AllowDevelopmentSRS: f.dev}
	if f.model != "" {
		id, err := prover.ParseModelID(f.model)
		if err != nil {
			return nil, usage(err)
		}
		expect.ModelID = &id
	}
	if cmd.Flags().Changed("context") {
		context, err := zkml.ParseContext(f.word)
		if err != nil {
			return nil, usage(err)
		}
		expect.Context = &context
	}
	return expect, parseExpectation(expect, vk.Manifest(), f.expect)
}

// verifyNotices says what an accepted proof leaves open.
func (a *app) verifyNotices(r *verifyResult) {
	if !r.Pinned {
		a.notice("the key isn't pinned: it lies beside the proof and may be anyone's; give --vk or --model-id")
	}
	if !r.ContextPinned && r.Context != (prover.Word{}) {
		a.notice("the proof was made for the context %s: give --context with the one that you asked for", r.Context)
	}
	for _, name := range r.NotPinned {
		a.notice("%s is hashed and not pinned: the proof is about some preimage; give --expect %s=DIGEST", name, name)
	}
	if r.AnyWeights {
		a.notice("the weights are private: some weights in their intervals give this output")
	}
	if r.Chain != nil && !r.Chain.Pinned {
		a.notice("the adapter's code isn't pinned: a contract that accepts everything answers the same; give --code-hash")
	}
	if r.Development {
		a.notice("the key is of the development srs: anyone can forge this proof")
	} else if r.Ceremony == "" {
		a.notice("the key's srs is of no ceremony that this program knows: whoever made it may be able to forge this proof")
	}
}

func printVerdict(w io.Writer, r *verifyResult) {
	printable.Fprintf(w, "accepted: model %s\n", r.ModelID)
	if r.Context != (prover.Word{}) {
		printable.Fprintf(w, "context %s\n", r.Context)
	}
	printBatch(w, r.Values, "", r.Batch)
	printCount(w, r.Values, r.DatasetSize)
	if r.EVM != nil {
		printEVM(w, r.EVM)
	}
	if r.Chain != nil {
		printable.Fprintf(w, "chain %v: accepted by the %s %s in block %v, %s gas for a transaction\n",
			r.Chain.ChainID, r.Chain.Kind, r.Chain.Address, r.Chain.At, grouped(r.Chain.Gas))
	}
}

// chainAnswer is what a contract on a chain said.
type chainAnswer struct {
	ChainID *big.Int `json:"chain_id"`
	*client.Answer
}

// verifyOnChain asks the contract.
func (a *app) verifyOnChain(ctx context.Context, f *verifyFlags, vk *prover.VerifyingKey, proof *prover.Proof) (*chainAnswer, error) {
	contract, err := parseAddress("contract", f.contract)
	if err != nil {
		return nil, err
	}
	var pin client.Pin
	if f.code != "" {
		if err := pin.AdapterCode.UnmarshalText([]byte(f.code)); err != nil {
			return nil, usagef("--code-hash: %q: want 0x and 64 hexadecimal digits", f.code)
		}
	}
	c, ctx, done, err := f.chain.dial(ctx, client.Options{})
	if err != nil {
		return nil, err
	}
	defer done()
	if f.code == "" {
		record, err := client.ReadRecord(f.folder, c.ChainID())
		if err != nil {
			return nil, err
		}
		pin = record.Pin(vk.ModelID(), contract)
	}
	p := a.progress()
	defer p.done()
	p.start("asking the contract")
	answer, err := c.Verify(ctx, contract, vk, proof, pin)
	if err != nil {
		return nil, err
	}
	return &chainAnswer{ChainID: c.ChainID(), Answer: answer}, nil
}

// printEVM writes what the contract cost.
func printEVM(w io.Writer, r *evm.Report) {
	printable.Fprintf(w, "contract: accepted by %s, %s gas (%s with the transaction's), %s, %s\n",
		r.Contract, grouped(r.ExecutionGas), grouped(r.TransactionGas), r.Fork, r.Compiler)
	printable.Fprintf(w, "contract: %s bytes of code, %s bytes of calldata, %s gas to register the model, %s to deploy\n",
		grouped(r.VerifierBytes), grouped(r.CalldataBytes), grouped(r.RegistrationGas), grouped(r.DeploymentGas))
}
