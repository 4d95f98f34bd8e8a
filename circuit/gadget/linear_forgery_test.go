package gadget

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// sampleProblem is a convolution with several lanes, groups of taps and borders.
func sampleProblem(seed uint64) *problem {
	p := &problem{g: padded(plain(2, 2, 4, 3, 3, 2), 1)}
	p.g.Stride = [2]int{2, 1}
	p.random(rand.New(rand.NewPCG(seed, 8)))
	return p
}

// TestPairsOfResultsAreRejected changes any two results by opposite amounts: what
// Freivalds' check would miss if two results shared an exponent.
func TestPairsOfResultsAreRejected(t *testing.T) {
	p := sampleProblem(1)
	want := elements(naive(p.g, p.x, p.weights, p.bias))
	for _, name := range strategies {
		b := New(1024)
		p.hinted(b, name, false)
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		if err := solve(t, b, nil, p.secret(), forged(want)); err != nil {
			t.Fatal(err)
		}
		for i := range want {
			for j := range i {
				lie := append([]fr.Element(nil), want...)
				lie[i].Add(&lie[i], &one)
				lie[j].Sub(&lie[j], &one)
				if solve(t, b, nil, p.secret(), forged(lie)) == nil {
					t.Errorf("%s: results %d and %d changed by 1 and −1 are accepted", name, i, j)
				}
			}
		}
	}
}

// TestPowersOfOneChallenge shows the forgery that MatMul's exponents prevent: with
// r_i = c^i and s_j = c^j the product with Z[0,1] + δ and Z[1,0] − δ passes.
func TestPowersOfOneChallenge(t *testing.T) {
	x, y := []int64{1, 2, 3, 4}, []int64{5, 6, 7, 8}
	forgery := []int64{19, 22 + 9, 43 - 9, 50}
	secret := elements(append(append([]int64(nil), x...), y...))
	operands := func(b *Builder) (e [2]Operand) {
		for i := range e {
			e[i].Interval = Interval{0, 15}
			for j := range 4 {
				e[i].Exprs = append(e[i].Exprs, b.Secret(strconv.Itoa(4*i+j)))
			}
		}
		return
	}
	weak := func(b *Builder) {
		e := operands(b)
		z := b.HintFunc("forgeable", matMulHint(1, 2, 2, 2), 4, append(append([]Expr(nil), e[0].Exprs...), e[1].Exprs...)...)
		for _, w := range [][]Expr{e[0].Exprs, e[1].Exprs, z} {
			for _, w := range w {
				b.Commit(w)
			}
		}
		b.Defer(Check, func() error {
			var left, right Expr
			for i := range 2 {
				for j := range 2 {
					power := b.power(i + j)
					left = b.MulAdd(power, z[2*i+j], left)
					for k := range 2 {
						right = b.MulAdd(b.Mul(power, e[0].Exprs[2*i+k]), e[1].Exprs[2*k+j], right)
					}
				}
			}
			b.AssertEqual(left, right)
			return nil
		})
	}
	strong := func(b *Builder) {
		e := operands(b)
		l, err := matMulLayer(1, 2, 2, 2, e[0], e[1], false)
		if err != nil {
			t.Fatal(err)
		}
		l.y = b.HintFunc("forgeable", matMulHint(1, 2, 2, 2), 4, append(append([]Expr(nil), e[0].Exprs...), e[1].Exprs...)...)
		l.place = func(_, o, p int) int { return p*2 + o }
		b.Defer(Decide, func() error {
			l.bindRandom(b)
			return nil
		})
	}
	for name, c := range map[string]struct {
		build    func(*Builder)
		accepted bool
	}{"powers of one challenge": {weak, true}, "injective exponents": {strong, false}} {
		b := New(256)
		c.build(b)
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		if err := solve(t, b, nil, secret); err != nil {
			t.Errorf("%s: honest witness: %v", name, err)
		}
		if err := solve(t, b, nil, secret, forged(elements(forgery))); (err == nil) != c.accepted {
			t.Errorf("%s: the forgery gives %v", name, err)
		}
	}
}

// TestCarriesAreRejected moves a carry between neighbouring lanes: the sum stays, so
// that only the results' ranges can tell. Without their rows it is accepted.
func TestCarriesAreRejected(t *testing.T) {
	p := &problem{g: plain(2, 5, 1, 1, 4, 1)}
	p.random(rand.New(rand.NewPCG(2, 8)))
	want := elements(naive(p.g, p.x, p.weights, p.bias))
	for _, name := range []string{"packed", "Freivalds with lanes"} {
		for _, ranged := range []bool{false, true} {
			b := New(1024, 4)
			l, _ := p.hinted(b, name, ranged)
			var c check
			if !l.fit(b, l.survey(b), &c) || c.rows > 0 {
				t.Fatal("results are not proven")
			}
			blocks := c.blocks
			if err := b.Finish(); err != nil {
				t.Fatal(err)
			}
			if err := solve(t, b, nil, p.secret(), forged(want)); err != nil {
				t.Fatal(err)
			}
			for j := range p.g.O - 1 {
				lie := append([]fr.Element(nil), want...)
				carry := blocks[0].factors[j+1]
				carry.Div(&carry, &blocks[0].factors[j])
				lie[j].Add(&lie[j], &carry)
				lie[j+1].Sub(&lie[j+1], &one)
				err := solve(t, b, nil, p.secret(), forged(lie))
				if (err == nil) == ranged {
					t.Errorf("%s, ranged %v: carry from lane %d: %v", name, ranged, j, err)
				}
			}
		}
	}
}

// TestFractionsAreRejected changes results by the least fraction that their ranges
// leave open. Alone it is rejected; what balances it in the lane below, so that the sum
// stays, is out of that result's range, of which the rows are left out here.
func TestFractionsAreRejected(t *testing.T) {
	p := &problem{g: plain(2, 5, 1, 1, 4, 1)}
	p.random(rand.New(rand.NewPCG(6, 8)))
	want := elements(naive(p.g, p.x, p.weights, p.bias))
	for _, name := range []string{"packed", "Freivalds with lanes"} {
		b := New(1024)
		l, _ := p.hinted(b, name, false)
		lanes := make([]lane, p.g.O)
		for o := range lanes {
			l.eachResult(o, func(y Expr) { lanes[o].fit(b.knowledge(y).Proven, l.reach[o]) })
		}
		if err := b.Finish(); err != nil {
			t.Fatal(err)
		}
		for j := range p.g.O - 1 {
			if lanes[j+1].fraction == 0 {
				t.Fatal("a lane without a fraction")
			}
			fraction := Pow2(lanes[j+1].fraction)
			fraction.Inverse(&fraction)
			lie := append([]fr.Element(nil), want...)
			lie[j+1].Add(&lie[j+1], &fraction)
			if solve(t, b, nil, p.secret(), forged(lie)) == nil {
				t.Errorf("%s: a fraction of result %d is accepted", name, j+1)
			}
			factors := l.pack(lanes)[0].factors
			balance := factors[j+1]
			balance.Div(&balance, &factors[j]).Mul(&balance, &fraction)
			lie[j].Sub(&lie[j], &balance)
			if err := solve(t, b, nil, p.secret(), forged(lie)); err != nil {
				t.Errorf("%s: the control: %v", name, err)
			}
			proven := b.knowledge(l.y[j]).Proven
			lie[j].Neg(&lie[j])
			if v := lie[j].Uint64(); !lie[j].IsUint64() || -int64(v) >= proven.Lo {
				t.Errorf("%s: a fraction of result %d is balanced by −%d, in %v", name, j+1, v, proven)
			}
		}
	}
}

// TestLanesAreInjective tries all digit vectors of small lanes, fractions included:
// none but zero has the sum zero.
func TestLanesAreInjective(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 8))
	for range 40 {
		lanes := make([]lane, 2+r.IntN(2))
		most := make([]int64, len(lanes)) // of |2^Frac·(y − t)|
		total := 1
		for j := range lanes {
			proven := Proven{Interval{-r.Int64N(3), r.Int64N(3)}, r.IntN(3)}
			target := Interval{-r.Int64N(3), r.Int64N(3)}
			lanes[j].fit(proven, target)
			most[j] = (max(proven.Hi-target.Lo, target.Hi-proven.Lo)+1)<<proven.Frac - 1
			total *= int(2*most[j] + 1)
		}
		blocks := stackLanes(lanes, []int{0, 1, 2}[:len(lanes)])
		if len(blocks) != 1 {
			t.Fatalf("%v in %d blocks", lanes, len(blocks))
		}
		for digits := range total {
			var sum fr.Element
			zero := true
			rest := int64(digits)
			for j := range lanes {
				d := rest%(2*most[j]+1) - most[j]
				rest /= 2*most[j] + 1
				zero = zero && d == 0
				unit := Pow2(lanes[j].fraction)
				unit.Inverse(&unit)
				v := Int(d)
				v.Mul(&v, &unit).Mul(&v, &blocks[0].factors[j])
				sum.Add(&sum, &v)
			}
			if sum.IsZero() != zero {
				t.Fatalf("lanes %v: digits %d of %v: sum %s", lanes, digits, most, sum.String())
			}
		}
	}
}

// TestLanesFill checks full sums: the product of the radices reaches the field's size,
// and not one more.
func TestLanesFill(t *testing.T) {
	top := new(big.Int).Rsh(fr.Modulus(), 192).Uint64() // p has 62 bits above the three lanes' 192
	const all = 1<<64 - 1
	for _, c := range []struct {
		name  string
		lanes []lane
		want  [][]int // outputs of each block
	}{
		{"full", []lane{{0, all}, {0, all}, {0, all}, {0, top - 1}}, [][]int{{0, 1, 2, 3}}},
		{"one more than full", []lane{{0, all}, {0, all}, {0, all}, {0, top}}, [][]int{{0, 1, 2}, {3}}},
		{"a radix of one", []lane{{0, all}, {0, all}, {0, all}, {0, top - 1}, {0, 0}}, [][]int{{0, 1, 2, 3, 4}}},
		{"fractions", []lane{{5, 1<<62 - 1}, {186, 0}, {0, 0}, {1, 0}}, [][]int{{0, 1, 2}, {3}}},
		{"too wide", []lane{{190, all}}, nil},
		{"narrow ones first", []lane{{120, 0}, {10, 0}, {130, 0}, {120, 0}, {110, 0}}, [][]int{{1, 4, 0}, {3, 2}}},
		{"in order", []lane{{130, 0}, {120, 0}, {110, 0}}, [][]int{{0, 1}, {2}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &layer{g: Geometry{Groups: 1}}
			blocks := l.pack(c.lanes)
			if len(blocks) != len(c.want) {
				t.Fatalf("%d blocks, want %d", len(blocks), len(c.want))
			}
			for i, k := range blocks {
				if !slices.Equal(k.outputs, c.want[i]) {
					t.Errorf("block %d of %v, want %v", i, k.outputs, c.want[i])
				}
				product := big.NewInt(1)
				for m, o := range k.outputs {
					want := new(fr.Element).SetBigInt(new(big.Int).Lsh(product, uint(c.lanes[o].fraction)))
					if !k.factors[m].Equal(want) {
						t.Errorf("block %d: factor %d is %s, want %s", i, m, k.factors[m].String(), want.String())
					}
					product.Mul(product, c.lanes[o].radix())
				}
				if product.Cmp(fr.Modulus()) > 0 {
					t.Errorf("block %d: the radices' product is above p", i)
				}
			}
		})
	}
	grouped := &layer{g: Geometry{Groups: 5}}
	if n := len(grouped.pack([]lane{{120, 0}, {10, 0}, {130, 0}, {120, 0}, {110, 0}})); n != 3 {
		t.Errorf("the outputs of five groups are in %d sums", n)
	}
}

// TestChallengedWiresAreBound holds every row written after the challenge was drawn to
// the rule that it reads only wires that were fixed before it, or come after it.
func TestChallengedWiresAreBound(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 8))
	for range 60 {
		p := problem{g: randomGeometry(r)}
		p.random(r)
		p.hiddenWeights = r.IntN(2) == 0
		p.hiddenBias = p.bias != nil && r.IntN(2) == 0
		for _, name := range []string{"Freivalds", "Freivalds with lanes"} {
			b := New(1024)
			if l, _ := p.hinted(b, name, false); l == nil {
				continue
			}
			if err := b.Finish(); err != nil {
				t.Fatal(err)
			}
			if w, ok := unbound(b); ok {
				t.Errorf("%+v, %s: wire %d is read after the challenge and not bound", p.g, name, w)
			}
		}
	}
}

// unbound returns a wire that isn't bound, is older than the challenge and is read
// by a row after it.
func unbound(b *Builder) (Wire, bool) {
	rows := b.System().GetSparseR1CIterator()
	after := false
	var zero fr.Element
	for row := rows.Next(); row != nil; row = rows.Next() {
		if after {
			used := [...]struct {
				wire uint32
				by   []uint32
			}{{row.XA, []uint32{row.QL, row.QM}}, {row.XB, []uint32{row.QR, row.QM}}, {row.XC, []uint32{row.QO}}}
			for _, u := range used {
				for _, c := range u.by {
					if fr.Element(b.System().Coefficients[c]) != zero && Wire(u.wire) < b.challenge.Wire && !b.Bound(Wire(u.wire)) {
						return Wire(u.wire), true
					}
				}
			}
		}
		after = after || Wire(row.XA) == b.challenge.Wire
	}
	return 0, false
}

// TestUnboundWireIsFound is the control of TestChallengedWiresAreBound.
func TestUnboundWireIsFound(t *testing.T) {
	b := New(16)
	x, y := b.Secret("x"), b.Secret("y")
	b.Commit(x)
	b.Defer(Check, func() error {
		b.Mul(b.Challenge(""), y)
		return nil
	})
	if err := b.Finish(); err != nil {
		t.Fatal(err)
	}
	if w, ok := unbound(b); !ok || w != y.Wire {
		t.Errorf("found wire %d, %v", w, ok)
	}
}

// TestHintsOfAnyInputs runs the hints on inputs that no honest prover has.
func TestHintsOfAnyInputs(t *testing.T) {
	p := sampleProblem(5)
	b := New(64)
	x, weights, bias := p.operands(b)
	l, err := newLayer(p.g, x, weights, bias)
	if err != nil {
		t.Fatal(err)
	}
	q := fr.Modulus()
	half := new(big.Int).Rsh(q, 1)
	last := new(big.Int).Sub(q, big.NewInt(1))
	for _, v := range []*big.Int{half, last, new(big.Int).Lsh(big.NewInt(1), 63), big.NewInt(0)} {
		in := make([]*big.Int, len(p.x))
		for i := range in {
			in[i] = v
		}
		out := make([]*big.Int, l.results())
		for i := range out {
			out[i] = new(big.Int)
		}
		if err := l.hint()(q, in, out); err != nil {
			t.Error(err)
		}
	}
	if v := lowInt64(last, q, new(big.Int)); v != -1 {
		t.Errorf("p − 1 is read as %d", v)
	}
}
