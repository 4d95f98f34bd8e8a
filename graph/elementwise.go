package graph

import (
	"fmt"
	"math"
)

func (Mul) kind() string { return "Mul" }

func (Mul) check(g *Graph, n *Node) error {
	if err := n.operands(2, 2); err != nil {
		return err
	}
	return g.sameShapes(n)
}

func (Mul) eval(out *Tensor, in []*Tensor) {
	x, y := in[0].Data, in[1].Data
	for i := range out.Data {
		out.Data[i] = x[i] * y[i]
	}
}

func (Div) kind() string { return "Div" }

func (Div) check(g *Graph, n *Node) error {
	if err := n.operands(2, 2); err != nil {
		return err
	}
	return g.sameShapes(n)
}

// eval divides. Truncation is exact for integers below 2^53: their quotient, if it
// lies between two integers, isn't so near to one that float64 rounds it there.
func (d Div) eval(out *Tensor, in []*Tensor) {
	x, y := in[0].Data, in[1].Data
	for i := range out.Data {
		out.Data[i] = x[i] / y[i]
		if d.Truncate {
			out.Data[i] = math.Trunc(out.Data[i])
		}
	}
}

func (Add) kind() string { return "Add" }

func (a Add) check(g *Graph, n *Node) error {
	if err := n.operands(1, MaxOperands); err != nil {
		return err
	}
	if len(a.Coeffs) != len(n.Inputs) {
		return fmt.Errorf("%d coefficients for %d operands", len(a.Coeffs), len(n.Inputs))
	}
	for i, c := range a.Coeffs {
		if c != 1 && c != -1 {
			return fmt.Errorf("coefficient %d is %d, expected 1 or -1", i, c)
		}
	}
	return g.sameShapes(n)
}

// eval adds the operands in their order.
func (a Add) eval(out *Tensor, in []*Tensor) {
	clear(out.Data)
	for k, x := range in {
		if a.Coeffs[k] > 0 {
			for i, v := range x.Data {
				out.Data[i] += v
			}
		} else {
			for i, v := range x.Data {
				out.Data[i] -= v
			}
		}
	}
}

func (Threshold) kind() string { return "Threshold" }

func (t Threshold) check(g *Graph, n *Node) error {
	if err := n.operands(1, 1); err != nil {
		return err
	}
	if err := finite(t.T, "the threshold"); err != nil {
		return err
	}
	return g.sameShapes(n)
}

func (t Threshold) eval(out *Tensor, in []*Tensor) {
	for i, v := range in[0].Data {
		out.Data[i] = 0
		if v >= t.T {
			out.Data[i] = 1
		}
	}
}
