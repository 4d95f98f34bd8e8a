package attacks

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend"
	plonk "github.com/consensys/gnark/backend/plonk/bn254"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	gnarkcs "github.com/consensys/gnark/frontend/cs"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/circuit/gadget"
	"github.com/zkml-go/zkml/prover"
)

// forger is a dishonest prover. It is gnark's, with a solver that believes everything:
// hints may lie, wires may be given any value, and a row that doesn't hold is passed over.
// What comes out is a proof of the false witness like any other, which holds exactly if
// the rows of the key do.
type forger struct {
	c      *circuit.Circuit
	rows   []constraint.SparseR1C // as the circuit has them, whatever was weakened since
	wires  map[gadget.Wire]fr.Element
	lie    *lie
	config solver.Config
	draw   int // the row of the challenge, or -1
	s      constraint.Solver[constraint.U64]
	beta   *fr.Element // what the forger takes for the challenge while it has none
}

// lie is what a forger does otherwise than an honest prover.
type lie struct {
	// secrets changes the secret inputs: inputs and hidden weights as the program has
	// them, then salts.
	secrets func(v fr.Vector)
	// hints changes the outputs of the first call of each hint, by its name's beginning.
	hints map[string]func(in, out []*big.Int)
	// wires gives wires that rows define other values.
	wires func(c *circuit.Circuit) map[gadget.Wire]fr.Element
	// words changes the public words after those of the false outputs are written.
	words func(words []fr.Element)
	// late is run when the challenge is known, before the hint of this name.
	late string
	// choose gives the outputs of the late hint, all other wires that it needs known.
	choose func(f *forger, beta fr.Element, out []fr.Element)
}

// newForger takes a circuit of its own, which may have been weakened; rows are those
// that it had before.
func newForger(c *circuit.Circuit, rows []constraint.SparseR1C, l *lie) (*forger, error) {
	config, err := solver.NewConfig(c.SolverOptions()...)
	if err != nil {
		return nil, err
	}
	f := &forger{c: c, rows: rows, lie: l, config: config, draw: -1}
	if l.wires != nil {
		f.wires = l.wires(c)
	}
	for i, row := range rows {
		if row.Commitment == constraint.COMMITMENT {
			f.draw = i
		}
	}
	for i, b := range c.System.Blueprints {
		if _, ok := b.(*constraint.BlueprintGenericSparseR1C[constraint.U64]); ok {
			c.System.Blueprints[i] = &credulous{f: f}
		}
	}
	c.System.Levels = [][]uint32{make([]uint32, len(c.System.Instructions))}
	for i := range c.System.Instructions {
		c.System.Levels[0][i] = uint32(i)
	}
	return f, nil
}

// credulous is a row that gives a value to a wire that has none, and never complains.
type credulous struct {
	constraint.BlueprintGenericSparseR1C[constraint.U64]
	f *forger
}

// Solve implements constraint.BlueprintSolvable.
func (b *credulous) Solve(s constraint.Solver[constraint.U64], inst constraint.Instruction) error {
	var row constraint.SparseR1C
	b.DecompressSparseR1C(&row, inst)
	b.f.s = s
	b.f.define(&row)
	b.f.define(&b.f.rows[inst.ConstraintOffset])
	for _, w := range [...]uint32{row.XA, row.XB, row.XC} {
		if !s.IsSolved(w) {
			s.SetValue(w, constraint.U64{})
		}
	}
	return nil
}

// define gives the one wire of a row that has no value the one that makes it hold.
func (f *forger) define(row *constraint.SparseR1C) {
	if row.Commitment != constraint.NOT {
		return
	}
	var slope, rest, unknown = fr.Element{}, f.coefficient(row.QC), -1
	product := f.coefficient(row.QM)
	for _, term := range [...][2]uint32{{row.XA, row.QL}, {row.XB, row.QR}, {row.XC, row.QO}} {
		k := f.coefficient(term[1])
		switch {
		case f.s.IsSolved(term[0]):
			k.Mul(&k, f.valueOf(term[0]))
			rest.Add(&rest, &k)
		case !k.IsZero():
			if unknown >= 0 && unknown != int(term[0]) {
				return
			}
			unknown = int(term[0])
			slope.Add(&slope, &k)
		}
	}
	if !product.IsZero() {
		switch a, b := f.s.IsSolved(row.XA), f.s.IsSolved(row.XB); {
		case a && b:
			product.Mul(&product, f.valueOf(row.XA)).Mul(&product, f.valueOf(row.XB))
			rest.Add(&rest, &product)
		case a != b:
			known, other := row.XA, row.XB
			if b {
				known, other = row.XB, row.XA
			}
			if unknown >= 0 && unknown != int(other) {
				return
			}
			unknown = int(other)
			slope.Add(&slope, product.Mul(&product, f.valueOf(known)))
		default:
			return
		}
	}
	if unknown < 0 {
		return
	}
	v, given := f.wires[gadget.Wire(unknown)]
	if !given && !slope.IsZero() {
		v.Neg(v.Div(&rest, &slope))
	}
	f.s.SetValue(uint32(unknown), constraint.U64(asU64(v)))
}

func asU64(v fr.Element) (u constraint.U64) {
	copy(u[:], v[:])
	return u
}

func (f *forger) coefficient(id uint32) fr.Element { return f.c.System.Coefficients[id] }

// valueOf is the value of a wire while the system is solved.
func (f *forger) valueOf(w uint32) *fr.Element {
	u := f.s.GetValue(constraint.CoeffIdOne, w)
	v := new(fr.Element)
	copy(v[:], u[:])
	return v
}

// eval is the value of an expression while the system is solved.
func (f *forger) eval(x gadget.Expr) (v fr.Element) {
	v = x.Const
	if !x.IsConst() {
		t := x.Coeff
		v.Add(&v, t.Mul(&t, f.valueOf(uint32(x.Wire))))
	}
	return v
}

// hints are the options that make the forger's hints of the circuit's. Patched only
// leaves those whose outputs nothing checks but the rows as an honest prover has them.
func (f *forger) options(patchedOnly bool) []solver.Option {
	options := f.c.SolverOptions()
	options = append(options[:len(options):len(options)], solver.WithNbTasks(1))
	told := make(map[string]bool)
	for _, name := range f.names() {
		id := f.hintID(name)
		honest := f.config.HintFunctions[id]
		prefix, _, _ := strings.Cut(name, "#")
		patch := f.lie.hints[prefix]
		switch {
		case patch != nil && !told[prefix]:
			told[prefix] = true
			options = append(options, solver.OverrideHint(id, func(mod *big.Int, in, out []*big.Int) error {
				if err := honest(mod, in, out); err != nil {
					return err
				}
				patch(in, out)
				for _, v := range out {
					v.Mod(v, mod)
				}
				return nil
			}))
		case name == f.lie.late && !patchedOnly:
			options = append(options, solver.OverrideHint(id, func(mod *big.Int, in, out []*big.Int) error {
				if err := honest(mod, in, out); err != nil {
					return err
				}
				f.chooseLate(out)
				return nil
			}))
		case strings.HasPrefix(name, "count ") && !patchedOnly:
			options = append(options, solver.OverrideHint(id, func(_ *big.Int, _, out []*big.Int) error {
				f.count(name, out)
				return nil
			}))
		}
	}
	return options
}

// chooseLate gives a hint's outputs with the challenge in hand.
func (f *forger) chooseLate(out []*big.Int) {
	beta := *f.beta
	if w := f.rows[f.draw].XA; f.s.IsSolved(w) {
		beta = *f.valueOf(w)
	}
	chosen := make([]fr.Element, len(out))
	for i, v := range out {
		chosen[i].SetBigInt(v)
	}
	f.lie.choose(f, beta, chosen)
	for i := range out {
		chosen[i].BigInt(out[i])
	}
}

// count counts the queries of a table that are entries of it.
func (f *forger) count(name string, out []*big.Int) {
	for _, v := range out {
		v.SetUint64(0)
	}
	for _, q := range f.c.Lookups() {
		if name != gadget.CountName(q.Table) {
			continue
		}
		if j, ok := entry(&q, f.eval); ok {
			out[j].Add(out[j], big.NewInt(1))
		}
	}
}

// entry returns which entry of its table a query is, or false.
func entry(q *gadget.Lookup, eval func(gadget.Expr) fr.Element) (int, bool) {
	x, least := eval(q.X), gadget.Int(q.Min)
	x.Sub(&x, &least)
	if !x.IsUint64() || x.Uint64() >= uint64(q.Size) {
		return 0, false
	}
	j := int(x.Uint64())
	if q.Results != nil {
		y, want := eval(q.Y), gadget.Int(q.Results[j])
		return j, y.Equal(&want)
	}
	return j, true
}

// names lists the circuit's hints in the order of their calls.
func (f *forger) names() []string {
	var list []string
	var h constraint.HintMapping
	for _, packed := range f.c.System.Instructions {
		if b, ok := f.c.System.Blueprints[packed.BlueprintID].(*constraint.BlueprintGenericHint); ok {
			b.DecompressHint(&h, packed.Unpack(&f.c.System.System))
			if name := f.nameOf(h.HintID); name != "" && !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	return list
}

// nameOf is the name of a hint; all quotients have one.
func (f *forger) nameOf(id solver.HintID) string {
	if gadget.IsQuotient(id) {
		return "quotient"
	}
	return f.c.HintName(id)
}

func (f *forger) hintID(name string) solver.HintID {
	for id := range f.c.System.MHintsDependencies {
		if f.nameOf(id) == name {
			return id
		}
	}
	return 0
}

// commitment is gnark's hint of the challenge.
var commitment = solver.GetHintID(gnarkcs.Bsb22CommitmentComputePlaceholder)

// standIn is a challenge where nothing is proven.
func standIn(mod *big.Int, in, out []*big.Int) error {
	h := sha256.New()
	for _, v := range in {
		h.Write(v.FillBytes(make([]byte, 32)))
	}
	out[0].Mod(new(big.Int).SetBytes(h.Sum(nil)), mod)
	return nil
}

// solve returns the false values of all wires.
func (f *forger) solve(v fr.Vector) ([]fr.Element, error) {
	w, err := witnessOf(v, f.c.Manifest.NbWords())
	if err != nil {
		return nil, err
	}
	result, err := f.c.System.Solve(w, append(f.options(false), solver.OverrideHint(commitment, standIn))...)
	if err != nil {
		return nil, fmt.Errorf("the forger's solver: %w", err)
	}
	solution := result.(*cs.SparseR1CSSolution)
	internal, secret, public := f.c.System.GetNbVariables()
	values := make([]fr.Element, internal+secret+public)
	copy(values, v)
	for i, row := range f.c.System.GetSparseR1Cs() {
		values[row.XA], values[row.XB], values[row.XC] = solution.L[public+i], solution.R[public+i], solution.O[public+i]
	}
	return values, nil
}

// prove makes the proof of a false witness under a key.
func (f *forger) prove(b *build, v fr.Vector) (*prover.Proof, error) {
	nbWords := f.c.Manifest.NbWords()
	w, err := witnessOf(v, nbWords)
	if err != nil {
		return nil, err
	}
	key := &plonk.ProvingKey{Vk: b.vk.Plonk()}
	key.Kzg.G1, key.KzgLagrange.G1 = b.pk.SRS().Powers, b.pk.SRS().Lagrange
	proved, err := plonk.Prove(f.c.System, key, w, backend.WithStatisticalZeroKnowledge(), backend.WithSolverOptions(f.options(false)...))
	if err != nil {
		return nil, fmt.Errorf("the forger's prover: %w", err)
	}
	var raw bytes.Buffer
	if _, err := proved.WriteRawTo(&raw); err != nil {
		return nil, err
	}
	p := &prover.Proof{ModelID: b.vk.ModelID(), Words: v[:nbWords:nbWords], Raw: raw.Bytes()}
	if p.Values, err = prover.DecodeWords(b.vk.Manifest(), p.Words); err != nil {
		return nil, fmt.Errorf("what the forger states can't be read: %w", err)
	}
	return p, nil
}

// witnessOf makes gnark's witness of public words and secret inputs.
func witnessOf(v fr.Vector, words int) (witness.Witness, error) {
	w, err := witness.New(ecc.BN254.ScalarField())
	if err != nil {
		return nil, err
	}
	feed := make(chan any, len(v))
	for i := range v {
		feed <- v[i]
	}
	close(feed)
	return w, w.Fill(words, len(v)-words, feed)
}
