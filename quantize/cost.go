package quantize

import "math/bits"

// cost estimates the rows that a program takes, well enough to choose between
// widths. It is not the circuit's own count, which knows the layout.
func (l *lowering) cost() float64 {
	p := l.b.Program
	table := l.s.TableBits
	total := 0.0
	tables := map[string]bool{}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		size := float64(n.Shape.Size())
		width := bits.Len64(uint64(n.Hi) - uint64(n.Lo))
		switch op := n.Op.(type) {
		case Input, Param:
			total += 4 * size * float64(limbs(width, table))
		case Linear:
			x, w := p.Nodes[n.Inputs[0]].Shape.Size(), p.Nodes[n.Inputs[1]].Shape.Size()
			if positions := n.Shape[0] * n.Shape[2] * n.Shape[3]; positions == 1 {
				lanes := max(252/max(width, 1), 1)
				total += float64(w)/float64(lanes) + size
			} else {
				total += 2*float64(x) + 2*size + float64(w)
			}
		case MatMul:
			x, y := p.Nodes[n.Inputs[0]].Shape.Size(), p.Nodes[n.Inputs[1]].Shape.Size()
			total += 3 * (float64(x) + float64(y) + size)
		case Mul:
			total += size
		case Rescale:
			in := &p.Nodes[n.Inputs[0]]
			if op.Shift == 0 && op.Min <= in.Lo && op.Max >= in.Hi {
				continue
			}
			full := bits.Len64(uint64(op.round(in.Hi)) - uint64(op.round(in.Lo)))
			total += size * float64(1+4*limbs(int(op.Shift), table)+4*limbs(full, table))
			if full > table {
				total += 8 * size
			}
		case Lookup:
			total += 3 * size
			if !tables[op.Func] {
				tables[op.Func] = true
				total += 4 * float64(len(op.Table))
			}
		case Max:
			in := &p.Nodes[n.Inputs[0]]
			total += 6 * float64(in.Shape.Size()) * float64(limbs(bits.Len64(uint64(in.Hi)-uint64(in.Lo)), table))
		case Div:
			total += 12 * size
		case ArgMax:
			total += 12 * float64(p.Nodes[n.Inputs[0]].Shape.Size())
		}
	}
	return total
}

// limbs is the number of table-wide pieces of a width.
func limbs(width, table int) int { return (width + table - 1) / table }
