package quantize

import (
	"math"

	"github.com/zkml-go/zkml/graph"
)

// The forward analysis loses what cancels: an error that one layer spreads over
// many elements comes back with both signs, and absolute values add it up. The
// adjoint analysis asks instead how one output element answers to each rounding,
// by one backward pass over the program as back-propagation does it:
//
//	|error of output| <= Σ over nodes and elements of |∂ output / ∂ element| · |local deviation|
//
// where a local deviation is the distance between an element and the real function
// of its integer operands, known in a run. Where the program is not linear within
// the forward bounds — a ReLU or a maximum that the errors could turn, the second
// order of a product or a function — the remainder is taken from the forward
// bounds, so that the sum stays rigorous.

// maxAdjoint is the largest number of elements of an output that are analysed so;
// larger ones keep the forward bound.
const maxAdjoint = 64

// adjoint is one backward pass.
type adjoint struct {
	a       *Analysis
	values  [][]int64
	forward [][]float64
	local   [][]float64 // |local deviation| by node and element
	weight  [][]float64 // ∂ output / ∂ element, nil where zero
	total   float64
}

// sharpen replaces the bounds of small outputs by those of the adjoint analysis
// where they are better.
func (a *Analysis) sharpen(values [][]int64, bounds [][]float64) {
	var local [][]float64
	for _, out := range a.Program.Outputs {
		size := a.Program.Nodes[out.ID].Shape.Size()
		if size > maxAdjoint {
			continue
		}
		if local == nil {
			local = make([][]float64, len(a.Program.Nodes))
			for i := range local {
				local[i] = a.localDeviation(ID(i), values)
			}
		}
		sharper := make([]float64, size)
		for k := range sharper {
			pass := &adjoint{a: a, values: values, forward: bounds, local: local, weight: make([][]float64, len(values))}
			pass.run(out.ID, k)
			magnitude := math.Abs(a.Program.Nodes[out.ID].Scale.Real(values[out.ID][k]))
			sharper[k] = min(bounds[out.ID][k], float64(pass.total*slack)+float64(magnitude*0x1p-40))
		}
		bounds[out.ID] = sharper
	}
}

// localDeviation is the distance of each element from the real function of the
// node's integer operands.
func (a *Analysis) localDeviation(id ID, values [][]int64) []float64 {
	p, note := a.Program, &a.notes[id]
	node := &p.Nodes[id]
	d := make([]float64, node.Shape.Size())
	var x []int64
	var sx Scale
	if len(node.Inputs) > 0 {
		x, sx = values[node.Inputs[0]], p.Nodes[node.Inputs[0]].Scale
	}
	switch op := node.Op.(type) {
	case Linear:
		if g, err := newGeometry(op, p.Nodes[node.Inputs[0]].Shape, p.Nodes[node.Inputs[1]].Shape); err == nil && note.weights != nil {
			if note.bias != nil {
				spread(d, note.bias, g.oh*g.ow)
			}
			accumulate(&g, d, p.Dequantize(node.Inputs[0], x), note.residue)
		}
	case Add:
		for i := range d {
			d[i] = note.addend
		}
	case Rescale:
		lo, hi := note.realClamp()
		for i, q := range values[id] {
			if !note.inTail(op, q) {
				d[i] = min(max(sx.Real(x[i]), lo), hi) - node.Scale.Real(q)
			}
		}
	case Div:
		b, sb := values[node.Inputs[1]], p.Nodes[node.Inputs[1]].Scale
		for i, q := range values[id] {
			d[i] = sx.Real(x[i])/sb.Real(b[i]) - node.Scale.Real(q)
		}
	}
	for i := range d {
		d[i] = math.Abs(d[i])
	}
	return d
}

// realClamp is the clamp of a Rescale that is part of the model.
func (d *deviation) realClamp() (lo, hi float64) {
	if d.clampLo == 0 && d.clampHi == 0 {
		return math.Inf(-1), math.Inf(1)
	}
	return d.clampLo, d.clampHi
}

// inTail reports whether a Rescale's result stands for all that lies beyond it.
func (d *deviation) inTail(op Rescale, q int64) bool {
	return d.flat[0] && q == op.Min || d.flat[1] && q == op.Max
}

// run goes back from element k of an output.
func (s *adjoint) run(out ID, k int) {
	s.at(out)[k] = 1
	for id := out; id >= 0; id-- {
		w := s.weight[id]
		if w == nil {
			continue
		}
		if !s.through(id, w) {
			for i, v := range w {
				s.remain(v, s.forward[id][i])
			}
		}
		s.weight[id] = nil
	}
}

// at returns the weights of a node's elements.
func (s *adjoint) at(id ID) []float64 {
	if s.weight[id] == nil {
		s.weight[id] = make([]float64, s.a.Program.Nodes[id].Shape.Size())
	}
	return s.weight[id]
}

// remain adds what an error of at most e does; nothing if it has no weight.
func (s *adjoint) remain(weight, e float64) {
	if weight != 0 && e != 0 {
		s.total += float64(math.Abs(weight) * e)
	}
}

// through carries the weights of one node's elements to its operands. It reports
// false, having done nothing, for an operator that it doesn't know.
func (s *adjoint) through(id ID, w []float64) bool {
	p, note := s.a.Program, &s.a.notes[id]
	node := &p.Nodes[id]
	switch op := node.Op.(type) {
	case Input:
		return true
	case Rewire:
		s.throughRewire(id, op, w)
	case Linear:
		if !s.throughLinear(id, op, w) {
			return false
		}
	case Add:
		for k, in := range node.Inputs {
			factor := float64(float64(op.Coeffs[k]) * node.Scale.Float() / p.Nodes[in].Scale.Float())
			axpy(s.at(in), factor, w)
		}
	case Mul:
		a, b := node.Inputs[0], node.Inputs[1]
		ra, rb := p.Dequantize(a, s.values[a]), p.Dequantize(b, s.values[b])
		wa, wb := s.at(a), s.at(b)
		for i, v := range w {
			wa[i] += float64(v * rb[i])
			wb[i] += float64(v * ra[i])
			s.remain(v, float64(s.forward[a][i]*s.forward[b][i]))
		}
	case MatMul:
		s.throughMatMul(id, w)
	case Rescale:
		s.throughRescale(id, op, w)
	case Lookup:
		if !s.throughLookup(id, op, w) {
			return false
		}
	case Max:
		s.throughMax(id, w)
	case Div:
		if note.floors {
			return false
		}
		s.throughDiv(id, w)
	default:
		return false
	}
	if note.drift != 0 {
		for i, v := range w {
			s.remain(v, float64(note.drift*math.Abs(node.Scale.Real(s.values[id][i]))))
		}
	}
	switch node.Op.(type) {
	case Linear, Add, Rescale, Div:
		for i, v := range w {
			s.remain(v, s.local[id][i])
		}
	case Lookup:
		for i, v := range w {
			x := p.Nodes[node.Inputs[0]].Scale.Real(s.values[node.Inputs[0]][i])
			s.remain(v, math.Abs(note.real()(x)-node.Scale.Real(s.values[id][i])))
		}
	}
	return true
}

// real is the function that a Lookup stands for.
func (d *deviation) real() func(float64) float64 {
	if d.negatedExp {
		exp := graph.Unary{Func: graph.Exp}
		return func(x float64) float64 { return exp.Eval(-x) }
	}
	return d.function.Eval
}
