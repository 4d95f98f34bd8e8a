package main

import (
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
)

// commitResult is what commit prints.
type commitResult struct {
	Secrets string         `json:"secrets"`
	Digests []prover.Value `json:"digests"`
}

func (a *app) commitCommand() *cobra.Command {
	var from inputFlags
	var secrets string
	cmd := &cobra.Command{
		Use:   "commit MODEL.zkml|MODEL.vk --secrets SECRETS.json",
		Short: "print the digests of hashed inputs and weights, to publish before a proof",
		Long: `Commit computes what a proof will state of hashed tensors: of inputs, from --input
or --dataset and the model or only its verifying key; of weights, from the model. The salts come
from the secrets file; those that it lacks are drawn and written to it. Give the same
file to prove, and nobody else: who has a salt can test guesses of the values.`,
		Args: exactArgs("MODEL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := require("secrets", secrets); err != nil {
				return err
			}
			s, err := readSecrets(secrets)
			if err != nil {
				return err
			}
			digests, err := a.commit(cmd, args[0], &from, s)
			if err != nil {
				return err
			}
			if len(digests) == 0 {
				return usagef("there is nothing to commit to: give --input or --dataset for a model with hashed inputs, or a model.zkml with hashed weights")
			}
			if err := a.writeSecrets(secrets, s); err != nil {
				return err
			}
			return a.emit(commitResult{secrets, digests}, func(w io.Writer) { printValues(w, digests, "") })
		},
	}
	from.add(cmd.Flags())
	cmd.Flags().StringVar(&secrets, "secrets", "", "`file` of salts, made if it isn't there")
	return cmd
}

// commit returns the digests of hashed inputs and weights.
func (a *app) commit(cmd *cobra.Command, path string, from *inputFlags, s *zkml.Secrets) ([]prover.Value, error) {
	var manifest *circuit.Manifest
	var model *zkml.Model
	if filepath.Ext(path) == ".vk" {
		vk, err := readFile(path, prover.ReadVerifyingKey)
		if err != nil {
			return nil, err
		}
		manifest = vk.Manifest()
	} else {
		var err error
		if model, err = openModel(cmd.Context(), path); err != nil {
			return nil, err
		}
		manifest = model.Circuit.Manifest
	}
	var digests []prover.Value
	if *from != (inputFlags{}) {
		inputs, err := from.readFor(path, model, manifest)
		if err != nil {
			return nil, err
		}
		if digests, err = zkml.Commit(manifest, inputs, s); err != nil {
			return nil, err
		}
	}
	if model != nil && manifest.Weights == circuit.Hashed {
		digest, err := model.CommitWeights(s)
		if err != nil {
			return nil, err
		}
		digests = append(digests, digest)
	}
	return digests, nil
}
