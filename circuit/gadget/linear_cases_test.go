package gadget

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

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

// TestLinearFarFromZero has results beyond what a range check can record as proven, and
// nothing else that proves them: they are bound one by one.
func TestLinearFarFromZero(t *testing.T) {
	for _, far := range []int64{1<<61 + 1<<20, -1<<61 - 1<<20} {
		p := problem{g: plain(1, 64, 1, 1, 12, 1)}
		p.random(rand.New(rand.NewPCG(11, 5)))
		p.bias = make([]int64, p.g.O)
		for o := range p.bias {
			p.bias[o] = far
		}
		b := New(1024, 4, 6)
		x, weights, bias := p.operands(b)
		b.Linear(p.g, x, weights, bias)
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		if err := solve(t, b, nil, p.secret()); err != nil {
			t.Error(err)
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
