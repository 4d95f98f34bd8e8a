package main

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/quantize"
)

// compileResult is what compile prints.
type compileResult struct {
	File     string                  `json:"file"`
	Rows     int                     `json:"rows"`
	Domain   int                     `json:"domain"`
	Met      bool                    `json:"met"`
	Target   string                  `json:"target"`
	Samples  int                     `json:"samples"`
	Outputs  []quantize.OutputReport `json:"outputs"`
	Notices  []string                `json:"notices,omitempty"`
	Settings *zkml.Settings          `json:"settings"`
}

func (a *app) compileCommand() *cobra.Command {
	var f compileFlags
	var out string
	cmd := &cobra.Command{
		Use:   "compile MODEL.onnx",
		Short: "compile an ONNX model to a circuit: model.zkml",
		Long: `Compile reads an ONNX model, calibrates it on sample inputs and compiles it to a
circuit. It writes model.zkml, from which setup makes keys and prove makes proofs.`,
		Args: exactArgs("MODEL.onnx"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := a.compileModel(cmd.Context(), args[0], &f)
			if err != nil {
				return err
			}
			if out == "" {
				out = beside(args[0], ".zkml")
			}
			mode := fs.FileMode(0o644)
			if m.Circuit.Manifest.Weights != circuit.Fixed {
				mode = 0o600 // the file holds the weights that proofs hide
			}
			if out == "-" {
				return m.Save(a.stdout)
			}
			if err := a.writeMode(out, mode, m.Save); err != nil {
				return err
			}
			r := compileResult{
				File: out, Rows: m.Circuit.Rows(), Domain: m.Circuit.Domain(), Met: m.Report.Met, Target: m.Report.Target,
				Samples: m.Report.Samples, Outputs: m.Report.Outputs, Notices: m.Report.Notices, Settings: m.Settings,
			}
			return a.emit(r, func(w io.Writer) {
				printable.Fprintf(w, "%s: %s rows in a domain of %s\n", out, grouped(r.Rows), grouped(r.Domain))
				if n := m.Settings.DatasetSize; n > 0 {
					printable.Fprintf(w, "%s: counts correct answers over %d labelled samples\n", zkml.CorrectOutput, n)
				}
				if n := m.Settings.Batch; n > 0 {
					printable.Fprintf(w, "batch: %d inferences in one proof\n", n)
				}
				printAccuracy(w, m)
			})
		},
	}
	f.add(cmd.Flags())
	output(cmd.Flags(), &out, "the compiled model (default: MODEL.zkml); - for standard output")
	return cmd
}

// printAccuracy writes a line for each output. A label is right or wrong; the size of
// its error says nothing.
func printAccuracy(w io.Writer, m *zkml.Model) {
	for i, o := range m.Report.Outputs {
		text := ""
		if !isLabel(m.Inference(), i) {
			text = fmt.Sprintf("largest error %.2g in a range of %.3g, ", o.MaxError, o.Range)
		}
		if o.Agreement != nil {
			text += fmt.Sprintf("same label on %.1f %% of", 100**o.Agreement)
		} else {
			text += "on"
		}
		printable.Fprintf(w, "%s: %s %d samples\n", o.Name, text, m.Report.Samples)
	}
}

// isLabel reports whether an output is the answer of an argmax or a threshold.
func isLabel(p *quantize.Program, output int) bool {
	switch p.Nodes[p.Outputs[output].ID].Op.(type) {
	case quantize.ArgMax, quantize.Threshold:
		return true
	}
	return false
}
