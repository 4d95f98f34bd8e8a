package audit

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/constraint/solver"
	gnarkcs "github.com/consensys/gnark/frontend/cs"

	"github.com/zkml-go/zkml/circuit/gadget"
)

// System is what is audited: a constraint system and what its author says of it.
type System struct {
	Name string
	CS   *cs.SparseR1CS
	// Options are what a solver needs.
	Options []solver.Option
	// Region names what a row was written for.
	Region func(row int) gadget.Region
	// HintName returns the name of a hint function of this circuit, or "".
	HintName func(solver.HintID) string
	// Lookups are the queries of all lookup tables.
	Lookups []gadget.Lookup
	// Tensors are the values that the circuit is about: no exemption covers them.
	Tensors []Tensor
	// Inputs are the secret inputs, in order.
	Inputs []Input
	// Results are the first and one past the last public word that depends on the
	// computation: a change of it is a forged result, not another statement.
	Results [2]int
}

// Tensor is the expressions of one tensor's elements.
type Tensor struct {
	Name  string
	Exprs []gadget.Expr
}

// Input is a run of secret inputs whose values a prover supplies. Other values within
// [Lo, Hi] are another statement if it is Hidden, and a forgery if it is not: then the
// public words say which they are. Given inputs are never changed before the challenge:
// something outside the system fixes them. Fixed inputs aren't after it either: the
// system doesn't claim that its rows bind them to what is committed.
type Input struct {
	Name   string
	First  int // the first one's number among the secret inputs
	Count  int
	Lo, Hi int64
	Hidden bool
	Given  bool
	Fixed  bool
}

// row is one equation ql·a + qr·b + qm·ab + qo·c + qk = 0. A slot without a wire in
// use has none, so that wire 0 isn't mistaken for its neighbour.
type row struct {
	wires [3]uint32
	coef  [5]uint32 // of ql, qr, qm, qo, qk in the coefficient table
}

const none = ^uint32(0)

const (
	committed  = constraint.COMMITTED
	commitment = constraint.COMMITMENT
)

// call is one hint call.
type call struct {
	id      solver.HintID
	name    string
	f       solver.Hint
	in      []constraint.LinearExpression
	first   uint32 // the first output's wire
	outputs uint32
	table   int // whose multiplicities it gives, or -1
	input   int // which Input it stands for, or -1
	ratio   bool
}

// step is one instruction: a row, or a hint call.
type step struct {
	call  bool
	index int32
}

// model is a compact copy of a System.
type model struct {
	sys       *System
	coef      []fr.Element
	zero      []bool // by coefficient
	rows      []row
	flag      []constraint.CommitmentConstraint
	steps     []step
	rowStep   []int32 // by row
	callStep  []int32
	calls     []call
	draw      int32 // the step that draws the challenge; len(steps) if none does
	wires     int
	public    int
	inputs    int     // public words and secret inputs
	def       []int32 // by wire: the row that defines it, or -1
	from      []int32 // by wire: the call that gives it, or -1
	committed []bool
	tensor    []bool // by wire
	uses      [][]int32
	reads     [][]int32 // by wire: calls that read it
	queries   [][]int32 // by wire: lookups of it
	counts    map[int]int32
	closed    []bool // determined by what is committed
	open      []bool // its value can be chosen when the challenge is known
	late      []*ordering
	dropped   func(row int) bool
}

// newModel copies a system. Rows for which drop says so are left out, and so is what
// they commit: it is how the audit's own power is measured, and nothing but the copy
// changes.
func newModel(s *System, drop func(row int) bool) (*model, error) {
	m := &model{sys: s, dropped: drop}
	if drop == nil {
		m.dropped = func(int) bool { return false }
	}
	config, err := solver.NewConfig(s.Options...)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	internal, secret, public := s.CS.GetNbVariables()
	m.public, m.inputs, m.wires = public, public+secret, internal+secret+public
	m.coef = s.CS.CoeffTable.Coefficients
	m.zero = make([]bool, len(m.coef))
	for i := range m.coef {
		m.zero[i] = m.coef[i].IsZero()
	}
	m.committed = make([]bool, m.wires)
	m.tensor = make([]bool, m.wires)
	m.counts = make(map[int]int32)
	m.draw = int32(len(s.CS.Instructions))
	for i := range s.Inputs {
		in := &s.Inputs[i]
		m.calls = append(m.calls, call{name: "input", first: uint32(public + in.First), outputs: uint32(in.Count), table: -1, input: i})
		m.callStep = append(m.callStep, -1)
	}
	for i, packed := range s.CS.Instructions {
		inst := packed.Unpack(&s.CS.System)
		switch bp := s.CS.Blueprints[packed.BlueprintID].(type) {
		case *constraint.BlueprintGenericHint:
			m.addCall(bp, inst, config.HintFunctions, int32(i))
		case constraint.BlueprintSparseR1C:
			if err := m.addRow(bp, inst, int32(i)); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("audit: instruction %d is a %T, which the audit can't read", i, bp)
		}
	}
	for _, t := range s.Tensors {
		for _, x := range t.Exprs {
			if !x.IsConst() {
				m.tensor[x.Wire] = true
			}
		}
	}
	m.index()
	m.define()
	m.close()
	m.reach()
	m.late = m.orders(rand.New(rand.NewPCG(1, 2)))
	return m, nil
}

func (m *model) addCall(bp *constraint.BlueprintGenericHint, inst constraint.Instruction, functions map[solver.HintID]solver.Hint, step32 int32) {
	var h constraint.HintMapping
	bp.DecompressHint(&h, inst)
	c := call{
		id: h.HintID, f: functions[h.HintID], in: h.Inputs, name: m.sys.HintName(h.HintID),
		first: h.OutputRange.Start, outputs: h.OutputRange.End - h.OutputRange.Start,
		table: -1, input: -1, ratio: gadget.IsQuotient(h.HintID),
	}
	if h.HintID == solver.GetHintID(gnarkcs.Bsb22CommitmentComputePlaceholder) {
		c.name, c.f = "challenge", standIn
		m.draw = step32
	}
	for _, q := range m.sys.Lookups {
		if c.name == gadget.CountName(q.Table) {
			c.table = q.Table
			m.counts[q.Table] = int32(len(m.calls))
			break
		}
	}
	m.steps = append(m.steps, step{true, int32(len(m.calls))})
	m.callStep = append(m.callStep, step32)
	m.calls = append(m.calls, c)
}

func (m *model) addRow(bp constraint.BlueprintSparseR1C, inst constraint.Instruction, step32 int32) error {
	var c constraint.SparseR1C
	bp.DecompressSparseR1C(&c, inst)
	n := len(m.rows)
	r := row{wires: [3]uint32{none, none, none}, coef: [5]uint32{c.QL, c.QR, c.QM, c.QO, c.QC}}
	product := !m.zero[c.QM]
	if product || !m.zero[c.QL] {
		r.wires[0] = c.XA
	}
	if product || !m.zero[c.QR] {
		r.wires[1] = c.XB
	}
	if !m.zero[c.QO] {
		r.wires[2] = c.XC
	}
	if c.Commitment == constraint.COMMITTED && !m.dropped(n) {
		// -x + PI2 = 0 binds x; of other expressions the audit knows nothing
		if r.wires[0] == none || r.wires[1] != none || r.wires[2] != none || !m.zero[c.QC] {
			return fmt.Errorf("audit: row %d commits to an expression of several wires, which the audit can't read", n)
		}
		m.committed[r.wires[0]] = true
	}
	m.steps = append(m.steps, step{false, int32(n)})
	m.rowStep = append(m.rowStep, step32)
	m.rows = append(m.rows, r)
	m.flag = append(m.flag, c.Commitment)
	return nil
}

// equation reports whether a row is one that the witness has to satisfy by itself.
func (m *model) equation(r int32) bool {
	return m.flag[r] == constraint.NOT && !m.dropped(int(r))
}

// index builds the lists by wire.
func (m *model) index() {
	m.uses = make([][]int32, m.wires)
	m.reads = make([][]int32, m.wires)
	m.queries = make([][]int32, m.wires)
	m.from = make([]int32, m.wires)
	for i := range m.from {
		m.from[i] = -1
	}
	for i := range m.rows {
		if !m.equation(int32(i)) {
			continue
		}
		w := m.rows[i].wires
		for k, x := range w {
			if x != none && (k < 1 || x != w[0]) && (k < 2 || x != w[1]) {
				m.uses[x] = append(m.uses[x], int32(i))
			}
		}
	}
	for i := range m.calls {
		c := &m.calls[i]
		for w := c.first; w < c.first+c.outputs; w++ {
			m.from[w] = int32(i)
		}
		if c.name == "challenge" || c.table >= 0 {
			continue
		}
		for _, x := range c.in {
			for _, t := range x {
				if !t.IsConstant() {
					list := m.reads[t.WireID()]
					if len(list) == 0 || list[len(list)-1] != int32(i) {
						m.reads[t.WireID()] = append(list, int32(i))
					}
				}
			}
		}
	}
	for i, q := range m.sys.Lookups {
		m.queries[q.X.Wire] = append(m.queries[q.X.Wire], int32(i))
		if q.Results != nil && !q.Y.IsConst() && q.Y.Wire != q.X.Wire {
			m.queries[q.Y.Wire] = append(m.queries[q.Y.Wire], int32(i))
		}
	}
}

// define finds, as gnark's solver does, the row that gives each wire its value: the
// first in which all others are known. A public result is given by the row that binds
// it. What the rows before the challenge use and don't give is given by nothing: that a
// row after the challenge would give it is no excuse, for then it is chosen there.
func (m *model) define() {
	m.def = make([]int32, m.wires)
	known := make([]bool, m.wires)
	for w := range m.def {
		m.def[w] = -1
		known[w] = w < m.inputs && (w < m.sys.Results[0] || w >= m.sys.Results[1])
	}
	m.definePart(known, m.steps[:m.drawn()])
	for w := range known {
		known[w] = known[w] || m.committed[w] || slices.ContainsFunc(m.uses[w], func(r int32) bool { return m.rowStep[r] < m.draw })
	}
	m.definePart(known, m.steps[m.drawn():])
}

// drawn is the number of steps before the challenge is known.
func (m *model) drawn() int { return min(int(m.draw)+1, len(m.steps)) }

// definePart is define for some of the steps.
func (m *model) definePart(known []bool, steps []step) {
	for again := true; again; {
		again = false
		for _, s := range steps {
			if s.call {
				c := &m.calls[s.index]
				for w := c.first; w < c.first+c.outputs; w++ {
					known[w] = true
				}
				continue
			}
			if !m.equation(s.index) {
				continue
			}
			unknown, count := none, 0
			for _, w := range m.rows[s.index].wires {
				if w != none && !known[w] && w != unknown {
					unknown = w
					count++
				}
			}
			if count == 1 {
				known[unknown], again = true, true
				m.def[unknown] = s.index
			}
		}
	}
}

// close finds the wires that the committed ones determine: a row of known wires but one
// determines that one, unless it is a factor of a product, whose other factor may be 0.
func (m *model) close() {
	m.closed = make([]bool, m.wires)
	copy(m.closed, m.committed)
	for i := range m.sys.Inputs {
		if in := &m.sys.Inputs[i]; in.Fixed {
			for k := range in.Count {
				m.closed[m.public+in.First+k] = true
			}
		}
	}
	var queue []int32
	missing := func(r int32) (uint32, int) {
		unknown, count := none, 0
		for _, w := range m.rows[r].wires {
			if w != none && !m.closed[w] && w != unknown {
				unknown = w
				count++
			}
		}
		return unknown, count
	}
	for i := range m.rows {
		queue = append(queue, int32(i))
	}
	for len(queue) > 0 {
		r := queue[0]
		queue = queue[1:]
		if !m.equation(r) || m.rowStep[r] > m.draw {
			continue
		}
		if w, n := missing(r); n == 1 && !m.factor(r, w) {
			m.closed[w] = true
			queue = append(queue, m.uses[w]...)
		}
	}
}

// reach finds what can be chosen when the challenge is known: what isn't determined by
// committed wires, and what is computed after the challenge from such a wire.
func (m *model) reach() {
	m.open = make([]bool, m.wires)
	late := func(w uint32) bool { return m.def[w] >= 0 && m.rowStep[m.def[w]] > m.draw }
	for w := range m.open {
		c := m.from[w]
		m.open[w] = !m.committed[w] && !m.closed[w] && !late(uint32(w)) && (c < 0 || m.calls[c].name != "challenge")
	}
	for again := true; again; {
		again = false
		for _, s := range m.steps[min(int(m.draw), len(m.steps)):] {
			if s.call || !m.equation(s.index) {
				continue
			}
			w := m.defined(s.index)
			if w == none || m.open[w] || !late(w) {
				continue
			}
			for _, x := range m.rows[s.index].wires {
				if x != none && x != w && m.open[x] {
					m.open[w], again = true, true
				}
			}
		}
	}
}

// factor reports whether a wire is a factor of a row's product.
func (m *model) factor(r int32, w uint32) bool {
	x := &m.rows[r]
	return !m.zero[x.coef[2]] && (x.wires[0] == w || x.wires[1] == w)
}

// squared reports whether a row has a wire in both factors, so that it has two roots.
func (m *model) squared(r int32, w uint32) bool {
	x := &m.rows[r]
	return x.wires[0] == w && x.wires[1] == w && !m.zero[x.coef[2]]
}
