package audit

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit/gadget"
)

// Deletion is what the audit makes of a system without one kind of rows or queries.
type Deletion struct {
	System   string `json:"system"`
	Gadget   string `json:"gadget"`
	Kind     string `json:"kind"`
	Count    int    `json:"count"` // how many rows or queries are of that kind
	Detected bool   `json:"detected"`
	// Survivor is the forgery that was found, if one was.
	Survivor *Survivor `json:"survivor,omitempty"`
}

// Power measures what the audit would find: it deletes each kind of rows and each kind
// of queries from its copy of the system, one kind at a time, and looks for a survivor.
// No circuit is built without them: only what the audit reads is changed.
func Power(ctx context.Context, s *System, inputs [][]fr.Element, o Options) ([]Deletion, error) {
	full, err := newModel(s, nil)
	if err != nil {
		return nil, err
	}
	o.First, o.Progress = true, nil
	var list []Deletion
	measure := func(d Deletion, m *model, exact bool) error {
		o.Exact = exact
		r, err := m.audit(ctx, full, inputs, o)
		if err != nil {
			return fmt.Errorf("without %s %q: %w", d.Gadget, d.Kind, err)
		}
		if d.System = s.Name; len(r.Survivors) > 0 {
			d.Detected, d.Survivor = true, &r.Survivors[0]
		}
		list = append(list, d)
		return nil
	}
	rows := newKinds()
	for r := range full.rows {
		if full.flag[r] != commitment {
			rows.add(s.Region(r).Gadget, full.rowKind(int32(r)), r)
		}
	}
	for _, k := range rows.order {
		gone := make(map[int]bool)
		for _, r := range k.members {
			gone[r] = true
		}
		m, err := newModel(s, func(r int) bool { return gone[r] })
		if err != nil {
			return nil, err
		}
		if err := measure(Deletion{Gadget: k.gadget, Kind: k.kind, Count: len(k.members)}, m, true); err != nil {
			return nil, err
		}
	}
	queries := newKinds()
	for i := range s.Lookups {
		queries.add(s.Lookups[i].Region.Gadget, full.queryKind(&s.Lookups[i]), i)
	}
	for _, k := range queries.order {
		less := *s
		less.Lookups = nil
		for i, q := range s.Lookups {
			if !slices.Contains(k.members, i) {
				less.Lookups = append(less.Lookups, q)
			}
		}
		m, err := newModel(&less, full.closesTable)
		if err != nil {
			return nil, err
		}
		if err := measure(Deletion{Gadget: k.gadget, Kind: k.kind, Count: len(k.members)}, m, false); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// closesTable reports whether a row is the equation of a table's two sums. Without it
// the sums' rows say nothing; the queries that remain are looked up instead.
func (m *model) closesTable(r int) bool {
	region := m.sys.Region(r)
	if region.Node != "" || m.rowStep[r] < m.draw || m.defined(int32(r)) != none {
		return false
	}
	return slices.ContainsFunc(m.sys.Lookups, func(q gadget.Lookup) bool { return q.Name == region.Gadget })
}

// defined returns the wire that a row defines, or none.
func (m *model) defined(r int32) uint32 {
	for _, w := range m.rows[r].wires {
		if w != none && m.def[w] == r {
			return w
		}
	}
	return none
}

// rowKind describes a row by what its wires are.
func (m *model) rowKind(r int32) string {
	x := &m.rows[r]
	if m.flag[r] == committed {
		return "commit " + m.wireKind(x.wires[0])
	}
	var terms []string
	name := func(i int) string { return m.wireKind(x.wires[i]) }
	if !m.zero[x.coef[2]] {
		terms = append(terms, name(0)+"·"+name(1))
	}
	for i, k := range [3]uint32{x.coef[0], x.coef[1], x.coef[3]} {
		if !m.zero[k] {
			terms = append(terms, name(i))
		}
	}
	if !m.zero[x.coef[4]] {
		terms = append(terms, "constant")
	}
	when := ""
	if m.rowStep[r] > m.draw {
		when = ", after the challenge"
	}
	if w := m.defined(r); w != none {
		return "definition of " + m.wireKind(w) + " by " + strings.Join(terms, " + ") + when
	}
	return strings.Join(terms, " + ") + " = 0" + when
}

// queryKind describes a query.
func (m *model) queryKind(q *gadget.Lookup) string {
	x := m.wireKind(uint32(q.X.Wire))
	switch {
	case q.Results != nil:
		x += " and its result"
	case !q.X.Coeff.IsOne() && !q.X.Const.IsZero():
		x = "the complement of " + x
	case !q.X.Coeff.IsOne():
		x = "a multiple of " + x
	}
	return "lookup of " + x + " in " + q.Name
}

// wireKind describes a wire; of a call with few outputs, by its place among them.
func (m *model) wireKind(w uint32) string {
	role := m.role(w)
	switch c := m.from[w]; {
	case int(w) < m.public:
		return "public word"
	case c < 0:
		return string(role)
	default:
		call := &m.calls[c]
		name, _, _ := strings.Cut(call.name, "#")
		if fields := strings.Fields(name); len(fields) > 0 && (fields[0] == "linear" || fields[0] == "matmul" || fields[0] == "count") {
			name = fields[0]
		}
		if call.outputs <= 12 && call.table < 0 && call.input < 0 && call.outputs > 1 {
			return fmt.Sprintf("%s %d of %s", role, w-call.first, name)
		}
		if name == "" || name == string(role) {
			return string(role)
		}
		return fmt.Sprintf("%s of %s", role, name)
	}
}

// kinds sorts things by gadget and kind, in order of first appearance.
type kinds struct {
	index map[[2]string]int
	order []*kind
}

type kind struct {
	gadget, kind string
	members      []int
}

func newKinds() *kinds { return &kinds{index: make(map[[2]string]int)} }

func (k *kinds) add(gadget, name string, member int) {
	i, ok := k.index[[2]string{gadget, name}]
	if !ok {
		i = len(k.order)
		k.index[[2]string{gadget, name}] = i
		k.order = append(k.order, &kind{gadget: gadget, kind: name})
	}
	k.order[i].members = append(k.order[i].members, member)
}
