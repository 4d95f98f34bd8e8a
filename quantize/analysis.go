package quantize

import (
	"math"

	"github.com/zkml-go/zkml/graph"
)

// deviation says how one node of a program departs from the real function that it
// stands for: all that the error analysis needs and the program itself doesn't
// hold.
type deviation struct {
	// Linear: the real weights, and real less integer weights and bias, in units of
	// the result per unit of the operand.
	weights, residue, bias []float64
	// Const: real less integer values.
	constant []float64
	// Add: real less integer constant. Rewire: the real fill.
	addend, fill float64
	// drift is the relative distance of a change of scale from the real factor.
	drift float64
	// Rescale: the real clamp that is part of the model (both zero: none), which
	// ends saturate although the model doesn't, and which are clamped where the
	// function that follows is flat.
	clampLo, clampHi         float64
	saturatesLo, saturatesHi bool
	flat                     [2]bool
	// factor says that the multiplier stands for the odd part of a scale.
	factor bool
	// Lookup: the function; negatedExp is e^-x.
	function   *graph.Unary
	negatedExp bool
	// Div: the rounding is part of the model.
	floors bool
}

// Analysis bounds the error of a program against the graph it was made from.
type Analysis struct {
	Program *Program
	notes   []deviation
}

// Analyze rebuilds the program of a graph from settings, with what the error
// analysis needs.
func Analyze(g *graph.Graph, s *Settings) (*Analysis, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	if err := s.check(g); err != nil {
		return nil, err
	}
	l, err := lower(g, s)
	if err != nil {
		return nil, err
	}
	return &Analysis{Program: l.b.Program, notes: l.notes}, nil
}

// Saturations counts, for each node, the elements of a run that a Rescale clamped
// although the model doesn't.
func (a *Analysis) Saturations(values [][]int64) []int {
	counts := make([]int, len(a.Program.Nodes))
	for i := range a.Program.Nodes {
		op, ok := a.Program.Nodes[i].Op.(Rescale)
		note := &a.notes[i]
		if !ok || !note.saturatesLo && !note.saturatesHi {
			continue
		}
		for _, x := range values[a.Program.Nodes[i].Inputs[0]] {
			q := op.round(x)
			if note.saturatesLo && q < op.Min || note.saturatesHi && q > op.Max {
				counts[i]++
			}
		}
	}
	return counts
}

// InTail reports whether the value q of a tensor stands for all values beyond it: a
// Rescale clamped it where the function that follows is flat. ErrorBounds then says
// nothing of the tensor itself, only of what follows.
func (a *Analysis) InTail(id ID, q int64) bool {
	op, ok := a.Program.Nodes[id].Op.(Rescale)
	return ok && a.notes[id].inTail(op, q)
}

// slack covers the float64 roundings of the analysis and of the float interpreter.
const slack = 1 + 0x1p-30

// ErrorBounds returns, for each node and element, a bound on the distance between
// the integers' real value and what the float graph computes from the same inputs,
// that is from the real values of the integer inputs. It holds for the run whose
// values are given, provided that nothing saturated in it (Saturations counts
// none). A bound of +Inf means that the analysis can't tell.
//
// The bounds follow the run: the roundings of weights count with the values that
// they multiply, and an element that ReLU sets to zero by more than its error carries
// none on. Roundings are added up in the worst case, though: for small outputs
// along the paths on which they act (see adjoint), for all other tensors layer by
// layer, where the bound soon lies far above the error.
func (a *Analysis) ErrorBounds(values [][]int64) [][]float64 {
	p := a.Program
	bounds := make([][]float64, len(p.Nodes))
	for i := range p.Nodes {
		bounds[i] = a.errorOf(ID(i), values, bounds)
		for k := range bounds[i] {
			if math.IsNaN(bounds[i][k]) {
				bounds[i][k] = math.Inf(1)
			}
		}
	}
	a.sharpen(values, bounds)
	return bounds
}

// errorOf bounds the error of one node from its operands' errors.
func (a *Analysis) errorOf(id ID, values [][]int64, bounds [][]float64) []float64 {
	p, note := a.Program, &a.notes[id]
	node := &p.Nodes[id]
	e := make([]float64, node.Shape.Size())
	var x []int64
	var ex []float64
	var sx Scale
	if len(node.Inputs) > 0 {
		in := node.Inputs[0]
		x, ex, sx = values[in], bounds[in], p.Nodes[in].Scale
	}
	unit := node.Scale.Float()
	switch op := node.Op.(type) {
	case Const, Param:
		for i := range note.constant {
			e[i] = math.Abs(note.constant[i])
		}
	case Rewire:
		a.errorOfRewire(op, node, note, e, bounds)
	case Linear:
		a.errorOfLinear(id, op, e, values, bounds)
	case MatMul:
		y, ey, sy := values[node.Inputs[1]], bounds[node.Inputs[1]], p.Nodes[node.Inputs[1]].Scale
		shape := p.Nodes[node.Inputs[0]].Shape
		ax, ay := magnitudes(x, sx), magnitudes(y, sy)
		matmul(e, ax, ey, shape[0], shape[1], shape[2])
		for i := range ay {
			ay[i] += ey[i]
		}
		matmul(e, ex, ay, shape[0], shape[1], shape[2])
	case Mul:
		y, ey, sy := values[node.Inputs[1]], bounds[node.Inputs[1]], p.Nodes[node.Inputs[1]].Scale
		for i := range e {
			ax, ay := math.Abs(sx.Real(x[i])), math.Abs(sy.Real(y[i]))
			e[i] = float64(ax*ey[i]) + float64((ay+ey[i])*ex[i])
		}
	case Add:
		for k, in := range node.Inputs {
			factor := math.Abs(float64(op.Coeffs[k])) * unit / p.Nodes[in].Scale.Float()
			for i := range e {
				e[i] += float64(factor * bounds[in][i])
			}
		}
		for i := range e {
			e[i] += math.Abs(note.addend)
		}
	case Rescale:
		lo, hi := note.realClamp()
		for i, q := range values[id] {
			real, y := sx.Real(x[i]), node.Scale.Real(q)
			if note.inTail(op, q) {
				// The lookup that follows takes the whole tail as one value.
				y = min(max(real, lo), hi)
				if q == op.Min {
					y = min(y, node.Scale.Real(q))
				} else {
					y = max(y, node.Scale.Real(q))
				}
			}
			e[i] = max(math.Abs(min(max(real+ex[i], lo), hi)-y), math.Abs(min(max(real-ex[i], lo), hi)-y))
		}
	case Lookup:
		for i, q := range values[id] {
			e[i] = errorOfLookup(op, note, x[i], sx.Real(x[i]), ex[i], node.Scale.Real(q))
		}
	case Max:
		k := len(x) / len(e)
		for i := range e {
			// An element that can't be the largest doesn't matter.
			least := math.Inf(-1)
			for j := range k {
				least = max(least, sx.Real(x[i*k+j])-ex[i*k+j])
			}
			for j := range k {
				if real := sx.Real(x[i*k+j]); real+ex[i*k+j] >= least {
					e[i] = max(e[i], ex[i*k+j])
				}
			}
		}
	case Div:
		if note.floors {
			errorOfFloor(e, x, values[node.Inputs[1]], values[id], ex)
			break
		}
		b, eb, sb := values[node.Inputs[1]], bounds[node.Inputs[1]], p.Nodes[node.Inputs[1]].Scale
		for i := range e {
			divisor := sb.Real(b[i]) - eb[i]
			quotient := sx.Real(x[i]) / sb.Real(b[i])
			e[i] = float64(0.5*unit) + (ex[i]+float64(quotient*eb[i]))/divisor
			if divisor <= 0 {
				e[i] = math.Inf(1)
			}
		}
	case Threshold:
		for i := range e {
			if math.Abs(float64(x[i])-float64(op.T))*sx.Float() <= ex[i]+sx.Float() {
				e[i] = 1
			}
		}
	case ArgMax:
		errorOfArgMax(e, x, values[id], ex, sx)
	}
	for i := range e {
		if note.drift != 0 {
			e[i] += float64(note.drift * math.Abs(node.Scale.Real(values[id][i])))
		}
		e[i] = float64(e[i] * slack)
		if e[i] != 0 {
			e[i] += float64(math.Abs(node.Scale.Real(values[id][i])) * 0x1p-40)
		}
	}
	return e
}

// magnitudes are the absolute real values.
func magnitudes(q []int64, s Scale) []float64 {
	r := make([]float64, len(q))
	for i, v := range q {
		r[i] = math.Abs(s.Real(v))
	}
	return r
}

// errorOfRewire moves errors along. They grow with the scale where it changes, which
// is how a constant factor is applied.
func (a *Analysis) errorOfRewire(op Rewire, node *Node, note *deviation, e []float64, bounds [][]float64) {
	var all []float64
	for _, in := range node.Inputs {
		ratio := node.Scale.Float() / a.Program.Nodes[in].Scale.Float()
		for _, v := range bounds[in] {
			all = append(all, float64(ratio*v))
		}
	}
	if op.Index == nil {
		copy(e, all)
		return
	}
	for i, k := range op.Index {
		if k >= 0 {
			e[i] = all[k]
		} else {
			e[i] = math.Abs(note.fill - node.Scale.Real(op.Fill))
		}
	}
}

// errorOfLinear is Σ |w|·e and what the rounding of weights and bias makes of the
// operand's values.
func (a *Analysis) errorOfLinear(id ID, op Linear, e []float64, values [][]int64, bounds [][]float64) {
	p, note := a.Program, &a.notes[id]
	node := &p.Nodes[id]
	in := node.Inputs[0]
	g, err := newGeometry(op, p.Nodes[in].Shape, p.Nodes[node.Inputs[1]].Shape)
	if err != nil {
		return
	}
	weights := note.weights
	if weights == nil {
		ratio := node.Scale.Float() / p.Nodes[in].Scale.Float()
		weights = make([]float64, len(values[node.Inputs[1]]))
		for i, w := range values[node.Inputs[1]] {
			weights[i] = float64(float64(w) * ratio)
		}
	}
	accumulate(&g, e, bounds[in], absAll(weights))
	for i, d := range a.localDeviation(id, values) {
		e[i] += d
	}
}

// absAll is |v| of each.
func absAll(values []float64) []float64 {
	r := make([]float64, len(values))
	for i, v := range values {
		r[i] = math.Abs(v)
	}
	return r
}

// errorOfLookup bounds |f(t) − y| over the real arguments t within e of x.
func errorOfLookup(op Lookup, note *deviation, q int64, x, e, y float64) float64 {
	f := note.real()
	slope, monotone := 0.0, true
	if !note.negatedExp {
		slope, monotone = steepness(*note.function)
	}
	from, to := x-e, x+e
	const far = 1e6
	if note.flat[0] && q == op.Min {
		from = min(from, -far)
	}
	if note.flat[1] && q == op.Min+int64(len(op.Table))-1 {
		to = max(to, far)
	}
	if monotone {
		return max(math.Abs(f(from)-y), math.Abs(f(to)-y))
	}
	if from < x-e {
		// Only the tail of a function that is not monotone: it stays near its limit.
		return max(math.Abs(f(x)-y)+float64(slope*e), math.Abs(y)+math.Abs(f(x)))
	}
	return math.Abs(f(x)-y) + float64(slope*e)
}

// errorOfFloor bounds the error of floor((a + floor(b/2))/b), a step function, with b
// exact and all scales 1.
func errorOfFloor(e []float64, a, b, y []int64, ea []float64) {
	for i := range e {
		step := func(a float64) float64 { return math.Floor((a + float64(b[i]/2)) / float64(b[i])) }
		at, q := float64(a[i]), float64(y[i])
		e[i] = max(step(at+ea[i])-q, q-step(at-ea[i]))
	}
}

// steepness is the largest slope of a function and whether it never decreases.
func steepness(op graph.Unary) (slope float64, monotone bool) {
	switch op.Func {
	case graph.Abs:
		return 1, false
	case graph.LeakyRelu, graph.Elu:
		return max(1, math.Abs(op.Alpha)), op.Alpha >= 0
	case graph.HardSwish:
		return 1.5, false
	case graph.Gelu, graph.GeluTanh:
		return 1.13, false
	case graph.HardSigmoid:
		return math.Abs(op.Alpha), true
	}
	return 0, true
}

// errorOfArgMax is 0 where the errors can't change the answer, else the number of
// classes less one.
func errorOfArgMax(e []float64, x, y []int64, ex []float64, sx Scale) {
	k := len(x) / len(e)
	for i := range e {
		best := i*k + int(y[i])
		for j := range k {
			if at := i*k + j; at != best && sx.Real(x[at])+ex[at] >= sx.Real(x[best])-ex[best] {
				e[i] = float64(k - 1)
			}
		}
	}
}
