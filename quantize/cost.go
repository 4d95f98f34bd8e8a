package quantize

import (
	"math"
	"math/bits"

	"github.com/zkml-go/zkml/graph"
)

// The range-check tables that the estimate considers.
const (
	narrowestTable, widestTable = 4, 14
)

// cost estimates the rows that a program takes, well enough to choose between
// widths: the least over the widths of the range-check table. It is not the
// circuit's own count, which knows the layout.
func (l *lowering) cost() int {
	fixed := l.fixedCost()
	best := math.MaxInt
	for table := narrowestTable; table <= widestTable; table++ {
		best = min(best, fixed+4*l.limbs(table)+(3<<table))
	}
	return best
}

// The rows of a digest's words, and the bits of one.
const (
	hashedWord = 301
	wordBits   = 248
)

// cost is the lowering's, with the digest of its hidden weights if they are hashed:
// then a bit more in each is more than a row.
func (c *calibration) cost(l *lowering) int {
	rows := l.cost()
	for i := range l.b.Program.Nodes {
		n := &l.b.Program.Nodes[i]
		if op, ok := n.Op.(Param); ok && c.o.HashedWeights {
			each := max(wordBits/op.Bits, 1)
			rows += hashedWord * ((n.Shape.Size() + each - 1) / each)
		}
	}
	return rows
}

// fixedCost is what doesn't depend on the range-check table.
func (l *lowering) fixedCost() int {
	p := l.b.Program
	total := 0
	tables := map[string]bool{}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		size := n.Shape.Size()
		switch op := n.Op.(type) {
		case Linear:
			x, w := p.Nodes[n.Inputs[0]].Shape.Size(), p.Nodes[n.Inputs[1]].Shape.Size()
			if positions := n.Shape[0] * n.Shape[2] * n.Shape[3]; positions == 1 {
				lanes := max(252/max(bits.Len64(uint64(n.Hi)-uint64(n.Lo)), 1), 1)
				total += w/lanes + size
			} else {
				total += 2*x + 2*size + w
			}
		case MatMul:
			total += 3 * (p.Nodes[n.Inputs[0]].Shape.Size() + p.Nodes[n.Inputs[1]].Shape.Size() + size)
		case Lookup:
			total += 3 * size
			if !tables[op.Func] {
				tables[op.Func] = true
				total += 4 * len(op.Table)
			}
		case Mul, Rescale, Div:
			total += 2 * size
		case Max, ArgMax:
			total += 3 * p.Nodes[n.Inputs[0]].Shape.Size()
		}
	}
	return total
}

// limbs counts the range checks of the program with one table of the given width.
func (l *lowering) limbs(table int) int {
	p := l.b.Program
	pieces := func(width int) int { return (width + table - 1) / table }
	width := func(n *Node) int { return bits.Len64(uint64(n.Hi) - uint64(n.Lo)) }
	total := 0
	for i := range p.Nodes {
		n := &p.Nodes[i]
		size := n.Shape.Size()
		switch op := n.Op.(type) {
		case Input:
			total += size * pieces(op.Bits)
		case Param:
			total += size * pieces(op.Bits)
		case Rescale:
			in := &p.Nodes[n.Inputs[0]]
			if op.Shift == 0 && op.Min <= in.Lo && op.Max >= in.Hi {
				continue
			}
			proven := bits.Len64(uint64(op.round(in.Hi)) - uint64(op.round(in.Lo)))
			each := pieces(int(op.Shift)) + pieces(proven)
			if isMax(in.Op) {
				// Each element of the window has its own distance from the maximum.
				each *= p.Nodes[in.Inputs[0]].Shape.Size() / in.Shape.Size()
			}
			total += size * (each + pieces(width(n)))
		case Max:
			total += p.Nodes[n.Inputs[0]].Shape.Size()
		case Div:
			total += 2 * size * pieces(width(&p.Nodes[n.Inputs[1]]))
		case ArgMax:
			in := &p.Nodes[n.Inputs[0]]
			total += in.Shape.Size() * pieces(width(in))
		}
	}
	return total
}

// largeShare says which rescales count as large: those with at least one in so many
// of all elements that rescales check.
const largeShare = 10

// bottleneck is a layer before a large rescale, and the shift of that.
type bottleneck struct {
	node  graph.ID
	shift int
}

// bottlenecks lists the linear maps before large rescales.
func (l *lowering) bottlenecks() []bottleneck {
	p := l.b.Program
	checked := make([]int, len(p.Nodes))
	total := 0
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if _, ok := n.Op.(Rescale); !ok {
			continue
		}
		checked[i] = n.Shape.Size()
		if in := &p.Nodes[n.Inputs[0]]; isMax(in.Op) {
			checked[i] = p.Nodes[in.Inputs[0]].Shape.Size()
		}
		total += checked[i]
	}
	var all []bottleneck
	for i := range p.Nodes {
		op, ok := p.Nodes[i].Op.(Rescale)
		if !ok || checked[i]*largeShare < total {
			continue
		}
		if source, ok := l.origin(p.Nodes[i].Inputs[0]); ok {
			all = append(all, bottleneck{source, int(op.Shift)})
		}
	}
	return all
}

// isMax reports whether an operator is a maximum.
func isMax(op Op) bool {
	_, ok := op.(Max)
	return ok
}

// origin follows index maps and maxima back to a linear map.
func (l *lowering) origin(id ID) (graph.ID, bool) {
	for {
		n := l.b.Node(id)
		switch n.Op.(type) {
		case Rewire, Max:
			id = n.Inputs[0]
		case Linear:
			return n.Source, n.Source >= 0
		default:
			return -1, false
		}
	}
}
