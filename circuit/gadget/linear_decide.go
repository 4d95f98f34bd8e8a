package gadget

// plan is a way to prove a layer and what it costs.
type plan struct {
	rows int
	name string
	bind func()
}

// decide writes the cheapest rows that bind hinted results. The layers are views of
// one and the same problem, such as a matrix product and its transpose.
func (b *Builder) decide(layers ...*layer) error {
	var best plan
	for _, l := range layers {
		for _, p := range b.plans(l) {
			if best.bind == nil || p.rows < best.rows {
				best = p
			}
		}
	}
	defer b.strategy(best.name)()
	best.bind()
	return nil
}

// plans lists the ways to prove a layer.
func (b *Builder) plans(l *layer) []plan {
	alone := singles(l.g.O)
	list := []plan{{l.packedRows(alone), "direct", func() { l.bindPacked(b, alone) }}}
	if l.positions() > 1 {
		list = append(list, plan{l.randomRows() + l.randomCommits(b), "Freivalds", func() { l.bindRandom(b) }})
	}
	if lanes, ok := l.lanes(b); ok {
		blocks := pack(lanes)
		list = append(list, plan{l.packedRows(blocks), "packed", func() {
			l.bindPacked(b, blocks)
		}})
		if l.positions() > 1 {
			list = append(list, plan{l.lanesRows(blocks) + l.laneCommits(b, blocks), "Freivalds with lanes", func() {
				l.bindLanes(b, blocks)
			}})
		}
	}
	return list
}

// lanes returns the lane that each output channel needs. It reports false where a
// result's range isn't proven or a lane is too wide.
func (l *layer) lanes(b *Builder) (lanes []lane, ok bool) {
	lanes = make([]lane, l.g.O)
	for o, reach := range l.reach {
		for n := range l.g.N {
			for p := range l.v.count * l.h.count {
				proven, known := b.Proven(l.y[l.place(n, o, p)].Wire)
				if !known {
					return nil, false
				}
				lanes[o].fit(proven, reach)
			}
		}
		if lanes[o].integer+lanes[o].fraction > laneBits {
			return nil, false
		}
	}
	return lanes, true
}

// laneCommits is the number of commitments of bindLanes.
func (l *layer) laneCommits(b *Builder, blocks []block) int {
	n := l.operandCommits(b, blocks)
	for _, k := range blocks {
		n += l.unboundPositions(b, k)
		if l.hidden() {
			l.eachTap(k, func(channel, element int, members []int) {
				for _, m := range members {
					if !b.isBound(l.weights.Exprs[l.weightIndex(k.outputs[m], channel, element)]) {
						n++
						return
					}
				}
			})
		}
	}
	return n
}

// unboundPositions is the number of positions at which not all results of a block
// are bound.
func (l *layer) unboundPositions(b *Builder, k block) int {
	count := 0
	for n := range l.g.N {
		for p := range l.v.count * l.h.count {
			for _, o := range k.outputs {
				if !b.isBound(l.y[l.place(n, o, p)]) || !b.isBound(l.biasOf(o)) {
					count++
					break
				}
			}
		}
	}
	return count
}

// randomCommits is the number of commitments of bindRandom.
func (l *layer) randomCommits(b *Builder) int {
	n := l.operandCommits(b, l.groups())
	for _, operand := range [...][]Expr{l.y, l.weights.Exprs} {
		for _, x := range operand {
			if !b.isBound(x) {
				n++
			}
		}
	}
	return n
}

// operandCommits is the number of wires of X that commitOperand commits.
func (l *layer) operandCommits(b *Builder, blocks []block) int {
	wires := make(map[Wire]bool)
	for c, used := range l.channels(blocks) {
		if used {
			l.seen(c, func(x Expr) {
				if !b.isBound(x) {
					wires[x.Wire] = true
				}
			})
		}
	}
	return len(wires)
}
