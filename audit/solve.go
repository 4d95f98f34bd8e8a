package audit

import (
	"crypto/sha256"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"

	"github.com/zkml-go/zkml/circuit/gadget"
)

// standIn replaces the commitment, where nothing is proven: a hash of what is
// committed.
func standIn(_ *big.Int, in, out []*big.Int) error {
	h := sha256.New()
	for _, v := range in {
		h.Write(v.FillBytes(make([]byte, 32)))
	}
	var e fr.Element
	e.SetBytes(h.Sum(nil))
	e.BigInt(out[0])
	return nil
}

// evaluate returns the left side of a row.
func (m *model) evaluate(r int32, values []fr.Element) (sum fr.Element) {
	x := &m.rows[r]
	var t fr.Element
	if !m.zero[x.coef[2]] {
		t.Mul(&values[x.wires[0]], &values[x.wires[1]])
		sum.Mul(&t, &m.coef[x.coef[2]])
	}
	for i, k := range [3]uint32{x.coef[0], x.coef[1], x.coef[3]} {
		if !m.zero[k] {
			sum.Add(&sum, t.Mul(&values[x.wires[i]], &m.coef[k]))
		}
	}
	return *sum.Add(&sum, &m.coef[x.coef[4]])
}

// slope returns what multiplies wire w in a row.
func (m *model) slope(r int32, w uint32, values []fr.Element) (s fr.Element) {
	x := &m.rows[r]
	var t fr.Element
	for i, k := range [3]uint32{x.coef[0], x.coef[1], x.coef[3]} {
		if x.wires[i] == w {
			s.Add(&s, &m.coef[k])
		}
	}
	if !m.zero[x.coef[2]] {
		switch w {
		case x.wires[0]:
			s.Add(&s, t.Mul(&m.coef[x.coef[2]], &values[x.wires[1]]))
		case x.wires[1]:
			s.Add(&s, t.Mul(&m.coef[x.coef[2]], &values[x.wires[0]]))
		}
	}
	return s
}

// wanted returns the value of w that makes the row hold, whose left side is now sum. It
// reports false if no value or every value does.
func (m *model) wanted(r int32, w uint32, sum *fr.Element, values []fr.Element) (v fr.Element, ok bool) {
	if m.squared(r, w) {
		return v, false
	}
	s := m.slope(r, w, values)
	if s.IsZero() {
		return v, false
	}
	v.Div(sum, &s)
	v.Sub(&values[w], &v)
	return v, true
}

// hint computes a call's outputs.
func (m *model) hint(c *call, values []fr.Element) []fr.Element {
	return m.hintOf(c, values, -1, nil)
}

// hintOf computes a call's outputs with another value of one input, unless it is -1.
func (m *model) hintOf(c *call, values []fr.Element, input int, other *fr.Element) []fr.Element {
	in, out := make([]*big.Int, len(c.in)), make([]*big.Int, c.outputs)
	for i, terms := range c.in {
		v := m.input(terms, values)
		if i == input {
			v = *other
		}
		in[i] = v.BigInt(new(big.Int))
	}
	for i := range out {
		out[i] = new(big.Int)
	}
	result := make([]fr.Element, len(out))
	if c.f(fr.Modulus(), in, out) != nil {
		return result // of a witness that no honest prover has
	}
	for i, v := range out {
		result[i].SetBigInt(v)
	}
	return result
}

// input computes an input of a call.
func (m *model) input(terms constraint.LinearExpression, values []fr.Element) (v fr.Element) {
	for _, t := range terms {
		k := m.coef[t.CoeffID()]
		if !t.IsConstant() {
			k.Mul(&k, &values[t.WireID()])
		}
		v.Add(&v, &k)
	}
	return v
}

// solve returns the honest values of all wires for the given public words and secret
// inputs. Public results may be left zero: the rows give them.
func (m *model) solve(inputs []fr.Element) ([]fr.Element, error) {
	if len(inputs) != m.inputs {
		return nil, fmt.Errorf("audit: %d input values, want %d", len(inputs), m.inputs)
	}
	values := make([]fr.Element, m.wires)
	copy(values, inputs)
	for _, s := range m.steps {
		if s.call {
			c := &m.calls[s.index]
			copy(values[c.first:], m.hint(c, values))
			continue
		}
		for _, w := range m.rows[s.index].wires {
			if w != none && m.def[w] == s.index {
				sum := m.evaluate(s.index, values)
				if v, ok := m.wanted(s.index, w, &sum, values); ok {
					values[w] = v
				}
			}
		}
	}
	return values, m.verify(values)
}

// verify evaluates every row, those of the tables' sums too.
func (m *model) verify(values []fr.Element) error {
	for r := range m.rows {
		if sum := m.evaluate(int32(r), values); m.equation(int32(r)) && !sum.IsZero() {
			g := m.sys.Region(r)
			return fmt.Errorf("audit: row %d of %q (%s) doesn't hold", r, g.Node, g.Gadget)
		}
	}
	return nil
}

// value returns the value of an expression.
func value(x *gadget.Expr, values []fr.Element) (v fr.Element) {
	v = x.Const
	if !x.IsConst() {
		t := x.Coeff
		v.Add(&v, t.Mul(&t, &values[x.Wire]))
	}
	return v
}

// argument returns the entry of its table that a query asks for, or false.
func argument(q *gadget.Lookup, values []fr.Element) (int, bool) {
	v := value(&q.X, values)
	offset := gadget.Int(q.Min)
	v.Sub(&v, &offset)
	if !v.IsUint64() || v.Uint64() >= uint64(q.Size) {
		return 0, false
	}
	return int(v.Uint64()), true
}
