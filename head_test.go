package zkml

import (
	"errors"
	"testing"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

// answering returns a graph whose output y of the given shape an operator computes
// from the input x, and a reshape moves.
func answering(op graph.Op, x, y tensor.Shape) *graph.Graph {
	return &graph.Graph{
		Nodes: []graph.Node{
			{Op: graph.Input{Name: "x"}, Shape: x, Name: "x"},
			{Op: op, Inputs: []graph.ID{0}, Shape: y, Name: "y"},
		},
		Inputs:  []graph.ID{0},
		Outputs: []graph.Output{{Name: "y", ID: 1}},
	}
}

// TestHeadSkipsSoftmax wants the class of a softmax without the softmax, which a
// threshold needs.
func TestHeadSkipsSoftmax(t *testing.T) {
	for _, test := range []struct {
		head Head
		from graph.ID
	}{{ArgMax(), 0}, {Threshold(0.5), 1}} {
		g := answering(graph.Softmax{}, tensor.Shape{1, 3}, tensor.Shape{1, 3})
		if err := test.head.appendTo(g); err != nil {
			t.Fatal(err)
		}
		if err := g.Validate(); err != nil {
			t.Fatal(err)
		}
		if from := g.Nodes[g.Outputs[0].ID].Inputs[0]; from != test.from {
			t.Errorf("%s reads tensor %d: want %d", test.head, from, test.from)
		}
	}
	g := answering(graph.Softmax{}, tensor.Shape{1, 3}, tensor.Shape{1, 3})
	if err := ArgMax().appendTo(g); err != nil {
		t.Fatal(err)
	}
	if classes := ArgMax().classes(g); classes != 3 {
		t.Errorf("%d classes: want 3", classes)
	}
}

// TestHeadErrors wants heads refused that mean nothing.
func TestHeadErrors(t *testing.T) {
	scalar := answering(graph.Max{}, tensor.Shape{3}, tensor.Shape{})
	single := answering(graph.Softmax{}, tensor.Shape{2, 1}, tensor.Shape{2, 1})
	label := answering(graph.ArgMax{}, tensor.Shape{2, 3}, tensor.Shape{2})
	moved := answering(graph.ArgMax{}, tensor.Shape{2, 3}, tensor.Shape{2})
	moved.Nodes = append(moved.Nodes, graph.Node{Op: graph.Rewire{}, Inputs: []graph.ID{1}, Shape: tensor.Shape{1, 2}, Name: "moved"})
	moved.Outputs[0].ID = 2
	two := answering(graph.Softmax{}, tensor.Shape{3}, tensor.Shape{3})
	two.Outputs = append(two.Outputs, graph.Output{Name: "x", ID: 0})
	for _, test := range []struct {
		name  string
		graph *graph.Graph
		head  Head
	}{
		{"argmax of a scalar", scalar, ArgMax()},
		{"argmax of one score", single, ArgMax()},
		{"argmax of a label", label, ArgMax()},
		{"argmax of a label that was moved", moved, ArgMax()},
		{"threshold of a label", label, Threshold(0.5)},
		{"argmax of two outputs", two, ArgMax()},
	} {
		var head *HeadError
		if err := test.head.appendTo(test.graph); !errors.As(err, &head) {
			t.Errorf("%s: error %v", test.name, err)
		}
	}
}
