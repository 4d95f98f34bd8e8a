//go:build icicle

package gpu

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/ingonyama-zk/icicle/v2/wrappers/golang/core"
	cr "github.com/ingonyama-zk/icicle/v2/wrappers/golang/cuda_runtime"
	"github.com/ingonyama-zk/icicle/v2/wrappers/golang/curves/bn254/ntt"

	"github.com/zkml-go/zkml/prover/plonk"
)

// Card is a CUDA card: a [plonk.Device]. A process opens each card once.
type Card struct {
	residents
	index int
	work  chan func() // to the thread that the card is bound to
	queue chan struct{}

	// The rest belongs to the thread.
	domain int                        // elements of the NTT's domain; 0 before the first
	free   map[int][]core.DeviceSlice // wiped vectors, by length
	held   map[uintptr]core.DeviceSlice
	lost   error // why Free failed
}

var _ plonk.Device = (*Card)(nil)

// opened are the cards that are open: ICICLE keeps one domain for each.
var opened sync.Map

// Open returns the card of this index, after it has computed a multi-exponentiation and a
// transform as the CPU does. The error matches [ErrNoCard] or [ErrCard].
func Open(index int) (*Card, error) {
	cards, err := Devices()
	if err != nil {
		return nil, err
	}
	if index < 0 || index >= len(cards) {
		return nil, fmt.Errorf("%w: cuda:%d: there are %d", ErrNoCard, index, len(cards))
	}
	if _, busy := opened.LoadOrStore(index, true); busy {
		return nil, fmt.Errorf("%w: cuda:%d is open already", ErrCard, index)
	}
	c := &Card{
		index: index,
		work:  make(chan func()),
		queue: make(chan struct{}, 1),
		free:  make(map[int][]core.DeviceSlice),
		held:  make(map[uintptr]core.DeviceSlice),
	}
	go func() {
		// The thread isn't unlocked: it ends with the card.
		runtime.LockOSThread()
		for f := range c.work {
			f()
		}
	}()
	err = c.do(context.Background(), func() { must(cr.SetDevice(index), "select the card") })
	if err == nil {
		err = c.compare()
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Index returns the card's number.
func (c *Card) Index() int { return c.index }

// do has the card's thread run f, and returns what f throws.
func (c *Card) do(ctx context.Context, f func()) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	done := make(chan struct{})
	c.work <- func() {
		defer close(done)
		defer catch(&err)
		f()
	}
	<-done
	return err
}

// Close frees all that is on the card, whose handles must not be used any more.
func (c *Card) Close() error {
	err := c.do(context.Background(), func() {
		var first error
		for _, s := range c.held {
			if err := attempt(func() { must(s.Free(), "free") }); first == nil {
				first = err
			}
		}
		if c.domain > 0 {
			must(ntt.ReleaseDomain(deviceContext()).CudaErrorCode, "release the domain")
		}
		if first != nil {
			panic(failure{first})
		}
	})
	close(c.work)
	opened.Delete(c.index)
	return err
}

// attempt returns what f throws.
func attempt(f func()) (err error) {
	defer catch(&err)
	f()
	return nil
}

// deviceContext is where ICICLE's functions work: the thread's card, its default stream.
func deviceContext() cr.DeviceContext {
	ctx, code := cr.GetDefaultDeviceContext()
	must(code, "select the card")
	return ctx
}

// acquire waits until no other proof is on the card, or until done.
func (c *Card) acquire(done <-chan struct{}) (release func(), ok bool) {
	select {
	case c.queue <- struct{}{}:
		return func() { <-c.queue }, true
	case <-done:
		return nil, false
	}
}

// session is the card as one prover's device: it knows the bases to free.
type session struct {
	*Card
	mu    sync.Mutex
	bases []*bases
}

// session returns the card as one prover's device, and what frees its bases.
func (c *Card) session() (plonk.Device, func() error) {
	s := &session{Card: c}
	return s, func() (first error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, b := range s.bases {
			// What can't be freed now, Close tries again.
			if err := c.do(context.Background(), func() { c.release(b.points) }); first == nil {
				first = err
			}
		}
		s.bases = nil
		return first
	}
}
