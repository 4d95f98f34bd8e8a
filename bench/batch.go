package main

import (
	"slices"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/graph"
)

// batch compares a proof about several inferences with a proof about one.
type batch struct {
	Of string `json:"of"` // the circuit for one inference
	// RowsPerAdded is what each inference adds to the rows of the next smaller circuit
	// measured, of From inferences; Budget what it may add.
	From         int     `json:"from"`
	RowsPerAdded float64 `json:"rows_per_added_inference"`
	Budget       float64 `json:"budget"`
	// The time of a proof for each inference, and how many times less that is than a
	// proof about one.
	PerInference    float64 `json:"prove_per_inference"`
	PerInferenceCPU float64 `json:"prove_cpu_per_inference"`
	Gain            float64 `json:"single_over_per_inference"`
	GainCPU         float64 `json:"single_over_per_inference_cpu"`
}

// counts are what the budget of an inference is made of.
type counts struct{ activations, products, elements int }

// count counts a model's activations, multiplications with weights, and elements of
// inputs and outputs.
func count(g *graph.Graph) (c counts) {
	for _, node := range g.Nodes {
		switch node.Op.(type) {
		case graph.Unary:
			c.activations += node.Shape.Size()
		case graph.Linear:
			weights := g.Nodes[node.Inputs[1]].Shape // [O, C/Groups, KH, KW]
			c.products += node.Shape.Size() * weights[1:].Size()
		case graph.Input:
			c.elements += node.Shape.Size()
		}
	}
	for _, out := range g.Outputs {
		c.elements += g.Nodes[out.ID].Shape.Size()
	}
	return c
}

// budget returns the rows that one inference more may take: 20 for each activation, an
// eighth for each multiplication, 10 for each element that enters or leaves.
func (c counts) budget() float64 {
	return 20*float64(c.activations) + float64(c.products)/8 + 10*float64(c.elements)
}

// compareBatches fills in the Batch of proofs about several inferences, from the
// circuits of the same model among those measured. Of all circuits, makers say what
// models they are of.
func compareBatches(measured []*figures, makers []maker) error {
	smaller := make(map[*network]*figures) // the last one of each model
	single := make(map[*network]*figures)
	for _, f := range measured {
		i := slices.IndexFunc(makers, func(m maker) bool { return m.name == f.Name })
		if i < 0 || makers[i].network == nil {
			continue
		}
		model := makers[i].network
		if f.Inferences == 1 {
			single[model], smaller[model] = f, f
			continue
		}
		one, before := single[model], smaller[model]
		if one == nil {
			continue
		}
		net, err := zkml.Load(model.onnx, zkml.LoadOptions{})
		if err != nil {
			return err
		}
		n := float64(f.Inferences)
		f.Batch = &batch{
			Of: one.Name, From: before.Inferences, Budget: count(net.Graph).budget(),
			RowsPerAdded: float64(f.Rows-before.Rows) / float64(f.Inferences-before.Inferences),
			PerInference: f.Ours / n, PerInferenceCPU: f.OursCPU / n,
			Gain: one.Ours / (f.Ours / n), GainCPU: one.OursCPU / (f.OursCPU / n),
		}
		smaller[model] = f
	}
	return nil
}
