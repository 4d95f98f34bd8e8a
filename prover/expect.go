package prover

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
)

// errNotPublic is why an expectation can't be checked.
func errNotPublic(name string) error { return fmt.Errorf("%w: %q", ErrUnknownTensor, name) }

// Expect adds what a person wrote of one tensor: for a shown one its real values or
// labels, separated by commas, in row-major order; for a hashed one, or for
// "weights", the word of its digest. A real value must be one that the tensor can
// have. The error matches [ErrUnknownTensor] if the words say nothing of the
// tensor, and else says what is wrong with the text.
func (e *Expectation) Expect(m *circuit.Manifest, name, text string) error {
	if name == "weights" && m.Weights == circuit.Hashed {
		return e.expectDigest(name, text)
	}
	for _, tensors := range [][]circuit.Public{m.Outputs, m.Inputs} {
		for i := range tensors {
			p := &tensors[i]
			switch {
			case p.Name != name:
			case p.Visibility == circuit.Hashed:
				return e.expectDigest(name, text)
			case p.Visibility == circuit.Shown:
				return e.expectValues(p, text)
			}
		}
	}
	return errNotPublic(name)
}

func (e *Expectation) expectDigest(name, text string) error {
	digest, err := ParseWord(text)
	if err != nil {
		return fmt.Errorf("expected digest of %q: %w", name, err)
	}
	if e.Digests == nil {
		e.Digests = make(map[string]fr.Element)
	}
	e.Digests[name] = digest
	return nil
}

func (e *Expectation) expectValues(p *circuit.Public, text string) error {
	parts := strings.Split(text, ",")
	if len(parts) != p.Shape.Size() {
		return fmt.Errorf("expected values of %q: %d found, shape %v has %d", p.Name, len(parts), p.Shape, p.Shape.Size())
	}
	integers := make([]int64, len(parts))
	for i, part := range parts {
		var err error
		if integers[i], err = integerOf(p, strings.TrimSpace(part)); err != nil {
			return fmt.Errorf("expected values of %q: %w", p.Name, err)
		}
	}
	if e.Integers == nil {
		e.Integers = make(map[string][]int64)
	}
	e.Integers[p.Name] = integers
	return nil
}

// integerOf returns the element that a label or a real value stands for.
func integerOf(p *circuit.Public, text string) (int64, error) {
	if i := slices.Index(p.Labels, text); i >= 0 {
		return int64(i), nil
	}
	real, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(real, 0) || math.IsNaN(real) {
		return 0, fmt.Errorf("%q is neither a label nor a number", text)
	}
	// q = real / (Num/Den · 2^-Exp), to the nearest integer.
	exact := new(big.Rat)
	exact.SetFloat64(real)
	exact.Mul(exact, new(big.Rat).SetFrac(new(big.Int).SetUint64(p.Scale.Den), new(big.Int).SetUint64(p.Scale.Num)))
	power := new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(max(p.Scale.Exp, -p.Scale.Exp))))
	if p.Scale.Exp < 0 {
		power.Inv(power)
	}
	exact.Mul(exact, power).Add(exact, big.NewRat(1, 2))
	nearest := new(big.Int).Div(exact.Num(), exact.Denom())
	if !nearest.IsInt64() {
		return 0, errors.New("out of range: " + text)
	}
	q := nearest.Int64()
	if got := realValue(q, p.Scale); got != real {
		return 0, fmt.Errorf("%s isn't a value that it can have: the nearest is %v", text, got)
	}
	return q, nil
}
