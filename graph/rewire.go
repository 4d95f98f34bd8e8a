package graph

import "fmt"

func (Rewire) kind() string { return "Rewire" }

func (r Rewire) check(g *Graph, n *Node) error {
	if err := n.operands(1, MaxOperands); err != nil {
		return err
	}
	if err := finite(r.Fill, "the fill value"); err != nil {
		return err
	}
	total := 0
	for i := range n.Inputs {
		total += g.shape(n, i).Size()
	}
	if total > MaxElements {
		return fmt.Errorf("operands have %d elements together, more than the limit of %d", total, MaxElements)
	}
	if r.Index == nil {
		if len(n.Inputs) != 1 || total != n.Shape.Size() {
			return fmt.Errorf("reshape of %d operands with %d elements to shape %v", len(n.Inputs), total, n.Shape)
		}
		return nil
	}
	if len(r.Index) != n.Shape.Size() {
		return fmt.Errorf("shape %v needs %d indices, found %d", n.Shape, n.Shape.Size(), len(r.Index))
	}
	for i, j := range r.Index {
		if j < -1 || int(j) >= total {
			return fmt.Errorf("index %d is %d, the operands have %d elements", i, j, total)
		}
	}
	return nil
}

func (r Rewire) eval(out *Tensor, in []*Tensor) {
	if r.Index == nil {
		copy(out.Data, in[0].Data)
		return
	}
	if len(in) == 1 {
		r.gather(out.Data, in[0].Data)
		return
	}
	var all []float64
	for _, x := range in {
		all = append(all, x.Data...)
	}
	r.gather(out.Data, all)
}

// gather writes the mapped elements of in to out.
func (r Rewire) gather(out, in []float64) {
	for i, j := range r.Index {
		if j < 0 {
			out[i] = r.Fill
		} else {
			out[i] = in[j]
		}
	}
}
