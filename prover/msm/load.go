package msm

import (
	"context"
	"math/bits"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// column is one vector of scalars made ready for the windows of its plan: zero
// scalars and those of infinite bases are gone, the others carry the plan's bias.
type column struct {
	plan
	index []uint32 // which base
	value []wide   // the centred scalar + bias
	spans []span
	full  int // scalars of more than 64 bits
}

// span is where a column's scalars lie that come from one stretch of the vector: those
// that have digits in other windows than the first at from..long, the rest at long..to.
type span struct{ from, long, to int }

// spanSize is the number of scalars a span comes from.
const spanSize = 1 << 9

// wipe forgets the scalars and keeps the memory.
func (c *column) wipe() {
	clear(c.value)
	clear(c.index)
	c.index, c.value, c.spans = c.index[:0], c.value[:0], c.spans[:0]
}

// load makes c ready for the scalars.
func (b *Bases) load(ctx context.Context, c *column, scalars []fr.Element) error {
	c.index, c.value = resize(&c.index, len(scalars)), resize(&c.value, len(scalars))
	c.spans = resize(&c.spans, (len(scalars)+spanSize-1)/spanSize)
	var mutex sync.Mutex
	var all histogram
	err := b.parallel(len(c.spans), func(k int) error {
		h := c.read(k, scalars, b.infinite)
		mutex.Lock()
		defer mutex.Unlock()
		for length, n := range h {
			all[length] += n
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	c.full = 0
	for _, n := range all[65:] {
		c.full += n
	}
	c.plan = makePlan(&all)
	return b.parallel(len(c.spans), func(k int) error {
		c.divide(&c.spans[k])
		return ctx.Err()
	})
}

// read reads the scalars of the k-th span and counts them by length.
func (c *column) read(k int, scalars []fr.Element, infinite []bool) (h histogram) {
	from, to := k*spanSize, min((k+1)*spanSize, len(scalars))
	c.spans[k] = span{from, from, from}
	if allZero(scalars[from:to]) {
		return h
	}
	var memory [spanSize]fr.Element
	values := fr.Vector(memory[:to-from])
	integers(values, scalars[from:to])
	at := from
	for i := range values {
		v := wide(values[i])
		length := centre(&v)
		if length == 0 || infinite != nil && infinite[from+i] {
			continue
		}
		c.index[at], c.value[at] = uint32(from+i), v
		h[length]++
		at++
	}
	clear(values)
	c.spans[k].to = at
	return h
}

// allZero says whether all scalars are zero.
func allZero(scalars []fr.Element) bool {
	for i := range scalars {
		if !scalars[i].IsZero() {
			return false
		}
	}
	return true
}

// divide brings the span's long scalars to its front and adds the bias to all.
func (c *column) divide(s *span) {
	// A scalar is short if, its sign as a bit, it fits into the first window without a
	// carry: −2^(w−1) ≤ x < 2^(w−1).
	shift := uint(c.windows[0].width - 1)
	for i := s.from; i < s.to; i++ {
		v := c.value[i]
		sign := uint64(int64(v[3]) >> 63)
		var carry uint64
		var biased wide
		biased[0], carry = bits.Add64(v[0], c.bias[0], 0)
		biased[1], carry = bits.Add64(v[1], c.bias[1], carry)
		biased[2], carry = bits.Add64(v[2], c.bias[2], carry)
		biased[3], _ = bits.Add64(v[3], c.bias[3], carry)
		if ((v[0]^sign)>>shift)|(v[1]^sign)|(v[2]^sign)|(v[3]^sign) == 0 {
			c.value[i] = biased
			continue
		}
		c.value[i], c.value[s.long] = c.value[s.long], biased
		c.index[i], c.index[s.long] = c.index[s.long], c.index[i]
		s.long++
	}
}
