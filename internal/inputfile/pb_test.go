package inputfile

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/zkml-go/zkml/internal/onnxpb"
	"github.com/zkml-go/zkml/internal/shared"
	"github.com/zkml-go/zkml/tensor"
	"google.golang.org/protobuf/proto"
)

func TestParseTensorProto(t *testing.T) {
	encode := func(p *onnxpb.TensorProto) []byte {
		data, err := proto.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	float, long := int32(onnxpb.TensorProto_FLOAT), int32(onnxpb.TensorProto_INT64)
	set, err := Parse("input_0.pb", encode(&onnxpb.TensorProto{Dims: []int64{1, 2, 2}, DataType: &float,
		Name: proto.String("other"), FloatData: []float32{1, 2, 0.5, -4}}), one)
	if err != nil || fmt.Sprint(set["x"].Data) != "[1 2 0.5 -4]" {
		t.Errorf("floats: found %v, %v", set, err)
	}
	samples, err := ParseSamples("input_0.pb", encode(&onnxpb.TensorProto{Dims: []int64{2, 4}, DataType: &long,
		Int64Data: []int64{1, 2, 3, 4, 5, 6, 7, 8}}), one)
	if err != nil || len(samples) != 2 || fmt.Sprint(samples[1]["x"].Data) != "[5 6 7 8]" {
		t.Errorf("samples: found %v, %v", samples, err)
	}
	refusals := []struct {
		name   string
		p      *onnxpb.TensorProto
		inputs []Input
		err    error
		want   string
	}{
		{"too few elements", &onnxpb.TensorProto{Dims: []int64{2, 2}, DataType: &float, FloatData: []float32{1}}, one, ErrFormat, "4"},
		{"huge", &onnxpb.TensorProto{Dims: []int64{1 << 38}, DataType: &float}, one, ErrTooLarge, ""},
		{"NaN", &onnxpb.TensorProto{Dims: []int64{2, 2}, DataType: &float, FloatData: []float32{1, 2, 3, float32(math.NaN())}}, one, ErrNotFinite, "at [1][1]"},
		{"beyond 2^53", &onnxpb.TensorProto{Dims: []int64{4}, DataType: &long, Int64Data: []int64{1, 2, 1<<53 + 1, 4}}, one, ErrNotWhole, "at [2]"},
		{"one of two", &onnxpb.TensorProto{Name: proto.String("x"), Dims: []int64{4}, DataType: &long, Int64Data: []int64{1, 2, 3, 4}}, two, ErrMissingInput, `"n"`},
	}
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("input_0.pb", encode(c.p), c.inputs)
			refused(t, err, c.err, c.want)
		})
	}
}

// Files of ONNX's own tests.
func TestONNXTestFiles(t *testing.T) {
	path := filepath.Join(shared.Path(t, "conformance/onnx/node-1.9"), "test_relu", "test_data_set_0", "input_0.pb")
	set, err := Read(path, []Input{{Name: "x", Shape: tensor.Shape{3, 4, 5}}})
	if err != nil || len(set["x"].Data) != 60 {
		t.Errorf("found %v, %v", set, err)
	}
}
