package attacks

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit/gadget"
)

// secrets changes secret inputs: an index and what to add, in turn.
func secrets(pairs ...int) func(v fr.Vector) {
	return func(v fr.Vector) {
		for i := 0; i < len(pairs); i += 2 {
			e := gadget.Int(int64(pairs[i+1]))
			v[pairs[i]].Add(&v[pairs[i]], &e)
		}
	}
}

const (
	unranged = "FACTS: inputs, outputs, parameters not range-checked; rule 2"
	openings = "FACTS: Poseidon without domain separation; rule 8"
	unbound  = "FACTS: instances not bound to the statement"
)

// rangeAttacks use values beyond their ranges.
func rangeAttacks() []*Attack {
	return []*Attack{
		forge("a public input beyond its interval under the word of another", unranged, &forgery{
			// 64 to the one element is 1 to the other
			model: rounded, lie: lie{secrets: secrets(0, 64, 1, -1)}, claim: []int64{18, 2},
			stops: []string{"lookup of input range in range 4"},
		}),
		forge("a negative input below its interval", unranged+"; rule 6", &forgery{
			model: rounded, lie: lie{secrets: secrets(0, -64, 1, 1)}, claim: []int64{-14 + 32, 3 - 1},
			stops: []string{"lookup of input range in range 4", "lookup of rescale in range 4"},
		}),
		forge("a private input beyond its interval", unranged, &forgery{
			model: secret, lie: lie{secrets: secrets(0, 40)}, claim: []int64{57},
			stops: []string{"lookup of input range in range 3"},
		}),
		forge("a hashed input beyond its interval under its digest", unranged, &forgery{
			model: hashed, lie: lie{secrets: secrets(0, 16, 1, -1)}, claim: []int64{52, 4, 10},
			stops: []string{"lookup of input range in range 4"},
		}).onChain(),
		forge("a hidden weight beyond its interval under the digest", unranged, &forgery{
			model: hidden, lie: lie{secrets: secrets(2, 8, 3, -1)}, claim: []int64{64, 5},
			stops: []string{"lookup of input range in range 3"},
		}),
		forge("a private weight beyond its interval", unranged, &forgery{
			model: unnamed, lie: lie{secrets: secrets(2, 8)}, claim: []int64{61, 5},
			stops: []string{"lookup of input range in range 3"},
		}),
		forge("an output beyond its range: a carry between lanes", unranged+"; rule 3", &forgery{
			model: lanes, lie: hints("linear 0", plus(0, 1<<10, 1, -1)),
			stops: []string{"lookup of linear, packed in range 5"},
		}),
		forge("two limbs of one equation that bound each other", "rule 6; the table of §5", &forgery{
			// 100 = 64·q + r with q = 5/4, r = 20: both scaled queries are entries
			model: scaled, claim: []int64{5},
			lie: lie{hints: map[string]func(in, out []*big.Int){
				"rescale": func(_, out []*big.Int) { out[0].Set(fraction(5, 4)); out[1].SetInt64(20) },
				"count 0": func(_, out []*big.Int) { plus(5, 1)(out) },
			}},
			stops: []string{"lookup of rescale in range 8"}, without: scaleQuotient,
		}),
		forge("a scaled query without an unscaled bound beside it", "the table of §5", &forgery{
			model: scaled, lie: hints("rescale", func(out []*big.Int) { out[0].Set(fraction(3, 2)); out[1].SetInt64(4) }), claim: []int64{6},
			stops: []string{"lookup of rescale in range 8"},
		}),
	}
}

// scaleQuotient checks a quotient of 6 bits by the one query 4·q, as the remainder.
func scaleQuotient(w *weakened) error {
	for _, q := range w.Lookups() {
		if q.Region.Gadget != "rescale" || !q.X.Coeff.IsOne() {
			continue
		}
		pole, err := w.pole(q.X)
		if err != nil {
			return err
		}
		row := w.rows[pole]
		row.QR = w.coefficient(gadget.Int(-4))
		w.set(pole, row)
		return nil
	}
	return fmt.Errorf("no unscaled query of a rescale")
}

// bindingAttacks state something else than was computed.
func bindingAttacks() []*Attack {
	return []*Attack{
		forge("another answer's word", unbound, &forgery{
			model: rounded, lie: lie{words: freeAnswer}, claim: []int64{0, 0},
			stops: []string{"row of public words"},
		}),
		forge("another input's word", unbound, &forgery{
			model: rounded, lie: lie{words: func(words []fr.Element) { words[1] = fr.NewElement(0) }},
			stops: []string{"row of public words"},
		}),
		forge("the words of two inputs swapped", unbound, &forgery{
			model: product, lie: lie{words: func(words []fr.Element) { words[1], words[2] = words[2], words[1] }},
			stops: []string{"row of public words"},
		}),
		forge("another input under a digest", openings, &forgery{
			model: hashed, lie: lie{secrets: secrets(0, 1)}, claim: []int64{7, 7, 10},
			stops: []string{"row of digest"},
		}),
		forge("a permuted preimage", openings, &forgery{
			model: hashed, lie: lie{secrets: secrets(0, 1, 1, -1)}, claim: []int64{7, 4, 10},
			stops: []string{"row of digest"},
		}),
		forge("another salt under a digest", openings, &forgery{
			model: hashed, lie: lie{secrets: secrets(3, 1), words: func(words []fr.Element) { words[0].SetUint64(7) }}, // for another request
			stops: []string{"row of digest"},
		}),
		forge("other weights under their digest", openings, &forgery{
			model: hidden, lie: lie{secrets: secrets(2, -1)}, claim: []int64{16, 5},
			stops: []string{"row of digest"},
		}),
	}
}

// freeAnswer states the answer (0, 0) of rounded.
func freeAnswer(words []fr.Element) { words[len(words)-1] = fr.NewElement(8 + 32*8) }
