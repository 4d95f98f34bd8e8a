package prover

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend"
	plonk "github.com/consensys/gnark/backend/plonk/bn254"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"

	"github.com/zkml-go/zkml/prover/srs"
)

// Prove solves the circuit for a witness and proves it. The key must be the
// circuit's ([*FileError] otherwise) and have its string attached (an error that
// matches [srs.ErrMissing] otherwise). The proof is statistically zero-knowledge:
// gnark then blinds the shares of the quotient too.
//
// A proof that doesn't verify is never returned: Prove checks it.
//
// ctx is looked at before and after the work; gnark's prover can't be interrupted.
func Prove(ctx context.Context, system constraint.ConstraintSystem, pk *ProvingKey, w witness.Witness, options ...solver.Option) (*Proof, error) {
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
	values, ok := w.Vector().(fr.Vector)
	if !ok || len(values) != spr.GetNbPublicVariables()+spr.GetNbSecretVariables() {
		return nil, errors.New("prove: the witness isn't the circuit's")
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	proved, err := plonk.Prove(spr, pk.plonk(), w,
		backend.WithStatisticalZeroKnowledge(), backend.WithSolverOptions(options...))
	if err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	var raw bytes.Buffer
	if _, err := proved.WriteRawTo(&raw); err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	proof := &Proof{
		ModelID: pk.vk.id,
		Words:   slices.Clone(values[:spr.GetNbPublicVariables()]),
		Raw:     raw.Bytes(),
	}
	if proof.Values, err = DecodeWords(pk.vk.Manifest(), proof.Words); err != nil {
		return nil, fmt.Errorf("prove: %w", err)
	}
	if err := verifyRaw(pk.vk, proof); err != nil {
		return nil, fmt.Errorf("prove: %w",
			fileErrorf(provingKeyFile, "the proof doesn't verify: the key isn't the circuit's, or the reference string is damaged (%v)", err))
	}
	return proof, nil
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
