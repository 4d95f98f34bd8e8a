// Package cases are the systems that the audit of this project runs on: one for each
// gadget and each way in which it can be written, and one for each integer operator.
package cases

import (
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"math/rand/v2"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/audit"
	"github.com/zkml-go/zkml/circuit/gadget"
)

// Case is a system with honest inputs.
type Case struct {
	System *audit.System
	Inputs [][]fr.Element
}

// builder is one gadget between given inputs and its results.
type builder struct {
	name   string
	widths []int
	in     []gadget.Interval // of each given input
	inputs int               // how many, if in has one entry
	chosen bool              // the inputs are the prover's choice within in, not given
	write  func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr
}

type (
	interval = gadget.Interval
	rounding = gadget.Rounding
)

// Gadgets returns a case for each gadget.
func Gadgets() ([]Case, error) {
	var list []Case
	for _, build := range gadgets() {
		c, err := build.make()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", build.name, err)
		}
		list = append(list, c)
	}
	return list, nil
}

// make writes the gadget and draws inputs, the ends of the intervals among them.
func (g *builder) make() (Case, error) {
	n := max(g.inputs, len(g.in))
	b := gadget.New(256, g.widths...)
	xs := make([]gadget.Expr, n)
	for i := range xs {
		xs[i] = b.Secret(fmt.Sprint("x", i))
	}
	b.At("node", g.name)
	ys := g.write(b, xs)
	if err := b.Finish(); err != nil {
		return Case{}, err
	}
	c := Case{System: &audit.System{
		Name: g.name, CS: b.System(), Options: b.SolverOptions(), Region: b.RegionOf, HintName: b.HintName, Lookups: b.Lookups(),
		Tensors: []audit.Tensor{{Name: "y", Exprs: ys}},
	}}
	for i, x := range xs {
		in := g.in[min(i, len(g.in)-1)]
		c.System.Inputs = append(c.System.Inputs, audit.Input{
			Name: fmt.Sprint("x", i), First: i, Count: 1, Lo: in.Lo, Hi: in.Hi, Hidden: true,
			Given: !g.chosen, Fixed: !b.Bound(x.Wire),
		})
	}
	c.Inputs = g.witnesses(n)
	return c, nil
}

// witnesses draws honest inputs: of one or two operands every value of a small interval,
// so that each boundary and each tie is there; otherwise the ends and some at random.
func (g *builder) witnesses(n int) [][]fr.Element {
	r := rand.New(rand.NewPCG(5, uint64(len(g.name))))
	first := g.in[0]
	count, all := 16, false
	switch span := first.Hi - first.Lo + 1; {
	case n > 8:
		count = 2
	case n <= 2 && len(g.in) == 1 && span <= 64:
		count, all = int(span), true
	}
	var list [][]fr.Element
	for k := range count {
		values := make([]fr.Element, n)
		for i := range values {
			in := g.in[min(i, len(g.in)-1)]
			v := in.Lo + r.Int64N(in.Hi-in.Lo+1)
			switch {
			case all && i == 0:
				v = in.Lo + int64(k)
			case k == 0:
				v = in.Lo
			case k == 1:
				v = in.Hi
			}
			values[i] = gadget.Int(v)
		}
		list = append(list, values)
	}
	r.Shuffle(count, func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func gadgets() []*builder {
	one := []interval{{Lo: -9, Hi: 20}}
	list := []*builder{
		{name: "range of 1 bit", chosen: true, in: []interval{{Lo: 0, Hi: 1}}, write: ranged(1)},
		{name: "range of 2 bits", chosen: true, in: []interval{{Lo: 0, Hi: 3}}, write: ranged(2)},
		{name: "range of a table", widths: []int{3}, chosen: true, in: []interval{{Lo: 0, Hi: 7}}, write: ranged(3)},
		{name: "range below a table", widths: []int{4}, chosen: true, in: []interval{{Lo: 0, Hi: 7}}, write: ranged(3)},
		{name: "range of two limbs", widths: []int{3}, chosen: true, in: []interval{{Lo: 0, Hi: 63}}, write: ranged(6)},
		{name: "range of a narrow limb", widths: []int{4}, chosen: true, in: []interval{{Lo: 0, Hi: 63}}, write: ranged(6)},
		{name: "lookup", widths: []int{3}, in: []interval{{Lo: -3, Hi: 4}}, inputs: 3, write: func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr {
			return b.Table("square", -3, []int64{9, 4, 1, 0, 1, 4, 9, 16}).Query(xs)
		}},
		{name: "rescale and lookup", widths: []int{2}, in: []interval{{Lo: -12, Hi: 15}}, write: func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr {
			t := b.Table("relu", -4, []int64{0, 0, 0, 0, 0, 1, 2, 3, 4})
			return b.RescaleLookup(xs, interval{Lo: -12, Hi: 15}, rounding{Mult: 1, Shift: 2, Min: -100, Max: 100}, t)
		}},
		{name: "max", widths: []int{5}, in: one, inputs: 3, write: func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr {
			return b.Max([][]gadget.Expr{xs}, one[0])
		}},
		{name: "argmax", widths: []int{4}, in: []interval{{Lo: -4, Hi: 3}}, inputs: 3, write: func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr {
			return b.ArgMax([][]gadget.Expr{xs}, interval{Lo: -4, Hi: 3}, false)
		}},
		{name: "argmax, the last", widths: []int{3}, in: []interval{{Lo: -4, Hi: 3}}, inputs: 4, write: func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr {
			return b.ArgMax([][]gadget.Expr{xs}, interval{Lo: -4, Hi: 3}, true)
		}},
		{name: "div", widths: []int{4}, in: []interval{{Lo: 0, Hi: 20}, {Lo: 1, Hi: 6}}, write: func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr {
			return b.Div(xs[:1], xs[1:], interval{Lo: 0, Hi: 20}, interval{Lo: 1, Hi: 6}, 1)
		}},
		{name: "threshold", widths: []int{4}, in: one, write: func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr {
			return b.Threshold(xs, 4, one[0])
		}},
	}
	for _, c := range rescales {
		write := func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr { return b.Rescale(xs, c.in, c.r) }
		inputs := 1
		if c.lanes {
			write, inputs = inLanes(write, c.in), 2
		}
		list = append(list, &builder{name: "rescale, " + c.name, widths: c.widths, in: []interval{c.in}, inputs: inputs, write: write})
	}
	for _, c := range pools {
		list = append(list, &builder{name: "max and rescale, " + c.name, widths: c.widths, in: []interval{c.in}, inputs: 3, write: func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr {
			return b.MaxRescale([][]gadget.Expr{xs}, c.in, c.r)
		}})
	}
	return append(list, linears()...)
}

func ranged(bits int) func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr {
	return func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr {
		b.Range(xs[0], bits)
		return xs
	}
}

// inLanes makes the operands of a gadget what those of most rescales are: results of a
// linear map, hinted and not committed, which only their sum in lanes and the ranges
// that the gadget proves determine. What a gadget commits matters there: where it is
// given its operand, one limb follows from the others.
func inLanes(write func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr, in interval) func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr {
	return func(b *gadget.Builder, xs []gadget.Expr) []gadget.Expr {
		hints := b.HintFunc("linear", same, len(xs), xs...)
		var ys []gadget.Expr
		for i := range hints {
			ys = append(ys, write(b, hints[i:i+1])...)
		}
		b.Defer(gadget.Decide, func() error {
			var sum gadget.Expr
			offset := 0
			for i, h := range hints {
				p, ok := b.Proven(h.Wire)
				if !ok {
					return errUnproven
				}
				offset += p.Frac
				sum = b.Add(sum, b.Sub(h, xs[i]).Scale(gadget.Pow2(offset)))
				offset += bits.Len64(uint64(max(p.Hi-in.Lo, in.Hi-p.Lo)))
			}
			b.AssertEqual(sum, gadget.Constant(0))
			return nil
		})
		return ys
	}
}

var errUnproven = errors.New("the gadget proves no range of its operand")

// same is the hint of the linear map that changes nothing.
func same(_ *big.Int, in, out []*big.Int) error {
	for i := range out {
		out[i].Set(in[i])
	}
	return nil
}

type rescale struct {
	name   string
	widths []int
	in     interval
	r      rounding
	lanes  bool // its operand needn't be bound
}

var rescales = []rescale{
	{"no clamp", []int{3}, interval{Lo: -9, Hi: 20}, rounding{Mult: 1, Shift: 2, Min: -100, Max: 100}, false},
	{"two limbs of quotient", []int{2}, interval{Lo: -9, Hi: 20}, rounding{Mult: 1, Shift: 1, Min: -100, Max: 100}, false},
	{"two limbs of remainder", []int{2}, interval{Lo: -9, Hi: 20}, rounding{Mult: 1, Shift: 3, Min: -100, Max: 100}, false},
	{"multiplier", []int{3}, interval{Lo: -5, Hi: 7}, rounding{Mult: 3, Shift: 2, Min: -100, Max: 100}, false},
	{"relu by its sign", []int{3}, interval{Lo: -20, Hi: 20}, rounding{Mult: 1, Shift: 2, Min: 0, Max: 100}, true},
	{"relu, far below", []int{2, 3}, interval{Lo: -30, Hi: 7}, rounding{Mult: 1, Shift: 2, Min: 0, Max: 100}, false},
	{"clip above by its sign", []int{3}, interval{Lo: -20, Hi: 30}, rounding{Mult: 1, Shift: 2, Min: -100, Max: 3}, true},
	{"relu, very far below", []int{2}, interval{Lo: -150, Hi: 7}, rounding{Mult: 1, Shift: 2, Min: 0, Max: 100}, false},
	{"both clamps, a table's size", []int{2, 3}, interval{Lo: -40, Hi: 40}, rounding{Mult: 1, Shift: 2, Min: -2, Max: 1}, true},
	{"both clamps, no power of two", []int{3}, interval{Lo: -40, Hi: 40}, rounding{Mult: 1, Shift: 2, Min: 0, Max: 4}, false},
	{"both clamps, two limbs", []int{2}, interval{Lo: -12, Hi: 30}, rounding{Mult: 1, Shift: 1, Min: 0, Max: 9}, false},
	{"both clamps, far", []int{2}, interval{Lo: -60, Hi: 60}, rounding{Mult: 1, Shift: 2, Min: 0, Max: 3}, false},
	{"clamp alone", []int{3}, interval{Lo: -12, Hi: 12}, rounding{Mult: 1, Shift: 0, Min: 0, Max: 3}, true},
	{"half to even", []int{3}, interval{Lo: -20, Hi: 20}, rounding{Mult: 1, Shift: 2, HalfEven: true, Min: -100, Max: 100}, true},
	{"half to even, clamped", []int{3}, interval{Lo: -20, Hi: 20}, rounding{Mult: 1, Shift: 2, HalfEven: true, Min: -2, Max: 1}, true},
}

var pools = []rescale{
	{"no clamp", []int{2}, interval{Lo: -6, Hi: 9}, rounding{Mult: 1, Shift: 2, Min: -100, Max: 100}, false},
	{"scaled remainder", []int{2}, interval{Lo: -3, Hi: 4}, rounding{Mult: 1, Shift: 1, Min: -100, Max: 100}, false},
	{"relu", []int{2}, interval{Lo: -6, Hi: 9}, rounding{Mult: 1, Shift: 2, Min: 0, Max: 100}, false},
	{"both clamps", []int{1, 2}, interval{Lo: -6, Hi: 9}, rounding{Mult: 1, Shift: 2, Min: 0, Max: 1}, false},
	{"both clamps, no power of two", []int{2}, interval{Lo: -9, Hi: 9}, rounding{Mult: 1, Shift: 2, Min: -1, Max: 1}, false},
}
