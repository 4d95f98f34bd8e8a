package gadget

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// hintBatch is how many rows of inputs one hint call takes: enough to make a call's
// overhead small, few enough that the solver spreads a tensor over its cores.
const hintBatch = 256

// integers adds n hinted wires for each row of inputs. f computes a row's outputs
// from its inputs as signed integers; a witness with an input beyond int64, which
// no honest prover has, gets zeros.
func (b *Builder) integers(name string, in [][]Expr, n int, f func(in, out []int64)) [][]Expr {
	result := make([][]Expr, len(in))
	for start := 0; start < len(in); start += hintBatch {
		chunk := in[start:min(start+hintBatch, len(in))]
		var flat []Expr
		lengths := make([]int, len(chunk))
		for i, row := range chunk {
			lengths[i] = len(row)
			flat = append(flat, row...)
		}
		b.hints++
		wires := b.HintFunc(fmt.Sprintf("%s#%d", name, b.hints), integerHint(lengths, n, f), n*len(chunk), flat...)
		for i := range chunk {
			result[start+i] = wires[i*n : (i+1)*n : (i+1)*n]
		}
	}
	return result
}

// each is integers for one input a row.
func (b *Builder) each(name string, xs []Expr, n int, f func(x int64, out []int64)) [][]Expr {
	rows := make([][]Expr, len(xs))
	for i := range xs {
		rows[i] = xs[i : i+1 : i+1]
	}
	return b.integers(name, rows, n, func(in, out []int64) { f(in[0], out) })
}

func integerHint(lengths []int, n int, f func(in, out []int64)) func(*big.Int, []*big.Int, []*big.Int) error {
	return func(field *big.Int, inputs, outputs []*big.Int) error {
		var negative big.Int
		in, out := make([]int64, 0, 16), make([]int64, n)
		at := 0
		for i, length := range lengths {
			in = in[:0]
			for _, v := range inputs[at : at+length] {
				if !v.IsInt64() {
					v = negative.Sub(v, field)
				}
				if v.IsInt64() {
					in = append(in, v.Int64())
				}
			}
			at += length
			clear(out)
			if len(in) == length {
				f(in, out)
			}
			for k, v := range out {
				outputs[i*n+k].SetInt64(v)
			}
		}
		return nil
	}
}

// integer returns the value of a constant Expr as a signed integer, if it is one.
func (x Expr) integer() (int64, bool) {
	if !x.IsConst() {
		return 0, false
	}
	return signed(x.Const)
}

// signed returns e as a signed integer, if it is one of int64.
func signed(e fr.Element) (int64, bool) {
	if e.IsUint64() {
		return int64(e.Uint64()), e.Uint64() < 1<<63
	}
	e.Neg(&e)
	return -int64(e.Uint64()), e.IsUint64() && e.Uint64() < 1<<63
}

// prove records that x, times 2^frac, is an integer and x lies in [lo, hi], as a
// statement on its wire; for a coefficient other than 1 and -1 it records nothing.
func (b *Builder) prove(x Expr, lo, hi int64, frac int) {
	c, ok := signed(x.Const)
	if !ok || x.IsConst() || c > maxProven || c < -maxProven {
		return
	}
	switch {
	case x.Coeff.IsOne():
		b.Prove(x.Wire, Proven{Interval{lo - c, hi - c}, frac})
	case x.Coeff.Equal(&minusOne):
		b.Prove(x.Wire, Proven{Interval{c - hi, c - lo}, frac})
	}
}

// maxProven bounds the ends of intervals that are worth recording.
const maxProven = 1 << 61

// bind records that x's wire is a function of bound wires.
func (b *Builder) bind(x Expr) {
	if !x.IsConst() {
		b.Bind(x.Wire)
	}
}
