package onnx

import (
	"errors"
	"fmt"
	"math"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

// draft is a node of the graph under construction: a graph operator, or an
// affine map, which becomes one when everything is known about its neighbours.
type draft struct {
	op     graph.Op // nil for an affine map
	affine *affine
	inputs []graph.ID
	shape  tensor.Shape
	name   string
}

// builder collects drafts in topological order.
type builder struct {
	budget  *budget
	drafts  []draft
	inputs  []graph.ID
	outputs []graph.Output
	consts  map[*Tensor]graph.ID
}

// add appends a node after checking it against the limits.
func (b *builder) add(op graph.Op, shape tensor.Shape, name string, inputs ...graph.ID) (graph.ID, error) {
	if err := b.budget.checkShape(shape, name); err != nil {
		return 0, err
	}
	if err := b.budget.spendNode(name); err != nil {
		return 0, err
	}
	b.drafts = append(b.drafts, draft{op: op, inputs: inputs, shape: shape.Clone(), name: name})
	return graph.ID(len(b.drafts) - 1), nil
}

// operand returns the node that computes v; a constant becomes a Const node.
func (b *builder) operand(v value, name string) (graph.ID, error) {
	if !v.constant() {
		return v.id, nil
	}
	if id, ok := b.consts[v.con]; ok {
		return id, nil
	}
	if v.con.Name != "" {
		name = v.con.Name
	}
	if v.dtype.Integer() {
		if err := b.budget.spendConst(len(v.con.Ints), name); err != nil {
			return 0, err
		}
	}
	id, err := b.add(graph.Const{Values: v.con.Float64s()}, v.shape, name)
	if err != nil {
		return 0, err
	}
	if b.consts == nil {
		b.consts = map[*Tensor]graph.ID{}
	}
	b.consts[v.con] = id
	return id, nil
}

// emit applies a graph operator. If all operands are constants the result is
// one too, computed by the float interpreter.
func (n *node) emit(op graph.Op, shape tensor.Shape, dtype DType, operands ...value) (value, error) {
	if err := n.spendWork(op, shape, operands); err != nil {
		return value{}, err
	}
	fold := true
	for _, v := range operands {
		fold = fold && v.constant()
	}
	if fold {
		return n.evaluate(op, shape, dtype, operands)
	}
	ids := make([]graph.ID, len(operands))
	for i, v := range operands {
		id, err := n.operand(v, n.name)
		if err != nil {
			return value{}, err
		}
		ids[i] = id
	}
	id, err := n.add(op, shape, n.name, ids...)
	return value{dtype: dtype, shape: shape, id: id}, err
}

// spendWork counts the multiplications of an operator.
func (n *node) spendWork(op graph.Op, shape tensor.Shape, operands []value) error {
	if err := n.budget.checkShape(shape, n.name); err != nil {
		return err
	}
	switch op.(type) {
	case graph.Linear:
		w := operands[1].shape
		return n.budget.spendMACs(n.name, shape.Size(), w[1], w[2], w[3])
	case graph.MatMul:
		return n.budget.spendMACs(n.name, shape.Size(), operands[0].shape[2])
	}
	return nil
}

// evaluate runs one graph operator on constants.
func (n *node) evaluate(op graph.Op, shape tensor.Shape, dtype DType, operands []value) (value, error) {
	if err := n.budget.spendConst(shape.Size(), n.name); err != nil {
		return value{}, err
	}
	g := &graph.Graph{}
	var ids []graph.ID
	for _, v := range operands {
		ids = append(ids, graph.ID(len(g.Nodes)))
		g.Nodes = append(g.Nodes, graph.Node{Op: graph.Const{Values: v.con.Float64s()}, Shape: v.shape, Name: n.name})
	}
	result := graph.ID(len(g.Nodes))
	g.Nodes = append(g.Nodes, graph.Node{Op: op, Inputs: ids, Shape: shape, Name: n.name})
	g.Outputs = []graph.Output{{Name: n.name, ID: result}}
	for _, v := range operands {
		if at := notFinite(v.con.Floats); at >= 0 {
			return value{}, n.unsupportedf("it computes with the constant %v, which is not a finite number", v.con.Floats[at])
		}
	}
	values, err := g.Run(nil)
	if errors.Is(err, graph.ErrNotFinite) {
		return value{}, n.unsupportedf("its result on constants is not finite")
	}
	if err != nil {
		return value{}, n.malformedf("computing it on constants: %v", err)
	}
	return n.constantOf(dtype, shape, values[result].Data), nil
}

// constantOf makes a constant of real numbers in the precision of a type.
func (n *node) constantOf(dtype DType, shape tensor.Shape, data []float64) value {
	t := &Tensor{DType: dtype, Shape: shape.Clone()}
	if dtype.Integer() {
		t.Ints = make([]int64, len(data))
		for i, v := range data {
			t.Ints[i] = int64(v)
		}
	} else {
		t.Floats = make([]float64, len(data))
		for i, v := range data {
			t.Floats[i] = dtype.round(v)
		}
	}
	return constant(t)
}

// weights makes a constant for the operands of a Linear.
func (n *node) weights(shape tensor.Shape, data []float64) (value, error) {
	if err := n.budget.spendConst(len(data), n.name); err != nil {
		return value{}, err
	}
	return constant(&Tensor{DType: Double, Shape: shape, Floats: data}), nil
}

// unary applies a function of one variable to each element.
func (n *node) unary(f graph.Unary, x value) (value, error) {
	return n.emit(f, x.shape, x.dtype, x)
}

// notFinite returns the index of the first infinity or NaN, or -1.
func notFinite(list []float64) int {
	for i, v := range list {
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return i
		}
	}
	return -1
}

// graph returns what was built and simplified.
func (l *lowerer) graph() (*graph.Graph, error) {
	var bad []UnsupportedNode
	g := &graph.Graph{Name: l.model.graph.GetName(), Inputs: l.inputs, Outputs: l.outputs}
	for _, d := range l.drafts {
		if c, ok := d.op.(graph.Const); ok {
			d.op = graph.Const{Values: singles(c.Values)}
			if at := notFinite(c.Values); at >= 0 {
				bad = append(bad, UnsupportedNode{Name: d.name, OpType: "constant",
					Reason: fmt.Sprintf("its element %d is %v, which is not a finite number", at, c.Values[at])})
			}
		}
		g.Nodes = append(g.Nodes, graph.Node{Op: d.op, Inputs: d.inputs, Shape: d.shape, Name: d.name})
	}
	if len(bad) > 0 {
		return nil, &UnsupportedError{File: l.budget.file, Nodes: bad}
	}
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", fileLabel(l.budget.file), err)
	}
	return g, nil
}

// singles rounds what isn't an integer to single precision, the precision that a
// graph's constants have, and gives zero one form.
func singles(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = v + 0 // -0 becomes 0
		if s := float64(float32(v)); v != math.Trunc(v) && !math.IsInf(s, 0) {
			out[i] = s
		}
	}
	return out
}
