// Package tensor holds shapes and dense row-major tensors.
//
// Everything in the pipeline — the float graph, the integer program, the
// constraints — speaks of tensors in row-major order: the last axis varies
// fastest, and the flat offset of index (i0, i1, …) is Σ i_k·stride_k with
// stride_k the product of the dimensions after k.
package tensor

import (
	"fmt"
	"math"
)

// MaxElements is the largest number of elements that a tensor may have. It
// keeps flat offsets in an int32 and bounds what a hostile file can ask for.
const MaxElements = 1 << 28

// MaxRank is the largest number of axes that a tensor may have.
const MaxRank = 32

// Shape lists the dimensions of a tensor, outermost first. The empty shape is a
// scalar with one element. A dimension may be 0.
type Shape []int

// Size returns the number of elements, the product of all dimensions. It is 1
// for a scalar. The shape must have passed Check if it came from outside.
func (s Shape) Size() int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// Check returns an error if a dimension is negative, or if the shape has more
// than MaxRank axes or MaxElements elements.
func (s Shape) Check() error {
	if len(s) > MaxRank {
		return fmt.Errorf("shape of %d axes, more than the limit of %d", len(s), MaxRank)
	}
	n := int64(1)
	for i, d := range s {
		if d < 0 {
			return fmt.Errorf("shape %v: dimension %d is negative", s, i)
		}
		if int64(d) > math.MaxInt32 {
			return fmt.Errorf("shape %v: dimension %d is above the limit of %d elements", s, i, MaxElements)
		}
		n *= int64(d)
		if n > MaxElements {
			return fmt.Errorf("shape %v: more than %d elements", s, MaxElements)
		}
	}
	return nil
}

// Strides returns the row-major stride of each axis, in elements.
func (s Shape) Strides() []int {
	st := make([]int, len(s))
	n := 1
	for i := len(s) - 1; i >= 0; i-- {
		st[i] = n
		n *= s[i]
	}
	return st
}

// Equal reports whether two shapes have the same rank and dimensions.
func (s Shape) Equal(t Shape) bool {
	if len(s) != len(t) {
		return false
	}
	for i := range s {
		if s[i] != t[i] {
			return false
		}
	}
	return true
}

// Clone returns a copy.
func (s Shape) Clone() Shape { return append(Shape{}, s...) }

// String formats the shape as "[1 3 28 28]"; a scalar is "[]".
func (s Shape) String() string { return fmt.Sprint([]int(s)) }

// Dense is a tensor of elements T in row-major order; len(Data) is
// Shape.Size().
type Dense[T any] struct {
	Shape Shape `cbor:"1,keyasint"`
	Data  []T   `cbor:"2,keyasint"`
}

// New returns a zero tensor of the given shape.
func New[T any](shape Shape) *Dense[T] {
	return &Dense[T]{Shape: shape.Clone(), Data: make([]T, shape.Size())}
}
