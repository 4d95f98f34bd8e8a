package audit

import (
	"cmp"
	"math/big"
	"slices"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit/gadget"
)

// Underived is a set of wires of which the static pass couldn't show that the inputs
// determine them. It is no finding: other arguments than the pass knows may hold.
type Underived struct {
	Node   string `json:"node"`
	Gadget string `json:"gadget"`
	Role   Role   `json:"role"`
	Wires  int    `json:"wires"`
	Reason string `json:"reason"`
}

// derive returns how many wires the inputs determine by the steps it knows, and the
// rest: a row in which all else is known; a lookup of a known argument; and a linear
// equation whose unknown terms have ranges, held by lookups, that make it a numeral in
// mixed radix. Results of linear maps of known operands, which lanes or the challenge
// check, it lists and then takes for known. After the challenge a factor counts as known with its product: its
// cofactor is zero only within the soundness error.
func (m *model) derive() (int, []Underived) {
	known := make([]bool, m.wires)
	for w := range known {
		c := m.from[w]
		known[w] = w < m.inputs && m.def[w] < 0 || c >= 0 && m.calls[c].name == "challenge"
	}
	trusted := make([]bool, m.wires)
	for again := true; again; {
		m.deriveAll(known)
		again = m.trust(known, trusted)
	}
	type key struct {
		gadget.Region
		Role
		reason string
	}
	counts := make(map[key]int)
	var order []key
	derived := 0
	for w := range known {
		if known[w] && !trusted[w] {
			derived++
			continue
		}
		_, region := m.home(uint32(w))
		reason := "a linear map's result, bound in lanes or at the challenge: taken for known"
		if !trusted[w] {
			reason = m.reason(uint32(w))
		}
		k := key{region, m.role(uint32(w)), reason}
		if counts[k] == 0 {
			order = append(order, k)
		}
		counts[k]++
	}
	var list []Underived
	for _, k := range order {
		list = append(list, Underived{k.Node, k.Gadget, k.Role, counts[k], k.reason})
	}
	return derived, list
}

// deriveAll derives what can be.
func (m *model) deriveAll(known []bool) {
	for again := true; again; {
		again = false
		for r := range int32(len(m.rows)) {
			if m.equation(r) && m.deriveRow(r, known) {
				again = true
			}
		}
		for i := range m.sys.Lookups {
			q := &m.sys.Lookups[i]
			if q.Results != nil && !q.Y.IsConst() && !known[q.Y.Wire] && (q.X.IsConst() || known[q.X.Wire]) {
				known[q.Y.Wire], again = true, true
			}
		}
	}
}

// trust takes the results of linear maps of known operands for known, and lists them. It
// reports whether there were any.
func (m *model) trust(known, trusted []bool) bool {
	found := false
	for i := range m.calls {
		c := &m.calls[i]
		if !strings.HasPrefix(c.name, "linear ") && !strings.HasPrefix(c.name, "matmul ") || !m.knows(c, known) {
			continue
		}
		for w := c.first; w < c.first+c.outputs; w++ {
			if !known[w] {
				known[w], trusted[w], found = true, true, true
			}
		}
	}
	return found
}

// knows reports whether all inputs of a call are known.
func (m *model) knows(c *call, known []bool) bool {
	for _, x := range c.in {
		for _, t := range x {
			if !t.IsConstant() && !known[t.WireID()] {
				return false
			}
		}
	}
	return true
}

// deriveRow derives what one row gives.
func (m *model) deriveRow(r int32, known []bool) bool {
	unknown, count := none, 0
	for _, w := range m.rows[r].wires {
		if w != none && !known[w] && w != unknown {
			unknown = w
			count++
		}
	}
	switch {
	case count == 0:
		return false
	case count == 1 && (!m.factor(r, unknown) || m.rowStep[r] > m.draw && !m.squared(r, unknown)):
		known[unknown] = true
		return true
	case m.defined(r) != none || !m.zero[m.rows[r].coef[2]] || m.rowStep[r] > m.draw:
		return false
	}
	return m.deriveNumeral(r, known)
}

// part is an unknown term c·x of a linear equation, with x = lo + k·step for a whole
// number k of at most most.
type part struct {
	wire   uint32
	weight *big.Int // of one step
	most   int64
}

// maxParts bounds the terms of an equation that the pass looks at.
const maxParts = 64

// deriveNumeral expands the computed wires of a linear assertion and tells whether its
// unknown terms are digits: each one's weight is above the sum of all below it, and
// their sum doesn't reach p.
func (m *model) deriveNumeral(r int32, known []bool) bool {
	coefficients := make(map[uint32]*fr.Element)
	rows := 0
	var expand func(r int32, skip uint32, factor fr.Element) bool
	expand = func(r int32, skip uint32, factor fr.Element) bool {
		x := &m.rows[r]
		if rows++; !m.zero[x.coef[2]] || rows > 2*maxParts {
			return false
		}
		for i, k := range [3]uint32{x.coef[0], x.coef[1], x.coef[3]} {
			w := x.wires[i]
			if m.zero[k] || w == skip || known[w] {
				continue
			}
			f := factor
			f.Mul(&f, &m.coef[k])
			if d := m.def[w]; d >= 0 && d != r {
				if !m.zero[m.rows[d].coef[2]] {
					return false
				}
				s := m.slope(d, w, nil)
				s.Neg(&s)
				if s.IsZero() || !expand(d, w, *f.Div(&f, &s)) {
					return false
				}
				continue
			}
			if coefficients[w] == nil {
				coefficients[w] = new(fr.Element)
			}
			coefficients[w].Add(coefficients[w], &f)
		}
		return true
	}
	if !expand(r, none, fr.One()) || len(coefficients) == 0 || len(coefficients) > maxParts {
		return false
	}
	var parts []part
	for w, c := range coefficients {
		p, ok := m.part(w, c)
		if !ok {
			return false
		}
		parts = append(parts, p)
	}
	if !numeral(parts) {
		return false
	}
	for _, p := range parts {
		known[p.wire] = true
	}
	return true
}

// part finds the range of a wire among its queries.
func (m *model) part(w uint32, c *fr.Element) (part, bool) {
	best, found := part{}, false
	for _, i := range m.queries[w] {
		q := &m.sys.Lookups[i]
		if uint32(q.X.Wire) != w || q.X.Coeff.IsZero() {
			continue
		}
		// Coeff·x + Const is Min + k
		step := *c
		step.Div(&step, &q.X.Coeff)
		p := part{w, centered(&step), int64(q.Size - 1)}
		if !found || p.weight.CmpAbs(best.weight) < 0 {
			best, found = p, true
		}
	}
	return best, found
}

// centered returns the integer of least magnitude that is e.
func centered(e *fr.Element) *big.Int {
	v := e.BigInt(new(big.Int))
	if half := new(big.Int).Rsh(fr.Modulus(), 1); v.Cmp(half) > 0 {
		v.Sub(v, fr.Modulus())
	}
	return v
}

// numeral reports whether sums of the parts are distinct, whatever scale makes all of
// their weights integers: with weights divided by the least one.
func numeral(parts []part) bool {
	for scale := range 21 {
		if scaledNumeral(parts, uint(scale)) {
			return true
		}
	}
	return false
}

// scaledNumeral is numeral for weights times 2^scale.
func scaledNumeral(parts []part, scale uint) bool {
	list := slices.Clone(parts)
	for i := range list {
		var e fr.Element
		e.SetBigInt(list[i].weight)
		factor := gadget.Pow2(int(scale))
		list[i].weight = centered(e.Mul(&e, &factor))
	}
	slices.SortFunc(list, func(a, b part) int { return cmp.Or(a.weight.CmpAbs(b.weight), int(a.wire)-int(b.wire)) })
	below := new(big.Int)
	for _, p := range list {
		if p.weight.CmpAbs(below) <= 0 {
			return false
		}
		below.Add(below, new(big.Int).Mul(new(big.Int).Abs(p.weight), big.NewInt(p.most)))
	}
	return below.Cmp(fr.Modulus()) < 0
}

// reason says why a wire wasn't derived.
func (m *model) reason(w uint32) string {
	switch m.role(w) {
	case RoleMultiplicity:
		return "a field element that only the sums of its table bind"
	case RoleQuotient:
		return "a quotient, free where its divisor is zero"
	}
	linear := false
	for _, r := range m.uses[w] {
		if m.rowStep[r] > m.draw {
			continue
		}
		if !m.factor(r, w) {
			linear = true
		}
	}
	switch {
	case len(m.uses[w]) == 0:
		return "no row uses it"
	case linear:
		return "its equations have several unknowns whose ranges don't make them digits"
	case m.def[w] >= 0 && m.rowStep[m.def[w]] > m.draw:
		return "computed after the challenge from wires that aren't derived"
	}
	return "a factor of a product of unknowns"
}
