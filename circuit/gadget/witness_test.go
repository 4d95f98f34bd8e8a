package gadget

import (
	"crypto/sha256"
	"math/big"
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

// witnesses returns the values of the results for every choice of hinted values that
// satisfies all rows and queries. It solves the rows for one unknown after another
// and, where none follows, tries the candidates for the hinted wire with fewest; so a
// value that the rows determine needn't be a candidate. The quotients may stay
// unknown where no row depends on them.
func (p *prover) witnesses(candidates []fr.Element, results []Expr, inputs ...fr.Element) [][]fr.Element {
	clear(p.solved)
	copy(p.values, inputs)
	for i := range p.inputs {
		p.solved[i] = true
	}
	wires := p.hinted()
	choices := make(map[Wire][]fr.Element)
	for _, w := range wires {
		choices[w] = p.allowed(w, candidates)
	}
	var found [][]fr.Element
	var search func()
	search = func() {
		known := append([]bool{}, p.solved...)
		defer copy(p.solved, known)
		if !p.propagate() {
			return
		}
		next, fewest := Wire(0), -1
		for _, w := range wires {
			if n := len(choices[w]); !p.solved[w] && (fewest < 0 || n < fewest) {
				next, fewest = w, n
			}
		}
		if fewest < 0 {
			if !p.settled() {
				panic("rows are left open by all hints")
			}
			if p.member() {
				row := make([]fr.Element, len(results))
				for k, r := range results {
					row[k] = p.value(r)
				}
				found = append(found, row)
			}
			return
		}
		p.solved[next] = true
		for _, c := range choices[next] {
			p.values[next] = c
			search()
		}
	}
	search()
	return found
}

// unknowns returns a row's unknown wires that it depends on, with their coefficients
// and its value without them; linear is false if it has a product of unknowns.
func (p *prover) unknowns(s *step) (wires []Wire, coefficients []fr.Element, rest fr.Element, linear bool) {
	a, b, c := Wire(s.row.XA), Wire(s.row.XB), Wire(s.row.XC)
	if !p.solved[a] && !p.solved[b] && !s.coef[2].IsZero() {
		return nil, nil, rest, false
	}
	var product fr.Element
	add := func(w Wire, k fr.Element) {
		if p.solved[w] {
			rest.Add(&rest, product.Mul(&k, &p.values[w]))
			return
		}
		for i := range wires {
			if wires[i] == w {
				coefficients[i].Add(&coefficients[i], &k)
				return
			}
		}
		wires, coefficients = append(wires, w), append(coefficients, k)
	}
	ka, kb := s.coef[0], s.coef[1]
	if p.solved[b] {
		ka.Add(&ka, product.Mul(&s.coef[2], &p.values[b]))
	} else {
		kb.Add(&kb, product.Mul(&s.coef[2], &p.values[a]))
	}
	rest = s.coef[4]
	add(a, ka)
	add(b, kb)
	add(c, s.coef[3])
	kept := 0
	for i := range wires {
		if !coefficients[i].IsZero() {
			wires[kept], coefficients[kept] = wires[i], coefficients[i]
			kept++
		}
	}
	return wires[:kept], coefficients[:kept], rest, true
}

// propagate sets what rows with one unknown say, and reports whether no row fails.
func (p *prover) propagate() bool {
	for changed := true; changed; {
		changed = false
		for i := range p.steps {
			s := &p.steps[i]
			if s.call != nil || s.row.Commitment != constraint.NOT {
				continue
			}
			wires, coefficients, rest, linear := p.unknowns(s)
			switch {
			case !linear || len(wires) > 1:
			case len(wires) == 0 && !rest.IsZero():
				return false
			case len(wires) == 1:
				w := wires[0]
				p.values[w].Div(&rest, &coefficients[0])
				p.values[w].Neg(&p.values[w])
				p.solved[w] = true
				changed = true
				if !p.passes(w) {
					return false
				}
			}
		}
	}
	return true
}

// settled reports whether every row holds whatever the unknown wires are.
func (p *prover) settled() bool {
	for i := range p.steps {
		if s := &p.steps[i]; s.call == nil && s.row.Commitment == constraint.NOT {
			if wires, _, rest, linear := p.unknowns(s); !linear || len(wires) > 0 || !rest.IsZero() {
				return false
			}
		}
	}
	return true
}

// passes reports whether the one-column queries of a wire accept its value.
func (p *prover) passes(w Wire) bool {
	for _, t := range p.b.tables {
		for _, q := range t.queries {
			if t.results == nil && q.x.Wire == w && !t.holds(p.value(q.x), fr.Element{}) {
				return false
			}
		}
	}
	return true
}

// allowed drops the candidates that a query of the wire alone rejects. Of a wire that
// nothing queries, it keeps the integers and halves.
func (p *prover) allowed(w Wire, candidates []fr.Element) []fr.Element {
	queried := false
	for _, t := range p.b.tables {
		for _, q := range t.queries {
			queried = queried || t.results == nil && q.x.Wire == w
		}
	}
	var kept []fr.Element
	for _, c := range candidates {
		p.values[w] = c
		twice := c
		twice.Double(&c)
		if _, integer := signed(twice); p.passes(w) && (queried || integer) {
			kept = append(kept, c)
		}
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
