package inputfile

import (
	"errors"
	"fmt"

	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/tensor"
)

// parseTensorProto reads a serialized ONNX TensorProto, as the .pb files of ONNX's
// own tests. With one input in the model its name doesn't matter.
func parseTensorProto(data []byte, inputs []Input) (*contents, error) {
	p, err := onnx.DecodeTensor(data)
	var limit *onnx.LimitError
	switch {
	case errors.As(err, &limit):
		return nil, fmt.Errorf("%w: %w", ErrTooLarge, err)
	case err != nil:
		return nil, fmt.Errorf("%w: neither JSON, .npy, .npz nor an ONNX TensorProto: %w", ErrFormat, err)
	}
	if p.Shape.Size() > MaxElements {
		return nil, &Error{Input: p.Name, Err: fmt.Errorf("%w: more than %d elements", ErrTooLarge, MaxElements)}
	}
	t := tensor.New[float64](p.Shape)
	copy(t.Data, p.Floats)
	for i, v := range p.Ints {
		if t.Data[i], err = exactInt(v); err != nil {
			return nil, &Error{Input: p.Name, Position: position(p.Shape, i), Err: err}
		}
	}
	return &contents{arrays: []namedArray{{p.Name, t}}, byPosition: len(inputs) == 1}, nil
}
