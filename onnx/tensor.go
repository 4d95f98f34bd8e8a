package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"

	"github.com/zkml-go/zkml/internal/onnxpb"
	"github.com/zkml-go/zkml/tensor"
)

// Tensor is a constant tensor as an ONNX file gives it, row-major. An integer
// or boolean one has its elements in Ints and a floating one in Floats, where
// the narrower types are exact; the other slice is nil.
type Tensor struct {
	Name   string
	DType  DType
	Shape  tensor.Shape
	Ints   []int64
	Floats []float64
}

// Float64s returns the elements as real numbers; integers beyond 2^53 are
// rounded. The caller must not change the result.
func (t *Tensor) Float64s() []float64 {
	if !t.DType.Integer() {
		return t.Floats
	}
	out := make([]float64, len(t.Ints))
	for i, v := range t.Ints {
		out[i] = float64(v)
	}
	return out
}

// DecodeTensor reads a serialized TensorProto: the .pb files that ONNX's own
// test data and many tools write.
func DecodeTensor(data []byte) (*Tensor, error) {
	b := &budget{limits: Limits{}.withDefaults()}
	msg := &onnxpb.TensorProto{}
	if err := unmarshal(data, msg, b); err != nil {
		return nil, err
	}
	return decodeTensor(msg, b, nil)
}

// unmarshal decodes a message after checking its size and that of its parts.
func unmarshal(data []byte, msg proto.Message, b *budget) error {
	if int64(len(data)) > b.limits.FileBytes {
		return &LimitError{File: b.file, What: "bytes of file", Limit: b.limits.FileBytes}
	}
	if err := checkWire(data, msg.ProtoReflect().Descriptor(), b); err != nil {
		return err
	}
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, msg); err != nil {
		return &FormatError{File: b.file, Problem: "not a protobuf of the expected kind: " + err.Error(),
			Hint: "is the file complete, and is it ONNX?"}
	}
	return nil
}

// decodeTensor checks and converts a TensorProto. External data is read through
// ext, which may be nil.
func decodeTensor(p *onnxpb.TensorProto, b *budget, ext *externalData) (*Tensor, error) {
	fail := func(format string, args ...any) error {
		return &FormatError{File: b.file, Value: p.GetName(), Problem: "tensor " + fmt.Sprintf(format, args...)}
	}
	t := &Tensor{Name: p.GetName(), DType: DType(p.GetDataType())}
	if !t.DType.Supported() {
		return nil, fail("has element type %v, which is not supported", t.DType)
	}
	if p.Segment != nil {
		return nil, fail("is stored in segments, which is not supported")
	}
	n, err := tensorSize(p, b)
	if err != nil {
		return nil, err
	}
	for _, d := range p.Dims {
		t.Shape = append(t.Shape, int(d))
	}
	rawBytes := (n*dtypeBits[t.DType] + 7) / 8
	raw := p.RawData
	if p.GetDataLocation() == onnxpb.TensorProto_EXTERNAL {
		if raw, err = ext.read(p, rawBytes, b); err != nil {
			return nil, err
		}
	}
	switch {
	case len(raw) > 0 || n == 0:
		if len(raw) != rawBytes {
			return nil, fail("of shape %v and type %v needs %d bytes of raw data, found %d", t.Shape, t.DType, rawBytes, len(raw))
		}
		if err := b.spendConst(n, p.GetName()); err != nil {
			return nil, err
		}
		err = t.setRaw(raw, n)
	default:
		if found := typedLength(p, t.DType); found != typedWords(t.DType, n) {
			return nil, fail("of shape %v and type %v needs %d stored elements, found %d", t.Shape, t.DType, typedWords(t.DType, n), found)
		}
		if err := b.spendConst(n, p.GetName()); err != nil {
			return nil, err
		}
		err = t.setTyped(p, n)
	}
	if err != nil {
		return nil, fail("%v", err)
	}
	return t, nil
}

// tensorSize returns the number of elements after checking rank and dimensions.
func tensorSize(p *onnxpb.TensorProto, b *budget) (int, error) {
	if len(p.Dims) > maxRank {
		return 0, &LimitError{File: b.file, Node: p.GetName(), What: "axes in one tensor", Limit: maxRank}
	}
	n := int64(1)
	for _, d := range p.Dims {
		if d < 0 {
			return 0, &FormatError{File: b.file, Value: p.GetName(), Problem: fmt.Sprintf("tensor has the negative dimension %d", d)}
		}
		if d > maxExtent {
			return 0, &LimitError{File: b.file, Node: p.GetName(), What: "elements along one axis", Limit: maxExtent}
		}
		if n *= d; n > b.limits.ConstElements {
			return 0, &LimitError{File: b.file, Node: p.GetName(), What: "elements of constants", Limit: b.limits.ConstElements}
		}
	}
	return int(n), nil
}

// setRaw decodes little-endian raw data of the right length.
func (t *Tensor) setRaw(raw []byte, n int) error {
	le := binary.LittleEndian
	bits := dtypeBits[t.DType]
	if !t.DType.Integer() {
		t.Floats = make([]float64, n)
		for i := range t.Floats {
			switch t.DType {
			case Float:
				t.Floats[i] = float64(math.Float32frombits(le.Uint32(raw[4*i:])))
			case Double:
				t.Floats[i] = math.Float64frombits(le.Uint64(raw[8*i:]))
			case Float16:
				t.Floats[i] = float16Value(le.Uint16(raw[2*i:]))
			case Bfloat16:
				t.Floats[i] = bfloat16Value(le.Uint16(raw[2*i:]))
			}
		}
		return nil
	}
	t.Ints = make([]int64, n)
	for i := range t.Ints {
		var u uint64
		switch bits {
		case 64:
			u = le.Uint64(raw[8*i:])
		case 32:
			u = uint64(le.Uint32(raw[4*i:]))
		case 16:
			u = uint64(le.Uint16(raw[2*i:]))
		case 8:
			u = uint64(raw[i])
		default: // several elements to a byte, the first in the lowest bits
			u = uint64(raw[i*bits/8]) >> (i * bits % 8) & (1<<bits - 1)
		}
		v, err := t.DType.integer(u, bits)
		if err != nil {
			return fmt.Errorf("has element %d = %w", i, err)
		}
		t.Ints[i] = v
	}
	return nil
}

// integer interprets the lowest bits of u as an element of the type.
func (d DType) integer(u uint64, bits int) (int64, error) {
	switch {
	case d.signed():
		return int64(u<<(64-bits)) >> (64 - bits), nil
	case d == Bool:
		if u > 1 {
			return 0, fmt.Errorf("%d, which is not a boolean", u)
		}
		return int64(u), nil
	case u > math.MaxInt64:
		return 0, fmt.Errorf("%d, which is above the largest supported integer %d", u, int64(math.MaxInt64))
	}
	return int64(u), nil
}

// typedLength is the number of entries in the field that holds elements of the
// type when there is no raw data.
func typedLength(p *onnxpb.TensorProto, d DType) int {
	switch d {
	case Float:
		return len(p.FloatData)
	case Double:
		return len(p.DoubleData)
	case Int64:
		return len(p.Int64Data)
	case Uint64, Uint32:
		return len(p.Uint64Data)
	}
	return len(p.Int32Data)
}

// typedWords is the number of entries that n elements take in that field.
func typedWords(d DType, n int) int {
	if bits := dtypeBits[d]; bits < 8 {
		return (n*bits + 7) / 8
	}
	return n
}

// setTyped decodes the typed fields, whose length is right.
func (t *Tensor) setTyped(p *onnxpb.TensorProto, n int) error {
	bits := dtypeBits[t.DType]
	if !t.DType.Integer() {
		t.Floats = make([]float64, n)
		for i := range t.Floats {
			switch t.DType {
			case Float:
				t.Floats[i] = float64(p.FloatData[i])
			case Double:
				t.Floats[i] = p.DoubleData[i]
			case Float16:
				t.Floats[i] = float16Value(uint16(p.Int32Data[i]))
			case Bfloat16:
				t.Floats[i] = bfloat16Value(uint16(p.Int32Data[i]))
			}
		}
		return nil
	}
	t.Ints = make([]int64, n)
	lo, hi := t.DType.intRange()
	for i := range t.Ints {
		var v int64
		switch {
		case t.DType == Int64:
			v = p.Int64Data[i]
		case t.DType == Uint64 || t.DType == Uint32:
			if p.Uint64Data[i] > math.MaxInt64 {
				return fmt.Errorf("has element %d = %d, which is above the largest supported integer %d", i, p.Uint64Data[i], int64(math.MaxInt64))
			}
			v = int64(p.Uint64Data[i])
		case bits < 8:
			word := uint64(uint32(p.Int32Data[i*bits/8]))
			v, _ = t.DType.integer(word>>(i*bits%8)&(1<<bits-1), bits)
		default:
			v = int64(p.Int32Data[i])
		}
		if v < lo || v > hi {
			return fmt.Errorf("has element %d = %d, which is outside of type %v", i, v, t.DType)
		}
		t.Ints[i] = v
	}
	return nil
}
