package quantize

import (
	"math"
	"math/bits"
	"slices"
)

// bounds are the intervals of a tensor's elements. One entry stands for all of
// them; otherwise there is one for each.
type bounds struct{ lo, hi []int64 }

// uniform gives every element the same interval.
func uniform(lo, hi int64) bounds { return bounds{[]int64{lo}, []int64{hi}} }

// hull is the least interval that contains all elements.
func (b bounds) hull() (lo, hi int64) { return slices.Min(b.lo), slices.Max(b.hi) }

// at returns the interval of element i.
func (b bounds) at(i int) (lo, hi int64) {
	if len(b.lo) == 1 {
		i = 0
	}
	return b.lo[i], b.hi[i]
}

// expand gives each of n elements its own entry.
func (b bounds) expand(n int) bounds {
	if len(b.lo) == n {
		return b
	}
	return bounds{slices.Repeat(b.lo, n), slices.Repeat(b.hi, n)}
}

// compact uses one entry where all are equal.
func (b bounds) compact() bounds {
	for i := range b.lo {
		if b.lo[i] != b.lo[0] || b.hi[i] != b.hi[0] {
			return b
		}
	}
	return bounds{b.lo[:1:1], b.hi[:1:1]}
}

// magnitude is the largest |q|.
func (b bounds) magnitude() uint64 {
	lo, hi := b.hull()
	return max(absolute(lo), absolute(hi))
}

// absolute is |v| without overflow.
func absolute(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// sum is a sum of products of magnitudes that sticks at the top.
type sum uint64

// addProduct adds a·b.
func (s *sum) addProduct(a, b uint64) {
	hi, lo := bits.Mul64(a, b)
	total, carry := bits.Add64(uint64(*s), lo, 0)
	if hi != 0 || carry != 0 {
		total = math.MaxUint64
	}
	*s = sum(total)
}

// fits reports whether no intermediate result reaches MaxMagnitude.
func (s sum) fits() bool { return s < MaxMagnitude }

// errMagnitude is the reason given when a value can be too large.
const errMagnitude = "values can reach 2^62"

// intervals computes the bounds of node id from those of its operands, whose
// shapes have been checked. Exact per element, except that a lookup that is not
// monotone takes the range of the whole tensor.
func (p *Program) intervals(id ID, of func(ID) bounds) (bounds, error) {
	node := &p.Nodes[id]
	size := node.Shape.Size()
	var x, y bounds
	if len(node.Inputs) > 0 {
		x = of(node.Inputs[0])
	}
	if len(node.Inputs) > 1 {
		y = of(node.Inputs[1])
	}
	tooLarge := func() (bounds, error) { return bounds{}, p.invalidf(id, errMagnitude) }
	switch op := node.Op.(type) {
	case Input, Param:
		return uniform(node.Lo, node.Hi), nil
	case Const:
		return bounds{op.Values, op.Values}, nil
	case Rewire:
		return p.rewireBounds(op, node, of), nil
	case Linear:
		return p.linearBounds(id, op, x, y, of)
	case MatMul:
		xs, ys := p.Nodes[node.Inputs[0]].Shape, p.Nodes[node.Inputs[1]].Shape
		s := saturatedScale(sum(x.magnitude()), y.magnitude())
		if s = saturatedScale(s, uint64(xs[2])); !s.fits() {
			return tooLarge()
		}
		return matmulBounds(x.expand(xs.Size()), y.expand(ys.Size()), xs[0], xs[1], xs[2], ys[2]), nil
	case Mul:
		var s sum
		if s.addProduct(x.magnitude(), y.magnitude()); !s.fits() {
			return tooLarge()
		}
		n := max(len(x.lo), len(y.lo))
		r := bounds{make([]int64, n), make([]int64, n)}
		for i := range n {
			a, b := x.at(i)
			c, d := y.at(i)
			if node.Inputs[0] == node.Inputs[1] {
				r.lo[i], r.hi[i] = squareInterval(a, b)
			} else {
				r.lo[i], r.hi[i] = productInterval(a, b, c, d)
			}
		}
		return r, nil
	case Add:
		return p.addBounds(id, op, size, of)
	case Rescale:
		var s sum
		s.addProduct(x.magnitude(), uint64(op.Multiplier))
		if s.addProduct(1, 1<<op.Shift>>1); !s.fits() {
			return tooLarge()
		}
		return x.monotone(op.apply), nil
	case Lookup:
		lo, hi := x.hull()
		if lo < op.Min || uint64(hi)-uint64(op.Min) >= uint64(len(op.Table)) {
			return bounds{}, p.invalidf(id, "the operand's interval [%d, %d] is not in the lookup's domain [%d, %d]", lo, hi, op.Min, op.Min+int64(len(op.Table))-1)
		}
		part := op.Table[lo-op.Min : hi-op.Min+1]
		if slices.IsSorted(part) {
			return x.monotone(func(v int64) int64 { return op.Table[v-op.Min] }), nil
		}
		return uniform(slices.Min(part), slices.Max(part)), nil
	case Max:
		return x.maximum(size, p.Nodes[node.Inputs[0]].Shape.Size()), nil
	case Threshold:
		return x.monotone(func(v int64) int64 {
			if v >= op.T {
				return 1
			}
			return 0
		}), nil
	case Div:
		return p.divBounds(id, op, x, y)
	case ArgMax:
		in := p.Nodes[node.Inputs[0]].Shape
		return uniform(0, int64(in[len(in)-1]-1)), nil
	}
	return bounds{}, p.invalidf(id, "unknown operator %T", node.Op)
}

// saturatedScale is s·n.
func saturatedScale(s sum, n uint64) sum {
	var r sum
	r.addProduct(uint64(s), n)
	return r
}

// productInterval is the interval of a product of two independent factors.
func productInterval(a, b, c, d int64) (lo, hi int64) {
	return min(a*c, a*d, b*c, b*d), max(a*c, a*d, b*c, b*d)
}

// squareInterval is the interval of a square.
func squareInterval(a, b int64) (lo, hi int64) {
	hi = max(a*a, b*b)
	if a <= 0 && b >= 0 {
		return 0, hi
	}
	return min(a*a, b*b), hi
}

// monotone maps both ends by a function that never decreases.
func (b bounds) monotone(f func(int64) int64) bounds {
	r := bounds{make([]int64, len(b.lo)), make([]int64, len(b.hi))}
	for i := range b.lo {
		r.lo[i], r.hi[i] = f(b.lo[i]), f(b.hi[i])
	}
	return r.compact()
}

// maximum is the interval of the maxima of rows of size/rows elements.
func (b bounds) maximum(rows, size int) bounds {
	if len(b.lo) == 1 {
		return b
	}
	k := size / rows
	r := bounds{make([]int64, rows), make([]int64, rows)}
	for i := range rows {
		r.lo[i], r.hi[i] = largest(b.lo[i*k:][:k]), largest(b.hi[i*k:][:k])
	}
	return r.compact()
}

// rewireBounds moves the operands' intervals along with their elements.
func (p *Program) rewireBounds(op Rewire, node *Node, of func(ID) bounds) bounds {
	los, his := make([][]int64, len(node.Inputs)), make([][]int64, len(node.Inputs))
	same := true
	first := of(node.Inputs[0])
	for i, in := range node.Inputs {
		b := of(in)
		same = same && len(b.lo) == 1 && b.lo[0] == first.lo[0] && b.hi[0] == first.hi[0]
		b = b.expand(p.Nodes[in].Shape.Size())
		los[i], his[i] = b.lo, b.hi
	}
	if same && !slices.Contains(op.Index, -1) {
		return first
	}
	r := bounds{make([]int64, node.Shape.Size()), make([]int64, node.Shape.Size())}
	op.eval(r.lo, los)
	op.eval(r.hi, his)
	return r.compact()
}

// addBounds is the interval of Σ coefficient·operand + constant. An operand that
// occurs more than once counts with the sum of its coefficients.
func (p *Program) addBounds(id ID, op Add, size int, of func(ID) bounds) (bounds, error) {
	node := &p.Nodes[id]
	var s sum
	s.addProduct(absolute(op.Const), 1)
	n := 1
	for k, in := range node.Inputs {
		b := of(in)
		s.addProduct(absolute(op.Coeffs[k]), b.magnitude())
		if len(b.lo) > 1 {
			n = size
		}
	}
	if !s.fits() {
		return bounds{}, p.invalidf(id, errMagnitude)
	}
	r := bounds{make([]int64, n), make([]int64, n)}
	for i := range n {
		r.lo[i], r.hi[i] = op.Const, op.Const
	}
	for k, in := range node.Inputs {
		if slices.Contains(node.Inputs[:k], in) {
			continue
		}
		c := int64(0)
		for j, other := range node.Inputs {
			if other == in {
				c += op.Coeffs[j]
			}
		}
		b := of(in)
		for i := range n {
			lo, hi := b.at(i)
			if c < 0 {
				lo, hi = hi, lo
			}
			r.lo[i] += c * lo
			r.hi[i] += c * hi
		}
	}
	return r.compact(), nil
}

// divBounds is the interval of a quotient; it grows with the dividend and falls
// with the divisor.
func (p *Program) divBounds(id ID, op Div, a, b bounds) (bounds, error) {
	aLo, _ := a.hull()
	bLo, _ := b.hull()
	if aLo < 0 || bLo < 1 {
		return bounds{}, p.invalidf(id, "the dividend can be %d and the divisor %d", aLo, bLo)
	}
	var s sum
	s.addProduct(a.magnitude(), 1<<op.Shift)
	if s > MaxDividend {
		return bounds{}, p.invalidf(id, "the dividend times 2^%d can be above 2^60", op.Shift)
	}
	if s.addProduct(1, b.magnitude()); !s.fits() {
		return bounds{}, p.invalidf(id, errMagnitude)
	}
	n := max(len(a.lo), len(b.lo))
	r := bounds{make([]int64, n), make([]int64, n)}
	for i := range n {
		xl, xh := a.at(i)
		yl, yh := b.at(i)
		r.lo[i], _ = op.apply(xl, yh)
		r.hi[i], _ = op.apply(xh, yl)
	}
	return r.compact(), nil
}

// matmulBounds sums the intervals of the products.
func matmulBounds(x, y bounds, b, m, k, n int) bounds {
	r := bounds{make([]int64, b*m*n), make([]int64, b*m*n)}
	for row := range b * m {
		at := row / m * k * n
		for i := range k {
			xl, xh := x.lo[row*k+i], x.hi[row*k+i]
			for j := range n {
				lo, hi := productInterval(xl, xh, y.lo[at+i*n+j], y.hi[at+i*n+j])
				r.lo[row*n+j] += lo
				r.hi[row*n+j] += hi
			}
		}
	}
	return r.compact()
}

// linearBounds is exact for constant weights: each output element's extremes over
// all operands in their intervals. With hidden weights it takes their declared
// interval.
func (p *Program) linearBounds(id ID, op Linear, x, w bounds, of func(ID) bounds) (bounds, error) {
	node := &p.Nodes[id]
	xShape, wShape := p.Nodes[node.Inputs[0]].Shape, p.Nodes[node.Inputs[1]].Shape
	g, err := newGeometry(op, xShape, wShape)
	if err != nil {
		return bounds{}, p.invalidf(id, "%v", err)
	}
	r := bounds{make([]int64, node.Shape.Size()), make([]int64, node.Shape.Size())}
	var biasMagnitude uint64
	if len(node.Inputs) == 3 {
		bias := of(node.Inputs[2])
		biasMagnitude = bias.magnitude()
		bias = bias.expand(g.o)
		spread(r.lo, bias.lo, g.oh*g.ow)
		spread(r.hi, bias.hi, g.oh*g.ow)
	}
	taps := g.cg * g.kh * g.kw
	weights, fixed := p.Nodes[node.Inputs[1]].Op.(Const)
	largest := x.magnitude()
	for o := range g.o {
		var s sum
		s.addProduct(biasMagnitude, 1)
		if fixed {
			for _, k := range weights.Values[o*taps:][:taps] {
				s.addProduct(absolute(k), largest)
			}
		} else {
			s = saturatedScale(sum(w.magnitude()), uint64(taps))
			s = saturatedScale(s, largest)
			s.addProduct(biasMagnitude, 1)
		}
		if !s.fits() {
			return bounds{}, p.invalidf(id, errMagnitude)
		}
	}
	x = x.expand(xShape.Size())
	if fixed {
		positive, negative := make([]int64, len(weights.Values)), make([]int64, len(weights.Values))
		for i, v := range weights.Values {
			positive[i], negative[i] = max(v, 0), min(v, 0)
		}
		accumulate(&g, r.lo, x.lo, positive)
		accumulate(&g, r.lo, x.hi, negative)
		accumulate(&g, r.hi, x.hi, positive)
		accumulate(&g, r.hi, x.lo, negative)
		return r.compact(), nil
	}
	wl, wh := w.hull()
	least, most := make([]int64, len(x.lo)), make([]int64, len(x.lo))
	for i := range x.lo {
		least[i], most[i] = productInterval(x.lo[i], x.hi[i], wl, wh)
	}
	ones := slices.Repeat([]int64{1}, wShape.Size())
	accumulate(&g, r.lo, least, ones)
	accumulate(&g, r.hi, most, ones)
	return r.compact(), nil
}
