package quantize

import (
	"errors"
	"slices"

	"github.com/zkml-go/zkml/graph"
)

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
	least := c.cost(best)
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
			border = append(border, setting{activation, weight, l, c.cost(l)})
		}
	}
	return border, nil
}

// nearlyBest is what a point of the border may cost, in percent of the best, to be
// worth a closer look.
const nearlyBest = 115

// refine tries limits on the shifts around the cheaper points of the border.
func (c *calibration) refine(input, aHi, wHi int, border []setting, best *lowering) (*lowering, error) {
	least := c.cost(best)
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
				cost := c.cost(l)
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
	least := c.cost(best)
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
			l, err := c.lower(s)
			if err != nil {
				return nil, err
			}
			cost := c.cost(l)
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
		l, err := c.lower(s)
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
	return c.lower(s)
}

// lower lowers the graph with the settings of one candidate, unless the search is to
// end.
func (c *calibration) lower(s *Settings) (*lowering, error) {
	if err := c.ctx.Err(); err != nil {
		return nil, err
	}
	return lower(c.g, s)
}
