package onnx

import (
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

// simplifier rewrites the drafts of a builder to equivalent, cheaper ones.
type simplifier struct {
	*builder
	alias []graph.ID // what stands for a node: itself, or one that equals it
	uses  []int      // readers of each node, outputs included; at least as many as there are
	err   error      // the first limit passed
}

// simplify composes index maps, folds affine maps into the linear maps before
// them, turns the other affine maps into graph operators, and drops what no
// output depends on.
func (b *builder) simplify() error {
	s := newSimplifier(b)
	if err := s.fold(); err != nil {
		return err
	}
	if err := s.materialize(); err != nil {
		return err
	}
	for s.composeRewires() {
	}
	s.renumber()
	return nil
}

func newSimplifier(b *builder) *simplifier {
	s := &simplifier{builder: b}
	for i := range b.drafts {
		s.alias = append(s.alias, graph.ID(i))
	}
	return s
}

// fold composes index maps and folds affine maps until nothing changes. An affine
// map between two linear ones goes into the first.
func (s *simplifier) fold() error {
	for changed := true; changed; {
		s.countUses()
		changed = s.composeRewires()
		s.countUses()
		changed = s.foldAffines() || changed
		if !changed {
			changed = s.foldForward()
		}
		if s.err != nil {
			return s.err
		}
	}
	return nil
}

func (s *simplifier) resolve(id graph.ID) graph.ID {
	for s.alias[id] != id {
		id = s.alias[id]
	}
	return id
}

// countUses resolves every operand and counts the readers of live nodes.
func (s *simplifier) countUses() {
	s.uses = make([]int, len(s.drafts))
	var stack []graph.ID
	read := func(id graph.ID) graph.ID {
		id = s.resolve(id)
		if s.uses[id]++; s.uses[id] == 1 {
			stack = append(stack, id)
		}
		return id
	}
	for i := range s.outputs {
		s.outputs[i].ID = read(s.outputs[i].ID)
	}
	for len(stack) > 0 {
		d := &s.drafts[stack[len(stack)-1]]
		stack = stack[:len(stack)-1]
		inputs := make([]graph.ID, len(d.inputs))
		for k, in := range d.inputs {
			inputs[k] = read(in)
		}
		d.inputs = inputs
	}
}

// live reports whether node i is still part of the graph.
func (s *simplifier) live(i int) bool { return i < len(s.uses) && s.uses[i] > 0 }

// foldAffines merges affine maps with affine maps and linear maps before them.
func (s *simplifier) foldAffines() bool {
	changed := false
	for i := range s.drafts {
		if s.drafts[i].affine != nil && s.live(i) && s.err == nil && s.foldAffine(graph.ID(i)) {
			changed = true
		}
	}
	return changed
}

func (s *simplifier) foldAffine(id graph.ID) bool {
	d := &s.drafts[id]
	d.inputs[0] = s.resolve(d.inputs[0])
	from := d.inputs[0]
	src := &s.drafts[from]
	if src.affine != nil {
		s.merge(d, src.affine)
		d.inputs = s.resolved(src.inputs)
		s.uses[d.inputs[0]]++
		return true
	}
	if s.uses[from] != 1 {
		return false
	}
	if _, ok := src.op.(graph.Linear); ok {
		return s.intoLinear(id, from, from, nil)
	}
	r, ok := src.op.(graph.Rewire)
	if !ok || len(src.inputs) != 1 {
		return false
	}
	src.inputs[0] = s.resolve(src.inputs[0])
	before := src.inputs[0]
	inner := &s.drafts[before]
	if inner.affine != nil && r.Index == nil {
		s.merge(d, inner.affine)
		src.inputs = s.resolved(inner.inputs)
		s.uses[src.inputs[0]]++
		return true
	}
	if _, ok := inner.op.(graph.Linear); ok && s.uses[before] == 1 {
		return s.intoLinear(id, before, from, r.Index)
	}
	return false
}

// merge makes d apply first and then its own map.
func (s *simplifier) merge(d *draft, first *affine) {
	d.affine = first.then(d.affine, d.shape.Size())
	if err := s.budget.spendConst(len(d.affine.scale), d.name); err != nil {
		s.err = err
	}
}

// intoLinear folds affine map id into linear map lin; stand is the node that then
// equals the affine map's result.
func (s *simplifier) intoLinear(id, lin, stand graph.ID, index []int32) bool {
	l := s.drafts[lin]
	weights := s.drafts[l.inputs[1]].op.(graph.Const).Values
	if s.err = s.budget.spendMACs(l.name, len(weights)); s.err != nil {
		return false
	}
	var bias []float64
	if len(l.inputs) > 2 {
		bias = s.drafts[l.inputs[2]].op.(graph.Const).Values
	}
	w, b, ok := s.drafts[id].affine.intoLinear(l.shape, index, weights, bias)
	if !ok {
		return false
	}
	s.setWeights(lin, w, b)
	s.alias[id] = stand
	s.uses[stand] = s.uses[id]
	s.uses[id] = 0
	return true
}

// setWeights gives a linear map other weights of the same shape, and a bias
// unless it is zero.
func (s *simplifier) setWeights(lin graph.ID, w, b []float64) {
	l := s.drafts[lin]
	old := l.inputs[1]
	wID := s.appendDraft(draft{op: graph.Const{Values: w}, shape: s.drafts[old].shape, name: s.drafts[old].name})
	inputs := []graph.ID{l.inputs[0], wID}
	if !allEqual(b, 0) {
		name := l.name
		if len(l.inputs) > 2 {
			name = s.drafts[l.inputs[2]].name
		}
		inputs = append(inputs, s.appendDraft(draft{op: graph.Const{Values: b}, shape: tensor.Shape{len(b)}, name: name}))
	}
	if s.uses[old] == 1 {
		s.drafts[old].op = graph.Const{} // no longer read: let its memory go
		s.uses[old] = 0
	}
	s.drafts[lin].inputs = inputs
}

// foldForward folds affine maps into the linear maps that are their only readers.
func (s *simplifier) foldForward() bool {
	s.countUses()
	changed := false
	for i := range s.drafts {
		if op, ok := s.drafts[i].op.(graph.Linear); ok && s.live(i) && s.err == nil && s.foldBefore(graph.ID(i), op) {
			changed = true
		}
	}
	return changed
}

// foldBefore folds the affine map that feeds a linear map, directly or through an
// index map.
func (s *simplifier) foldBefore(lin graph.ID, op graph.Linear) bool {
	l := s.drafts[lin]
	reader, from := lin, l.inputs[0]
	var r graph.Rewire
	if inner, ok := s.rewireOf(from); ok && len(s.drafts[from].inputs) == 1 && s.uses[from] == 1 {
		r, reader, from = inner, from, s.drafts[from].inputs[0]
	}
	a := s.drafts[from].affine
	if a == nil || s.uses[from] != 1 {
		return false
	}
	scale, shift, ok := a.perChannel(s.drafts[l.inputs[0]].shape, r)
	if !ok || !allEqual(shift, 0) && op.Pad != [4]int{} {
		return false
	}
	weights := s.drafts[l.inputs[1]]
	if s.err = s.budget.spendMACs(l.name, weights.shape.Size()); s.err != nil {
		return false
	}
	var bias []float64
	if len(l.inputs) > 2 {
		bias = s.drafts[l.inputs[2]].op.(graph.Const).Values
	}
	w, b := scaleInputs(weights.op.(graph.Const).Values, bias, weights.shape, op.Groups, scale, shift)
	s.setWeights(lin, w, b)
	s.drafts[reader].inputs = append([]graph.ID(nil), s.drafts[reader].inputs...)
	s.drafts[reader].inputs[0] = s.drafts[from].inputs[0]
	return true
}

// appendDraft adds a node out of order; renumber sorts it in.
func (s *simplifier) appendDraft(d draft) graph.ID {
	id := graph.ID(len(s.drafts))
	s.drafts = append(s.drafts, d)
	s.alias = append(s.alias, id)
	s.uses = append(s.uses, 1)
	return id
}

// materialize turns the affine maps that are left into graph operators.
func (s *simplifier) materialize() error {
	s.countUses()
	for i := range len(s.drafts) {
		if s.drafts[i].affine == nil || !s.live(i) {
			continue
		}
		if err := s.materializeAffine(graph.ID(i)); err != nil {
			return err
		}
	}
	s.countUses()
	return nil
}

func (s *simplifier) materializeAffine(id graph.ID) error {
	d := s.drafts[id]
	a := d.affine.simplified()
	size := d.shape.Size()
	plus, minus := allEqual(a.scale, 1), allEqual(a.scale, -1)
	switch {
	case plus && allEqual(a.shift, 0):
		s.alias[id] = s.resolve(d.inputs[0])
		return nil
	case minus && allEqual(a.shift, 0):
		s.drafts[id] = draft{op: graph.Add{Coeffs: []int{-1}}, inputs: d.inputs, shape: d.shape, name: d.name}
		return nil
	case plus || minus:
		if err := s.budget.spendConst(size, d.name); err != nil {
			return err
		}
		full := make([]float64, size)
		for i := range full {
			full[i] = a.shift[a.channel(i)]
		}
		shift := s.appendDraft(draft{op: graph.Const{Values: full}, shape: d.shape, name: d.name})
		s.drafts[id] = draft{op: graph.Add{Coeffs: []int{int(a.scale[0]), 1}}, inputs: []graph.ID{d.inputs[0], shift}, shape: d.shape, name: d.name}
		return nil
	}
	channels := len(a.scale)
	inner := a.inner
	if channels == 1 {
		inner = size
	}
	shape := tensor.Shape{size / (channels * inner), channels, inner, 1}
	in := s.appendDraft(draft{op: graph.Rewire{}, inputs: d.inputs, shape: shape, name: d.name})
	inputs := []graph.ID{in, s.appendDraft(draft{op: graph.Const{Values: a.scale}, shape: tensor.Shape{channels, 1, 1, 1}, name: d.name})}
	if !allEqual(a.shift, 0) {
		inputs = append(inputs, s.appendDraft(draft{op: graph.Const{Values: a.shift}, shape: tensor.Shape{channels}, name: d.name}))
	}
	op := graph.Linear{Groups: channels, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
	y := s.appendDraft(draft{op: op, inputs: inputs, shape: shape, name: d.name})
	s.drafts[id] = draft{op: graph.Rewire{}, inputs: []graph.ID{y}, shape: d.shape, name: d.name}
	return nil
}

// renumber keeps the inputs and what the outputs depend on, operands first.
func (s *simplifier) renumber() {
	s.countUses()
	placed := make([]graph.ID, len(s.drafts))
	for i := range placed {
		placed[i] = -1
	}
	var kept []draft
	var place func(id graph.ID)
	place = func(id graph.ID) {
		if placed[id] >= 0 {
			return
		}
		d := s.drafts[id]
		inputs := make([]graph.ID, len(d.inputs))
		for k, in := range d.inputs {
			place(in)
			inputs[k] = placed[in]
		}
		d.inputs = inputs
		placed[id] = graph.ID(len(kept))
		kept = append(kept, d)
	}
	for i, id := range s.inputs {
		place(id)
		s.inputs[i] = placed[id]
	}
	for i := range s.drafts {
		if s.live(i) {
			place(graph.ID(i))
		}
	}
	for i := range s.outputs {
		s.outputs[i].ID = placed[s.outputs[i].ID]
	}
	s.drafts = kept
}
