package attacks

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	plonk "github.com/consensys/gnark/backend/plonk/bn254"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// statementAttacks give a verifier an honest proof of another statement.
func statementAttacks() []*Attack {
	const low = "FACTS: commitments that don't hide low-entropy data; rule 8"
	return []*Attack{
		{Name: "a proof for another context", Source: unbound, Stop: "the public words", run: otherContext},
		{Name: "a proof replayed for another request", Source: unbound, Stop: "Expectation.Context", run: replayed},
		{Name: "a proof of another model", Source: unbound, Stop: "the verifying key", run: otherModel},
		{Name: "decoded values that the words don't say", Source: "§7", Stop: "their recomputation", run: otherValues},
		{Name: "other weights under the same model id", Source: "§6", Stop: "Expectation.Digests", run: otherWeights},
		{Name: "a digest of another shape", Source: openings, Stop: "the encoding tag", run: otherShape},
		{Name: "a digest of a preimage with a zero appended", Source: openings, Stop: "the count and the encoding tag", run: padded},
		{Name: "a dictionary of a digest's preimages", Source: low, Stop: "the salt", run: dictionary},
	}
}

// holds runs gnark's verifier alone on a proof for the given words.
func holds(b *build, p *prover.Proof, words []fr.Element) error {
	parsed, err := prover.ParseRaw(p.Raw, b.vk.NbCommitments())
	if err != nil {
		return err
	}
	return plonk.Verify(parsed, b.vk.Plonk(), words)
}

// rejected returns an error unless err says that a proof was rejected.
func rejected(err error, what string) error {
	switch {
	case err == nil:
		return fmt.Errorf("%w: %s", errNotRejected, what)
	case !errors.Is(err, prover.ErrRejected):
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// otherContext writes another context over a proof's. A verifier that doesn't give the
// context to the proof system, and looks at it by itself, accepts.
func otherContext(ctx context.Context, r *Runner) error {
	v, err := r.victim(rounded)
	if err != nil {
		return err
	}
	forged := *v.proof
	forged.Words = slices.Clone(forged.Words)
	forged.Words[0].SetUint64(1)
	if err := holds(&v.build, &forged, append([]fr.Element{theContext}, forged.Words[1:]...)); err != nil {
		return fmt.Errorf("without the context: %w", err)
	}
	return r.rejects(ctx, &v.build, &forged, "another context")
}

// replayed presents a proof for a second request.
func replayed(_ context.Context, r *Runner) error {
	v, err := r.victim(rounded)
	if err != nil {
		return err
	}
	if err := accepted(&v.build, v.proof); err != nil {
		return fmt.Errorf("without an expectation: %w", err)
	}
	request := fr.NewElement(2)
	_, err = prover.Verify(v.vk, v.proof, prover.Expectation{AllowDevelopmentSRS: true, Context: &request})
	return rejected(err, "a proof for another request")
}

// otherModel presents a model's proof as that of one with the same tensors.
func otherModel(ctx context.Context, r *Runner) error {
	v, err := r.victim(rounded)
	if err != nil {
		return err
	}
	other, err := r.victim(toEven)
	if err != nil {
		return err
	}
	if err := accepted(&v.build, v.proof); err != nil {
		return fmt.Errorf("under its own key: %w", err)
	}
	if _, err := prover.Verify(other.vk, v.proof, allowDevelopment); !errors.Is(err, prover.ErrMismatch) {
		return fmt.Errorf("%w: a proof that names another model: %v", errNotRejected, err)
	}
	return r.rejects(ctx, &other.build, v.proof, "another model's proof")
}

// otherValues changes what a proof says in plain text beside its words. A verifier that
// reads it there accepts.
func otherValues(_ context.Context, r *Runner) error {
	v, err := r.victim(rounded)
	if err != nil {
		return err
	}
	forged := *v.proof
	forged.Values = slices.Clone(forged.Values)
	last := &forged.Values[len(forged.Values)-1]
	last.Integers = []int64{-8, -8}
	if err := holds(&v.build, &forged, forged.Words); err != nil {
		return fmt.Errorf("without the recomputation: %w", err)
	}
	return rejected(accepted(&v.build, &forged), "values of other words")
}

// otherWeights proves with weights of the forger's own, which the model id doesn't name.
func otherWeights(_ context.Context, r *Runner) error {
	v, err := r.victim(hidden)
	if err != nil {
		return err
	}
	p, err := hidden.program()
	if err != nil {
		return err
	}
	for i, n := range p.Nodes {
		if op, ok := n.Op.(quantize.Param); ok {
			op.Values = []int64{-4, -4, 3, 3}
			p.Nodes[i].Op = op
		}
	}
	own := *hidden
	own.program = func() (*quantize.Program, error) { return p, nil }
	c, err := own.compile()
	if err != nil {
		return err
	}
	a, err := c.Assign(hidden.inputs, theContext)
	if err != nil {
		return err
	}
	forged, err := prover.Prove(context.Background(), c.System, v.pk, a.Witness, c.SolverOptions()...)
	if err != nil {
		return err
	}
	if err := accepted(&v.build, forged); err != nil {
		return fmt.Errorf("without an expectation: %w", err)
	}
	owners := v.proof.Words[len(v.proof.Words)-1]
	_, err = prover.Verify(v.vk, forged, prover.Expectation{
		AllowDevelopmentSRS: true, Digests: map[string]fr.Element{circuit.WeightsName: owners},
	})
	return rejected(err, "other weights than the owner's")
}

// inShape is hashed with an input of another shape.
func inShape(shape ...int) func() (*quantize.Program, error) {
	return program(func(w *writer) quantize.ID {
		return w.add("sum", quantize.Add{Coeffs: []int64{3}, Const: 1}, w.input("x", 4, 0, shape...))
	})
}

// otherShape states the digest of the same integers in another shape.
func otherShape(ctx context.Context, r *Runner) error {
	return otherEncoding(ctx, r, tensor.Shape{3, 1}, []int64{1, 2, 3})
}

// padded states the digest of one more element, which is zero.
func padded(ctx context.Context, r *Runner) error {
	return otherEncoding(ctx, r, tensor.Shape{4}, []int64{1, 2, 3, 0})
}

// otherEncoding states another tensor's digest where the packed words are those of the
// victim's input. A build whose digests don't tell them apart is the other tensor's
// circuit under the victim's manifest.
func otherEncoding(ctx context.Context, r *Runner, shape tensor.Shape, values []int64) error {
	v, err := r.victim(hashed)
	if err != nil {
		return err
	}
	other := *hashed
	other.program = inShape(shape...)
	c, err := other.compile()
	if err != nil {
		return err
	}
	a, err := c.AssignSalted([][]int64{values}, theContext, v.assignment.Salts)
	if err != nil {
		return err
	}
	c.Manifest = v.circuit.Manifest
	b, err := keys(c)
	if err != nil {
		return err
	}
	forged, err := prover.Prove(ctx, c.System, b.pk, a.Witness, c.SolverOptions()...)
	if err != nil {
		return err
	}
	if err := r.accepts(ctx, &b, forged, "without a tag of its own"); err != nil {
		return err
	}
	if !forged.Words[2].Equal(&v.proof.Words[2]) || forged.Words[1].Equal(&v.proof.Words[1]) {
		return fmt.Errorf("%w: the digest of shape %v is that of shape %v", errNotRejected, shape, v.proof.Values[0].Shape)
	}
	if err := r.rejects(ctx, &v.build, forged, "a digest of another encoding"); err != nil {
		return err
	}
	renamed := *v.proof
	renamed.Words = forged.Words
	return r.rejects(ctx, &v.build, &renamed, "an honest proof with a digest of another encoding")
}

// dictionary tries every value of a small input against its digest. Of a proof whose salt
// is known to be zero it finds the input; of one made the ordinary way it doesn't, and two
// proofs of one input don't have one digest.
func dictionary(_ context.Context, r *Runner) error {
	v, err := r.victim(hashed)
	if err != nil {
		return err
	}
	p := v.circuit.Manifest.Inputs[0]
	guess := func(digest fr.Element) bool {
		for i := range int64(1 << 12) {
			d, err := p.Digest([]int64{i & 15, i >> 4 & 15, i >> 8}, fr.Element{})
			if err == nil && d.Equal(&digest) {
				return true
			}
		}
		return false
	}
	unsalted, err := v.circuit.AssignSalted(hashed.inputs, theContext, circuit.Salts{"x": {}})
	if err != nil {
		return err
	}
	plain, err := v.prove(unsalted)
	if err != nil {
		return err
	}
	if !guess(plain.Words[1]) {
		return errors.New("the dictionary doesn't have the input of an unsalted digest")
	}
	again, err := v.circuit.Assign(hashed.inputs, theContext)
	if err != nil {
		return err
	}
	if guess(v.proof.Words[1]) || again.Words[1].Equal(&v.proof.Words[1]) {
		return fmt.Errorf("%w: a digest gives its input away", errNotRejected)
	}
	return nil
}
