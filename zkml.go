// Package zkml proves what a machine-learning model answered.
//
// It reads a trained model from an ONNX file, turns it into exact integer
// arithmetic, compiles that to a PLONK circuit over BN254, and makes proofs that
// anyone checks: in Go with [Verify], or in the Solidity contract that package
// verifier/solidity generates.
//
// Most users need two functions: [Prove], where the inputs are, and [Verify], where
// the answer is relied on. What comes before them happens once for each model:
//
//	network, err := zkml.Load("model.onnx", zkml.LoadOptions{})
//	samples, err := network.ReadSamples("samples.json")
//	model, err := zkml.Compile(ctx, network, zkml.Options{Samples: samples})
//	pk, vk, err := zkml.Setup(model, srs)
//
// and then, for each question put to the model,
//
//	proof, err := zkml.Prove(ctx, model, pk, inputs, zkml.ProveOptions{})
//	verdict, err := zkml.Verify(vk, proof, zkml.Expectation{})
//
// # Ideas to hold
//
// A [Network] is the model as it was trained: real numbers, a static shape for every
// tensor. A [Model] is what is proven: an integer program whose tensors carry
// intervals that can't be left, and the circuit for it. Compiling looks at sample
// inputs, chooses how many bits each tensor gets, and measures what that costs in
// accuracy; [Model.Report] says so. The integer program is exact: the same inputs
// give the same integers on every machine, and the proof is about those.
//
// With [Options.DatasetSize] a model runs on that many labelled samples, and a proof says
// how many of its answers are right. With [Options.Batch] a proof is about that many
// inferences, whose answers it says one after the other.
//
// A structured reference string (package prover/srs) is what keys are made with. One
// from a public ceremony serves every model of its size. The development string's
// secret is published; a key made with it proves nothing to anyone, and [Verify]
// refuses it unless told otherwise.
//
// A proof is about public words: a context that the verifier chooses and that keeps
// the proof from being used a second time elsewhere, then the inputs and outputs that
// the model shows, or salted digests of them. A verifying key's model id names the
// model; whoever relies on a proof must know the id, or have made the key, and must
// look at the words that [Verify] returns, or state in the [Expectation] what they have
// to be.
//
// # What can go wrong
//
// Errors have types where a caller acts on them: those of package onnx for a file
// that isn't a model or has operators outside the supported set, a
// *quantize.UnsupportedError for a node that has no integer form, a
// *quantize.RangeError for an input outside its declared interval, and those of
// package prover — ErrRejected, ErrMismatch, ErrSRS — for proofs, files and strings.
//
// # Compatibility
//
// Model ids, public words, verifying keys, proofs and settings have format version 1
// and stay readable. A model file (model.zkml) is read by the version that wrote it;
// another version may refuse it, and then the ONNX file and the settings give it
// again. The Go API may still change before v1.0.0.
package zkml

import (
	"context"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
)

// Setup makes the keys of a model. The string must be for a domain of
// 2^[Model.DomainLog] points. The same arguments give the same keys on every machine.
func Setup(m *Model, s *srs.SRS) (*prover.ProvingKey, *prover.VerifyingKey, error) {
	return prover.Setup(m.Circuit.System, m.Circuit.Manifest, s)
}

// ProveOptions say how one inference, or one batch of them, is proven.
type ProveOptions struct {
	// Context is the first public word. It binds the proof to one use; zero if
	// unused.
	Context Context
	// Clamp moves an input that lies outside its declared interval to the nearest
	// end, instead of refusing it.
	Clamp bool
	// Secrets, if given, has salts for hashed inputs and weights, such as those of
	// [Commit]. Those that it lacks are drawn and stored in it, and so are the outputs
	// that the proof doesn't show. Outputs always get new salts, which replace those of
	// an earlier proof in it: two digests of one output under one salt would say whether
	// two answers are equal. Without Secrets the salts are forgotten, and nobody can say
	// what a digest is of.
	Secrets *Secrets
	// Salts are taken as they are, before those of Secrets and for outputs too: whoever
	// gives one wants equal values to have equal digests.
	Salts circuit.Salts
	// Progress, if set, is told what is being done.
	Progress func(step string)
}

// ProverOptions say where a [Prover] works and how much it keeps; see
// [prover.ProverOptions].
type ProverOptions = prover.ProverOptions

// Prover proves a model's answers one after another, or several at a time. It keeps
// what all of its proofs need, so that the first one costs the most.
type Prover struct {
	model *Model
	proof *prover.Prover
}

// NewProver returns a prover of a model. The key must be the model's and have its
// structured reference string attached.
func NewProver(m *Model, pk *prover.ProvingKey, o ProverOptions) (*Prover, error) {
	if err := pk.VerifyingKey().CheckModel(m.Circuit.Manifest); err != nil {
		return nil, err
	}
	p, err := prover.NewProver(m.Circuit.System, pk, o)
	if err != nil {
		return nil, err
	}
	return &Prover{model: m, proof: p}, nil
}

// Close frees what the prover keeps.
func (p *Prover) Close() { p.proof.Close() }

// Prove proves the model's answer to one set of inputs, given by name, or its answers to
// the sets that [Model.Batch] lays behind one another. An input outside
// its declared interval is a *quantize.RangeError.
func (p *Prover) Prove(ctx context.Context, inputs Inputs, o ProveOptions) (*prover.Proof, error) {
	assignment, err := p.model.Assign(inputs, o)
	if err != nil {
		return nil, err
	}
	proof, err := p.proof.Prove(ctx, assignment.Witness, prover.ProofOptions{
		Solver:   p.model.Circuit.SolverOptions(),
		Progress: o.Progress,
	})
	if err != nil {
		return nil, err
	}
	p.model.keep(o.Secrets, assignment)
	return proof, nil
}

// Prove makes one proof with a [Prover] of its own.
func Prove(ctx context.Context, m *Model, pk *prover.ProvingKey, inputs Inputs, o ProveOptions) (*prover.Proof, error) {
	p, err := NewProver(m, pk, ProverOptions{})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return p.Prove(ctx, inputs, o)
}

// Expectation is what a verifier knows beforehand; see [prover.Expectation].
type Expectation = prover.Expectation

// Verify checks a proof against a key that the verifier trusts and returns what the
// proof says. It is [prover.Verify].
func Verify(vk *prover.VerifyingKey, proof *prover.Proof, expect Expectation) (*prover.Verdict, error) {
	return prover.Verify(vk, proof, expect)
}
