package circuit

import (
	"fmt"
	"math/big"
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// FormatVersion is the version of the public words, the verifying key's blob and
// the files.
const FormatVersion = 1

// WordBits is the number of bits of a public word that carry packed elements.
const WordBits = 248

// Manifest says what the public words of a proof mean. It is all that a verifier
// or a contract generator needs to know about a model besides the key.
//
// The public words are, in this order: the context; then for each input in
// declared order its packed words or its digest; then for each output likewise;
// then the weights' digest, if Weights is Hashed.
type Manifest struct {
	Version int    `json:"version"`
	Model   string `json:"model"`
	// ProgramDigest names the integer program, the values of hidden weights
	// excluded.
	ProgramDigest [32]byte   `json:"-"`
	Inputs        []Public   `json:"inputs"`
	Outputs       []Public   `json:"outputs"`
	Weights       Visibility `json:"weights"`
}

// Public describes one input or output tensor of a model.
type Public struct {
	Name       string       `json:"name"`
	Visibility Visibility   `json:"visibility"`
	Shape      tensor.Shape `json:"shape"`
	// Lo is the least value of an element and Bits the width of u = q - Lo.
	Lo   int64 `json:"lo"`
	Bits int   `json:"bits"`
	// Scale gives the real value of an element q: q · Num/Den · 2^-Exp.
	Scale quantize.Scale `json:"scale"`
	// Labels names the values 0, 1, … of an output that is a class, if known.
	Labels []string `json:"labels,omitempty"`
}

// Visibility says who sees a tensor.
type Visibility uint8

// How a tensor is shown. Weights are Fixed (constants of the key), Private or
// Hashed; inputs and outputs are Shown, Private or Hashed.
const (
	// Shown puts the elements into the public words.
	Shown Visibility = iota
	// Private puts nothing into the public words.
	Private
	// Hashed puts a digest into the public words.
	Hashed
	// Fixed makes weights constants of the circuit.
	Fixed
)

var visibilityNames = []string{"public", "private", "hashed", "fixed"}

// String returns "public", "private", "hashed" or "fixed".
func (v Visibility) String() string {
	if int(v) < len(visibilityNames) {
		return visibilityNames[v]
	}
	return fmt.Sprintf("visibility(%d)", uint8(v))
}

// MarshalText implements encoding.TextMarshaler.
func (v Visibility) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *Visibility) UnmarshalText(text []byte) error {
	for i, name := range visibilityNames {
		if string(text) == name {
			*v = Visibility(i)
			return nil
		}
	}
	return fmt.Errorf("visibility %q: want public, private, hashed or fixed", text)
}

// bitsFor returns the width of u = q - lo for q in [lo, hi]: max(1, bitlen).
func bitsFor(lo, hi int64) int { return max(1, bits.Len64(uint64(hi)-uint64(lo))) }

// PerWord returns how many elements share one word.
func (p Public) PerWord() int { return WordBits / p.Bits }

// Words returns the number of public words that the tensor takes.
func (p Public) Words() int {
	switch p.Visibility {
	case Shown:
		return (p.Shape.Size() + p.PerWord() - 1) / p.PerWord()
	case Hashed:
		return 1
	}
	return 0
}

// Pack returns the words of a tensor, elements in row-major order, each as
// u = q - Lo, the first in the lowest bits. It returns an error that names the
// element if one is out of [Lo, Lo+2^Bits).
func (p Public) Pack(values []int64) ([]fr.Element, error) {
	if len(values) != p.Shape.Size() {
		return nil, fmt.Errorf("%s: shape %v needs %d elements, found %d", p.Name, p.Shape, p.Shape.Size(), len(values))
	}
	per := p.PerWord()
	words := make([]fr.Element, (len(values)+per-1)/per)
	var acc, u big.Int
	for w := range words {
		acc.SetUint64(0)
		end := min((w+1)*per, len(values))
		for i := end - 1; i >= w*per; i-- {
			d := uint64(values[i]) - uint64(p.Lo)
			if values[i] < p.Lo || bits.Len64(d) > p.Bits {
				return nil, fmt.Errorf("%s: element %d is %d, outside [%d, %d + 2^%d)", p.Name, i, values[i], p.Lo, p.Lo, p.Bits)
			}
			acc.Lsh(&acc, uint(p.Bits))
			acc.Or(&acc, u.SetUint64(d))
		}
		words[w].SetBigInt(&acc)
	}
	return words, nil
}

// Unpack is the inverse of Pack. It returns an error for a word that Pack can't
// have made.
func (p Public) Unpack(words []fr.Element) ([]int64, error) {
	per, size := p.PerWord(), p.Shape.Size()
	if len(words) != (size+per-1)/per {
		return nil, fmt.Errorf("%s: shape %v takes %d words, found %d", p.Name, p.Shape, (size+per-1)/per, len(words))
	}
	values := make([]int64, 0, size)
	mask := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(p.Bits)), big.NewInt(1))
	var acc, u big.Int
	for w := range words {
		words[w].BigInt(&acc)
		for i := w * per; i < min((w+1)*per, size); i++ {
			values = append(values, p.Lo+int64(u.And(&acc, mask).Uint64()))
			acc.Rsh(&acc, uint(p.Bits))
		}
		if acc.Sign() != 0 {
			return nil, fmt.Errorf("%s: word %d has bits above its last element", p.Name, w)
		}
	}
	return values, nil
}

// NbWords returns the number of public words of a proof, the context included.
func (m *Manifest) NbWords() int {
	n := 1
	for _, p := range m.Inputs {
		n += p.Words()
	}
	for _, p := range m.Outputs {
		n += p.Words()
	}
	if m.Weights == Hashed {
		n++
	}
	return n
}

// Hashed returns the names of what the words hold a digest of, in the words' order,
// with WeightsName for the weights.
func (m *Manifest) Hashed() []string {
	var names []string
	for _, tensors := range [][]Public{m.Inputs, m.Outputs} {
		for _, p := range tensors {
			if p.Visibility == Hashed {
				names = append(names, p.Name)
			}
		}
	}
	if m.Weights == Hashed {
		names = append(names, WeightsName)
	}
	return names
}
