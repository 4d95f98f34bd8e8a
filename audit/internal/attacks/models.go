package attacks

import (
	"context"
	"fmt"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// writer writes a program node by node and keeps the first error.
type writer struct {
	b   *quantize.Builder
	err error
}

func (w *writer) add(name string, op quantize.Op, in ...quantize.ID) quantize.ID {
	return w.node(quantize.Node{Op: op, Inputs: in, Name: name, Source: -1})
}

func (w *writer) node(n quantize.Node) quantize.ID {
	if w.err != nil {
		return -1
	}
	id, err := w.b.Append(n)
	w.err = err
	return id
}

func (w *writer) input(name string, bits int, lo int64, shape ...int) quantize.ID {
	return w.node(quantize.Node{Op: quantize.Input{Name: name, Bits: bits}, Lo: lo, Shape: tensor.Shape(shape), Name: name, Source: -1})
}

func (w *writer) fixed(values []int64, shape ...int) quantize.ID {
	return w.node(quantize.Node{Op: quantize.Const{Values: values}, Shape: tensor.Shape(shape), Name: "c", Source: -1})
}

func (w *writer) param(name string, bits int, lo int64, values []int64, shape ...int) quantize.ID {
	return w.node(quantize.Node{Op: quantize.Param{Name: name, Bits: bits, Values: values}, Lo: lo, Shape: tensor.Shape(shape), Name: name, Source: -1})
}

// program returns a function that writes a program with one output.
func program(write func(w *writer) quantize.ID) func() (*quantize.Program, error) {
	return func() (*quantize.Program, error) {
		w := &writer{b: quantize.NewBuilder()}
		y := write(w)
		if w.err != nil {
			return nil, fmt.Errorf("writing the program: %w", w.err)
		}
		w.b.Program.Outputs = []quantize.Output{{Name: "y", ID: y}}
		return w.b.Program, nil
	}
}

// counting is an argmax over classes whose right answers are counted.
func counting(samples, classes int) func() (*quantize.Program, error) {
	return func() (*quantize.Program, error) {
		p, err := program(func(w *writer) quantize.ID {
			return w.add("argmax", quantize.ArgMax{}, w.input("x", 4, -8, 1, classes))
		})()
		if err != nil {
			return nil, err
		}
		return p.CountCorrect(samples)
	}
}

func widths(w ...int) circuit.Options { return circuit.Options{Widths: w} }

var maximum = &model{
	name:    "max",
	program: program(func(w *writer) quantize.ID { return w.add("max", quantize.Max{}, w.input("x", 4, -8, 1, 3)) }),
	options: widths(4),
	inputs:  [][]int64{{3, -2, 5}},
}

var (
	one = quantize.Linear{Groups: 1, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}

	rounded = &model{"rescale", program(func(w *writer) quantize.ID {
		return w.add("rescale", quantize.Rescale{Multiplier: 1, Shift: 2, Min: -100, Max: 100}, w.input("x", 6, -32, 2))
	}), widths(4), [][]int64{{9, 10}}}

	rectified = &model{"relu", program(func(w *writer) quantize.ID {
		return w.add("relu", quantize.Rescale{Multiplier: 1, Shift: 2, Min: 0, Max: 100}, w.input("x", 6, -32, 2))
	}), widths(4), [][]int64{{1, -7}}}

	saturated = &model{"saturating rescale", program(func(w *writer) quantize.ID {
		return w.add("rescale", quantize.Rescale{Multiplier: 1, Shift: 2, Min: -2, Max: 1}, w.input("x", 6, -32, 2))
	}), widths(3), [][]int64{{27, 2}}}

	toEven = &model{"rescale to even", program(func(w *writer) quantize.ID {
		return w.add("rescale", quantize.Rescale{Multiplier: 1, Shift: 2, Rounding: quantize.HalfEven, Min: -100, Max: 100}, w.input("x", 6, -32, 2))
	}), widths(4), [][]int64{{10, 13}}}

	quotients = &model{"div", program(func(w *writer) quantize.ID {
		return w.add("div", quantize.Div{Shift: 2}, w.input("a", 4, 0, 2), w.input("d", 3, 1, 2))
	}), widths(4), [][]int64{{7, 7}, {3, 3}}}

	reciprocal = &model{"reciprocal", program(func(w *writer) quantize.ID {
		return w.add("reciprocal", quantize.Div{Shift: 4}, w.fixed([]int64{1, 1}, 2), w.input("d", 3, 1, 2))
	}), widths(4), [][]int64{{3, 8}}}

	ties = &model{"argmax", program(func(w *writer) quantize.ID {
		return w.add("argmax", quantize.ArgMax{}, w.input("x", 3, -4, 1, 3))
	}), widths(4), [][]int64{{2, -1, 2}}}

	lastTies = &model{"argmax, the last", program(func(w *writer) quantize.ID {
		return w.add("argmax", quantize.ArgMax{Last: true}, w.input("x", 3, -4, 1, 3))
	}), widths(4), [][]int64{{2, -1, 2}}}

	signs = &model{"threshold", program(func(w *writer) quantize.ID {
		return w.add("sign", quantize.Threshold{T: 0}, w.input("x", 4, -8, 3))
	}), widths(4), [][]int64{{0, 3, -1}}}

	lookups = &model{"lookup", program(func(w *writer) quantize.ID {
		return w.add("relu", quantize.Lookup{Func: "relu", Min: -4, Table: []int64{0, 0, 0, 0, 0, 1, 2, 3}}, w.input("x", 3, -4, 3))
	}), widths(3), [][]int64{{0, 3, -1}}}

	// lanes shows results in another order than that of their lanes, which are as wide as
	// the digits of its word.
	lanes = &model{"linear in lanes", program(func(w *writer) quantize.ID {
		values := make([]int64, 96)
		for i := range values {
			values[i] = int64(i*5%7) + 1
		}
		y := w.add("linear", one, w.input("x", 4, -8, 1, 12, 1, 1), w.fixed(values, 8, 12, 1, 1))
		return w.node(quantize.Node{Op: quantize.Rewire{Index: []int32{1, 0, 2, 3, 4, 5, 6, 7}}, Inputs: []quantize.ID{y}, Shape: tensor.Shape{8}, Name: "swap", Source: -1})
	}), widths(3, 5), [][]int64{{1, 2, -3, 4, 5, -6, 7, -8, 0, 1, 2, 3}}}

	product = &model{"product of matrices", program(func(w *writer) quantize.ID {
		return w.add("matmul", quantize.MatMul{}, w.input("a", 3, -4, 1, 5, 5), w.input("b", 3, -4, 1, 5, 5))
	}), widths(3, 5), [][]int64{
		{1, 2, -3, 0, 1, 3, -4, 2, 1, 0, 0, 1, 1, -2, 3, 2, 2, -1, -1, 0, 1, 3, 0, -3, 2},
		{0, 1, 2, -3, 1, 1, 2, -4, 3, 0, 2, 2, 1, -1, -1, 3, 0, 1, 2, -2, 0, 1, 1, 3, -3},
	}}

	// split is 3·relu(x0) + relu(x1) of inputs that nobody sees.
	split = &model{"sum of lookups", program(func(w *writer) quantize.ID {
		y := w.add("relu", quantize.Lookup{Func: "relu", Min: -4, Table: []int64{0, 0, 0, 0, 0, 1, 2, 3}}, w.input("x", 3, -4, 1, 2, 1, 1))
		return w.add("sum", one, y, w.fixed([]int64{3, 1}, 1, 2, 1, 1))
	}), circuit.Options{Widths: []int{3}, Visibility: map[string]circuit.Visibility{"x": circuit.Private}}, [][]int64{{-1, 3}}}

	pool = &model{"max pool", program(func(w *writer) quantize.ID {
		return w.add("rescale", quantize.Rescale{Multiplier: 1, Shift: 2, Min: 0, Max: 100}, w.add("max", quantize.Max{}, w.input("x", 6, -32, 1, 4)))
	}), widths(4), [][]int64{{9, -7, 17, 3}}}

	hidden = &model{"hidden weights", program(func(w *writer) quantize.ID {
		return w.add("linear", one, w.input("x", 4, -8, 1, 2, 1, 1), w.param("w", 3, -4, []int64{3, -2, 1, 0}, 2, 2, 1, 1))
	}), circuit.Options{Widths: []int{3}, Weights: circuit.Hashed}, [][]int64{{5, -3}}}

	unnamed = &model{"private weights", hidden.program, widths(3), hidden.inputs}

	secret = &model{"private input", program(func(w *writer) quantize.ID {
		x := w.input("x", 3, 0, 1, 3, 1, 1)
		return w.add("sum", one, x, w.fixed([]int64{1, 2, 4}, 1, 3, 1, 1))
	}), circuit.Options{Widths: []int{3}, Visibility: map[string]circuit.Visibility{"x": circuit.Private}}, [][]int64{{1, 2, 3}}}

	hashed = &model{"hashed input", program(func(w *writer) quantize.ID {
		return w.add("sum", quantize.Add{Coeffs: []int64{3}, Const: 1}, w.input("x", 4, 0, 3))
	}), circuit.Options{Widths: []int{4}, Visibility: map[string]circuit.Visibility{"x": circuit.Hashed}}, [][]int64{{1, 2, 3}}}

	scaled = &model{"scaled remainder", program(func(w *writer) quantize.ID {
		return w.add("sum", quantize.Add{Coeffs: []int64{4}}, w.add("rescale", quantize.Rescale{Multiplier: 1, Shift: 6, Min: -100, Max: 100}, w.input("x", 8, 0, 1)))
	}), widths(8), [][]int64{{68}}}

	// counted says how many of four samples were labelled rightly; rightly does of two,
	// with two classes and labels that nobody sees.
	counted = &model{"accuracy", counting(4, 3), widths(4), [][]int64{{1, 2, 3, 7, -8, 0, 0, 5, 5, -1, -1, -1}, {2, 0, 2, 0}}}
	rightly = &model{"accuracy of two classes", counting(2, 2), circuit.Options{
		Widths: []int{4}, Visibility: map[string]circuit.Visibility{quantize.LabelsInput: circuit.Private},
	}, [][]int64{{1, 2, 2, 1}, {1, 0}}}

	// distribution is a softmax, quantized from its graph as any model is.
	distribution = &model{"softmax", func() (*quantize.Program, error) {
		shape := tensor.Shape{1, 3}
		p, _, err := quantize.Quantize(context.Background(), &graph.Graph{
			Nodes: []graph.Node{
				{Op: graph.Input{Name: "x"}, Shape: shape, Name: "x"},
				{Op: graph.Softmax{}, Inputs: []graph.ID{0}, Shape: shape, Name: "softmax"},
			},
			Inputs:  []graph.ID{0},
			Outputs: []graph.Output{{Name: "y", ID: 1}},
		}, quantize.Options{})
		return p, err
	}, widths(6), [][]int64{{1, 2, 3}}}
)
