package msm

import (
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// maxBits is the most bits a centred scalar's magnitude has: (r−1)/2 < 2^253.
const maxBits = 253

// histogram counts scalars by the number of bits of their magnitude.
type histogram [maxBits + 1]int

// wide is a 256-bit number, least significant word first.
type wide [4]uint64

// order is r, the order of the group.
var order = func() wide {
	var one fr.Element
	one.SetOne()
	one.Neg(&one)
	r := wide(one.Bits())
	r[0]++ // r is odd: no carry
	return r
}()

// modulus is p, the order of the coordinates' field.
var modulus = func() wide {
	var p wide
	for i, w := range fp.Modulus().Bits() {
		p[i] = uint64(w)
	}
	return p
}()

// less returns a < b.
func (a wide) less(b wide) bool {
	_, borrow := a.sub(b)
	return borrow != 0
}

func (a wide) add(b wide) (sum wide, carry uint64) {
	for i := range a {
		sum[i], carry = bits.Add64(a[i], b[i], carry)
	}
	return sum, carry
}

func (a wide) sub(b wide) (difference wide, borrow uint64) {
	for i := range a {
		difference[i], borrow = bits.Sub64(a[i], b[i], borrow)
	}
	return difference, borrow
}

// centre replaces a scalar, as an integer below r, by its representative between −r/2
// and r/2 in two's complement, and returns that one's magnitude's number of bits. Signs
// are as good as random, so there is no branch on them.
func centre(v *wide) (length int) {
	var borrow, carry uint64
	d0, borrow := bits.Sub64(order[0], v[0], 0)
	d1, borrow := bits.Sub64(order[1], v[1], borrow)
	d2, borrow := bits.Sub64(order[2], v[2], borrow)
	d3, _ := bits.Sub64(order[3], v[3], borrow)
	// d = r − v is the smaller one if v is negative.
	_, borrow = bits.Sub64(d0, v[0], 0)
	_, borrow = bits.Sub64(d1, v[1], borrow)
	_, borrow = bits.Sub64(d2, v[2], borrow)
	_, negative := bits.Sub64(d3, v[3], borrow)

	mask := -negative
	d0 = v[0] ^ mask&(v[0]^d0)
	d1 = v[1] ^ mask&(v[1]^d1)
	d2 = v[2] ^ mask&(v[2]^d2)
	d3 = v[3] ^ mask&(v[3]^d3)
	v[0], carry = bits.Add64(d0^mask, negative, 0)
	v[1], carry = bits.Add64(d1^mask, 0, carry)
	v[2], carry = bits.Add64(d2^mask, 0, carry)
	v[3], _ = bits.Add64(d3^mask, 0, carry)

	switch {
	case d3 != 0:
		return 192 + bits.Len64(d3)
	case d2 != 0:
		return 128 + bits.Len64(d2)
	case d1 != 0:
		return 64 + bits.Len64(d1)
	}
	return bits.Len64(d0)
}

// integers sets values to scalars without gnark-crypto's factor 2^256.
func integers(values, scalars fr.Vector) { values.ScalarMul(scalars, &fr.Element{1}) }
