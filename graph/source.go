package graph

import "fmt"

func (Input) kind() string { return "Input" }

func (in Input) check(_ *Graph, n *Node) error {
	if in.Name == "" {
		return fmt.Errorf("an input without a name")
	}
	return n.operands(0, 0)
}

// eval does nothing: the runner has put the caller's values there.
func (Input) eval(*Tensor, []*Tensor) {}

func (Const) kind() string { return "Const" }

func (c Const) check(_ *Graph, n *Node) error {
	if err := n.operands(0, 0); err != nil {
		return err
	}
	if len(c.Values) != n.Shape.Size() {
		return fmt.Errorf("shape %v needs %d values, found %d", n.Shape, n.Shape.Size(), len(c.Values))
	}
	if i, bad := nonFinite(c.Values); bad {
		return fmt.Errorf("value %d is %v", i, c.Values[i])
	}
	return nil
}

// eval does nothing: the runner refers to the constant's own values.
func (Const) eval(*Tensor, []*Tensor) {}

// nonFinite returns the position of the first infinity or NaN in values.
func nonFinite(values []float64) (at int, found bool) {
	for i, v := range values {
		if v-v != 0 {
			return i, true
		}
	}
	return 0, false
}
