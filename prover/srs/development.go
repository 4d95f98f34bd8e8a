package srs

import (
	"fmt"
	"math/big"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
)

// DevelopmentSeed is what the development string's τ is hashed from, by RFC 9380's
// hash_to_field for BN254's scalar field with expand_message_xmd over SHA-256 and
// the tag [DevelopmentTag]. It is published so that everyone can recognise the
// string and nobody can take it for a ceremony's.
const (
	DevelopmentSeed = "zkml development SRS: everyone knows this secret"
	DevelopmentTag  = "zkml-development-srs-v1"
)

// developmentTau returns τ and [τ]₂ of the development string.
var developmentTau = sync.OnceValues(func() (fr.Element, bn254.G2Affine) {
	h, err := fr.Hash([]byte(DevelopmentSeed), []byte(DevelopmentTag), 1)
	if err != nil {
		panic(err) // only a tag above 255 bytes can fail
	}
	var tauG2 bn254.G2Affine
	_, _, _, g2 := bn254.Generators()
	tauG2.ScalarMultiplication(&g2, h[0].BigInt(new(big.Int)))
	return h[0], tauG2
})

// IsDevelopment reports whether [τ]₂ is the development string's.
func IsDevelopment(tauG2 *bn254.G2Affine) bool {
	_, dev := developmentTau()
	return dev.Equal(tauG2)
}

// DevelopmentID returns the ID of the development string.
func DevelopmentID() ID {
	_, dev := developmentTau()
	return IDOf(&dev)
}

// Development makes the development string for a domain of 2^log points. Whoever
// reads this file can forge proofs under it.
func Development(log int) (*SRS, error) {
	if log < 1 || log > MaxLog {
		return nil, fmt.Errorf("%w: domain of 2^%d points: want 2^1 to 2^%d", ErrInvalid, log, MaxLog)
	}
	tau, tauG2 := developmentTau()
	n := 1 << log
	scalars := make([]fr.Element, n+extraPowers+n)
	powers, lagrange := scalars[:n+extraPowers], scalars[n+extraPowers:]
	powers[0].SetOne()
	for i := 1; i < len(powers); i++ {
		powers[i].Mul(&powers[i-1], &tau)
	}
	lagrangeAt(lagrange, &tau, &powers[n])
	_, _, g1, _ := bn254.Generators()
	points := multiplyFixed(&g1, scalars)
	return &SRS{
		Name:     "development",
		Log:      log,
		Powers:   points[: n+extraPowers : n+extraPowers],
		Lagrange: points[n+extraPowers:],
		TauG2:    tauG2,
	}, nil
}

// lagrangeAt sets values[i] = L_i(τ) = ω^i·(τ^n - 1) / (n·(τ - ω^i)), given τ
// outside the domain, τ^n and n = len(values).
func lagrangeAt(values []fr.Element, tau, tauN *fr.Element) {
	domain := fft.NewDomain(uint64(len(values)), fft.WithoutPrecompute())
	denominators := make([]fr.Element, len(values))
	w := fr.One()
	for i := range values {
		values[i] = w
		denominators[i].Sub(tau, &w)
		w.Mul(&w, &domain.Generator)
	}
	denominators = fr.BatchInvert(denominators)
	one := fr.One()
	var factor fr.Element
	factor.Sub(tauN, &one).Mul(&factor, &domain.CardinalityInv)
	for i := range values {
		values[i].Mul(&values[i], &denominators[i]).Mul(&values[i], &factor)
	}
}
