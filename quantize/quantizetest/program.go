// Package quantizetest makes random integer programs and random float graphs for
// tests that compare two interpreters.
package quantizetest

import (
	"fmt"
	"math/rand/v2"

	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// Options bound what Program makes. The zero value gives small programs.
type Options struct {
	Nodes   int  // computed nodes; 8 if 0
	Size    int  // largest dimension; 5 if 0
	Width   int  // no interval is wider than 2^Width values; 40 if 0
	NoParam bool // no hidden weights
}

// Program returns a random valid program over all operators, with one to three
// inputs and at least one output. The same r gives the same program.
func Program(r *rand.Rand, o Options) *quantize.Program {
	g := &generator{r: r, b: quantize.NewBuilder(), o: o}
	if g.o.Nodes == 0 {
		g.o.Nodes = 8
	}
	if g.o.Size == 0 {
		g.o.Size = 5
	}
	if g.o.Width == 0 {
		g.o.Width = 40
	}
	for i := range 1 + r.IntN(3) {
		g.input(i)
	}
	for tries := 0; g.made < g.o.Nodes && tries < 50*g.o.Nodes; tries++ {
		g.step()
	}
	g.outputs()
	return g.b.Program
}

// Inputs returns random values for the program's inputs, ends of intervals more
// often than chance would give.
func Inputs(r *rand.Rand, p *quantize.Program) [][]int64 {
	all := make([][]int64, len(p.Inputs))
	for i, id := range p.Inputs {
		n := &p.Nodes[id]
		v := make([]int64, n.Shape.Size())
		mode := r.IntN(4)
		for k := range v {
			switch {
			case mode == 0 || r.IntN(8) == 0:
				v[k] = []int64{n.Lo, n.Hi}[r.IntN(2)]
			case mode == 1:
				v[k] = n.Lo + (n.Hi-n.Lo)/2
			default:
				v[k] = n.Lo + int64(r.Uint64N(uint64(n.Hi-n.Lo)+1))
			}
		}
		all[i] = v
	}
	return all
}

// generator grows one program.
type generator struct {
	r    *rand.Rand
	b    *quantize.Builder
	o    Options
	made int
	pool []quantize.ID // tensors that may be operands
}

// dim is a random dimension.
func (g *generator) dim() int { return 1 + g.r.IntN(g.o.Size) }

// between is a random integer of [lo, hi].
func (g *generator) between(lo, hi int64) int64 { return lo + g.r.Int64N(hi-lo+1) }

// values are n random integers of [-m, m], some of them zero.
func (g *generator) values(n int, m int64) []int64 {
	v := make([]int64, n)
	for i := range v {
		if g.r.IntN(6) > 0 {
			v[i] = g.between(-m, m)
		}
	}
	return v
}

// input adds an Input.
func (g *generator) input(i int) {
	width := 1 + g.r.IntN(9)
	lo := []int64{0, -(1 << width) / 2, g.between(-300, 300)}[g.r.IntN(3)]
	shape := tensor.Shape{g.dim(), g.dim()}
	if g.r.IntN(2) == 0 {
		shape = tensor.Shape{1, 1 + g.r.IntN(2), g.dim(), g.dim()}
	}
	id := g.add(quantize.Input{Name: fmt.Sprintf("input%d", i), Bits: width}, shape, lo)
	g.pool = append(g.pool, id)
}

// add appends a node; -1 if the program can't take it.
func (g *generator) add(op quantize.Op, shape tensor.Shape, lo int64, in ...quantize.ID) quantize.ID {
	id, err := g.b.Append(quantize.Node{Op: op, Inputs: in, Shape: shape, Lo: lo, Source: -1, Name: fmt.Sprintf("node%d", len(g.b.Program.Nodes))})
	if err != nil {
		return -1
	}
	return id
}

// keep makes a computed tensor available, if it is narrow enough.
func (g *generator) keep(id quantize.ID) {
	if id < 0 {
		return
	}
	n := g.b.Node(id)
	if uint64(n.Hi-n.Lo)>>g.o.Width != 0 {
		id = g.narrow(id, 8)
		if id < 0 {
			return
		}
	}
	g.made++
	g.pool = append(g.pool, id)
}

// pick is a random operand, more often a recent one.
func (g *generator) pick() quantize.ID {
	n := len(g.pool)
	return g.pool[n-1-min(g.r.IntN(n), g.r.IntN(n))]
}

// narrow rescales a tensor to at most the given number of bits.
func (g *generator) narrow(id quantize.ID, width int) quantize.ID {
	n := g.b.Node(id)
	shift := uint(0)
	for uint64(n.Hi-n.Lo)>>shift>>width != 0 {
		shift++
	}
	shift -= min(shift, uint(g.r.IntN(4)))
	half := int64(1) << (width - 1)
	op := quantize.Rescale{Multiplier: 1, Shift: shift, Rounding: quantize.Rounding(g.r.IntN(2)), Min: -half, Max: half - 1}
	if g.r.IntN(2) == 0 {
		op.Min = 0
	}
	return g.add(op, nil, 0, id)
}

// step adds one random operator.
func (g *generator) step() {
	x := g.pick()
	n := *g.b.Node(x)
	switch g.r.IntN(13) {
	case 0:
		g.keep(g.rewire(x))
	case 1, 2:
		g.keep(g.linear(x))
	case 3:
		g.keep(g.matmul(x))
	case 4:
		y := x
		if g.r.IntN(3) > 0 {
			y = g.reshaped(g.pick(), n.Shape)
		}
		g.keep(g.add(quantize.Mul{}, nil, 0, x, y))
	case 5:
		in := []quantize.ID{x}
		coeffs := []int64{g.between(-5, 5)}
		for range g.r.IntN(3) {
			in = append(in, g.reshaped(g.pick(), n.Shape))
			coeffs = append(coeffs, 1<<g.r.IntN(6))
		}
		g.keep(g.add(quantize.Add{Coeffs: coeffs, Const: g.between(-100, 100)}, nil, 0, in...))
	case 6:
		g.keep(g.rescale(x))
	case 7:
		g.keep(g.lookup(x))
	case 8:
		g.keep(g.add(quantize.Max{}, nil, 0, x))
	case 9:
		g.keep(g.add(quantize.Threshold{T: g.between(n.Lo, n.Hi)}, nil, 0, x))
	case 10:
		g.keep(g.div(x))
	case 11:
		g.keep(g.add(quantize.ArgMax{Last: g.r.IntN(2) == 0}, nil, 0, x))
	case 12:
		g.keep(g.pool2(x))
	}
}

// rescale adds a random rescale, saturating or not.
func (g *generator) rescale(x quantize.ID) quantize.ID {
	n := g.b.Node(x)
	op := quantize.Rescale{Multiplier: 1, Shift: uint(g.r.IntN(14)), Rounding: quantize.Rounding(g.r.IntN(2)), Min: -quantize.MaxMagnitude + 1, Max: quantize.MaxMagnitude - 1}
	if g.r.IntN(4) == 0 {
		op.Multiplier = g.between(1, 1000)
	}
	if g.r.IntN(2) == 0 {
		op.Min = 0
	}
	if g.r.IntN(2) == 0 {
		op.Max = max(op.Min, n.Hi>>op.Shift/2, 3)
	}
	return g.add(op, nil, 0, x)
}

// lookup adds a random table over the operand's interval, narrowed first if it is
// wide.
func (g *generator) lookup(x quantize.ID) quantize.ID {
	if n := g.b.Node(x); uint64(n.Hi-n.Lo)>>9 != 0 {
		if x = g.narrow(x, 7); x < 0 {
			return -1
		}
	}
	n := g.b.Node(x)
	lo := n.Lo - g.between(0, 3)
	table := g.values(int(n.Hi-lo+1)+g.r.IntN(4), 200)
	return g.add(quantize.Lookup{Func: "random", Min: lo, Table: table}, nil, 0, x)
}

// reshaped makes x fit a shape by repeating its elements, now and then with a
// fill among them.
func (g *generator) reshaped(x quantize.ID, shape tensor.Shape) quantize.ID {
	n := g.b.Node(x)
	if n.Shape.Equal(shape) {
		return x
	}
	size := n.Shape.Size()
	index := make([]int32, shape.Size())
	for i := range index {
		index[i] = int32(i % size)
		if g.r.IntN(20) == 0 {
			index[i] = -1
		}
	}
	return g.add(quantize.Rewire{Index: index, Fill: g.between(-9, 9)}, shape, 0, x)
}

// rewire adds a random index map of one or two operands, or a reshape.
func (g *generator) rewire(x quantize.ID) quantize.ID {
	n := g.b.Node(x)
	size := n.Shape.Size()
	if g.r.IntN(3) == 0 {
		return g.add(quantize.Rewire{}, tensor.Shape{size}, 0, x)
	}
	in := []quantize.ID{x}
	if g.r.IntN(2) == 0 {
		in = append(in, g.pick())
		size += g.b.Node(in[1]).Shape.Size()
	}
	shape := tensor.Shape{g.dim(), g.dim()}
	index := make([]int32, shape.Size())
	for i := range index {
		index[i] = int32(g.r.IntN(size+1)) - 1
	}
	return g.add(quantize.Rewire{Index: index, Fill: g.between(-5, 5)}, shape, 0, in...)
}

// linear adds a convolution, a fully connected layer or a factor per channel.
func (g *generator) linear(x quantize.ID) quantize.ID {
	n := g.b.Node(x)
	size := n.Shape.Size()
	shape := tensor.Shape{1, size, 1, 1}
	if g.r.IntN(2) == 0 {
		shape = tensor.Shape{1 + g.r.IntN(2), 2, g.dim(), g.dim()}
	}
	x = g.reshaped(x, shape)
	if x < 0 {
		return -1
	}
	op := quantize.Linear{Groups: 1, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}
	kernel := [2]int{1, 1}
	if shape[2] > 1 || shape[3] > 1 {
		for axis := range 2 {
			kernel[axis] = 1 + g.r.IntN(3)
			op.Stride[axis] = 1 + g.r.IntN(2)
			op.Dilation[axis] = 1 + g.r.IntN(2)
		}
		for i := range op.Pad {
			op.Pad[i] = g.r.IntN(3)
		}
	}
	if g.r.IntN(3) == 0 {
		op.Groups = shape[1]
	}
	outputs := op.Groups * (1 + g.r.IntN(3))
	w := g.weights(tensor.Shape{outputs, shape[1] / op.Groups, kernel[0], kernel[1]})
	if g.r.IntN(2) == 0 {
		return g.add(op, nil, 0, x, w, g.weights(tensor.Shape{outputs}))
	}
	return g.add(op, nil, 0, x, w)
}

// weights adds a Const or a Param.
func (g *generator) weights(shape tensor.Shape) quantize.ID {
	if g.o.NoParam || g.r.IntN(3) > 0 {
		return g.add(quantize.Const{Values: g.values(shape.Size(), 60)}, shape, 0)
	}
	width := 1 + g.r.IntN(7)
	lo := -int64(1) << (width - 1)
	v := make([]int64, shape.Size())
	for i := range v {
		v[i] = g.between(lo, lo+1<<width-1)
	}
	return g.add(quantize.Param{Name: fmt.Sprintf("param%d", len(g.b.Program.Nodes)), Bits: width, Values: v}, shape, lo)
}

// matmul adds a batched product of two computed matrices.
func (g *generator) matmul(x quantize.ID) quantize.ID {
	batch, m, k, n := 1+g.r.IntN(2), g.dim(), g.dim(), g.dim()
	a := g.reshaped(x, tensor.Shape{batch, m, k})
	b := g.reshaped(g.pick(), tensor.Shape{batch, k, n})
	if a < 0 || b < 0 {
		return -1
	}
	return g.add(quantize.MatMul{}, nil, 0, a, b)
}

// div adds a quotient of two tensors made non-negative and positive.
func (g *generator) div(x quantize.ID) quantize.ID {
	n := g.b.Node(x)
	a := g.add(quantize.Rescale{Multiplier: 1, Min: 0, Max: max(n.Hi, 1)}, nil, 0, x)
	y := g.reshaped(g.pick(), n.Shape)
	if a < 0 || y < 0 {
		return -1
	}
	b := g.add(quantize.Rescale{Multiplier: 1, Min: 1, Max: max(g.b.Node(y).Hi, 1)}, nil, 0, y)
	return g.add(quantize.Div{Shift: uint(g.r.IntN(10))}, nil, 0, a, b)
}

// pool2 adds windows of four, their maximum and a rescale with ReLU: the shape of
// a max pool on raw accumulators.
func (g *generator) pool2(x quantize.ID) quantize.ID {
	size := g.b.Node(x).Shape.Size()
	windows := g.dim()
	index := make([]int32, windows*4)
	for i := range index {
		index[i] = int32(g.r.IntN(size))
	}
	w := g.add(quantize.Rewire{Index: index}, tensor.Shape{windows, 4}, 0, x)
	m := g.add(quantize.Max{}, nil, 0, w)
	hi := max(g.b.Node(m).Hi, 1)
	return g.add(quantize.Rescale{Multiplier: 1, Shift: uint(g.r.IntN(8)), Min: 0, Max: hi}, nil, 0, m)
}

// outputs names the last tensor and some others as outputs.
func (g *generator) outputs() {
	p := g.b.Program
	last := g.pool[len(g.pool)-1]
	p.Outputs = append(p.Outputs, quantize.Output{Name: "output0", ID: last})
	if other := g.pick(); other != last {
		p.Outputs = append(p.Outputs, quantize.Output{Name: "output1", ID: other})
	}
}
