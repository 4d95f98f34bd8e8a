package plonk

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	gnark "github.com/consensys/gnark/backend/plonk/bn254"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint/solver"
)

// Round is a step of a proof, for progress.
type Round int

// The steps of a proof, in order.
const (
	Solve Round = iota
	Wires
	Permutation
	Quotient
	Evaluations
	Openings
	NbRounds int = iota
)

// String returns the round's name.
func (r Round) String() string {
	return [...]string{"solve", "wires", "permutation", "quotient", "evaluations", "openings"}[r]
}

// ProofOptions are about one proof.
type ProofOptions struct {
	// Solver has options of gnark's solver, hints for example.
	Solver []solver.Option
	// Progress, if not nil, is called at the start of each round.
	Progress func(Round)
}

// ErrUnsatisfied is matched when the witness doesn't satisfy the circuit.
var ErrUnsatisfied = errors.New("witness doesn't satisfy the circuit")

// proof is a proof in the making. Its fields are named as in the protocol.
type proof struct {
	*Prover
	ctx        context.Context
	transcript transcript
	out        *gnark.Proof

	public []fr.Element
	// wires are the columns L, R, O in memory, until Z is made of them.
	wires [3]fr.Vector
	// pi2 are the committed polynomials, hashed the challenges they gave.
	mu           sync.Mutex // hints may run at the same time
	pi2          []Vector
	hashed       []fr.Element
	commitFailed error

	l, r, o, z *blinded
	// h is H in one vector of 3n+6; shares blinds its cuts.
	h      Vector
	shares [2]fr.Element

	beta, gamma, alpha, zeta fr.Element

	values  evaluations
	vectors []Vector       // all that the proof has allocated
	memory  [][]fr.Element // what was uploaded from
}

// Prove solves the circuit for a witness and proves it. The proof is blinded from
// crypto/rand, the quotient's shares included, so that it shows nothing of the
// witness but the public words (statistical zero knowledge).
//
// A witness that doesn't satisfy the circuit gives an error that matches
// [ErrUnsatisfied], and a proof that is returned verifies, if the key is the circuit's.
// ctx's error is returned within a second of its end; gnark's solver alone isn't
// interrupted. What the proof has kept of the witness is wiped before Prove returns,
// except for the solver's own buffers.
func (p *Prover) Prove(ctx context.Context, w witness.Witness, o ProofOptions) (*gnark.Proof, error) {
	s, err := p.begin(ctx, w)
	if err != nil {
		return nil, err
	}
	defer s.wipe()
	for i, round := range s.rounds(w, o.Solver) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if o.Progress != nil {
			o.Progress(Round(i))
		}
		if Round(i) != Solve {
			collectGarbage() // what the round before has left would add to the peak
		}
		if err := round(); err != nil {
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			return nil, err
		}
	}
	return s.out, nil
}

// collectGarbage has the garbage collected if there is more of it than an eighth of what is in
// use: a collection takes a few milliseconds, and more the more is in use, by other circuits
// perhaps.
func collectGarbage() {
	heap := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	live, all := heap[0].Value.Uint64(), heap[1].Value.Uint64()
	if all > live+live/8 {
		runtime.GC()
	}
}

// begin returns a proof before its first round.
func (p *Prover) begin(ctx context.Context, w witness.Witness) (*proof, error) {
	values, ok := w.Vector().(fr.Vector)
	if !ok || len(values) != p.nbPublic+len(p.system.Secret) {
		return nil, fmt.Errorf("witness isn't of the circuit's %d words", p.nbPublic+len(p.system.Secret))
	}
	c := len(p.commitments)
	return &proof{
		Prover:     p,
		ctx:        ctx,
		transcript: newTranscript(),
		out:        &gnark.Proof{Bsb22Commitments: make([]bn254.G1Affine, c)},
		public:     values[:p.nbPublic],
		pi2:        make([]Vector, c),
		hashed:     make([]fr.Element, c),
	}, nil
}

// rounds are the steps of a proof, by [Round].
func (s *proof) rounds(w witness.Witness, options []solver.Option) []func() error {
	return []func() error{
		Solve:       func() error { return s.solve(w, options) },
		Wires:       s.commitWires,
		Permutation: s.commitPermutation,
		Quotient:    s.commitQuotient,
		Evaluations: s.evaluate,
		Openings:    s.open,
	}
}

// allocate returns a vector of n zeros that is freed with the proof.
func (s *proof) allocate(n int) (Vector, error) {
	v, err := s.device.Allocate(n)
	if err == nil {
		s.vectors = append(s.vectors, v)
	}
	return v, err
}

// upload returns a vector of these elements. It is freed, and they are wiped, with the
// proof.
func (s *proof) upload(elements []fr.Element) (Vector, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.memory = append(s.memory, elements)
	v, err := s.device.Upload(elements)
	if err == nil {
		s.vectors = append(s.vectors, v)
	}
	return v, err
}

// wipe zeroes and frees everything that could tell the witness.
func (s *proof) wipe() {
	for _, elements := range append(s.memory, s.wires[0], s.wires[1], s.wires[2]) {
		clear(elements)
	}
	for _, p := range []*blinded{s.l, s.r, s.o, s.z} {
		if p != nil {
			clear(p.b)
		}
	}
	clear(s.shares[:])
	s.device.Free(s.vectors...)
}
