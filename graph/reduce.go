package graph

import (
	"fmt"

	"github.com/zkml-go/zkml/internal/exactmath"
)

func (Max) kind() string { return "Max" }

func (Max) check(g *Graph, n *Node) error { return g.overLastAxis(n) }

func (Max) eval(out *Tensor, in []*Tensor) {
	k := lastAxis(in[0])
	for i := range out.Data {
		row := in[0].Data[i*k:][:k]
		best := row[0]
		for _, v := range row[1:] {
			if v > best {
				best = v
			}
		}
		out.Data[i] = best
	}
}

func (ArgMax) kind() string { return "ArgMax" }

func (ArgMax) check(g *Graph, n *Node) error { return g.overLastAxis(n) }

func (a ArgMax) eval(out *Tensor, in []*Tensor) {
	k := lastAxis(in[0])
	for i := range out.Data {
		row := in[0].Data[i*k:][:k]
		best := 0
		for j, v := range row {
			if v > row[best] || (a.Last && v == row[best]) {
				best = j
			}
		}
		out.Data[i] = float64(best)
	}
}

func (Softmax) kind() string { return "Softmax" }

func (Softmax) check(g *Graph, n *Node) error {
	if err := n.operands(1, 1); err != nil {
		return err
	}
	s := g.shape(n, 0)
	if len(s) == 0 || s[len(s)-1] == 0 {
		return fmt.Errorf("operand of shape %v has no last axis to normalise", s)
	}
	return g.sameShapes(n)
}

// eval subtracts each row's maximum first, so that no exponential overflows.
func (Softmax) eval(out *Tensor, in []*Tensor) {
	k := lastAxis(in[0])
	for at := 0; at < len(out.Data); at += k {
		row, to := in[0].Data[at:][:k], out.Data[at:][:k]
		top := row[0]
		for _, v := range row[1:] {
			top = max(top, v)
		}
		sum := 0.0
		for i, v := range row {
			to[i] = exactmath.Exp(v - top)
			sum += to[i]
		}
		for i := range to {
			to[i] /= sum
		}
	}
}

// lastAxis returns the size of the last axis, which check has found above zero.
func lastAxis(x *Tensor) int { return x.Shape[len(x.Shape)-1] }
