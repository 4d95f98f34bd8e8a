package plonk

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// commitWires is round 1. The wires' columns are polynomials on the domain, which are
// blinded and committed to:
//
//	L(X) = Σ lᵢ·Lᵢ(X) + (b₁ + b₂X)·(Xⁿ−1), and likewise R and O.
//
// The columns of a quantized model are mostly small numbers, in the Lagrange basis:
// that makes their sums cheap. In the padding, every wire has the value of wire 0.
func (s *proof) commitWires() error {
	columns := make([]Vector, 3)
	padding := make([]fr.Element, 3)
	wires := []**blinded{&s.l, &s.r, &s.o}
	for i := range wires {
		v, err := s.upload(s.wires[i])
		if err != nil {
			return err
		}
		if *wires[i], err = newBlinded(v, 2); err != nil {
			return err
		}
		columns[i], padding[i] = v, s.wires[i][s.n-1]
	}
	sums, err := s.commitLagrange(s.ctx, columns, padding)
	if err != nil {
		return err
	}
	for i := range wires {
		hiding, err := s.vanishing((*wires[i]).b)
		if err != nil {
			return err
		}
		s.out.LRO[i].Add(&sums[i], &hiding)
	}
	if err := s.transcript.bindKey(s.vk, s.public); err != nil {
		return err
	}
	if s.gamma, err = s.transcript.challenge("gamma", s.out.LRO[:]...); err != nil {
		return err
	}
	s.beta, err = s.transcript.challenge("beta")
	return err
}
