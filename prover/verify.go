package prover

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	plonk "github.com/consensys/gnark/backend/plonk/bn254"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover/srs"
)

// Expectation is what a verifier knows beforehand. A proof that says otherwise is
// rejected; what isn't expected is only reported.
type Expectation struct {
	// ModelID is the model that the verifier means, if the key comes from
	// elsewhere than the id.
	ModelID *ModelID
	// Context is the word that this use of a proof must carry.
	Context *fr.Element
	// Integers are the elements of shown tensors, by name.
	Integers map[string][]int64
	// Digests are the words of hashed tensors by name, with "weights" for the
	// weights.
	Digests map[string]fr.Element
	// AllowDevelopmentSRS accepts a key of the development string, for which
	// everyone can forge proofs.
	AllowDevelopmentSRS bool
}

// Verdict is what an accepted proof says, and what it leaves open.
type Verdict struct {
	ModelID ModelID
	Context fr.Element
	// Values are the shown tensors and the digests of the hashed ones.
	Values []Value
	// NotPinned names the hashed tensors for which no digest was expected: the
	// proof is about some preimage of the digest that it states.
	NotPinned []string
	// AnyWeights is set if the model has weights that are neither fixed nor
	// hashed: some weights in their intervals give this output.
	AnyWeights bool
	// Development is set if the key was made with the development string.
	Development bool
	// Ceremony names the public ceremony whose string the key was made with. It is
	// "" if this program knows none, and then whoever made the string may be able
	// to forge proofs.
	Ceremony string
}

// Verify checks a proof against a key that the verifier trusts. The error matches
// [ErrRejected] if the proof is wrong or not as expected, [ErrMismatch] if it is
// for another model or the key isn't the expected one, [ErrSRS] if the key was
// made with the development string and that isn't allowed, and [ErrUnknownTensor]
// if an expectation can't be checked.
func Verify(vk *VerifyingKey, proof *Proof, expect Expectation) (*Verdict, error) {
	if vk.Development() && !expect.AllowDevelopmentSRS {
		return nil, fmt.Errorf("verify: %w", srs.ErrDevelopment)
	}
	if expect.ModelID != nil && *expect.ModelID != vk.id {
		return nil, fmt.Errorf("verify: %w", fileErrorf(verifyingKeyFile, "is of model %s: expected %s", vk.id, *expect.ModelID))
	}
	if proof.ModelID != vk.id {
		return nil, fmt.Errorf("verify: %w", fileErrorf(proofFile, "is for model %s: the key is of %s", proof.ModelID, vk.id))
	}
	if err := verifyRaw(vk, proof); err != nil {
		return nil, rejectedf("%w", err)
	}
	values, err := DecodeWords(&vk.manifest, proof.Words)
	if err != nil {
		return nil, rejectedf("%w", err)
	}
	if !slices.EqualFunc(values, proof.Values, func(a, b Value) bool { return a.equal(&b) }) {
		return nil, rejectedf("the decoded values aren't those of the public words")
	}
	verdict := &Verdict{
		ModelID:     vk.id,
		Context:     proof.Context(),
		Values:      values,
		AnyWeights:  vk.manifest.Weights == circuit.Private,
		Development: vk.Development(),
		Ceremony:    srs.CeremonyName(vk.SRSID()),
	}
	if err := expect.check(verdict); err != nil {
		return nil, err
	}
	return verdict, nil
}

// verifyRaw checks that the proof is one for the key and the words.
func verifyRaw(vk *VerifyingKey, proof *Proof) error {
	if len(proof.Words) != vk.fields.nbWords {
		return fmt.Errorf("%d public words: the model has %d", len(proof.Words), vk.fields.nbWords)
	}
	parsed, err := ParseRaw(proof.Raw, vk.NbCommitments())
	if err != nil {
		return err
	}
	if err := plonk.Verify(parsed, vk.plonk, proof.Words); err != nil {
		return fmt.Errorf("the proof doesn't hold: %w", err)
	}
	return nil
}

// check compares a verdict with what is expected and lists what isn't pinned.
func (e *Expectation) check(v *Verdict) error {
	if e.Context != nil && !e.Context.Equal(&v.Context) {
		return rejectedf("the context is %s: expected %s", Word(v.Context), Word(*e.Context))
	}
	known := make(map[string]bool, len(v.Values))
	for i := range v.Values {
		value := &v.Values[i]
		known[value.Name] = true
		integers, wantIntegers := e.Integers[value.Name]
		digest, wantDigest := e.Digests[value.Name]
		switch {
		case value.Visibility == circuit.Hashed && wantIntegers, value.Visibility == circuit.Shown && wantDigest:
			return fmt.Errorf("%w: %s %q is %v", ErrUnknownTensor, value.Role, value.Name, value.Visibility)
		case wantIntegers && !slices.Equal(integers, value.Integers):
			return rejectedf("%s %q isn't as expected", value.Role, value.Name)
		case wantDigest && !digest.Equal((*fr.Element)(value.Digest)):
			return rejectedf("%s %q has digest %s: expected %s", value.Role, value.Name, value.Digest, Word(digest))
		case value.Visibility == circuit.Hashed && !wantDigest:
			v.NotPinned = append(v.NotPinned, value.Name)
		}
	}
	var unknown []error
	for _, names := range []iter.Seq[string]{maps.Keys(e.Integers), maps.Keys(e.Digests)} {
		for _, name := range slices.Sorted(names) {
			if !known[name] {
				unknown = append(unknown, errNotPublic(name))
			}
		}
	}
	return errors.Join(unknown...)
}
