package graph_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

// Results worked out by hand, one operator a case. Every operand is an input but
// those named in constants.
func TestOperators(t *testing.T) {
	inf := math.Inf(1)
	type operand = *graph.Tensor
	conv := unit()
	conv.Pad = [4]int{1, 0, 0, 1}
	conv.Stride = [2]int{2, 1}
	depthwise := unit()
	depthwise.Groups = 2
	dilated := unit()
	dilated.Dilation = [2]int{1, 2}
	cases := []struct {
		name      string
		op        graph.Op
		in        []operand
		constants int // the last so many operands are Const
		want      operand
	}{
		{"reshape", graph.Rewire{}, []operand{of(t, tensor.Shape{2, 2}, 1, 2, 3, 4)}, 0, of(t, tensor.Shape{4}, 1, 2, 3, 4)},
		{"concat, reverse and pad", graph.Rewire{Index: []int32{4, 3, 2, 1, 0, -1}, Fill: 9},
			[]operand{of(t, tensor.Shape{3}, 1, 2, 3), of(t, tensor.Shape{2}, 4, 5)}, 0, of(t, tensor.Shape{2, 3}, 5, 4, 3, 2, 1, 9)},
		{"fully connected", unit(), []operand{of(t, tensor.Shape{1, 3, 1, 1}, 1, 2, 3),
			of(t, tensor.Shape{2, 3, 1, 1}, 1, 0, -1, 2, 2, 2), of(t, tensor.Shape{2}, 10, 20)}, 2, of(t, tensor.Shape{1, 2, 1, 1}, 8, 32)},
		{"rows times matrix", unit(), []operand{of(t, tensor.Shape{1, 2, 2, 1}, 1, 2, 3, 4),
			of(t, tensor.Shape{1, 2, 1, 1}, 10, 1)}, 1, of(t, tensor.Shape{1, 1, 2, 1}, 13, 24)},
		{"factor per channel", depthwise, []operand{of(t, tensor.Shape{1, 2, 1, 2}, 1, 2, 3, 4),
			of(t, tensor.Shape{2, 1, 1, 1}, 10, 100)}, 1, of(t, tensor.Shape{1, 2, 1, 2}, 10, 20, 300, 400)},
		// rows of X with a zero row above and a zero column on the right: output
		// rows start at rows -1 and 1.
		{"padded and strided convolution", conv, []operand{of(t, tensor.Shape{1, 1, 3, 2}, 1, 2, 3, 4, 5, 6),
			of(t, tensor.Shape{1, 1, 2, 2}, 1, 10, 100, 1000), of(t, tensor.Shape{1}, 0.5)}, 2,
			of(t, tensor.Shape{1, 1, 2, 2}, 2100.5, 200.5, 6543.5, 604.5)},
		{"dilated convolution", dilated, []operand{of(t, tensor.Shape{1, 1, 1, 4}, 1, 2, 3, 4),
			of(t, tensor.Shape{1, 1, 1, 2}, 1, 10)}, 1, of(t, tensor.Shape{1, 1, 1, 2}, 31, 42)},
		{"matmul", graph.MatMul{}, []operand{of(t, tensor.Shape{2, 1, 2}, 1, 2, 3, 4),
			of(t, tensor.Shape{2, 2, 2}, 1, 2, 3, 4, 5, 6, 7, 8)}, 0, of(t, tensor.Shape{2, 1, 2}, 7, 10, 43, 50)},
		{"mul", graph.Mul{}, []operand{of(t, tensor.Shape{2}, 3, -4), of(t, tensor.Shape{2}, 5, 6)}, 0, of(t, tensor.Shape{2}, 15, -24)},
		{"div", graph.Div{}, []operand{of(t, tensor.Shape{2}, 3, -4), of(t, tensor.Shape{2}, 2, 8)}, 0, of(t, tensor.Shape{2}, 1.5, -0.5)},
		{"truncated div", graph.Div{Truncate: true}, []operand{of(t, tensor.Shape{6}, 7, -7, 7, -7, -1, 0x1p53-1), of(t, tensor.Shape{6}, 2, 2, -2, -2, 3, 0x1p52)}, 0,
			of(t, tensor.Shape{6}, 3, -3, -3, 3, 0, 1)},
		{"add", graph.Add{Coeffs: []int{1, -1, -1}}, []operand{of(t, tensor.Shape{1}, 10), of(t, tensor.Shape{1}, 3),
			of(t, tensor.Shape{1}, 2)}, 0, of(t, tensor.Shape{1}, 5)},
		{"max", graph.Max{}, []operand{of(t, tensor.Shape{2, 3}, -1, -2, -3, 4, 6, 5)}, 0, of(t, tensor.Shape{2}, -1, 6)},
		{"softmax", graph.Softmax{}, []operand{of(t, tensor.Shape{2, 2}, 0, math.Log(3), 1000, 1000)}, 0,
			of(t, tensor.Shape{2, 2}, 0.25, 0.75, 0.5, 0.5)},
		{"argmax", graph.ArgMax{}, []operand{of(t, tensor.Shape{2, 4}, 1, 7, 7, 0, -1, -5, -1, -2)}, 0, of(t, tensor.Shape{2}, 1, 0)},
		{"argmax, last", graph.ArgMax{Last: true}, []operand{of(t, tensor.Shape{2, 4}, 1, 7, 7, 0, -1, -5, -1, -2)}, 0, of(t, tensor.Shape{2}, 2, 2)},
		{"threshold", graph.Threshold{T: 0.5}, []operand{of(t, tensor.Shape{3}, 0.4, 0.5, 0.6)}, 0, of(t, tensor.Shape{3}, 0, 1, 1)},
		{"relu", graph.Unary{Func: graph.Relu}, []operand{of(t, tensor.Shape{2}, -1, 2)}, 0, of(t, tensor.Shape{2}, 0, 2)},
		{"leaky relu", graph.Unary{Func: graph.LeakyRelu, Alpha: 0.25}, []operand{of(t, tensor.Shape{2}, -4, 2)}, 0, of(t, tensor.Shape{2}, -1, 2)},
		{"clip", graph.Unary{Func: graph.Clip, Alpha: -1, Beta: 6}, []operand{of(t, tensor.Shape{3}, -4, 2, 7)}, 0, of(t, tensor.Shape{3}, -1, 2, 6)},
		{"clip below only", graph.Unary{Func: graph.Clip, Alpha: 1, Beta: inf}, []operand{of(t, tensor.Shape{2}, 0, 9)}, 0, of(t, tensor.Shape{2}, 1, 9)},
		{"abs", graph.Unary{Func: graph.Abs}, []operand{of(t, tensor.Shape{2}, -4, 2)}, 0, of(t, tensor.Shape{2}, 4, 2)},
		{"sigmoid", graph.Unary{Func: graph.Sigmoid}, []operand{of(t, tensor.Shape{2}, 0, math.Log(4))}, 0, of(t, tensor.Shape{2}, 0.5, 0.8)},
		{"tanh", graph.Unary{Func: graph.Tanh}, []operand{of(t, tensor.Shape{1}, math.Log(3))}, 0, of(t, tensor.Shape{1}, 0.8)},
		{"exp", graph.Unary{Func: graph.Exp}, []operand{of(t, tensor.Shape{2}, 0, 1)}, 0, of(t, tensor.Shape{2}, 1, math.E)},
		{"softplus", graph.Unary{Func: graph.Softplus}, []operand{of(t, tensor.Shape{1}, math.Log(math.E-1))}, 0, of(t, tensor.Shape{1}, 1)},
		{"elu", graph.Unary{Func: graph.Elu, Alpha: 2}, []operand{of(t, tensor.Shape{2}, math.Log(0.5), 3)}, 0, of(t, tensor.Shape{2}, -1, 3)},
		{"hard sigmoid", graph.Unary{Func: graph.HardSigmoid, Alpha: 0.25, Beta: 0.5}, []operand{of(t, tensor.Shape{3}, -3, 1, 3)}, 0,
			of(t, tensor.Shape{3}, 0, 0.75, 1)},
		{"hard swish", graph.Unary{Func: graph.HardSwish}, []operand{of(t, tensor.Shape{3}, -4, 1.5, 4)}, 0, of(t, tensor.Shape{3}, 0, 1.125, 4)},
		// By the definitions, with erf and tanh of the C library.
		{"gelu", graph.Unary{Func: graph.Gelu}, []operand{of(t, tensor.Shape{2}, 1, -2)}, 0,
			of(t, tensor.Shape{2}, 0.8413447460685429, -0.04550026389635842)},
		{"gelu by tanh", graph.Unary{Func: graph.GeluTanh}, []operand{of(t, tensor.Shape{2}, 1, -2)}, 0,
			of(t, tensor.Shape{2}, 0.8411919906082768, -0.04540230591222494)},
		{"erf", graph.Unary{Func: graph.Erf}, []operand{of(t, tensor.Shape{2}, 0.5, -2.5)}, 0,
			of(t, tensor.Shape{2}, 0.5204998778130465, -0.9995930479825551)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := new(builder)
			inputs := map[string]*graph.Tensor{}
			var ids []graph.ID
			for i, x := range c.in {
				if i >= len(c.in)-c.constants {
					ids = append(ids, b.constant(x.Data, x.Shape...))
					continue
				}
				name := string(rune('a' + i))
				inputs[name] = x
				ids = append(ids, b.input(name, x.Shape...))
			}
			id := b.add(c.op, c.want.Shape, ids...)
			values, err := b.output(id).Run(inputs)
			if err != nil {
				t.Fatal(err)
			}
			for i, got := range values[id].Data {
				if math.Abs(got-c.want.Data[i]) > 1e-14*math.Abs(c.want.Data[i]) {
					t.Fatalf("found %v, expected %v", values[id].Data, c.want.Data)
				}
			}
		})
	}
}

// TestTruncatedDiv compares quotients of integers up to 2^53 with those of int64, most
// of them next to a multiple of the divisor.
func TestTruncatedDiv(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 53))
	const n = 100000
	x, y, want := tensor.New[float64](tensor.Shape{n}), tensor.New[float64](tensor.Shape{n}), make([]int64, n)
	for i := range n {
		c := 1 + rng.Int64N(1<<(1+rng.IntN(53)))
		a := min(c*(1+rng.Int64N(1<<53/c)), 1<<53) + rng.Int64N(3) - 1
		a, c = min(a, 1<<53)*(1-2*rng.Int64N(2)), c*(1-2*rng.Int64N(2))
		x.Data[i], y.Data[i], want[i] = float64(a), float64(c), a/c
	}
	b := new(builder)
	id := b.add(graph.Div{Truncate: true}, tensor.Shape{n}, b.input("x", n), b.input("y", n))
	values, err := b.output(id).Run(map[string]*graph.Tensor{"x": x, "y": y})
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range values[id].Data {
		if got != float64(want[i]) {
			t.Fatalf("%.0f / %.0f is %.0f, expected %d", x.Data[i], y.Data[i], got, want[i])
		}
	}
}

// The results of every operator have the same bits on every machine: run under
// GOAMD64=v1 and v3.
func TestSameBits(t *testing.T) {
	r, err := graph.NewRunner(everyOp())
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	for seed := range uint64(20) {
		values, err := r.Run(everyOpInputs(seed))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			for _, x := range v.Data {
				h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(x)))
			}
		}
	}
	const want = "6129a7fd692c2603f2dbed9f49004e89de169f2b792c7c2d6f0596cb218a2072"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("digest of the results is %s, expected %s", got, want)
	}
}

func TestRunnerReuse(t *testing.T) {
	g := everyOp()
	r, err := graph.NewRunner(g)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(5) {
		again, err := r.Run(everyOpInputs(seed))
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := g.Run(everyOpInputs(seed))
		if err != nil {
			t.Fatal(err)
		}
		for id := range fresh {
			for i, v := range fresh[id].Data {
				if again[id].Data[i] != v {
					t.Fatalf("seed %d, node %d, element %d: found %v, expected %v", seed, id, i, again[id].Data[i], v)
				}
			}
		}
	}
}

func TestRunRefuses(t *testing.T) {
	b := new(builder)
	x := b.input("x", 2)
	n := b.add(graph.Input{Name: "n", Integer: true}, tensor.Shape{2})
	b.Inputs = append(b.Inputs, n)
	g := b.output(b.add(graph.Div{}, tensor.Shape{2}, x, n))
	one, two := of(t, tensor.Shape{2}, 1, 1), of(t, tensor.Shape{2}, 2, 2)
	cases := []struct {
		name   string
		inputs map[string]*graph.Tensor
		want   string
	}{
		{"missing", map[string]*graph.Tensor{"x": one}, `input "n": no values`},
		{"unknown", map[string]*graph.Tensor{"x": one, "n": two, "z": one}, `input "z": the model has no such input`},
		{"shape", map[string]*graph.Tensor{"x": of(t, tensor.Shape{1, 2}, 1, 1), "n": two}, `input "x": shape [1 2], expected [2]`},
		{"size", map[string]*graph.Tensor{"x": {Shape: tensor.Shape{2}, Data: []float64{1}}, "n": two}, `input "x": 1 elements`},
		{"NaN", map[string]*graph.Tensor{"x": of(t, tensor.Shape{2}, 1, math.NaN()), "n": two}, `input "x": element 1 is NaN`},
		{"infinity", map[string]*graph.Tensor{"x": of(t, tensor.Shape{2}, math.Inf(-1), 0), "n": two}, `input "x": element 0 is -Inf`},
		{"fraction", map[string]*graph.Tensor{"x": one, "n": of(t, tensor.Shape{2}, 1, 1.5)}, `input "n": element 1 is 1.5`},
		{"division by zero", map[string]*graph.Tensor{"x": one, "n": of(t, tensor.Shape{2}, 1, 0)}, `node 2 (Div "Div"): result is not finite: element 1 is +Inf`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := g.Run(c.inputs)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("found %v, expected %q", err, c.want)
			}
			var input *graph.InputError
			if !errors.As(err, &input) && !errors.Is(err, graph.ErrNotFinite) {
				t.Errorf("%v has no type", err)
			}
		})
	}
}
