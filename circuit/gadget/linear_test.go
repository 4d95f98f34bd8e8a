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
	for round := range 150 {
		p := problem{g: randomGeometry(r)}
		p.random(r)
		p.hiddenWeights = r.IntN(3) == 0
		p.hiddenBias = p.bias != nil && r.IntN(2) == 0
		want := naive(p.g, p.x, p.weights, p.bias)
		for _, name := range strategies {
			t.Run(fmt.Sprint(round, name), func(t *testing.T) {
				b, dry := New(1024), NewDry()
				l, rows := p.hinted(b, name, false)
				if l == nil {
					t.Skip("no such plan")
				}
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

// TestLinearOfOddOperands has constants and repeated wires among the operand's
// elements, as padding and expansion make them, and wires with factors and offsets.
func TestLinearOfOddOperands(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 4))
	for _, name := range strategies {
		p := problem{g: padded(plain(1, 2, 5, 6, 4, 3), 1)}
		p.random(r)
		p.xIn = Interval{-100, 100}
		b := New(1024)
		secret := []fr.Element{Int(3), Int(-2)}
		first, second := b.Secret("0"), b.Secret("1")
		var x []Expr
		for i := range p.x {
			switch i % 4 {
			case 0:
				x, p.x[i] = append(x, Constant(0)), 0
			case 1:
				x, p.x[i] = append(x, Constant(9)), 9
			case 2:
				x, p.x[i] = append(x, first), 3
			case 3:
				x, p.x[i] = append(x, second.Times(int64(i)).Plus(5)), -2*int64(i)+5
			}
		}
		l, err := newLayer(p.g, Operand{Exprs: x, Interval: p.xIn}, Operand{Fixed: p.weights}, Operand{Fixed: p.bias})
		if err != nil {
			t.Fatal(err)
		}
		l.y = b.HintFunc("forgeable", l.hint(), l.results(), x...)
		for i, y := range l.y {
			b.Prove(y.Wire, Proven{l.reach[i/30], 0})
		}
		b.At("test", "")
		rows := 0
		for _, q := range b.plans(l) {
			if q.name == name {
				rows = q.rows
				b.Defer(Decide, func() error {
					q.bind()
					return nil
				})
			}
		}
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		if got := linearRows(b); got > rows {
			t.Errorf("%s: %d rows, at most %d counted", name, got, rows)
		}
		want := elements(naive(p.g, p.x, p.weights, p.bias))
		if err := solve(t, b, nil, secret, forged(want)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want[7].Add(&want[7], &one)
		if solve(t, b, nil, secret, forged(want)) == nil {
			t.Errorf("%s: a wrong result is accepted", name)
		}
	}
}

// TestLinearChoosesDirect has maps that need no hint.
func TestLinearChoosesDirect(t *testing.T) {
	pool := plain(1, 3, 8, 8, 3, 2)
	pool.Groups, pool.Stride = 3, [2]int{2, 2}
	for _, c := range []struct {
		name    string
		g       Geometry
		weights []int64
		rows    int
	}{
		{"a single tap", plain(1, 1, 4, 4, 2, 1), []int64{3, -1}, 0},
		{"an average pool", pool, []int64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 3 * 16 * 3},
		{"zero weights", plain(1, 2, 2, 2, 1, 2), []int64{1, 0, 0, 0, 0, 2, 0, 0}, 1},
	} {
		b := New(256)
		x, values := randomOperand(b, rand.New(rand.NewPCG(1, 1)), "x", c.g.C*c.g.H*c.g.W, Interval{-8, 7})
		y := b.Linear(c.g, x, Operand{Fixed: c.weights}, Operand{})
		if b.Rows() != c.rows {
			t.Errorf("%s: %d rows, want %d", c.name, b.Rows(), c.rows)
		}
		for i, v := range naive(c.g, values, c.weights, nil) {
			b.AssertEqual(y[i], Constant(v))
		}
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		if err := solve(t, b, nil, elements(values)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestLinearRefuses has sizes that don't fit together and values that are too large.
func TestLinearRefuses(t *testing.T) {
	good := plain(1, 2, 3, 3, 2, 2)
	change := func(f func(*Geometry)) Geometry {
		g := good
		f(&g)
		return g
	}
	for name, c := range map[string]struct {
		g       Geometry
		weights []int64
		in      Interval
	}{
		"no stride":        {change(func(g *Geometry) { g.Stride[0] = 0 }), make([]int64, 16), Interval{0, 1}},
		"negative padding": {change(func(g *Geometry) { g.Pad[1] = -1 }), make([]int64, 16), Interval{0, 1}},
		"groups":           {change(func(g *Geometry) { g.Groups = 3 }), make([]int64, 16), Interval{0, 1}},
		"large kernel":     {change(func(g *Geometry) { g.KH = 4 }), make([]int64, 32), Interval{0, 1}},
		"huge":             {change(func(g *Geometry) { g.O = 1 << 28 }), make([]int64, 16), Interval{0, 1}},
		"few weights":      {good, make([]int64, 15), Interval{0, 1}},
		"large values":     {good, []int64{0, 0, 0, 0, 1 << 30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, Interval{0, 1 << 32}},
		"larger weights":   {good, []int64{-1 << 63, -1 << 63, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, Interval{0, 1}},
	} {
		b := NewDry()
		x, _ := randomOperand(b, rand.New(rand.NewPCG(1, 1)), "x", 18, Interval{0, 1})
		x.Interval = c.in
		b.Linear(c.g, x, Operand{Fixed: c.weights}, Operand{})
		if b.Finish() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestLinearChecksRanges has results of which nothing else proves a range, or only one
// so wide that lanes with range checks of their own take the fewest rows. Both changed
// results and carries are rejected: the claimed wide range has no rows here, so that
// only the checks can tell.
func TestLinearChecksRanges(t *testing.T) {
	for name, claim := range map[string]*Proven{
		"unproven": nil,
		"wide":     {Interval{-1 << 36, 1 << 36}, 5},
	} {
		p := problem{g: plain(1, 300, 1, 1, 12, 1)}
		p.random(rand.New(rand.NewPCG(11, 4)))
		want := naive(p.g, p.x, p.weights, p.bias)
		b := New(1024, 4, 6)
		x, weights, bias := p.operands(b)
		hint := b.hintName("linear")
		b.At("test", "")
		y := b.Linear(p.g, x, weights, bias)
		for i := range y {
			if claim != nil {
				b.Prove(y[i].Wire, *claim)
			}
		}
		l, err := newLayer(p.g, x, weights, bias)
		if err != nil {
			t.Fatal(err)
		}
		l.y = y
		least := 1 << 30
		for _, q := range b.plans(l) {
			least = min(least, q.rows)
		}
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		regions, rows := b.RowsBy()
		if n := rows[Region{"test", "linear, packed"}]; n > least+p.g.O || n < least-p.g.O {
			t.Errorf("%s: regions %v, %d rows, estimate %d", name, regions, n, least)
		}
		for i := range y {
			if proven, ok := b.Proven(y[i].Wire); !ok || proven.Frac > 0 || proven.Hi-proven.Lo > 1<<20 {
				t.Fatalf("%s: result %d is proven: %v, %v", name, i, proven, ok)
			}
		}
		if err := solve(t, b, nil, p.secret(), forgedAs(hint, elements(want))); err != nil {
			t.Fatal(err)
		}
		for i := range p.g.O - 1 {
			for shift := range 20 {
				lie := elements(want)
				carry := Pow2(shift)
				lie[i].Add(&lie[i], &carry)
				lie[i+1].Sub(&lie[i+1], &one)
				if solve(t, b, nil, p.secret(), forgedAs(hint, lie)) == nil {
					t.Errorf("%s: 2^%d carried from result %d is accepted", name, shift, i)
				}
			}
		}
	}
}

// TestZerosAreFree spreads an operand out with zeros, as a transposed convolution does:
// the operand's rows shrink with it.
func TestZerosAreFree(t *testing.T) {
	g := plain(1, 1, 15, 15, 3, 3)
	weights := make([]int64, 27)
	for i := range weights {
		weights[i] = int64(i - 9)
	}
	rows := func(zero func(i, j int) bool) int {
		b := NewDry()
		x := Operand{Interval: Interval{-8, 7}}
		for i := range g.H * g.W {
			if zero(i/g.W, i%g.W) {
				x.Exprs = append(x.Exprs, Constant(0))
				continue
			}
			x.Exprs = append(x.Exprs, b.Secret(fmt.Sprint(i)))
			b.Commit(x.Exprs[i])
		}
		l, err := newLayer(g, x, Operand{Fixed: weights}, Operand{})
		if err != nil {
			t.Fatal(err)
		}
		l.y = b.HintFunc("forgeable", l.hint(), l.results(), x.Exprs...)
		b.At("test", "")
		b.Defer(Decide, func() error {
			l.bindRandom(b)
			return nil
		})
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		return linearRows(b)
	}
	full := rows(func(_, _ int) bool { return false })
	spread := rows(func(i, j int) bool { return i%2 == 1 || j%2 == 1 })
	if zeros := 15*15 - 8*8; full-spread < 2*zeros-2*15 {
		t.Errorf("%d rows with %d zeros, %d without", spread, zeros, full)
	}
}

// Both ends of a product are values of their own, though one product gives both.
func TestProductOfOnePoint(t *testing.T) {
	lo, hi := product64(Interval{2, 2}, Interval{3, 3})
	lo.Add(lo, lo)
	if lo.Int64() != 12 || hi.Int64() != 6 {
		t.Errorf("[%v, %v], want [12, 6]", lo, hi)
	}
}

// TestReachIsExact compares each output channel's interval with the extremes over all
// operands at the ends of their intervals.
func TestReachIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 4))
	interval := func() Interval {
		lo := r.Int64N(9) - 5
		return Interval{lo, lo + []int64{0, 0, 1, 4}[r.IntN(4)]}
	}
	for range 300 {
		p := problem{g: plain(1, 2, 1, 1, 2, 1)}
		p.random(r)
		p.hiddenWeights, p.hiddenBias = r.IntN(2) == 0, true
		if p.bias == nil {
			p.bias = make([]int64, 2)
		}
		p.xIn, p.wIn, p.bIn = interval(), interval(), interval()
		x, weights, bias := p.operands(NewDry())
		l, err := newLayer(p.g, x, weights, bias)
		if err != nil {
			t.Fatal(err)
		}
		end := func(in Interval, bit int) int64 {
			if bit&1 == 0 {
				return in.Lo
			}
			return in.Hi
		}
		for o, reach := range l.reach {
			least, most := int64(1<<62), int64(-1<<62)
			for bits := range 32 {
				w := [2]int64{p.weights[2*o], p.weights[2*o+1]}
				if p.hiddenWeights {
					w = [2]int64{end(p.wIn, bits), end(p.wIn, bits>>1)}
				}
				v := w[0]*end(p.xIn, bits>>2) + w[1]*end(p.xIn, bits>>3) + end(p.bIn, bits>>4)
				least, most = min(least, v), max(most, v)
			}
			if reach != (Interval{least, most}) {
				t.Errorf("%+v: channel %d is held to lie in %v, reaches [%d, %d]", p, o, reach, least, most)
			}
		}
	}
}
