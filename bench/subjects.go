package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	gnark "github.com/consensys/gnark/backend/plonk/bn254"
	"github.com/consensys/gnark/backend/witness"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/internal/plonktest"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// mainModel is the model that promises are about, batchModel the one proven in batches.
const (
	mainModel  = "lenet5"
	batchModel = "breast_cancer"
)

// subject is a circuit with its key and how to make a witness.
type subject struct {
	name                 string
	system               *cs.SparseR1CS
	key                  *gnark.ProvingKey
	assign               func() (witness.Witness, error)
	solver               []solver.Option
	compile, str, setUp  time.Duration
	model                *zkml.Model // nil for a circuit of known shape
	calibration, heldOut []zkml.Inputs
	inferences           int
}

// rows returns the circuit's constraints and public words.
func (s *subject) rows() int { return s.system.GetNbConstraints() + s.system.GetNbPublicVariables() }

// network is a model, its files, and inputs that its calibration hasn't seen.
type network struct {
	name       string
	onnx       string
	samples    string // calibration samples, or the same file as the input
	input      string
	test       string // .npz of held-out samples, "" if there is but the input
	inputScale float64
}

// maker names a subject and makes it.
type maker struct {
	name    string
	most    int      // pairs of proofs to make at most
	network *network // nil for a circuit of known shape
	batch   int      // inferences in one proof, 0 for a model as it is
	target  quantize.Target
	fixed   func() (*plonktest.Subject, error)
}

// subjects are the circuits that are measured: the models of testdata, circuits of known
// shape, batches, and EZKL's networks if they are there.
func subjects(o *options) ([]maker, error) {
	networks, err := networksOf(o.testdata)
	if err != nil {
		return nil, err
	}
	var all []maker
	for i := range networks {
		m := maker{name: networks[i].name, most: o.runs, network: &networks[i]}
		if m.name == mainModel {
			all = append([]maker{m}, all...)
		} else {
			all = append(all, m)
		}
	}
	all = append(all,
		maker{name: "range checks", most: o.runs, fixed: func() (*plonktest.Subject, error) { return plonktest.RangeChecks(26000) }},
		maker{name: "chain", most: o.runs, fixed: func() (*plonktest.Subject, error) { return plonktest.Chain(17) }})
	for i := range networks {
		if networks[i].name == batchModel {
			for _, n := range []int{16, 64} {
				all = append(all, maker{name: fmt.Sprintf("%s ×%d", batchModel, n), most: o.runs, network: &networks[i], batch: n})
			}
		}
	}
	for _, name := range []string{"lenet_5", "large_mlp", "nanoGPT"} {
		folder := filepath.Join(o.conformance, name)
		if _, err := os.Stat(folder); err != nil {
			continue
		}
		input := filepath.Join(folder, "input.json")
		all = append(all, maker{name: "ezkl/" + name, most: min(o.runs, 3), network: &network{
			name: "ezkl/" + name, onnx: filepath.Join(folder, "network.onnx"), samples: input, input: input}})
	}
	return all, nil
}

// networksOf lists the models of testdata.
func networksOf(folder string) ([]network, error) {
	text, err := os.ReadFile(filepath.Join(folder, "models.json"))
	if err != nil {
		return nil, err
	}
	var models []struct {
		Name    string `json:"name"`
		Test    string `json:"test"`
		Samples string `json:"samples"`
		Scale   string `json:"input_scale"`
	}
	if err := json.Unmarshal(text, &models); err != nil {
		return nil, err
	}
	var all []network
	for _, m := range models {
		scale, ok := new(big.Rat).SetString(m.Scale)
		if !ok {
			return nil, fmt.Errorf("%s: input scale %q", m.Name, m.Scale)
		}
		n := network{
			name: m.Name, onnx: filepath.Join(folder, m.Name, "model.onnx"), input: filepath.Join(folder, m.Name, "input.json"),
			samples: filepath.Join(folder, m.Samples), test: filepath.Join(folder, m.Test),
		}
		n.inputScale, _ = scale.Float64()
		all = append(all, n)
	}
	return all, nil
}

// heldOut returns up to n sets of inputs that calibration doesn't see; of a model that
// comes with one input, that one.
func (n *network) heldOut(net *zkml.Network, count int) ([]zkml.Inputs, error) {
	if n.test == "" {
		in, err := net.ReadInputs(n.input)
		return []zkml.Inputs{in}, err
	}
	arrays, err := inputfile.ReadArrays(n.test)
	if err != nil {
		return nil, err
	}
	x, port := arrays["input"], inputfile.InputsOf(net.Graph)[0]
	size := port.Shape.Size()
	var sets []zkml.Inputs
	for i := range min(count, x.Shape[0]) {
		row := &graph.Tensor{Shape: append(tensor.Shape(nil), port.Shape...), Data: make([]float64, size)}
		for j := range row.Data {
			row.Data[j] = x.Data[i*size+j] * n.inputScale
		}
		sets = append(sets, zkml.Inputs{port.Name: row})
	}
	return sets, nil
}

// calibration returns the samples to calibrate on.
func (n *network) calibration(net *zkml.Network) ([]zkml.Inputs, error) {
	if n.samples == n.input {
		in, err := net.ReadInputs(n.input)
		return []zkml.Inputs{in}, err
	}
	return net.ReadSamples(n.samples)
}

// make makes the subject. The error is an *onnx.UnsupportedError for a model with
// operators outside of the supported set.
func (m *maker) make(ctx context.Context) (*subject, error) {
	if m.fixed != nil {
		p, err := m.fixed()
		if err != nil {
			return nil, err
		}
		return &subject{
			name: m.name, system: p.System, key: p.Key,
			assign: func() (witness.Witness, error) { return p.Witness, nil },
		}, nil
	}
	start := time.Now()
	net, err := zkml.Load(m.network.onnx, zkml.LoadOptions{})
	if err != nil {
		return nil, err
	}
	samples, err := m.network.calibration(net)
	if err != nil {
		return nil, err
	}
	model, err := zkml.Compile(ctx, net, zkml.Options{Samples: samples, Batch: m.batch, Target: m.target})
	if err != nil {
		return nil, err
	}
	s := &subject{
		name: m.name, model: model, system: model.Circuit.System, solver: model.Circuit.SolverOptions(),
		compile: time.Since(start), inferences: max(1, m.batch), calibration: samples,
	}
	start = time.Now()
	str, err := srs.Development(model.DomainLog())
	if err != nil {
		return nil, err
	}
	s.str, start = time.Since(start), time.Now()
	if s.key, _, err = gnark.Setup(s.system, str.Canonical(), str.InLagrangeForm()); err != nil {
		return nil, err
	}
	s.setUp = time.Since(start)
	if s.heldOut, err = m.network.heldOut(net, max(accuracyInputs, m.batch)); err != nil {
		return nil, err
	}
	inputs := s.heldOut[0]
	if m.batch > 0 {
		if inputs, err = model.Batch(s.heldOut[:m.batch]); err != nil {
			return nil, err
		}
	}
	s.assign = func() (witness.Witness, error) {
		a, err := model.Assign(inputs, zkml.ProveOptions{})
		if err != nil {
			return nil, err
		}
		return a.Witness, nil
	}
	return s, nil
}

// notSupported says which nodes keep a model from being compiled, nil for other errors.
func notSupported(name string, err error) *unsupported {
	var nodes *onnx.UnsupportedError
	if !errors.As(err, &nodes) {
		return nil
	}
	u := &unsupported{Name: name}
	for _, n := range nodes.Nodes {
		u.Nodes = append(u.Nodes, fmt.Sprintf("%s %q: %s", n.OpType, n.Name, n.Reason))
	}
	return u
}
