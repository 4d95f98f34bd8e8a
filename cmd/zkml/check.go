package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/internal/printable"
)

func (a *app) checkCommand() *cobra.Command {
	var from inputFlags
	var word string
	var clamp bool
	cmd := &cobra.Command{
		Use:   "check MODEL.zkml --input INPUT",
		Short: "solve the circuit without proving and compare it with the model",
		Long: `Check computes the model's answer three times: by the circuit and by the integer
program, which have to agree in every element of every tensor, and by the model as
it was trained, which has to be within the error that the choice of scales allows.
It names the ONNX node where they don't. With --dataset it does so for all labelled
samples, and compares the accuracies; of a model compiled with --batch, for all
inferences.`,
		Args: exactArgs("MODEL.zkml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := from.require(); err != nil {
				return err
			}
			o, err := proveOptions(word, clamp)
			if err != nil {
				return err
			}
			p := a.progress()
			defer p.done()
			p.start("compiling the circuit")
			m, err := openModel(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			inputs, err := from.read(args[0], m)
			if err != nil {
				return err
			}
			p.start("checking")
			r, err := m.Check(inputs, o)
			if err != nil {
				return err
			}
			p.done()
			if r.Saturations > 0 {
				a.notice("%d elements were clamped that the model doesn't clamp: the error bound doesn't hold for this input", r.Saturations)
			}
			return a.emit(r, func(w io.Writer) { printCheck(w, r) })
		},
	}
	flags := cmd.Flags()
	from.add(flags)
	flags.StringVar(&word, "context", "0", "the context word")
	flags.BoolVar(&clamp, "clamp", false, "move inputs outside their interval to its nearest end instead of refusing them")
	return cmd
}

func printCheck(w io.Writer, r *zkml.CheckReport) {
	printable.Fprintf(w, "circuit = integer program in %s elements\n", grouped(r.Elements))
	printable.Fprintf(w, "integer program ≈ model in %s elements", grouped(r.Bounded))
	if r.MaxError > 0 {
		printable.Fprintf(w, ", largest error %.3g at %q", r.MaxError, r.Node)
	}
	fmt.Fprintln(w)
	if a := r.Accuracy; a != nil {
		printFraction(w, "accuracy", int64(a.Correct), a.Samples)
		printFraction(w, "accuracy of the model as it was trained", int64(a.ModelCorrect), a.Samples)
		return
	}
	if r.Batch > 0 {
		printable.Fprintf(w, "batch: %d inferences\n", r.Batch)
	}
	for _, o := range r.Outputs {
		printable.Fprintf(w, "%s: largest error %.3g\n", o.Name, o.MaxError)
	}
}
