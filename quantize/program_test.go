package quantize_test

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/quantize/quantizetest"
	"github.com/zkml-go/zkml/tensor"
)

// TestIntervalsHold runs random programs on random inputs: every value lies in
// its node's interval, and the intervals are valid.
func TestIntervalsHold(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := quantizetest.Program(r, quantizetest.Options{})
		if err := p.Validate(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for range 3 {
			values, err := p.Run(quantizetest.Inputs(r, p))
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			for i, n := range p.Nodes {
				if slices.Min(values[i]) < n.Lo || slices.Max(values[i]) > n.Hi {
					t.Fatalf("seed %d: node %d %T: values leave [%d, %d]", seed, i, n.Op, n.Lo, n.Hi)
				}
			}
		}
		for _, n := range p.Nodes {
			seen[opName(n.Op)]++
		}
	}
	for _, op := range []quantize.Op{quantize.Input{}, quantize.Const{}, quantize.Param{}, quantize.Rewire{}, quantize.Linear{}, quantize.MatMul{}, quantize.Mul{}, quantize.Add{}, quantize.Rescale{}, quantize.Lookup{}, quantize.Max{}, quantize.Threshold{}, quantize.Div{}, quantize.ArgMax{}} {
		if seen[opName(op)] < 100 {
			t.Errorf("%s occurs %d times in the random programs", opName(op), seen[opName(op)])
		}
	}
}

// TestIntervalsTight wants both ends of a linear map's interval to be reached by the
// inputs that make every product extreme.
func TestIntervalsTight(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	b := quantize.NewBuilder()
	x := node(t, b, quantize.Input{Name: "x", Bits: 5}, tensor.Shape{1, 40, 1, 1}, -7)
	w := make([]int64, 40)
	for i := range w {
		w[i] = r.Int64N(200) - 100
	}
	k := node(t, b, quantize.Const{Values: w}, tensor.Shape{1, 40, 1, 1}, 0)
	y := node(t, b, quantize.Linear{Groups: 1, Stride: [2]int{1, 1}, Dilation: [2]int{1, 1}}, nil, 0, x, k)
	in := b.Node(x)
	least, most := make([]int64, 40), make([]int64, 40)
	for i, v := range w {
		least[i], most[i] = in.Lo, in.Hi
		if v < 0 {
			least[i], most[i] = in.Hi, in.Lo
		}
	}
	for _, c := range []struct {
		x    []int64
		want int64
	}{{least, b.Node(y).Lo}, {most, b.Node(y).Hi}} {
		got, err := b.Program.Eval(y, c.x, w)
		if err != nil || got[0] != c.want {
			t.Errorf("%v, %v, want %d", got, err, c.want)
		}
	}
}

// TestValidateRejects changes one declared interval end of a random program to
// something tighter than the values of a run, and wants an error.
func TestValidateRejects(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		p := quantizetest.Program(r, quantizetest.Options{})
		values, err := p.Run(quantizetest.Inputs(r, p))
		if err != nil {
			t.Fatal(err)
		}
		i := r.IntN(len(p.Nodes))
		p.Nodes[i].Hi = slices.Max(values[i]) - 1
		var invalid *quantize.InvalidError
		if err := p.Validate(); !errors.As(err, &invalid) {
			t.Fatalf("seed %d: node %d declared below a value it takes: %v", seed, i, err)
		}
	}
}

// TestEvalArbitrary gives every operator integers far outside its interval, as a
// dishonest prover's hint may see: it must not panic.
func TestEvalArbitrary(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 3))
		p := quantizetest.Program(r, quantizetest.Options{})
		for i, n := range p.Nodes {
			operands := make([][]int64, len(n.Inputs))
			for k, in := range n.Inputs {
				operands[k] = make([]int64, p.Nodes[in].Shape.Size())
				for j := range operands[k] {
					operands[k][j] = []int64{math.MinInt64, math.MaxInt64, 0, -1, int64(r.Uint64())}[r.IntN(5)]
				}
			}
			y, err := p.Eval(quantize.ID(i), operands...)
			if err == nil && len(y) != n.Shape.Size() {
				t.Fatalf("seed %d: node %d: %d values", seed, i, len(y))
			}
		}
		if _, err := p.Eval(quantize.ID(len(p.Nodes)-1), nil, nil, nil, nil, nil); err == nil {
			t.Fatal("wrong number of operands accepted")
		}
	}
}

// opName is the operator's type name.
func opName(op quantize.Op) string {
	switch op.(type) {
	case quantize.Input:
		return "input"
	case quantize.Const:
		return "const"
	case quantize.Param:
		return "param"
	case quantize.Rewire:
		return "rewire"
	case quantize.Linear:
		return "linear"
	case quantize.MatMul:
		return "matmul"
	case quantize.Mul:
		return "mul"
	case quantize.Add:
		return "add"
	case quantize.Rescale:
		return "rescale"
	case quantize.Lookup:
		return "lookup"
	case quantize.Max:
		return "max"
	case quantize.Threshold:
		return "threshold"
	case quantize.Div:
		return "div"
	}
	return "argmax"
}

// node appends a node or fails the test.
func node(t *testing.T, b *quantize.Builder, op quantize.Op, shape tensor.Shape, lo int64, in ...quantize.ID) quantize.ID {
	t.Helper()
	id, err := b.Append(quantize.Node{Op: op, Shape: shape, Lo: lo, Inputs: in, Name: opName(op)})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestRescale compares every rounding with rational arithmetic.
func TestRescale(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		op := quantize.Rescale{Multiplier: 1 + r.Int64N(9), Shift: uint(r.IntN(5)), Rounding: quantize.Rounding(r.IntN(2)), Min: -1000, Max: 1000}
		b := quantize.NewBuilder()
		x := node(t, b, quantize.Input{Name: "x", Bits: 7}, tensor.Shape{1}, -64)
		y := node(t, b, op, nil, 0, x)
		v := r.Int64N(128) - 64
		got, err := b.Program.Eval(y, []int64{v})
		if err != nil {
			t.Fatal(err)
		}
		exact := big.NewRat(v*op.Multiplier, 1<<op.Shift)
		if diff := distance(exact, got[0]); diff.Cmp(big.NewRat(1, 2)) > 0 {
			t.Fatalf("%+v of %d is %d, %v away", op, v, got[0], diff)
		} else if diff.Cmp(big.NewRat(1, 2)) == 0 {
			up := exact.Cmp(new(big.Rat).SetInt64(got[0])) < 0
			if op.Rounding == quantize.HalfUp && !up || op.Rounding == quantize.HalfEven && got[0]%2 != 0 {
				t.Fatalf("%+v of %d is %d: the tie went the wrong way", op, v, got[0])
			}
		}
	}
}

// distance is |exact - v|.
func distance(exact *big.Rat, v int64) *big.Rat {
	d := new(big.Rat).Sub(exact, new(big.Rat).SetInt64(v))
	return d.Abs(d)
}

// TestDiv compares quotients with big integers.
func TestDiv(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		op := quantize.Div{Shift: uint(r.IntN(20))}
		b := quantize.NewBuilder()
		x := node(t, b, quantize.Input{Name: "a", Bits: 20}, tensor.Shape{1}, 0)
		y := node(t, b, quantize.Input{Name: "b", Bits: 20}, tensor.Shape{1}, 1)
		z := node(t, b, op, nil, 0, x, y)
		a, d := r.Int64N(1<<20), 1+r.Int64N(1<<20)
		got, err := b.Program.Eval(z, []int64{a}, []int64{d})
		if err != nil {
			t.Fatal(err)
		}
		want := new(big.Int).Lsh(big.NewInt(a), op.Shift)
		want.Add(want, big.NewInt(d/2)).Div(want, big.NewInt(d))
		if want.Int64() != got[0] {
			t.Fatalf("%d·2^%d / %d = %v, found %d", a, op.Shift, d, want, got[0])
		}
	}
}

// TestLinear compares convolutions with the sum of the definition.
func TestLinear(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		groups := 1 + r.IntN(3)
		n, c, h, w := 1+r.IntN(2), groups*(1+r.IntN(2)), 1+r.IntN(6), 1+r.IntN(6)
		o, kh, kw := groups*(1+r.IntN(2)), 1+r.IntN(3), 1+r.IntN(3)
		op := quantize.Linear{Groups: groups, Stride: [2]int{1 + r.IntN(2), 1 + r.IntN(3)}, Dilation: [2]int{1 + r.IntN(2), 1 + r.IntN(2)}, Pad: [4]int{r.IntN(3), r.IntN(3), r.IntN(3), r.IntN(3)}}
		b := quantize.NewBuilder()
		x := node(t, b, quantize.Input{Name: "x", Bits: 8}, tensor.Shape{n, c, h, w}, -128)
		random := func(size int) []int64 {
			v := make([]int64, size)
			for i := range v {
				v[i] = r.Int64N(100) - 50
			}
			return v
		}
		wv, bv, xv := random(o*c/groups*kh*kw), random(o), random(n*c*h*w)
		k := node(t, b, quantize.Const{Values: wv}, tensor.Shape{o, c / groups, kh, kw}, 0)
		bias := node(t, b, quantize.Const{Values: bv}, tensor.Shape{o}, 0)
		y, err := b.Append(quantize.Node{Op: op, Inputs: []quantize.ID{x, k, bias}})
		if err != nil {
			continue // the kernel is larger than the operand
		}
		got, err := b.Program.Eval(y, xv, wv, bv)
		if err != nil {
			t.Fatal(err)
		}
		shape := b.Node(y).Shape
		for at := range got {
			q, p, out, img := at%shape[3], at/shape[3]%shape[2], at/shape[3]/shape[2]%o, at/shape[3]/shape[2]/o
			want := bv[out]
			for ci := range c / groups {
				for i := range kh {
					for j := range kw {
						u, v := p*op.Stride[0]+i*op.Dilation[0]-op.Pad[0], q*op.Stride[1]+j*op.Dilation[1]-op.Pad[1]
						if u < 0 || v < 0 || u >= h || v >= w {
							continue
						}
						channel := out/(o/groups)*(c/groups) + ci
						want += wv[((out*(c/groups)+ci)*kh+i)*kw+j] * xv[((img*c+channel)*h+u)*w+v]
					}
				}
			}
			if got[at] != want {
				t.Fatalf("%+v: element %d is %d, want %d", op, at, got[at], want)
			}
		}
	}
}

// TestRangeError wants an input outside its interval refused by name, or clamped.
func TestRangeError(t *testing.T) {
	b := quantize.NewBuilder()
	x := node(t, b, quantize.Input{Name: "pixels", Bits: 8}, tensor.Shape{3}, 0)
	b.Node(x).Scale = quantize.Scale{Num: 1, Den: 255}
	p := b.Program
	p.Outputs = []quantize.Output{{Name: "y", ID: x}}
	got, err := p.QuantizeInputs([][]float64{{0, 1, 100.0 / 255}}, quantize.Refuse)
	if err != nil || !slices.Equal(got[0], []int64{0, 255, 100}) {
		t.Fatalf("%v, %v", got, err)
	}
	var rangeError *quantize.RangeError
	if _, err := p.QuantizeInputs([][]float64{{0, 1.5, 0}}, quantize.Refuse); !errors.As(err, &rangeError) || rangeError.Input != "pixels" || rangeError.Element != 1 || rangeError.Value != 1.5 || rangeError.Hi != 1 {
		t.Fatalf("%v", err)
	}
	if got, err = p.QuantizeInputs([][]float64{{math.Inf(-1), 1.5, 1e300}}, quantize.Clamp); err != nil || !slices.Equal(got[0], []int64{0, 255, 255}) {
		t.Fatalf("%v, %v", got, err)
	}
	if _, err := p.QuantizeInputs([][]float64{{0, math.NaN(), 0}}, quantize.Clamp); !errors.As(err, &rangeError) {
		t.Fatalf("%v", err)
	}
	if _, err := p.Run([][]int64{{0, 256, 0}}); !errors.As(err, &rangeError) || rangeError.Element != 1 {
		t.Fatalf("%v", err)
	}
}
