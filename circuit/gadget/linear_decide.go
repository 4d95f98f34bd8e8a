package gadget

import "errors"

var errUnproven = errors.New("a range check left a linear map's result unproven")

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
	if lanes, ranges, ok := l.lanes(b); ok {
		blocks := pack(lanes)
		list = append(list, plan{l.packedRows(blocks) + ranges, "packed", func() {
			l.bindPacked(b, l.provenBlocks(b))
		}})
		if l.positions() > 1 {
			list = append(list, plan{l.lanesRows(blocks) + l.laneCommits(b, blocks) + ranges, "Freivalds with lanes", func() {
				l.bindLanes(b, l.provenBlocks(b))
			}})
		}
	}
	return list
}

// lanes returns the lane that each output channel needs, taking for granted that
// results without a proven range get the range check that they need, and the rows of
// those checks. It reports false where no range check is possible or a lane is too
// wide.
func (l *layer) lanes(b *Builder) (lanes []lane, ranges int, ok bool) {
	lanes = make([]lane, l.g.O)
	for o, reach := range l.reach {
		width := length(reach.Hi - reach.Lo)
		unproven := 0
		l.eachResult(o, func(y Expr) {
			proven, known := b.Proven(y.Wire)
			if !known {
				unproven++
				proven.Interval = Interval{reach.Lo, reach.Lo + (1<<width - 1)}
			}
			lanes[o].fit(proven, reach)
		})
		if unproven > 0 && (len(b.widths) == 0 || width >= maxRange) || lanes[o].integer+lanes[o].fraction > laneBits {
			return nil, 0, false
		}
		if unproven > 0 {
			ranges += b.rangeRows(width, unproven)
		}
	}
	return lanes, ranges, true
}

// rangeRows is the number of rows of n range checks.
func (b *Builder) rangeRows(width, n int) int {
	if width <= 2 {
		return max(1, width) * n
	}
	d := b.exact(width)
	return (d.cost() + costRow*(len(d.limbs)-1)) * n / 2
}

// eachResult calls f for the results of an output channel.
func (l *layer) eachResult(o int, f func(Expr)) {
	for n := range l.g.N {
		for p := range l.v.count * l.h.count {
			f(l.y[l.place(n, o, p)])
		}
	}
}

// provenBlocks writes the missing range checks and packs the lanes by what is then
// proven.
func (l *layer) provenBlocks(b *Builder) []block {
	for o, reach := range l.reach {
		var unproven []Expr
		l.eachResult(o, func(y Expr) {
			if _, known := b.Proven(y.Wire); !known {
				unproven = append(unproven, y.Plus(-reach.Lo))
			}
		})
		if len(unproven) > 0 {
			b.RangeAll(unproven, length(reach.Hi-reach.Lo))
		}
	}
	lanes, ranges, ok := l.lanes(b)
	if !ok || ranges > 0 {
		b.fail(errUnproven)
		return nil
	}
	return pack(lanes)
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
// are bound. A range check of more than two bits, if one is missing, binds.
func (l *layer) unboundPositions(b *Builder, k block) int {
	count := 0
	for n := range l.g.N {
		for p := range l.v.count * l.h.count {
			for _, o := range k.outputs {
				y := l.y[l.place(n, o, p)]
				_, proven := b.Proven(y.Wire)
				checked := !proven && l.reach[o].Hi-l.reach[o].Lo > 3
				if !checked && !b.isBound(y) || !b.isBound(l.biasOf(o)) {
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
	for o := range l.g.O {
		l.eachResult(o, func(y Expr) {
			if !b.isBound(y) || !b.isBound(l.biasOf(o)) {
				n++
			}
		})
	}
	for _, w := range l.weights.Exprs {
		if !b.isBound(w) {
			n++
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
