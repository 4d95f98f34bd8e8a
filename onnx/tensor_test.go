package onnx

import (
	"math"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/zkml-go/zkml/internal/onnxpb"
)

// TestDecodeTensor reads every element type from raw data and from typed fields.
// The expected values follow from the formats' definitions.
func TestDecodeTensor(t *testing.T) {
	tests := []struct {
		dtype  DType
		raw    []byte
		typed  *onnxpb.TensorProto
		floats []float64
		ints   []int64
	}{
		{dtype: Float, raw: []byte{0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0}, typed: &onnxpb.TensorProto{FloatData: []float32{1, -2.5}}, floats: []float64{1, -2.5}},
		{dtype: Double, raw: []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 4, 0xc0}, typed: &onnxpb.TensorProto{DoubleData: []float64{1, -2.5}}, floats: []float64{1, -2.5}},
		{dtype: Float16, raw: []byte{0, 0x3c, 0, 0xc1, 1, 0, 0xff, 0x7b}, typed: &onnxpb.TensorProto{Int32Data: []int32{0x3c00, 0xc100, 1, 0x7bff}},
			floats: []float64{1, -2.5, math.Ldexp(1, -24), 65504}},
		{dtype: Bfloat16, raw: []byte{0x80, 0x3f, 0x20, 0xc0}, typed: &onnxpb.TensorProto{Int32Data: []int32{0x3f80, 0xc020}}, floats: []float64{1, -2.5}},
		{dtype: Int64, raw: []byte{255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0x40}, typed: &onnxpb.TensorProto{Int64Data: []int64{-1, 1<<62 + 1}}, ints: []int64{-1, 1<<62 + 1}},
		{dtype: Int32, raw: []byte{254, 255, 255, 255}, typed: &onnxpb.TensorProto{Int32Data: []int32{-2}}, ints: []int64{-2}},
		{dtype: Int16, raw: []byte{0, 0x80}, typed: &onnxpb.TensorProto{Int32Data: []int32{-32768}}, ints: []int64{-32768}},
		{dtype: Int8, raw: []byte{0x80, 0x7f}, typed: &onnxpb.TensorProto{Int32Data: []int32{-128, 127}}, ints: []int64{-128, 127}},
		{dtype: Uint64, raw: []byte{255, 255, 255, 255, 255, 255, 255, 0x7f}, typed: &onnxpb.TensorProto{Uint64Data: []uint64{math.MaxInt64}}, ints: []int64{math.MaxInt64}},
		{dtype: Uint32, raw: []byte{255, 255, 255, 255}, typed: &onnxpb.TensorProto{Uint64Data: []uint64{1<<32 - 1}}, ints: []int64{1<<32 - 1}},
		{dtype: Uint16, raw: []byte{0, 0x80}, typed: &onnxpb.TensorProto{Int32Data: []int32{32768}}, ints: []int64{32768}},
		{dtype: Uint8, raw: []byte{0x80}, typed: &onnxpb.TensorProto{Int32Data: []int32{128}}, ints: []int64{128}},
		{dtype: Bool, raw: []byte{0, 1}, typed: &onnxpb.TensorProto{Int32Data: []int32{0, 1}}, ints: []int64{0, 1}},
		{dtype: Int4, raw: []byte{0x8f, 0x07}, typed: &onnxpb.TensorProto{Int32Data: []int32{0x8f, 0x07}}, ints: []int64{-1, -8, 7}},
		{dtype: Uint4, raw: []byte{0x8f, 0x07}, typed: &onnxpb.TensorProto{Int32Data: []int32{0x8f, 0x07}}, ints: []int64{15, 8, 7}},
		{dtype: Int2, raw: []byte{0b11100100, 0b10}, typed: &onnxpb.TensorProto{Int32Data: []int32{0b11100100, 0b10}}, ints: []int64{0, 1, -2, -1, -2}},
		{dtype: Uint2, raw: []byte{0b11100100, 0b10}, typed: &onnxpb.TensorProto{Int32Data: []int32{0b11100100, 0b10}}, ints: []int64{0, 1, 2, 3, 2}},
	}
	for _, c := range tests {
		t.Run(c.dtype.String(), func(t *testing.T) {
			for _, p := range []*onnxpb.TensorProto{{RawData: c.raw}, c.typed} {
				p.DataType = proto.Int32(int32(c.dtype))
				p.Dims = []int64{int64(len(c.floats) + len(c.ints))}
				data, err := proto.Marshal(p)
				if err != nil {
					t.Fatal(err)
				}
				got, err := DecodeTensor(data)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got.Floats, c.floats) || !slices.Equal(got.Ints, c.ints) {
					t.Errorf("read %v%v, expected %v%v", got.Floats, got.Ints, c.floats, c.ints)
				}
			}
		})
	}
}

// TestRoundType checks the rounding to narrow floating types at its edges.
func TestRoundType(t *testing.T) {
	tests := []struct {
		dtype   DType
		v, want float64
	}{
		{Float16, 1 + math.Ldexp(1, -11), 1},                       // a tie goes to the even neighbour
		{Float16, 1 + 3*math.Ldexp(1, -11), 1 + math.Ldexp(1, -9)}, // likewise upwards
		{Float16, math.Ldexp(3, -25), math.Ldexp(1, -23)},          // subnormal, tie
		{Float16, 65519, 65504}, {Float16, 65520, math.Inf(1)}, {Float16, -1e9, math.Inf(-1)},
		{Bfloat16, 1 + math.Ldexp(1, -8), 1}, {Bfloat16, -1 - 3*math.Ldexp(1, -8), -1 - math.Ldexp(1, -6)},
		{Float, 1 + math.Ldexp(1, -24), 1}, {Double, 1 + math.Ldexp(1, -52), 1 + math.Ldexp(1, -52)},
	}
	for _, c := range tests {
		if got := c.dtype.round(c.v); got != c.want {
			t.Errorf("%v of %v is %v, expected %v", c.dtype, c.v, got, c.want)
		}
	}
}
