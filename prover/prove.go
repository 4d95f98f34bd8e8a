package prover

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	gnark "github.com/consensys/gnark/backend/plonk/bn254"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"

	"github.com/zkml-go/zkml/prover/plonk"
	"github.com/zkml-go/zkml/prover/srs"
)

// ProverOptions say where a [Prover] works and how much it keeps.
type ProverOptions struct {
	// Engine makes what proves a circuit with its key; nil makes a [plonk.Prover] on the CPU.
	Engine func(*cs.SparseR1CS, *gnark.ProvingKey) Engine
	// LowMemory has a nil Engine compute what could be kept from proof to proof anew in each.
	LowMemory bool
}

// Engine proves one circuit, several proofs at a time. Close frees what it keeps.
type Engine interface {
	Prove(context.Context, witness.Witness, plonk.ProofOptions) (*gnark.Proof, error)
	Close()
}

// ProofOptions are about one proof.
type ProofOptions struct {
	// Solver has options of gnark's solver; a compiled circuit has some of its own.
	Solver []solver.Option
	// Progress, if set, is told what is being done.
	Progress func(step string)
}

// Prover makes proofs of one circuit with one key. The first proof prepares what every
// proof of the circuit needs; the prover keeps it, so that the others cost less. It may
// make several at the same time.
type Prover struct {
	system  *cs.SparseR1CS
	pk      *ProvingKey
	options ProverOptions

	mu     sync.Mutex
	engine Engine // nil before the first proof
}

// NewProver returns a prover of a circuit. The key must be the circuit's ([*FileError]
// otherwise) and have its string attached (an error that matches [srs.ErrMissing]
// otherwise).
func NewProver(system constraint.ConstraintSystem, pk *ProvingKey, o ProverOptions) (*Prover, error) {
	if pk.srs == nil {
		return nil, fmt.Errorf("prove: %w: %s (%s)", srs.ErrMissing, pk.vk.SRSID(), pk.srsName)
	}
	spr, err := sparse(system)
	if err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	if err := pk.vk.checkCircuit(spr); err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	return &Prover{system: spr, pk: pk, options: o}, nil
}

// prepare returns what every proof needs.
func (p *Prover) prepare(ctx context.Context, progress func(string)) (Engine, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.engine != nil {
		return p.engine, nil
	}
	progress("proving: prepare")
	if p.options.Engine != nil {
		p.engine = p.options.Engine(p.system, p.pk.plonk())
		return p.engine, nil
	}
	made, err := plonk.New(ctx, p.system, p.pk.plonk(), plonk.Options{LowMemory: p.options.LowMemory})
	if err != nil {
		return nil, err
	}
	p.engine = made
	return made, nil
}

// Close frees what the prover keeps. There must be no proof in the making.
func (p *Prover) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.engine != nil {
		p.engine.Close()
		p.engine = nil
	}
}

// Prove solves the circuit for a witness and proves it, with statistical zero
// knowledge: the shares of the quotient are blinded too.
//
// A proof that doesn't verify is never returned: Prove checks it. It returns ctx's
// error within a second of its end, unless the solver is at work, which can't be
// interrupted.
func (p *Prover) Prove(ctx context.Context, w witness.Witness, o ProofOptions) (*Proof, error) {
	values, ok := w.Vector().(fr.Vector)
	if !ok || len(values) != p.system.GetNbPublicVariables()+p.system.GetNbSecretVariables() {
		return nil, errors.New("prove: the witness isn't the circuit's")
	}
	progress := o.Progress
	if progress == nil {
		progress = func(string) {}
	}
	prepared, err := p.prepare(ctx, progress)
	if err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	proved, err := prepared.Prove(ctx, w, plonk.ProofOptions{
		Solver:   o.Solver,
		Progress: func(r plonk.Round) { progress("proving: " + r.String()) },
	})
	if err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	var raw bytes.Buffer
	if _, err := proved.WriteRawTo(&raw); err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	proof := &Proof{
		ModelID: p.pk.vk.id,
		Words:   slices.Clone(values[:p.system.GetNbPublicVariables()]),
		Raw:     raw.Bytes(),
	}
	if proof.Values, err = DecodeWords(p.pk.vk.Manifest(), proof.Words); err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	if err := verifyRaw(p.pk.vk, proof); err != nil {
		return nil, fmt.Errorf("prove: %w",
			fileErrorf(provingKeyFile, "the proof doesn't verify: the key isn't the circuit's, or the reference string is damaged (%v)", err))
	}
	return proof, nil
}

// Prove makes one proof: [NewProver] and [Prover.Prove].
func Prove(ctx context.Context, system constraint.ConstraintSystem, pk *ProvingKey, w witness.Witness, options ...solver.Option) (*Proof, error) {
	p, err := NewProver(system, pk, ProverOptions{})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	return p.Prove(ctx, w, ProofOptions{Solver: options})
}

// checkCircuit returns a FileError if the key can't be this circuit's. It compares
// sizes and commitment rows; the selectors are compared by checking the proof.
func (vk *VerifyingKey) checkCircuit(spr *cs.SparseR1CS) error {
	if got, want := DomainLog(spr), vk.Log(); got != want {
		return fileErrorf(provingKeyFile, "the circuit has a domain of 2^%d points: the key's has 2^%d", got, want)
	}
	if got, want := spr.GetNbPublicVariables(), vk.fields.nbWords; got != want {
		return fileErrorf(provingKeyFile, "the circuit has %d public words: the key has %d", got, want)
	}
	rows := spr.CommitmentInfo.(constraint.PlonkCommitments).CommitmentIndexes()
	if len(rows) != len(vk.fields.rows) {
		return fileErrorf(provingKeyFile, "the circuit has %d commitments: the key has %d", len(rows), len(vk.fields.rows))
	}
	for i, row := range rows {
		if uint64(row) != vk.fields.rows[i] {
			return fileErrorf(provingKeyFile, "the circuit's commitment %d is at row %d: the key's at row %d", i, row, vk.fields.rows[i])
		}
	}
	return nil
}
