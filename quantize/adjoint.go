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

// throughRewire sends each weight to the element that it came from.
func (s *adjoint) throughRewire(id ID, op Rewire, w []float64) {
	p := s.a.Program
	node := &p.Nodes[id]
	for i, v := range w {
		if v == 0 {
			continue
		}
		at := i
		if op.Index != nil {
			at = int(op.Index[i])
		}
		if at < 0 {
			s.remain(v, s.forward[id][i])
			continue
		}
		for _, in := range node.Inputs {
			if size := p.Nodes[in].Shape.Size(); at >= size {
				at -= size
				continue
			}
			s.at(in)[at] += v
			break
		}
	}
}

// throughLinear is the transposed linear map with the real weights.
func (s *adjoint) throughLinear(id ID, op Linear, w []float64) bool {
	p, note := s.a.Program, &s.a.notes[id]
	node := &p.Nodes[id]
	g, err := newGeometry(op, p.Nodes[node.Inputs[0]].Shape, p.Nodes[node.Inputs[1]].Shape)
	if err != nil {
		return false
	}
	weights := note.weights
	if weights == nil {
		ratio := node.Scale.Float() / p.Nodes[node.Inputs[0]].Scale.Float()
		weights = make([]float64, len(s.values[node.Inputs[1]]))
		for i, v := range s.values[node.Inputs[1]] {
			weights[i] = float64(float64(v) * ratio)
		}
	}
	transpose(&g, s.at(node.Inputs[0]), w, weights)
	return true
}

// transpose adds to x the transposed linear map of y.
func transpose(g *geometry, x, y, w []float64) {
	og := g.o / g.groups
	inPlane, outPlane := g.h*g.w, g.oh*g.ow
	for n := range g.n {
		for o := range g.o {
			first := n*g.c + (o/og)*g.cg
			from := y[(n*g.o+o)*outPlane:][:outPlane]
			for c := range g.cg {
				to := x[(first+c)*inPlane:][:inPlane]
				kernel := w[(o*g.cg+c)*g.kh*g.kw:]
				for u := range g.oh {
					for v := range g.ow {
						if k := from[u*g.ow+v]; k != 0 {
							g.spreadWindow(to, kernel, k, u, v)
						}
					}
				}
			}
		}
	}
}

// spreadWindow adds k times a kernel to the window of output position (u, v).
func (g *geometry) spreadWindow(to, kernel []float64, k float64, u, v int) {
	for i := range g.kh {
		row := u*g.stride[0] + i*g.dilate[0] - g.top
		if row < 0 || row >= g.h {
			continue
		}
		for j := range g.kw {
			if col := v*g.stride[1] + j*g.dilate[1] - g.left; col >= 0 && col < g.w {
				to[row*g.w+col] += float64(k * kernel[i*g.kw+j])
			}
		}
	}
}

// throughMatMul carries weights to both factors.
func (s *adjoint) throughMatMul(id ID, w []float64) {
	p := s.a.Program
	node := &p.Nodes[id]
	a, b := node.Inputs[0], node.Inputs[1]
	ra, rb := p.Dequantize(a, s.values[a]), p.Dequantize(b, s.values[b])
	wa, wb := s.at(a), s.at(b)
	m, k, n := p.Nodes[a].Shape[1], p.Nodes[a].Shape[2], p.Nodes[b].Shape[2]
	for i, v := range w {
		if v == 0 {
			continue
		}
		row, col := i/n, i%n
		for j := range k {
			ai, bi := row*k+j, (row/m*k+j)*n+col
			wa[ai] += float64(v * rb[bi])
			wb[bi] += float64(v * ra[ai])
			s.remain(v, float64(s.forward[a][ai]*s.forward[b][bi]))
		}
	}
}

// throughRescale lets pass what lies within the clamp and stops what is clamped.
// Where the error e reaches over the bound of the clamp, at distance d from the
// value, the answer is wrong by at most e − d; taking the mean of passing and
// stopping, it is wrong by at most e/2.
func (s *adjoint) throughRescale(id ID, op Rescale, w []float64) {
	p, note := s.a.Program, &s.a.notes[id]
	in := p.Nodes[id].Inputs[0]
	lo, hi := note.realClamp()
	x := s.at(in)
	for i, v := range w {
		if v == 0 {
			continue
		}
		real, e := p.Nodes[in].Scale.Real(s.values[in][i]), s.forward[in][i]
		pass := 0.0
		if real >= lo && real <= hi {
			pass = 1
		}
		rest := max(0, e-min(math.Abs(real-lo), math.Abs(real-hi)))
		if rest > 0.5*e {
			pass, rest = 0.5, 0.5*e
		}
		x[i] += float64(v * pass)
		s.remain(v, rest)
	}
}

// real is the function that a Lookup stands for.
func (d *deviation) real() func(float64) float64 {
	if d.negatedExp {
		exp := graph.Unary{Func: graph.Exp}
		return func(x float64) float64 { return exp.Eval(-x) }
	}
	return d.function.Eval
}

// throughLookup knows e^-x, the sigmoid and tanh: their slope, and a bound on their
// second derivative for the remainder.
func (s *adjoint) throughLookup(id ID, op Lookup, w []float64) bool {
	p, note := s.a.Program, &s.a.notes[id]
	in := p.Nodes[id].Inputs[0]
	var slope func(y float64) float64
	curvature := func(x, e float64) float64 { return 0.1 }
	f := note.real()
	switch {
	case note.negatedExp:
		slope = func(y float64) float64 { return -y }
		curvature = func(x, e float64) float64 { return f(x - e) }
	case note.function.Func == graph.Sigmoid:
		slope = func(y float64) float64 { return y * (1 - y) }
	case note.function.Func == graph.Tanh:
		slope = func(y float64) float64 { return 1 - float64(y*y) }
		curvature = func(x, e float64) float64 { return 0.77 }
	default:
		return false
	}
	for i, q := range s.values[in] {
		if note.flat[0] && q == op.Min || note.flat[1] && q == op.Min+int64(len(op.Table))-1 {
			// The tail: the forward bound already takes it as a whole.
			s.remain(w[i], s.forward[id][i])
			continue
		}
		x, e := p.Nodes[in].Scale.Real(q), s.forward[in][i]
		s.at(in)[i] += float64(w[i] * slope(f(x)))
		s.remain(w[i], float64(0.5*float64(e*e))*curvature(x, e))
	}
	return true
}

// throughMax sends a weight to the largest element. If another element j is the
// largest in truth, the error differs from that of the element found by at most the
// sum of both bounds less the distance of the two values.
func (s *adjoint) throughMax(id ID, w []float64) {
	p := s.a.Program
	in := p.Nodes[id].Inputs[0]
	scale := p.Nodes[in].Scale
	x, e := s.at(in), s.forward[in]
	k := len(x) / len(w)
	for i, v := range w {
		if v == 0 {
			continue
		}
		best := i * k
		for j := i * k; j < (i+1)*k; j++ {
			if s.values[in][j] > s.values[in][best] {
				best = j
			}
		}
		x[best] += v
		rest := 0.0
		for j := i * k; j < (i+1)*k; j++ {
			if j != best {
				rest = max(rest, e[j]+e[best]-scale.Real(s.values[in][best]-s.values[in][j]))
			}
		}
		s.remain(v, rest)
	}
}

// throughDiv: a/b − a'/b' = (e_a − (a/b)·e_b)/b + e_y·e_b/b, the last by the forward
// bounds.
func (s *adjoint) throughDiv(id ID, w []float64) {
	p := s.a.Program
	a, b := p.Nodes[id].Inputs[0], p.Nodes[id].Inputs[1]
	for i, v := range w {
		divisor := p.Nodes[b].Scale.Real(s.values[b][i])
		quotient := p.Nodes[a].Scale.Real(s.values[a][i]) / divisor
		s.at(a)[i] += v / divisor
		s.at(b)[i] -= float64(v*quotient) / divisor
		s.remain(v, float64(s.forward[id][i]*s.forward[b][i])/divisor)
	}
}
