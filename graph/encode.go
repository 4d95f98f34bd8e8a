package graph

import (
	"bytes"
	"fmt"

	"github.com/zkml-go/zkml/internal/codec"
	"github.com/zkml-go/zkml/tensor"
)

// formatVersion is the first field of an encoded graph.
const formatVersion = 1

// The encoded forms. Nodes, outputs and the graph are arrays in the order of the
// fields; an operator is a map by field name, chosen by the node's kind.
type (
	encodedGraph struct {
		_       struct{} `cbor:",toarray"`
		Version uint
		Name    string
		Nodes   []encodedNode
		Inputs  []ID
		Outputs []encodedOutput
	}
	encodedNode struct {
		_      struct{} `cbor:",toarray"`
		Kind   string
		Op     codec.RawMessage
		Inputs []ID
		Shape  tensor.Shape
		Name   string
	}
	encodedOutput struct {
		_    struct{} `cbor:",toarray"`
		Name string
		ID   ID
	}
	encodedConst struct {
		Values codec.Float64s
	}
	encodedRewire struct {
		Index *codec.Deltas `cbor:",omitempty"` // absent for the identity
		Fill  float64
	}
)

// Encode returns the graph's canonical bytes: the same graph gives the same bytes
// on every machine. The graph should be valid; Decode refuses one that isn't.
func Encode(g *Graph) ([]byte, error) {
	e := encodedGraph{Version: formatVersion, Name: g.Name, Inputs: g.Inputs}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Op == nil {
			return nil, g.failure(ID(i), fmt.Errorf("no operator"))
		}
		op, err := encodeOp(n.Op)
		if err != nil {
			return nil, g.failure(ID(i), err)
		}
		e.Nodes = append(e.Nodes, encodedNode{Kind: n.Op.kind(), Op: op, Inputs: n.Inputs, Shape: n.Shape, Name: n.Name})
	}
	for _, out := range g.Outputs {
		e.Outputs = append(e.Outputs, encodedOutput{Name: out.Name, ID: out.ID})
	}
	return codec.Marshal(e)
}

// Decode reads what Encode wrote and validates it. It refuses bytes that aren't
// the canonical ones, so that a graph has one digest. Memory is proportional to
// the length of data.
func Decode(data []byte) (*Graph, error) {
	var e encodedGraph
	if err := codec.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	if e.Version != formatVersion {
		return nil, fmt.Errorf("graph: format version %d, this program reads %d", e.Version, formatVersion)
	}
	g := &Graph{Name: e.Name, Inputs: e.Inputs, Nodes: make([]Node, len(e.Nodes))}
	for i, n := range e.Nodes {
		op, err := decodeOp(n.Kind, n.Op)
		if err != nil {
			return nil, fmt.Errorf("graph: node %d (%s %q): %w", i, n.Kind, n.Name, err)
		}
		g.Nodes[i] = Node{Op: op, Inputs: n.Inputs, Shape: n.Shape, Name: n.Name}
	}
	for _, out := range e.Outputs {
		g.Outputs = append(g.Outputs, Output{Name: out.Name, ID: out.ID})
	}
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	again, err := Encode(g)
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	if !bytes.Equal(data, again) {
		return nil, fmt.Errorf("graph: %w", codec.ErrNotCanonical)
	}
	return g, nil
}

// encodeOp encodes an operator's own fields.
func encodeOp(op Op) (codec.RawMessage, error) {
	switch op := op.(type) {
	case Const:
		return codec.Marshal(encodedConst{Values: op.Values})
	case Rewire:
		e := encodedRewire{Fill: op.Fill}
		if op.Index != nil {
			index := codec.Deltas(op.Index)
			e.Index = &index
		}
		return codec.Marshal(e)
	}
	return codec.Marshal(op)
}

// decodeOp is encodeOp's inverse.
func decodeOp(kind string, data codec.RawMessage) (Op, error) {
	decode, ok := opDecoders[kind]
	if !ok {
		return nil, fmt.Errorf("unknown operator")
	}
	return decode(data)
}

// opDecoders holds one decoder for each operator, by kind.
var opDecoders = map[string]func(codec.RawMessage) (Op, error){
	Input{}.kind():     decodeAs[Input],
	Const{}.kind():     decodeConst,
	Rewire{}.kind():    decodeRewire,
	Linear{}.kind():    decodeAs[Linear],
	MatMul{}.kind():    decodeAs[MatMul],
	Mul{}.kind():       decodeAs[Mul],
	Div{}.kind():       decodeAs[Div],
	Add{}.kind():       decodeAs[Add],
	Unary{}.kind():     decodeAs[Unary],
	Max{}.kind():       decodeAs[Max],
	Softmax{}.kind():   decodeAs[Softmax],
	ArgMax{}.kind():    decodeAs[ArgMax],
	Threshold{}.kind(): decodeAs[Threshold],
}

// decodeAs decodes an operator whose encoded form is its own.
func decodeAs[T Op](data codec.RawMessage) (Op, error) {
	var op T
	err := codec.Unmarshal(data, &op)
	return op, err
}

func decodeConst(data codec.RawMessage) (Op, error) {
	var e encodedConst
	err := codec.Unmarshal(data, &e)
	return Const{Values: e.Values}, err
}

func decodeRewire(data codec.RawMessage) (Op, error) {
	var e encodedRewire
	if err := codec.Unmarshal(data, &e); err != nil {
		return nil, err
	}
	r := Rewire{Fill: e.Fill}
	if e.Index != nil {
		r.Index = append([]int32{}, *e.Index...)
	}
	return r, nil
}
