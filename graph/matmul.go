package graph

import (
	"fmt"

	"github.com/zkml-go/zkml/tensor"
)

func (MatMul) kind() string { return "MatMul" }

func (MatMul) check(g *Graph, n *Node) error {
	if err := n.operands(2, 2); err != nil {
		return err
	}
	x, y := g.shape(n, 0), g.shape(n, 1)
	if len(x) != 3 || len(y) != 3 || x[0] != y[0] || x[2] != y[1] {
		return fmt.Errorf("operands of shapes %v and %v, expected [B M K] and [B K N]", x, y)
	}
	return n.result(tensor.Shape{x[0], x[1], y[2]})
}

// eval adds the products of each output in the order of the inner axis.
func (MatMul) eval(out *Tensor, in []*Tensor) {
	x, y := in[0], in[1]
	b, m, k, n := x.Shape[0], x.Shape[1], x.Shape[2], y.Shape[2]
	clear(out.Data)
	for row := range b * m {
		to := out.Data[row*n:][:n]
		right := y.Data[row/m*k*n:][:k*n]
		for i, v := range x.Data[row*k:][:k] {
			for j, w := range right[i*n:][:n] {
				to[j] += float64(v * w)
			}
		}
	}
}
