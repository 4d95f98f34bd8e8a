package msm

import (
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// maxBits is the most bits a centred scalar's magnitude has: (r−1)/2 < 2^253.
const maxBits = 253

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

// half is (r−1)/2, the largest scalar that is not negative.
var half = wide{
	order[0]>>1 | order[1]<<63,
	order[1]>>1 | order[2]<<63,
	order[2]>>1 | order[3]<<63,
	order[3] >> 1,
}

// modulus is p, the order of the coordinates' field.
var modulus = func() wide {
	var p wide
	for i, w := range fp.Modulus().Bits() {
		p[i] = uint64(w)
	}
	return p
}()

// greater returns a > b.
func (a wide) greater(b wide) bool {
	_, borrow := b.sub(a)
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

// bitLen returns the number of bits of a, 0 for 0.
func (a wide) bitLen() int {
	for i := len(a) - 1; i >= 0; i-- {
		if a[i] != 0 {
			return 64*i + bits.Len64(a[i])
		}
	}
	return 0
}

// bits returns the count bits of a from offset on; count is below 64.
func (a *wide) bits(offset, count int) uint64 {
	word, shift := offset>>6, uint(offset&63)
	v := a[word&3] >> shift
	if word < 3 && int(shift)+count > 64 {
		v |= a[(word+1)&3] << (64 - shift)
	}
	return v & (1<<uint(count) - 1)
}

// centred returns the magnitude of the scalar's representative in [−(r−1)/2, (r−1)/2]
// and whether that is negative.
func centred(s *fr.Element) (magnitude wide, negative bool) {
	magnitude = wide(s.Bits())
	if magnitude.greater(half) {
		magnitude, _ = order.sub(magnitude)
		return magnitude, true
	}
	return magnitude, false
}

// column is one vector of scalars made ready for the windows of its plan: zero
// scalars and those of infinite bases are gone, the others carry the plan's bias.
type column struct {
	plan
	index []uint32 // which base
	value []wide   // the centred scalar + bias
}

// wipe forgets the scalars and keeps the memory.
func (c *column) wipe() {
	clear(c.value[:cap(c.value)])
	c.index, c.value = c.index[:0], c.value[:0]
}

// histogram counts scalars by the number of bits of their magnitude.
type histogram [maxBits + 1]int

// signBit marks, until the bias is added, a value whose scalar is negative.
const signBit = 1 << 63

// addBias replaces the values from..to, magnitudes with their sign, by themselves +
// bias.
func (c *column) addBias(from, to int) {
	for i := from; i < to; i++ {
		v := &c.value[i]
		if v[3]&signBit != 0 {
			v[3] &^= signBit
			*v, _ = c.bias.sub(*v)
		} else {
			*v, _ = c.bias.add(*v)
		}
	}
}
