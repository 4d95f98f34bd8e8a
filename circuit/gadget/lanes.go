package gadget

import (
	"math/big"
	"math/bits"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Lanes: several integers in one field element.
//
// Let y_1 … y_n be wires whose values must be the integers t_1 … t_n. The one
// equation
//
//	Σ_j F_j·y_j = Σ_j F_j·t_j   (mod p)
//
// proves all of y_j = t_j, if the factors F_j are far enough apart. For each j let it be proven
// that 2^(f_j)·y_j is an integer and P_j − 1 < y_j < Q_j + 1, see Proven, and let t_j
// be an integer in [T_j, U_j]. Then D_j = 2^(f_j)·(y_j − t_j) is an integer with
//
//	|D_j| < R_j = 2^(f_j)·(M_j + 1),  M_j = max(Q_j − T_j, U_j − P_j, 0).
//
// Lanes are digits of a mixed radix: lane j takes the factor R_j, and with S_j the
// product of those of the lanes below it, F_j = S_j·2^(f_j). The equation
// says that Σ_j S_j·D_j = 0 (mod p). The sum's magnitude is at most
// Σ_j S_j·(R_j − 1) = Π_j R_j − 1, so with Π_j R_j <= p it is below p, and the sum is 0
// as an integer. Were some D_j not 0, take the first: S_(j+1) = S_j·R_j divides
// S_j·D_j, and |D_j| < R_j is too small for that. So every D_j is 0.
//
// The argument needs the *proven* interval of y_j. With the expected one, y_j + R_j
// and y_(j+1) − 1 would give the same sum.

// block is a set of output channels that share one sum.
type block struct {
	outputs []int
	factors []fr.Element // of each output's lane
}

// singles gives each output a sum of its own. That is an equation for y itself: it
// needs no range.
func singles(outputs int) []block {
	blocks := make([]block, outputs)
	for o := range blocks {
		blocks[o] = block{[]int{o}, []fr.Element{one}}
	}
	return blocks
}

// lane is what one output needs of a sum: the bits f of its fraction, and M.
type lane struct {
	fraction int
	most     uint64
}

// width is the least number of bits that hold every value below the radix.
func (l lane) width() int { return l.fraction + bits.Len64(l.most) }

// radix is 2^f·(M + 1).
func (l lane) radix() *big.Int {
	r := new(big.Int).SetUint64(l.most)
	r.Add(r, big.NewInt(1))
	return r.Lsh(r, uint(l.fraction))
}

// fit widens the lane for a value proven to lie as p says where it must be an
// integer in t.
func (l *lane) fit(p Proven, t Interval) {
	l.most = max(l.most, spread(p.Hi, t.Lo), spread(t.Hi, p.Lo))
	l.fraction = max(l.fraction, p.Frac)
}

// spread is hi − lo, or 0 if that is negative.
func spread(hi, lo int64) uint64 {
	if hi < lo {
		return 0
	}
	return uint64(hi) - uint64(lo)
}

// pack puts the lanes of the output channels into sums, in order, or the narrowest
// first if that takes fewer sums. The outputs of several groups keep their order, as
// those of one group share what they read. It returns nil if a lane is wider than a sum.
func (l *layer) pack(lanes []lane) []block {
	outputs := make([]int, len(lanes))
	for o := range outputs {
		outputs[o] = o
	}
	blocks := stackLanes(lanes, outputs)
	if l.g.Groups > 1 || len(blocks) < 2 {
		return blocks
	}
	radices := make([]*big.Int, len(lanes))
	for o := range lanes {
		radices[o] = lanes[o].radix()
	}
	slices.SortStableFunc(outputs, func(a, b int) int { return radices[a].Cmp(radices[b]) })
	if sorted := stackLanes(lanes, outputs); len(sorted) < len(blocks) {
		return sorted
	}
	return blocks
}

// stackLanes fills sums with the lanes of outputs, one after the other.
func stackLanes(lanes []lane, outputs []int) []block {
	var blocks []block
	var used *big.Int // the product of the radices in the last sum
	for _, o := range outputs {
		radix := lanes[o].radix()
		product := new(big.Int).Set(radix)
		if used != nil {
			product.Mul(product, used)
		}
		if used == nil || product.Cmp(fr.Modulus()) > 0 {
			if radix.Cmp(fr.Modulus()) > 0 {
				return nil
			}
			blocks = append(blocks, block{})
			used, product = big.NewInt(1), radix
		}
		var factor fr.Element
		factor.SetBigInt(used.Lsh(used, uint(lanes[o].fraction)))
		last := &blocks[len(blocks)-1]
		last.outputs = append(last.outputs, o)
		last.factors = append(last.factors, factor)
		used = product
	}
	return blocks
}

// tap is a term of a packed row: an element of the kernel at a channel of the operand,
// and the weights of the block's outputs there, packed.
type tap struct {
	channel, i, j int
	weight        Expr
}

// taps returns the packed weights Σ_o F_o·W[o, channel, i, j] that aren't
// zero: constants, or one row for each hidden weight but the first.
func (l *layer) taps(b *Builder, k block) []tap {
	var list []tap
	terms := make([]Expr, 0, len(k.outputs))
	l.eachTap(k, func(channel, element, first int, members []int) {
		terms = terms[:0]
		var sum fr.Element
		for _, m := range members {
			w := first + k.outputs[m]*l.filter()
			if !l.hidden() {
				v := Int(l.weights.Fixed[w])
				v.Mul(&v, &k.factors[m])
				sum.Add(&sum, &v)
			} else {
				terms = append(terms, l.weights.Exprs[w].Scale(k.factors[m]))
			}
		}
		weight := Expr{Const: sum}
		if l.hidden() {
			weight = b.Sum(terms...)
		}
		list = append(list, tap{channel, element / l.g.KW, element % l.g.KW, weight})
	})
	return list
}

// eachTap calls f for each channel and kernel element of which some output of the
// block has a weight that isn't 0. members are those outputs' places in the block; the
// weight of output o is the one at first + o·filter.
func (l *layer) eachTap(k block, f func(channel, element, first int, members []int)) {
	channels, outputs, taps := l.g.C/l.g.Groups, l.g.O/l.g.Groups, l.g.KH*l.g.KW
	members := make([]int, 0, len(k.outputs))
	for from := 0; from < len(k.outputs); {
		group := k.outputs[from] / outputs
		to := from
		for to < len(k.outputs) && k.outputs[to]/outputs == group {
			to++
		}
		for first := range channels * taps {
			members = members[:0]
			for m := from; m < to; m++ {
				if l.hidden() || l.weights.Fixed[first+k.outputs[m]*channels*taps] != 0 {
					members = append(members, m)
				}
			}
			if len(members) > 0 {
				f(group*channels+first/taps, first%taps, first, members)
			}
		}
		from = to
	}
}

// filter is the number of weights of one output channel.
func (l *layer) filter() int { return l.g.C / l.g.Groups * l.g.KH * l.g.KW }

// packedBias is Σ_o F_o·bias[o].
func (l *layer) packedBias(b *Builder, k block) Expr {
	terms := make([]Expr, len(k.outputs))
	for m, o := range k.outputs {
		terms[m] = l.biasOf(o).Scale(k.factors[m])
	}
	return b.Sum(terms...)
}

// bindPacked writes one equation for each block and position.
//
//	Σ_o F_o·Y[n,o,u,v] = Σ_tap weight·X[n,…] + packed bias
//
// Rows: one for each term but two, and one more for each product with hidden weights.
func (l *layer) bindPacked(b *Builder, blocks []block) {
	for _, k := range blocks {
		taps, bias := l.taps(b, k), l.packedBias(b, k)
		terms := make([]Expr, 0, len(k.outputs)+len(taps)+1)
		for n := range l.g.N {
			for u := range l.v.count {
				for v := range l.h.count {
					terms = append(l.products(b, terms[:0], taps, n, u, v), bias)
					for m, o := range k.outputs {
						f := k.factors[m]
						terms = append(terms, l.result(n, o, u, v).Scale(*f.Neg(&f)))
					}
					b.assertZero(terms)
				}
			}
		}
	}
}

// products appends weight·X for each tap that meets an element of X at a position.
func (l *layer) products(b *Builder, terms []Expr, taps []tap, n, u, v int) []Expr {
	top, bottom, row := l.v.taps(u)
	left, right, column := l.h.taps(v)
	for _, t := range taps {
		if t.i < top || t.i >= bottom || t.j < left || t.j >= right {
			continue
		}
		x := l.x.Exprs[((n*l.g.C+t.channel)*l.g.H+row+t.i*l.v.dilation)*l.g.W+column+t.j*l.h.dilation]
		terms = append(terms, b.Mul(x, t.weight))
	}
	return terms
}

// assertZero asserts that the terms add up to 0: one row for each term with a wire
// but two, and at least one. It reorders the terms.
func (b *Builder) assertZero(terms []Expr) {
	var sum Expr
	wires := terms[:0]
	for _, t := range terms {
		if t.IsConst() {
			sum.Const.Add(&sum.Const, &t.Const)
		} else {
			wires = append(wires, t)
		}
	}
	for len(wires) > 2 {
		sum = b.Add(sum, wires[0])
		wires = wires[1:]
	}
	var last [2]Expr
	copy(last[:], wires)
	b.AssertSum(sum, last[0], last[1])
}
