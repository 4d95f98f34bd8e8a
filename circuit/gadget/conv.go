package gadget

import "slices"

// segment is a run of operand positions [from, to) within a phase.
type segment struct{ from, to int }

// window says that a kernel index reads the segments [first, last) of its phase and
// that operand position i serves result position i − shift.
type window struct{ tap, first, last, shift int }

// phase is one residue class of operand positions modulo the stride: position i
// stands for residue + i·stride. Within it a correlation has stride 1, whatever its
// stride and dilation. The windows of the kernel indices that read the phase cut it
// into segments; what no window reads is left out.
type phase struct {
	residue  int
	segments []segment
	windows  []window
	// pivot is the run of segments that all windows share, if that is the cheaper
	// way to add them up, and adds what the cheaper way costs.
	pivot struct{ first, last int }
	adds  int
}

// phases splits the operand of an axis. Kernel indices that meet no element of the
// operand have no window.
func (a *axis) phases() []phase {
	var list []phase
	for t := range a.kernel {
		offset := t*a.dilation - a.before
		residue := (offset%a.stride + a.stride) % a.stride
		shift := (offset - residue) / a.stride
		size := (a.size - residue + a.stride - 1) / a.stride
		from, to := max(0, shift), min(size, a.count+shift)
		if from >= to {
			continue
		}
		i := slices.IndexFunc(list, func(p phase) bool { return p.residue == residue })
		if i < 0 {
			list = append(list, phase{residue: residue})
			i = len(list) - 1
		}
		// Positions now; cut replaces them by indices of segments.
		list[i].windows = append(list[i].windows, window{t, from, to, shift})
	}
	for i := range list {
		list[i].cut()
	}
	return list
}

// cut makes segments of the windows' ends.
func (p *phase) cut() {
	var cuts []int
	for _, w := range p.windows {
		cuts = append(cuts, w.first, w.last)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	index := make(map[int]int) // of the segment that starts at, or follows, a cut
	for i, from := range cuts {
		index[from] = len(p.segments)
		read := func(w window) bool { return w.first <= from && from < w.last }
		if slices.ContainsFunc(p.windows, read) {
			p.segments = append(p.segments, segment{from, cuts[i+1]})
		}
	}
	for i := range p.windows {
		w := &p.windows[i]
		w.first, w.last = index[w.first], index[w.last]
	}
	p.choose()
}

// choose compares two ways to add up the windows: each on its own, or all from what
// they share, extended segment by segment to the left and to the right.
func (p *phase) choose() {
	separate, first, last, lowest, highest := 0, 0, len(p.segments), len(p.segments), 0
	for _, w := range p.windows {
		separate += w.last - w.first - 1
		first, last = max(first, w.first), min(last, w.last)
		lowest, highest = min(lowest, w.first), max(highest, w.last)
	}
	p.adds = separate
	if first >= last {
		return
	}
	shared := last - lowest - 1 + max(0, highest-last-1)
	for _, w := range p.windows {
		if w.last > last {
			shared++
		}
	}
	if shared < separate {
		p.adds, p.pivot.first, p.pivot.last = shared, first, last
	}
}

// sums returns the sum of each window's segments, given the segments' values.
func (p *phase) sums(b *Builder, cells []Expr) []Expr {
	out := make([]Expr, len(p.windows))
	if p.pivot.first == p.pivot.last {
		for i, w := range p.windows {
			out[i] = b.Sum(cells[w.first:w.last]...)
		}
		return out
	}
	left, right := make([]Expr, len(cells)), make([]Expr, len(cells)+1)
	left[p.pivot.first] = b.Sum(cells[p.pivot.first:p.pivot.last]...)
	for i := p.pivot.first - 1; i >= 0; i-- {
		left[i] = b.Add(left[i+1], cells[i])
	}
	for i := p.pivot.last; i < len(cells); i++ {
		right[i+1] = b.Add(right[i], cells[i])
	}
	for i, w := range p.windows {
		out[i] = b.Add(left[w.first], right[w.last])
	}
	return out
}

// windowSums returns for each kernel element k = i·KW + j
//
//	A[k] = Σ_(n,u,v) c^(n·OH·OW + OW·(u+σ_i) + v+σ_j) · X[n, channel, u·s+i·d−pad, v·s+j·d−pad]
//
// where σ are the windows' shifts: what kernel element k sees of the channel, each
// result position p weighted by c^p up to the factor that depends on k alone. The
// windows of different elements overlap almost everywhere, so each segment's sum is
// taken once, by Horner's rule, moved to its place by a power of c, and shared: about
// 2 rows for each element of the channel and some for the windows' borders.
func (l *layer) windowSums(b *Builder, channel int) []Expr {
	sums := make([]Expr, l.g.KH*l.g.KW)
	for _, pv := range l.vertical {
		for _, ph := range l.horizontal {
			lines := make([][]Expr, len(pv.segments))
			cells := make([]Expr, len(ph.segments))
			for i, sv := range pv.segments {
				for j, sh := range ph.segments {
					cells[j] = b.Mul(l.cell(b, channel, &pv, &ph, sv, sh), b.power(l.h.count*sv.from+sh.from))
				}
				lines[i] = ph.sums(b, cells)
			}
			column := make([]Expr, len(lines))
			for j, wh := range ph.windows {
				for i := range lines {
					column[i] = lines[i][j]
				}
				for i, sum := range pv.sums(b, column) {
					sums[pv.windows[i].tap*l.g.KW+wh.tap] = sum
				}
			}
		}
	}
	return sums
}

// cell is Σ c^(n·OH·OW + OW·i + j) · X[n, channel, …] over the samples n and the
// elements (i, j) of a segment, counted from the segment's start.
func (l *layer) cell(b *Builder, channel int, pv, ph *phase, sv, sh segment) Expr {
	g := &l.g
	samples := make([]Expr, g.N)
	rows := make([]Expr, sv.to-sv.from)
	terms := make([]Expr, sh.to-sh.from)
	for n := range samples {
		plane := l.x.Exprs[(n*g.C+channel)*g.H*g.W:]
		for i := range rows {
			row := plane[(pv.residue+(sv.from+i)*l.v.stride)*g.W:]
			for j := range terms {
				terms[j] = row[ph.residue+(sh.from+j)*l.h.stride]
			}
			rows[i] = b.horner(1, terms)
		}
		samples[n] = b.horner(l.h.count, rows)
	}
	return b.horner(l.v.count*l.h.count, samples)
}

// windowRows is the number of rows of windowSums for one channel of distinct wires.
func (l *layer) windowRows() int {
	rows := 0
	for _, pv := range l.vertical {
		for _, ph := range l.horizontal {
			for _, sv := range pv.segments {
				for _, sh := range ph.segments {
					rows += 2 * (l.g.N*(sv.to-sv.from)*(sh.to-sh.from) - 1)
					if l.h.count*sv.from+sh.from > 0 {
						rows++
					}
				}
			}
			rows += len(pv.segments)*ph.adds + len(ph.windows)*pv.adds
		}
	}
	return rows
}

// seen calls f for the expression of each element of a channel that windowSums uses.
func (l *layer) seen(channel int, f func(Expr)) {
	for n := range l.g.N {
		plane := l.x.Exprs[(n*l.g.C+channel)*l.g.H*l.g.W:]
		for _, pv := range l.vertical {
			for _, sv := range pv.segments {
				for i := sv.from; i < sv.to; i++ {
					row := plane[(pv.residue+i*l.v.stride)*l.g.W:]
					for _, ph := range l.horizontal {
						for _, sh := range ph.segments {
							for j := sh.from; j < sh.to; j++ {
								f(row[ph.residue+j*l.h.stride])
							}
						}
					}
				}
			}
		}
	}
}
