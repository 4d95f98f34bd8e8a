package plonk

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// commitPermutation is round 2. The permutation σ says which of the 3n places of the
// columns L, R, O hold the same wire; k₁ and k₂ = k₁² move the places of R and O to
// cosets of their own. The polynomial Z accumulates, row by row, the ratios of
//
//	fᵢ = (lᵢ + βωⁱ + γ)(rᵢ + βk₁ωⁱ + γ)(oᵢ + βk₂ωⁱ + γ)
//	gᵢ = (lᵢ + βS₁(ωⁱ) + γ)(rᵢ + βS₂(ωⁱ) + γ)(oᵢ + βS₃(ωⁱ) + γ)
//
//	Z(1) = 1, Z(ωⁱ⁺¹) = Z(ωⁱ)·fᵢ/gᵢ,
//
// and comes back to 1 after the last row if equal wires have equal values. It is
// blinded by (b₁ + b₂X + b₃X²)·(Xⁿ−1), since it is opened at two points.
//
// The recurrence runs where the columns are, in memory, and Z goes to the device.
func (s *proof) commitPermutation() error {
	z, err := s.accumulate()
	if err != nil {
		return err
	}
	v, err := s.upload(z)
	if err != nil {
		return err
	}
	if s.z, err = newBlinded(v, 3); err != nil {
		return err
	}
	sums, err := s.device.Commit(s.ctx, s.lagrange, v)
	if err != nil {
		return err
	}
	hiding, err := s.vanishing(s.z.b)
	if err != nil {
		return err
	}
	s.out.Z.Add(&sums[0], &hiding)
	s.alpha, err = s.transcript.challenge("alpha", append(append(s.out.Bsb22Commitments[:0:0], s.out.Bsb22Commitments...), s.out.Z)...)
	return err
}

// accumulate returns the values of Z on the domain. Each worker multiplies the ratios
// of its range; then the ranges are multiplied by what came before them.
func (s *proof) accumulate() ([]fr.Element, error) {
	z := make(fr.Vector, s.n)
	products := make([]fr.Element, workers())
	starts := make([]int, workers())
	places := s.places()
	ranges(s.n, block, func(w, from, to int) {
		ratios := z[from:to]
		s.ratios(ratios, from, places)
		product := fr.One()
		for i := range ratios { // z[i] becomes the product of the ratios before it
			ratio := ratios[i]
			ratios[i] = product
			product.Mul(&product, &ratio)
		}
		products[w], starts[w] = product, from
	})
	before := fr.One()
	factors := make([]fr.Element, len(products))
	for w := range products {
		factors[w] = before
		if w == 0 || starts[w] > 0 {
			before.Mul(&before, &products[w])
		}
	}
	if !before.IsOne() {
		return nil, fmt.Errorf("%w: equal wires have different values", ErrUnsatisfied)
	}
	ranges(s.n, block, func(w, from, to int) {
		part := z[from:to]
		part.ScalarMul(part, &factors[w])
	})
	return z, nil
}

// places are what the wires' values are told apart by: βωⁱ, βk₁ωⁱ and βk₂ωⁱ for row i of
// the columns L, R and O. They are made of two short tables, ωⁱ of ω^low and of the others
// times ω^(i−low), with a multiplication each.
type places struct {
	low  fr.Vector    // ωⁱ for i below the block's length
	high [3]fr.Vector // by column, β, βk₁ or βk₂ times the power of each block's first row
}

func (s *proof) places() *places {
	p := &places{low: powers(s.vk.Generator, min(block, s.n))}
	starts := powers(power(s.vk.Generator, block), (s.n+block-1)/block)
	scale := s.beta
	for j := range p.high {
		p.high[j] = make(fr.Vector, len(starts))
		p.high[j].ScalarMul(starts, &scale)
		scale.Mul(&scale, &s.vk.CosetShift)
	}
	return p
}

// ratios sets ratios[i] to f/g of row from+i; from is a multiple of the block.
func (s *proof) ratios(ratios fr.Vector, from int, p *places) {
	denominators := make(fr.Vector, len(ratios))
	factor, wire := make(fr.Vector, block), make(fr.Vector, block)
	for at := 0; at < len(ratios); at += block {
		to := min(at+block, len(ratios))
		f, g := ratios[at:to], denominators[at:to]
		factor, wire := factor[:to-at], wire[:to-at]
		for j := range s.wires {
			for i, value := range s.wires[j][from+at : from+to] {
				wire[i].Add(&value, &s.gamma)
			}
			factor.ScalarMul(p.low[:to-at], &p.high[j][(from+at)/block])
			factor.Add(factor, wire)
			multiply(f, factor, j == 0)
			for i, place := range s.permutation[j][from+at : from+to] {
				column := int(place) / s.n
				row := int(place) - column*s.n
				factor[i].Mul(&p.low[row%block], &p.high[column][row/block])
			}
			factor.Add(factor, wire)
			multiply(g, factor, j == 0)
		}
	}
	inverses := fr.Vector(fr.BatchInvert(denominators))
	ratios.Mul(ratios, inverses)
	for _, v := range []fr.Vector{denominators, inverses, factor, wire} {
		clear(v)
	}
}

// multiply sets product to factor, if that is the first, and else multiplies it.
func multiply(product, factor fr.Vector, first bool) {
	if first {
		copy(product, factor)
		return
	}
	product.Mul(product, factor)
}
