package audit

import (
	"math/rand/v2"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// The late attack. What is committed is fixed, honest or changed, and the challenge is
// known. All other values are unknowns of a system of equations, every row that has one
// in it, and the adversary solves it:
//
// A row with one unknown gives it. Where no row has one, some unknown is picked. After
// it come the values that follow from it, and rows whose values are then all known,
// which are equations for the pick: with none it is free, to be kept or replaced by
// anything; with one it is a root of a polynomial, since what follows from it are
// rational functions. So a query that isn't committed solves the sum of its table, and
// a power of the challenge that no row defines solves an identity. The order of the
// picks is random, and tried several times.
//
// Values that something outside of the system gives, and public words, are kept where
// they are picked; they change where they follow from others, in every other order.

// definition says that a row gives a wire.
type definition struct {
	row  int32
	wire uint32
}

// pick is an unknown that no row gives, with what follows from it.
type pick struct {
	wire   uint32
	follow []definition
	checks []int32
	choice bool // the adversary's, rather than kept
}

// ordering is one order in which to solve.
type ordering struct {
	first  []definition // known without a pick
	checks []int32
	picks  []pick
}

// maxDegree bounds the rational functions of one pick.
const maxDegree = 128

// orderings is how many orders of picks are prepared.
const orderings = 20

// orders prepares them; none if nothing can be picked.
func (m *model) orders(r *rand.Rand) []*ordering {
	var list []*ordering
	for i := range orderings {
		o := m.order(r, i%2 == 0, i%4 < 2)
		chosen := func(d definition) bool { return m.from[d.wire] >= 0 && !m.given(d.wire) }
		if !slices.ContainsFunc(o.picks, func(p pick) bool { return p.choice }) && !slices.ContainsFunc(o.first, chosen) {
			continue // all follows from what is committed
		}
		list = append(list, o)
	}
	return list
}

// order prepares one. What is given is picked first, or last so that it follows. A row
// before the challenge gives a factor of its product, or doesn't, as it may be free.
func (m *model) order(r *rand.Rand, keep, divide bool) *ordering {
	unknown := make([]bool, m.wires)
	var wires []uint32
	for w := range unknown {
		late := m.def[w] >= 0 && m.rowStep[m.def[w]] > m.draw
		unknown[w] = (m.open[w] || late) && len(m.uses[w]) > 0
		if unknown[w] {
			wires = append(wires, uint32(w))
		}
	}
	left := make([]int, len(m.rows)) // unknowns of each row
	var ready []int32
	for i := range m.rows {
		if !m.equation(int32(i)) {
			continue
		}
		m.eachWire(int32(i), func(w uint32) {
			if unknown[w] {
				left[i]++
			}
		})
		if left[i] == 1 {
			ready = append(ready, int32(i))
		}
	}
	gives := make([]bool, len(m.rows))
	learn := func(w uint32, checks *[]int32) {
		unknown[w] = false
		for _, x := range m.uses[w] {
			switch left[x]--; {
			case left[x] == 1:
				ready = append(ready, x)
			case left[x] == 0 && !gives[x]:
				*checks = append(*checks, x)
			}
		}
	}
	propagate := func(follow *[]definition, checks *[]int32) {
		for len(ready) > 0 {
			row := ready[0]
			ready = ready[1:]
			if left[row] != 1 {
				continue
			}
			w := none
			m.eachWire(row, func(x uint32) {
				if unknown[x] {
					w = x
				}
			})
			if m.squared(row, w) || !divide && m.rowStep[row] < m.draw && m.factor(row, w) {
				continue
			}
			gives[row] = true
			*follow = append(*follow, definition{row, w})
			learn(w, checks)
		}
	}
	o := &ordering{}
	propagate(&o.first, &o.checks)
	r.Shuffle(len(wires), func(i, j int) { wires[i], wires[j] = wires[j], wires[i] })
	// the prover's choices before what rows define in turn
	rank := func(w uint32) int {
		switch {
		case m.given(w) && keep:
			return 0
		case m.given(w):
			return 3
		case m.from[w] >= 0 && !m.calls[m.from[w]].ratio || m.from[w] < 0 && m.def[w] < 0:
			return 1 // quotients follow from what they divide
		}
		return 2
	}
	slices.SortStableFunc(wires, func(v, w uint32) int { return rank(v) - rank(w) })
	for _, w := range wires {
		if !unknown[w] {
			continue
		}
		p := pick{wire: w, choice: !m.given(w)}
		learn(w, &p.checks)
		propagate(&p.follow, &p.checks)
		o.picks = append(o.picks, p)
	}
	return o
}

// eachWire calls f for each wire of a row, once.
func (m *model) eachWire(r int32, f func(w uint32)) {
	x := &m.rows[r].wires
	for k, w := range x {
		if w != none && (k < 1 || w != x[0]) && (k < 2 || w != x[1]) {
			f(w)
		}
	}
}

// given reports whether the late attack keeps a wire where it picks it.
func (m *model) given(w uint32) bool {
	if int(w) < m.public {
		return true
	}
	c := m.from[w]
	return c >= 0 && m.calls[c].input >= 0 && m.sys.Inputs[m.calls[c].input].Given
}

// solveLate completes values, in place, by one order. It reports whether every equation
// of the order holds; perturbed says that something was changed already.
func (m *model) solveLate(o *ordering, values []fr.Element, perturbed bool, r *rand.Rand) bool {
	if !m.follow(o.first, values) || !m.hold(o.checks, values) {
		return false
	}
	var loose []int
	for i, p := range o.picks {
		if p.choice && len(p.checks) == 0 {
			loose = append(loose, i)
		}
	}
	change := -1
	if len(loose) > 0 && (!perturbed || r.IntN(2) == 0) {
		change = loose[r.IntN(len(loose))]
	}
	for i := range o.picks {
		p := &o.picks[i]
		if i == change {
			values[p.wire].SetUint64(r.Uint64())
			perturbed = true
		}
		if !m.follow(p.follow, values) {
			return false
		}
		if len(p.checks) == 0 || perturbed && m.hold(p.checks, values) {
			continue
		}
		if !p.choice {
			if !m.hold(p.checks, values) {
				return false
			}
			continue
		}
		old := values[p.wire]
		if !m.solvePick(p, values, r) {
			return false
		}
		perturbed = perturbed || !old.Equal(&values[p.wire])
	}
	return perturbed
}

// follow computes what rows give. A row that holds whatever the value keeps it.
func (m *model) follow(list []definition, values []fr.Element) bool {
	for _, d := range list {
		sum := m.evaluate(d.row, values)
		if sum.IsZero() {
			continue
		}
		v, ok := m.wanted(d.row, d.wire, &sum, values)
		if !ok {
			return false
		}
		values[d.wire] = v
	}
	return true
}

// hold reports whether rows hold.
func (m *model) hold(rows []int32, values []fr.Element) bool {
	for _, row := range rows {
		if sum := m.evaluate(row, values); !sum.IsZero() {
			return false
		}
	}
	return true
}

// solvePick finds a value of a pick for which its rows hold, another one than now if
// there is.
func (m *model) solvePick(p *pick, values []fr.Element, r *rand.Rand) bool {
	old := values[p.wire]
	functions := map[uint32]ratio{p.wire: {num: polynomial{fr.Element{}, fr.One()}}}
	at := func(w uint32) ratio {
		if f, ok := functions[w]; ok {
			return f
		}
		return constant(values[w])
	}
	for _, d := range p.follow {
		f, ok := m.wantedRatio(d, at)
		if !ok || f.degree() > maxDegree {
			return m.hold(p.checks, values)
		}
		functions[d.wire] = f
	}
	candidates := []fr.Element{old}
	for _, row := range p.checks {
		sum := m.evaluateRatio(row, none, at)
		if sum.isZero() {
			continue
		}
		if sum.degree() > maxDegree {
			return m.hold(p.checks, values)
		}
		candidates = append(sum.num.roots(r), old)
		break
	}
	for i, v := range candidates {
		if v.Equal(&old) && i < len(candidates)-1 {
			continue
		}
		values[p.wire] = v
		if m.follow(p.follow, values) && m.hold(p.checks, values) {
			return true
		}
	}
	return false
}

// evaluateRatio returns the left side of a row, without the terms of one wire.
func (m *model) evaluateRatio(r int32, skip uint32, at func(uint32) ratio) (sum ratio) {
	x := &m.rows[r]
	sum = constant(m.coef[x.coef[4]])
	if !m.zero[x.coef[2]] && x.wires[0] != skip && x.wires[1] != skip {
		sum = sum.add(at(x.wires[0]).mul(at(x.wires[1])).scale(&m.coef[x.coef[2]]))
	}
	for i, k := range [3]uint32{x.coef[0], x.coef[1], x.coef[3]} {
		if !m.zero[k] && x.wires[i] != skip {
			sum = sum.add(at(x.wires[i]).scale(&m.coef[k]))
		}
	}
	return sum
}

// wantedRatio returns the value of a wire that makes its row hold.
func (m *model) wantedRatio(d definition, at func(uint32) ratio) (ratio, bool) {
	x := &m.rows[d.row]
	var slope ratio
	for i, k := range [3]uint32{x.coef[0], x.coef[1], x.coef[3]} {
		if x.wires[i] == d.wire && !m.zero[k] {
			slope = slope.add(constant(m.coef[k]))
		}
	}
	if !m.zero[x.coef[2]] {
		switch d.wire {
		case x.wires[0]:
			slope = slope.add(at(x.wires[1]).scale(&m.coef[x.coef[2]]))
		case x.wires[1]:
			slope = slope.add(at(x.wires[0]).scale(&m.coef[x.coef[2]]))
		}
	}
	if slope.isZero() {
		return ratio{}, false
	}
	minus := fr.One()
	minus.Neg(&minus)
	return m.evaluateRatio(d.row, d.wire, at).over(slope).scale(&minus), true
}

// finish completes a trial that came as far as the challenge.
func (t *trial) finish(r *rand.Rand) bool {
	m := t.m
	start := slices.Clone(t.values)
	perturbed := len(t.differs()) > 0
	for range lateTries {
		o := m.late[r.IntN(len(m.late))]
		if m.solveLate(o, t.values, perturbed, r) && m.verify(t.values) == nil {
			for w := range t.values {
				if !t.values[w].Equal(&start[w]) {
					t.late = t.late || m.from[w] >= 0
					t.trail = append(t.trail, change{uint32(w), start[w], t.chosen[w]})
				}
			}
			return true
		}
		copy(t.values, start)
	}
	return false
}

// lateTries is how many orders a trial tries.
const lateTries = 4
