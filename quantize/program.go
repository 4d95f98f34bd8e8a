// Package quantize turns a float graph into an integer program: exact integer
// tensor arithmetic that a circuit can prove.
//
// Most users need [Quantize], which calibrates a graph on sample inputs and returns
// a [Program] and a [Report]; the report's [Settings] reproduce the program without
// samples. [Program.QuantizeInputs] and [Program.Run] then compute what the circuit
// proves, bit by bit.
//
// # Numbers
//
// A real value v becomes the integer q with v ≈ q·scale; scales are powers of two,
// but for encodings that an input's owner chose, such as bytes with scale 1/255, and
// for constant factors such as an average's 1/9: those ride in the scale until the
// next weights or the next rescale absorb them.
//
// Every tensor has a static interval from interval arithmetic over the exact
// weights: it proves that nothing wraps the field and sizes every range check.
// [Program.Validate] recomputes them all.
//
// # Where precision is given up
//
// Rescales are lazy. A linear map leaves a raw accumulator: wide interval, fine
// scale. It stays so through index maps, maxima, sums, squares and averages; ReLU
// and Clip only note their bounds. The first operator that needs a narrow operand
// makes the Rescale, and the bounds noted become its clamp. So a max pool works on
// accumulators, and x² + x and an average pool lie before their one rescale.
//
// A Rescale clamps beyond what the model does only if the proven range would not fit
// a range-check table; then the calibrated range with its margin decides. The report
// counts such saturations.
//
// # Several inferences
//
// [Program.Repeat] is the program of several inferences that share weights and tables,
// [Program.CountCorrect] that of a data set, whose answer is how many labels are right.
//
// # How far off the program is
//
// Calibration looks for the widths that meet a [Target] at the fewest rows.
// [Analysis.ErrorBounds] proves, for a run in which nothing saturated, how far each
// tensor can be from the float graph's.
package quantize

import (
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

// ID names a tensor of a Program: the index of its node in Program.Nodes.
type ID int

// MaxMagnitude bounds every value of a Program: |q| < MaxMagnitude, so that
// int64 arithmetic on two of them added never overflows.
const MaxMagnitude = 1 << 62

// Program is an integer tensor program, in topological order. Running it is
// exact: the same inputs give the same integers on every machine.
type Program struct {
	Nodes   []Node
	Inputs  []ID // the Input nodes, in the model's declared order
	Outputs []Output
}

// Output names a tensor that the model answers with.
type Output struct {
	Name string
	ID   ID
	// Labels names the classes of an argmax or threshold head, if known.
	Labels []string
}

// Node computes one integer tensor.
type Node struct {
	Op     Op
	Inputs []ID
	Shape  tensor.Shape
	// Lo and Hi bound every element of the result: Lo <= q <= Hi, for every
	// input and every hidden weight in their declared intervals.
	Lo, Hi int64
	// Scale gives the real value that an element stands for.
	Scale Scale
	// Name is the ONNX node that this comes from.
	Name string
	// Source is the float graph's tensor of the same shape that this one
	// approximates, or -1 if it is an intermediate one.
	Source graph.ID
}

// Scale is the real value of the integer 1: Num/Den · 2^-Exp.
type Scale struct {
	// Num and Den are 1 unless the input's owner chose an encoding such as 1/255, or a
	// constant factor of the model, such as an average's 1/9, went into the scale.
	Num uint64 `json:"num"`
	Den uint64 `json:"den"`
	Exp int    `json:"exp"`
}

// Op is one of this package's operators: Input, Const, Param, Rewire, Linear,
// MatMul, Mul, Add, Rescale, Lookup, Max, Threshold, Div, ArgMax.
type Op interface{ op() }

// Input is a witness tensor that the prover supplies. Its interval has
// Hi - Lo + 1 = 2^Bits exactly, and the circuit checks it.
type Input struct {
	Name string
	Bits int
}

// Const is a tensor of fixed integers, part of the verifying key.
type Const struct {
	Values []int64
}

// Param is a witness tensor of declared bits: hidden weights. Its interval has
// Hi - Lo + 1 = 2^Bits, is declared and never derived from the values. Values are
// not part of the program's digest.
type Param struct {
	Name   string
	Bits   int
	Values []int64
}

// Rewire is a static index map, as graph.Rewire.
type Rewire struct {
	Index []int32
	Fill  int64
}

// Linear is graph.Linear over integers. Operands: X [N, C, H, W], weights (Const
// or Param) [O, C/Groups, KH, KW], optionally a bias (Const or Param) [O] already
// at the accumulator's scale.
type Linear struct {
	Groups   int
	Stride   [2]int
	Dilation [2]int
	Pad      [4]int
}

// MatMul is the batched product of two computed matrices: X [B, M, K], Y
// [B, K, N], result [B, M, N].
type MatMul struct{}

// Mul is the elementwise product of two tensors of one shape.
type Mul struct{}

// Add is Σ Coeffs[i]·operand i + Const of tensors of one shape.
type Add struct {
	Coeffs []int64
	Const  int64
}

// Rescale is y = clamp(round(x·Multiplier / 2^Shift), Min, Max), Min and Max
// included. The clamp is part of the meaning: it is how ReLU (Min = 0), Clip and
// saturation are written; a Rescale that never saturates has Min and Max at or
// beyond the interval of what it rounds. Shift may be 0.
type Rescale struct {
	Multiplier int64 // >= 1
	Shift      uint  // 0 … 62
	Rounding   Rounding
	Min, Max   int64
}

// Rounding says what a Rescale does with the fraction.
type Rounding uint8

// The roundings of Rescale.
const (
	// HalfUp is floor(v + 1/2).
	HalfUp Rounding = iota
	// HalfEven rounds to nearest, ties to the even integer.
	HalfEven
)

// Lookup maps x in [Min, Min+len(Table)) to Table[x-Min]. The operand's interval
// lies in that range.
type Lookup struct {
	Func  string // for display, e.g. "sigmoid"
	Min   int64
	Table []int64
}

// Max is the maximum over the last axis: [..., K] to [...].
type Max struct{}

// Threshold is 1 where x >= T, else 0.
type Threshold struct {
	T int64
}

// Div is y = floor((a·2^Shift + floor(b/2)) / b): the quotient of two tensors of
// one shape, rounded half up. The divisor's interval has Lo >= 1 and the
// dividend's Lo >= 0.
type Div struct {
	Shift uint
}

// ArgMax is the index of the largest element of the last axis: [..., K] to
// [...]; the first such index, or the last if Last.
type ArgMax struct {
	Last bool
}

func (Input) op()     {}
func (Const) op()     {}
func (Param) op()     {}
func (Rewire) op()    {}
func (Linear) op()    {}
func (MatMul) op()    {}
func (Mul) op()       {}
func (Add) op()       {}
func (Rescale) op()   {}
func (Lookup) op()    {}
func (Max) op()       {}
func (Threshold) op() {}
func (Div) op()       {}
func (ArgMax) op()    {}
