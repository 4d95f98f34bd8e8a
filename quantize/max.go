package quantize

import "github.com/zkml-go/zkml/graph"

// max commutes with everything that never decreases: it takes raw accumulators and
// leaves the pending clamp for the Rescale after it.
func (l *lowering) max(id graph.ID) (value, error) {
	n := &l.g.Nodes[id]
	x := l.values[n.Inputs[0]]
	source := id
	if x.pending() {
		source = -1
	}
	y, err := l.emit(Node{Op: Max{}, Inputs: []ID{x.id}, Scale: l.b.Node(x.id).Scale, Name: n.Name, Source: source}, deviation{})
	return value{id: y, source: id, lo: x.lo, hi: x.hi}, err
}
