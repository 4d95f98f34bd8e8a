package quantize

import (
	"math"

	"github.com/zkml-go/zkml/graph"
)

// goal is what one output has to reach.
type goal struct {
	limit     float64 // largest absolute error; +Inf if it doesn't matter
	agreement float64 // least fraction of samples with the same answer; 0 if it doesn't matter
	label     bool    // the output is a class: answers agree if equal
	span      float64 // the output's range
}

// goals applies the target to each output.
func (t Target) goals(g *graph.Graph, s *statistics) []goal {
	goals := make([]goal, len(g.Outputs))
	floating := 0
	for i, out := range g.Outputs {
		goals[i] = goal{limit: math.Inf(1), label: g.IsLabel(out.ID), span: outputRange(s, i)}
		if !goals[i].label {
			floating++
		}
	}
	for i, out := range g.Outputs {
		shape := g.Nodes[out.ID].Shape
		classes := len(shape) > 0 && shape[len(shape)-1] > 1 && shape.Size() == shape[len(shape)-1]
		to := &goals[i]
		switch {
		case t.Kind == ArgMaxTarget && (to.label || classes):
			to.agreement = t.Value
		case to.label:
			to.agreement = defaultAgreement
		case t.Kind == ErrorTarget:
			to.limit = t.Value * to.span
		default:
			to.limit = defaultError * to.span
			if classes && floating == 1 {
				to.agreement = defaultAgreement
			}
		}
	}
	return goals
}

// outputRange is the largest less the smallest value of an output over samples and
// elements; its largest magnitude where that is more than a hundred times larger;
// at least 2^-10.
func outputRange(s *statistics, output int) float64 {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, outputs := range s.outputs {
		for _, v := range outputs[output] {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	span, magnitude := hi-lo, max(math.Abs(lo), math.Abs(hi))
	if math.IsInf(magnitude, 0) {
		return 0x1p-10
	}
	if span < 0.01*magnitude {
		span = magnitude
	}
	return max(span, 0x1p-10)
}

// error is the largest absolute error of one output.
func (goal) error(want, got []float64) float64 {
	worst := 0.0
	for i, v := range want {
		worst = max(worst, math.Abs(v-got[i]))
	}
	return worst
}

// agrees reports whether the answers are the same: equal labels, or the same argmax.
func (t goal) agrees(want, got []float64) bool {
	if t.label {
		for i, v := range want {
			if v != got[i] {
				return false
			}
		}
		return true
	}
	return firstLargest(want) == firstLargest(got)
}

// misses is how many of n samples may disagree.
func (t goal) misses(n int) int64 {
	return int64(n) - int64(math.Ceil(float64(t.agreement*float64(n))))
}

// firstLargest is the index of the largest element, the first of equals.
func firstLargest(v []float64) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}
