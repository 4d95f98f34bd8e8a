// Package onnxpb holds the Go types of ONNX's protobuf schema: ModelProto,
// GraphProto, NodeProto, TensorProto and what they contain.
//
// The schema is onnx-ml.proto of onnx 1.23.2 under another proto package name,
// zkml.onnxpb: protobuf names are global in a binary, and another library that
// registers "package onnx" beside ours would make the program panic at start.
// The wire format doesn't contain package names, so files are the same.
//
// To regenerate, install protoc (Debian: protobuf-compiler) and
// google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12.
package onnxpb

//go:generate protoc -I ../.. --go_out=../.. --go_opt=paths=source_relative internal/onnxpb/onnx-ml.proto
