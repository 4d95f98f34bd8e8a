package onnx

import (
	"fmt"
	"math"
	"strings"

	"github.com/zkml-go/zkml/internal/onnxpb"
)

// DType is the element type of an ONNX tensor, with the numbers of
// TensorProto.DataType.
type DType int32

// The element types that this package reads.
const (
	Float    DType = 1
	Uint8    DType = 2
	Int8     DType = 3
	Uint16   DType = 4
	Int16    DType = 5
	Int32    DType = 6
	Int64    DType = 7
	Bool     DType = 9
	Float16  DType = 10
	Double   DType = 11
	Uint32   DType = 12
	Uint64   DType = 13
	Bfloat16 DType = 16
	Uint4    DType = 21
	Int4     DType = 22
	Uint2    DType = 25
	Int2     DType = 26
)

// dtypeBits gives the width of an element in raw data.
var dtypeBits = map[DType]int{
	Float: 32, Double: 64, Float16: 16, Bfloat16: 16,
	Int64: 64, Int32: 32, Int16: 16, Int8: 8, Int4: 4, Int2: 2,
	Uint64: 64, Uint32: 32, Uint16: 16, Uint8: 8, Uint4: 4, Uint2: 2,
	Bool: 8,
}

// String is ONNX's name in lower case, such as "float" or "int64".
func (d DType) String() string {
	if name, ok := onnxpb.TensorProto_DataType_name[int32(d)]; ok {
		return strings.ToLower(name)
	}
	return fmt.Sprintf("data type %d", int32(d))
}

// Supported reports whether this package reads tensors of the type. Strings,
// complex numbers and 8-, 6- and 4-bit floating point are not read.
func (d DType) Supported() bool { return dtypeBits[d] != 0 }

// Integer reports whether the values are whole numbers, booleans (0 and 1)
// included.
func (d DType) Integer() bool {
	switch d {
	case Float, Double, Float16, Bfloat16:
		return false
	}
	return true
}

func (d DType) signed() bool {
	switch d {
	case Int64, Int32, Int16, Int8, Int4, Int2:
		return true
	}
	return false
}

// intRange returns the smallest and the largest value of an integer type. For
// uint64 the largest is that of int64, in which values are held.
func (d DType) intRange() (lo, hi int64) {
	bits := dtypeBits[d]
	switch {
	case d == Bool:
		return 0, 1
	case bits == 64 && d.signed():
		return math.MinInt64, math.MaxInt64
	case bits == 64:
		return 0, math.MaxInt64
	case d.signed():
		return -1 << (bits - 1), 1<<(bits-1) - 1
	default:
		return 0, 1<<bits - 1
	}
}

// round returns the value of the type nearest to v, for floating types.
func (d DType) round(v float64) float64 {
	switch d {
	case Float:
		return float64(float32(v))
	case Float16:
		return roundMantissa(v, 11, -24, 65504)
	case Bfloat16:
		return roundMantissa(v, 8, -133, math.MaxFloat32)
	}
	return v
}

// roundMantissa rounds v to bits of precision, half to even, no finer than
// 2^lowest; what rounds beyond largest becomes infinite.
func roundMantissa(v float64, bits, lowest int, largest float64) float64 {
	if v == 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return v
	}
	_, exp := math.Frexp(v)
	unit := max(exp-bits, lowest)
	r := math.Ldexp(math.RoundToEven(math.Ldexp(v, -unit)), unit)
	if math.Abs(r) > largest {
		return math.Inf(int(math.Copysign(1, v)))
	}
	return r
}

// float16Value decodes IEEE 754 half precision.
func float16Value(bits uint16) float64 {
	exp, frac := int(bits>>10&31), float64(bits&1023)
	var v float64
	switch exp {
	case 0:
		v = math.Ldexp(frac, -24)
	case 31:
		v = math.Inf(1)
		if frac != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(1024+frac, exp-25)
	}
	if bits>>15 == 1 {
		return -v
	}
	return v
}

// bfloat16Value decodes the upper half of an IEEE 754 single.
func bfloat16Value(bits uint16) float64 {
	return float64(math.Float32frombits(uint32(bits) << 16))
}
