package quantize

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/printable"
)

// Report says how well a program follows its graph on the samples.
type Report struct {
	// Met says whether the target was reached.
	Met    bool   `json:"met"`
	Target string `json:"target"`
	// Samples is the number of samples that the figures are over; 0 if there were
	// none, and then there are no figures.
	Samples int `json:"samples"`
	// Notices are what the user should know.
	Notices []string `json:"notices,omitempty"`
	// Outputs compare the answers; Layers every tensor that stands for one of the
	// graph's.
	Outputs []OutputReport `json:"outputs"`
	Layers  []LayerReport  `json:"layers"`
	// Settings reproduce the program.
	Settings *Settings `json:"settings"`
}

// OutputReport compares one output with the float interpreter's.
type OutputReport struct {
	Name      string  `json:"name"`
	Range     float64 `json:"range"` // largest less smallest float value
	MeanError float64 `json:"mean_error"`
	MaxError  float64 `json:"max_error"`
	// Agreement is the fraction of samples with the same argmax or label, for
	// outputs that have one.
	Agreement *float64 `json:"agreement,omitempty"`
	// Bound is the largest error that the analysis proves for a run of the samples,
	// from the same inputs, if nothing saturates in it; nil if there is no bound.
	Bound *float64 `json:"bound,omitempty"`
	// BoundError is the largest error in those runs, from the same inputs.
	BoundError float64 `json:"bound_error"`
}

// LayerReport is one tensor of the program.
type LayerReport struct {
	ID        ID      `json:"id"`
	Name      string  `json:"name"`
	Op        string  `json:"op"`
	Scale     string  `json:"scale"`
	Lo        int64   `json:"lo"`
	Hi        int64   `json:"hi"`
	SeenLo    int64   `json:"seen_lo"`
	SeenHi    int64   `json:"seen_hi"`
	MeanError float64 `json:"mean_error"`
	MaxError  float64 `json:"max_error"`
	// Saturations is how many elements were clamped that the model doesn't clamp.
	Saturations int `json:"saturations,omitempty"`
	// Margin is how often the values seen fit between the clamps: 2 means that they
	// could be twice as large. 0 where nothing can saturate.
	Margin float64 `json:"margin,omitempty"`
}

// boundSamples is how many samples the error bound is computed for.
const boundSamples = 4

// report runs the final program over all samples.
func (c *calibration) report(l *lowering) (*Report, error) {
	p := l.b.Program
	r := &Report{Target: c.o.Target.String(), Samples: len(c.stats.samples), Notices: c.notices, Settings: l.usedSettings()}
	if names := l.notHidden(); len(names) > 0 {
		r.Notices = append(slices.Clone(r.Notices), fmt.Sprintf("constants that aren't hidden with the weights: %s", strings.Join(names, ", ")))
	}
	if len(c.stats.samples) == 0 {
		r.Met = true
		return r, nil
	}
	run, err := graph.NewRunner(c.g)
	if err != nil {
		return nil, err
	}
	t := newTally(p, &Analysis{Program: p, notes: l.notes})
	outputs := make([]OutputReport, len(p.Outputs))
	agreed := make([]int, len(p.Outputs))
	r.Met = true
	for i := range outputs {
		outputs[i] = OutputReport{Name: p.Outputs[i].Name, Range: c.goals[i].span}
	}
	for k, sample := range c.stats.samples {
		values, err := p.runSample(sample)
		if err != nil {
			return nil, err
		}
		real, err := run.Run(sample)
		if err != nil {
			return nil, err
		}
		t.add(values, real)
		for i, out := range p.Outputs {
			got := p.Dequantize(out.ID, values[out.ID])
			want := c.stats.outputs[k][i]
			outputs[i].MaxError = max(outputs[i].MaxError, c.goals[i].error(want, got))
			for j := range want {
				outputs[i].MeanError += float64(math.Abs(want[j]-got[j]) / float64(len(want)*len(c.stats.samples)))
			}
			if c.goals[i].agrees(want, got) {
				agreed[i]++
			}
		}
		if k < boundSamples {
			if err := t.bound(run, c.g, values, outputs); err != nil {
				return nil, err
			}
		}
	}
	for i, goal := range c.goals {
		if goal.agreement > 0 {
			share := float64(agreed[i]) / float64(len(c.stats.samples))
			outputs[i].Agreement = &share
			r.Met = r.Met && int64(len(c.stats.samples)-agreed[i]) <= goal.misses(len(c.stats.samples))
		}
		r.Met = r.Met && outputs[i].MaxError <= goal.limit
	}
	r.Outputs, r.Layers = outputs, t.layers
	return r, nil
}

// usedSettings are the settings without what no node asked for.
func (l *lowering) usedSettings() *Settings {
	s := *l.s
	s.Tensors, s.Weights, s.Params = nil, nil, l.params
	for _, t := range l.s.Tensors {
		if l.used[t.Node] {
			s.Tensors = append(s.Tensors, t)
		}
	}
	for _, w := range l.s.Weights {
		if l.usedW[w.Node] {
			s.Weights = append(s.Weights, w)
		}
	}
	return &s
}

// tally gathers the figures of the layers over samples.
type tally struct {
	p       *Program
	a       *Analysis
	layers  []LayerReport
	samples int
}

// newTally lists the layers.
func newTally(p *Program, a *Analysis) *tally {
	t := &tally{p: p, a: a}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		_, rescale := n.Op.(Rescale)
		if _, ok := n.Op.(Const); ok || n.Source < 0 && !rescale {
			continue
		}
		t.layers = append(t.layers, LayerReport{ID: ID(i), Name: n.Name, Op: fmt.Sprintf("%T", n.Op)[len("quantize."):], Scale: n.Scale.String(), Lo: n.Lo, Hi: n.Hi, SeenLo: math.MaxInt64, SeenHi: math.MinInt64})
	}
	return t
}

// add counts one sample.
func (t *tally) add(values [][]int64, real graph.Values) {
	t.samples++
	saturated := t.a.Saturations(values)
	for i := range t.layers {
		layer := &t.layers[i]
		n := &t.p.Nodes[layer.ID]
		layer.Saturations += saturated[layer.ID]
		total := 0.0
		for k, q := range values[layer.ID] {
			layer.SeenLo, layer.SeenHi = min(layer.SeenLo, q), max(layer.SeenHi, q)
			if n.Source >= 0 {
				e := math.Abs(n.Scale.Real(q) - real[n.Source].Data[k])
				layer.MaxError = max(layer.MaxError, e)
				total += e
			}
		}
		mean := total / float64(len(values[layer.ID]))
		layer.MeanError += (mean - layer.MeanError) / float64(t.samples)
		note := &t.a.notes[layer.ID]
		if op, ok := n.Op.(Rescale); ok && (note.saturatesLo || note.saturatesHi) {
			layer.Margin = math.Inf(1)
			if note.saturatesHi && layer.SeenHi > 0 {
				layer.Margin = min(layer.Margin, float64(op.Max)/float64(layer.SeenHi))
			}
			if note.saturatesLo && layer.SeenLo < 0 {
				layer.Margin = min(layer.Margin, float64(op.Min)/float64(layer.SeenLo))
			}
			if math.IsInf(layer.Margin, 1) {
				layer.Margin = 0
			}
		}
	}
}

// bound computes the error bound of one run and what the error is, both from the
// real values of the integer inputs.
func (t *tally) bound(run *graph.Runner, g *graph.Graph, values [][]int64, outputs []OutputReport) error {
	for _, n := range t.a.Saturations(values) {
		if n > 0 {
			return nil
		}
	}
	inputs := Sample{}
	for _, id := range t.p.Inputs {
		n := &t.p.Nodes[id]
		inputs[inputName(n)] = &graph.Tensor{Shape: n.Shape, Data: t.p.Dequantize(id, values[id])}
	}
	real, err := run.Run(inputs)
	if err != nil {
		return err
	}
	bounds := t.a.ErrorBounds(values)
	for i, out := range t.p.Outputs {
		worst, bound := 0.0, 0.0
		want := real[g.Outputs[i].ID].Data
		for k, q := range values[out.ID] {
			worst = max(worst, math.Abs(t.p.Nodes[out.ID].Scale.Real(q)-want[k]))
			bound = max(bound, bounds[out.ID][k])
		}
		outputs[i].BoundError = max(outputs[i].BoundError, worst)
		if !math.IsInf(bound, 1) && (outputs[i].Bound == nil || bound > *outputs[i].Bound) {
			outputs[i].Bound = &bound
		}
	}
	return nil
}

// Print writes the report as tables.
func (r *Report) Print(w io.Writer) error {
	met := "met"
	if !r.Met {
		met = "missed"
	}
	printable.Fprintf(w, "target %s: %s on %d samples\n", r.Target, met, r.Samples)
	for _, n := range r.Notices {
		printable.Fprintf(w, "note: %s\n", n)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(r.Outputs) > 0 {
		fmt.Fprintln(t, "OUTPUT\tRANGE\tMEAN ERROR\tMAX ERROR\tAGREEMENT\tERROR BOUND")
		for _, o := range r.Outputs {
			agreement, bound := "-", "-"
			if o.Agreement != nil {
				agreement = fmt.Sprintf("%.2f %%", 100**o.Agreement)
			}
			if o.Bound != nil {
				bound = fmt.Sprintf("%.3g", *o.Bound)
			}
			printable.Fprintf(t, "%s\t%.4g\t%.3g\t%.3g\t%s\t%s\n", o.Name, o.Range, o.MeanError, o.MaxError, agreement, bound)
		}
	}
	if len(r.Layers) > 0 {
		fmt.Fprintln(t, "TENSOR\tOP\tSCALE\tPROVEN\tSEEN\tMEAN ERROR\tMAX ERROR\tSATURATED\tMARGIN")
		for _, n := range r.Layers {
			margin := "-"
			if n.Margin > 0 {
				margin = fmt.Sprintf("%.2f", n.Margin)
			}
			printable.Fprintf(t, "%s\t%s\t%s\t[%d, %d]\t[%d, %d]\t%.3g\t%.3g\t%d\t%s\n", n.Name, n.Op, n.Scale, n.Lo, n.Hi, n.SeenLo, n.SeenHi, n.MeanError, n.MaxError, n.Saturations, margin)
		}
	}
	return t.Flush()
}
