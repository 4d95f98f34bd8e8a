package plonk

import (
	"context"
	"errors"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Map implements [Device]: the formula is computed block by block, so that what lies
// between its operations never leaves the cache.
func (c *CPU) Map(ctx context.Context, dst Vector, f Formula) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	out := onCPU(dst)
	ranges(len(out), block, func(_, first, last int) {
		var s scratch
		for from := first; from < last; from += block {
			to := min(from+block, last)
			copy(out[from:to], s.value(&f, from, to, 0))
		}
	})
	return nil
}

// scratch has the blocks that a formula's values are computed in, one for each depth
// of the tree.
type scratch [][]fr.Element

// value returns the formula's values at indices from up to to: in the vector itself
// if it is a leaf, else in the block of this depth, which the caller may overwrite.
func (s *scratch) value(f *Formula, from, to, depth int) fr.Vector {
	if f.Op == Leaf {
		return onCPU(f.Vector)[from:to]
	}
	if len(*s) == depth {
		*s = append(*s, make([]fr.Element, block))
	}
	out := fr.Vector((*s)[depth][:to-from])
	if f.Op == NextLeaf {
		return next(out, onCPU(f.Vector), from)
	}
	// The first term may be computed in place: the others use deeper blocks.
	acc := s.value(&f.Terms[0], from, to, depth)
	switch f.Op {
	case ScaleOp:
		out.ScalarMul(acc, &f.Scalar)
		return out
	case PlusOp:
		for i := range out {
			out[i].Add(&acc[i], &f.Scalar)
		}
		return out
	}
	for i := 1; i < len(f.Terms); i++ {
		term := s.value(&f.Terms[i], from, to, depth+1)
		switch f.Op {
		case SumOp:
			out.Add(acc, term)
		case ProductOp:
			out.Mul(acc, term)
		case DifferenceOp:
			out.Sub(acc, term)
		}
		acc = out
	}
	return acc
}

// next returns the elements that follow in the rows' order on those from index from, a
// multiple of the block: in the vector, or else in out.
//
// The order is bit-reversed: the index of the next row is j + 1 with the carry going down
// from the highest bit. If it stays among the bits that a block's indices share, the next
// rows of a block are another block.
func next(out, v fr.Vector, from int) fr.Vector {
	if blocks := len(v) / len(out); from/len(out) < blocks-1 {
		at := nextRow(from/len(out), blocks) * len(out)
		return v[at : at+len(out)]
	}
	for i := range out {
		out[i] = v[nextRow(from+i, len(v))]
	}
	return out
}

// nextRow adds 1 to an index of log2(n) bits read backwards; after the last comes 0.
func nextRow(j, n int) int {
	for bit := n / 2; bit > 0; bit /= 2 {
		if j&bit == 0 {
			return j | bit
		}
		j &^= bit
	}
	return j
}

// Evaluate implements [Device]: each block's inner product with the powers of z, and
// Horner's rule over the blocks.
func (c *CPU) Evaluate(ctx context.Context, z fr.Element, polynomials ...Vector) ([]fr.Element, error) {
	table := powers(z, block)
	var step fr.Element
	step.Mul(&table[block-1], &z)
	values := make([]fr.Element, len(polynomials))
	err := each(ctx, len(polynomials), func(i int) error {
		p, sum := onCPU(polynomials[i]), &values[i]
		for from := (len(p) - 1) / block * block; from >= 0; from -= block {
			part := p[from:min(from+block, len(p))]
			value := part.InnerProduct(table[:len(part)])
			sum.Mul(sum, &step).Add(sum, &value)
		}
		return nil
	})
	return values, err
}

// errLength is returned for vectors whose lengths don't fit together.
var errLength = errors.New("lengths of vectors differ")

// Divide implements [Device]: Horner's rule, q[k−1] = f[k] + z·q[k], in two passes. In
// the first, each worker takes its range's value with nothing carried in; from these
// follows what is carried into each range; in the second it divides.
func (c *CPU) Divide(ctx context.Context, dst, src Vector, z, carry fr.Element) (fr.Element, error) {
	q, f := onCPU(dst), onCPU(src)
	if len(q) != len(f) {
		return fr.Element{}, errLength
	}
	if err := ctx.Err(); err != nil {
		return fr.Element{}, err
	}
	type part struct {
		from, to     int
		value, carry fr.Element
	}
	parts := make([]part, workers())
	ranges(len(f), block, func(w, from, to int) {
		parts[w] = part{from: from, to: to, value: horner(f[from:to], z)}
	})
	for w := len(parts) - 1; w >= 0; w-- {
		p := &parts[w]
		p.carry = carry
		shift := power(z, p.to-p.from)
		carry.Mul(&carry, &shift).Add(&carry, &p.value)
	}
	ranges(len(f), block, func(w, _, _ int) {
		carry := parts[w].carry
		for i := parts[w].to - 1; i >= parts[w].from; i-- {
			coefficient := f[i]
			q[i] = carry
			carry.Mul(&carry, &z).Add(&carry, &coefficient)
		}
	})
	return carry, nil
}

// horner returns Σ f[i]·zⁱ.
func horner(f fr.Vector, z fr.Element) (sum fr.Element) {
	for i := len(f) - 1; i >= 0; i-- {
		sum.Mul(&sum, &z).Add(&sum, &f[i])
	}
	return sum
}
