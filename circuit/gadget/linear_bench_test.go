package gadget

import (
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend/witness"
)

// lenet are the linear layers of LeNet-5.
var lenet = []Geometry{
	padded(plain(1, 1, 28, 28, 6, 5), 2),
	plain(1, 6, 14, 14, 16, 5),
	plain(1, 400, 1, 1, 120, 1),
	plain(1, 120, 1, 1, 84, 1),
	plain(1, 84, 1, 1, 10, 1),
}

// BenchmarkLinearHints computes the results of LeNet-5's linear layers.
func BenchmarkLinearHints(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	type values struct {
		v, h       axis
		y, x, w, o []int64
	}
	var layers []values
	for _, g := range lenet {
		p := problem{g: g}
		p.random(r)
		l := values{x: p.x, w: p.weights, o: p.bias}
		l.v, l.h = g.axes()
		l.y = make([]int64, g.O*l.v.count*l.h.count)
		layers = append(layers, l)
	}
	for b.Loop() {
		for i, l := range layers {
			lenet[i].apply(&l.v, &l.h, l.y, l.x, l.w, l.o)
		}
	}
}

// BenchmarkLinearSolve solves a circuit of about 2^17 rows of linear layers.
func BenchmarkLinearSolve(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	builder := New(1 << 17)
	var problems []*problem
	var operands []Operand
	var secret []int64
	for range 7 {
		for _, g := range lenet {
			p := &problem{g: g}
			p.random(r)
			x, _, _ := p.operands(builder)
			problems, operands, secret = append(problems, p), append(operands, x), append(secret, p.x...)
		}
	}
	for i, p := range problems {
		for _, y := range builder.Linear(p.g, operands[i], Operand{Fixed: p.weights}, Operand{Fixed: p.bias}) {
			builder.Prove(y.Wire, Proven{Interval{-1 << 21, 1 << 21}, 1})
		}
	}
	if err := builder.Finish(); err != nil {
		b.Fatal(err)
	}
	w, err := witness.New(ecc.BN254.ScalarField())
	if err != nil {
		b.Fatal(err)
	}
	values := make(chan any, len(secret))
	for _, v := range elements(secret) {
		values <- v
	}
	close(values)
	if err := w.Fill(0, len(secret), values); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := builder.System().IsSolved(w, builder.SolverOptions()...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(builder.Rows()), "rows")
}
