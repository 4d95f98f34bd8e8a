package main

import (
	"context"
	"path/filepath"
	"time"

	gnark "github.com/consensys/gnark/backend/plonk/bn254"
	"github.com/consensys/gnark/backend/witness"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/internal/plonktest"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/quantize"
)

// subject is a circuit with its key and how to make a witness.
type subject struct {
	name           string
	system         *cs.SparseR1CS
	key            *gnark.ProvingKey
	assign         func() (witness.Witness, error)
	solver         []solver.Option
	compile, setUp time.Duration
}

// maker names a subject and makes it.
type maker struct {
	name string
	make func(context.Context) (*subject, error)
}

// subjects are the circuits that are measured.
func subjects(o *options) []maker {
	return []maker{
		{o.model, func(ctx context.Context) (*subject, error) {
			return model(ctx, filepath.Join(o.testdata, o.model), o.model)
		}},
		{"range checks", func(context.Context) (*subject, error) {
			return fixed("range checks", func() (*plonktest.Subject, error) { return plonktest.RangeChecks(26000) })
		}},
		{"chain", func(context.Context) (*subject, error) {
			return fixed("chain", func() (*plonktest.Subject, error) { return plonktest.Chain(17) })
		}},
	}
}

// model takes a model from its file to a circuit with a key.
func model(ctx context.Context, dir, name string) (*subject, error) {
	start := time.Now()
	g, _, err := onnx.Load(filepath.Join(dir, "model.onnx"), onnx.Options{})
	if err != nil {
		return nil, err
	}
	samples, err := inputfile.ReadSamples(filepath.Join(dir, "samples.json"), inputfile.InputsOf(g))
	if err != nil {
		return nil, err
	}
	p, _, err := quantize.Quantize(ctx, g, quantize.Options{Samples: samples})
	if err != nil {
		return nil, err
	}
	c, err := circuit.Compile(ctx, p, circuit.Options{Model: name})
	if err != nil {
		return nil, err
	}
	s := &subject{name: name, system: c.System, solver: c.SolverOptions(), compile: time.Since(start)}
	start = time.Now()
	if s.key, err = plonktest.Key(s.system); err != nil {
		return nil, err
	}
	s.setUp = time.Since(start)
	var reals [][]float64
	for _, in := range inputfile.InputsOf(g) {
		reals = append(reals, samples[0][in.Name].Data)
	}
	inputs, err := p.QuantizeInputs(reals, quantize.Refuse)
	s.assign = func() (witness.Witness, error) {
		a, err := c.Assign(inputs, fr.Element{})
		if err != nil {
			return nil, err
		}
		return a.Witness, nil
	}
	return s, err
}

// fixed makes a circuit of known shape.
func fixed(name string, make func() (*plonktest.Subject, error)) (*subject, error) {
	p, err := make()
	if err != nil {
		return nil, err
	}
	return &subject{
		name: name, system: p.System, key: p.Key,
		assign: func() (witness.Witness, error) { return p.Witness, nil },
	}, nil
}

// rows returns the circuit's constraints and public words.
func (s *subject) rows() int { return s.system.GetNbConstraints() + s.system.GetNbPublicVariables() }
