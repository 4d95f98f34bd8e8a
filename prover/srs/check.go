package srs

import (
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
)

// combination draws the coefficients of random linear combinations: 128 bits each,
// from a generator that is seeded by the system and known to nobody who made the
// points. If one point of a vector is wrong, its combination is wrong but for a
// chance of 2^-128.
type combination struct{ source *rand.ChaCha8 }

func newCombination() (*combination, error) {
	var seed [32]byte
	if _, err := crand.Read(seed[:]); err != nil {
		return nil, err
	}
	return &combination{rand.NewChaCha8(seed)}, nil
}

// draw fills the vector with coefficients.
func (c *combination) draw(coefficients []fr.Element) {
	for i := range coefficients {
		var b [fr.Bytes]byte
		c.source.Read(b[16:])
		coefficients[i].SetBytes(b[:])
	}
}

// multiExp returns Σ coefficients[i]·points[i].
func multiExp(points []bn254.G1Affine, coefficients []fr.Element) (sum bn254.G1Affine, err error) {
	_, err = sum.MultiExp(points, coefficients, ecc.MultiExpConfig{})
	return sum, err
}

// powersCheck checks, over chunks of consecutive powers, that each is τ times the
// one before:
//
//	e(Σ r_i·P_(i+1), [1]₂) = e(Σ r_i·P_i, [τ]₂)
//
// with random r_i. Together with P_0 = [1]₁ this makes every P_i = [τ^i]₁.
type powersCheck struct {
	random      *combination
	lower       bn254.G1Jac // Σ r_i·P_i
	upper       bn254.G1Jac // Σ r_i·P_(i+1)
	last        bn254.G1Affine
	seen        int
	coefficient []fr.Element
}

func newPowersCheck() (*powersCheck, error) {
	random, err := newCombination()
	return &powersCheck{random: random}, err
}

// add takes the next powers, each of them on the curve.
func (c *powersCheck) add(points []bn254.G1Affine) error {
	if len(points) == 0 {
		return nil
	}
	if c.seen == 0 {
		if _, _, g1, _ := bn254.Generators(); !points[0].Equal(&g1) {
			return fmt.Errorf("%w: the first power isn't the generator", ErrInvalid)
		}
	} else if err := c.accumulate([]bn254.G1Affine{c.last, points[0]}); err != nil {
		return err
	}
	c.seen += len(points)
	c.last = points[len(points)-1]
	return c.accumulate(points)
}

// accumulate adds the pairs of neighbours among the points to both sums.
func (c *powersCheck) accumulate(points []bn254.G1Affine) error {
	n := len(points) - 1
	if n == 0 {
		return nil
	}
	if len(c.coefficient) < n {
		c.coefficient = make([]fr.Element, n)
	}
	r := c.coefficient[:n]
	c.random.draw(r)
	lower, err := multiExp(points[:n], r)
	if err != nil {
		return err
	}
	upper, err := multiExp(points[1:], r)
	if err != nil {
		return err
	}
	c.lower.AddMixed(&lower)
	c.upper.AddMixed(&upper)
	return nil
}

// finish returns an error that matches ErrInvalid unless all the powers are those
// of the τ in [τ]₂.
func (c *powersCheck) finish(tauG2 *bn254.G2Affine) error {
	var lower, upper bn254.G1Affine
	lower.FromJacobian(&c.lower)
	upper.FromJacobian(&c.upper)
	upper.Neg(&upper)
	_, _, _, g2 := bn254.Generators()
	ok, err := bn254.PairingCheck([]bn254.G1Affine{upper, lower}, []bn254.G2Affine{g2, *tauG2})
	if err != nil {
		return err
	}
	if !ok || c.seen < 2 {
		return fmt.Errorf("%w: the %d points aren't the powers of one secret", ErrInvalid, c.seen)
	}
	return nil
}

// checkLagrange returns an error that matches ErrInvalid unless the points are
// those of the Lagrange basis for the τ of the powers, which are right. With
// random values r_i of a polynomial f at the domain's points,
//
//	Σ r_i·[L_i(τ)]₁ = [f(τ)]₁ = Σ f_j·[τ^j]₁.
func checkLagrange(lagrange, powers []bn254.G1Affine) error {
	random, err := newCombination()
	if err != nil {
		return err
	}
	values := make([]fr.Element, len(lagrange))
	random.draw(values)
	byValues, err := multiExp(lagrange, values)
	if err != nil {
		return err
	}
	fft.NewDomain(uint64(len(values)), fft.WithoutPrecompute()).FFTInverse(values, fft.DIF)
	fft.BitReverse(values)
	byCoefficients, err := multiExp(powers[:len(values)], values)
	if err != nil {
		return err
	}
	if !byValues.Equal(&byCoefficients) {
		return fmt.Errorf("%w: the %d Lagrange points aren't those of the powers", ErrInvalid, len(lagrange))
	}
	return nil
}

// Check verifies the whole string: every power by a pairing of a random
// combination, every Lagrange point against the powers. The points must be on the
// curve. The error matches [ErrInvalid].
func (s *SRS) Check() error {
	check, err := newPowersCheck()
	if err != nil {
		return err
	}
	if err := check.add(s.Powers); err != nil {
		return err
	}
	if err := check.finish(&s.TauG2); err != nil {
		return err
	}
	if len(s.Lagrange) == 0 {
		return nil
	}
	return checkLagrange(s.Lagrange, s.Powers)
}
