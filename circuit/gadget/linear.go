package gadget

import (
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"strconv"
)

// Operand is a tensor of integers, row-major: Fixed ones, part of the circuit, or
// computed ones. Of computed ones every element is, for an honest prover and by the
// rows that bind it, an integer in the Interval.
type Operand struct {
	Fixed []int64
	Exprs []Expr
	Interval
}

// layer is one linear map. Its operand X is always computed; weights and bias are
// fixed or hidden.
type layer struct {
	g                    Geometry
	v, h                 axis
	vertical, horizontal []phase
	x, weights, bias     Operand
	reach                []Interval // of each output channel, for operands in their intervals
	// y are the result's expressions: Y[n,o,u,v] is y[place(n, o, position)].
	y     []Expr
	place func(n, o, position int) int
	read  []bool // by channel of X: see channels
}

// Linear returns the result [N, O, OH, OW] of the linear map with the given geometry:
// see Geometry. x has computed elements, weights and bias are fixed or hidden; an
// empty bias is 0.
//
// Every result is determined by x, weights and bias. Which rows prove it is chosen
// by their number:
//
//   - direct: the sum as it stands. One row for each nonzero weight but the first
//     (two if it is hidden). A single fixed weight is free.
//   - packed: the results are hinted; those of one position share lanes of one sum
//     (see lanes.go). One row for each nonzero packed weight and one for each result.
//   - Freivalds with lanes or with random coefficients: the results are hinted; all
//     positions are checked at once at a random point (see freivalds.go).
//
// The choice between the last ones is made at the end, when the consumers' rows have
// proven the ranges of the results; a result whose range isn't proven, or so wide a
// one that few lanes would fit, is range-checked where that takes fewer rows.
//
// NB! A hinted result is not bound in the sense of Builder.Bound, though x determines
// it: its uniqueness may rest on its own range check, which must not in turn rest on
// the result being fixed before the challenge.
func (b *Builder) Linear(g Geometry, x, weights, bias Operand) []Expr {
	l, err := newLayer(g, x, weights, bias)
	if err != nil {
		b.fail(err)
		return make([]Expr, l.results())
	}
	direct, hinted := l.directRows(), l.leastHintedRows()
	if direct <= hinted {
		defer b.strategy("direct")()
		l.direct(b)
		b.Defer(Decide, func() error {
			l.bindDirect(b)
			return nil
		})
		return l.y
	}
	l.y = b.HintFunc(b.hintName("linear"), l.hint(), l.results(), l.inputs()...)
	for o, reach := range l.reach {
		l.eachResult(o, func(y Expr) { b.reach[y.Wire] = reach })
	}
	b.Defer(Decide, func() error { return b.decide(l) })
	return l.y
}

// newLayer checks sizes and computes what a layer needs to know.
func newLayer(g Geometry, x, weights, bias Operand) (*layer, error) {
	l := &layer{g: g, x: x, weights: weights, bias: bias}
	if err := g.check(); err != nil {
		return l, err
	}
	l.v, l.h = g.axes()
	l.vertical, l.horizontal = l.v.phases(), l.h.phases()
	l.place = func(n, o, position int) int { return (n*g.O+o)*l.v.count*l.h.count + position }
	if len(x.Exprs) != g.N*g.C*g.H*g.W || x.Fixed != nil {
		return l, fmt.Errorf("linear map of %d computed elements: %+v needs %d", len(x.Exprs), g, g.N*g.C*g.H*g.W)
	}
	if n := g.O * (g.C / g.Groups) * g.KH * g.KW; len(weights.Fixed)+len(weights.Exprs) != n {
		return l, fmt.Errorf("linear map with %d weights: %+v needs %d", len(weights.Fixed)+len(weights.Exprs), g, n)
	}
	if n := len(bias.Fixed) + len(bias.Exprs); n != 0 && n != g.O {
		return l, fmt.Errorf("linear map with %d biases for %d channels", n, g.O)
	}
	return l, l.bound()
}

// results is the number of elements of the result, 0 if the geometry is refused.
func (l *layer) results() int {
	if l.g.check() != nil {
		return 0
	}
	v, h := l.g.axes()
	return l.g.N * l.g.O * v.count * h.count
}

// positions is the number of elements of the result in one channel.
func (l *layer) positions() int { return l.g.N * l.v.count * l.h.count }

// result is Y[n,o,u,v].
func (l *layer) result(n, o, u, v int) Expr { return l.y[l.place(n, o, u*l.h.count+v)] }

// inputs are the hint's inputs.
func (l *layer) inputs() []Expr {
	in := append([]Expr(nil), l.x.Exprs...)
	return append(append(in, l.weights.Exprs...), l.bias.Exprs...)
}

// biasOf is the bias of an output channel.
func (l *layer) biasOf(o int) Expr {
	switch {
	case l.bias.Fixed != nil:
		return Constant(l.bias.Fixed[o])
	case l.bias.Exprs != nil:
		return l.bias.Exprs[o]
	}
	return Expr{}
}

// strategy names the current region's gadget by the strategy until the returned
// function is called.
func (b *Builder) strategy(name string) func() {
	old := b.region
	b.region.Gadget = "linear, " + name
	return func() { b.region = old }
}

// hintName returns a name that no other hint of this circuit has.
func (b *Builder) hintName(kind string) string {
	return kind + " " + strconv.Itoa(len(b.overrides))
}

// direct writes the sums as they stand.
func (l *layer) direct(b *Builder) {
	l.y = make([]Expr, l.results())
	var terms []Expr
	for o, k := range singles(l.g.O) {
		taps := l.taps(b, k)
		for n := range l.g.N {
			for u := range l.v.count {
				for v := range l.h.count {
					terms = append(l.products(b, terms[:0], taps, n, u, v), l.biasOf(o))
					l.y[l.place(n, o, u*l.h.count+v)] = b.Sum(terms...)
				}
			}
		}
	}
}

// reaches returns the interval of a hinted result of a linear map: that of its channel,
// by the exact weights and for operands in their intervals. The map's own rows prove
// that the result lies in it.
func (b *Builder) reaches(x Expr) (Interval, bool) {
	if x.IsConst() || !x.Const.IsZero() || !x.Coeff.IsOne() {
		return Interval{}, false
	}
	reach, ok := b.reach[x.Wire]
	return reach, ok
}

// bindDirect records that directly computed results are bound if all operands are:
// each is a row's function of them.
func (l *layer) bindDirect(b *Builder) {
	for _, operand := range [...][]Expr{l.x.Exprs, l.weights.Exprs, l.bias.Exprs} {
		for _, x := range operand {
			if !x.IsConst() && !b.Bound(x.Wire) {
				return
			}
		}
	}
	for _, y := range l.y {
		if !y.IsConst() {
			b.Bind(y.Wire)
		}
	}
}

var errReach = errors.New("a linear map's values can reach 2^62")

// bound computes the interval of each output channel from those of the operands, by
// interval arithmetic over the exact weights.
func (l *layer) bound() error {
	in := l.x.Interval
	if l.v.padded() || l.h.padded() {
		in = Interval{min(in.Lo, 0), max(in.Hi, 0)}
	}
	taps := l.g.C / l.g.Groups * l.g.KH * l.g.KW
	l.reach = make([]Interval, l.g.O)
	for o := range l.reach {
		var positive, negative uint64 // sums of magnitudes
		var carry, c uint64
		if l.weights.Fixed != nil {
			for _, w := range l.weights.Fixed[o*taps:][:taps] {
				if w >= 0 {
					positive, c = bits.Add64(positive, uint64(w), 0)
				} else {
					negative, c = bits.Add64(negative, -uint64(w), 0)
				}
				carry |= c
			}
		}
		lo, hi := new(big.Int), new(big.Int)
		add := func(sum *big.Int, weight uint64, x int64) {
			sum.Add(sum, new(big.Int).Mul(new(big.Int).SetUint64(weight), big.NewInt(x)))
		}
		if l.weights.Fixed != nil {
			add(lo, positive, in.Lo)
			add(hi, positive, in.Hi)
			add(lo, negative, -in.Hi)
			add(hi, negative, -in.Lo)
		} else {
			lo, hi = product64(in, l.weights.Interval)
			lo.Mul(lo, big.NewInt(int64(taps)))
			hi.Mul(hi, big.NewInt(int64(taps)))
		}
		switch {
		case l.bias.Fixed != nil:
			add(lo, 1, l.bias.Fixed[o])
			add(hi, 1, l.bias.Fixed[o])
		case l.bias.Exprs != nil:
			add(lo, 1, l.bias.Lo)
			add(hi, 1, l.bias.Hi)
		}
		if carry != 0 || lo.BitLen() > 62 || hi.BitLen() > 62 {
			return errReach
		}
		l.reach[o] = Interval{lo.Int64(), hi.Int64()}
	}
	return nil
}

// product64 is the interval of a product of two factors.
func product64(x, y Interval) (lo, hi *big.Int) {
	for _, a := range [...]int64{x.Lo, x.Hi} {
		for _, c := range [...]int64{y.Lo, y.Hi} {
			v := new(big.Int).Mul(big.NewInt(a), big.NewInt(c))
			if lo == nil || v.Cmp(lo) < 0 {
				lo = v
			}
			if hi == nil || v.Cmp(hi) > 0 {
				hi = new(big.Int).Set(v) // callers change lo and hi in place
			}
		}
	}
	return
}
