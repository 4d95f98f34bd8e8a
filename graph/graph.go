// Package graph is the lowered model: thirteen kinds of real-valued tensor
// operators, each with one output tensor of static shape, in topological order.
//
// ONNX has some two hundred operators; [github.com/zkml-go/zkml/onnx] lowers
// them, once, to this closed set, and nothing after it knows an ONNX name. All
// movement of data — reshape, transpose, slice, concat, pad, expand, gather with
// constant indices, im2col — is one operator, [Rewire], a static index map,
// because in a circuit it costs nothing. All linear maps with constant
// coefficients — fully connected, convolution, average pool, sum over an axis,
// batch normalisation, scaling — are one operator, [Linear], in the layout of a
// grouped two-dimensional convolution.
//
// [Graph.Run] is the float interpreter: the first of three that must agree (the
// integer program and the circuit are the others). [Runner] is the same for many
// samples. [Graph.Validate] is what every graph must pass before anything else is
// done with it, and [Encode] and [Decode] are its canonical bytes. The story of an
// operator — what it demands of its operands, how it is evaluated — is in the file
// of its family.
package graph

import "github.com/zkml-go/zkml/tensor"

// ID names a value: it is the index in Graph.Nodes of the node that computes it.
type ID int

// Graph is a lowered model. A node's inputs all have smaller IDs than itself.
type Graph struct {
	// Name is the model's own name, for display.
	Name string
	// Nodes in topological order; their indices are the IDs.
	Nodes []Node
	// Inputs are the IDs of the Input nodes in the model's declared order.
	Inputs []ID
	// Outputs in the model's declared order.
	Outputs []Output
}

// Output names a value that the model answers with.
type Output struct {
	Name string
	ID   ID
}

// Node computes one tensor.
type Node struct {
	Op Op
	// Inputs are the operands, all with smaller IDs.
	Inputs []ID
	// Shape of the result.
	Shape tensor.Shape
	// Name is the ONNX node (or graph input, or initializer) that this node
	// comes from, for messages and reports. Several nodes may share one.
	Name string
}

// Op is one of the operators of this package: Input, Const, Rewire, Linear,
// MatMul, Mul, Div, Add, Unary, Max, Softmax, ArgMax, Threshold.
type Op interface {
	// kind is the operator's name in messages and files.
	kind() string
	// check returns an error unless the node's result has the shape that its
	// operands give. The operands have valid IDs and checked shapes.
	check(g *Graph, n *Node) error
	// eval computes out, whose shape is the node's, from the operands.
	eval(out *Tensor, in []*Tensor)
}

// Tensor is a tensor of real values.
type Tensor = tensor.Dense[float64]

// Kind returns the name of an operator's kind, such as "Linear".
func Kind(op Op) string { return op.kind() }

// Input is a tensor that the caller supplies. No operands.
type Input struct {
	Name string
	// Integer says that the model declares an integer or boolean dtype, so that
	// the values are whole numbers and are taken at scale 1.
	Integer bool
}

// Const is a tensor known when the model is loaded: a weight, a bias, a table.
// No operands. Values are float32 or integer values held exactly in float64.
type Const struct {
	Values []float64
}

// Rewire is a static index map. Element i of the result is element Index[i] of
// the operands, flattened row-major and laid end to end, or Fill where Index[i]
// is -1. A nil Index is the identity on a single operand (a reshape).
type Rewire struct {
	Index []int32
	Fill  float64
}

// Linear is a linear map with constant coefficients, in the layout of ONNX's
// grouped Conv with two spatial axes. Operands: X of shape [N, C, H, W]; the
// weights, a Const of shape [O, C/Groups, KH, KW]; optionally the bias, a Const
// of shape [O]. The result has shape [N, O, H', W'] with
//
//	Y[n,o,u,v] = B[o] + Σ_{c,i,j} W[o,c,i,j] · X[n, g·C/Groups + c, u·SH + i·DH − PT, v·SW + j·DW − PL]
//
// where g = o / (O/Groups) and X is zero outside its bounds. A fully connected
// layer has H = W = KH = KW = 1; a matrix product with a constant has its rows on
// the H axis; a factor per channel has Groups = C = O.
type Linear struct {
	Groups   int
	Stride   [2]int // SH, SW
	Dilation [2]int // DH, DW
	Pad      [4]int // top, left, bottom, right
}

// MatMul is the batched product of two computed matrices: operands X [B, M, K]
// and Y [B, K, N], result [B, M, N].
type MatMul struct{}

// Mul is the elementwise product of two computed tensors of one shape. A factor
// that is constant is a Linear where the layout allows it, else a Mul with a
// Const operand.
type Mul struct{}

// Div is the elementwise quotient of two tensors of one shape.
type Div struct {
	// Truncate says that the quotient is rounded toward zero, as integers divide.
	Truncate bool `cbor:",omitempty"`
}

// Add is the sum Σ Coeffs[i]·operand i of tensors of one shape; a coefficient is
// 1 or -1.
type Add struct {
	Coeffs []int
}

// Unary applies a real function to each element.
type Unary struct {
	Func Func
	// Alpha, Beta are the function's parameters; see Func.
	Alpha, Beta float64
}

// Func names a real function of one variable.
type Func string

// The functions that Unary knows. a and b are Unary.Alpha and Unary.Beta.
const (
	Relu        Func = "relu"         // max(x, 0)
	LeakyRelu   Func = "leaky_relu"   // x if x >= 0 else a·x
	Clip        Func = "clip"         // min(max(x, a), b); a may be -Inf, b +Inf
	Abs         Func = "abs"          // |x|
	Sigmoid     Func = "sigmoid"      // 1/(1+e^-x)
	Tanh        Func = "tanh"         // tanh x
	Exp         Func = "exp"          // e^x
	Softplus    Func = "softplus"     // ln(1+e^x)
	Elu         Func = "elu"          // x if x >= 0 else a·(e^x - 1)
	HardSigmoid Func = "hard_sigmoid" // min(max(a·x + b, 0), 1)
	HardSwish   Func = "hard_swish"   // x·min(max(x/6 + 1/2, 0), 1)
	Gelu        Func = "gelu"         // x·(1 + erf(x/√2))/2
	GeluTanh    Func = "gelu_tanh"    // x·(1 + tanh(√(2/π)(x + 0.044715x³)))/2
	Erf         Func = "erf"          // erf x
)

// Max is the maximum over the last axis: operand [..., K], result [...]. A
// minimum is -max(-x). Padded windows repeat one of their own elements.
type Max struct{}

// Softmax is e^x_i / Σ_j e^x_j over the last axis.
type Softmax struct{}

// ArgMax is the index of the largest element of the last axis: operand
// [..., K], result [...]. The first such index wins, or the last if Last.
type ArgMax struct {
	Last bool
}

// Threshold is 1 where x >= T, else 0.
type Threshold struct {
	T float64
}

// IsLabel reports whether a tensor is of class indices: an argmax's or a threshold's
// answers, possibly moved about.
func (g *Graph) IsLabel(id ID) bool {
	for {
		switch g.Nodes[id].Op.(type) {
		case ArgMax, Threshold:
			return true
		case Rewire:
			id = g.Nodes[id].Inputs[0]
		default:
			return false
		}
	}
}
