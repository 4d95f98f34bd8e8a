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
			total += float64(4 * size * float64(limbs(width, table)))
		case Linear:
			x, w := p.Nodes[n.Inputs[0]].Shape.Size(), p.Nodes[n.Inputs[1]].Shape.Size()
			if positions := n.Shape[0] * n.Shape[2] * n.Shape[3]; positions == 1 {
				lanes := max(252/max(width, 1), 1)
				total += float64(w)/float64(lanes) + size
			} else {
				total += float64(2*x+w) + float64(2*size)
			}
		case MatMul:
			x, y := p.Nodes[n.Inputs[0]].Shape.Size(), p.Nodes[n.Inputs[1]].Shape.Size()
			total += float64(3 * (float64(x) + float64(y) + size))
		case Mul:
			total += size
		case Rescale:
			in := &p.Nodes[n.Inputs[0]]
			if op.Shift == 0 && op.Min <= in.Lo && op.Max >= in.Hi {
				continue
			}
			full := bits.Len64(uint64(op.round(in.Hi)) - uint64(op.round(in.Lo)))
			total += float64(size * float64(1+4*limbs(int(op.Shift), table)+4*limbs(full, table)))
			if full > table {
				total += float64(8 * size)
			}
		case Lookup:
			total += float64(3 * size)
			if !tables[op.Func] {
				tables[op.Func] = true
				total += float64(4 * len(op.Table))
			}
		case Max:
			in := &p.Nodes[n.Inputs[0]]
			total += float64(6 * float64(in.Shape.Size()) * float64(limbs(bits.Len64(uint64(in.Hi)-uint64(in.Lo)), table)))
		case Div:
			total += float64(12 * size)
		case ArgMax:
			total += float64(12 * p.Nodes[n.Inputs[0]].Shape.Size())
		}
	}
	return total
}

// limbs is the number of table-wide pieces of a width.
func limbs(width, table int) int { return (width + table - 1) / table }
