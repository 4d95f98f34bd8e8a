package quantize

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/zkml-go/zkml/graph"
)

// Quantize turns a float graph into an integer program.
//
// Without settings it calibrates: it runs the float interpreter over the samples,
// then looks for the widths of activations and weights that reach the target at
// the least estimated number of rows. A target that the widest setting misses is
// no error; the report says so. Errors are *UnsupportedError where a node has no
// integer form, and those of graph.Run about the samples.
func Quantize(g *graph.Graph, o Options) (*Program, *Report, error) {
	if err := g.Validate(); err != nil {
		return nil, nil, err
	}
	c := &calibration{g: g, o: o}
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
	g       *graph.Graph
	o       Options
	stats   *statistics
	goals   []goal
	notices []string
	// bottlenecks of the settings tried, by the widths of inputs, activations and
	// weights.
	bottlenecks map[[3]int][]bottleneck
}

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
	stats, err := observe(c.g, samples)
	if err != nil {
		return err
	}
	c.stats = stats
	for i, id := range c.g.Inputs {
		in, _ := c.g.Nodes[id].Op.(graph.Input)
		e, ok := c.o.Encodings[in.Name]
		if s := inputSettings(in, 0, 0, 0, 1, Scale{}, &e); ok && len(samples) > 0 && (stats.lo[id] < s.Scale.Real(s.Lo) || stats.hi[id] > s.Scale.Real(s.Lo+1<<min(s.Bits, MaxBits)-1)) {
			c.notices = append(c.notices, fmt.Sprintf("input %q: samples lie in [%v, %v], outside its encoding, and were clamped", in.Name, stats.lo[id], stats.hi[id]))
		} else if b := stats.bytes[i]; !ok && b != (Scale{}) && !in.Integer {
			c.notices = append(c.notices, fmt.Sprintf("input %q: the samples are bytes, scale %v, and so the input is taken", in.Name, b))
		}
	}
	c.goals = c.o.Target.goals(c.g, stats)
	return nil
}

// settings returns the settings of one candidate.
func (c *calibration) settings(input, activation, weight int) *Settings {
	s := &Settings{Version: SettingsVersion, TableBits: c.o.TableBits, Margin: c.o.Margin, HiddenWeights: c.o.HiddenWeights, Labels: c.o.Labels}
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

// The widest and narrowest settings that the search tries.
const (
	leastActivation, mostActivation = 4, 16
	leastWeight, mostWeight         = 3, 16
)

// search finds the cheapest widths that meet the target.
//
// The inputs come first: they get the fewest bits at which the widest setting meets
// the target. The error falls as the width of either activations or weights grows,
// so the least weight width that will do falls as the activation width grows: the
// search walks along that border. Then it limits the shifts of the large rescales,
// since a shift that fits a smaller range-check table saves both limbs and table.
func (c *calibration) search() (*lowering, error) {
	aLo, aHi := leastActivation, mostActivation
	wLo, wHi := leastWeight, mostWeight
	if c.o.ActivationBits != 0 {
		aLo, aHi = c.o.ActivationBits, c.o.ActivationBits
	}
	if c.o.WeightBits != 0 {
		wLo, wHi = c.o.WeightBits, c.o.WeightBits
	}
	inputs := []int{8, 10, 12, 14, 16, 20}
	if c.o.InputBits != 0 {
		inputs = []int{c.o.InputBits}
	}
	var best *lowering
	input, met := 0, false
	for _, input = range inputs {
		l, err := c.candidate(input, aHi, wHi, 0)
		var no *UnsupportedError
		for errors.As(err, &no) && (aHi > aLo || wHi > wLo) {
			// Too wide for some product: less will do.
			aHi, wHi = max(aHi-1, aLo), max(wHi-1, wLo)
			l, err = c.candidate(input, aHi, wHi, 0)
		}
		if err != nil {
			return nil, err
		}
		best = l
		if met, err = c.meets(l.b.Program); err != nil {
			return nil, err
		}
		if met {
			break
		}
	}
	if !met {
		c.notices = append(c.notices, "the widest setting misses the target")
		return best, nil
	}
	border, err := c.border(input, aLo, aHi, wLo, wHi)
	if err != nil {
		return nil, err
	}
	least := best.cost()
	for _, at := range border {
		if at.cost < least {
			best, least = at.lowering, at.cost
		}
	}
	if best, err = c.refine(input, aHi, wHi, border, best); err != nil {
		return nil, err
	}
	return c.polish(best)
}

// setting is a point of the search: one width for all activations and one for all
// weights.
type setting struct {
	activation, weight int
	lowering           *lowering
	cost               int
}

// border walks along the settings that meet the target with the narrowest weights.
func (c *calibration) border(input, aLo, aHi, wLo, wHi int) ([]setting, error) {
	var border []setting
	weight := wHi
	for activation := aLo; activation <= aHi; activation++ {
		for ; weight >= wLo; weight-- {
			l, err := c.candidate(input, activation, weight, 0)
			if err != nil {
				return nil, err
			}
			ok, err := c.meets(l.b.Program)
			if err != nil {
				return nil, err
			}
			if !ok {
				break
			}
			border = append(border, setting{activation, weight, l, l.cost()})
		}
	}
	return border, nil
}

// nearlyBest is what a point of the border may cost, in percent of the best, to be
// worth a closer look.
const nearlyBest = 115

// refine tries limits on the shifts around the cheaper points of the border.
func (c *calibration) refine(input, aHi, wHi int, border []setting, best *lowering) (*lowering, error) {
	least := best.cost()
	for _, at := range border {
		if 100*at.cost > nearlyBest*least {
			continue
		}
		for _, limit := range shiftLimits {
			for more := range 4 {
				activation, weight := at.activation+more&1, at.weight+more>>1
				if activation > aHi || weight > wHi {
					continue
				}
				l, err := c.candidate(input, activation, weight, limit)
				if err != nil {
					return nil, err
				}
				cost := l.cost()
				if cost >= least {
					continue
				}
				ok, err := c.meets(l.b.Program)
				if err != nil {
					return nil, err
				}
				if ok {
					best, least = l, cost
					break
				}
			}
		}
	}
	return best, nil
}

// polishSteps is how many settings polish lowers at most.
const polishSteps = 60

// polish leaves the settings with one width for all: it takes bits from the weights
// of one layer at a time, or from one tensor, as they are or with two bits more for
// all other weights, as long as that is cheaper and meets the target.
func (c *calibration) polish(best *lowering) (*lowering, error) {
	least := best.cost()
	steps := 0
	for improved := true; improved; {
		improved = false
		for _, step := range best.polishings() {
			if steps++; steps > polishSteps {
				return best, nil
			}
			s, ok := step.apply(best.s)
			if !ok {
				continue
			}
			l, err := lower(c.g, s)
			if err != nil {
				return nil, err
			}
			cost := l.cost()
			if cost >= least {
				continue
			}
			if ok, err = c.meets(l.b.Program); err != nil {
				return nil, err
			}
			if ok {
				best, least, improved = l, cost, true
			}
		}
	}
	return best, nil
}

// polishing is one step of polish.
type polishing struct {
	node   graph.ID
	tensor bool // a tensor's width, not that of weights
	others int  // bits more for the weights of other nodes
}

// polishings lists the steps: layers in order, weights first.
func (l *lowering) polishings() []polishing {
	var steps []polishing
	for _, others := range []int{0, 2} {
		for _, w := range l.s.Weights {
			if l.usedW[w.Node] {
				steps = append(steps, polishing{node: w.Node, others: others})
			}
		}
	}
	for _, t := range l.s.Tensors {
		if l.used[t.Node] {
			steps = append(steps, polishing{node: t.Node, tensor: true})
		}
	}
	return steps
}

// apply returns changed settings; it reports false where a width would leave the
// limits of the search.
func (step polishing) apply(s *Settings) (*Settings, bool) {
	changed := *s
	changed.Weights, changed.Tensors = slices.Clone(s.Weights), slices.Clone(s.Tensors)
	for i := range changed.Tensors {
		if t := &changed.Tensors[i]; step.tensor && t.Node == step.node {
			if t.Bits--; t.Bits < leastActivation {
				return nil, false
			}
		}
	}
	for i := range changed.Weights {
		w := &changed.Weights[i]
		switch {
		case step.tensor:
		case w.Node != step.node:
			w.Bits = min(w.Bits+step.others, mostWeight)
		default:
			if w.Bits--; w.Bits < leastWeight {
				return nil, false
			}
		}
	}
	return &changed, true
}

// shiftLimits are the limits on the shifts of large rescales that the search tries.
var shiftLimits = []int{11, 10, 9, 8}

// candidate lowers the graph with one setting. Layers before large rescales get
// narrower weights, so that the shift keeps to the limit, if there is one.
func (c *calibration) candidate(input, activation, weight, limit int) (*lowering, error) {
	s := c.settings(input, activation, weight)
	key := [3]int{input, activation, weight}
	large, known := c.bottlenecks[key]
	if limit == 0 || !known {
		l, err := lower(c.g, s)
		if err != nil {
			return nil, err
		}
		if c.bottlenecks == nil {
			c.bottlenecks = map[[3]int][]bottleneck{}
		}
		large = l.bottlenecks()
		c.bottlenecks[key] = large
		if limit == 0 {
			return l, nil
		}
	}
	for i := range s.Weights {
		w := &s.Weights[i]
		for _, layer := range large {
			if layer.node == w.Node && layer.shift > limit {
				w.Bits = max(min(w.Bits, weight-(layer.shift-limit)), MinWidth)
			}
		}
	}
	return lower(c.g, s)
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
				got, err := c.answer(p, c.stats.samples[k])
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
		goals[i] = goal{limit: math.Inf(1), label: isLabel(g, out.ID), span: outputRange(s, i)}
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

// isLabel reports whether a tensor is a class index, possibly moved about.
func isLabel(g *graph.Graph, id graph.ID) bool {
	for {
		switch g.Nodes[id].Op.(type) {
		case graph.ArgMax, graph.Threshold:
			return true
		case graph.Rewire:
			id = g.Nodes[id].Inputs[0]
		default:
			return false
		}
	}
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
