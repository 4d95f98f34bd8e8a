package solidity

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
)

// field is one argument of the contract's statement: a shown tensor or a digest.
type field struct {
	circuit.Public
	// Role is "input", "output" or "weights".
	Role string
	// Field and Const are its names in Solidity.
	Field, Const string
	// Index is its position in the struct, At that of its first public word.
	Index, At int
	// Width is the number of bytes of an element in the byte encoding.
	Width int
}

// Shown reports whether the field holds elements, not a digest.
func (f field) Shown() bool { return f.Visibility == circuit.Shown }

// Elements returns the number of elements.
func (f field) Elements() int { return f.Shape.Size() }

// Top returns the greatest value of an element.
func (f field) Top() int64 { return f.Lo + (1<<f.Bits - 1) }

// fieldsOf lists the contract's arguments in the order of the public words.
func fieldsOf(m *circuit.Manifest) []field {
	names := newNamer()
	var list []field
	at := 1
	add := func(role string, p circuit.Public) {
		if p.Visibility == circuit.Private {
			return
		}
		name := p.Name
		if p.Visibility == circuit.Hashed {
			name += "Digest"
		}
		f := field{Public: p, Role: role, Field: names.pick(name), Index: len(list), At: at}
		f.Const = strings.ToUpper(f.Field)
		f.Width = elementWidth(p)
		list = append(list, f)
		at += p.Words()
	}
	for _, p := range m.Inputs {
		add("input", p)
	}
	for _, p := range m.Outputs {
		add("output", p)
	}
	if m.Weights == circuit.Hashed {
		add("weights", circuit.Public{Name: "weights", Visibility: circuit.Hashed, Bits: 1})
	}
	return list
}

// elementWidth returns the bytes of an element q in [Lo, Lo + 2^Bits): the fewest
// that hold it, unsigned if Lo >= 0 and as two's complement otherwise. A manifest
// has no element above the int64s.
func elementWidth(p circuit.Public) int {
	top := p.Lo + (1<<p.Bits - 1)
	if p.Lo >= 0 {
		return (bits.Len64(uint64(top)) + 7) / 8
	}
	// Two's complement of n bits holds [-2^(n-1), 2^(n-1)).
	n := bits.Len64(uint64(^p.Lo))
	if top > 0 {
		n = max(n, bits.Len64(uint64(top)))
	}
	return (n + 1 + 7) / 8
}

// solidityType returns the integer type of an element in the byte encoding.
func (f field) solidityType() string {
	if f.Lo >= 0 {
		return fmt.Sprintf("uint%d", 8*f.Width)
	}
	return fmt.Sprintf("int%d", 8*f.Width)
}

// bytes returns a shown tensor's elements in the byte encoding.
func (f field) bytes(values []int64) []byte {
	out := make([]byte, 0, len(values)*f.Width)
	for _, q := range values {
		for shift := 8 * (f.Width - 1); shift >= 0; shift -= 8 {
			out = append(out, byte(q>>shift))
		}
	}
	return out
}

// words returns the part of the public words that the field takes.
func (f field) words(all []fr.Element) []fr.Element { return all[f.At : f.At+f.Words()] }
