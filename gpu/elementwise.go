//go:build icicle

package gpu

import (
	"context"
	"errors"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ingonyama-zk/icicle/v2/wrappers/golang/core"
	"github.com/ingonyama-zk/icicle/v2/wrappers/golang/curves/bn254/vecOps"

	"github.com/zkml-go/zkml/prover/plonk"
)

// fewest is how many elements the CPU fills in, or adds up, before the card takes over.
const fewest = 256

// apply sets out to a op b, element by element; out may be a or b.
func apply(op core.VecOps, a, b, out core.DeviceSlice) {
	must(vecOps.VecOp(a, b, out, core.DefaultVecOpsConfig(), op), "element-wise operation")
}

// fill sets all elements to x: some from here, then as many again, until it is full.
func fill(dst core.DeviceSlice, x fr.Element) {
	n := dst.Len()
	first := make([]fr.Element, min(fewest, n))
	for i := range first {
		first[i] = x
	}
	write(dst, first)
	for k := len(first); k < n; k *= 2 {
		move(part(dst, k, min(2*k, n)), part(dst, 0, min(k, n-k)))
	}
}

// powers sets dst to 1, x, x², …: some from here, then those times x^k behind k of them.
func (c *Card) powers(dst core.DeviceSlice, x fr.Element) {
	n := dst.Len()
	first := make([]fr.Element, min(fewest, n))
	first[0].SetOne()
	for i := 1; i < len(first); i++ {
		first[i].Mul(&first[i-1], &x)
	}
	write(dst, first)
	if len(first) == n {
		return
	}
	var step fr.Element
	step.Mul(&first[len(first)-1], &x)
	for k := len(first); k < n; k *= 2 {
		next := part(dst, k, min(2*k, n))
		fill(next, step)
		apply(core.Mul, next, part(dst, 0, next.Len()), next)
		step.Square(&step)
	}
}

// Map implements [plonk.Device]: operation by operation, over whole vectors. Only the last
// one writes to dst, which may be among the formula's vectors.
func (c *Card) Map(ctx context.Context, dst plonk.Vector, f plonk.Formula) error {
	out := dst.(vector)
	if out.n == 0 {
		return nil
	}
	return c.do(ctx, func() {
		s := scratch{card: c, n: out.n}
		thrown := attempt(func() {
			m, _ := s.value(&f)
			if m.AsUnsafePointer() != out.memory.AsUnsafePointer() {
				move(out.memory, m)
			}
		})
		for _, err := range append([]error{thrown}, s.giveBack()...) {
			if err != nil {
				panic(failure{err})
			}
		}
	})
}

// scratch is the memory that one formula's values are computed in.
type scratch struct {
	card *Card
	n    int
	all  []core.DeviceSlice // taken from the card
	idle []core.DeviceSlice // of these, what no value is in
}

func (s *scratch) take() core.DeviceSlice {
	if last := len(s.idle) - 1; last >= 0 {
		m := s.idle[last]
		s.idle = s.idle[:last]
		return m
	}
	m := s.card.take(s.n)
	s.all = append(s.all, m)
	return m
}

// done says that a value isn't needed any more.
func (s *scratch) done(m core.DeviceSlice, own bool) {
	if own {
		s.idle = append(s.idle, m)
	}
}

func (s *scratch) giveBack() (errs []error) {
	for _, m := range s.all {
		errs = append(errs, s.card.giveBack(m))
	}
	return errs
}

// value returns the formula's values: in a vector of the formula, or in memory of its own.
func (s *scratch) value(f *plonk.Formula) (m core.DeviceSlice, own bool) {
	n := s.n
	switch f.Op {
	case plonk.Leaf, plonk.NextLeaf:
		v := f.Vector.(vector)
		if v.n != n {
			panic(failure{errLength})
		}
		if f.Op == plonk.Leaf {
			return v.memory, false
		}
		// Values on a coset are in the order of the rows here.
		m = s.take()
		if n > 1 {
			move(part(m, 0, n-1), part(v.memory, 1, n))
		}
		move(part(m, n-1, n), part(v.memory, 0, 1))
		return m, true
	case plonk.ScaleOp, plonk.PlusOp:
		op := core.Mul
		if f.Op == plonk.PlusOp {
			op = core.Add
		}
		a, own := s.value(&f.Terms[0])
		m = s.take()
		fill(m, f.Scalar)
		apply(op, a, m, m)
		s.done(a, own)
		return m, true
	}
	op := map[plonk.Op]core.VecOps{plonk.SumOp: core.Add, plonk.ProductOp: core.Mul, plonk.DifferenceOp: core.Sub}[f.Op]
	m, own = s.value(&f.Terms[0])
	for i := 1; i < len(f.Terms); i++ {
		b, other := s.value(&f.Terms[i])
		out := m
		switch {
		case own:
		case other:
			out, other = b, false
		default:
			out = s.take()
		}
		apply(op, m, b, out)
		s.done(b, other)
		m, own = out, true
	}
	return m, own
}

// errLength is returned for vectors whose lengths don't fit together.
var errLength = errors.New("lengths of vectors differ")
