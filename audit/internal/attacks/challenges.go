package attacks

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
	"github.com/consensys/gnark/constraint"

	"github.com/zkml-go/zkml/circuit/gadget"
)

// challengeAttacks forge what a challenge checks.
func challengeAttacks() []*Attack {
	counts := func(w *weakened) error { return w.uncommit(w.outputsOf("count 0")) }
	late := hints("rescale", plus(0, 1, 2, -4))
	late.late, late.choose = "count 0", closeSum
	return []*Attack{
		forge("multiplicities chosen after the challenge", "rules 4 and 7; FACTS: lookups dropped from a commitment", &forgery{
			model: rounded, lie: late, claim: []int64{3, 3}, without: counts,
			stops: []string{"lookup of rescale in range 4"},
		}),
		forge("results of lookups chosen after the challenge", "rule 4; FACTS: lookups dropped from a commitment", &forgery{
			model: lookups, claim: []int64{3, 3, 3},
			lie: lie{
				hints: map[string]func(in, out []*big.Int){"count 1": func(_, _ []*big.Int) {}},
				words: func(words []fr.Element) { words[len(words)-1] = fr.NewElement(63) },
				late:  "lookup#1", choose: closePairs,
			},
			without: func(w *weakened) error { return w.uncommit(w.outputsOf("lookup#1")) },
			stops:   []string{"lookup of lookup in relu"},
		}),
		forge("a product of matrices chosen after the challenge, zeros committed in its place", "rules 4 and 10", &forgery{
			model:   product,
			lie:     lie{late: "matmul 0", choose: closeProduct},
			without: func(w *weakened) error { return w.uncommit(w.outputsOf("matmul 0")) },
			stops:   []string{"row of linear, Freivalds"},
		}),
		forge("a table of two columns with γ = β", "rule 5", &forgery{
			// β − 0 − 2β = −(β − 0 − 0): the entry of ReLU(0) = 0 counts −1
			model: lookups, claim: []int64{2, 3, 0}, without: gammaIsBeta,
			lie: lie{hints: map[string]func(in, out []*big.Int){
				"lookup": func(_, out []*big.Int) { plus(0, 2)(out) }, "count 1": func(_, out []*big.Int) { out[4].SetInt64(-1) },
			}},
			stops: []string{"lookup of lookup in relu"},
		}),
		forge("a table of two columns with γ = β²", "rule 5", &forgery{
			// β + 2/3 + β²/3 = (β + 1)(β + 2)/3: the entries of −1 and −2 count 3 and −3.
			// An input that is no integer is stopped by its range check too.
			model: split, claim: []int64{2}, without: gammaIsSquare,
			lie: lie{
				secrets: func(v fr.Vector) { v[0].SetBigInt(fraction(-2, 3)) },
				hints: map[string]func(in, out []*big.Int){
					"lookup":  func(_, out []*big.Int) { out[0].Set(fraction(-1, 3)) },
					"count 1": func(_, out []*big.Int) { plus(3, 3, 2, -3)(out) },
				},
			},
			stops: []string{"lookup of input range in range 3", "lookup of lookup in relu"},
		}),
		forge("Freivalds' check with r_i = c^i, s_j = c^j", "rule 5", &forgery{
			// Z[0,1] + 1 and Z[1,0] − 1
			model: product, lie: hints("matmul 0", plus(1, 1, 5, -1)), without: samePowers,
			stops: []string{"row of linear, Freivalds"},
		}),
		forge("a product of matrices with a wrong element", "rule 4", &forgery{
			model: product, lie: hints("matmul 0", plus(7, 1)),
			stops: []string{"row of linear, Freivalds"},
		}),
	}
}

// closeSum gives entry 0 of a range table the multiplicity with which the sums agree, and
// the others, which may be committed, zero.
func closeSum(f *forger, beta fr.Element, out []fr.Element) {
	var sum fr.Element
	for _, q := range f.c.Lookups() {
		x := f.eval(q.X)
		x.Sub(&beta, &x)
		sum.Add(&sum, x.Inverse(&x))
	}
	clear(out)
	out[0].Mul(&sum, &beta)
}

// closePairs chooses the three results of a lookup so that they are packed to 63 and the
// sums over their table agree, whose multiplicities are those of the truth: with
// y2 drawn, y0 = t and y1 = (63 − 16·y2 − t)/4, the equation 1/D0 + 1/D1 = T is a quadratic
// one in t.
func closePairs(f *forger, beta fr.Element, out []fr.Element) {
	var tag fr.Element
	tag.SetBytes([]byte("lookup"))
	gamma := compress(tag, beta)
	var x []fr.Element
	var total fr.Element
	for _, q := range f.c.Lookups() {
		if q.Results == nil {
			continue
		}
		v := f.eval(q.X)
		x = append(x, v)
		least := gadget.Int(q.Min)
		least.Sub(&v, &least)
		y := gadget.Int(q.Results[least.Uint64()])
		d := pole(beta, gamma, v, y)
		total.Add(&total, d.Inverse(&d))
	}
	quarter := gadget.Int(4)
	quarter.Inverse(&quarter)
	for y2 := gadget.Int(5); ; y2.Add(&y2, &quarter) {
		t := pole(beta, gamma, x[2], y2)
		t.Sub(&total, t.Inverse(&t))
		rest, k := gadget.Int(63), gadget.Int(16)
		k.Mul(&k, &y2)
		rest.Sub(&rest, &k).Mul(&rest, &quarter) // y1 = rest − y0/4
		a := pole(beta, gamma, x[0], fr.Element{})
		e := pole(beta, gamma, x[1], rest)
		var g, q2, q1, q0, u fr.Element // D0 = a − γt, D1 = e + gt
		g.Mul(&gamma, &quarter)
		q2.Mul(&t, &gamma).Mul(&q2, &g)
		q1.Mul(&a, &g)
		u.Mul(&gamma, &e)
		q1.Sub(&q1, &u).Mul(&q1, &t)
		u.Sub(&g, &gamma)
		q1.Sub(&u, &q1)
		q0.Mul(&a, &e).Mul(&q0, &t)
		u.Add(&a, &e)
		q0.Sub(&u, &q0)
		if root, ok := quadratic(q2, q1, q0); ok {
			out[0], out[2] = root, y2
			root.Mul(&root, &quarter)
			out[1].Sub(&rest, &root)
			return
		}
	}
}

// closeProduct adds d0 to the first element of a product, which has the exponent 0 in
// Freivalds' check, and d1 to the second, which has 5, so that the check doesn't see it and
// the word in which they lie becomes one more: d0 + c^5·d1 = 0 and d0 + 2^8·d1 = 1.
func closeProduct(_ *forger, c fr.Element, out []fr.Element) {
	var fifth, d1, d0 fr.Element
	fifth.Square(&c).Square(&fifth).Mul(&fifth, &c)
	d1.SetUint64(1 << 8)
	d1.Sub(&d1, &fifth).Inverse(&d1)
	d0.Mul(&d1, &fifth).Neg(&d0)
	out[0].Add(&out[0], &d0)
	out[1].Add(&out[1], &d1)
}

// pole is β − x − γ·y.
func pole(beta, gamma, x, y fr.Element) fr.Element {
	y.Mul(&y, &gamma)
	beta.Sub(&beta, &x).Sub(&beta, &y)
	return beta
}

// quadratic returns a root of a·t² + b·t + c, if there is one.
func quadratic(a, b, c fr.Element) (root fr.Element, ok bool) {
	var d, four fr.Element
	d.Square(&b)
	four.SetUint64(4)
	four.Mul(&four, &a).Mul(&four, &c)
	d.Sub(&d, &four)
	if d.Legendre() == -1 {
		return root, false
	}
	d.Sqrt(&d)
	root.Sub(&d, &b)
	a.Double(&a)
	root.Div(&root, &a)
	return root, true
}

// compress is the hash of a tag and a challenge.
func compress(left, right fr.Element) (h fr.Element) {
	l, r := left.Bytes(), right.Bytes()
	p := poseidon2.NewDefaultPermutation()
	b, err := p.Compress(l[:], r[:])
	if err != nil {
		panic(err) // only inputs of another length can fail
	}
	h.SetBytes(b)
	return h
}

// gammaRow is the row of γ, the last of the challenge's hash, and β's wire.
func (w *weakened) gammaRow() (row int, beta uint32, err error) {
	draw, err := w.draw()
	if err != nil {
		return 0, 0, err
	}
	row = -1
	for i := draw + 1; i < len(w.rows); i++ {
		if w.Region(i).Gadget == "challenge" {
			row = i
		}
	}
	if row < 0 {
		return 0, 0, fmt.Errorf("no second challenge")
	}
	return row, w.rows[draw].XA, nil
}

func gammaIsBeta(w *weakened) error {
	i, beta, err := w.gammaRow()
	if err != nil {
		return err
	}
	row := w.rows[i]
	row.XA, row.XB = beta, beta
	row.QL, row.QR, row.QM, row.QC = constraint.CoeffIdOne, 0, 0, 0
	row.QO = w.coefficient(gadget.Int(-1))
	w.set(i, row)
	return nil
}

func gammaIsSquare(w *weakened) error {
	i, beta, err := w.gammaRow()
	if err != nil {
		return err
	}
	row := w.rows[i]
	row.XA, row.XB = beta, beta
	row.QL, row.QR, row.QM, row.QC = 0, 0, constraint.CoeffIdOne, 0
	row.QO = w.coefficient(gadget.Int(-1))
	w.set(i, row)
	for _, q := range w.Lookups() {
		if q.Region.Gadget == "input range" {
			return w.drop(&q)
		}
	}
	return fmt.Errorf("no range check of an input")
}

// samePowers takes c^o·c^p for the exponents of the 25 results, where the circuit has
// c^(5·o + p): c for c^5 in the sums of weights, and in Horner's rule for the results,
// where it comes to the next o, a division by c^3.
func samePowers(w *weakened) error {
	last, c, err := w.gammaRow()
	if err != nil {
		return err
	}
	fifth := w.rows[last] // c^5 = c^4·c
	power := fifth.XC
	third := fifth
	third.XA, err = w.square(c)
	if err != nil || fifth.XB != c {
		return fmt.Errorf("the last power of the challenge isn't the fifth: %v", err)
	}
	w.set(last, third)
	left := 0
	for i, row := range w.rows {
		if row.QM != 0 && row.XB == power {
			row.XB = c
			w.set(i, row)
			left = i
		}
	}
	step := 0
	for i := left + 1; i < len(w.rows) && step < 24; i++ {
		row := w.rows[i]
		if row.QM == 0 || row.XB != c {
			continue
		}
		if step%5 == 4 { // sum·c = sum', instead: sum'·c^3 = sum
			row.XA, row.XB, row.XC = row.XC, power, row.XA
			w.set(i, row)
		}
		step++
	}
	if left == 0 || step != 24 {
		return fmt.Errorf("%d steps of Horner's rule", step)
	}
	return nil
}

// square returns the wire of c².
func (w *weakened) square(c uint32) (uint32, error) {
	i, err := w.find("c²", func(_ int, row *constraint.SparseR1C) bool { return row.XA == c && row.XB == c && row.QM != 0 })
	return w.rows[i].XC, err
}
