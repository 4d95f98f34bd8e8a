package gadget

import "github.com/consensys/gnark/constraint/solver"

// Lookup is one query of a lookup table, as an auditor sees it: X is an argument of
// the table, and where the table has results, Y is the one for X.
type Lookup struct {
	Table   int     // which table, in order of creation
	Name    string  // the table's
	Min     int64   // the first argument
	Size    int     // the number of arguments
	Results []int64 // nil if the table has one column
	X, Y    Expr
	Region  Region
}

// Lookups lists every query of every table, table by table.
func (b *Builder) Lookups() []Lookup {
	var list []Lookup
	for i, t := range b.tables {
		for _, q := range t.queries {
			list = append(list, Lookup{i, t.name, t.min, t.size, t.results, q.x, q.y, q.region})
		}
	}
	return list
}

// HintName returns the name that HintFunc was given for an identifier, or "" if it
// wasn't.
func (b *Builder) HintName(id solver.HintID) string { return b.hintNames[id] }

// CountName is the name of the hint of a table's multiplicities.
func CountName(table int) string { return countName(table) }

// IsQuotient reports whether the identifier is that of the hint of quotients, which
// are free where the divisor is zero: see Rescale.
func IsQuotient(id solver.HintID) bool { return id == solver.GetHintID(ratioHint) }
