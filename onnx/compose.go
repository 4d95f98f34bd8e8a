package onnx

import (
	"slices"
	"sort"

	"github.com/zkml-go/zkml/graph"
)

// rewireOf returns the index map of a node that is one.
func (s *simplifier) rewireOf(id graph.ID) (graph.Rewire, bool) {
	r, ok := s.drafts[id].op.(graph.Rewire)
	return r, ok
}

// composeRewires replaces index maps of index maps by one, and drops those that
// change nothing. It reports whether it changed anything.
func (s *simplifier) composeRewires() bool {
	changed := false
	for i := range s.drafts {
		d := &s.drafts[i]
		r, ok := d.op.(graph.Rewire)
		if !ok || !s.live(i) {
			continue
		}
		for k := range d.inputs {
			d.inputs[k] = s.resolve(d.inputs[k])
		}
		if s.compose(d, r) {
			changed = true
		}
		r = d.op.(graph.Rewire)
		if len(d.inputs) == 1 && isIdentity(r.Index, s.drafts[d.inputs[0]].shape.Size()) {
			if r.Index != nil {
				d.op, changed = graph.Rewire{}, true
			}
			if s.drafts[d.inputs[0]].shape.Equal(d.shape) {
				s.alias[i], changed = d.inputs[0], true
				s.uses[d.inputs[0]] += s.uses[i]
				s.uses[i] = 0
			}
		}
	}
	return changed
}

func isIdentity(index []int32, size int) bool {
	if index == nil {
		return true
	}
	if len(index) != size {
		return false
	}
	for i, j := range index {
		if int(j) != i {
			return false
		}
	}
	return true
}

// compose rewrites the index map d so that no operand is one where that can be.
func (s *simplifier) compose(d *draft, r graph.Rewire) bool {
	if r.Index == nil {
		inner, ok := s.rewireOf(d.inputs[0])
		if !ok {
			return false
		}
		d.op, d.inputs = inner, s.resolved(s.drafts[d.inputs[0]].inputs)
		return true
	}
	sources := s.sources(d, r)
	if sources == nil {
		return false
	}
	// Where the elements come from now: a slot of the new operands and an offset.
	var operands []graph.ID
	slots := map[graph.ID]int{}
	index := make([]int32, len(r.Index))
	slot := make([]int32, len(r.Index))
	for i, j := range r.Index {
		id, offset := graph.ID(-1), -1
		if j >= 0 {
			id, offset = sources.find(int(j))
		}
		if offset < 0 {
			index[i], slot[i] = -1, -1
			continue
		}
		at, ok := slots[id]
		if !ok {
			at = len(operands)
			slots[id] = at
			operands = append(operands, id)
		}
		index[i], slot[i] = int32(offset), int32(at)
	}
	if len(operands) == 0 {
		return false // nothing but fill: there is no operand to choose better
	}
	base, total := make([]int32, len(operands)), 0
	for k, id := range operands {
		base[k] = int32(total)
		if total += s.drafts[id].shape.Size(); total > maxExtent {
			return false
		}
	}
	for i := range index {
		if slot[i] >= 0 {
			index[i] += base[slot[i]]
		}
	}
	d.op = graph.Rewire{Index: index, Fill: sources.fill}
	d.inputs = operands
	return true
}

func (s *simplifier) resolved(ids []graph.ID) []graph.ID {
	out := make([]graph.ID, len(ids))
	for i, id := range ids {
		out[i] = s.resolve(id)
	}
	return out
}

// sources describes the operands of an index map, seen through those that are
// index maps themselves.
type sources struct {
	base  []int // first flat element of each operand
	parts []source
	fill  float64
}

type source struct {
	id    graph.ID
	index []int32  // of the inner index map; nil for an operand taken as it is
	inner *sources // operands of the inner index map
	plain graph.ID // operand of an inner reshape
}

// sources returns nil if no operand is an index map that can be seen through.
func (s *simplifier) sources(d *draft, r graph.Rewire) *sources {
	out := &sources{fill: r.Fill}
	hasFill := slices.Contains(r.Index, -1)
	through := false
	total := 0
	for _, id := range d.inputs {
		part := source{id: id, plain: id}
		if inner, ok := s.rewireOf(id); ok {
			fills := inner.Index != nil && slices.Contains(inner.Index, -1)
			switch {
			case inner.Index == nil:
				part.plain, through = s.resolve(s.drafts[id].inputs[0]), true
			case !fills || !hasFill || inner.Fill == out.fill:
				if fills {
					out.fill, hasFill = inner.Fill, true
				}
				part.index, through = inner.Index, true
				part.inner = s.plainSources(s.drafts[id].inputs)
			}
		}
		out.base = append(out.base, total)
		out.parts = append(out.parts, part)
		total += s.drafts[id].shape.Size()
	}
	if !through {
		return nil
	}
	return out
}

func (s *simplifier) plainSources(ids []graph.ID) *sources {
	out := &sources{}
	total := 0
	for _, id := range s.resolved(ids) {
		out.base = append(out.base, total)
		out.parts = append(out.parts, source{id: id, plain: id})
		total += s.drafts[id].shape.Size()
	}
	return out
}

// find returns the operand and the offset in it of flat element j, or the offset
// -1 for the fill value.
func (s *sources) find(j int) (graph.ID, int) {
	k := sort.Search(len(s.base), func(k int) bool { return s.base[k] > j }) - 1
	part, offset := s.parts[k], j-s.base[k]
	if part.index == nil {
		return part.plain, offset
	}
	if offset = int(part.index[offset]); offset < 0 {
		return -1, -1
	}
	return part.inner.find(offset)
}
