package gadget

import (
	"cmp"
	"errors"
	"slices"
)

var errUnproven = errors.New("a range check left a linear map's result without a lane")

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
	for _, c := range l.checks(b) {
		list = append(list, plan{l.packedRows(c.blocks) + c.rows, "packed", func() {
			l.bindPacked(b, l.checked(b, c))
		}})
		if l.positions() > 1 {
			list = append(list, plan{l.lanesRows(c.blocks) + l.laneCommits(b, c) + c.rows, "Freivalds with lanes", func() {
				l.bindLanes(b, l.checked(b, c))
			}})
		}
	}
	return list
}

// check is a choice of results to range-check, what it costs and the lanes that it
// allows: those whose range isn't proven, and, if tighten is set, those whose proven
// range takes a wider lane. A check is slack bits wider than it need be: some widths
// take fewer rows than smaller ones.
type check struct {
	tighten bool
	slack   int
	rows    int
	blocks  []block
}

// checks lists the choices worth looking at, none with more rows than another and as
// many sums.
func (l *layer) checks(b *Builder) []check {
	var list []check
	known := l.survey(b)
	for _, tighten := range []bool{false, true} {
		for slack := range maxSlack {
			c := check{tighten: tighten, slack: slack}
			if l.fit(b, known, &c) {
				list = append(list, c)
			}
			if c.rows == 0 {
				break // nothing is checked
			}
		}
	}
	slices.SortStableFunc(list, func(c, d check) int {
		return cmp.Or(c.rows-d.rows, len(c.blocks)-len(d.blocks))
	})
	kept := list[:0]
	for _, c := range list {
		if len(kept) == 0 || len(c.blocks) < len(kept[len(kept)-1].blocks) {
			kept = append(kept, c)
		}
	}
	return kept
}

// maxSlack bounds the slack that is tried: within it lies the next sum of the usual
// tables' widths.
const maxSlack = 8

// knowledge is what is proven of a result, if anything.
type knowledge struct {
	Proven
	known bool
}

func (b *Builder) knowledge(y Expr) knowledge {
	p, known := b.Proven(y.Wire)
	return knowledge{p, known}
}

// survey counts, for each output channel, the results of which the same is proven.
func (l *layer) survey(b *Builder) []map[knowledge]int {
	counts := make([]map[knowledge]int, l.g.O)
	for o := range counts {
		counts[o] = make(map[knowledge]int)
		l.eachResult(o, func(y Expr) { counts[o][b.knowledge(y)]++ })
	}
	return counts
}

// needs reports whether c range-checks a result of output channel o of which k is
// proven, and returns what is proven of it then.
func (l *layer) needs(c *check, o int, k knowledge) (bool, Proven) {
	reach := l.reach[o]
	width := l.checkWidth(c, o)
	if k.known {
		var have lane
		have.fit(k.Proven, reach)
		if !c.tighten || have.width() <= width {
			return false, k.Proven
		}
	}
	return true, Proven{Interval: Interval{reach.Lo, reach.Lo + (1<<width - 1)}}
}

// checkWidth is the bits of a range check of output channel o.
func (l *layer) checkWidth(c *check, o int) int {
	return min(length(l.reach[o].Hi-l.reach[o].Lo)+c.slack, maxRange-1)
}

// fit sets c's rows and blocks. It reports false where a check isn't possible or a
// lane is too wide.
func (l *layer) fit(b *Builder, known []map[knowledge]int, c *check) bool {
	lanes := make([]lane, l.g.O)
	half := 0
	for o, reach := range l.reach {
		checks := 0
		for k, count := range known[o] {
			needed, proven := l.needs(c, o, k)
			if needed {
				checks += count
			}
			lanes[o].fit(proven, reach)
		}
		if width := l.checkWidth(c, o); checks > 0 {
			far := reach.Lo < -maxProven || reach.Lo > maxProven // Builder.prove records nothing there
			if len(b.widths) == 0 || length(reach.Hi-reach.Lo) > width || far {
				return false
			}
			half += checks * b.rangeCost(width)
		}
	}
	c.rows = (half + 1) / costRow
	c.blocks = l.pack(lanes)
	return c.blocks != nil
}

// checked writes the range checks and packs the lanes by what is then proven.
func (l *layer) checked(b *Builder, c check) []block {
	lanes := make([]lane, l.g.O)
	for o, reach := range l.reach {
		var offset []Expr
		l.eachResult(o, func(y Expr) {
			if needed, _ := l.needs(&c, o, b.knowledge(y)); needed {
				offset = append(offset, y.Plus(-reach.Lo))
			}
		})
		if len(offset) > 0 {
			b.RangeAll(offset, l.checkWidth(&c, o))
		}
		l.eachResult(o, func(y Expr) {
			k := b.knowledge(y)
			if !k.known {
				b.fail(errUnproven)
			}
			lanes[o].fit(k.Proven, reach)
		})
	}
	blocks := l.pack(lanes)
	if blocks == nil { // nothing would bind the results
		b.fail(errUnproven)
	}
	return blocks
}

// rangeCost is the cost of a range check in half rows.
func (b *Builder) rangeCost(width int) int {
	if width <= 2 {
		return costRow * max(1, width)
	}
	d := b.exact(width)
	return d.cost() + costRow*(len(d.limbs)-1)
}

// eachResult calls f for the results of an output channel.
func (l *layer) eachResult(o int, f func(Expr)) {
	for n := range l.g.N {
		for p := range l.v.count * l.h.count {
			f(l.y[l.place(n, o, p)])
		}
	}
}

// laneCommits is the number of commitments of bindLanes.
func (l *layer) laneCommits(b *Builder, c check) int {
	n := l.operandCommits(b)
	for _, k := range c.blocks {
		n += l.unboundPositions(b, c, k)
		if l.hidden() {
			l.eachTap(k, func(_, _, first int, members []int) {
				for _, m := range members {
					if !b.isBound(l.weights.Exprs[first+k.outputs[m]*l.filter()]) {
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
// are bound. A range check of more than two bits binds.
func (l *layer) unboundPositions(b *Builder, c check, k block) int {
	count := 0
	for n := range l.g.N {
		for p := range l.v.count * l.h.count {
			for _, o := range k.outputs {
				y := l.y[l.place(n, o, p)]
				needed, _ := l.needs(&c, o, b.knowledge(y))
				checked := needed && l.checkWidth(&c, o) > 2
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
	n := l.operandCommits(b)
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
func (l *layer) operandCommits(b *Builder) int {
	wires := make(map[Wire]bool)
	for c, used := range l.channels() {
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
