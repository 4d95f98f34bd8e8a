package gadget

import "slices"

// Freivalds' check of a linear map over all positions at once.
//
// Let Y[o,p] be the results of channel o at position p = (n·OH + u)·OW + v, and let
// X[k,p] be what kernel element k (with its channel) sees of the operand there. The
// equations Y[o,p] = Σ_k W[o,k]·X[k,p] for all p are checked as one polynomial
// identity at the challenge c:
//
//	Σ_p c^p·T[p] = Σ_k w[k]·A[k],   A[k] = Σ_p c^p·X[k,p]
//
// in two forms.
//
// With lanes (bindLanes): T[p] = Σ_o F_o·Y[o,p] and w[k] = Σ_o F_o·W[o,k], F the
// lanes' factors, for the channels o of one block. Committed before the challenge: X, T, and
// w if it is hidden. Then the coefficients T[p] − Σ_k w[k]·X[k,p] of the polynomial are
// fixed when c is drawn: if one of them isn't 0, the identity holds for at most
// degree-many c. So all are 0 but for that error, and since lanes are injective
// (lanes.go), Y[o,p] is what it must be. Y itself needs no commitment: nothing of the
// identity depends on it but T, and its ranges are proven by other rows.
//
// With random coefficients (bindRandom): for the channels o = 0, 1, … of one group,
//
//	Σ_o Σ_p c^(o·P + p)·Y[o,p] = Σ_k (Σ_o c^(o·P)·W[o,k])·A[k]
//
// with P the number of positions, so that every (o, p) has an exponent of its own.
// (With c^o and c^p, Y[0,1] + δ and Y[1,0] − δ would pass.) Committed: X, Y and hidden
// weights. No range is needed.
//
// Both sides are multiplied by the power of c that makes all exponents of the window
// sums (conv.go) nonnegative. Error: degree / p for each identity, where the degree
// is below the number of exponents plus that power; Builder.Soundness adds it up.
//
// Rows, with X and Y of many positions: 2 for each element of X that a kernel element
// sees; with lanes 1 for each Y and 2 (3 with its commitment) for each T, else 2 (3)
// for each Y; 1 for each packed or plain weight (2 more for a hidden one); and a
// number for each channel and kernel element that doesn't depend on the positions.

// groups makes one block of each group's outputs, as bindRandom checks them.
func (l *layer) groups() []block {
	outputs := l.g.O / l.g.Groups
	blocks := make([]block, l.g.Groups)
	for i := range blocks {
		for o := range outputs {
			blocks[i].outputs = append(blocks[i].outputs, i*outputs+o)
		}
	}
	return blocks
}

// bindLanes checks the blocks at a random point.
func (l *layer) bindLanes(b *Builder, blocks []block) {
	l.commitOperand(b)
	sums := make([][]Expr, len(blocks))
	taps := make([][]tap, len(blocks))
	for i, k := range blocks {
		taps[i] = l.taps(b, k)
		if l.hidden() {
			l.commitPacked(b, k, taps[i])
		}
		sums[i] = l.packResults(b, k)
	}
	b.Defer(Check, func() error {
		windows := l.windows(b)
		for i := range blocks {
			b.identity(l, sums[i], windows, taps[i])
		}
		return nil
	})
}

// bindRandom checks the groups at a random point.
func (l *layer) bindRandom(b *Builder) {
	blocks := l.groups()
	l.commitOperand(b)
	for _, w := range l.weights.Exprs {
		b.Commit(w)
	}
	sums := make([][]Expr, len(blocks))
	for i, k := range blocks {
		sums[i] = l.unbiased(b, k)
	}
	b.Defer(Check, func() error {
		windows := l.windows(b)
		coefficients := l.coefficients(b)
		for i, k := range blocks {
			b.identity(l, sums[i], windows, l.randomTaps(b, k, coefficients))
		}
		return nil
	})
}

// commitOperand commits what the window sums read.
func (l *layer) commitOperand(b *Builder) {
	for c, used := range l.channels() {
		if used {
			l.seen(c, b.Commit)
		}
	}
}

// windows returns the window sums of the channels that some output reads.
func (l *layer) windows(b *Builder) [][]Expr {
	windows := make([][]Expr, l.g.C)
	for c, used := range l.channels() {
		if used {
			windows[c] = l.windowSums(b, c)
		}
	}
	return windows
}

// commitPacked commits the packed weights, where not all weights in them are bound.
func (l *layer) commitPacked(b *Builder, k block, taps []tap) {
	i := 0
	l.eachTap(k, func(_, _, first int, members []int) {
		bound := true
		for _, m := range members {
			bound = bound && b.isBound(l.weights.Exprs[first+k.outputs[m]*l.filter()])
		}
		b.bindSum(taps[i].weight, bound)
		i++
	})
}

// isBound reports whether the challenge depends on x.
func (b *Builder) isBound(x Expr) bool { return x.IsConst() || b.Bound(x.Wire) }

// bindSum makes the challenge depend on a computed sum: for free if all its terms
// are bound.
func (b *Builder) bindSum(sum Expr, termsBound bool) {
	if termsBound && !sum.IsConst() {
		b.Bind(sum.Wire)
	}
	b.Commit(sum)
}

// packResults returns T[p], less the packed bias, and binds them.
func (l *layer) packResults(b *Builder, k block) []Expr {
	bias := l.packedBias(b, k).Scale(minusOne)
	biasBound := true
	for _, o := range k.outputs {
		biasBound = biasBound && b.isBound(l.biasOf(o))
	}
	sums := make([]Expr, 0, l.positions())
	terms := make([]Expr, len(k.outputs))
	for n := range l.g.N {
		for p := range l.v.count * l.h.count {
			bound := biasBound
			for m, o := range k.outputs {
				y := l.y[l.place(n, o, p)]
				bound = bound && b.isBound(y)
				terms[m] = y.Scale(k.factors[m])
			}
			sum := b.Add(b.Sum(terms...), bias)
			b.bindSum(sum, bound)
			sums = append(sums, sum)
		}
	}
	return sums
}

// unbiased returns Y[o,p] less its bias for the outputs of a block, output by output,
// and binds them.
func (l *layer) unbiased(b *Builder, k block) []Expr {
	values := make([]Expr, 0, len(k.outputs)*l.positions())
	for _, o := range k.outputs {
		bias := l.biasOf(o)
		l.eachResult(o, func(y Expr) {
			value := b.Sub(y, bias)
			b.bindSum(value, b.isBound(y) && b.isBound(bias))
			values = append(values, value)
		})
	}
	return values
}

// coefficients returns c^(o·P) for the outputs of a group.
func (l *layer) coefficients(b *Builder) []Expr {
	list := []Expr{Constant(1)}
	if l.hidden() { // then Horner's rule is used
		return list
	}
	for range l.g.O/l.g.Groups - 1 {
		list = append(list, b.Mul(list[len(list)-1], b.power(l.positions())))
	}
	return list
}

// randomTaps returns Σ_o c^(o·P)·W[o,k] for each channel and kernel element.
func (l *layer) randomTaps(b *Builder, k block, coefficients []Expr) []tap {
	var list []tap
	terms := make([]Expr, 0, len(k.outputs))
	l.eachTap(k, func(channel, element, first int, members []int) {
		if !l.meets(element) {
			return
		}
		terms = terms[:0]
		var weight Expr
		for _, m := range members {
			w := first + k.outputs[m]*l.filter()
			if l.hidden() {
				terms = append(terms, l.weights.Exprs[w])
			} else {
				weight = b.Add(weight, coefficients[m].Times(l.weights.Fixed[w]))
			}
		}
		if l.hidden() {
			weight = b.horner(l.positions(), terms)
		}
		list = append(list, tap{channel, element / l.g.KW, element % l.g.KW, weight})
	})
	return list
}

// identity asserts Σ_i c^i·sums[i] = Σ_taps weight·A[channel][kernel element], where
// A is less the factor that depends on the kernel element: both sides times a power
// of c that makes all exponents nonnegative.
func (b *Builder) identity(l *layer, sums []Expr, windows [][]Expr, taps []tap) {
	left := b.horner(1, sums)
	elements := make([]Expr, l.g.KH*l.g.KW)
	used := make([]bool, len(elements))
	for _, t := range taps {
		e := t.i*l.g.KW + t.j
		if l.meets(e) {
			used[e] = true
			elements[e] = b.MulAdd(t.weight, windows[t.channel][e], elements[e])
		}
	}
	right, exponent := l.align(b, elements, used)
	if exponent >= 0 {
		b.AssertMul(left, b.power(exponent), right)
	} else {
		b.AssertMul(right, b.power(-exponent), left)
	}
	b.Soundness(len(sums) + max(exponent, 0))
}

// align gives each kernel element's sum its power of c: it returns
//
//	Σ c^(exponent − OW·σ_i − σ_j)·elements[i·KW + j]
//
// over the used elements, with σ the windows' shifts, and the exponent.
func (l *layer) align(b *Builder, elements []Expr, used []bool) (sum Expr, exponent int) {
	rows, top, left := l.aligned(used)
	var outer []term
	for _, r := range rows {
		var inner []term
		for _, s := range r.elements {
			inner = append(inner, term{left - s.shift, elements[r.tap*l.g.KW+s.tap]})
		}
		outer = append(outer, term{top - r.shift, b.sparseHorner(1, inner)})
	}
	return b.sparseHorner(l.h.count, outer), l.h.count*top + left
}

// alignRows is the number of rows of align.
func (l *layer) alignRows(used []bool) int {
	rows, top, left := l.aligned(used)
	var outer []term
	count := 0
	for _, r := range rows {
		var inner []term
		for _, s := range r.elements {
			inner = append(inner, term{exponent: left - s.shift})
		}
		outer = append(outer, term{exponent: top - r.shift})
		count += sparseHornerRows(inner)
	}
	return count + sparseHornerRows(outer)
}

// shifted is a kernel index, the shift of its window, and for a row of the kernel
// the elements used in it.
type shifted struct {
	tap, shift int
	elements   []shifted
}

// aligned returns the used rows and elements of the kernel by ascending shift, and
// the largest shifts.
func (l *layer) aligned(used []bool) (rows []shifted, top, left int) {
	columns := byShift(l.horizontal)
	first := true
	for _, r := range byShift(l.vertical) {
		for _, c := range columns {
			if used[r.tap*l.g.KW+c.tap] {
				r.elements = append(r.elements, c)
				if first || c.shift > left {
					left = c.shift
				}
				first = false
			}
		}
		if len(r.elements) > 0 {
			rows = append(rows, r)
			top = r.shift
		}
	}
	return
}

// byShift lists the kernel indices of an axis by ascending shift.
func byShift(phases []phase) []shifted {
	var list []shifted
	for _, p := range phases {
		for _, w := range p.windows {
			list = append(list, shifted{tap: w.tap, shift: w.shift})
		}
	}
	slices.SortStableFunc(list, func(x, y shifted) int { return x.shift - y.shift })
	return list
}
