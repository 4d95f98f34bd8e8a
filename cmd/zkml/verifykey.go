package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
)

// verifyKeyResult is what verify-key prints of a key that is the model's.
type verifyKeyResult struct {
	Same        bool           `json:"same"`
	ModelID     prover.ModelID `json:"model_id"`
	Development bool           `json:"development"`
	// Accuracy says how well the key's program follows the model, if samples are given.
	Accuracy *quantize.Report `json:"accuracy,omitempty"`
}

func (a *app) verifyKeyCommand() *cobra.Command {
	var key string
	var f compileFlags
	cmd := &cobra.Command{
		Use:   "verify-key MODEL.onnx --settings MODEL.settings.json --vk MODEL.vk",
		Short: "check that a verifying key is that of an ONNX model",
		Long: `Verify-key compiles the ONNX model again with the settings, makes the key again, and
compares it with the one given: equal keys have equal model ids. The settings may
come from calibrate, or from a model.zkml. They are part of what a key says: scales
and intervals, on which it depends how well the key follows the ONNX model, the head
and the names of labels. If someone else chose them, look at them, and give --samples
to measure the answers; with --strict a missed target is an error.`,
		Args: exactArgs("MODEL.onnx"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := require("settings", f.settings); err != nil {
				return err
			}
			if err := require("vk", key); err != nil {
				return err
			}
			vk, err := readFile(key, prover.ReadVerifyingKey)
			if err != nil {
				return err
			}
			m, err := a.compileModel(cmd.Context(), args[0], &f)
			if err != nil {
				return err
			}
			rebuilt, err := a.rebuildKey(m, vk)
			if err != nil {
				return fmt.Errorf("%s isn't the key of %s with these settings: %w", key, args[0], err)
			}
			if differences := prover.CompareKeys(vk, rebuilt); len(differences) > 0 {
				texts := make([]string, len(differences))
				for i, d := range differences {
					texts[i] = d.String()
				}
				return fmt.Errorf("%w: %s isn't the key of %s with these settings; they differ in\n%s",
					prover.ErrMismatch, key, args[0], strings.Join(texts, "\n"))
			}
			if vk.Development() {
				a.notice("the key is of the development srs: anyone can forge proofs for it")
			}
			if vk.Manifest().Weights != circuit.Fixed {
				a.notice("the weights aren't part of the key: every training of the model that fits has it")
			}
			r := verifyKeyResult{Same: true, ModelID: vk.ModelID(), Development: vk.Development()}
			if f.samples != "" {
				r.Accuracy = m.Report
			}
			return a.emit(r, func(w io.Writer) {
				printable.Fprintf(w, "%s is the key of %s: model id %s\n", key, args[0], r.ModelID)
				if r.Accuracy != nil {
					printAccuracy(w, m)
				}
			})
		},
	}
	f.addReport(cmd.Flags())
	cmd.Flags().StringVar(&f.settings, "settings", "", "`file` with the choices: model.settings.json, or a model.zkml")
	cmd.Flags().StringVar(&key, "vk", "", "the verifying key to compare with")
	return cmd
}

// rebuildKey makes a model's key with the string of another key.
func (a *app) rebuildKey(m *zkml.Model, vk *prover.VerifyingKey) (*prover.VerifyingKey, error) {
	if err := vk.CheckModel(m.Circuit.Manifest); err != nil {
		return nil, err
	}
	cache, err := srs.DefaultCache()
	if err != nil {
		return nil, err
	}
	p := a.progress()
	defer p.done()
	p.start("making the key")
	s, err := cache.Load(vk.SRSID(), m.DomainLog())
	if err != nil {
		return nil, err
	}
	_, rebuilt, err := zkml.Setup(m, s)
	return rebuilt, err
}
