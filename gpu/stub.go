//go:build !icicle

package gpu

import "github.com/zkml-go/zkml/prover/plonk"

// Card is a CUDA card; there is none in this build.
type Card struct {
	residents
	plonk.Device
}

// Devices lists the cards.
func Devices() ([]Info, error) { return nil, ErrNotBuilt }

// Open returns the card of this index, checked.
func Open(index int) (*Card, error) { return nil, ErrNotBuilt }

// Index returns the card's number.
func (c *Card) Index() int { return 0 }

// Close frees what is on the card.
func (c *Card) Close() error { return nil }

// fits refuses a circuit that the card has no memory for now.
func (c *Card) fits(n, commitments int, lowMemory bool) error { return ErrNotBuilt }

// session returns the card as one prover's device, and what frees its bases.
func (c *Card) session() (plonk.Device, func() error) {
	return c.Device, func() error { return nil }
}

// takeLost returns why memory couldn't be freed.
func (c *Card) takeLost() error { return nil }

// acquire waits for the card.
func (c *Card) acquire(done <-chan struct{}) (release func(), ok bool) { return func() {}, true }
