package plonktest

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/std/rangecheck"
)

// chain squares X until the domain is full: every wire is of full size.
type chain struct {
	X frontend.Variable
	Y frontend.Variable `gnark:",public"`
	n int
}

// Define implements frontend.Circuit.
func (c *chain) Define(api frontend.API) error {
	x := c.X
	for range c.n {
		x = api.Mul(x, x)
	}
	api.AssertIsEqual(x, c.Y)
	return nil
}

// Chain returns a chain of multiplications that fills a domain of 2^log, gnark's own
// benchmark circuit.
func Chain(log int) (*Subject, error) {
	c := &chain{n: 1<<log - 2}
	y := fr.NewElement(3)
	for range c.n {
		y.Square(&y)
	}
	return New(c, &chain{X: 3, Y: y})
}

// ranges checks that its words have 16 bits.
type ranges struct {
	First frontend.Variable `gnark:",public"`
	Words []frontend.Variable
}

// Define implements frontend.Circuit.
func (c *ranges) Define(api frontend.API) error {
	check := rangecheck.New(api)
	check.Check(c.First, 16)
	for _, w := range c.Words {
		check.Check(w, 16)
	}
	return nil
}

// RangeChecks returns gnark's range check of so many words of 16 bits: an argument by
// logarithmic derivatives with one commitment.
func RangeChecks(words int) (*Subject, error) {
	a := &ranges{First: 1, Words: make([]frontend.Variable, words)}
	for i := range a.Words {
		a.Words[i] = i * 40503 % (1 << 16)
	}
	return New(&ranges{Words: make([]frontend.Variable, words)}, a)
}
