package gadget

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// matrixProduct is the definition of a batched matrix product.
func matrixProduct(batch, m, k, n int, x, y []int64) []int64 {
	z := make([]int64, batch*m*n)
	for i := range batch {
		for r := range m {
			for c := range n {
				for j := range k {
					z[(i*m+r)*n+c] += x[(i*m+r)*k+j] * y[(i*k+j)*n+c]
				}
			}
		}
	}
	return z
}

// randomOperand adds n secret inputs with values in the interval.
func randomOperand(b *Builder, r *rand.Rand, name string, n int, in Interval) (Operand, []int64) {
	o, values := Operand{Interval: in}, make([]int64, n)
	for i := range values {
		o.Exprs = append(o.Exprs, b.Secret(fmt.Sprint(name, i)))
		values[i] = in.Lo + r.Int64N(in.Hi-in.Lo+1)
	}
	return o, values
}

func TestMatMul(t *testing.T) {
	for _, c := range []struct {
		batch, m, k, n int
		proven         bool
		strategy       string
	}{
		{1, 1, 1, 1, true, "direct"},
		{2, 2, 3, 2, false, "direct"},
		{1, 1, 40, 30, true, "packed"},
		{3, 40, 8, 10, true, "Freivalds with lanes"},
		{3, 40, 8, 10, false, "Freivalds"},
		{1, 10, 8, 30, false, "Freivalds"},
		{1, 30, 8, 10, false, "Freivalds"},
		{2, 16, 14, 40, true, "Freivalds with lanes"},
		{2, 40, 14, 16, true, "Freivalds with lanes"},
	} {
		t.Run(fmt.Sprintf("%dx%dx%dx%d %v", c.batch, c.m, c.k, c.n, c.proven), func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 8))
			b, dry := New(1024), NewDry()
			var secret []fr.Element
			var z []Expr
			var want []int64
			for _, b := range []*Builder{dry, b} {
				var out []Expr
				for i := range c.batch * c.m * c.n {
					out = append(out, b.Public(fmt.Sprint(i)))
				}
				x, xs := randomOperand(b, r, "x", c.batch*c.m*c.k, Interval{-7, 8})
				y, ys := randomOperand(b, r, "y", c.batch*c.k*c.n, Interval{-100, 27})
				b.At("test", "matmul")
				z = b.MatMul(c.batch, c.m, c.k, c.n, x, y)
				for i, e := range z {
					if c.proven && e.Coeff.IsOne() {
						b.Prove(e.Wire, Proven{Interval{-1 << 16, 1 << 16}, 0})
					}
					b.At("outside", "")
					b.AssertEqual(e, out[i])
				}
				secret = elements(append(xs, ys...))
				want = matrixProduct(c.batch, c.m, c.k, c.n, xs, ys)
				if err := b.Finish(); err != nil {
					t.Fatal(err)
				}
			}
			regions, by := b.RowsBy()
			for _, region := range regions {
				if region.Node == "test" && region.Gadget != "linear, "+c.strategy {
					t.Errorf("%d rows of %q, want %q", by[region], region.Gadget, c.strategy)
				}
			}
			if dry.Rows() != b.Rows() {
				t.Errorf("dry run: %d rows, want %d", dry.Rows(), b.Rows())
			}
			rows, size := linearRows(b), c.batch*(c.m*c.k+c.k*c.n+c.m*c.n)
			if strings.HasPrefix(c.strategy, "Freivalds") && rows > 3*size {
				t.Errorf("%d rows for %d elements", rows, size)
			}
			if err := solve(t, b, elements(want), secret); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestMatMulRejects lies in one result of a product, in each strategy.
func TestMatMulRejects(t *testing.T) {
	for _, proven := range []bool{false, true} {
		for _, size := range [][4]int{{2, 6, 5, 7}, {1, 1, 20, 20}, {2, 9, 5, 3}} {
			r := rand.New(rand.NewPCG(9, 8))
			batch, m, k, n := size[0], size[1], size[2], size[3]
			b := New(1024)
			x, xs := randomOperand(b, r, "x", batch*m*k, Interval{-7, 8})
			y, ys := randomOperand(b, r, "y", batch*k*n, Interval{-100, 27})
			name := b.hintName("matmul")
			z := b.MatMul(batch, m, k, n, x, y)
			if proven {
				for _, e := range z {
					b.Prove(e.Wire, Proven{Interval{-1 << 16, 1 << 16}, 2})
				}
			}
			if err := b.Finish(); err != nil {
				t.Fatal(err)
			}
			secret := elements(append(append([]int64(nil), xs...), ys...))
			if err := solve(t, b, nil, secret); err != nil {
				t.Fatal(err)
			}
			for i := range z {
				lie := elements(matrixProduct(batch, m, k, n, xs, ys))
				lie[i].Add(&lie[i], &one)
				if solve(t, b, nil, secret, forgedAs(name, lie)) == nil {
					t.Errorf("%v: result %d changed by 1 is accepted", size, i)
				}
			}
		}
	}
}

// TestMatMulBudget counts a large product, nothing bound and nothing proven.
func TestMatMulBudget(t *testing.T) {
	for _, size := range [][4]int{{1, 64, 64, 64}, {4, 32, 16, 128}, {4, 128, 16, 32}} {
		b := NewDry()
		batch, m, k, n := size[0], size[1], size[2], size[3]
		r := rand.New(rand.NewPCG(9, 9))
		x, _ := randomOperand(b, r, "x", batch*m*k, Interval{-128, 127})
		y, _ := randomOperand(b, r, "y", batch*k*n, Interval{-128, 127})
		b.MatMul(batch, m, k, n, x, y)
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		if budget := 3 * batch * (m*k + k*n + m*n); b.Rows() > budget {
			t.Errorf("%v: %d rows, budget %d", size, b.Rows(), budget)
		}
	}
}
