package main

import (
	"io"

	"github.com/spf13/pflag"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/prover"
)

// inputFlags say what a model is run on: one set of inputs or a batch, or labelled samples.
type inputFlags struct{ input, dataset string }

func (f *inputFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.input, "input", "", "`file` with the model's inputs, as many sets as --batch said (.json, .npy, .npz, .pb)")
	flags.StringVar(&f.dataset, "dataset", "", "`file` with inputs and labels, for a model compiled with --dataset-size (.json, .npz)")
}

// require returns a usage error unless one file is given.
func (f *inputFlags) require() error {
	switch {
	case f.input == "" && f.dataset == "":
		return usagef("flag --input is required, or --dataset for a model compiled with --dataset-size")
	case f.input != "" && f.dataset != "":
		return usagef("--input and --dataset exclude each other")
	}
	return nil
}

// fits returns a usage error unless the file is of the kind that a model takes, which
// counts correct answers over n samples, or none if n is 0.
func (f *inputFlags) fits(path string, n int) error {
	switch {
	case n > 0 && f.input != "":
		return usagef("%s counts correct answers over %d labelled samples: give --dataset, not --input", path, n)
	case n == 0 && f.dataset != "":
		return usagef("%s wasn't compiled with --dataset-size: give --input, not --dataset", path)
	}
	return nil
}

// read reads the file for a model.
func (f *inputFlags) read(path string, m *zkml.Model) (zkml.Inputs, error) {
	if err := f.fits(path, m.Settings.DatasetSize); err != nil {
		return nil, err
	}
	if f.dataset != "" {
		return m.ReadDataset(f.dataset)
	}
	return m.ReadInputs(f.input)
}

// readFor is read for whoever may have no more than the manifest; the model is then nil.
func (f *inputFlags) readFor(path string, model *zkml.Model, m *circuit.Manifest) (zkml.Inputs, error) {
	if err := f.require(); err != nil {
		return nil, err
	}
	if model != nil {
		return f.read(path, model)
	}
	if err := f.fits(path, zkml.DatasetSize(m)); err != nil {
		return nil, err
	}
	if f.dataset != "" {
		return zkml.ReadDataset(m, f.dataset)
	}
	if zkml.Batch(m) > 0 {
		return zkml.ReadBatch(m, f.input)
	}
	var ports []inputfile.Input
	for _, p := range m.Inputs {
		ports = append(ports, inputfile.Input{Name: p.Name, Shape: p.Shape})
	}
	return inputfile.Read(f.input, ports)
}

// printCount says how many of n samples are answered correctly, if the values show it.
func printCount(w io.Writer, values []prover.Value, n int) {
	for _, v := range values {
		if n > 0 && v.Name == zkml.CorrectOutput && len(v.Integers) == 1 {
			printFraction(w, "accuracy", v.Integers[0], n)
		}
	}
}

func printFraction(w io.Writer, title string, correct int64, n int) {
	printable.Fprintf(w, "%s: %d of %d, %.1f %%\n", title, correct, n, 100*float64(correct)/float64(n))
}
