package audit

import (
	"container/heap"
	"math/big"
	"math/rand/v2"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit/gadget"
)

// policy is what a trial does with the hints whose inputs change.
type policy int

const (
	// rerun lets them follow: the rest of the prover is honest.
	rerun policy = iota
	// freeze keeps their honest values.
	freeze
	policies
	// late is rerun up to the challenge; what is left to choose then is solved for.
	late
)

// trial looks for a witness that differs from an honest one. It works on the rows that
// a change touches and on no others, in the order of the instructions; what a row can't
// satisfy by the wire that it defines, it tries to satisfy by another wire of the
// mutated call. It is one adversary's attempt.
type trial struct {
	m      *model
	honest []fr.Element
	values []fr.Element
	exact  bool // lookups are proven by their sums' rows alone
	strict bool // nothing is exempt

	policy policy
	target int32 // the mutated call, or -1
	start  int32 // its step

	chosen []uint32 // by wire: the epoch in which the adversary chose its value
	queued []uint32 // by step: the epoch in which it was put on the agenda
	epoch  uint32
	trail  []change
	agenda agenda
	drawn  bool // the challenge is known: what is committed stays
	late   bool // something was chosen after it
	reran  bool
	tries  int // repairs tried
	gaveUp bool
}

// change is an entry of the trail, to be undone.
type change struct {
	wire   uint32
	old    fr.Element
	chosen uint32
}

// agenda is a heap of steps, and of queries of tables with two columns, each at the
// step that gives the later of its values.
type agenda []item

type item struct {
	at    int32
	query int32 // or -1
}

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].query > a[j].query
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(item)) }
func (a *agenda) Pop() any {
	n := len(*a) - 1
	x := (*a)[n]
	*a = (*a)[:n]
	return x
}

// maxTries bounds the repairs of one trial; one that needs more is counted as
// inconclusive.
const maxTries = 5000

// lateTry is how many more a repair counts for once the challenge is known: what follows
// it there are the long sums of tables and identities.
const lateTry = 10

// maxSteps bounds the steps of one trial likewise.
const maxSteps = 8 << 20

func newTrial(m *model, honest []fr.Element, o Options) *trial {
	return &trial{
		m: m, honest: honest, values: append([]fr.Element(nil), honest...), exact: o.Exact, strict: o.Strict,
		chosen: make([]uint32, m.wires), queued: make([]uint32, len(m.steps)),
	}
}

// run makes a change and reports whether some completion satisfies every row.
func (t *trial) run(j job, p policy) bool {
	t.epoch++
	t.trail, t.agenda = t.trail[:0], t.agenda[:0]
	t.drawn, t.late, t.reran, t.gaveUp, t.tries = false, false, false, false, 0
	t.policy, t.target, t.start = p, -1, -1
	if j.wire != none {
		t.target = t.m.from[j.wire]
	}
	if t.target >= 0 {
		t.start = t.m.callStep[t.target]
	}
	return t.change(j) && t.settle() && (p != late || t.finish(rand.New(rand.NewPCG(uint64(j.wire), uint64(j.input)))))
}

// change makes the change itself.
func (t *trial) change(j job) bool {
	switch {
	case j.wire == none:
		return true
	case j.input < 0:
		return t.set(j.wire, j.value, true)
	}
	c := &t.m.calls[t.target]
	for k, v := range t.m.hintOf(c, t.values, j.input, &j.value) {
		if w := c.first + uint32(k); !v.Equal(&t.values[w]) && !t.set(w, v, false) {
			return false
		}
	}
	return len(t.trail) > 0
}

// reset restores the honest values.
func (t *trial) reset() { t.undo(0) }

func (t *trial) undo(to int) {
	for len(t.trail) > to {
		c := t.trail[len(t.trail)-1]
		t.trail = t.trail[:len(t.trail)-1]
		t.values[c.wire], t.chosen[c.wire] = c.old, c.chosen
	}
}

// set gives a wire a value and puts what depends on it on the agenda. It reports false
// if that can't be: a committed wire after the challenge is drawn, a query that is in
// no table.
func (t *trial) set(w uint32, v fr.Element, choose bool) bool {
	m := t.m
	changed := !v.Equal(&t.values[w])
	if changed && t.drawn && m.committed[w] {
		return false
	}
	t.trail = append(t.trail, change{w, t.values[w], t.chosen[w]})
	if choose {
		t.chosen[w] = t.epoch
		if t.drawn && m.from[w] >= 0 {
			t.late = true
		}
	}
	if !changed {
		return true
	}
	t.values[w] = v
	for _, r := range m.uses[w] {
		t.push(m.rowStep[r])
	}
	for _, c := range m.reads[w] {
		t.push(m.callStep[c])
	}
	for _, i := range m.queries[w] {
		q := &m.sys.Lookups[i]
		if c, ok := m.counts[q.Table]; ok {
			t.push(m.callStep[c])
		}
		if !t.modelled(q) {
			continue
		}
		if q.Results != nil {
			heap.Push(&t.agenda, item{max(t.place(q.X), t.place(q.Y)), i})
		} else if _, ok := argument(q, t.values); !ok {
			return false
		}
	}
	return true
}

// modelled reports whether a query outside its table ends the trial without the sums'
// rows: they reject it whatever the multiplicities, where the query is fixed by what is
// committed.
func (t *trial) modelled(q *gadget.Lookup) bool {
	fixed := func(x gadget.Expr) bool { return x.IsConst() || t.m.closed[x.Wire] }
	return !t.exact && fixed(q.X) && (q.Results == nil || fixed(q.Y))
}

// place is the step that gives an expression its value.
func (t *trial) place(x gadget.Expr) int32 {
	switch m := t.m; {
	case x.IsConst():
		return -1
	case m.from[x.Wire] >= 0:
		return m.callStep[m.from[x.Wire]]
	case m.def[x.Wire] >= 0:
		return m.rowStep[m.def[x.Wire]]
	}
	return -1
}

func (t *trial) push(at int32) {
	if at >= 0 && t.queued[at] != t.epoch {
		t.queued[at] = t.epoch
		heap.Push(&t.agenda, item{at, -1})
	}
}

// settle works off the agenda. It reports whether every row holds at the end.
func (t *trial) settle() bool {
	for steps := 0; len(t.agenda) > 0; steps++ {
		if t.tries > maxTries || steps > maxSteps {
			t.gaveUp = true
			return false
		}
		next := heap.Pop(&t.agenda).(item)
		if next.at > t.m.draw {
			if t.policy == late {
				return true
			}
			t.drawn = true
		}
		if next.query >= 0 {
			if !t.pair(&t.m.sys.Lookups[next.query]) {
				return false
			}
			continue
		}
		t.queued[next.at] = 0
		if s := t.m.steps[next.at]; s.call {
			if !t.call(s.index) {
				return false
			}
		} else if t.m.equation(s.index) {
			done, ok := t.row(s.index)
			if done {
				return ok
			}
		}
	}
	return true
}

// row makes a row hold. done says that the trial is decided, with ok its outcome: the
// repairs of a row settle everything after it themselves.
func (t *trial) row(r int32) (done, ok bool) {
	sum := t.m.evaluate(r, t.values)
	if sum.IsZero() {
		return false, true
	}
	w := t.m.defined(r)
	if w != none && t.chosen[w] != t.epoch {
		if v, ok := t.m.wanted(r, w, &sum, t.values); ok {
			if !t.set(w, v, false) {
				return true, false
			}
			return false, true
		}
	}
	var list [3]uint32
	n := t.repairs(r, &list)
	for i, w := range list[:n] {
		v, possible := t.m.wanted(r, w, &sum, t.values)
		if !possible {
			continue
		}
		if t.tries++; t.drawn {
			t.tries += lateTry
		}
		if i == n-1 { // the last way needs no way back
			return !t.set(w, v, true), false
		}
		saved := append(agenda(nil), t.agenda...)
		mark, drawn, late, reran := len(t.trail), t.drawn, t.late, t.reran
		if t.set(w, v, true) && t.settle() {
			return true, true
		}
		t.undo(mark)
		t.drawn, t.late, t.reran = drawn, late, reran
		t.restore(saved)
		if t.gaveUp {
			return true, false
		}
	}
	return true, false
}

// restore brings back an agenda.
func (t *trial) restore(a agenda) {
	for _, x := range t.agenda {
		if x.query < 0 {
			t.queued[x.at] = 0
		}
	}
	t.agenda = a
	for _, x := range a {
		if x.query < 0 {
			t.queued[x.at] = t.epoch
		}
	}
}

// repairs lists the wires of a row that the adversary may choose so that it holds, the
// most promising last.
func (t *trial) repairs(r int32, list *[3]uint32) int {
	n := 0
	add := func(derived bool) {
		for _, w := range t.m.rows[r].wires {
			if w == none || t.chosen[w] == t.epoch || t.m.def[w] == r || !t.free(w) || (t.m.def[w] >= 0) != derived {
				continue
			}
			list[n] = w
			n++
		}
	}
	add(true)
	add(false)
	return n
}

// free reports whether the adversary may choose a wire. Before the challenge: the
// mutated call's other outputs and what is computed from them, quotients, and what
// nothing defines. After it: whatever isn't fixed by what is committed, inputs included.
func (t *trial) free(w uint32) bool {
	m := t.m
	from, def := m.from[w], m.def[w]
	if t.drawn {
		return m.open[w]
	}
	switch {
	case from >= 0:
		return from == t.target || m.calls[from].ratio
	case def >= 0:
		return m.rowStep[def] > t.start
	}
	return int(w) >= m.inputs
}

// call follows a call whose inputs changed.
func (t *trial) call(i int32) bool {
	c := &t.m.calls[i]
	if c.table >= 0 {
		return t.count(c)
	}
	if i == t.target || t.policy == freeze && !c.ratio {
		return true
	}
	t.reran = true
	for k, v := range t.m.hint(c, t.values) {
		if w := c.first + uint32(k); t.chosen[w] != t.epoch && !v.Equal(&t.values[w]) {
			if !t.set(w, v, false) {
				return false
			}
		}
	}
	return true
}

// count corrects the multiplicities of a table by the queries that changed.
func (t *trial) count(c *call) bool {
	m := t.m
	difference := make(map[int]int64)
	seen := make(map[int32]bool)
	for _, x := range t.trail {
		for _, i := range m.queries[x.wire] {
			q := &m.sys.Lookups[i]
			if q.Table != c.table || uint32(q.X.Wire) != x.wire || seen[i] {
				continue
			}
			seen[i] = true
			if j, ok := argument(q, t.honest); ok {
				difference[j]--
			}
			if j, ok := argument(q, t.values); ok {
				difference[j]++
			}
		}
	}
	for j, n := range difference {
		w := c.first + uint32(j)
		v := gadget.Int(n)
		v.Add(&v, &t.honest[w])
		if t.chosen[w] != t.epoch && !v.Equal(&t.values[w]) && !t.set(w, v, false) {
			return false
		}
	}
	return true
}

// pair makes a query of two columns hold: the result follows the argument, or the
// argument the result.
func (t *trial) pair(q *gadget.Lookup) bool {
	j, ok := argument(q, t.values)
	y := value(&q.Y, t.values)
	if ok {
		want := gadget.Int(q.Results[j])
		if want.Equal(&y) {
			return true
		}
		if w := uint32(q.Y.Wire); t.chosen[w] != t.epoch && t.mine(w) {
			return t.set(w, inverse(&q.Y, &want), true)
		}
	}
	if w := uint32(q.X.Wire); t.chosen[w] != t.epoch && t.mine(w) {
		for j, result := range q.Results {
			if want := gadget.Int(result); want.Equal(&y) {
				x := gadget.Int(q.Min + int64(j))
				return t.set(w, inverse(&q.X, &x), true)
			}
		}
	}
	return false
}

// mine reports whether a wire is an output of the mutated call.
func (t *trial) mine(w uint32) bool { return t.target >= 0 && t.m.from[w] == t.target && !t.drawn }

// inverse returns the value of the expression's wire for a value of the expression.
func inverse(x *gadget.Expr, v *fr.Element) (w fr.Element) {
	w.Sub(v, &x.Const)
	return *w.Div(&w, &x.Coeff)
}

// differs lists the wires whose values differ from the honest ones.
func (t *trial) differs() []uint32 {
	var list []uint32
	seen := make(map[uint32]bool)
	for _, c := range t.trail {
		if w := c.wire; !seen[w] && !t.values[w].Equal(&t.honest[w]) {
			seen[w] = true
			list = append(list, w)
		}
	}
	return list
}

// within reports whether v lies in [lo, hi].
func within(v *fr.Element, lo, hi int64) bool {
	x := v.BigInt(new(big.Int))
	if half := new(big.Int).Rsh(fr.Modulus(), 1); x.Cmp(half) > 0 {
		x.Sub(x, fr.Modulus())
	}
	return x.IsInt64() && x.Int64() >= lo && x.Int64() <= hi
}
