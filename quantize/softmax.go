package quantize

import (
	"math"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

// softmax is the exact integer
//
//	z_i = max_j x_j − x_i,  e_i = table(min(z_i, zmax)),  y_i = round(e_i·2^S / Σ_j e_j)
//
// with a table of e^−z. The sum is at least table(0), that of the largest element;
// a Rescale with that minimum, which never changes a value, tells the interval
// analysis so.
func (l *lowering) softmax(id graph.ID) (value, error) {
	n := &l.g.Nodes[id]
	x, err := l.even(l.values[n.Inputs[0]])
	if err != nil {
		return value{}, err
	}
	t, err := l.tensor(id)
	if err != nil {
		return value{}, err
	}
	k := n.Shape[len(n.Shape)-1]
	rows := n.Shape.Size() / k
	out := t.Bits
	node := *l.b.Node(x.id)
	part := func(op Op, shape tensor.Shape, scale Scale, note deviation, in ...ID) ID {
		if err != nil {
			return -1
		}
		var y ID
		y, err = l.emit(Node{Op: op, Inputs: in, Shape: shape, Scale: scale, Name: n.Name, Source: -1}, note)
		return y
	}
	spreadIndex := make([]int32, rows*k)
	for i := range spreadIndex {
		spreadIndex[i] = int32(i / k)
	}
	largest := part(Max{}, nil, node.Scale, deviation{}, x.id)
	everywhere := part(Rewire{Index: spreadIndex}, n.Shape, node.Scale, deviation{}, largest)
	z := part(Add{Coeffs: []int64{1, -1}}, nil, node.Scale, deviation{}, everywhere, x.id)
	if err != nil {
		return value{}, err
	}
	// e^-zmax is below half a unit of the table; its domain fits 2^TableBits.
	tableExp := out + 2
	zmax := math.Ceil(0.7 * float64(tableExp+1))
	exp := min(node.Scale.Exp, max(l.s.TableBits-ceilLog2(zmax), 0))
	r := l.rescaleTo(z, exp, out)
	r.Min, r.Max = 0, max(roundConstant(zmax, r.exp), 0)
	r.note.clampLo, r.note.clampHi, r.note.flat = 0, math.Inf(1), [2]bool{false, true}
	r.Max = min(r.Max, max(0, r.round(l.b.Node(z).Hi)))
	clamped := part(r.Rescale, nil, PowerOfTwo(r.exp), r.note, z)
	if err != nil {
		return value{}, err
	}
	function := &graph.Unary{Func: graph.Exp, Alpha: -1}
	table := make([]int64, r.Max+1)
	for i := range table {
		e := function.Eval(-math.Ldexp(float64(i), -r.exp))
		table[i] = int64(math.RoundToEven(math.Ldexp(e, tableExp)))
	}
	e := part(Lookup{Func: "exp(-x)", Min: 0, Table: table}, nil, PowerOfTwo(tableExp), deviation{negatedExp: true, flat: [2]bool{false, true}}, clamped)
	ones := make([]int64, k)
	for i := range ones {
		ones[i] = 1
	}
	columns := part(Rewire{}, tensor.Shape{rows, k, 1, 1}, PowerOfTwo(tableExp), deviation{}, e)
	weights := part(Const{Values: ones}, tensor.Shape{1, k, 1, 1}, PowerOfTwo(0), deviation{})
	sum := part(Linear{Groups: 1, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}, nil, PowerOfTwo(tableExp), deviation{}, columns, weights)
	if err != nil {
		return value{}, err
	}
	positive := part(Rescale{Multiplier: 1, Min: table[0], Max: max(table[0], l.b.Node(sum).Hi)}, nil, PowerOfTwo(tableExp), deviation{clampLo: math.Inf(-1), clampHi: math.Inf(1)}, sum)
	divisor := part(Rewire{Index: spreadIndex}, n.Shape, PowerOfTwo(tableExp), deviation{}, positive)
	y := part(Div{Shift: uint(out)}, nil, PowerOfTwo(out), deviation{}, e, divisor)
	if err != nil {
		return value{}, err
	}
	l.b.Node(y).Source = id
	return unclamped(y, id), nil
}
