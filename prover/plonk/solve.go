package plonk

import (
	"context"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	frontend "github.com/consensys/gnark/frontend/cs"
)

// solve computes the wires' values, and with them the BSB22 commitments.
//
// A circuit asks for a commitment with a hint whose output is the challenge. The
// solver calls [proof.commit] for it, so that the commitment is made while the
// circuit is solved: what comes after it may depend on the challenge.
func (s *proof) solve(w witness.Witness, options []solver.Option) error {
	options = append(append([]solver.Option{}, options...),
		solver.OverrideHint(solver.GetHintID(frontend.Bsb22CommitmentComputePlaceholder), s.commit))
	solution, err := s.system.Solve(w, options...)
	if err != nil {
		if s.commitFailed != nil {
			return s.commitFailed
		}
		return fmt.Errorf("%w: %w", ErrUnsatisfied, err)
	}
	columns := solution.(*cs.SparseR1CSSolution)
	s.wires = [3]fr.Vector{columns.L, columns.R, columns.O}
	return nil
}

// commit is the hint that asks for a commitment: in is its number i and the committed
// values, out the challenge.
func (s *proof) commit(_ *big.Int, in, out []*big.Int) error {
	i := int(in[0].Int64())
	err := s.commitTo(i, in[1:])
	if err != nil {
		s.mu.Lock()
		s.commitFailed = err
		s.mu.Unlock()
		return err
	}
	s.hashed[i].BigInt(out[0])
	return nil
}

// commitTo makes the i-th commitment.
//
// The polynomial PI2ᵢ has these values at their rows, where Qcpᵢ is 1. The row of the
// commitment itself and the last row, where Qcpᵢ is 0, hold random values: opening the
// polynomial once then shows nothing of it.
func (s *proof) commitTo(i int, values []*big.Int) error {
	info := s.commitments[i]
	column := make([]fr.Element, s.n)
	for k := range values {
		column[s.nbPublic+info.Committed[k]].SetBigInt(values[k])
	}
	for _, row := range []int{s.nbPublic + info.CommitmentIndex, s.used - 1} {
		if _, err := column[row].SetRandom(); err != nil {
			return err
		}
	}
	v, err := s.upload(column)
	if err != nil {
		return err
	}
	sums, err := s.device.Commit(s.ctx, s.lagrange, v.Slice(0, s.used))
	if err != nil {
		return err
	}
	s.pi2[i] = v
	s.out.Bsb22Commitments[i] = sums[0]
	s.hashed[i] = hashCommitment(&sums[0])
	return nil
}

// commitLagrange commits to polynomials given by their values on the domain, of
// which those in the padding are all the same: the values of the rows that are used,
// and the padding's value times the padding's points.
func (p *Prover) commitLagrange(ctx context.Context, columns []Vector, padding []fr.Element) ([]bn254.G1Affine, error) {
	used := make([]Vector, len(columns))
	for i := range columns {
		used[i] = columns[i].Slice(0, p.used)
	}
	sums, err := p.device.Commit(ctx, p.lagrange, used...)
	if err != nil || p.used == p.n {
		return sums, err
	}
	for i := range sums {
		rest, err := combine([]bn254.G1Affine{p.padding}, padding[i:i+1])
		if err != nil {
			return nil, err
		}
		sums[i].Add(&sums[i], &rest)
	}
	return sums, nil
}
