package gpu

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	gnark "github.com/consensys/gnark/backend/plonk/bn254"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/zkml-go/zkml/prover/plonk"
)

// Prover proves one circuit on a card, one proof at a time, the others wait; and on the CPU
// what the card fails at. Proofs may be asked for at the same time.
type Prover struct {
	system *cs.SparseR1CS
	key    *gnark.ProvingKey
	o      Options

	mu      sync.Mutex
	card    *plonk.Prover // nil before the first proof, and when the card has failed
	release func() error  // frees the card's bases
	cpu     *plonk.Prover // nil before it is needed
}

// Options are about a [Prover].
type Options struct {
	// Card makes the proofs; nil is the CPU.
	Card *Card
	// LowMemory is that of [plonk.Options].
	LowMemory bool
	// Fallback, if not nil, is told of each failure that the CPU stands in for.
	Fallback func(error)
}

// NewProver returns a prover of a circuit with its key.
func NewProver(system *cs.SparseR1CS, key *gnark.ProvingKey, o Options) *Prover {
	return &Prover{system: system, key: key, o: o}
}

// Prove makes a proof as [plonk.Prover.Prove] does, and verifies it. Where the card fails or
// its proof doesn't verify, it proves again on the CPU. ctx ends the wait for the card, too.
func (p *Prover) Prove(ctx context.Context, w witness.Witness, o plonk.ProofOptions) (*gnark.Proof, error) {
	if p.o.Card != nil {
		proof, err := p.onCard(ctx, w, o)
		if err == nil || ctx.Err() != nil {
			return proof, err
		}
		// An unsatisfied circuit too: a card's mistake looks the same, and the CPU's solver
		// soon tells.
		if p.o.Fallback != nil && !errors.Is(err, plonk.ErrUnsatisfied) {
			p.o.Fallback(err)
		}
	}
	prover, err := p.onCPU(ctx)
	if err != nil {
		return nil, err
	}
	return p.verified(prover, ctx, w, o)
}

// onCard waits for the card and proves on it.
func (p *Prover) onCard(ctx context.Context, w witness.Witness, o plonk.ProofOptions) (*gnark.Proof, error) {
	release, ok := p.o.Card.acquire(ctx.Done())
	if !ok {
		return nil, ctx.Err()
	}
	defer release()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.card == nil {
		if err := p.load(ctx); err != nil {
			return nil, err
		}
	}
	proof, err := p.verified(p.card, ctx, w, o)
	// A witness that couldn't be wiped is a failure, whatever became of the proof.
	if err = errors.Join(err, p.o.Card.takeLost()); err != nil {
		if errors.Is(err, ErrCard) {
			err = errors.Join(err, p.unload())
		}
		return nil, err
	}
	return proof, nil
}

// load prepares the circuit on the card, if it has the memory.
func (p *Prover) load(ctx context.Context) error {
	commitments, _ := p.system.CommitmentInfo.(constraint.PlonkCommitments)
	if err := p.o.Card.Fits(int(p.key.Vk.Size), len(commitments), p.o.LowMemory); err != nil {
		return err
	}
	device, release := p.o.Card.session()
	prover, err := plonk.New(ctx, p.system, p.key, plonk.Options{Device: device, LowMemory: p.o.LowMemory})
	if err != nil {
		return errors.Join(err, release())
	}
	p.card, p.release = prover, release
	return nil
}

// unload frees what the card keeps.
func (p *Prover) unload() error {
	if p.card == nil {
		return nil
	}
	p.card.Close()
	p.card = nil
	return errors.Join(p.release(), p.o.Card.takeLost())
}

// onCPU returns the prover on the CPU.
func (p *Prover) onCPU(ctx context.Context) (_ *plonk.Prover, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cpu == nil {
		p.cpu, err = plonk.New(ctx, p.system, p.key, plonk.Options{LowMemory: p.o.LowMemory})
	}
	return p.cpu, err
}

// verified proves and verifies.
func (p *Prover) verified(prover *plonk.Prover, ctx context.Context, w witness.Witness, o plonk.ProofOptions) (*gnark.Proof, error) {
	proof, err := prover.Prove(ctx, w, o)
	if err != nil {
		return nil, err
	}
	public := w.Vector().(fr.Vector)[:len(p.system.Public)]
	if err := gnark.Verify(proof, p.key.Vk, public); err != nil {
		return nil, fmt.Errorf("%w: its proof doesn't verify: %w", ErrCard, err)
	}
	return proof, nil
}

// Close frees what the prover keeps. There must be no proof in the making. Its error is the
// card's.
func (p *Prover) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.unload()
	if p.cpu != nil {
		p.cpu.Close()
		p.cpu = nil
	}
	return err
}
