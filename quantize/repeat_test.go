package quantize_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/quantize/quantizetest"
	"github.com/zkml-go/zkml/tensor"
)

// TestRepeat compares the repeated form of random programs with as many runs of the
// program: every output's integers and interval.
func TestRepeat(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 3))
		p := quantizetest.Program(r, quantizetest.Options{})
		n := 1 + r.IntN(4)
		repeated, err := p.Repeat(n)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if err := repeated.Validate(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		all := make([][]int64, len(p.Inputs))
		want := make([][]int64, len(p.Outputs))
		for range n {
			inputs := quantizetest.Inputs(r, p)
			values, err := p.Run(inputs)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			for i := range inputs {
				all[i] = append(all[i], inputs[i]...)
			}
			for i, out := range p.Outputs {
				want[i] = append(want[i], values[out.ID]...)
			}
		}
		values, err := repeated.Run(all)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for i, out := range repeated.Outputs {
			one, many := &p.Nodes[p.Outputs[i].ID], &repeated.Nodes[out.ID]
			if !slices.Equal(values[out.ID], want[i]) {
				t.Fatalf("seed %d: output %d of %d inferences is %v, alone they give %v", seed, i, n, values[out.ID], want[i])
			}
			if many.Lo != one.Lo || many.Hi != one.Hi || many.Scale != one.Scale || out.Name != p.Outputs[i].Name {
				t.Fatalf("seed %d: output %d is %+v, alone %+v", seed, i, many, one)
			}
			if want := append(tensor.Shape{n}, one.Shape...); !many.Shape.Equal(want) {
				t.Fatalf("seed %d: output %d has shape %v, want %v", seed, i, many.Shape, want)
			}
		}
		if a, b := params(p), params(repeated); !slices.EqualFunc(a, b, slices.Equal[[]int64]) {
			t.Fatalf("seed %d: the hidden weights are %v, alone %v", seed, b, a)
		}
	}
}

// params lists the values of the hidden weights.
func params(p *quantize.Program) (all [][]int64) {
	for i := range p.Nodes {
		if op, ok := p.Nodes[i].Op.(quantize.Param); ok {
			all = append(all, op.Values)
		}
	}
	return all
}

func TestRepeatRefuses(t *testing.T) {
	p := classifier(3)
	for _, n := range []int{-1, 0, quantize.MaxElements, 1 << 62} {
		var invalid *quantize.InvalidError
		if _, err := p.Repeat(n); !errors.As(err, &invalid) {
			t.Errorf("%d inferences: %v", n, err)
		}
		if _, err := p.CountCorrect(n); !errors.As(err, &invalid) {
			t.Errorf("%d samples: %v", n, err)
		}
	}
}

// TestRepeatRefusesCopies repeats a product with a constant that each inference would have
// a copy of, the copies alone too many. The matrix has 2^16 elements, the other tensors 2^9.
func TestRepeatRefusesCopies(t *testing.T) {
	const k, n = 256, 1 << 15
	b := quantize.NewBuilder()
	x, _ := b.Append(quantize.Node{Op: quantize.Input{Name: "x", Bits: 4}, Shape: tensor.Shape{1, 1, k}})
	w, _ := b.Append(quantize.Node{Op: quantize.Const{Values: make([]int64, k*k)}, Shape: tensor.Shape{1, k, k}})
	y, err := b.Append(quantize.Node{Op: quantize.MatMul{}, Inputs: []quantize.ID{x, w}})
	if err != nil {
		t.Fatal(err)
	}
	b.Program.Outputs = []quantize.Output{{Name: "y", ID: y}}
	if _, err := b.Program.Repeat(2); err != nil {
		t.Error(err)
	}
	var invalid *quantize.InvalidError
	if _, err := b.Program.Repeat(n); !errors.As(err, &invalid) || invalid.Node != w {
		t.Errorf("%d copies of %d elements: %v", n, k*k, err)
	}
}

// classifier answers with the index of the largest of its inputs, or for one class with
// whether the input is at least 0.
func classifier(classes int) *quantize.Program {
	b := quantize.NewBuilder()
	x, _ := b.Append(quantize.Node{Op: quantize.Input{Name: "x", Bits: 4}, Shape: tensor.Shape{1, classes}, Lo: -8})
	var op quantize.Op = quantize.ArgMax{}
	if classes == 1 {
		op = quantize.Threshold{}
	}
	y, err := b.Append(quantize.Node{Op: op, Inputs: []quantize.ID{x}})
	if err != nil {
		panic(err)
	}
	y, _ = b.Append(quantize.Node{Op: quantize.Rewire{}, Inputs: []quantize.ID{y}, Shape: tensor.Shape{1, 1, 1}})
	b.Program.Outputs = []quantize.Output{{Name: "label", ID: y}}
	return b.Program
}

func TestCountCorrect(t *testing.T) {
	for _, test := range []struct {
		name         string
		classes      int
		x, labels    []int64
		want         int64
		bits, counts int64 // Hi of labels and of correct
	}{
		{"argmax", 3, []int64{1, 2, 3, 7, -8, 0, 0, 5, 5, -1, -1, -1}, []int64{2, 0, 1, 0}, 4, 3, 4},
		{"argmax, some wrong", 3, []int64{1, 2, 3, 7, -8, 0, 0, 5, 5, -1, -1, -1}, []int64{0, 0, 2, 2}, 1, 3, 4},
		{"labels that are no class", 3, []int64{1, 2, 3, 7, -8, 0}, []int64{3, 3}, 0, 3, 2},
		{"two classes", 2, []int64{1, 2, 2, 1, 3, 3}, []int64{1, 1, 0}, 2, 1, 3},
		{"threshold", 1, []int64{-8, -1, 0, 7}, []int64{0, 0, 1, 0}, 3, 1, 4},
		{"nine classes", 9, []int64{0, 0, 0, 0, 0, 0, 0, 0, 1}, []int64{8}, 1, 15, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := classifier(test.classes).CountCorrect(len(test.labels))
			if err != nil {
				t.Fatal(err)
			}
			values, err := p.Run([][]int64{test.x, test.labels})
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Outputs) != 1 || p.Outputs[0].Name != quantize.CorrectOutput {
				t.Fatalf("the outputs are %+v", p.Outputs)
			}
			if got := values[p.Outputs[0].ID]; !slices.Equal(got, []int64{test.want}) {
				t.Errorf("%v correct, want %d", got, test.want)
			}
			labels, count := &p.Nodes[p.Inputs[1]], &p.Nodes[p.Outputs[0].ID]
			if labels.Lo != 0 || labels.Hi != test.bits || count.Lo != 0 || count.Hi != test.counts {
				t.Errorf("labels in [%d, %d], count in [%d, %d]", labels.Lo, labels.Hi, count.Lo, count.Hi)
			}
		})
	}
}

func TestCountCorrectRefuses(t *testing.T) {
	number := classifier(2)
	number.Outputs[0].ID = 0
	two := classifier(2)
	two.Outputs = append(two.Outputs, two.Outputs[0])
	taken := classifier(2)
	taken.Nodes[0].Op = quantize.Input{Name: quantize.LabelsInput, Bits: 4}
	b := quantize.NewBuilder()
	x, _ := b.Append(quantize.Node{Op: quantize.Input{Name: "x", Bits: 4}, Shape: tensor.Shape{2}})
	y, _ := b.Append(quantize.Node{Op: quantize.Threshold{T: 3}, Inputs: []quantize.ID{x}})
	b.Program.Outputs = []quantize.Output{{Name: "labels", ID: y}}
	moved, _ := b.Append(quantize.Node{Op: quantize.Rewire{Index: []int32{1}}, Inputs: []quantize.ID{y}, Shape: tensor.Shape{1}})
	picked := *b.Program
	picked.Outputs = []quantize.Output{{Name: "labels", ID: moved}}
	for name, p := range map[string]*quantize.Program{
		"a number": number, "two outputs": two, "an input named labels": taken, "two labels": b.Program, "one of two labels": &picked,
	} {
		var answer *quantize.AnswerError
		if _, err := p.CountCorrect(4); !errors.As(err, &answer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
