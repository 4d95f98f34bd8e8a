package quantize

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/zkml-go/zkml/graph"
)

// Quantize turns a float graph into an integer program.
//
// Without settings it calibrates: it runs the float interpreter over the samples,
// then looks for the widths of activations and weights that reach the target at
// the least estimated number of rows. A target that the widest setting misses is
// no error; the report says so. The context ends the search. Errors are *UnsupportedError where a node has no
// integer form, and those of graph.Run about the samples.
func Quantize(ctx context.Context, g *graph.Graph, o Options) (*Program, *Report, error) {
	if err := g.Validate(); err != nil {
		return nil, nil, err
	}
	c := &calibration{ctx: ctx, g: g, o: o}
	if err := c.observe(); err != nil {
		return nil, nil, err
	}
	var best *lowering
	var err error
	if o.Settings != nil {
		if err := o.Settings.check(g); err != nil {
			return nil, nil, err
		}
		best, err = lower(g, o.Settings)
	} else {
		best, err = c.search()
	}
	if err != nil {
		return nil, nil, err
	}
	report, err := c.report(best)
	if err != nil {
		return nil, nil, err
	}
	return best.b.Program, report, nil
}

// calibration is one search.
type calibration struct {
	ctx     context.Context // of the call of Quantize that it is
	g       *graph.Graph
	o       Options
	stats   *statistics
	goals   []goal
	notices []string
	// bottlenecks of the settings tried, by the widths of inputs, activations and
	// weights.
	bottlenecks map[[3]int][]bottleneck
}

// The largest magnitude of an input's samples lies between these, so that the unit
// chosen for it, of up to 20 bits, is one that Settings can hold.
const leastSample, mostSample = 1.0 / (1 << 40), 1 << 60

// observe runs the samples, or made-up ones if settings don't make them
// unnecessary.
func (c *calibration) observe() error {
	samples := c.o.Samples
	if len(samples) > MaxSamples {
		samples = samples[:MaxSamples]
		c.notices = append(c.notices, fmt.Sprintf("calibrated on the first %d of %d samples", MaxSamples, len(c.o.Samples)))
	}
	if len(samples) == 0 && c.o.Settings == nil {
		samples = madeUpSamples(c.g)
		c.notices = append(c.notices, "no samples: inputs are taken to lie in [-1, 1], integers in [0, 1]; give samples for a calibration that means something")
	}
	stats, err := observe(c.ctx, c.g, samples)
	if err != nil {
		return err
	}
	c.stats = stats
	for i, id := range c.g.Inputs {
		in, _ := c.g.Nodes[id].Op.(graph.Input)
		e, ok := c.o.Encodings[in.Name]
		if s := inputSettings(in, 0, 0, 0, 1, Scale{}, &e); ok && len(samples) > 0 && (stats.lo[id] < s.Scale.Real(s.Lo) || stats.hi[id] > s.Scale.Real(s.Lo+1<<min(s.Bits, MaxBits)-1)) {
			c.notices = append(c.notices, fmt.Sprintf("input %q: samples lie in [%v, %v], outside its encoding, and were clamped", in.Name, stats.lo[id], stats.hi[id]))
		} else if most := max(stats.hi[id], -stats.lo[id]); !ok && len(samples) > 0 && most != 0 && !(most >= leastSample && most <= mostSample) {
			return &graph.InputError{Name: in.Name, Reason: fmt.Sprintf("samples lie in [%v, %v]: the largest magnitude has to be 0 or from 2^-40 to 2^60; scale the model's input", stats.lo[id], stats.hi[id])}
		} else if b := stats.bytes[i]; !ok && b != (Scale{}) && !in.Integer {
			c.notices = append(c.notices, fmt.Sprintf("input %q: the samples are bytes, scale %v, and so the input is taken", in.Name, b))
		}
	}
	c.goals = c.o.Target.goals(c.g, stats)
	return nil
}

// settings returns the settings of one candidate.
func (c *calibration) settings(input, activation, weight int) *Settings {
	s := &Settings{Version: SettingsVersion, TableBits: c.o.TableBits, Margin: c.o.Margin, HiddenWeights: c.o.HiddenWeights}
	if s.TableBits == 0 {
		s.TableBits = DefaultTableBits
	}
	if s.Margin == 0 {
		s.Margin = DefaultMargin
	}
	for i, id := range c.g.Inputs {
		in, _ := c.g.Nodes[id].Op.(graph.Input)
		var fixed *Encoding
		if e, ok := c.o.Encodings[in.Name]; ok {
			fixed = &e
		}
		s.Inputs = append(s.Inputs, inputSettings(in, c.stats.lo[id], c.stats.hi[id], s.Margin, input, c.stats.bytes[i], fixed))
	}
	for i, n := range c.g.Nodes {
		if _, ok := n.Op.(graph.Const); ok || n.Shape.Size() == 0 {
			continue
		}
		s.Tensors = append(s.Tensors, TensorSettings{Node: graph.ID(i), Name: n.Name, Bits: activation, Lo: c.stats.lo[i], Hi: c.stats.hi[i]})
		switch n.Op.(type) {
		case graph.Linear, graph.Mul, graph.MatMul, graph.Div:
			s.Weights = append(s.Weights, WeightSettings{Node: graph.ID(i), Name: n.Name, Bits: weight})
		}
	}
	return s
}

// meets runs a program over the samples, until it is certain that it misses the
// target.
func (c *calibration) meets(p *Program) (bool, error) {
	var next atomic.Int64
	var failed atomic.Bool
	var wg sync.WaitGroup
	disagree := make([]atomic.Int64, len(c.goals))
	errs := make([]error, runtime.GOMAXPROCS(0))
	for worker := range errs {
		wg.Go(func() {
			for !failed.Load() {
				k := int(next.Add(1)) - 1
				if k >= len(c.stats.samples) {
					return
				}
				err := c.ctx.Err()
				var got [][]float64
				if err == nil {
					got, err = c.answer(p, c.stats.samples[k])
				}
				if err != nil {
					errs[worker] = err
					failed.Store(true)
					return
				}
				for i, goal := range c.goals {
					if goal.error(c.stats.outputs[k][i], got[i]) > goal.limit {
						failed.Store(true)
					}
					if goal.agreement > 0 && !goal.agrees(c.stats.outputs[k][i], got[i]) && disagree[i].Add(1) > goal.misses(len(c.stats.samples)) {
						failed.Store(true)
					}
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return false, err
		}
	}
	return !failed.Load(), nil
}

// answer runs the program on one sample and returns its outputs' real values.
func (c *calibration) answer(p *Program, sample Sample) ([][]float64, error) {
	values, err := p.runSample(sample)
	if err != nil {
		return nil, err
	}
	real := make([][]float64, len(p.Outputs))
	for i, out := range p.Outputs {
		real[i] = p.Dequantize(out.ID, values[out.ID])
	}
	return real, nil
}

// runSample runs the program on real inputs by name, clamped to their intervals.
func (p *Program) runSample(sample Sample) ([][]int64, error) {
	inputs := make([][]float64, len(p.Inputs))
	for i, id := range p.Inputs {
		name := inputName(&p.Nodes[id])
		t, ok := sample[name]
		if !ok {
			return nil, fmt.Errorf("input %q: no values", name)
		}
		inputs[i] = t.Data
	}
	integers, err := p.QuantizeInputs(inputs, Clamp)
	if err != nil {
		return nil, err
	}
	return p.Run(integers)
}
