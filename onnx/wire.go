package onnx

import (
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxDepth bounds how deep messages nest: model, graph, node, attribute, graph …
const maxDepth = 64

// checkWire walks the encoded message without allocating and counts the messages
// in it. A decoder makes an object of some hundred bytes from a message of two,
// so the count must be bounded before decoding and not after.
func checkWire(data []byte, desc protoreflect.MessageDescriptor, b *budget) error {
	left := b.limits.Messages
	return b.walkWire(data, desc, &left, 0)
}

func (b *budget) walkWire(data []byte, desc protoreflect.MessageDescriptor, left *int64, depth int) error {
	if *left--; *left < 0 {
		return &LimitError{File: b.file, What: "messages in the file", Limit: b.limits.Messages}
	}
	if depth > maxDepth {
		return &LimitError{File: b.file, What: "levels of nested messages", Limit: maxDepth}
	}
	for len(data) > 0 {
		num, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return b.truncated(n)
		}
		data = data[n:]
		n = protowire.ConsumeFieldValue(num, kind, data)
		if n < 0 {
			return b.truncated(n)
		}
		if kind == protowire.BytesType {
			if field := desc.Fields().ByNumber(num); field != nil && field.Message() != nil {
				part, _ := protowire.ConsumeBytes(data)
				if err := b.walkWire(part, field.Message(), left, depth+1); err != nil {
					return err
				}
			}
		}
		data = data[n:]
	}
	return nil
}

func (b *budget) truncated(n int) error {
	return &FormatError{File: b.file, Problem: "not a protobuf: " + protowire.ParseError(n).Error(),
		Hint: "is the file complete, and is it ONNX?"}
}
