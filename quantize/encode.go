package quantize

import (
	"crypto/sha256"
	"fmt"
	"math"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/codec"
	"github.com/zkml-go/zkml/tensor"
)

// formatVersion is the version of the encoding.
const formatVersion = 1

// The kinds of operators in the encoding.
const (
	kindInput = iota + 1
	kindConst
	kindParam
	kindRewire
	kindLinear
	kindMatMul
	kindMul
	kindAdd
	kindRescale
	kindLookup
	kindMax
	kindThreshold
	kindDiv
	kindArgMax
)

// encodedProgram is the form of a Program in files: deterministic CBOR.
type encodedProgram struct {
	Version uint64          `cbor:"1,keyasint"`
	Nodes   []encodedNode   `cbor:"2,keyasint"`
	Inputs  codec.Varints   `cbor:"3,keyasint"`
	Outputs []encodedOutput `cbor:"4,keyasint"`
}

// encodedOutput is an Output.
type encodedOutput struct {
	Name   string   `cbor:"1,keyasint"`
	ID     int64    `cbor:"2,keyasint"`
	Labels []string `cbor:"3,keyasint"`
}

// encodedNode is a Node. Numbers are the operator's scalar fields in the order of
// their declaration; Text is its name, Values its integers, Index its map.
type encodedNode struct {
	Kind    uint8         `cbor:"1,keyasint"`
	Inputs  codec.Varints `cbor:"2,keyasint"`
	Shape   codec.Varints `cbor:"3,keyasint"`
	Lo      int64         `cbor:"4,keyasint"`
	Hi      int64         `cbor:"5,keyasint"`
	Num     uint64        `cbor:"6,keyasint"`
	Den     uint64        `cbor:"7,keyasint"`
	Exp     int64         `cbor:"8,keyasint"`
	Name    string        `cbor:"9,keyasint"`
	Source  int64         `cbor:"10,keyasint"`
	Text    string        `cbor:"11,keyasint"`
	Numbers codec.Varints `cbor:"12,keyasint"`
	Values  codec.Varints `cbor:"13,keyasint"`
	Index   codec.Deltas  `cbor:"14,keyasint"`
}

// Encode returns the program in its file form, the values of Params included.
// Equal programs give equal bytes.
func (p *Program) Encode() ([]byte, error) { return p.encode(true) }

// Digest names the program: SHA-256 of a prefix and its encoding without the values
// of Params.
func (p *Program) Digest() [32]byte {
	data, err := p.encode(false)
	if err != nil {
		// Only an operator of another package fails, and Op is closed.
		panic(err)
	}
	return sha256.Sum256(append([]byte("zkml program\x00"), data...))
}

// encode writes the program, with or without the values of Params.
func (p *Program) encode(params bool) ([]byte, error) {
	e := encodedProgram{Version: formatVersion, Nodes: make([]encodedNode, len(p.Nodes)), Outputs: make([]encodedOutput, len(p.Outputs))}
	for i := range p.Nodes {
		n, err := encodeNode(&p.Nodes[i], params)
		if err != nil {
			return nil, fmt.Errorf("tensor %d: %w", i, err)
		}
		e.Nodes[i] = n
	}
	for _, id := range p.Inputs {
		e.Inputs = append(e.Inputs, int64(id))
	}
	for i, out := range p.Outputs {
		e.Outputs[i] = encodedOutput{out.Name, int64(out.ID), out.Labels}
	}
	return codec.Marshal(e)
}

// encodeNode flattens one node.
func encodeNode(n *Node, params bool) (encodedNode, error) {
	e := encodedNode{
		Lo: n.Lo, Hi: n.Hi, Num: n.Scale.Num, Den: n.Scale.Den, Exp: int64(n.Scale.Exp),
		Name: n.Name, Source: int64(n.Source),
	}
	for _, in := range n.Inputs {
		e.Inputs = append(e.Inputs, int64(in))
	}
	for _, d := range n.Shape {
		e.Shape = append(e.Shape, int64(d))
	}
	switch op := n.Op.(type) {
	case Input:
		e.Kind, e.Text, e.Numbers = kindInput, op.Name, codec.Varints{int64(op.Bits)}
	case Const:
		e.Kind, e.Values = kindConst, op.Values
	case Param:
		e.Kind, e.Text, e.Numbers = kindParam, op.Name, codec.Varints{int64(op.Bits)}
		if params {
			e.Values = op.Values
		}
	case Rewire:
		e.Kind, e.Index, e.Numbers = kindRewire, op.Index, codec.Varints{op.Fill}
	case Linear:
		e.Kind = kindLinear
		for _, v := range []int{op.Groups, op.Stride[0], op.Stride[1], op.Dilation[0], op.Dilation[1], op.Pad[0], op.Pad[1], op.Pad[2], op.Pad[3]} {
			e.Numbers = append(e.Numbers, int64(v))
		}
	case MatMul:
		e.Kind = kindMatMul
	case Mul:
		e.Kind = kindMul
	case Add:
		e.Kind, e.Values, e.Numbers = kindAdd, op.Coeffs, codec.Varints{op.Const}
	case Rescale:
		e.Kind, e.Numbers = kindRescale, codec.Varints{op.Multiplier, int64(op.Shift), int64(op.Rounding), op.Min, op.Max}
	case Lookup:
		e.Kind, e.Text, e.Values, e.Numbers = kindLookup, op.Func, op.Table, codec.Varints{op.Min}
	case Max:
		e.Kind = kindMax
	case Threshold:
		e.Kind, e.Numbers = kindThreshold, codec.Varints{op.T}
	case Div:
		e.Kind, e.Numbers = kindDiv, codec.Varints{int64(op.Shift)}
	case ArgMax:
		e.Kind, e.Numbers = kindArgMax, codec.Varints{flag(op.Last)}
	default:
		return e, fmt.Errorf("unknown operator %T", n.Op)
	}
	return e, nil
}

// flag is 1 for true.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Decode reads what Encode wrote and validates it. It is safe on any bytes, under
// the limits of Validate.
func Decode(data []byte) (*Program, error) {
	var e encodedProgram
	if err := codec.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("program: %w", err)
	}
	if e.Version != formatVersion {
		return nil, fmt.Errorf("program: format version %d, this is version %d", e.Version, formatVersion)
	}
	p := &Program{Nodes: make([]Node, len(e.Nodes)), Outputs: make([]Output, len(e.Outputs))}
	for i := range e.Nodes {
		n, err := decodeNode(&e.Nodes[i])
		if err != nil {
			return nil, fmt.Errorf("program: tensor %d: %w", i, err)
		}
		p.Nodes[i] = n
	}
	for _, id := range e.Inputs {
		p.Inputs = append(p.Inputs, ID(id))
	}
	for i, out := range e.Outputs {
		p.Outputs[i] = Output{out.Name, ID(out.ID), out.Labels}
	}
	if err := codec.CheckCanonical(data, e); err != nil {
		return nil, fmt.Errorf("program: %w", err)
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return p, nil
}

// numbers is how many scalar fields each kind has.
var numbers = map[uint8]int{kindInput: 1, kindParam: 1, kindRewire: 1, kindLinear: 9, kindAdd: 1, kindRescale: 5, kindLookup: 1, kindThreshold: 1, kindDiv: 1, kindArgMax: 1}

// decodeNode is the inverse of encodeNode. Fields that the kind doesn't use must be
// empty.
func decodeNode(e *encodedNode) (Node, error) {
	n := Node{Lo: e.Lo, Hi: e.Hi, Scale: Scale{e.Num, e.Den, int(e.Exp)}, Name: e.Name, Source: graph.ID(e.Source), Shape: tensor.Shape{}}
	for _, in := range e.Inputs {
		n.Inputs = append(n.Inputs, ID(in))
	}
	for _, d := range e.Shape {
		n.Shape = append(n.Shape, int(d))
	}
	if len(e.Numbers) != numbers[e.Kind] {
		return n, fmt.Errorf("operator %d with %d numbers", e.Kind, len(e.Numbers))
	}
	number := func(i int) int { return int(e.Numbers[i]) }
	shift := func(i int) uint {
		if v := e.Numbers[i]; v >= 0 && v < 64 {
			return uint(v)
		}
		return math.MaxUint32
	}
	switch e.Kind {
	case kindInput:
		n.Op = Input{e.Text, number(0)}
	case kindConst:
		n.Op = Const{e.Values}
	case kindParam:
		n.Op = Param{e.Text, number(0), e.Values}
	case kindRewire:
		n.Op = Rewire{e.Index, e.Numbers[0]}
	case kindLinear:
		n.Op = Linear{number(0), [2]int{number(1), number(2)}, [2]int{number(3), number(4)}, [4]int{number(5), number(6), number(7), number(8)}}
	case kindMatMul:
		n.Op = MatMul{}
	case kindMul:
		n.Op = Mul{}
	case kindAdd:
		n.Op = Add{e.Values, e.Numbers[0]}
	case kindRescale:
		if r := e.Numbers[2]; r < 0 || r > int64(HalfEven) {
			return n, fmt.Errorf("rounding %d", r)
		}
		n.Op = Rescale{e.Numbers[0], shift(1), Rounding(e.Numbers[2]), e.Numbers[3], e.Numbers[4]}
	case kindLookup:
		n.Op = Lookup{e.Text, e.Numbers[0], e.Values}
	case kindMax:
		n.Op = Max{}
	case kindThreshold:
		n.Op = Threshold{e.Numbers[0]}
	case kindDiv:
		n.Op = Div{shift(0)}
	case kindArgMax:
		if v := e.Numbers[0]; v < 0 || v > 1 {
			return n, fmt.Errorf("argmax with flag %d", v)
		}
		n.Op = ArgMax{e.Numbers[0] == 1}
	default:
		return n, fmt.Errorf("unknown operator %d", e.Kind)
	}
	again, err := encodeNode(&n, true)
	if err != nil {
		return n, err
	}
	if again.Text != e.Text || len(again.Values) != len(e.Values) || len(again.Index) != len(e.Index) {
		return n, fmt.Errorf("operator %d with fields that it doesn't have", e.Kind)
	}
	return n, nil
}
