package quantize

import (
	"errors"
	"fmt"
	"math"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

// rawBits is how wide a tensor may become before it is rescaled: accumulators,
// squares and pools stay below it, and no int64 overflows.
const rawBits = 50

// maxOdd bounds the numerator and denominator of a scale.
const maxOdd = 1 << 31

// value is what is known of a float tensor while the graph is lowered: the
// integer tensor that approximates it, and a clamp that is still to be applied.
// ReLU and Clip only note their bounds here; the next Rescale applies them
// for nothing, and Max and index maps, which commute with them, pass first.
type value struct {
	id     ID
	source graph.ID
	// lo and hi are the pending clamp in real units, infinite where there is none.
	lo, hi float64
	// constant holds the real values of a tensor that no input reaches; then
	// there is no id yet.
	constant []float64
}

// pending reports whether a clamp has still to be applied.
func (v value) pending() bool { return !math.IsInf(v.lo, -1) || !math.IsInf(v.hi, 1) }

// lowering turns one graph into one program under given settings.
type lowering struct {
	g        *graph.Graph
	s        *Settings
	b        *Builder
	values   []value
	tensors  map[graph.ID]TensorSettings
	weights  map[graph.ID]int
	narrowed map[narrowKey]ID
	notes    []deviation // by program node
	used     map[graph.ID]bool
	usedW    map[graph.ID]bool
	params   []ParamSettings // what was declared for the hidden weights so far
}

// narrowKey finds a Rescale that exists already.
type narrowKey struct {
	id ID
	op Rescale
}

// lower makes the program. Errors are *UnsupportedError where a node has no
// integer form.
func lower(g *graph.Graph, s *Settings) (*lowering, error) {
	l := &lowering{
		g: g, s: s, b: NewBuilder(),
		values:   make([]value, len(g.Nodes)),
		tensors:  map[graph.ID]TensorSettings{},
		weights:  map[graph.ID]int{},
		narrowed: map[narrowKey]ID{},
		used:     map[graph.ID]bool{},
		usedW:    map[graph.ID]bool{},
	}
	for _, t := range s.Tensors {
		l.tensors[t.Node] = t
	}
	for _, w := range s.Weights {
		l.weights[w.Node] = w.Bits
	}
	live := liveNodes(g)
	for i, id := range g.Inputs {
		in := s.Inputs[i]
		n := &g.Nodes[id]
		x, err := l.emit(Node{Op: Input{Name: in.Name, Bits: in.Bits}, Shape: n.Shape, Lo: in.Lo, Scale: in.Scale, Name: n.Name, Source: id}, deviation{})
		if err != nil {
			return nil, err
		}
		l.values[id] = unclamped(x, id)
	}
	for i := range g.Nodes {
		id := graph.ID(i)
		if _, ok := g.Nodes[i].Op.(graph.Input); ok || !live[i] {
			continue
		}
		v, err := l.node(id)
		if err != nil {
			return nil, l.explain(id, err)
		}
		l.values[i] = v
	}
	for _, out := range g.Outputs {
		x, err := l.output(out.ID)
		if err != nil {
			return nil, l.explain(out.ID, err)
		}
		l.b.Program.Outputs = append(l.b.Program.Outputs, Output{Name: out.Name, ID: x})
	}
	l.prune()
	return l, nil
}

// explain makes a node's failure name the node of the float graph.
func (l *lowering) explain(id graph.ID, err error) error {
	var unsupported *UnsupportedError
	if errors.As(err, &unsupported) {
		return err
	}
	var bad *InvalidError
	if errors.As(err, &bad) {
		return &UnsupportedError{Node: l.g.Nodes[id].Name, Op: graph.Kind(l.g.Nodes[id].Op), Reason: bad.Reason}
	}
	return fmt.Errorf("node %q: %w", l.g.Nodes[id].Name, err)
}

// unsupported says that a node has no integer form.
func (l *lowering) unsupported(id graph.ID, format string, args ...any) error {
	n := &l.g.Nodes[id]
	return &UnsupportedError{Node: n.Name, Op: graph.Kind(n.Op), Reason: fmt.Sprintf(format, args...)}
}

// liveNodes marks the nodes that an output needs.
func liveNodes(g *graph.Graph) []bool {
	live := make([]bool, len(g.Nodes))
	for _, out := range g.Outputs {
		live[out.ID] = true
	}
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		if live[i] {
			for _, in := range g.Nodes[i].Inputs {
				live[in] = true
			}
		}
	}
	return live
}

// unclamped is the value of an integer tensor with no clamp pending.
func unclamped(id ID, source graph.ID) value {
	return value{id: id, source: source, lo: math.Inf(-1), hi: math.Inf(1)}
}

// emit appends a node with its note for the error analysis.
func (l *lowering) emit(n Node, note deviation) (ID, error) {
	id, err := l.b.Append(n)
	if err != nil {
		return -1, err
	}
	l.notes = append(l.notes, note)
	return id, nil
}

// node lowers one node of the graph.
func (l *lowering) node(id graph.ID) (value, error) {
	n := &l.g.Nodes[id]
	if op, ok := n.Op.(graph.Const); ok {
		return value{source: id, constant: op.Values}, nil
	}
	if l.allConstant(n.Inputs) {
		return l.fold(id)
	}
	switch op := n.Op.(type) {
	case graph.Rewire:
		return l.rewire(id, op)
	case graph.Linear:
		return l.linear(id, op)
	case graph.MatMul:
		return l.matmul(id)
	case graph.Mul:
		return l.mul(id)
	case graph.Div:
		if op.Truncate {
			return l.divIntegers(id)
		}
		return l.div(id)
	case graph.Add:
		return l.add(id, op)
	case graph.Unary:
		return l.unary(id, op)
	case graph.Max:
		return l.max(id)
	case graph.Softmax:
		return l.softmax(id)
	case graph.ArgMax:
		return l.decide(id, ArgMax{Last: op.Last})
	case graph.Threshold:
		return l.threshold(id, op)
	}
	return value{}, l.unsupported(id, "there is no integer form of it")
}

// allConstant reports whether no operand depends on an input.
func (l *lowering) allConstant(in []graph.ID) bool {
	for _, id := range in {
		if l.values[id].constant == nil {
			return false
		}
	}
	return true
}

// fold evaluates a node whose operands are constants.
func (l *lowering) fold(id graph.ID) (value, error) {
	n := l.g.Nodes[id]
	g := &graph.Graph{}
	operands := make([]graph.ID, len(n.Inputs))
	for i, in := range n.Inputs {
		operands[i] = graph.ID(i)
		g.Nodes = append(g.Nodes, graph.Node{Op: graph.Const{Values: l.values[in].constant}, Shape: l.g.Nodes[in].Shape})
	}
	n.Inputs = operands
	g.Nodes = append(g.Nodes, n)
	last := graph.ID(len(g.Nodes) - 1)
	g.Outputs = []graph.Output{{Name: "constant", ID: last}}
	values, err := g.Run(nil)
	if err != nil {
		return value{}, err
	}
	return value{source: id, constant: values[last].Data}, nil
}

// output makes a tensor fit to be an answer: constants become tensors and pending
// clamps are applied. A raw accumulator is answered as it is.
func (l *lowering) output(id graph.ID) (ID, error) {
	v := l.values[id]
	if v.constant != nil {
		return l.constant(id, v.constant, l.g.Nodes[id].Shape, exactExponent(v.constant, 24))
	}
	if v.pending() {
		var err error
		if v, err = l.narrow(v); err != nil {
			return -1, err
		}
	}
	return v.id, nil
}

// shape is the shape of a float tensor.
func (l *lowering) shape(id graph.ID) tensor.Shape { return l.g.Nodes[id].Shape }

// prune drops the nodes that no output needs; inputs stay.
func (l *lowering) prune() {
	p := l.b.Program
	live := make([]bool, len(p.Nodes))
	for _, id := range p.Inputs {
		live[id] = true
	}
	for _, out := range p.Outputs {
		live[out.ID] = true
	}
	for i := len(p.Nodes) - 1; i >= 0; i-- {
		if live[i] {
			for _, in := range p.Nodes[i].Inputs {
				live[in] = true
			}
		}
	}
	renamed := make([]ID, len(p.Nodes))
	kept := ID(0)
	for i := range p.Nodes {
		if !live[i] {
			continue
		}
		n := p.Nodes[i]
		for k, in := range n.Inputs {
			n.Inputs[k] = renamed[in]
		}
		renamed[i] = kept
		p.Nodes[kept], l.notes[kept], l.b.bounds[kept] = n, l.notes[i], l.b.bounds[i]
		kept++
	}
	p.Nodes, l.notes, l.b.bounds = p.Nodes[:kept], l.notes[:kept], l.b.bounds[:kept]
	for i, id := range p.Inputs {
		p.Inputs[i] = renamed[id]
	}
	for i, out := range p.Outputs {
		p.Outputs[i].ID = renamed[out.ID]
	}
}
