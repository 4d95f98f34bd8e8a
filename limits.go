package zkml

import (
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/quantize"
)

// MaxComputed is the largest number of elements of all computed tensors of a model
// together, inputs included. Each that isn't merely moved costs several rows, so a
// model beyond it has no proof on any machine of today; a file of a hundred bytes can
// ask for it, though, and calibration holds them all in memory.
const MaxComputed = 1 << 24

// checkSize returns an *onnx.LimitError for a graph with more than MaxComputed.
func checkSize(g *graph.Graph) error {
	total := 0
	for i := range g.Nodes {
		if _, constant := g.Nodes[i].Op.(graph.Const); !constant {
			total += g.Nodes[i].Shape.Size()
		}
		if total > MaxComputed {
			return &onnx.LimitError{Node: g.Nodes[i].Name, What: "elements of computed tensors", Limit: MaxComputed}
		}
	}
	return nil
}

// checkProgramSize is checkSize for a program, which has several tensors for one of
// the graph's.
func checkProgramSize(p *quantize.Program) error {
	total := 0
	for i := range p.Nodes {
		if _, constant := p.Nodes[i].Op.(quantize.Const); !constant {
			total += p.Nodes[i].Shape.Size()
		}
		if total > 4*MaxComputed {
			return &onnx.LimitError{Node: p.Nodes[i].Name, What: "elements of computed tensors", Limit: 4 * MaxComputed}
		}
	}
	return nil
}
