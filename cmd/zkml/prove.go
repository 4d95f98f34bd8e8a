package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/prover"
)

// proveResult is what prove prints.
type proveResult struct {
	File       string         `json:"file"`
	ModelID    prover.ModelID `json:"model_id"`
	Context    prover.Word    `json:"context"`
	ProofBytes int            `json:"proof_bytes"`
	Words      int            `json:"words"`
	Seconds    float64        `json:"seconds"`
	Values     []prover.Value `json:"values"`
}

func (a *app) proveCommand() *cobra.Command {
	var input, key, word, saltFile, out string
	var clamp bool
	cmd := &cobra.Command{
		Use:   "prove MODEL.zkml --input INPUT",
		Short: "prove the model's answer to one input: proof.json",
		Args:  exactArgs("MODEL.zkml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := require("input", input); err != nil {
				return err
			}
			o, err := proveOptions(word, clamp)
			if err != nil {
				return err
			}
			if key == "" {
				key = beside(args[0], ".pk")
			}
			p := a.progress()
			defer p.done()
			m, pk, err := a.openProver(cmd, args[0], key, p)
			if err != nil {
				return err
			}
			inputs, err := m.ReadInputs(input)
			if err != nil {
				return err
			}
			if saltFile != "" {
				if o.Salts, err = readFile(saltFile, readSalts); err != nil {
					return err
				}
			}
			assignment, err := m.Assign(inputs, o)
			if err != nil {
				return err
			}
			if out == "-" && saltFile == "" && len(assignment.Salts) > 0 {
				return usagef("salts have to be drawn, and there is no file to keep them beside: give --salts, or a path to -o")
			}
			p.start("proving")
			start := time.Now()
			proof, err := zkml.ProveAssignment(cmd.Context(), m, pk, assignment)
			if err != nil {
				return err
			}
			took := time.Since(start)
			p.done()
			if pk.VerifyingKey().Development() {
				a.notice("the key is of the development srs: whoever relies on the proof has to accept that anyone can forge it")
			}
			if err := a.writeFile(out, writer(proof)); err != nil {
				return err
			}
			if err := a.keepSalts(assignment.Salts, out, saltFile); err != nil {
				return err
			}
			if out == "-" {
				return nil
			}
			r := proveResult{
				File: out, ModelID: proof.ModelID, Context: prover.Word(proof.Context()), ProofBytes: len(proof.Raw),
				Words: len(proof.Words), Seconds: took.Seconds(), Values: proof.Values,
			}
			return a.emit(r, func(w io.Writer) {
				fmt.Fprintf(w, "%s: proved in %.1f s, %s bytes and %d public words\n", out, r.Seconds, grouped(r.ProofBytes), r.Words)
				printValues(w, proof.Values, "output")
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&input, "input", "", "`file` with the model's inputs (.json, .npy, .npz, .pb)")
	flags.StringVar(&key, "pk", "", "the proving key (default: MODEL.pk)")
	flags.StringVar(&word, "context", "0", "the word that binds the proof to one use, at most 248 bits")
	flags.StringVar(&saltFile, "salts", "", "`file` with the salts of hashed tensors; without it they are drawn and written to PROOF.salts.json")
	flags.BoolVar(&clamp, "clamp", false, "move inputs outside their interval to its nearest end instead of refusing them")
	flags.StringVarP(&out, "output", "o", "proof.json", "the proof; - for standard output")
	return cmd
}

// proveOptions reads the flags that prove and check share.
func proveOptions(word string, clamp bool) (zkml.ProveOptions, error) {
	c, err := zkml.ParseContext(word)
	if err != nil {
		return zkml.ProveOptions{}, usage(err)
	}
	return zkml.ProveOptions{Context: c, Clamp: clamp}, nil
}

// openProver reads a model and its proving key.
func (a *app) openProver(cmd *cobra.Command, model, key string, p *progress) (*zkml.Model, *prover.ProvingKey, error) {
	p.start("reading the key")
	pk, err := readFile(key, prover.ReadProvingKey)
	if err != nil {
		return nil, nil, withHint(err, "zkml setup "+model+" makes the keys")
	}
	p.start("compiling the circuit")
	m, err := openModel(cmd.Context(), model)
	if err != nil {
		return nil, nil, err
	}
	if err := pk.VerifyingKey().CheckModel(m.Circuit.Manifest); err != nil {
		return nil, nil, fmt.Errorf("%s and %s: %w", key, model, err)
	}
	p.start("reading the srs")
	if err := attachSRS(pk); err != nil {
		return nil, nil, err
	}
	return m, pk, nil
}
