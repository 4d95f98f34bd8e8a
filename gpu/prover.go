package gpu

import (
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

	"github.com/zkml-go/zkml/prover/plonk"
)

// Prover proves one circuit on a card, one proof at a time, the others wait; and on the CPU
// what the card fails at. Proofs may be asked for at the same time.
type Prover struct {
	system *cs.SparseR1CS
	key    *gnark.ProvingKey
	o      Options

	mu      sync.Mutex
	card    *plonk.Prover // nil before the first proof, when the card has failed, or has no room for it
	release func() error  // frees the card's bases
	cpu     *plonk.Prover // nil before it is needed
}

// Options are about a [Prover].
type Options struct {
	// Card makes the proofs; nil is the CPU.
	Card *Card
	// LowMemory is that of [plonk.Options].
	LowMemory bool
	// Report, if not nil, is told of each failure of the card: of those that the CPU stands in
	// for, and of memory that [Prover.Close] couldn't free.
	Report func(error)
}

// NewProver returns a prover of a circuit with its key.
func NewProver(system *cs.SparseR1CS, key *gnark.ProvingKey, o Options) *Prover {
	return &Prover{system: system, key: key, o: o}
}

// Prove makes a proof as [plonk.Prover.Prove] does, and verifies it if it is the card's. Where
// the card fails or its proof doesn't verify, it proves again on the CPU. ctx ends the wait for
// the card, too.
func (p *Prover) Prove(ctx context.Context, w witness.Witness, o plonk.ProofOptions) (*gnark.Proof, error) {
	if p.o.Card != nil {
		proof, err := p.onCard(ctx, w, o)
		if err == nil || ctx.Err() != nil {
			return proof, err
		}
		// An unsatisfied circuit too: a card's mistake looks the same, and the CPU's solver
		// soon tells.
		if !errors.Is(err, plonk.ErrUnsatisfied) {
			p.report(fmt.Errorf("proving on the CPU: %w", err))
		}
	}
	prover, err := p.onCPU(ctx)
	if err != nil {
		return nil, err
	}
	return prover.Prove(ctx, w, o)
}

func (p *Prover) report(err error) {
	if p.o.Report != nil {
		p.o.Report(err)
	}
}

// onCard waits for the card and proves on it. Where memory is short, the circuits of other
// provers give way.
func (p *Prover) onCard(ctx context.Context, w witness.Witness, o plonk.ProofOptions) (*gnark.Proof, error) {
	release, ok := p.o.Card.acquire(ctx.Done())
	if !ok {
		return nil, ctx.Err()
	}
	defer release()
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		proof, err := p.try(ctx, w, o)
		if ctx.Err() != nil || !errors.Is(err, ErrMemory) || !p.o.Card.giveWay(p) {
			return proof, err
		}
	}
}

// try loads the circuit, unless the card has it, and proves once.
func (p *Prover) try(ctx context.Context, w witness.Witness, o plonk.ProofOptions) (*gnark.Proof, error) {
	if p.card == nil {
		if err := p.load(ctx); err != nil {
			return nil, err
		}
	}
	proof, err := p.verified(ctx, w, o)
	// A witness that couldn't be wiped is a failure, whatever became of the proof.
	if err = errors.Join(err, p.o.Card.takeLost()); err != nil {
		if errors.Is(err, ErrCard) || errors.Is(err, ErrMemory) {
			err = errors.Join(err, p.unload())
		}
		return nil, err
	}
	p.o.Card.used(p)
	return proof, nil
}

// load prepares the circuit on the card, if it has the memory.
func (p *Prover) load(ctx context.Context) error {
	commitments, _ := p.system.CommitmentInfo.(constraint.PlonkCommitments)
	if err := p.o.Card.fits(int(p.key.Vk.Size), len(commitments), p.o.LowMemory); err != nil {
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
	p.o.Card.forget(p)
	p.card.Close()
	p.card = nil
	return errors.Join(p.release(), p.o.Card.takeLost())
}

// leave unloads, and reports what it couldn't free.
func (p *Prover) leave() {
	if err := p.unload(); err != nil {
		p.report(fmt.Errorf("free the card's memory: %w", err))
	}
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

// verified proves on the card and verifies.
func (p *Prover) verified(ctx context.Context, w witness.Witness, o plonk.ProofOptions) (*gnark.Proof, error) {
	proof, err := p.card.Prove(ctx, w, o)
	if err != nil {
		return nil, err
	}
	public := w.Vector().(fr.Vector)[:len(p.system.Public)]
	if err := gnark.Verify(proof, p.key.Vk, public); err != nil {
		return nil, fmt.Errorf("%w: its proof doesn't verify: %w", ErrCard, err)
	}
	return proof, nil
}

// Close frees what the prover keeps. There must be no proof of it in the making.
func (p *Prover) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leave()
	if p.cpu != nil {
		p.cpu.Close()
		p.cpu = nil
	}
}

// residents are the provers whose circuits are on a card, the one last used behind.
type residents struct {
	mu  sync.Mutex
	all []*Prover
}

// used says that a prover has proven on the card.
func (r *residents) used(p *Prover) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(slices.DeleteFunc(r.all, func(q *Prover) bool { return q == p }), p)
}

// forget says that a prover's circuit leaves the card.
func (r *residents) forget(p *Prover) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = slices.DeleteFunc(r.all, func(q *Prover) bool { return q == p })
}

// giveWay takes the circuit off the card that wasn't used for the longest time, another than
// p's, and reports whether there was one. Only who holds the card's queue may call it: then
// no proof is on the card, and no two provers wait for each other.
func (r *residents) giveWay(p *Prover) bool {
	r.mu.Lock()
	i := slices.IndexFunc(r.all, func(q *Prover) bool { return q != p })
	var q *Prover
	if i >= 0 {
		q = r.all[i]
	}
	r.mu.Unlock()
	if q == nil {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.leave()
	return true
}
