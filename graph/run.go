package graph

import (
	"errors"
	"fmt"
	"math"
)

// ErrNotFinite says that a node's result has an infinity or a NaN, which no
// integer stands for.
var ErrNotFinite = errors.New("result is not finite")

// InputError says that the values for an input of the model can't be used.
type InputError struct {
	Name   string // the input's
	Reason string
}

// Error implements error.
func (e *InputError) Error() string { return fmt.Sprintf("input %q: %s", e.Name, e.Reason) }

// Values are the results of all nodes of a graph in one evaluation, indexed by
// ID. They are for reading: a reshape shares its operand's data and a Const the
// graph's.
type Values []*Tensor

// Run evaluates the graph on one set of inputs, by name, each of its input's
// shape, and returns every node's result. It validates the graph each time: use a
// [Runner] for many samples.
//
// The arithmetic is float64 with every product rounded before it is added and
// sums in a fixed order, so that the results have the same bits on every machine.
// Errors are *InputError about the inputs, and *NodeError, among them one that
// wraps ErrNotFinite where a result overflows or divides by zero.
func (g *Graph) Run(inputs map[string]*Tensor) (Values, error) {
	r, err := NewRunner(g)
	if err != nil {
		return nil, err
	}
	return r.Run(inputs)
}

// Runner evaluates one graph on many samples in buffers that it allocates once.
// It must not be used by two goroutines at a time; several runners may share a
// graph.
type Runner struct {
	graph    *Graph
	values   Values
	operands [][]*Tensor // per node
}

// NewRunner validates g, which must not change afterwards, and returns a runner
// for it.
func NewRunner(g *Graph) (*Runner, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	r := &Runner{graph: g, values: make(Values, len(g.Nodes)), operands: make([][]*Tensor, len(g.Nodes))}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		for _, id := range n.Inputs {
			r.operands[i] = append(r.operands[i], r.values[id])
		}
		r.values[i] = &Tensor{Shape: n.Shape, Data: r.buffer(ID(i))}
	}
	return r, nil
}

// buffer returns where the elements of a node's result are kept.
func (r *Runner) buffer(id ID) []float64 {
	n := &r.graph.Nodes[id]
	switch op := n.Op.(type) {
	case Const:
		return op.Values
	case Rewire:
		if op.Index == nil {
			return r.operands[id][0].Data
		}
	}
	return make([]float64, n.Shape.Size())
}

// Run is Graph.Run. The values it returns are overwritten by the next call.
func (r *Runner) Run(inputs map[string]*Tensor) (Values, error) {
	for name := range inputs {
		if _, ok := r.graph.Input(name); !ok {
			return nil, &InputError{name, "the model has no such input"}
		}
	}
	for i := range r.graph.Nodes {
		n := &r.graph.Nodes[i]
		switch op := n.Op.(type) {
		case Const:
			continue
		case Input:
			if err := r.take(ID(i), op, inputs[op.Name]); err != nil {
				return nil, err
			}
			continue
		case Rewire:
			if op.Index == nil {
				continue // the buffer is the operand's
			}
		}
		n.Op.eval(r.values[i], r.operands[i])
		if at, bad := nonFinite(r.values[i].Data); bad {
			return nil, r.graph.failure(ID(i), fmt.Errorf("%w: element %d is %v", ErrNotFinite, at, r.values[i].Data[at]))
		}
	}
	return r.values, nil
}

// take copies the caller's values for one input into its buffer.
func (r *Runner) take(id ID, in Input, given *Tensor) error {
	to := r.values[id]
	switch {
	case given == nil:
		return &InputError{in.Name, fmt.Sprintf("no values, expected shape %v", to.Shape)}
	case !given.Shape.Equal(to.Shape):
		return &InputError{in.Name, fmt.Sprintf("shape %v, expected %v", given.Shape, to.Shape)}
	case len(given.Data) != len(to.Data):
		return &InputError{in.Name, fmt.Sprintf("%d elements, expected %d", len(given.Data), len(to.Data))}
	}
	if at, bad := nonFinite(given.Data); bad {
		return &InputError{in.Name, fmt.Sprintf("element %d is %v", at, given.Data[at])}
	}
	if in.Integer {
		for at, v := range given.Data {
			if v != math.Trunc(v) {
				return &InputError{in.Name, fmt.Sprintf("element %d is %v, the model declares integers", at, v)}
			}
		}
	}
	copy(to.Data, given.Data)
	return nil
}

// Input returns the Input node of the given name.
func (g *Graph) Input(name string) (ID, bool) {
	for _, id := range g.Inputs {
		if in, ok := g.Nodes[id].Op.(Input); ok && in.Name == name {
			return id, true
		}
	}
	return 0, false
}
