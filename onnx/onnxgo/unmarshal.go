package onnxgo

import (
	"errors"
	"fmt"

	"github.com/owulveryck/onnx-go"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/zkml-go/zkml/internal/onnxpb"
)

// The limits that Unmarshal holds a file to before onnx-go sees it.
const (
	// MaxFileSize is the largest file, in bytes.
	MaxFileSize = 1 << 28
	// MaxElements is the largest number of elements of all declared values and
	// weights together, for each of which onnx-go allocates.
	MaxElements = 1 << 25
	// MaxMessages is the largest number of protobuf messages in the file.
	MaxMessages = 1 << 20
	// MaxDepth is the deepest nesting of protobuf messages.
	MaxDepth = 32
)

// ErrRefused says that a file is malformed, or beyond the limits of this package.
var ErrRefused = errors.New("not given to onnx-go")

// ErrPanic says that onnx-go panicked on a file.
var ErrPanic = errors.New("onnx-go panicked")

// Unmarshal is m.UnmarshalBinary(data) for files that a stranger wrote: it first
// checks the sizes that the file declares, because onnx-go allocates them
// unchecked, and returns ErrPanic where onnx-go panics.
func Unmarshal(m *onnx.Model, data []byte) (err error) {
	if len(data) > MaxFileSize {
		return fmt.Errorf("%w: more than %d bytes", ErrRefused, MaxFileSize)
	}
	c := &sizeCheck{}
	if err := c.message(data, (&onnxpb.ModelProto{}).ProtoReflect().Descriptor(), 0); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrPanic, p)
		}
	}()
	return m.UnmarshalBinary(data)
}

// sizeCheck walks an encoded model without decoding it.
type sizeCheck struct {
	messages, elements int64
}

// Field numbers of ONNX's schema.
const (
	tensorDims     = 1 // TensorProto.dims
	shapeDim       = 1 // TensorShapeProto.dim
	dimensionValue = 1 // TensorShapeProto.Dimension.dim_value
)

// message checks one message and those in it.
func (c *sizeCheck) message(data []byte, desc protoreflect.MessageDescriptor, depth int) error {
	if c.messages++; c.messages > MaxMessages {
		return fmt.Errorf("more than %d messages", MaxMessages)
	}
	if depth > MaxDepth {
		return fmt.Errorf("messages nested deeper than %d", MaxDepth)
	}
	size := int64(1) // of the tensor or shape that this message is
	seen := make(map[protowire.Number]bool)
	err := fields(data, func(number protowire.Number, kind protowire.Type, content []byte, varint uint64) error {
		switch {
		case desc.Name() == "TensorProto" && number == tensorDims && kind == protowire.VarintType:
			return multiply(&size, varint)
		case desc.Name() == "TensorProto" && number == tensorDims && kind == protowire.BytesType:
			return packed(content, func(d uint64) error { return multiply(&size, d) })
		case kind != protowire.BytesType:
			return nil
		}
		if desc.Name() == "TensorShapeProto" && number == shapeDim {
			if err := dimension(content, &size); err != nil {
				return err
			}
		}
		if field := desc.Fields().ByNumber(number); field != nil && field.Message() != nil {
			// A decoder merges the parts of a field that stands twice: two small
			// shapes would make a large one.
			if seen[number] && field.Cardinality() != protoreflect.Repeated {
				return fmt.Errorf("field %s stands twice", field.FullName())
			}
			seen[number] = true
			return c.message(content, field.Message(), depth+1)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if name := desc.Name(); name == "TensorProto" || name == "TensorShapeProto" {
		if c.elements += size; c.elements > MaxElements {
			return fmt.Errorf("the values and weights have more than %d elements together", MaxElements)
		}
	}
	return nil
}

// dimension multiplies size by one dimension of a shape, if it has a value.
func dimension(data []byte, size *int64) error {
	value, known := uint64(0), false
	err := fields(data, func(number protowire.Number, kind protowire.Type, _ []byte, varint uint64) error {
		if number == dimensionValue && kind == protowire.VarintType {
			value, known = varint, true // the last one counts
		}
		return nil
	})
	if err != nil || !known {
		return err
	}
	return multiply(size, value)
}

// fields calls use for each field of an encoded message: with its content if it
// has a length, with its value if it is a varint.
func fields(data []byte, use func(number protowire.Number, kind protowire.Type, content []byte, varint uint64) error) error {
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return protowire.ParseError(n)
		}
		data = data[n:]
		if n = protowire.ConsumeFieldValue(number, kind, data); n < 0 {
			return protowire.ParseError(n)
		}
		var content []byte
		var varint uint64
		switch kind {
		case protowire.BytesType:
			content, _ = protowire.ConsumeBytes(data)
		case protowire.VarintType:
			varint, _ = protowire.ConsumeVarint(data)
		}
		if err := use(number, kind, content, varint); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// packed calls use for each varint of a packed field.
func packed(data []byte, use func(uint64) error) error {
	for len(data) > 0 {
		v, n := protowire.ConsumeVarint(data)
		if n < 0 {
			return protowire.ParseError(n)
		}
		if err := use(v); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// multiply multiplies size by a dimension and refuses a negative or large result.
func multiply(size *int64, d uint64) error {
	if d > MaxElements {
		return fmt.Errorf("a dimension of %d", int64(d))
	}
	if *size *= int64(d); *size > MaxElements {
		return fmt.Errorf("a value of more than %d elements", MaxElements)
	}
	return nil
}
