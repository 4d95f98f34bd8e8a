package gadget

import (
	"fmt"
	"math/big"
)

// MatMul returns the batched product Z [B, M, N] of two computed matrices X [B, M, K]
// and Y [B, K, N]:
//
//	Z[b,m,n] = Σ_k X[b,m,k]·Y[b,k,n].
//
// It is a Linear with hidden weights, in one of two ways: the rows of X are positions
// and Y the weights, or the columns of Y positions and X the weights. The cheaper is
// taken, and proven as Linear says: directly, in lanes, or by Freivalds' check with
// exponents of one challenge that no two results share (see freivalds.go for what is
// committed and the soundness error). Rows of the check, commitments included: at
// most 3·(|X| + |Y| + |Z|).
func (b *Builder) MatMul(batch, m, k, n int, x, y Operand) []Expr {
	rows, err := matMulLayer(batch, m, k, n, x, y, false)
	if err != nil {
		b.fail(err)
		return nil
	}
	columns, err := matMulLayer(batch, n, k, m, y, x, true)
	if err != nil {
		b.fail(err)
		return make([]Expr, batch*m*n)
	}
	if rows.directRows() <= min(rows.leastHintedRows(), columns.leastHintedRows()) {
		defer b.strategy("direct")()
		rows.direct(b)
		b.Defer(Decide, func() error {
			rows.bindDirect(b)
			return nil
		})
		z := make([]Expr, batch*m*n)
		for i := range batch {
			for o := range n {
				for p := range m {
					z[(i*m+p)*n+o] = rows.y[(i*n+o)*m+p]
				}
			}
		}
		return z
	}
	z := b.HintFunc(b.hintName("matmul"), matMulHint(batch, m, k, n), batch*m*n, append(append([]Expr(nil), x.Exprs...), y.Exprs...)...)
	rows.y, rows.place = z, func(_, o, p int) int { return (o/n*m+p)*n + o%n }
	columns.y, columns.place = z, func(_, o, p int) int { return (o/m*m+o%m)*n + p }
	b.Defer(Decide, func() error { return b.decide(rows, columns) })
	return z
}

// matMulLayer views a product as a linear map: X's M rows are positions, its columns
// channels, and the batch groups. If transposed, x and y are the second and first
// factor of a product whose transpose is meant.
func matMulLayer(batch, m, k, n int, x, y Operand, transposed bool) (*layer, error) {
	for _, v := range [...]int{batch, m, k, n} {
		if v < 1 || v > maxExtent {
			return nil, fmt.Errorf("matrix product of [%d, %d, %d] and [%d, %d, %d]", batch, m, k, batch, k, n)
		}
	}
	g := Geometry{
		N: 1, C: batch * k, H: 1, W: m, O: batch * n, KH: 1, KW: 1, Groups: batch,
		Stride: [2]int{1, 1}, Dilation: [2]int{1, 1},
	}
	if err := g.check(); err != nil {
		return nil, err
	}
	if len(x.Exprs) != batch*m*k || len(y.Exprs) != batch*k*n {
		return nil, fmt.Errorf("matrix product of [%d, %d, %d] and [%d, %d, %d] with %d and %d elements", batch, m, k, batch, k, n, len(x.Exprs), len(y.Exprs))
	}
	operand := Operand{Exprs: make([]Expr, batch*k*m), Interval: x.Interval}
	weights := Operand{Exprs: make([]Expr, batch*n*k), Interval: y.Interval}
	for i := range batch {
		for c := range k {
			for p := range m {
				from := (i*m+p)*k + c
				if transposed {
					from = (i*k+c)*m + p
				}
				operand.Exprs[(i*k+c)*m+p] = x.Exprs[from]
			}
			for o := range n {
				from := (i*k+c)*n + o
				if transposed {
					from = (i*n+o)*k + c
				}
				weights.Exprs[(i*n+o)*k+c] = y.Exprs[from]
			}
		}
	}
	return newLayer(g, operand, weights, Operand{})
}

// matMulHint computes the product when the system is solved.
func matMulHint(batch, m, k, n int) func(*big.Int, []*big.Int, []*big.Int) error {
	return func(q *big.Int, in, out []*big.Int) error {
		var scratch big.Int
		values := make([]int64, len(in))
		for i, v := range in {
			values[i] = lowInt64(v, q, &scratch)
		}
		x, y := values[:batch*m*k], values[batch*m*k:]
		row := make([]int64, n)
		for r := range batch * m {
			clear(row)
			for c := range k {
				f := x[r*k+c]
				for j, v := range y[(r/m*k+c)*n:][:n] {
					row[j] += f * v
				}
			}
			for j, v := range row {
				out[r*n+j].SetInt64(v)
			}
		}
		return nil
	}
}
