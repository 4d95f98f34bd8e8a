package quantize

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"

	"github.com/zkml-go/zkml/graph"
)

// statistics are what a float run over all samples showed.
type statistics struct {
	samples []Sample
	lo, hi  []float64     // by graph node
	outputs [][][]float64 // by sample and output
	// bytes says what an input's values are if they are all bytes of an image:
	// multiples of the scale 1/255 or 1; else the zero Scale.
	bytes []Scale
}

// observe runs the float interpreter once over each sample.
func observe(ctx context.Context, g *graph.Graph, samples []Sample) (*statistics, error) {
	run, err := graph.NewRunner(g)
	if err != nil {
		return nil, err
	}
	s := &statistics{samples: samples, lo: make([]float64, len(g.Nodes)), hi: make([]float64, len(g.Nodes))}
	for i := range g.Nodes {
		s.lo[i], s.hi[i] = math.Inf(1), math.Inf(-1)
	}
	pixels := make([][2]byteDetector, len(g.Inputs))
	for k, sample := range samples {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		values, err := run.Run(sample)
		if err != nil {
			return nil, fmt.Errorf("sample %d: %w", k, err)
		}
		for i, v := range values {
			for _, x := range v.Data {
				s.lo[i], s.hi[i] = min(s.lo[i], x), max(s.hi[i], x)
			}
		}
		for i, id := range g.Inputs {
			pixels[i][0].see(values[id].Data, 255)
			pixels[i][1].see(values[id].Data, 1)
		}
		outputs := make([][]float64, len(g.Outputs))
		for i, out := range g.Outputs {
			outputs[i] = append([]float64(nil), values[out.ID].Data...)
		}
		s.outputs = append(s.outputs, outputs)
	}
	for i := range pixels {
		scale := Scale{}
		if pixels[i][0].sure() {
			scale = Scale{Num: 1, Den: 255}
		} else if pixels[i][1].sure() {
			scale = PowerOfTwo(0)
		}
		s.bytes = append(s.bytes, scale)
	}
	return s, nil
}

// byteDetector recognises bytes, or bytes divided by 255 that are given to four
// decimals or better.
type byteDetector struct {
	seen  [256]bool
	other bool
}

// see looks at some values, which are multiples of 1/denominator if they are bytes.
func (d *byteDetector) see(values []float64, denominator float64) {
	for _, v := range values {
		scaled := float64(v * denominator)
		k := math.RoundToEven(scaled)
		if !(k >= 0 && k <= 255) || math.Abs(scaled-k) > 0.02 {
			d.other = true
			return
		}
		d.seen[int(k)] = true
	}
}

// sure wants so many different values that chance is out of the question.
func (d *byteDetector) sure() bool {
	n := 0
	for _, s := range d.seen {
		if s {
			n++
		}
	}
	return !d.other && n >= 16
}

// madeUpSamples are inputs for a model that came without samples: uniform in
// [-1, 1], or integers of a byte, from a fixed seed.
func madeUpSamples(g *graph.Graph) []Sample {
	r := rand.New(rand.NewPCG(0x7a6b6d6c, 1))
	samples := make([]Sample, 16)
	for k := range samples {
		samples[k] = Sample{}
		for _, id := range g.Inputs {
			in, ok := g.Nodes[id].Op.(graph.Input)
			if !ok {
				continue
			}
			t := &graph.Tensor{Shape: g.Nodes[id].Shape, Data: make([]float64, g.Nodes[id].Shape.Size())}
			for i := range t.Data {
				v := float64(r.IntN(2049)-1024) / 1024
				if in.Integer {
					v = float64(r.IntN(2))
				}
				t.Data[i] = v
			}
			samples[k][in.Name] = t
		}
	}
	return samples
}

// inputSettings chooses an input's encoding: its owner's, whole numbers, bytes, or
// a power of two at which the samples' range with its margin has the given bits.
func inputSettings(in graph.Input, lo, hi, margin float64, width int, bytes Scale, fixed *Encoding) InputSettings {
	s := InputSettings{Name: in.Name, Scale: PowerOfTwo(0)}
	switch {
	case fixed != nil:
		s.Bits, s.Lo, s.Scale = fixed.Bits, fixed.Lo, fixed.Scale
		if s.Scale == (Scale{}) {
			s.Scale = PowerOfTwo(0)
		}
		return s
	case bytes != Scale{} && !in.Integer:
		s.Bits, s.Scale = 8, bytes
		return s
	}
	lo, hi = min(lo, 0), max(hi, 0)
	span := [2]float64{float64(lo * (1 + margin)), float64(hi * (1 + margin))}
	if span[0] == 0 && span[1] == 0 {
		span[1] = 1
	}
	if !in.Integer {
		s.Scale.Exp = width - ceilLog2(span[1]-span[0])
		for count(span, s.Scale.Exp) > math.Ldexp(1, width) {
			s.Scale.Exp--
		}
	} else {
		width = bits.Len64(uint64(min(count(span, 0), 1<<53)) - 1)
	}
	s.Bits = max(width, 1)
	s.Lo = int64(math.Floor(math.Ldexp(span[0], s.Scale.Exp)))
	switch spare := int64(1)<<s.Bits - int64(count(span, s.Scale.Exp)); {
	case span[0] == 0:
	case span[1] == 0:
		s.Lo -= spare
	default:
		s.Lo -= spare / 2
	}
	return s
}

// count is the number of integers that a real range takes at 2^-exp.
func count(span [2]float64, exp int) float64 {
	return math.Ceil(math.Ldexp(span[1], exp)) - math.Floor(math.Ldexp(span[0], exp)) + 1
}
