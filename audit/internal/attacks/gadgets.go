package attacks

import (
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/circuit/gadget"
)

// forge names a forgery.
func forge(name, source string, f *forgery) *Attack {
	return &Attack{Name: name, Source: source, Stop: describe(f.stops), run: f.run}
}

// hints is a lie in the outputs of one hint.
func hints(name string, f func(out []*big.Int)) lie {
	return lie{hints: map[string]func(in, out []*big.Int){name: func(_, out []*big.Int) { f(out) }}}
}

// plus adds to outputs: an index and what to add, in turn.
func plus(pairs ...int64) func(out []*big.Int) {
	return func(out []*big.Int) {
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i]].Add(out[pairs[i]], big.NewInt(pairs[i+1]))
		}
	}
}

// fraction is a/b in the field.
func fraction(a, b int64) *big.Int {
	x, y := gadget.Int(a), gadget.Int(b)
	x.Div(&x, &y)
	return x.BigInt(new(big.Int))
}

// imaginary is a square root of −1 in the field.
func imaginary() *fr.Element {
	e := gadget.Int(-1)
	return e.Sqrt(&e)
}

// output gives the element of the first output another value than its row does.
func output(element int, v int64) func(c *circuit.Circuit) map[gadget.Wire]fr.Element {
	return func(c *circuit.Circuit) map[gadget.Wire]fr.Element {
		x, e := c.Elements(c.Program.Outputs[0].ID)[element], gadget.Int(v)
		e.Sub(&e, &x.Const).Div(&e, &x.Coeff)
		return map[gadget.Wire]fr.Element{x.Wire: e}
	}
}

const (
	maxima    = "FACTS: shuffle without multiplicity (max)"
	zeros     = "FACTS: sign of zero"
	division  = "FACTS: quotient and remainder unchecked in division"
	roundings = "FACTS: wrong rounding"
	argmaxes  = "FACTS: argmax differing from ONNX on ties"
)

// gadgetAttacks lie in the hints of one gadget each.
func gadgetAttacks() []*Attack {
	return []*Attack{
		forge("a maximum that is no element", maxima, &forgery{
			model: maximum, lie: hints("max", plus(0, 1)), claim: []int64{6},
			stops: []string{"row of max"},
		}),
		forge("a maximum below an element", maxima, &forgery{
			model: maximum, lie: hints("max", plus(0, -2)), claim: []int64{3},
			stops: []string{"lookup of max in range 4"},
		}),
		forge("a pool's maximum that is no element", maxima, &forgery{
			model: pool, lie: hints("pool", plus(0, 1, 1, 1, 4, 1, 7, 1, 10, 1)), claim: []int64{5},
			stops: []string{"row of max and rescale"},
		}),
		forge("a pool's maximum below an element", maxima, &forgery{
			model: pool, lie: hints("pool", plus(0, -2, 1, -2, 4, -2, 7, -2, 10, -2)), claim: []int64{2},
			stops: []string{"lookup of max and rescale in range 4"},
		}),
		forge("zero taken for a negative number", zeros, &forgery{
			model: signs, lie: hints("threshold", plus(0, -1)), claim: []int64{0, 1, 0},
			stops: []string{"lookup of threshold in range 4"},
		}),
		forge("zero with a fraction for its sign", zeros, &forgery{
			// 0 = mid − 16·n and y = mid·(1 − n) with mid = 4, n = 1/4
			model: rectified, lie: hints("rescale", func(out []*big.Int) { out[0].SetInt64(4); out[1].Set(fraction(1, 4)) }), claim: []int64{3, 0},
			stops: []string{"row of rescale"},
		}),
		forge("a quotient one too large", division, &forgery{
			model: quotients, lie: hints("div", plus(0, 1)), claim: []int64{10, 9},
			stops: []string{"lookup of division in range 4"},
		}),
		forge("a quotient one too small", division, &forgery{
			model: quotients, lie: hints("div", plus(0, -1)), claim: []int64{8, 9},
			stops: []string{"lookup of division in range 4"},
		}),
		forge("quotients that are no integers", division, &forgery{
			// Both remainders are integers in range: 5 − 2 and 5 − 1 for 2·3 of a unit.
			model: quotients, lie: hints("div", func(out []*big.Int) { out[0].Add(out[0], fraction(2, 6)); out[2].Add(out[2], fraction(1, 6)) }), claim: []int64{20, 9},
			stops: []string{"lookup of division in range 4"},
		}),
		forge("a reciprocal one too large", "FACTS: quotient and remainder unchecked in reciprocal", &forgery{
			model: reciprocal, lie: hints("div", plus(0, 1)), claim: []int64{6, 2},
			stops: []string{"lookup of division in range 4"},
		}),
		forge("rounded up with a negative remainder", roundings+"; rule 6", &forgery{
			model: rounded, lie: hints("rescale", plus(0, 1, 2, -4)), claim: []int64{3, 3},
			stops: []string{"lookup of rescale in range 4"},
		}),
		forge("rounded down with a remainder beyond the divisor", roundings+"; rule 6", &forgery{
			model: rounded, lie: hints("rescale", plus(0, -1, 2, 4)), claim: []int64{1, 3},
			stops: []string{"lookup of rescale in range 4"},
		}),
		forge("a tie rounded to even where it goes up", roundings, &forgery{
			model: rounded, lie: hints("rescale", plus(3, -1, 5, 4)), claim: []int64{2, 2},
			stops: []string{"lookup of rescale in range 4"},
		}),
		forge("a tie rounded up where it goes to even", roundings, &forgery{
			model: toEven, lie: lie{wires: output(0, 3)}, claim: []int64{3, 3},
			stops: []string{"row of rescale"},
		}),
		forge("no tie rounded as one", roundings, &forgery{
			model: toEven, lie: hints("quotient", func(out []*big.Int) { out[0].SetUint64(0) }), claim: []int64{2, 2},
			stops: []string{"row of rescale"},
		}),
		forge("a clamp's value undone", "rule 1", &forgery{
			model: saturated, lie: hints("rescale", plus(0, -1, 1, 1)), claim: []int64{0, 1},
			stops: []string{"row of rescale"},
		}),
		forge("the last of two largest", argmaxes, &forgery{
			model: ties, lie: hints("argmax", plus(1, -2)), claim: []int64{2},
			stops: []string{"lookup of argmax in range 4"},
		}),
		forge("the first of two largest where the last is asked for", argmaxes, &forgery{
			model: lastTies, lie: hints("argmax", plus(1, -2)), claim: []int64{0},
			stops: []string{"lookup of argmax in range 4"},
		}),
		forge("an index carried out of a fraction", argmaxes, &forgery{
			// The key 4·x + rank stays the largest's: x + 1/4, rank − 1.
			model: ties, lie: hints("argmax", func(out []*big.Int) { out[0].Add(out[0], fraction(1, 4)); plus(1, -1)(out) }), claim: []int64{1},
			stops: []string{"lookup of argmax in range 4"},
		}),
		forge("a softmax one unit off", "FACTS: softmax accepted within a tolerance", &forgery{
			model: distribution, lie: hints("div", plus(0, 1)),
			stops: []string{"lookup of division in range 6"},
		}),
		forge("a wrong answer counted as right", "rule 1", &forgery{
			model: counted, lie: hints("threshold", plus(2, -1)), claim: []int64{4},
			stops: []string{"lookup of threshold in range 4"},
		}),
		forge("more right answers than samples", unranged, &forgery{
			// (a − l)² = −1: a label that is no label
			model: rightly, lie: lie{secrets: func(v fr.Vector) { v[4].Sub(&v[4], imaginary()) }}, claim: []int64{3},
			stops: []string{"row of input range"},
		}),
		forge("ReLU(0) = 2", "rule 1", &forgery{
			model: lookups, lie: hints("lookup", plus(0, 2)), claim: []int64{2, 3, 0},
			stops: []string{"lookup of lookup in relu"},
		}),
	}
}
