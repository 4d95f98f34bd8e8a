package zkml

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/zkml-go/zkml/graph"
)

// Head is a decision that is appended to a model, so that a contract gets a label
// instead of scores. The zero value appends nothing.
type Head struct {
	kind headKind
	// threshold is what an element must reach to be 1.
	threshold float64
}

type headKind uint8

const (
	noHead headKind = iota
	argMaxHead
	thresholdHead
)

// LabelOutput is the name of the output that a head makes.
const LabelOutput = "label"

// ArgMax is the head that answers with the index of the largest element of the last
// axis, the first one of equals. A softmax right before it is left out: it doesn't
// change the order.
func ArgMax() Head { return Head{kind: argMaxHead} }

// Threshold is the head that answers, for each element, 1 if it is at least t and 0
// otherwise.
func Threshold(t float64) Head { return Head{kind: thresholdHead, threshold: t} }

// ParseHead reads "argmax" or "threshold=T"; the empty string is no head.
func ParseHead(s string) (Head, error) {
	name, number, given := strings.Cut(s, "=")
	switch {
	case s == "":
		return Head{}, nil
	case name == "argmax" && !given:
		return ArgMax(), nil
	case name == "threshold" && given:
		t, err := strconv.ParseFloat(number, 64)
		if err == nil && !math.IsNaN(t) && !math.IsInf(t, 0) {
			return Threshold(t), nil
		}
	}
	return Head{}, fmt.Errorf("head %q: want argmax or threshold=T", s)
}

// String is the inverse of ParseHead.
func (h Head) String() string {
	switch h.kind {
	case argMaxHead:
		return "argmax"
	case thresholdHead:
		return "threshold=" + strconv.FormatFloat(h.threshold, 'g', -1, 64)
	}
	return ""
}

// MarshalText implements encoding.TextMarshaler.
func (h Head) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Head) UnmarshalText(text []byte) (err error) {
	*h, err = ParseHead(string(text))
	return err
}

// HeadError says why a decision can't be appended to a model.
type HeadError struct {
	Head   string
	Reason string
}

// Error implements error.
func (e *HeadError) Error() string { return fmt.Sprintf("head %s: %s", e.Head, e.Reason) }

// appendTo adds the head to a graph with one output, which it replaces.
func (h Head) appendTo(g *graph.Graph) error {
	if h.kind == noHead {
		return nil
	}
	if len(g.Outputs) != 1 {
		return &HeadError{h.String(), fmt.Sprintf("the model has %d outputs; a head needs exactly one", len(g.Outputs))}
	}
	scores := g.Outputs[0].ID
	if g.IsLabel(scores) {
		return &HeadError{h.String(), fmt.Sprintf("output %q is a label already", g.Outputs[0].Name)}
	}
	shape := g.Nodes[scores].Shape
	node := graph.Node{Name: h.String()}
	switch h.kind {
	case argMaxHead:
		if len(shape) == 0 || shape[len(shape)-1] < 2 {
			return &HeadError{h.String(), fmt.Sprintf("output %q of shape %v has no last axis with two or more scores; use threshold=T", g.Outputs[0].Name, shape)}
		}
		if _, ok := g.Nodes[scores].Op.(graph.Softmax); ok {
			scores = g.Nodes[scores].Inputs[0] // a softmax keeps the order, and costs rows
		}
		node.Op, node.Shape = graph.ArgMax{}, shape[:len(shape)-1].Clone()
	case thresholdHead:
		node.Op, node.Shape = graph.Threshold{T: h.threshold}, shape.Clone()
	}
	node.Inputs = []graph.ID{scores}
	g.Nodes = append(g.Nodes, node)
	g.Outputs[0] = graph.Output{Name: LabelOutput, ID: graph.ID(len(g.Nodes) - 1)}
	return nil
}

// classes returns how many labels the head's answer has, or 0 if there is no head.
func (h Head) classes(g *graph.Graph) int {
	switch h.kind {
	case argMaxHead:
		n := &g.Nodes[g.Outputs[0].ID]
		scores := g.Nodes[n.Inputs[0]].Shape
		return scores[len(scores)-1]
	case thresholdHead:
		return 2
	}
	return 0
}
