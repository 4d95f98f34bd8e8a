package attacks

import (
	"errors"
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/circuit/gadget"
)

// weakened is a circuit with some of its rows changed to say less. It has the rows, the
// wires and the hints of the real one; only selectors differ.
type weakened struct {
	*circuit.Circuit
	rows    []constraint.SparseR1C // as they were
	at      []uint64               // by row: where it is in the system's call data
	dropped map[uint32]int         // by wire of a sum's first denominator: queries left out
}

func weaken(c *circuit.Circuit) *weakened {
	w := &weakened{Circuit: c, rows: c.System.GetSparseR1Cs(), dropped: make(map[uint32]int)}
	for _, packed := range c.System.Instructions {
		if _, ok := c.System.Blueprints[packed.BlueprintID].(constraint.BlueprintSparseR1C); ok {
			w.at = append(w.at, packed.StartCallData)
		}
	}
	return w
}

// set writes a row.
func (w *weakened) set(r int, row constraint.SparseR1C) {
	copy(w.System.CallData[w.at[r]:], []uint32{
		row.XA, row.XB, row.XC, row.QL, row.QR, row.QO, row.QM, row.QC, uint32(row.Commitment),
	})
}

// remove makes a row say 0 = 0.
func (w *weakened) remove(r int) {
	row := w.rows[r]
	row.QL, row.QR, row.QO, row.QM, row.QC = 0, 0, 0, 0, 0
	w.set(r, row)
}

// coefficient is a field element's number in the table of coefficients.
func (w *weakened) coefficient(v fr.Element) uint32 {
	return w.System.AddCoeff(constraint.U64(asU64(v)))
}

func (w *weakened) value(id uint32) fr.Element { return w.System.Coefficients[id] }

// find returns the first row of which the function says yes.
func (w *weakened) find(what string, is func(i int, row *constraint.SparseR1C) bool) (int, error) {
	for i := range w.rows {
		if is(i, &w.rows[i]) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("the circuit has no row that is %s", what)
}

// draw returns the row of the challenge.
func (w *weakened) draw() (int, error) {
	return w.find("the challenge", func(_ int, row *constraint.SparseR1C) bool { return row.Commitment == constraint.COMMITMENT })
}

// denominator returns the wire d = β − x − γ·y of a query.
func (w *weakened) denominator(q *gadget.Lookup) (uint32, error) {
	draw, err := w.draw()
	if err != nil {
		return 0, err
	}
	z := q.X
	if q.Results != nil {
		product, err := w.find("γ·y", func(i int, row *constraint.SparseR1C) bool {
			return i > draw && row.XB == uint32(q.Y.Wire) && row.QM != 0 && row.QL == 0 && w.feeds(i, uint32(q.X.Wire))
		})
		if err != nil {
			return 0, err
		}
		sum, err := w.find("x + γ·y", func(i int, row *constraint.SparseR1C) bool {
			return i > product && row.XA == uint32(q.X.Wire) && row.XB == w.rows[product].XC && row.QM == 0
		})
		if err != nil {
			return 0, err
		}
		z = gadget.Expr{Wire: gadget.Wire(w.rows[sum].XC), Coeff: fr.One()}
	}
	pole, err := w.pole(z)
	if err != nil {
		return 0, err
	}
	return w.rows[pole].XC, nil
}

// pole returns the row of β − x, but for the constant of x.
func (w *weakened) pole(x gadget.Expr) (int, error) {
	draw, err := w.draw()
	if err != nil {
		return 0, err
	}
	var minus fr.Element
	minus.Neg(&x.Coeff)
	return w.find("β − x", func(i int, row *constraint.SparseR1C) bool {
		right := w.value(row.QR)
		return i > draw && row.XA == w.rows[draw].XA && row.XB == uint32(x.Wire) && row.QM == 0 && row.QL == constraint.CoeffIdOne && right.Equal(&minus)
	})
}

// feeds reports whether the row after a product adds wire x to it.
func (w *weakened) feeds(product int, x uint32) bool {
	next := w.rows[product+1]
	return next.XA == x && next.XB == w.rows[product].XC
}

// drop leaves a query out of its table's sum. Two denominators d1 and d2 share the rows
// e·d2 = d1 + d2 and f·d1 = e, where f = 1/d1 + 1/d2; either may be a wire and a constant.
func (w *weakened) drop(q *gadget.Lookup) error {
	d, err := w.denominator(q)
	if err != nil {
		return err
	}
	var minusOne = w.coefficient(gadget.Int(-1))
	single, err := w.find("t·d = 1", func(_ int, row *constraint.SparseR1C) bool {
		return row.XB == d && row.QM != 0 && row.QO == 0 && row.QC != 0
	})
	if err == nil {
		row := w.rows[single]
		row.QC = 0 // t·d = 0
		w.set(single, row)
		return nil
	}
	pair, err := w.find("(e − 1)·d2 = d1", func(_ int, row *constraint.SparseR1C) bool {
		return (row.XB == d || row.XC == d) && row.QM != 0 && row.QR != 0 && row.QO != 0
	})
	if err != nil {
		return err
	}
	row := w.rows[pair]
	w.dropped[row.XC]++
	switch {
	case w.dropped[row.XC] == 2: // e = 0
		row.QL, row.QR, row.QO, row.QM, row.QC = constraint.CoeffIdOne, 0, 0, 0, 0
	case row.XB == d: // e = 1, f = 1/d1
		row.QL, row.QR, row.QO, row.QM, row.QC = constraint.CoeffIdOne, 0, 0, 0, minusOne
	default: // e·d2 = d1, f = 1/d2: the row has −(d1 + d2) with their constants
		constant, second := w.value(row.QC), w.value(row.QL)
		row.QR, row.QC = 0, w.coefficient(*constant.Add(&constant, &second))
	}
	w.set(pair, row)
	return nil
}

// uncommit leaves wires out of the commitment: their rows say nothing, and the challenge
// is drawn from zeros in their place.
func (w *weakened) uncommit(is func(wire uint32) bool) error {
	count := 0
	for r, row := range w.rows {
		if row.Commitment == constraint.COMMITTED && is(row.XA) {
			w.remove(r)
			count++
		}
	}
	if count == 0 {
		return errors.New("none of the wires is committed")
	}
	return w.commitZeros(is)
}

// commitZeros makes a prover commit to zeros in the place of wires. The rows are as they
// were.
func (w *weakened) commitZeros(is func(wire uint32) bool) error {
	for _, packed := range w.System.Instructions {
		b, ok := w.System.Blueprints[packed.BlueprintID].(*constraint.BlueprintGenericHint)
		if !ok {
			continue
		}
		var h constraint.HintMapping
		inst := packed.Unpack(&w.System.System)
		if b.DecompressHint(&h, inst); h.HintID != commitment {
			continue
		}
		// length, hint, number of inputs, and for each its length and terms of two words
		at := 3
		for _, in := range h.Inputs {
			for k := range in {
				if !in[k].IsConstant() && is(uint32(in[k].WireID())) {
					inst.Calldata[at+1+2*k] = constraint.CoeffIdZero
				}
			}
			at += 1 + 2*len(in)
		}
	}
	return nil
}

// outputsOf reports which wires are outputs of a hint.
func (w *weakened) outputsOf(name string) func(wire uint32) bool {
	return func(wire uint32) bool {
		var h constraint.HintMapping
		for _, packed := range w.System.Instructions {
			if b, ok := w.System.Blueprints[packed.BlueprintID].(*constraint.BlueprintGenericHint); ok {
				b.DecompressHint(&h, packed.Unpack(&w.System.System))
				if w.HintName(h.HintID) == name && wire >= h.OutputRange.Start && wire < h.OutputRange.End {
					return true
				}
			}
		}
		return false
	}
}

// postpone moves the late hint, and what depends on it, behind the challenge.
func (f *forger) postpone() {
	_, secret, public := f.c.System.GetNbVariables()
	known, late := make(map[uint32]bool), make(map[uint32]bool)
	for w := range secret + public {
		known[uint32(w)] = true
	}
	var before, moved, after []uint32
	drawn := false
	for _, i := range f.c.System.Levels[0] {
		if drawn {
			after = append(after, i)
			continue
		}
		reads, gives, isLate := f.touched(f.c.System.Instructions[i])
		drawn = gives != nil && len(f.rows) > f.draw && gives[0] == f.rows[f.draw].XA
		isLate = isLate || !drawn && slices.ContainsFunc(reads, func(w uint32) bool { return late[w] })
		for _, w := range append(reads, gives...) {
			if isLate {
				late[w] = late[w] || !known[w]
			} else {
				known[w] = true
			}
		}
		if isLate {
			moved = append(moved, i)
		} else {
			before = append(before, i)
		}
	}
	f.c.System.Levels[0] = slices.Concat(before, moved, after)
}

// touched returns the wires of a row, or the inputs and outputs of a hint and whether it
// is the late one.
func (f *forger) touched(packed constraint.PackedInstruction) (reads, gives []uint32, isLate bool) {
	b, ok := f.c.System.Blueprints[packed.BlueprintID].(*constraint.BlueprintGenericHint)
	if !ok {
		row := f.rows[packed.ConstraintOffset]
		return []uint32{row.XA, row.XB, row.XC}, nil, false
	}
	var h constraint.HintMapping
	b.DecompressHint(&h, packed.Unpack(&f.c.System.System))
	for _, in := range h.Inputs {
		for _, t := range in {
			if !t.IsConstant() {
				reads = append(reads, uint32(t.WireID()))
			}
		}
	}
	for w := h.OutputRange.Start; w < h.OutputRange.End; w++ {
		gives = append(gives, w)
	}
	return reads, gives, f.lie.late != "" && f.c.HintName(h.HintID) == f.lie.late
}
