package onnx

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/zkml-go/zkml/internal/onnxpb"
)

// externalData reads tensors that lie in files beside the model. It never leaves
// the model's folder: absolute paths, ".." and symbolic links that lead out are
// refused.
type externalData struct {
	dir string // empty: there is no folder
}

// read returns the bytes of a tensor with external data, which must be exactly
// size long.
func (e *externalData) read(p *onnxpb.TensorProto, size int, b *budget) ([]byte, error) {
	fail := func(format string, args ...any) error {
		return &FormatError{File: b.file, Value: p.GetName(), Problem: "external data: " + fmt.Sprintf(format, args...)}
	}
	if e == nil || e.dir == "" {
		return nil, fail("the model is not read from a folder, so there is no file to read")
	}
	var location string
	var offset, length int64 = 0, int64(size)
	for _, entry := range p.ExternalData {
		var err error
		switch entry.GetKey() {
		case "location":
			location = entry.GetValue()
		case "offset":
			offset, err = strconv.ParseInt(entry.GetValue(), 10, 64)
		case "length":
			length, err = strconv.ParseInt(entry.GetValue(), 10, 64)
		}
		if err != nil {
			return nil, fail("%s %q is not a number", entry.GetKey(), entry.GetValue())
		}
	}
	if !filepath.IsLocal(filepath.FromSlash(location)) {
		return nil, fail("location %q is not a path inside the model's folder", location)
	}
	if length != int64(size) {
		return nil, fail("length is %d bytes, but the tensor's shape and type need %d", length, size)
	}
	root, err := os.OpenRoot(e.dir)
	if err != nil {
		return nil, fail("%v", err)
	}
	defer root.Close()
	info, err := root.Stat(filepath.FromSlash(location))
	if err != nil {
		return nil, fail("%v", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fail("%q is not a regular file", location)
	}
	file, err := root.Open(filepath.FromSlash(location))
	if err != nil {
		return nil, fail("%v", err)
	}
	defer file.Close()
	if offset < 0 || offset > info.Size() || length > info.Size()-offset {
		return nil, fail("%q has %d bytes, which does not hold %d from offset %d", location, info.Size(), length, offset)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(file, offset, length), data); err != nil {
		return nil, fail("%v", err)
	}
	return data, nil
}
