package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/client"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// deployResult is what deploy prints.
type deployResult struct {
	ChainID *big.Int       `json:"chain_id"`
	ModelID prover.ModelID `json:"model_id"`
	Variant client.Variant `json:"variant"`
	Record  string         `json:"record"`
	// Steps are the verifier, the model's registration and the adapter, in this order.
	Steps []*client.Step `json:"steps"`
}

// deployFlags are the flags of deploy.
type deployFlags struct {
	chainFlags
	signerFlags
	weightsFlags
	key, folder    string
	noAdapter, dev bool
}

func (a *app) deployCommand() *cobra.Command {
	var f deployFlags
	cmd := &cobra.Command{
		Use:   "deploy --vk MODEL.vk --rpc URL",
		Short: "put the verifier and a model on a chain",
		Long: `Deploy creates zkml's verifier, which is at the same address on every chain,
registers the model's key with it, and creates the model's adapter: a contract that
takes tensors in the model's shape. What is there already is left as it is, so that a
deployment that failed can be repeated.

The adapter is compiled with solc; without it the model can still be verified by its
id. What was deployed is recorded in deployments/CHAINID.json.

The node names the chain, which is shown before anything is signed (--chain-id wants a
certain one), and the price of gas, of which --max-fee is the most that is paid. The key
to sign with comes from --keystore, or from the environment variable
` + keyVariable + `.`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.deploy(cmd, &f)
			if err != nil {
				return err
			}
			return a.emit(r, func(w io.Writer) { printDeployment(w, r) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.key, "vk", "", "the verifying key")
	f.chainFlags.register(flags)
	f.signerFlags.register(flags)
	flags.BoolVar(&f.noAdapter, "no-adapter", false, "create no contract of the model's own")
	f.weightsFlags.register(flags)
	output(flags, &f.folder, "`folder` for the record of what was deployed (default \"deployments\")")
	insecure(flags, &f.dev)
	return cmd
}

// deploy checks what can be checked without a chain, then takes the steps.
func (a *app) deploy(cmd *cobra.Command, f *deployFlags) (*deployResult, error) {
	if err := require("vk", f.key); err != nil {
		return nil, err
	}
	vk, err := readFile(f.key, prover.ReadVerifyingKey)
	if err != nil {
		return nil, err
	}
	if vk.Development() && !f.dev {
		return nil, fmt.Errorf("%s: %w", f.key, srs.ErrDevelopment)
	}
	word, err := f.word()
	if err != nil {
		return nil, err
	}
	o := solidity.Options{AllowUnboundWeights: f.unbound, AllowDevelopmentSRS: f.dev, WeightsDigest: (*fr.Element)(word)}
	adapter, err := a.compileAdapter(cmd.Context(), vk, o, f.noAdapter)
	if err != nil {
		return nil, err
	}
	fee, err := f.fee()
	if err != nil {
		return nil, err
	}
	signer, err := f.signer(cmd)
	if err != nil {
		return nil, err
	}
	c, ctx, done, err := f.dial(cmd.Context(), client.Options{MaxFee: fee})
	if err != nil {
		return nil, err
	}
	defer done()
	f.announce(a, c, signer)
	if f.folder == "" {
		f.folder = "deployments"
	}
	record, err := client.ReadRecord(f.folder, c.ChainID())
	if err != nil {
		return nil, err
	}
	d := &deployment{app: a, p: a.progress(), client: c, signer: signer, vk: vk, record: record, folder: f.folder}
	defer d.p.done()
	d.result = deployResult{ChainID: c.ChainID(), ModelID: vk.ModelID(), Variant: variant(vk), Record: client.RecordPath(f.folder, c.ChainID())}
	if vk.Development() {
		a.notice("the key is of the development srs: the verifier is the variant for development, and anyone can forge proofs for it")
	}
	return &d.result, d.run(ctx, adapter, word)
}

// compileAdapter returns the creation code of the model's contract, nil if it isn't
// wanted or can't be compiled here.
func (a *app) compileAdapter(ctx context.Context, vk *prover.VerifyingKey, o solidity.Options, without bool) ([]byte, error) {
	if without {
		return nil, solidity.CheckUnbound(vk, o)
	}
	files, err := solidity.Export(vk, o)
	if err != nil {
		return nil, err
	}
	compiler, err := evm.FindCompiler()
	var missing *evm.ToolError
	if errors.As(err, &missing) {
		a.notice("the model's own contract isn't deployed, for want of a compiler: %v; %s", missing, missing.Hint)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := a.progress()
	defer p.done()
	p.start("compiling the model's contract")
	contracts, err := compiler.Compile(ctx, files)
	if err != nil {
		return nil, err
	}
	return append(contracts["ModelVerifier"].Creation, solidity.AdapterArguments(variant(vk).Address(), o.WeightsDigest)...), nil
}

// deployment is one run of deploy.
type deployment struct {
	app    *app
	p      *progress
	client *client.Client
	signer *client.Signer
	vk     *prover.VerifyingKey
	record *client.Record
	folder string
	result deployResult
}

// run takes the steps and records each once it is done.
func (d *deployment) run(ctx context.Context, adapter []byte, weights *prover.Word) error {
	d.p.start("deploying the verifier")
	verifier, err := d.client.DeployVerifier(ctx, d.signer, d.result.Variant)
	if err != nil {
		return err
	}
	d.record.AddVerifier(d.result.Variant, verifier)
	if err := d.done(verifier); err != nil {
		return err
	}
	d.p.start("registering the model")
	model, err := d.client.Register(ctx, d.signer, verifier.Address, d.vk)
	if err != nil {
		return err
	}
	d.record.AddModel(d.vk, verifier.Address, model)
	if err := d.done(model); err != nil || adapter == nil {
		return err
	}
	d.p.start("deploying the model's contract")
	step, err := d.client.DeployAdapter(ctx, d.signer, adapter)
	if err != nil {
		return err
	}
	d.record.AddAdapter(d.vk.ModelID(), verifier.Address, weights, step)
	return d.done(step)
}

// done writes down a step.
func (d *deployment) done(step *client.Step) error {
	d.result.Steps = append(d.result.Steps, step)
	if err := d.record.Write(d.folder); err != nil {
		return outputError(d.result.Record, err)
	}
	return nil
}

func printDeployment(w io.Writer, r *deployResult) {
	printable.Fprintf(w, "chain\t%v\n", r.ChainID)
	for _, s := range r.Steps {
		how := "was there"
		if s.Receipt != nil {
			how = fmt.Sprintf("%s gas, transaction %s", grouped(s.Receipt.GasUsed), s.Receipt.Transaction)
		}
		printable.Fprintf(w, "%s\t%s, %s\n", s.What, s.Address, how)
	}
	printable.Fprintf(w, "model id\t%s\n", r.ModelID)
	printable.Fprintf(w, "record\t%s\n", r.Record)
}

// variant returns the verifier that takes a key.
func variant(vk *prover.VerifyingKey) client.Variant {
	if vk.Development() {
		return client.Development
	}
	return client.Production
}
