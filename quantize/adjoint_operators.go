package quantize

import (
	"math"

	"github.com/zkml-go/zkml/graph"
)

// throughRewire sends each weight to the element that it came from, times the change
// of scale.
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
			s.at(in)[at] += float64(v * node.Scale.Float() / p.Nodes[in].Scale.Float())
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
