package gadget

import "slices"

// MaxRescale returns y = min(max(round(m·Mult/2^Shift), Min), Max) for m the largest
// element of each group: a max pool of raw accumulators with the rescale and clamp
// that follow it. All elements lie in the interval in; what Rescale says of its
// operands holds for each. An Expr that a group has twice counts once.
//
// Rounding and clamping never decrease, so y is the clamp of Q, the largest of
// q_i = round(x_i·Mult/2^Shift). It is proven by
//
//	x_i·Mult + 2^(Shift−1) = 2^Shift·(Q − h_i) + r_i,   0 <= r_i < 2^Shift,   0 <= h_i,
//	Π h_i = 0,
//
// and Q with y by a plan of quotient. Where only Min clamps, as in ReLU, Q is y itself
// with 0 <= y − Min as one factor more of the product: Q is then the larger of Min and
// the q_i.
//
// Rows of a group of n, where all take one limb: 9·n for r_i, h_i and the equation,
// n − 1 for the product, and for Q 3.5 unclamped, 4.5 with Min, 10 with both: 42.5,
// 43.5 and 49 for 2×2.
//
// Half to even, and a Shift of 0, are Max and a Rescale of its results.
func (b *Builder) MaxRescale(groups [][]Expr, in Interval, r Rounding) []Expr {
	ys := make([]Expr, len(groups))
	if err := r.valid(in); err != nil {
		b.fail(err)
		return ys
	}
	r = r.reduced()
	if r.apply(in.Lo) == r.apply(in.Hi) {
		return constants(len(groups), r.apply(in.Lo))
	}
	// One call for all groups of one size and one floor: a constant of a group
	// raises it.
	type pool struct {
		min  int64
		size int
	}
	members := make(map[pool][]int)
	var order []pool
	distinct := make([][]Expr, len(groups))
	for i, group := range groups {
		kind := pool{min: r.Min}
		for _, x := range unique(group) {
			if v, ok := x.integer(); ok {
				kind.min = max(kind.min, r.apply(v))
			} else {
				distinct[i] = append(distinct[i], x)
			}
		}
		kind.size = len(distinct[i])
		if kind.size == 0 || kind.min == r.apply(in.Hi) {
			ys[i] = Constant(kind.min)
			continue
		}
		if members[kind] == nil {
			order = append(order, kind)
		}
		members[kind] = append(members[kind], i)
	}
	for _, kind := range order {
		part := make([][]Expr, len(members[kind]))
		for k, i := range members[kind] {
			part[k] = distinct[i]
		}
		clamped := r
		clamped.Min = kind.min
		results := b.pool(part, in, clamped)
		for k, i := range members[kind] {
			ys[i] = results[k]
		}
	}
	return ys
}

// unique drops Exprs that occurred before.
func unique(group []Expr) []Expr {
	seen := make(map[Expr]bool, len(group))
	var list []Expr
	for _, x := range group {
		if !seen[x] {
			seen[x] = true
			list = append(list, x)
		}
	}
	return list
}

// pool is MaxRescale for groups of one size without constants.
func (b *Builder) pool(groups [][]Expr, in Interval, r Rounding) []Expr {
	if len(groups[0]) == 1 || r.HalfEven || r.Shift == 0 {
		return b.Rescale(b.largest(groups, in), in, r)
	}
	if !b.needTables() {
		return make([]Expr, len(groups))
	}
	q := Interval{r.round(in.Lo), r.round(in.Hi)}
	rectified := q.Lo < r.Min && q.Hi <= r.Max
	top := b.boundQuotient(q, r.Min, r.Max)
	if rectified {
		top = b.unclamped(Interval{r.Min, q.Hi})
	}
	height, rest := b.loose(length(max(q.Hi, r.Min)-q.Lo)), b.rest(r)
	each := len(height.limbs) + len(rest.limbs)
	hints := b.integers("pool", groups, top.hints+each*len(groups[0]), func(in, out []int64) {
		largest := r.round(slices.Max(in))
		if rectified {
			largest = max(largest, r.Min)
		}
		top.fill(largest, out[:top.hints])
		for k, x := range in {
			v := x*r.Mult + r.half()
			part := out[top.hints+k*each:][:each]
			height.split(largest-v>>r.Shift, part[:len(height.limbs)])
			rest.split(v&(1<<r.Shift-1), part[len(height.limbs):])
		}
	})
	drop, ok := height.max()
	element := top
	element.implied.Lo -= drop
	element.wide = top.wide || !ok || element.implied.Lo < -maxProven
	ys := make([]Expr, len(groups))
	for i, group := range groups {
		terms, y := top.write(hints[i][:top.hints])
		largest := b.Sum(terms...)
		product := Constant(1)
		if rectified {
			product = y.Plus(-r.Min)
		}
		for k, x := range group {
			h := hints[i][top.hints+k*each:][:each]
			drop := b.hold(height, h[:len(height.limbs)])
			b.quotientAndRest(x, r, []Expr{largest, drop.Times(-1)}, b.check(rest, h[len(height.limbs):]))
			b.recordDividend(x, r, element, rest)
			if k < len(group)-1 {
				product = b.Mul(product, drop)
			} else {
				b.AssertMul(product, drop, Constant(0))
			}
		}
		ys[i] = y
	}
	return ys
}
