package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/verifier/solidity"
)

func (a *app) exportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "write the Solidity contract of a model, or a proof's calldata",
		Args:  noCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.exportSolidityCommand(), a.exportCalldataCommand())
	return cmd
}

// exportResult is what export solidity prints.
type exportResult struct {
	Folder  string         `json:"folder"`
	Files   []string       `json:"files"`
	ModelID prover.ModelID `json:"model_id"`
}

func (a *app) exportSolidityCommand() *cobra.Command {
	var key, sample, consumer, out string
	var standalone, dev bool
	var weights weightsFlags
	cmd := &cobra.Command{
		Use:   "solidity --vk MODEL.vk -o FOLDER",
		Short: "write a Foundry project with the model's contract",
		Long: `The project has the model's own contract, ModelVerifier: it takes tensors in the
model's shape and asks zkml's verifier, in which the model's key is registered. With
--standalone it has gnark's verifier for this one key instead.

--template adds a contract that acts on the model's answers, to go on from. Which models
fit:
` + templateNeeds() + `
The project's README says what its constructor takes, and how to deploy it.`,
		Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := require("vk", key); err != nil {
				return err
			}
			if err := require("output", out); err != nil {
				return err
			}
			vk, err := readFile(key, prover.ReadVerifyingKey)
			if err != nil {
				return err
			}
			word, err := weights.word()
			if err != nil {
				return err
			}
			o := solidity.Options{Standalone: standalone, WeightsDigest: (*fr.Element)(word), AllowUnboundWeights: weights.unbound, Template: consumer, AllowDevelopmentSRS: dev}
			if sample != "" {
				if o.Sample, err = readFile(sample, prover.ReadProof); err != nil {
					return err
				}
			}
			files, err := solidity.Export(vk, o)
			if err != nil {
				return err
			}
			if err := files.Write(out); err != nil {
				return err
			}
			if sample == "" {
				a.notice("without --proof the project has no tests")
			}
			r := exportResult{Folder: out, Files: files.Paths(), ModelID: vk.ModelID()}
			return a.emit(r, func(w io.Writer) {
				for _, path := range r.Files {
					printable.Fprintf(w, "%s/%s\n", out, path)
				}
			})
		},
	}
	cmd.Flags().StringVar(&key, "vk", "", "the verifying key")
	cmd.Flags().StringVar(&sample, "proof", "", "an accepted proof, from which the project's tests are made")
	cmd.Flags().BoolVar(&standalone, "standalone", false, "verify with gnark's verifier, made for this key, instead of zkml's for all")
	cmd.Flags().StringVar(&consumer, "template", "", "add a contract that acts on answers, to go on from: inference, lending, eligibility or tictactoe")
	weights.register(cmd.Flags())
	output(cmd.Flags(), &out, "the project's `folder`; files of the same names are replaced")
	insecure(cmd.Flags(), &dev)
	return cmd
}

// templateNeeds lists the templates with what they want of a model.
func templateNeeds() string {
	var text strings.Builder
	for _, t := range solidity.Templates() {
		text.WriteString(fmt.Sprintf("\n  %-12s %s", t.Name, t.Needs))
	}
	return text.String() + "\n"
}

// calldataResult is what export calldata prints.
type calldataResult struct {
	Function string `json:"function"`
	Calldata string `json:"calldata"`
	Bytes    int    `json:"bytes"`
}

func (a *app) exportCalldataCommand() *cobra.Command {
	var key, out string
	var packed, dev bool
	cmd := &cobra.Command{
		Use:   "calldata PROOF.json --vk MODEL.vk",
		Short: "print the ABI-encoded call that has the contract verify a proof",
		Args:  exactArgs("PROOF.json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := require("vk", key); err != nil {
				return err
			}
			vk, err := readFile(key, prover.ReadVerifyingKey)
			if err != nil {
				return err
			}
			if vk.Development() && !dev {
				return fmt.Errorf("%s: %w", key, srs.ErrDevelopment)
			}
			proof, err := readFile(args[0], prover.ReadProof)
			if err != nil {
				return err
			}
			entry := solidity.Typed
			if packed {
				entry = solidity.Packed
			}
			data, err := solidity.Calldata(vk, entry, proof)
			if err != nil {
				return err
			}
			r := calldataResult{Function: solidity.Signature(vk, entry), Calldata: "0x" + hex.EncodeToString(data), Bytes: len(data)}
			if out != "" {
				err := a.writeFile(out, func(w io.Writer) error {
					_, err := fmt.Fprintln(w, r.Calldata)
					return err
				})
				if err != nil || out == "-" || !a.json {
					return err
				}
			}
			return a.emit(r, func(w io.Writer) { fmt.Fprintln(w, r.Calldata) })
		},
	}
	cmd.Flags().StringVar(&key, "vk", "", "the verifying key")
	cmd.Flags().BoolVar(&packed, "packed", false, "call verifyPacked, which takes public words instead of bytes")
	output(cmd.Flags(), &out, "`file` for the calldata (default: standard output)")
	insecure(cmd.Flags(), &dev)
	return cmd
}
