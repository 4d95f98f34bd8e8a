package quantize

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/zkml-go/zkml/graph"
)

// Head is a decision appended to a model, so that its answer is a class and not a
// list of scores.
type Head struct {
	Kind HeadKind
	// Threshold is the real value at and above which the answer is 1.
	Threshold float64
}

// HeadKind is the kind of a Head.
type HeadKind uint8

// The kinds of heads.
const (
	// NoHead leaves the model as it is.
	NoHead HeadKind = iota
	// ArgMaxHead answers with the index of the largest score of the last axis, the
	// first of equals.
	ArgMaxHead
	// ThresholdHead answers with 1 where a score is at least Threshold, else 0.
	ThresholdHead
)

// ParseHead reads "argmax" or "threshold=T"; the empty string is no head.
func ParseHead(s string) (Head, error) {
	switch name, number, given := strings.Cut(s, "="); {
	case s == "":
		return Head{}, nil
	case name == "argmax" && !given:
		return Head{Kind: ArgMaxHead}, nil
	case name == "threshold":
		t, err := strconv.ParseFloat(number, 64)
		if err == nil && !math.IsNaN(t) && !math.IsInf(t, 0) {
			return Head{Kind: ThresholdHead, Threshold: t}, nil
		}
	}
	return Head{}, fmt.Errorf("head %q: want argmax or threshold=T", s)
}

// WithHead returns a copy of g with a head on its only output, which keeps its
// name. The decision is taken on raw accumulators; an argmax skips a softmax right
// before it, which doesn't change the order. It is an error if the model has
// several outputs, or if its output is a decision already.
func WithHead(g *graph.Graph, h Head) (*graph.Graph, error) {
	if h.Kind == NoHead {
		return g, nil
	}
	if len(g.Outputs) != 1 {
		return nil, fmt.Errorf("a head needs a model with one output, this one has %d", len(g.Outputs))
	}
	out := g.Outputs[0]
	if isLabel(g, out.ID) {
		return nil, fmt.Errorf("output %q is a class already", out.Name)
	}
	scores := out.ID
	shape := g.Nodes[scores].Shape
	var op graph.Op = graph.Threshold{T: h.Threshold}
	if h.Kind == ArgMaxHead {
		op = graph.ArgMax{}
		if len(shape) == 0 || shape[len(shape)-1] < 2 {
			return nil, fmt.Errorf("output %q of shape %v has no classes to choose from", out.Name, shape)
		}
		shape = shape[:len(shape)-1]
		if _, ok := g.Nodes[scores].Op.(graph.Softmax); ok {
			scores = g.Nodes[scores].Inputs[0]
		}
	}
	with := *g
	with.Nodes = append(slices.Clone(g.Nodes), graph.Node{Op: op, Inputs: []graph.ID{scores}, Shape: shape.Clone(), Name: out.Name})
	with.Outputs = []graph.Output{{Name: out.Name, ID: graph.ID(len(with.Nodes) - 1)}}
	return &with, nil
}
