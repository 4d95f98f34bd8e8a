package gadget

import (
	"fmt"
	"hash/fnv"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint/solver"
)

// naive is the definition of a linear map, element by element.
func naive(g Geometry, x, weights, bias []int64) []int64 {
	v, h := g.axes()
	channels, outputs := g.C/g.Groups, g.O/g.Groups
	var y []int64
	for n := range g.N {
		for o := range g.O {
			for u := range v.count {
				for w := range h.count {
					sum := int64(0)
					if bias != nil {
						sum = bias[o]
					}
					for c := range channels {
						for i := range g.KH {
							for j := range g.KW {
								r := u*g.Stride[0] + i*g.Dilation[0] - g.Pad[0]
								s := w*g.Stride[1] + j*g.Dilation[1] - g.Pad[1]
								if r < 0 || r >= g.H || s < 0 || s >= g.W {
									continue
								}
								sum += weights[((o*channels+c)*g.KH+i)*g.KW+j] * x[((n*g.C+o/outputs*channels+c)*g.H+r)*g.W+s]
							}
						}
					}
					y = append(y, sum)
				}
			}
		}
	}
	return y
}

// problem is a linear map with values.
type problem struct {
	g                         Geometry
	x, weights, bias          []int64
	xIn, wIn, bIn             Interval
	hiddenWeights, hiddenBias bool
	commitEvery               int // of so many wires, one is committed beforehand
}

// operands are the problem's operands as secret inputs and constants.
func (p *problem) operands(b *Builder) (x, weights, bias Operand) {
	inputs := func(name string, values []int64, in Interval) Operand {
		o := Operand{Interval: in}
		for i := range values {
			o.Exprs = append(o.Exprs, b.Secret(fmt.Sprint(name, i)))
		}
		return o
	}
	x = inputs("x", p.x, p.xIn)
	weights, bias = Operand{Fixed: p.weights}, Operand{Fixed: p.bias}
	if p.hiddenWeights {
		weights = inputs("w", p.weights, p.wIn)
	}
	if p.hiddenBias && p.bias != nil {
		bias = inputs("b", p.bias, p.bIn)
	}
	return
}

// secret is the witness for operands.
func (p *problem) secret() []fr.Element {
	values := append([]int64(nil), p.x...)
	if p.hiddenWeights {
		values = append(values, p.weights...)
	}
	if p.hiddenBias {
		values = append(values, p.bias...)
	}
	return elements(values)
}

func elements(values []int64) []fr.Element {
	out := make([]fr.Element, len(values))
	for i, v := range values {
		out[i] = Int(v)
	}
	return out
}

// random fills a problem's operands; about a third of the weights are 0.
func (p *problem) random(r *rand.Rand) {
	fill := func(n int, in Interval) []int64 {
		values := make([]int64, n)
		for i := range values {
			values[i] = in.Lo + r.Int64N(in.Hi-in.Lo+1)
		}
		return values
	}
	g := &p.g
	p.commitEvery = 1 + r.IntN(5)
	p.xIn, p.wIn, p.bIn = Interval{-3, 12}, Interval{-8, 7}, Interval{-100, 155}
	p.x = fill(g.N*g.C*g.H*g.W, p.xIn)
	p.weights = fill(g.O*g.C/g.Groups*g.KH*g.KW, p.wIn)
	for i := range p.weights {
		if r.IntN(3) == 0 {
			p.weights[i] = 0
		}
	}
	if r.IntN(2) == 0 {
		p.bias = fill(g.O, p.bIn)
	}
}

// randomGeometry returns a small geometry that has a result.
func randomGeometry(r *rand.Rand) Geometry {
	for {
		groups := []int{1, 1, 1, 2, 3}[r.IntN(5)]
		g := Geometry{
			N: 1 + r.IntN(2), C: groups * (1 + r.IntN(3)), H: 1 + r.IntN(8), W: 1 + r.IntN(8),
			O: groups * (1 + r.IntN(4)), KH: 1 + r.IntN(4), KW: 1 + r.IntN(4), Groups: groups,
			Stride: [2]int{1, 1}, Dilation: [2]int{1, 1},
		}
		for i := range 2 {
			if r.IntN(3) == 0 {
				g.Stride[i] = 1 + r.IntN(3)
			}
			if r.IntN(3) == 0 {
				g.Dilation[i] = 1 + r.IntN(3)
			}
		}
		for i := range g.Pad {
			if r.IntN(2) == 0 {
				g.Pad[i] = r.IntN(4)
			}
		}
		if g.check() == nil {
			return g
		}
	}
}

// strategies are the names of plans, in the order of Builder.plans.
var strategies = []string{"direct", "Freivalds", "packed", "Freivalds with lanes"}

// hinted writes the problem, some of its wires bound, with hinted results and the plan of the given name, and
// returns the layer, or nil if there is no such plan. Results are range-checked by
// rows if ranged, and otherwise only recorded as proven.
func (p *problem) hinted(b *Builder, name string, ranged bool) (l *layer, rows int) {
	x, weights, bias := p.operands(b)
	l, err := newLayer(p.g, x, weights, bias)
	if err != nil {
		b.fail(err)
		return nil, 0
	}
	l.y = b.HintFunc("forgeable", l.hint(), l.results(), l.inputs()...)
	b.At("elsewhere", "")
	for i, e := range append(l.inputs(), l.y...) {
		if i%p.commitEvery == p.commitEvery-1 {
			b.Commit(e)
		}
	}
	for i, y := range l.y {
		reach := l.reach[i/(l.v.count*l.h.count)%p.g.O]
		width := 0
		for ; int64(1)<<width <= reach.Hi-reach.Lo; width++ {
		}
		if ranged {
			b.At("test", "range")
			b.Range(y.Plus(-reach.Lo), width)
		} else {
			b.Prove(y.Wire, Proven{Interval{reach.Lo, reach.Lo + 1<<width - 1}, i % 3})
		}
	}
	b.At("test", "linear")
	var chosen *plan
	for _, q := range b.plans(l) {
		if q.name == name {
			chosen = &q
		}
	}
	if chosen == nil {
		return nil, 0
	}
	b.Defer(Decide, func() error {
		chosen.bind()
		return nil
	})
	return l, chosen.rows
}

// linearRows sums the rows written for the layer.
func linearRows(b *Builder) int {
	rows := 0
	_, by := b.RowsBy()
	for region, n := range by {
		if region.Node == "test" && region.Gadget != "range" {
			rows += n
		}
	}
	return rows
}

func override(name string, f solver.Hint) solver.Option {
	h := fnv.New32a()
	h.Write([]byte("zkml:" + name))
	return solver.OverrideHint(solver.HintID(h.Sum32()), f)
}

// forged replaces the hinted results.
func forged(y []fr.Element) solver.Option { return forgedAs("forgeable", y) }

// forgedAs replaces the outputs of the named hint.
func forgedAs(name string, y []fr.Element) solver.Option {
	return override(name, func(_ *big.Int, _, out []*big.Int) error {
		for i := range out {
			y[i].BigInt(out[i])
		}
		return nil
	})
}

// TestLinearStrategies compares every way to prove a linear map with its definition,
// on random geometries, and its rows with their count.
func TestLinearStrategies(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	plans := make(map[string]int)
	for round := range 150 {
		p := problem{g: randomGeometry(r)}
		p.random(r)
		p.hiddenWeights = r.IntN(3) == 0
		p.hiddenBias = p.bias != nil && r.IntN(2) == 0
		want := naive(p.g, p.x, p.weights, p.bias)
		for _, name := range strategies {
			b, dry := New(1024), NewDry()
			l, rows := p.hinted(b, name, false)
			if l == nil {
				continue // it doesn't apply to this geometry
			}
			plans[name]++
			t.Run(fmt.Sprint(round, name), func(t *testing.T) {
				p.hinted(dry, name, false)
				if err := b.Finish(); err != nil {
					t.Fatal(err)
				}
				if err := dry.Finish(); err != nil || dry.Rows() != b.Rows() {
					t.Errorf("dry run: %d rows, %v; want %d", dry.Rows(), err, b.Rows())
				}
				if got := linearRows(b); got != rows {
					t.Errorf("%+v: %d rows written, %d counted", p.g, got, rows)
				}
				if terms := b.SoundnessTerms(); strings.HasPrefix(name, "Freivalds") != (terms > 0) || terms > 0 && terms < uint64(l.positions()) {
					t.Errorf("%+v: soundness %d for %d positions", p.g, terms, l.positions())
				}
				if err := solve(t, b, nil, p.secret()); err != nil {
					t.Fatalf("%+v: honest witness: %v", p.g, err)
				}
				honest := elements(want)
				if err := solve(t, b, nil, p.secret(), forged(honest)); err != nil {
					t.Fatalf("%+v: the definition's results: %v", p.g, err)
				}
				i := r.IntN(len(honest))
				delta := Int([]int64{1, -1, 7, 1 << 40}[r.IntN(4)])
				honest[i].Add(&honest[i], &delta)
				if solve(t, b, nil, p.secret(), forged(honest)) == nil {
					t.Errorf("%+v: result %d changed by %s is accepted", p.g, i, delta.String())
				}
			})
		}
	}
	for _, name := range strategies {
		if plans[name] < 10 {
			t.Errorf("%s: tried on %d geometries", name, plans[name])
		}
	}
}

// TestLinearDirect compares directly computed results and their row count.
func TestLinearDirect(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		p := problem{g: randomGeometry(r)}
		p.random(r)
		p.hiddenWeights = r.IntN(3) == 0
		p.hiddenBias = p.bias != nil && r.IntN(2) == 0
		want := naive(p.g, p.x, p.weights, p.bias)
		b := New(1024)
		var out []Expr
		for i := range want {
			out = append(out, b.Public(fmt.Sprint(i)))
		}
		x, weights, bias := p.operands(b)
		l, err := newLayer(p.g, x, weights, bias)
		if err != nil {
			t.Fatal(err)
		}
		l.direct(b)
		if b.Rows() != l.directRows() {
			t.Errorf("%+v: %d rows written, %d counted", p.g, b.Rows(), l.directRows())
		}
		for i, y := range l.y {
			b.AssertEqual(y, out[i])
		}
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		if err := solve(t, b, elements(want), p.secret()); err != nil {
			t.Errorf("%+v: %v", p.g, err)
		}
	}
}
