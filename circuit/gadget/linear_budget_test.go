package gadget

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func plain(n, c, h, w, o, k int) Geometry {
	return Geometry{N: n, C: c, H: h, W: w, O: o, KH: k, KW: k, Groups: 1, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
}

func padded(g Geometry, p int) Geometry {
	g.Pad = [4]int{p, p, p, p}
	return g
}

// TestLinearBudgets counts the rows that the cheapest plan takes where the operand is
// bound and the results are proven, as between two quantized layers.
func TestLinearBudgets(t *testing.T) {
	depthwise := padded(plain(1, 64, 32, 32, 64, 3), 1)
	depthwise.Groups = 64
	for _, c := range []struct {
		name   string
		g      Geometry
		budget func(x, y, w, macs int) int
	}{
		{"784 to 128", plain(1, 784, 1, 1, 128, 1), func(x, y, w, macs int) int { return min(12500, macs*12/100+y) }},
		{"first convolution of LeNet-5", padded(plain(1, 1, 28, 28, 6, 5), 2), func(x, y, w, macs int) int { return 8500 }},
		{"second convolution of LeNet-5", plain(1, 6, 14, 14, 16, 5), func(x, y, w, macs int) int { return 5400 }},
		{"64 channels of 32 x 32", padded(plain(1, 64, 32, 32, 64, 3), 1), func(x, y, w, macs int) int { return 2*x + 2*y + w }},
		{"depthwise", depthwise, func(x, y, w, macs int) int { return 2*x + 2*y + w }},
		{"pointwise", plain(1, 64, 32, 32, 128, 1), func(x, y, w, macs int) int { return 2*x + 2*y + w }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 6))
			b := NewDry()
			v, h := c.g.axes()
			x := make([]Expr, c.g.N*c.g.C*c.g.H*c.g.W)
			for i := range x {
				x[i] = b.Secret(fmt.Sprint(i))
				b.Commit(x[i])
			}
			weights := make([]int64, c.g.O*c.g.C/c.g.Groups*c.g.KH*c.g.KW)
			for i := range weights {
				for weights[i] == 0 {
					weights[i] = int64(max(-127, min(127, r.NormFloat64()*40)))
				}
			}
			b.At("test", "linear")
			y := b.Linear(c.g, Operand{Exprs: x, Interval: Interval{0, 255}}, Operand{Fixed: weights}, Operand{Fixed: make([]int64, c.g.O)})
			for _, y := range y {
				b.Prove(y.Wire, Proven{Interval{-1 << 22, 1<<22 - 1}, 1})
			}
			if err := b.Finish(); err != nil {
				t.Fatal(err)
			}
			rows := 0
			regions, by := b.RowsBy()
			for _, r := range regions {
				if r.Node == "test" {
					t.Logf("%s: %d rows", r.Gadget, by[r])
					rows += by[r]
				}
			}
			if budget := c.budget(len(x), len(y), len(weights), len(weights)/c.g.O*c.g.O*v.count*h.count); rows > budget {
				t.Errorf("%d rows, budget %d", rows, budget)
			}
		})
	}
}
