package audit

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit/gadget"
)

// Role says what a wire is for.
type Role string

// The roles. RoleQuotient is the one that the exemption of rule 1 covers: a quotient
// whose divisor is zero is multiplied by zero.
const (
	RoleInput        Role = "input"
	RoleElement      Role = "tensor element"
	RoleLimb         Role = "limb"
	RoleResult       Role = "lookup result"
	RoleMultiplicity Role = "multiplicity"
	RoleQuotient     Role = "quotient"
	RoleChallenge    Role = "challenge"
	RoleHint         Role = "hint"
	RoleSum          Role = "computed"
	RoleLoose        Role = "given by nothing"
)

// role returns the role of a wire.
func (m *model) role(w uint32) Role {
	c := m.from[w]
	switch {
	case int(w) < m.public:
		return RoleInput
	case c >= 0 && m.calls[c].input >= 0:
		return RoleInput
	case c >= 0 && m.calls[c].ratio:
		return RoleQuotient
	case c >= 0 && m.calls[c].table >= 0:
		return RoleMultiplicity
	case c >= 0 && m.calls[c].name == "challenge":
		return RoleChallenge
	case m.tensor[w]:
		return RoleElement
	case c < 0 && m.def[w] >= 0:
		return RoleSum
	case c < 0:
		return RoleLoose
	}
	for _, i := range m.queries[w] {
		if q := &m.sys.Lookups[i]; uint32(q.X.Wire) == w {
			return RoleLimb
		}
	}
	if len(m.queries[w]) > 0 {
		return RoleResult
	}
	return RoleHint
}

// home returns the first row that a wire is used in, and its region.
func (m *model) home(w uint32) (int, gadget.Region) {
	if len(m.uses[w]) == 0 {
		return -1, gadget.Region{}
	}
	r := int(m.uses[w][0])
	return r, m.sys.Region(r)
}

// Stratum is a set of wires that are sampled together.
type Stratum struct {
	Node   string `json:"node"`
	Gadget string `json:"gadget"`
	Role   Role   `json:"role"`
	// Wires is how many there are, Mutations how many changes of them were tried.
	Wires     int `json:"wires"`
	Mutations int `json:"mutations"`
	// Sampled says that not every wire with every change was tried.
	Sampled bool `json:"sampled,omitempty"`

	members []uint32
}

// strata lists the wires whose values a prover chooses, by node, gadget and role: the
// outputs of all hints, the inputs that aren't given, and what nothing defines.
func (m *model) strata() []*Stratum {
	type key struct {
		gadget.Region
		Role
	}
	byKey := make(map[key]*Stratum)
	var list []*Stratum
	add := func(w uint32) {
		_, region := m.home(w)
		k := key{region, m.role(w)}
		s := byKey[k]
		if s == nil {
			s = &Stratum{Node: region.Node, Gadget: region.Gadget, Role: k.Role}
			byKey[k] = s
			list = append(list, s)
		}
		s.members = append(s.members, w)
		s.Wires++
	}
	for w := range uint32(m.wires) {
		c := m.from[w]
		switch {
		case c >= 0 && m.calls[c].name == "challenge":
		case c >= 0 && m.calls[c].input >= 0:
			if !m.sys.Inputs[m.calls[c].input].Given {
				add(w)
			}
		case c >= 0, int(w) >= m.inputs && m.def[w] < 0:
			add(w)
		}
	}
	slices.SortStableFunc(list, func(a, b *Stratum) int {
		return cmp.Or(strings.Compare(a.Node, b.Node), strings.Compare(a.Gadget, b.Gadget), strings.Compare(string(a.Role), string(b.Role)))
	})
	return list
}

// changes lists the values to try for a wire: 0, ±1, ± each power of two that is the
// size of a table, ± what one unit of a neighbour in a row is worth (which is where
// shifts and lanes are), plus a half (p/2), the neighbour output's value, and a random
// one.
func (m *model) changes(w uint32, honest []fr.Element, r *rand.Rand) []fr.Element {
	v := honest[w]
	var list []fr.Element
	add := func(e fr.Element) {
		if !e.Equal(&v) && !slices.Contains(list, e) {
			list = append(list, e)
		}
	}
	both := func(d fr.Element) {
		var e fr.Element
		add(*e.Add(&v, &d))
		add(*e.Sub(&v, &d))
	}
	both(fr.One())
	add(fr.Element{})
	if c := m.from[w]; c >= 0 {
		if call := &m.calls[c]; w+1 < call.first+call.outputs {
			add(honest[w+1])
		}
	}
	half := fr.One()
	half.Halve()
	both(half)
	for _, i := range m.queries[w] {
		both(gadget.Int(int64(m.sys.Lookups[i].Size)))
	}
	m.worths(w, both)
	var random fr.Element
	random.SetBytes([]byte{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
	add(random)
	return list
}

// maxWorths bounds how many of them a wire gets.
const maxWorths = 6

// worths calls f with the ratio of each neighbour's coefficient to that of w, in the
// linear rows of w.
func (m *model) worths(w uint32, f func(fr.Element)) {
	n := 0
	for _, r := range m.uses[w] {
		x := &m.rows[r]
		if !m.zero[x.coef[2]] {
			continue
		}
		k := [3]uint32{x.coef[0], x.coef[1], x.coef[3]}
		for i := range k {
			if x.wires[i] != w {
				continue
			}
			for j := range k {
				if j == i || x.wires[j] == none {
					continue
				}
				var ratio fr.Element
				f(*ratio.Div(&m.coef[k[j]], &m.coef[k[i]]))
				if n++; n >= maxWorths {
					return
				}
			}
		}
	}
}
