package attacks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
	"github.com/consensys/gnark/constraint"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/circuit/gadget"
	"github.com/zkml-go/zkml/prover"
)

// forgery is an attack on the constraints: a false witness of a model.
type forgery struct {
	model *model
	lie   lie
	// stops are the constraints that the lie breaks in the real circuit, as label
	// names them, all of them.
	stops []string
	// without makes the weakened circuit. Nil leaves out what the lie breaks, and no
	// more: of a table's sum, the queries that are no entries.
	without func(w *weakened) error
	// claim is what the forged proof says of the first shown output, where it is to say
	// something particular.
	claim []int64
	// sameWords says that the lie changes no public word: the forger proves something
	// else than the words say.
	sameWords bool
}

func (a *forgery) run(ctx context.Context, r *Runner) error {
	v, err := r.victim(a.model)
	if err != nil {
		return err
	}
	rows := v.circuit.System.GetSparseR1Cs()
	forger, err := a.forger(rows, nil)
	if err != nil {
		return err
	}
	words, values, err := a.state(v, forger)
	if err != nil {
		return err
	}
	// What the lie breaks.
	broken := forger.broken(v.circuit, values)
	if len(broken) == 0 {
		return fmt.Errorf("%w: the false witness breaks nothing", errNotRejected)
	}
	var labels []string
	for _, b := range broken {
		labels = append(labels, b.label)
	}
	slices.Sort(labels)
	if labels = slices.Compact(labels); !slices.Equal(labels, a.stops) {
		return fmt.Errorf("the lie breaks %q: want %q", labels, a.stops)
	}
	// A build without that accepts it.
	var edit = a.without
	if edit == nil {
		edit = func(w *weakened) error { return w.without(broken) }
	}
	_, forged, err := a.control(ctx, r, v, rows, words, edit)
	if err != nil {
		return fmt.Errorf("without what stops it: %w", err)
	}
	// The real one doesn't, and nor does its prover.
	w, err := witnessOf(words, a.nbWords(v))
	if err != nil {
		return err
	}
	honest, err := a.forger(rows, nil)
	if err != nil {
		return err
	}
	_, err = prover.Prove(ctx, v.circuit.System, v.pk, w, honest.options(true)...)
	if err := a.refused(v, err, broken); err != nil {
		return err
	}
	attempts := []func(w *weakened) error{nil} // what is late is chosen with a guess
	if a.lie.late != "" {                      // zeros are committed, and it is chosen late
		attempts = append(attempts, func(w *weakened) error { return w.commitZeros(w.outputsOf(a.lie.late)) })
	}
	var proof *prover.Proof
	for _, edit := range attempts {
		if forger, err = a.forger(rows, edit); err != nil {
			return err
		}
		if proof, err = forger.prove(&v.build, words); err != nil {
			return err
		}
		if err := r.rejects(ctx, &v.build, proof, "a proof of the false witness"); err != nil {
			return err
		}
	}
	if err := r.rejects(ctx, &v.build, forged, "the weakened build's proof"); err != nil {
		return err
	}
	if a.sameWords {
		return nil
	}
	renamed := *v.proof
	renamed.Words = proof.Words
	return r.rejects(ctx, &v.build, &renamed, "an honest proof with the false words")
}

// refused returns an error unless the honest prover, whose hints were patched, stopped at
// a row that the lie breaks. Where the forger did more than patch hints it stops at another.
func (a *forgery) refused(v *victim, err error, broken []breach) error {
	var unsatisfied *cs.UnsatisfiedConstraintError
	switch {
	case err == nil:
		return fmt.Errorf("%w: the prover proves the lie", errNotRejected)
	case !errors.As(err, &unsatisfied):
		return fmt.Errorf("the prover doesn't refuse the lie for a constraint: %w", err)
	case a.lie.wires != nil || a.lie.words != nil || a.lie.choose != nil:
		return nil
	}
	stopped := func(b breach) bool {
		return b.row == unsatisfied.CID || b.query != nil && v.circuit.Region(unsatisfied.CID) == gadget.Region{Gadget: b.query.Name}
	}
	if !slices.ContainsFunc(broken, stopped) {
		return fmt.Errorf("the prover stops at row %d, of %v", unsatisfied.CID, v.circuit.Region(unsatisfied.CID))
	}
	return nil
}

func (a *forgery) nbWords(v *victim) int { return v.circuit.Manifest.NbWords() }

// forger makes the model's circuit again, weakened if asked for, with a dishonest prover.
func (a *forgery) forger(rows []constraint.SparseR1C, edit func(w *weakened) error) (*forger, error) {
	c, err := a.model.compile()
	if err != nil {
		return nil, err
	}
	if edit != nil {
		if err := edit(weaken(c)); err != nil {
			return nil, err
		}
	}
	f, err := newForger(c, rows, &a.lie)
	if err != nil {
		return nil, err
	}
	if a.lie.late != "" && edit != nil {
		f.postpone()
	}
	guess := fr.NewElement(0xBE7A)
	f.beta = &guess
	return f, nil
}

// state solves the lie and returns the false public words with the secret inputs, and the
// values of all wires.
func (a *forgery) state(v *victim, f *forger) (words fr.Vector, values []fr.Element, err error) {
	words = slices.Clone(v.assignment.Witness.Vector().(fr.Vector))
	if a.lie.secrets != nil {
		a.lie.secrets(words[a.nbWords(v):])
	}
	if values, err = f.solve(words); err != nil {
		return nil, nil, err
	}
	next := 1
	for _, p := range v.circuit.Manifest.Inputs {
		next += p.Words()
	}
	for i, p := range v.circuit.Manifest.Outputs {
		t := f.c.Elements(f.c.Program.Outputs[i].ID)
		if p.Visibility == circuit.Shown {
			copy(words[next:], packed(&p, t, values))
		} else if p.Visibility == circuit.Hashed {
			words[next] = digest(len(t), p.Tag(), v.assignment.Salts[p.Name], packed(&p, t, values))
		}
		next += p.Words()
	}
	if a.lie.words != nil {
		a.lie.words(words[:a.nbWords(v)])
	}
	changed := !slices.Equal(words[:a.nbWords(v)], v.assignment.Words)
	if changed == a.sameWords {
		return nil, nil, fmt.Errorf("the lie changes the public words: %v", changed)
	}
	values, err = f.solve(words) // once more, with the words
	return words, values, err
}

// packed returns the words of a tensor whose elements may be any field elements.
func packed(p *circuit.Public, t []gadget.Expr, values []fr.Element) []fr.Element {
	words := make([]fr.Element, (len(t)+p.PerWord()-1)/p.PerWord())
	for i, x := range t {
		e, least, place := evalIn(x, values), gadget.Int(p.Lo), gadget.Pow2(i%p.PerWord()*p.Bits)
		e.Sub(&e, &least).Mul(&e, &place)
		words[i/p.PerWord()].Add(&words[i/p.PerWord()], &e)
	}
	return words
}

// evalIn is the value of an expression in a witness.
func evalIn(x gadget.Expr, values []fr.Element) (v fr.Element) {
	v = x.Const
	if !x.IsConst() {
		t := x.Coeff
		v.Add(&v, t.Mul(&t, &values[x.Wire]))
	}
	return v
}

// digest is the hash of circuit.Public.Digest for words that may be any field elements.
func digest(count int, tag, salt fr.Element, words []fr.Element) (d fr.Element) {
	h := poseidon2.NewMerkleDamgardHasher()
	for _, block := range append([]fr.Element{fr.NewElement(uint64(count)), tag, salt}, words...) {
		b := block.Bytes()
		h.Write(b[:])
	}
	d.SetBytes(h.Sum(nil))
	return d
}

// control proves the lie for a weakened build and returns its keys and the proof, which
// Verify and the contract of that build must accept.
func (a *forgery) control(ctx context.Context, r *Runner, v *victim, rows []constraint.SparseR1C, words fr.Vector, edit func(w *weakened) error) (*build, *prover.Proof, error) {
	c, err := a.model.compile()
	if err != nil {
		return nil, nil, err
	}
	if err := edit(weaken(c)); err != nil {
		return nil, nil, err
	}
	b, err := keys(c)
	if err != nil {
		return nil, nil, err
	}
	if b.vk.ModelID() == v.vk.ModelID() {
		return nil, nil, errors.New("the weakened build has the real one's key")
	}
	f, err := a.forger(rows, edit)
	if err != nil {
		return nil, nil, err
	}
	forged, err := f.prove(&b, words)
	if err != nil {
		return nil, nil, err
	}
	if err := r.accepts(ctx, &b, forged, "the forged proof isn't accepted"); err != nil {
		return nil, nil, err
	}
	if a.claim != nil {
		said := forged.Values[slices.IndexFunc(forged.Values, func(v prover.Value) bool { return v.Role == "output" })].Integers
		if !slices.Equal(said, a.claim) {
			return nil, nil, fmt.Errorf("the forged proof says %d: want %d", said, a.claim)
		}
	}
	return &b, forged, nil
}

// breach is a row that doesn't hold, or a query of a table that it isn't in.
type breach struct {
	row   int // -1 for a query
	query *gadget.Lookup
	label string
}

// broken lists what a false witness breaks in the circuit that it is for. Where a table's
// sum doesn't hold, it lists the queries that are no entries.
func (f *forger) broken(c *circuit.Circuit, values []fr.Element) []breach {
	var list []breach
	lookups := c.Lookups()
	for i, row := range f.rows {
		if row.Commitment != constraint.NOT || f.holds(&row, values) {
			continue
		}
		region := c.Region(i)
		table := slices.IndexFunc(lookups, func(q gadget.Lookup) bool { return region.Node == "" && q.Name == region.Gadget })
		if table < 0 {
			list = append(list, breach{row: i, label: "row of " + region.Gadget})
			continue
		}
		bad := 0
		for k := range lookups {
			q := &lookups[k]
			if _, ok := entry(q, func(x gadget.Expr) fr.Element { return evalIn(x, values) }); !ok && q.Name == region.Gadget {
				list = append(list, breach{-1, q, "lookup of " + q.Region.Gadget + " in " + q.Name})
				bad++
			}
		}
		if bad == 0 {
			list = append(list, breach{row: i, label: "sum of " + region.Gadget})
		}
	}
	return list
}

func (f *forger) holds(row *constraint.SparseR1C, values []fr.Element) bool {
	sum := f.coefficient(row.QC)
	for _, term := range [...][2]uint32{{row.XA, row.QL}, {row.XB, row.QR}, {row.XC, row.QO}} {
		k := f.coefficient(term[1])
		sum.Add(&sum, k.Mul(&k, &values[term[0]]))
	}
	k := f.coefficient(row.QM)
	k.Mul(&k, &values[row.XA]).Mul(&k, &values[row.XB])
	sum.Add(&sum, &k)
	return sum.IsZero()
}

// without leaves out what a lie breaks.
func (w *weakened) without(broken []breach) error {
	for _, b := range broken {
		if b.query == nil {
			w.remove(b.row)
		} else if err := w.drop(b.query); err != nil {
			return fmt.Errorf("%s: %w", b.label, err)
		}
	}
	return nil
}

// describe lists stops for people.
func describe(stops []string) string { return strings.Join(stops, ", ") }
