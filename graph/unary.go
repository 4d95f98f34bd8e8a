package graph

import (
	"fmt"
	"math"

	"github.com/zkml-go/zkml/internal/exactmath"
)

func (Unary) kind() string { return "Unary" }

func (f Unary) check(g *Graph, n *Node) error {
	if err := n.operands(1, 1); err != nil {
		return err
	}
	if f.function() == nil {
		return fmt.Errorf("unknown function %q", f.Func)
	}
	if f.Func == Clip {
		// An infinite bound is no bound; !(a <= b) refuses NaN too.
		if !(f.Alpha <= f.Beta) || math.IsInf(f.Alpha, 1) || math.IsInf(f.Beta, -1) {
			return fmt.Errorf("clip to [%v, %v]", f.Alpha, f.Beta)
		}
		return g.sameShapes(n)
	}
	if err := finite(f.Alpha, "alpha"); err != nil {
		return err
	}
	if err := finite(f.Beta, "beta"); err != nil {
		return err
	}
	return g.sameShapes(n)
}

func (f Unary) eval(out *Tensor, in []*Tensor) {
	function := f.function()
	for i, v := range in[0].Data {
		out.Data[i] = function(v)
	}
}

// Eval applies the function to one number. It gives the same bits on every
// machine; it is not correctly rounded. The function must be one that Func lists.
func (f Unary) Eval(x float64) float64 { return f.function()(x) }

// function returns the real function that f names, with its parameters bound, or
// nil if there is none.
func (f Unary) function() func(float64) float64 {
	a, b := f.Alpha, f.Beta
	switch f.Func {
	case Relu:
		return func(x float64) float64 { return max(x, 0) }
	case LeakyRelu:
		return func(x float64) float64 {
			if x < 0 {
				return a * x
			}
			return x
		}
	case Clip:
		return func(x float64) float64 { return min(max(x, a), b) }
	case Abs:
		return math.Abs
	case Sigmoid:
		return exactmath.Sigmoid
	case Tanh:
		return exactmath.Tanh
	case Exp:
		return exactmath.Exp
	case Softplus:
		return exactmath.Softplus
	case Elu:
		return func(x float64) float64 {
			if x < 0 {
				return a * exactmath.Expm1(x)
			}
			return x
		}
	case HardSigmoid:
		return func(x float64) float64 { return min(max(float64(a*x)+b, 0), 1) }
	case HardSwish:
		return func(x float64) float64 { return x * min(max(x/6+0.5, 0), 1) }
	case Gelu:
		return func(x float64) float64 {
			return float64(x*(1+exactmath.Erf(float64(x*(math.Sqrt2/2))))) * 0.5
		}
	case GeluTanh:
		return func(x float64) float64 {
			const sqrtTwoOverPi = 0.7978845608028654
			cubic := x + float64(float64(0.044715*x)*float64(x*x))
			return float64(x*(1+exactmath.Tanh(float64(sqrtTwoOverPi*cubic)))) * 0.5
		}
	case Erf:
		return exactmath.Erf
	}
	return nil
}
