package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/quantize"
)

// calibrateResult is what calibrate prints.
type calibrateResult struct {
	File     string           `json:"file"`
	Report   *quantize.Report `json:"report"`
	Settings *zkml.Settings   `json:"settings"`
}

func (a *app) calibrateCommand() *cobra.Command {
	var f compileFlags
	var out string
	cmd := &cobra.Command{
		Use:   "calibrate MODEL.onnx",
		Short: "choose scales and widths from samples and report the accuracy: model.settings.json",
		Long: `Calibrate makes every choice that compile makes, reports how well the integer
program follows the model on the samples, tensor by tensor, and writes the choices
to a file. Whoever has that file and the ONNX file gets the same circuit, with
compile --settings, and can check a key, with verify-key.`,
		Args: exactArgs("MODEL.onnx"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := a.compileModel(cmd.Context(), args[0], &f)
			if err != nil {
				return err
			}
			if out == "" {
				out = beside(args[0], ".settings.json")
			}
			text, err := m.Settings.Marshal()
			if err != nil {
				return err
			}
			err = a.writeFile(out, func(w io.Writer) error {
				_, err := w.Write(text)
				return err
			})
			if err != nil || out == "-" {
				return err
			}
			return a.emit(calibrateResult{out, m.Report, m.Settings}, func(w io.Writer) {
				printable.Fprintf(w, "settings: %s\n", out)
				report := *m.Report
				report.Notices = nil // on standard error already
				_ = report.Print(w)  // to a tabwriter, whose Flush tells of errors
			})
		},
	}
	f.add(cmd.Flags())
	output(cmd.Flags(), &out, "the settings (default: MODEL.settings.json); - for standard output, which then has nothing else")
	return cmd
}
