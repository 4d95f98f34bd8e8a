package graph

import (
	"fmt"
	"math"

	"github.com/zkml-go/zkml/tensor"
)

// The limits that Validate holds a graph to. They bound the memory and the time
// of everything that follows, for graphs that come from a file.
const (
	// MaxNodes is the largest number of nodes.
	MaxNodes = 1 << 17
	// MaxOperands is the largest number of operands of one node.
	MaxOperands = 1 << 16
	// MaxElements is the largest number of elements of all tensors together.
	MaxElements = 1 << 27
	// MaxWork is the largest number of multiplications of one evaluation.
	MaxWork = 1 << 38
	// MaxStep is the largest stride, dilation and padding of a Linear.
	MaxStep = 1 << 20
)

// NodeError says what is wrong with one node of a graph, or what went wrong in
// evaluating it.
type NodeError struct {
	ID   ID
	Name string // the ONNX node
	Kind string // the operator's kind, "" if there is no operator
	Err  error
}

// Error implements error.
func (e *NodeError) Error() string {
	return fmt.Sprintf("node %d (%s %q): %v", e.ID, e.Kind, e.Name, e.Err)
}

// Unwrap returns the cause.
func (e *NodeError) Unwrap() error { return e.Err }

// failure wraps err with the node that it is about.
func (g *Graph) failure(id ID, err error) error {
	n := &g.Nodes[id]
	kind := ""
	if n.Op != nil {
		kind = n.Op.kind()
	}
	return &NodeError{ID: id, Name: n.Name, Kind: kind, Err: err}
}

// Validate returns an error unless the graph is whole: nodes in topological
// order, operands as each operator needs them, every shape the one that its
// operands give, constants finite and of their shape's size, every index in
// range, inputs and outputs listed, and all of it within this package's limits.
// An error about a node is a *NodeError. A graph that passes can be evaluated
// without a panic.
func (g *Graph) Validate() error {
	if len(g.Nodes) > MaxNodes {
		return fmt.Errorf("graph has %d nodes, more than the limit of %d", len(g.Nodes), MaxNodes)
	}
	elements, work := 0, 0.0
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if err := g.checkNode(ID(i)); err != nil {
			return g.failure(ID(i), err)
		}
		elements += n.Shape.Size()
		work += g.work(n)
		if elements > MaxElements {
			return g.failure(ID(i), fmt.Errorf("the tensors up to here have more than %d elements together", MaxElements))
		}
		if work > MaxWork {
			return g.failure(ID(i), fmt.Errorf("the nodes up to here need more than %d multiplications", int64(MaxWork)))
		}
	}
	if err := g.checkInputs(); err != nil {
		return err
	}
	return g.checkOutputs()
}

// checkNode checks one node, all those before it having passed.
func (g *Graph) checkNode(id ID) error {
	n := &g.Nodes[id]
	if n.Op == nil {
		return fmt.Errorf("no operator")
	}
	if len(n.Inputs) > MaxOperands {
		return fmt.Errorf("%d operands, more than the limit of %d", len(n.Inputs), MaxOperands)
	}
	for _, in := range n.Inputs {
		if in < 0 || in >= id {
			return fmt.Errorf("operand %d is not computed before it", in)
		}
	}
	if err := n.Shape.Check(); err != nil {
		return err
	}
	return n.Op.check(g, n)
}

// checkInputs checks that Inputs lists each Input node once, by a name of its
// own.
func (g *Graph) checkInputs() error {
	listed := make(map[ID]bool, len(g.Inputs))
	names := make(map[string]bool, len(g.Inputs))
	for _, id := range g.Inputs {
		if id < 0 || int(id) >= len(g.Nodes) {
			return fmt.Errorf("the list of inputs names node %d of %d", id, len(g.Nodes))
		}
		in, ok := g.Nodes[id].Op.(Input)
		switch {
		case !ok:
			return g.failure(id, fmt.Errorf("listed as an input"))
		case listed[id]:
			return g.failure(id, fmt.Errorf("listed twice as an input"))
		case names[in.Name]:
			return g.failure(id, fmt.Errorf("a second input has the name %q", in.Name))
		}
		listed[id], names[in.Name] = true, true
	}
	for i := range g.Nodes {
		if _, ok := g.Nodes[i].Op.(Input); ok && !listed[ID(i)] {
			return g.failure(ID(i), fmt.Errorf("not in the list of inputs"))
		}
	}
	return nil
}

// checkOutputs checks that there is an output, and that each is a node, by a name
// of its own.
func (g *Graph) checkOutputs() error {
	if len(g.Outputs) == 0 {
		return fmt.Errorf("graph has no output")
	}
	if len(g.Outputs) > MaxNodes {
		return fmt.Errorf("graph has %d outputs, more than the limit of %d", len(g.Outputs), MaxNodes)
	}
	names := make(map[string]bool, len(g.Outputs))
	for _, out := range g.Outputs {
		if out.ID < 0 || int(out.ID) >= len(g.Nodes) {
			return fmt.Errorf("output %q names node %d of %d", out.Name, out.ID, len(g.Nodes))
		}
		if names[out.Name] {
			return fmt.Errorf("two outputs have the name %q", out.Name)
		}
		names[out.Name] = true
	}
	return nil
}

// work is the number of multiplications of one node, zero for all but the
// operators in which it may exceed the number of elements.
func (g *Graph) work(n *Node) float64 {
	switch n.Op.(type) {
	case Linear:
		w := g.Nodes[n.Inputs[1]].Shape
		return float64(n.Shape.Size()) * float64(w[1]) * float64(w[2]) * float64(w[3])
	case MatMul:
		return float64(n.Shape.Size()) * float64(g.Nodes[n.Inputs[0]].Shape[2])
	}
	return 0
}

// operands returns an error unless n has between lo and hi operands.
func (n *Node) operands(lo, hi int) error {
	if len(n.Inputs) >= lo && len(n.Inputs) <= hi {
		return nil
	}
	if lo == hi {
		return fmt.Errorf("%d operands, expected %d", len(n.Inputs), lo)
	}
	return fmt.Errorf("%d operands, expected %d to %d", len(n.Inputs), lo, hi)
}

// shape returns the shape of operand i of n.
func (g *Graph) shape(n *Node, i int) tensor.Shape { return g.Nodes[n.Inputs[i]].Shape }

// result returns an error unless n's shape is want.
func (n *Node) result(want tensor.Shape) error {
	if !n.Shape.Equal(want) {
		return fmt.Errorf("result has shape %v, its operands give %v", n.Shape, want)
	}
	return nil
}

// sameShapes returns an error unless every operand has the result's shape.
func (g *Graph) sameShapes(n *Node) error {
	for i := range n.Inputs {
		if s := g.shape(n, i); !s.Equal(n.Shape) {
			return fmt.Errorf("operand %d has shape %v, the result %v", i, s, n.Shape)
		}
	}
	return nil
}

// overLastAxis checks a reduction of the last axis of the one operand.
func (g *Graph) overLastAxis(n *Node) error {
	if err := n.operands(1, 1); err != nil {
		return err
	}
	s := g.shape(n, 0)
	if len(s) == 0 || s[len(s)-1] == 0 {
		return fmt.Errorf("operand of shape %v has no last axis to reduce", s)
	}
	return n.result(s[:len(s)-1])
}

// finite returns an error if v is infinite or not a number.
func finite(v float64, what string) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Errorf("%s is %v", what, v)
	}
	return nil
}
