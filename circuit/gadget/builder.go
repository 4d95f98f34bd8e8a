// Package gadget builds the constraints that prove integer tensor arithmetic in
// PLONK over BN254.
//
// A [Builder] writes rows straight into gnark's constraint system. One row is one
// equation over three wires a, b, c,
//
//	ql·a + qr·b + qm·a·b + qo·c + qk = 0,
//
// and rows are what a proof costs. Multiples and constant offsets are free: an
// [Expr] k·w + c carries them until a row uses it.
//
// # What binds a hint
//
// A hint's outputs are the prover's choice. Each gadget's comment states the
// equation it proves, the ranges it needs, and what must be committed before the
// challenge; the rows it writes make the outputs the only ones possible.
//
// # One commitment, one challenge
//
// Everything that a random challenge checks — lookups, range checks, Freivalds'
// matrix products — is collected while the circuit is written and committed once,
// at the end ([Builder.Finish]), by gnark's BSB22 commitment. The challenge c is a
// hash of that commitment, so whatever was not committed before could be chosen
// after it: see [Builder.Commit] and [Builder.Bound]. Independent further
// challenges are in-circuit hashes of (tag, c), see [Builder.Challenge]; powers of
// c are not independent of c.
//
// # Proven ranges
//
// A wire that a gadget has confined to an interval is recorded as proven
// ([Builder.Prove]). Lane packing sizes its lanes by what is proven, never by what
// is expected: otherwise two digit vectors would give one sum.
package gadget

import (
	"context"
	"fmt"
	"hash/fnv"
	"sort"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
)

// Wire is a variable of the constraint system: public words first, then secret
// inputs, then internal ones.
type Wire uint32

// Interval is a range of integers, both ends included.
type Interval struct{ Lo, Hi int64 }

// Proven is what the rows written say of a wire w, whatever a dishonest prover
// does: 2^Frac·w is an integer, and Lo − 1 < w < Hi + 1. Frac is 0 where w itself is
// proven to be an integer, which then lies in [Lo, Hi]. It is positive where
// w = 2^s·q + r with a remainder r that was checked by the scaled query 2^Frac·r
// alone: r can be as much as 2^s − 2^-Frac, and w as far beyond an end.
type Proven struct {
	Interval
	Frac int
}

// Phase says when a deferred function runs; see Builder.Defer.
type Phase int

// The phases of Builder.Finish, in order.
const (
	// Decide runs when every consumer of every value has been written: it may
	// still write rows, range checks and commitments.
	Decide Phase = iota
	// Tally closes the lookup tables: it writes multiplicities and commits them.
	Tally
	// Check runs when the challenge is known.
	Check
	numPhases
)

// Region names what rows are written for: an ONNX node and a gadget.
type Region struct{ Node, Gadget string }

// Builder writes rows. Public words come first, then secret inputs, then
// everything else. A Builder made by NewDry counts rows and writes none.
type Builder struct {
	sys       *cs.SparseR1CS // nil in a dry run
	gate      constraint.BlueprintID
	wires     int // in a dry run, the number of wires so far
	rows      int
	region    Region
	rowsBy    map[Region]int
	regions   []Region // in order of first use
	runs      []run    // which region each row belongs to
	widths    []int    // of range tables, ascending
	proven    map[Wire]Proven
	bound     []bool            // by wire; wires beyond aren't
	reach     map[Wire]Interval // of results of linear maps
	committed []int             // rows that carry the COMMITTED flag
	inputs    []Expr
	deferred  [numPhases][]deferredFunc
	phase     Phase
	challenge Expr
	derived   map[string]Expr
	powers    map[int]Expr // of the challenge
	terms     uint64
	overrides []solver.Option
	hintNames map[solver.HintID]string // of HintFunc
	hints     int                      // batches hinted by integers
	ranges    map[int]*Table           // by width
	lookups   map[string]*Table        // by content
	tables    []*Table                 // all of them
	pending   int                      // half rows that open tables take at least
	most      int                      // rows, beyond which it is too large
	steps     int                      // calls of limit
	err       error
	ended     func() error // see Bounded
}

// run says that rows from first on, up to the next run, belong to a region.
type run struct {
	first  int
	region Region
}

type deferredFunc struct {
	region Region
	f      func() error
}

// New returns a Builder whose range-check tables have the given widths in bits,
// each 1 … 20, ascending. capacity is a guess of the number of rows.
func New(capacity int, widths ...int) *Builder {
	b := NewDry(widths...)
	b.sys = cs.NewSparseR1CS(capacity)
	b.gate = b.sys.AddBlueprint(&constraint.BlueprintGenericSparseR1C[constraint.U64]{})
	return b
}

// NewDry returns a Builder that only counts: the same calls give the same number
// of rows as on one from New, in a fraction of the time. It is the cost model. What
// checks a range table is counted for the table alone, not for those who query it.
func NewDry(widths ...int) *Builder {
	return &Builder{
		widths:    widths,
		most:      MaxRows,
		rowsBy:    make(map[Region]int),
		proven:    make(map[Wire]Proven),
		reach:     make(map[Wire]Interval),
		derived:   make(map[string]Expr),
		powers:    make(map[int]Expr),
		hintNames: make(map[solver.HintID]string),
		ranges:    make(map[int]*Table),
		lookups:   make(map[string]*Table),
	}
}

// System returns the constraint system, or nil for a dry run. It is complete after
// Finish.
func (b *Builder) System() *cs.SparseR1CS { return b.sys }

// SolverOptions returns the options that a solver of the system needs: the hint
// functions that close over this circuit's data.
func (b *Builder) SolverOptions() []solver.Option { return b.overrides }

// Rows returns the number of rows written so far, without the one that gnark adds
// for each public word.
func (b *Builder) Rows() int { return b.rows }

// RowsBy returns the regions in order of first use and the rows of each.
func (b *Builder) RowsBy() ([]Region, map[Region]int) { return b.regions, b.rowsBy }

// RegionOf returns the region that a row was written for.
func (b *Builder) RegionOf(row int) Region {
	i := sort.Search(len(b.runs), func(i int) bool { return b.runs[i].first > row })
	if i == 0 {
		return Region{}
	}
	return b.runs[i-1].region
}

// At sets the region that following rows are written for.
func (b *Builder) At(node, gadget string) { b.region = Region{node, gadget} }

// Region returns the current region.
func (b *Builder) Region() Region { return b.region }

// Public adds a public word.
func (b *Builder) Public(name string) Expr {
	if b.sys == nil {
		return exprOf(b.internal())
	}
	return exprOf(Wire(b.sys.AddPublicVariable(name)))
}

// Secret adds a secret input. All public words must have been added.
func (b *Builder) Secret(name string) Expr {
	if b.sys == nil {
		return exprOf(b.internal())
	}
	return exprOf(Wire(b.sys.AddSecretVariable(name)))
}

func (b *Builder) internal() Wire {
	if b.sys == nil {
		b.wires++
		return Wire(b.wires - 1)
	}
	return Wire(b.sys.AddInternalVariable())
}

// MaxRows is the largest number of rows that a circuit may have. The prover takes
// about 1.8 kB for each, 30 GB for as many.
const MaxRows = 1 << 24

// ErrTooLarge says that a circuit has more than MaxRows rows.
var ErrTooLarge = fmt.Errorf("the circuit has more than %d rows", MaxRows)

// Err returns the first error so far. Nothing is written after it.
func (b *Builder) Err() error { return b.err }

// Limit makes a circuit of more rows than these too large, if they are fewer than
// MaxRows.
func (b *Builder) Limit(rows int) { b.most = min(rows, MaxRows) }

// limit fails when the rows written, and those that tables which aren't closed yet
// take at least, are too many. Within Bounded it ends the work then, and when the
// context has ended.
func (b *Builder) limit() {
	least := b.rows
	if b.phase == Decide {
		least += b.pending / 2
	}
	if least > b.most {
		b.fail(ErrTooLarge)
		if b.ended != nil {
			panic(stopped{b.err})
		}
	}
	b.steps++
	if b.ended != nil && b.steps&(1<<14-1) == 0 {
		if err := b.ended(); err != nil {
			panic(stopped{err})
		}
	}
}

// stopped is how limit leaves the gadget that was writing.
type stopped struct{ err error }

// Bounded runs f, which writes rows with the builder, and ends it in the middle when
// there are too many of them, with ErrTooLarge, or when the context has ended, with its
// error. A gadget may write millions of rows at a time. Afterwards the builder is of no
// use if f was ended.
func (b *Builder) Bounded(ctx context.Context, f func() error) (err error) {
	b.ended = ctx.Err
	defer func() {
		b.ended = nil
		switch r := recover().(type) {
		case nil:
		case stopped:
			err = r.err
		default:
			panic(r)
		}
	}()
	return f()
}

// count adds rows to the region.
func (b *Builder) count(rows int) {
	if n := len(b.runs); n == 0 || b.runs[n-1].region != b.region {
		b.runs = append(b.runs, run{b.rows, b.region})
		if _, seen := b.rowsBy[b.region]; !seen {
			b.regions = append(b.regions, b.region)
		}
	}
	b.rowsBy[b.region] += rows
	b.rows += rows
	b.limit()
}

// row writes ql·xa + qr·xb + qm·xa·xb + qo·xc + qk = 0 and returns its index.
func (b *Builder) row(xa, xb, xc Wire, ql, qr, qm, qo, qk fr.Element, flag constraint.CommitmentConstraint) int {
	b.count(1)
	if b.sys == nil || b.err != nil {
		return b.rows - 1
	}
	return b.sys.AddSparseR1C(constraint.SparseR1C{
		XA: uint32(xa), XB: uint32(xb), XC: uint32(xc),
		QL: b.coeff(ql), QR: b.coeff(qr), QM: b.coeff(qm), QO: b.coeff(qo), QC: b.coeff(qk),
		Commitment: flag,
	}, b.gate)
}

func (b *Builder) coeff(e fr.Element) uint32 {
	var c constraint.U64
	copy(c[:], e[:])
	return b.sys.AddCoeff(c)
}

// Hint adds n wires whose values f computes from the inputs when the system is
// solved. They are the prover's choice until rows bind them. f must be registered
// with gnark's solver.RegisterHint.
func (b *Builder) Hint(f solver.Hint, n int, inputs ...Expr) []Expr {
	return b.hint(f, solver.GetHintID(f), n, inputs)
}

// HintFunc is Hint for a function that closes over this circuit's data. name
// identifies the call within the circuit; the solver needs SolverOptions.
func (b *Builder) HintFunc(name string, f solver.Hint, n int, inputs ...Expr) []Expr {
	h := fnv.New32a()
	h.Write([]byte("zkml:" + name))
	id := solver.HintID(h.Sum32())
	for b.hintNames[id] != "" {
		id++ // another name's
	}
	b.hintNames[id] = name
	b.overrides = append(b.overrides, solver.OverrideHint(id, f))
	return b.hint(f, id, n, inputs)
}

func (b *Builder) hint(f solver.Hint, id solver.HintID, n int, inputs []Expr) []Expr {
	out := make([]Expr, n)
	if n == 0 {
		return out
	}
	if b.sys == nil {
		for i := range out {
			out[i] = exprOf(b.internal())
		}
		return out
	}
	in := make([]constraint.LinearExpression, len(inputs))
	for i, x := range inputs {
		if !x.IsConst() {
			in[i] = append(in[i], constraint.Term{VID: uint32(x.Wire), CID: b.coeff(x.Coeff)})
		}
		if !x.Const.IsZero() || x.IsConst() {
			t := constraint.Term{CID: b.coeff(x.Const)}
			t.MarkConstant()
			in[i] = append(in[i], t)
		}
	}
	wires, err := b.sys.AddSolverHint(f, id, in, n)
	if err != nil {
		b.fail(err)
		return out
	}
	for i, w := range wires {
		out[i] = exprOf(Wire(w))
	}
	return out
}

// fail keeps the first error, which Finish returns.
func (b *Builder) fail(err error) {
	if b.err == nil {
		b.err = fmt.Errorf("%s (%s): %w", b.region.Node, b.region.Gadget, err)
	}
}

// Prove records what the rows written say of w. Of two such statements it keeps
// the one with the smaller Frac, or their intersection.
func (b *Builder) Prove(w Wire, p Proven) {
	if old, ok := b.proven[w]; ok {
		switch {
		case old.Frac < p.Frac:
			return
		case old.Frac == p.Frac:
			p.Interval = Interval{max(p.Lo, old.Lo), min(p.Hi, old.Hi)}
		}
	}
	b.proven[w] = p
}

// Proven returns what is proven of w.
func (b *Builder) Proven(w Wire) (Proven, bool) {
	p, ok := b.proven[w]
	return p, ok
}

// Defer registers a function for a later phase of Finish. Rows that it writes
// count for the current region.
func (b *Builder) Defer(p Phase, f func() error) {
	b.deferred[p] = append(b.deferred[p], deferredFunc{b.region, f})
}

// Soundness adds n to the number of terms, or degree, of challenge-checked
// identities: the soundness error of the circuit is at most their sum over the
// field's size.
func (b *Builder) Soundness(n int) { b.terms += uint64(n) }

// SoundnessTerms returns the sum that Soundness collected.
func (b *Builder) SoundnessTerms() uint64 { return b.terms }

// Finish runs the deferred functions of each phase, draws the challenge before
// the Check phase if any function waits for it, and returns the first error.
func (b *Builder) Finish() error {
	for b.phase = Decide; b.phase < numPhases && b.err == nil; b.phase++ {
		if b.phase == Check && len(b.deferred[Check]) > 0 {
			b.draw()
		}
		for i := 0; i < len(b.deferred[b.phase]) && b.err == nil; i++ {
			d := b.deferred[b.phase][i]
			b.region = d.region
			if err := d.f(); err != nil {
				b.fail(err)
			}
		}
	}
	return b.err
}
