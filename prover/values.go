package prover

import (
	"fmt"
	"math"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// Value is what the public words say of one tensor: all elements of a shown one,
// the digest of a hashed one.
type Value struct {
	Name       string             `json:"name"`
	Role       string             `json:"role"` // "input", "output" or "weights"
	Visibility circuit.Visibility `json:"visibility"`
	Shape      tensor.Shape       `json:"shape,omitempty"`
	// Integers are the elements of a shown tensor in row-major order.
	Integers []int64 `json:"integers,omitempty"`
	// Real are the same elements times the tensor's scale.
	Real []float64 `json:"real,omitempty"`
	// Labels name the elements of an output that is a class.
	Labels []string `json:"labels,omitempty"`
	// Digest is the word of a hashed tensor.
	Digest *Word `json:"digest,omitempty"`
}

// equal reports whether two values say the same.
func (v *Value) equal(w *Value) bool {
	digest := v.Digest == w.Digest
	if v.Digest != nil && w.Digest != nil {
		digest = *v.Digest == *w.Digest
	}
	return digest && v.Name == w.Name && v.Role == w.Role && v.Visibility == w.Visibility &&
		v.Shape.Equal(w.Shape) && slices.Equal(v.Integers, w.Integers) &&
		slices.Equal(v.Real, w.Real) && slices.Equal(v.Labels, w.Labels)
}

// DecodeWords returns what public words mean: a value for each shown or hashed
// input and output, in order, and for hashed weights. It returns an error if the
// number of words isn't the manifest's, or if a word can't have been packed.
func DecodeWords(m *circuit.Manifest, words []fr.Element) ([]Value, error) {
	if len(words) != m.NbWords() {
		return nil, fmt.Errorf("%d public words: the model has %d", len(words), m.NbWords())
	}
	words = words[1:]
	var values []Value
	for _, side := range []struct {
		role    string
		tensors []circuit.Public
	}{{"input", m.Inputs}, {"output", m.Outputs}} {
		for _, p := range side.tensors {
			n := p.Words()
			if p.Visibility != circuit.Private {
				v, err := decodeTensor(&p, words[:n])
				if err != nil {
					return nil, fmt.Errorf("%s %w", side.role, err)
				}
				v.Role = side.role
				values = append(values, v)
			}
			words = words[n:]
		}
	}
	if m.Weights == circuit.Hashed {
		values = append(values, Value{Name: "weights", Role: "weights", Visibility: circuit.Hashed, Digest: (*Word)(&words[0])})
	}
	return values, nil
}

func decodeTensor(p *circuit.Public, words []fr.Element) (Value, error) {
	v := Value{Name: p.Name, Visibility: p.Visibility, Shape: p.Shape}
	if p.Visibility == circuit.Hashed {
		v.Digest = (*Word)(&words[0])
		return v, nil
	}
	integers, err := p.Unpack(words)
	if err != nil {
		return v, err
	}
	v.setIntegers(p, integers)
	return v, nil
}

// setIntegers sets the elements and what they mean.
func (v *Value) setIntegers(p *circuit.Public, integers []int64) {
	v.Integers = integers
	v.Real = make([]float64, len(v.Integers))
	for i, q := range v.Integers {
		v.Real[i] = realValue(q, p.Scale)
		if len(p.Labels) > 0 {
			label := ""
			if q >= 0 && q < int64(len(p.Labels)) {
				label = p.Labels[q]
			}
			v.Labels = append(v.Labels, label)
		}
	}
}

// realValue returns q·Num/Den·2^-Exp. Each operation is rounded once, so that the
// result is the same on every machine.
func realValue(q int64, scale quantize.Scale) float64 {
	v := float64(float64(q)*float64(scale.Num)) / float64(scale.Den)
	return math.Ldexp(v, -scale.Exp)
}
