package cases

import (
	"context"
	"fmt"

	"github.com/zkml-go/zkml/audit"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// operator is a program of one operator and its operands.
type operator struct {
	name   string
	op     quantize.Op
	inputs []operand
}

// operand is an input of the program, a constant or a hidden weight.
type operand struct {
	shape tensor.Shape
	op    quantize.Op
	lo    int64
}

// Operators returns a circuit for each integer operator, inputs and results shown.
func Operators() ([]Case, error) {
	var list []Case
	for _, o := range operators() {
		c, err := o.compile()
		if err != nil {
			return nil, fmt.Errorf("operator %s: %w", o.name, err)
		}
		list = append(list, c)
	}
	return list, nil
}

func (o *operator) compile() (Case, error) {
	b := quantize.NewBuilder()
	var ids []quantize.ID
	for i, in := range o.inputs {
		op := in.op
		if x, ok := op.(quantize.Input); ok {
			x.Name = fmt.Sprint("x", i)
			op = x
		}
		id, err := b.Append(quantize.Node{Op: op, Shape: in.shape, Lo: in.lo, Source: -1, Name: fmt.Sprint("x", i)})
		if err != nil {
			return Case{}, err
		}
		ids = append(ids, id)
	}
	node := quantize.Node{Op: o.op, Inputs: ids, Source: -1, Name: o.name}
	if _, ok := o.op.(quantize.Rewire); ok {
		node.Shape = tensor.Shape{4}
	}
	id, err := b.Append(node)
	if err != nil {
		return Case{}, err
	}
	b.Program.Outputs = []quantize.Output{{Name: "y", ID: id}}
	c, err := circuit.Compile(context.Background(), b.Program, circuit.Options{Model: "operator " + o.name, Widths: []int{3, 5}})
	if err != nil {
		return Case{}, err
	}
	inputs, err := audit.Random(c, 4, 2)
	return Case{System: audit.Of(c), Inputs: inputs}, err
}

func operators() []operator {
	input := func(bits int, lo int64, shape ...int) operand {
		return operand{tensor.Shape(shape), quantize.Input{Bits: bits}, lo}
	}
	hidden := func(n int, shape ...int) operand {
		values := make([]int64, n)
		for i := range values {
			values[i] = int64(i%7) - 3
		}
		return operand{tensor.Shape(shape), quantize.Param{Name: "w", Bits: 3, Values: values}, -4}
	}
	fixed := func(n int, shape ...int) operand {
		values := make([]int64, n)
		for i := range values {
			values[i] = int64(i*5%11) - 4
		}
		return operand{tensor.Shape(shape), quantize.Const{Values: values}, 0}
	}
	plain := quantize.Linear{Groups: 1, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
	return []operator{
		{"Rewire", quantize.Rewire{Index: []int32{2, 0, -1, 1}, Fill: 3}, []operand{input(4, -8, 3)}},
		{"Linear", plain, []operand{input(4, -8, 1, 8, 1, 1), fixed(64, 8, 8, 1, 1), fixed(8, 8)}},
		{"Linear with hidden weights", plain, []operand{input(4, -8, 1, 3, 1, 1), hidden(6, 2, 3, 1, 1), hidden(2, 2)}},
		{"Linear at many positions", plain, []operand{input(3, -4, 1, 1, 5, 5), fixed(12, 3, 1, 2, 2)}},
		{"MatMul", quantize.MatMul{}, []operand{input(3, -4, 1, 5, 5), input(3, -4, 1, 5, 5)}},
		{"Mul", quantize.Mul{}, []operand{input(4, -8, 4), input(3, 0, 4)}},
		{"Add", quantize.Add{Coeffs: []int64{3, -2}, Const: 7}, []operand{input(4, -8, 4), input(3, 0, 4)}},
		{"Rescale", quantize.Rescale{Multiplier: 3, Shift: 4, Min: 0, Max: 9}, []operand{input(6, -32, 4)}},
		{"Rescale to even", quantize.Rescale{Multiplier: 1, Shift: 3, Rounding: quantize.HalfEven, Min: -2, Max: 1}, []operand{input(6, -32, 4)}},
		{"Lookup", quantize.Lookup{Func: "square", Min: -4, Table: []int64{16, 9, 4, 1, 0, 1, 4, 9}}, []operand{input(3, -4, 4)}},
		{"Max", quantize.Max{}, []operand{input(4, -8, 2, 3)}},
		{"Threshold", quantize.Threshold{T: 2}, []operand{input(4, -8, 4)}},
		{"Div", quantize.Div{Shift: 2}, []operand{input(4, 0, 3), input(3, 1, 3)}},
		{"ArgMax", quantize.ArgMax{}, []operand{input(3, -4, 2, 3)}},
	}
}
