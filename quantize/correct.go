package quantize

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/zkml-go/zkml/tensor"
)

// LabelsInput and CorrectOutput are the names of the input and of the output that
// CountCorrect adds.
const (
	LabelsInput   = "labels"
	CorrectOutput = "correct"
)

// AnswerError says why a program's answers can't be counted as right or wrong.
type AnswerError struct {
	Output string // the output that it is about, "" if none
	Reason string
}

// Error implements error.
func (e *AnswerError) Error() string {
	if e.Output == "" {
		return "no accuracy to prove: " + e.Reason
	}
	return fmt.Sprintf("no accuracy to prove: output %q %s", e.Output, e.Reason)
}

// Classes returns how many labels the program's one answer can have: the length of what
// an ArgMax looks at, or 2 for a Threshold. The error is an *AnswerError if its answer
// isn't one label.
func (p *Program) Classes() (int, error) {
	if len(p.Outputs) != 1 {
		return 0, &AnswerError{"", fmt.Sprintf("the model has %d outputs, not one", len(p.Outputs))}
	}
	out := p.Outputs[0]
	id := out.ID
	for {
		n := &p.Nodes[id]
		switch op := n.Op.(type) {
		case ArgMax, Threshold:
			if n.Shape.Size() != 1 {
				return 0, &AnswerError{out.Name, fmt.Sprintf("has %d labels, not one", n.Shape.Size())}
			}
			if _, ok := op.(Threshold); ok {
				return 2, nil
			}
			scores := p.Nodes[n.Inputs[0]].Shape
			return scores[len(scores)-1], nil
		case Rewire:
			if op.Index == nil {
				id = n.Inputs[0]
				continue
			}
		}
		return 0, &AnswerError{out.Name, "is a number, not a label: add a head that decides, argmax or threshold=T"}
	}
}

// CountCorrect returns the program that runs p on n samples and counts how many answers
// are those of their labels. Its inputs are p's, repeated ([Program.Repeat]), and
// LabelsInput of shape [n], whose interval is [0, 2^b) for the least b that holds all
// classes: a label that is none counts as a wrong answer. Its output is CorrectOutput, of
// shape [1]. For an answer a and a label l,
//
//	wrong = (a − l)²          for two classes
//	wrong = [(a − l)² ≥ 1]    for more
//	correct = n − Σ wrong
//
// Errors are of type *AnswerError, or *InvalidError if n is out of reason.
func (p *Program) CountCorrect(n int) (*Program, error) {
	classes, err := p.Classes()
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(p.Inputs, func(id ID) bool { return p.Nodes[id].Op.(Input).Name == LabelsInput }) {
		return nil, &AnswerError{"", fmt.Sprintf("the model has an input named %q itself", LabelsInput)}
	}
	r, err := p.repeat(n)
	if err != nil {
		return nil, err
	}
	answers := r.b.Program.Outputs[0].ID
	r.b.Program.Outputs = nil
	b := &counter{r: r}
	labels := b.append(Node{Op: Input{LabelsInput, max(1, bits.Len(uint(classes-1)))}, Shape: tensor.Shape{n}, Name: LabelsInput})
	answers = b.reshape(answers, tensor.Shape{n})
	difference := b.append(Node{Op: Add{Coeffs: []int64{1, -1}}, Inputs: []ID{answers, labels}})
	wrong := b.append(Node{Op: Mul{}, Inputs: []ID{difference, difference}})
	if b.err == nil && r.b.Node(wrong).Hi > 1 {
		wrong = b.append(Node{Op: Threshold{T: 1}, Inputs: []ID{wrong}})
	}
	wrong = b.reshape(wrong, tensor.Shape{1, n, 1, 1})
	minus := b.append(Node{Op: Const{slices.Repeat([]int64{-1}, n)}, Shape: tensor.Shape{1, n, 1, 1}})
	all := b.append(Node{Op: Const{[]int64{int64(n)}}, Shape: tensor.Shape{1}})
	count := b.append(Node{
		Op: Linear{Groups: 1, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}, Inputs: []ID{wrong, minus, all},
	})
	count = b.reshape(count, tensor.Shape{1})
	if b.err != nil {
		return nil, b.err
	}
	r.b.Program.Outputs = []Output{{Name: CorrectOutput, ID: count}}
	return r.b.Program, nil
}

// counter appends nodes until one fails.
type counter struct {
	r   *repetition
	err error
}

func (c *counter) append(n Node) (id ID) {
	if c.err != nil {
		return -1
	}
	if n.Name == "" {
		n.Name = CorrectOutput
	}
	id, c.err = c.r.append(n)
	return id
}

func (c *counter) reshape(x ID, s tensor.Shape) ID {
	return c.append(Node{Op: Rewire{}, Inputs: []ID{x}, Shape: s})
}
