//go:build icicle

package gpu

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ingonyama-zk/icicle/v2/wrappers/golang/core"
	"github.com/ingonyama-zk/icicle/v2/wrappers/golang/curves/bn254"

	"github.com/zkml-go/zkml/prover/plonk"
)

// elementSize and pointSize are in bytes.
const (
	elementSize = fr.Bytes
	pointSize   = 64
)

// vector is a handle to elements on the card, in standard form.
type vector struct {
	memory core.DeviceSlice
	n      int // 0 has no memory
}

// Len implements [plonk.Vector].
func (v vector) Len() int { return v.n }

// Slice implements [plonk.Vector].
func (v vector) Slice(from, to int) plonk.Vector {
	if from < 0 || to < from || to > v.n {
		panic(fmt.Sprintf("slice %d:%d of %d elements", from, to, v.n))
	}
	return vector{part(v.memory, from, to), to - from}
}

// part is a slice of memory; its own methods refuse those that end where it ends.
func part(m core.DeviceSlice, from, to int) core.DeviceSlice {
	if from == to {
		return core.DeviceSlice{}
	}
	if from > 0 {
		m = m.RangeFrom(from)
	}
	if to-from < m.Len() {
		m = m.RangeTo(to-from, false)
	}
	return m
}

// room returns how many bytes are free. What is kept for later vectors is given up if they
// are fewer than wanted.
func (c *Card) room(wanted uint64) uint64 {
	if available() < wanted {
		for _, list := range c.free {
			for _, m := range list {
				c.release(m)
			}
		}
		clear(c.free)
	}
	return available()
}

// reserve returns memory for n objects of this size, if the card has it.
func (c *Card) reserve(n, size int) core.DeviceSlice {
	need := uint64(n) * uint64(size)
	if free := c.room(need); free < need {
		panic(failure{fmt.Errorf("%w: %d bytes wanted, %d free", ErrMemory, need, free)})
	}
	var m core.DeviceSlice
	_, code := m.Malloc(int(need), size)
	must(code, "allocate")
	c.held[uintptr(m.AsUnsafePointer())] = m
	return m
}

// release gives memory back.
func (c *Card) release(m core.DeviceSlice) {
	key := uintptr(m.AsUnsafePointer())
	must(m.Free(), "free")
	delete(c.held, key)
}

// take returns memory for n elements with anything in it, put keeps it for the next.
func (c *Card) take(n int) core.DeviceSlice {
	if list := c.free[n]; len(list) > 0 {
		c.free[n] = list[:len(list)-1]
		return list[len(list)-1]
	}
	return c.reserve(n, elementSize)
}

func (c *Card) put(m core.DeviceSlice) { c.free[m.Len()] = append(c.free[m.Len()], m) }

// giveBack wipes memory and keeps it for the next. What can't be wiped waits for Close.
func (c *Card) giveBack(m core.DeviceSlice) error {
	err := attempt(func() { zero(m) })
	if err == nil {
		c.put(m)
	}
	return err
}

// with lends memory for n elements to f. It is wiped afterwards, since it may tell the
// witness; also when f throws.
func (c *Card) with(n int, f func(m core.DeviceSlice)) {
	m := c.take(n)
	thrown := attempt(func() { f(m) })
	wiped := c.giveBack(m)
	for _, err := range []error{thrown, wiped} {
		if err != nil {
			panic(failure{err})
		}
	}
}

// keep runs f, and gives m back if it throws.
func (c *Card) keep(m core.DeviceSlice, f func()) {
	if err := attempt(f); err != nil {
		_ = c.giveBack(m)
		panic(failure{err})
	}
}

// Allocate implements [plonk.Device].
func (c *Card) Allocate(n int) (v plonk.Vector, err error) {
	err = c.do(context.Background(), func() {
		m := c.take(n)
		c.keep(m, func() { zero(m) })
		v = vector{m, n}
	})
	return v, err
}

// Upload implements [plonk.Device].
func (c *Card) Upload(elements []fr.Element) (v plonk.Vector, err error) {
	err = c.do(context.Background(), func() {
		m := c.take(len(elements))
		c.keep(m, func() {
			upload(m, unsafe.Pointer(&elements[0]))
			must(bn254.FromMontgomery(&m), "convert")
		})
		v = vector{m, len(elements)}
	})
	return v, err
}

// Write implements [plonk.Device].
func (c *Card) Write(dst plonk.Vector, elements []fr.Element) error {
	return c.do(context.Background(), func() { write(dst.(vector).memory, elements) })
}

// Read implements [plonk.Device].
func (c *Card) Read(elements []fr.Element, src plonk.Vector) error {
	return c.do(context.Background(), func() { read(elements, src.(vector).memory) })
}

// Free implements [plonk.Device]. Memory that can't be wiped isn't used again, and takeLost
// says so.
func (c *Card) Free(vectors ...plonk.Vector) {
	_ = c.do(context.Background(), func() { // nothing in it throws
		for _, v := range vectors {
			v, ok := v.(vector)
			if !ok || v.n == 0 {
				continue
			}
			if err := c.giveBack(v.memory); err != nil {
				c.lost = err
			}
		}
	})
}

// takeLost returns why [Card.Free] has failed since the last call, if it has.
func (c *Card) takeLost() (err error) {
	_ = c.do(context.Background(), func() { err, c.lost = c.lost, nil })
	return err
}

// montgomery is 2²⁵⁶: its product with limbs in standard form is their element.
var montgomery = func() (x fr.Element) {
	x.SetUint64(1 << 32)
	for range 3 {
		x.Square(&x)
	}
	return x
}()

// write overwrites the first elements of dst, read fetches those of src.
func write(dst core.DeviceSlice, elements []fr.Element) {
	if len(elements) == 0 {
		return
	}
	standard := make([][4]uint64, len(elements))
	for i := range elements {
		standard[i] = elements[i].Bits()
	}
	upload(part(dst, 0, len(elements)), unsafe.Pointer(&standard[0]))
	clear(standard)
}

func read(elements []fr.Element, src core.DeviceSlice) {
	if len(elements) == 0 {
		return
	}
	download(unsafe.Pointer(&elements[0]), part(src, 0, len(elements)))
	for i := range elements {
		elements[i].Mul(&elements[i], &montgomery)
	}
}

// Memory of a proof, in bytes for each of the domain's n rows. The circuit's fixed
// polynomials and the witness's vectors are counted from rounds 1 to 5; a
// multi-exponentiation has 16 windows of ICICLE's, with four indices of 4 bytes each that
// are sorted into copies, beside its scalars; a domain has its roots twice.
const (
	proofVectors = 24
	msmBytes     = 16 * 4 * 4 * 2
	domainBytes  = 2 * elementSize
)

// needed returns about how many bytes a proof takes, its circuit's included, in a domain of n
// rows and with BSB22 commitments.
func needed(n, commitments int, lowMemory bool) uint64 {
	vectors := proofVectors + 2*(8+commitments)
	if !lowMemory {
		vectors += 3 * (7 + commitments)
	}
	return uint64(n) * uint64(2*pointSize+vectors*elementSize+msmBytes+domainBytes)
}

// fits refuses a circuit that the card has no memory for now; the error matches [ErrMemory].
func (c *Card) fits(n, commitments int, lowMemory bool) error {
	need := needed(n, commitments, lowMemory)
	var free uint64
	if err := c.do(context.Background(), func() { free = c.room(need) }); err != nil {
		return err
	}
	if free < need {
		return fmt.Errorf("%w: a proof in a domain of %d takes about %d bytes, %d are free", ErrMemory, n, need, free)
	}
	return nil
}
