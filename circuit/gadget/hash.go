package gadget

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
)

// Hash returns the Poseidon2 compression of two field elements, width 2 with a
// feed-forward of the right one, as gnark-crypto's Permutation.Compress
// (https://eprint.iacr.org/2023/323). About 300 rows: 3 for each x^5 and 2 for each
// linear layer.
func (b *Builder) Hash(left, right Expr) Expr {
	p := poseidon2.GetDefaultParameters()
	s := [2]Expr{left, right}
	external := func() { // ((2 1) (1 2))
		s[0], s[1] = b.Add(s[0].Times(2), s[1]), b.Add(s[0], s[1].Times(2))
	}
	internal := func() { // ((2 1) (1 3))
		s[0], s[1] = b.Add(s[0].Times(2), s[1]), b.Add(s[0], s[1].Times(3))
	}
	external()
	for i, keys := range p.RoundKeys {
		for j, k := range keys {
			s[j].Const.Add(&s[j].Const, &k)
		}
		s[0] = b.fifth(s[0])
		if i < p.NbFullRounds/2 || i >= p.NbFullRounds/2+p.NbPartialRounds {
			s[1] = b.fifth(s[1])
			external()
		} else {
			internal()
		}
	}
	return b.Add(s[1], right)
}

// fifth returns x^5 in three rows.
func (b *Builder) fifth(x Expr) Expr {
	square := b.Mul(x, x)
	return b.Mul(b.Mul(square, square), x)
}

// tagElement returns the field element whose big-endian bytes are the tag's, for a
// tag of at most 31 bytes.
func tagElement(tag string) Expr {
	var e fr.Element
	e.SetBytes([]byte(tag))
	return Expr{Const: e}
}
