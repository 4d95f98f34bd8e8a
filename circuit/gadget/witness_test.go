package gadget

import (
	"crypto/sha256"
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/constraint/solver"
	gnarkcs "github.com/consensys/gnark/frontend/cs"
)

// prover computes witnesses of the rows that a Builder has written, finished or
// not, and may lie in any hint. It stands in for gnark's solver, which stops at the
// first row that doesn't hold and draws its challenge at random: here the challenge
// is a hash of what is committed.
type prover struct {
	b      *Builder
	steps  []step
	values []fr.Element
	solved []bool
	inputs int
	// lies are values that replace what a hint would give, by wire.
	lies map[Wire]fr.Element
}

// step is a row or a hint call.
type step struct {
	call *call
	row  constraint.SparseR1C
	coef [5]fr.Element // ql qr qm qo qc
}

type call struct {
	id      solver.HintID
	f       solver.Hint
	in      []constraint.LinearExpression
	outputs []Wire
}

func newProver(t testing.TB, b *Builder) *prover {
	t.Helper()
	config, err := solver.NewConfig(b.SolverOptions()...)
	if err != nil {
		t.Fatal(err)
	}
	sys := b.System()
	p := &prover{b: b, lies: make(map[Wire]fr.Element)}
	internal, secret, public := sys.GetNbVariables()
	p.inputs = secret + public
	p.values = make([]fr.Element, internal+secret+public)
	p.solved = make([]bool, len(p.values))
	element := func(cid uint32) (e fr.Element) {
		c := sys.CoeffTable.Coefficients[cid]
		return fr.Element(c)
	}
	for _, packed := range sys.Instructions {
		inst := packed.Unpack(&sys.System)
		switch bp := sys.Blueprints[packed.BlueprintID].(type) {
		case *constraint.BlueprintGenericHint:
			var h constraint.HintMapping
			bp.DecompressHint(&h, inst)
			c := &call{id: h.HintID, f: config.HintFunctions[h.HintID], in: h.Inputs}
			for w := h.OutputRange.Start; w < h.OutputRange.End; w++ {
				c.outputs = append(c.outputs, Wire(w))
			}
			if h.HintID == solver.GetHintID(gnarkcs.Bsb22CommitmentComputePlaceholder) {
				c.f = fiatShamir
			}
			p.steps = append(p.steps, step{call: c})
		case *constraint.BlueprintGenericSparseR1C[constraint.U64]:
			var r constraint.SparseR1C
			bp.DecompressSparseR1C(&r, inst)
			p.steps = append(p.steps, step{row: r, coef: [5]fr.Element{element(r.QL), element(r.QR), element(r.QM), element(r.QO), element(r.QC)}})
		}
	}
	return p
}

func fiatShamir(_ *big.Int, in, out []*big.Int) error {
	h := sha256.New()
	for _, v := range in {
		var e fr.Element
		e.SetBigInt(v)
		bytes := e.Bytes()
		h.Write(bytes[:])
	}
	out[0].SetBytes(h.Sum(nil))
	return nil
}

// run computes the witness from public and secret inputs and reports whether every
// row holds. A row with a free wire sets it; where its coefficient is zero, to zero.
func (p *prover) run(inputs ...fr.Element) bool {
	clear(p.solved)
	copy(p.values, inputs)
	for i := range p.inputs {
		p.solved[i] = true
	}
	for i := range p.steps {
		if s := &p.steps[i]; s.call != nil {
			p.hint(s.call)
		} else if !p.row(s) {
			return false
		}
	}
	return true
}

func (p *prover) hint(c *call) {
	lies := 0
	for _, w := range c.outputs {
		if lie, ok := p.lies[w]; ok {
			p.values[w], p.solved[w] = lie, true
			lies++
		}
	}
	if lies == len(c.outputs) {
		return
	}
	in, out := make([]*big.Int, len(c.in)), make([]*big.Int, len(c.outputs))
	for i, terms := range c.in {
		var v fr.Element
		for _, t := range terms {
			k := fr.Element(p.b.sys.CoeffTable.Coefficients[t.CoeffID()])
			if !t.IsConstant() {
				k.Mul(&k, &p.values[t.WireID()])
			}
			v.Add(&v, &k)
		}
		in[i] = v.BigInt(new(big.Int))
	}
	for i := range out {
		out[i] = new(big.Int)
	}
	if c.f(fr.Modulus(), in, out) != nil {
		clear(out)
	}
	for i, w := range c.outputs {
		if !p.solved[w] && out[i] != nil {
			p.values[w].SetBigInt(out[i])
		}
		p.solved[w] = true
	}
}

func (p *prover) row(s *step) bool {
	r := s.row
	if r.Commitment != constraint.NOT {
		return true
	}
	free := -1
	for _, w := range []uint32{r.XA, r.XB, r.XC} {
		if !p.solved[w] {
			if free >= 0 && w != uint32(free) {
				panic("two free wires in a row")
			}
			free = int(w)
		}
	}
	if free < 0 {
		e := p.evaluate(s)
		return e.IsZero()
	}
	// linear in the free wire: its value at 0 and at 1
	p.solved[free] = true
	p.values[free].SetZero()
	at0 := p.evaluate(s)
	p.values[free].SetOne()
	slope := p.evaluate(s)
	slope.Sub(&slope, &at0)
	p.values[free].Div(&at0, &slope)
	p.values[free].Neg(&p.values[free])
	return !slope.IsZero() || at0.IsZero()
}

func (p *prover) evaluate(s *step) fr.Element {
	a, b, c := p.values[s.row.XA], p.values[s.row.XB], p.values[s.row.XC]
	var e, t fr.Element
	e.Mul(&a, &b).Mul(&e, &s.coef[2])
	e.Add(&e, t.Mul(&a, &s.coef[0]))
	e.Add(&e, t.Mul(&b, &s.coef[1]))
	e.Add(&e, t.Mul(&c, &s.coef[3]))
	e.Add(&e, &s.coef[4])
	return e
}

// value returns an expression's value in the last run.
func (p *prover) value(x Expr) fr.Element {
	v := x.Const
	if !x.IsConst() {
		t := x.Coeff
		t.Mul(&t, &p.values[x.Wire])
		v.Add(&v, &t)
	}
	return v
}

// member reports whether the last run's queries are all in their tables: what the
// logarithmic derivative sums prove, without them.
func (p *prover) member() bool {
	for _, t := range p.b.tables {
		for _, q := range t.queries {
			if !t.holds(p.value(q.x), p.value(q.y)) {
				return false
			}
		}
	}
	return true
}

func (t *Table) holds(x, y fr.Element) bool {
	v, ok := signed(x)
	if !ok || !t.has(v) {
		return false
	}
	want := Int(0)
	if t.results != nil {
		want = Int(t.results[v-t.min])
	}
	return y.Equal(&want)
}

// hinted returns the wires whose values the prover may choose, but for those that
// are the solver's quotients (see ratioHint), which other values determine.
func (p *prover) hinted() []Wire {
	var wires []Wire
	for _, s := range p.steps {
		if s.call != nil && s.call.id != solver.GetHintID(ratioHint) && s.call.id != solver.GetHintID(gnarkcs.Bsb22CommitmentComputePlaceholder) {
			wires = append(wires, s.call.outputs...)
		}
	}
	return wires
}

// witnesses tries every choice of hinted values among the candidates and returns
// the values of the results for each choice that satisfies all rows and queries.
func (p *prover) witnesses(candidates []fr.Element, results []Expr, inputs ...fr.Element) [][]fr.Element {
	wires := p.hinted()
	choices := make([][]fr.Element, len(wires))
	for i, w := range wires {
		choices[i] = p.allowed(w, candidates)
	}
	var found [][]fr.Element
	var try func(i int)
	try = func(i int) {
		if i == len(wires) {
			if p.run(inputs...) && p.member() {
				row := make([]fr.Element, len(results))
				for k, r := range results {
					row[k] = p.value(r)
				}
				found = append(found, row)
			}
			return
		}
		for _, c := range choices[i] {
			p.lies[wires[i]] = c
			try(i + 1)
		}
	}
	try(0)
	clear(p.lies)
	return found
}

// allowed drops the candidates that a query of the wire alone rejects. Of a wire that
// nothing queries, it keeps the integers and halves.
func (p *prover) allowed(w Wire, candidates []fr.Element) []fr.Element {
	var kept []fr.Element
	queried := false
next:
	for _, c := range candidates {
		p.values[w] = c
		for _, t := range p.b.tables {
			for _, q := range t.queries {
				if t.results == nil && q.x.Wire == w {
					queried = true
					if !t.holds(p.value(q.x), fr.Element{}) {
						continue next
					}
				}
			}
		}
		kept = append(kept, c)
	}
	if !queried {
		return slices.DeleteFunc(kept, func(e fr.Element) bool {
			_, ok := signed(*e.Double(&e))
			return !ok
		})
	}
	return kept
}

// candidates are the integers of magnitude up to n, multiples of 2^-k up to that,
// and some values far from both.
func candidates(n int64, k uint) []fr.Element {
	var list []fr.Element
	scale := Int(1 << k)
	scale.Inverse(&scale)
	for v := -n << k; v <= n<<k; v++ {
		e := Int(v)
		list = append(list, *e.Mul(&e, &scale))
	}
	third := Int(3)
	third.Inverse(&third)
	far := Pow2(200)
	return append(list, third, far)
}
