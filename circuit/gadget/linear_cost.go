package gadget

// The number of rows of each way to prove a layer, counted without writing it. The
// counts are exact for operands of distinct wires; constants and repeated wires make
// fewer rows.

// tapCounts returns for each kernel element the number of channels at which the
// block has a weight that isn't 0, and the number of rows that pack the block's
// hidden weights and biases.
func (l *layer) tapCounts(k block) (counts []int, packing int) {
	counts = make([]int, l.g.KH*l.g.KW)
	l.eachTap(k, func(_, element, _ int, members []int) {
		counts[element]++
		if l.hidden() {
			packing += len(members) - 1
		}
	})
	if l.bias.Exprs != nil {
		packing += len(k.outputs) - 1
	}
	return
}

// hidden reports whether the weights are hidden.
func (l *layer) hidden() bool { return l.weights.Fixed == nil }

// termsByClass calls f for each class of positions with the number of positions and
// the number of taps that meet the operand there.
func (l *layer) termsByClass(counts []int, f func(positions, terms int)) {
	horizontal := l.h.classes()
	for _, cv := range l.v.classes() {
		for _, ch := range horizontal {
			terms := 0
			for i := cv.from; i < cv.to; i++ {
				for j := ch.from; j < ch.to; j++ {
					terms += counts[i*l.g.KW+j]
				}
			}
			f(l.g.N*cv.positions*ch.positions, terms)
		}
	}
}

// directRows is the number of rows of direct.
func (l *layer) directRows() int {
	rows := 0
	for _, k := range singles(l.g.O) {
		counts, _ := l.tapCounts(k)
		l.termsByClass(counts, func(positions, terms int) {
			products := 0
			if l.hidden() {
				products = terms
			}
			if l.bias.Exprs != nil {
				terms++
			}
			rows += positions * (products + max(0, terms-1))
		})
	}
	return rows
}

// packedRows is the number of rows of bindPacked.
func (l *layer) packedRows(blocks []block) int {
	rows := 0
	for _, k := range blocks {
		counts, packing := l.tapCounts(k)
		rows += packing
		l.termsByClass(counts, func(positions, terms int) {
			products := 0
			if l.hidden() {
				products = terms
			}
			if l.bias.Exprs != nil {
				terms++
			}
			rows += positions * (products + max(1, len(k.outputs)+terms-2))
		})
	}
	return rows
}

// leastHintedRows is a lower estimate of what the best of the other strategies
// takes: all results proven to lie where they must, everything bound.
func (l *layer) leastHintedRows() int {
	lanes := make([]lane, l.g.O)
	for o, reach := range l.reach {
		lanes[o].fit(Proven{Interval: reach}, reach)
	}
	blocks := l.pack(lanes)
	least := l.packedRows(blocks)
	if l.positions() > 1 {
		least = min(least, l.lanesRows(blocks))
	}
	return least
}

// channels marks the channels of X that some output reads.
func (l *layer) channels() []bool {
	if l.read == nil {
		l.read = make([]bool, l.g.C)
		for _, k := range l.groups() {
			l.eachTap(k, func(channel, element, _ int, _ []int) {
				if !l.read[channel] && l.meets(element) {
					l.read[channel] = true
				}
			})
		}
	}
	return l.read
}

// meets reports whether a kernel element meets X at some position.
func (l *layer) meets(element int) bool {
	return meets(l.vertical, element/l.g.KW) && meets(l.horizontal, element%l.g.KW)
}

func meets(phases []phase, tap int) bool {
	for _, p := range phases {
		for _, w := range p.windows {
			if w.tap == tap {
				return true
			}
		}
	}
	return false
}

// operandRows is the number of rows of the window sums.
func (l *layer) operandRows() int {
	channels := 0
	for _, u := range l.channels() {
		if u {
			channels++
		}
	}
	return channels * l.windowRows()
}

// lanesRows is the number of rows of bindLanes without commitments.
func (l *layer) lanesRows(blocks []block) int {
	rows := l.operandRows()
	for _, k := range blocks {
		counts, packing := l.tapCounts(k)
		rows += packing + l.positions()*(len(k.outputs)-1)
		if l.bias.Exprs != nil {
			rows += l.positions()
		}
		rows += 2*(l.positions()-1) + 1
		products := 0
		if l.hidden() {
			for e, n := range counts {
				if l.meets(e) {
					products += n
				}
			}
		}
		rows += products + l.combineRows(counts)
	}
	return rows
}

// combineRows is the number of additions and multiplications by powers that add up
// the products of each kernel element and then the elements.
func (l *layer) combineRows(counts []int) int {
	rows := 0
	used := make([]bool, len(counts))
	for e, n := range counts {
		if used[e] = n > 0 && l.meets(e); used[e] {
			rows += n - 1
		}
	}
	return rows + l.alignRows(used)
}

// randomRows is the number of rows of bindRandom without commitments.
func (l *layer) randomRows() int {
	blocks := l.groups()
	rows := l.operandRows()
	outputs := l.g.O / l.g.Groups
	if !l.hidden() {
		rows += max(0, outputs-2)
	}
	if l.bias.Exprs != nil {
		rows += l.g.O * l.positions()
	}
	for _, k := range blocks {
		counts := make([]int, l.g.KH*l.g.KW)
		l.eachTap(k, func(_, element, _ int, members []int) {
			if !l.meets(element) {
				return
			}
			counts[element]++
			switch {
			case l.hidden():
				rows += 2*(len(members)-1) + 1
			case len(members) > 1 || members[0] > 0: // the first has coefficient 1
				random := len(members)
				if members[0] == 0 {
					random--
				}
				rows += random - 1 + 1
			}
		})
		rows += l.combineRows(counts) + 2*(len(k.outputs)*l.positions()-1) + 1
	}
	return rows
}
