package onnx

import (
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/onnxpb"
)

func floatsAttr(name string, v ...float32) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_FLOATS.Enum(), Floats: v}
}

// ml moves the last node to the domain ai.onnx.ml.
func (m *modelBuilder) ml() *modelBuilder {
	m.proto.Graph.Node[len(m.proto.Graph.Node)-1].Domain = proto.String(mlDomain)
	return m
}

func TestMachineLearningOperators(t *testing.T) {
	x := []float64{1, -2, 3}
	model := func() *modelBuilder { return newModel(15).input("x", Float, 1, 3) }
	classes := func(labels ...int64) *modelBuilder {
		return model().node("LinearClassifier", names("x"), names("label", "scores"), intsAttr("classlabels_ints", labels...),
			floatsAttr("coefficients", 1, 0, 0, 0, 1, 0, 0, 0, 1), floatsAttr("intercepts", 0, 0, -1), stringAttr("post_transform", "SOFTMAX"), intAttr("multi_class", 1)).ml()
	}
	sum := math.Exp(1) + math.Exp(-2) + math.Exp(2)
	tests := []struct {
		name  string
		model *modelBuilder
		want  []float64
	}{
		{"scaler", model().node("Scaler", names("x"), names("y"), floatsAttr("offset", 1, 1, 1), floatsAttr("scale", 2, 3, 0.5)).ml().output("y"), []float64{0, -9, 1}},
		{"scaler with one scale", model().node("Scaler", names("x"), names("y"), floatsAttr("offset", 1), floatsAttr("scale", 2)).ml().output("y"), []float64{0, -6, 4}},
		{"regressor", model().node("LinearRegressor", names("x"), names("y"), floatsAttr("coefficients", 1, 2, 3, 0, 0, -1), floatsAttr("intercepts", 10, 20), intAttr("targets", 2)).ml().output("y"), []float64{16, 17}},
		{"classifier's scores", classes(0, 1, 2).output("scores"), []float64{math.Exp(1) / sum, math.Exp(-2) / sum, math.Exp(2) / sum}},
		{"classifier's label", classes(0, 1, 2).output("label"), []float64{2}},
		{"classifier's spaced label", classes(7, 5, 3).output("label"), []float64{3}},
		{"normalizer", model().node("Normalizer", names("x"), names("y"), stringAttr("norm", "L1")).ml().output("y"), []float64{1. / 6, -2. / 6, 3. / 6}},
		{"constant columns", model().weight(intTensor("i", []int64{2}, 2, 0)).node("ArrayFeatureExtractor", names("x", "i"), names("y")).ml().output("y"), []float64{3, 1}},
		{"label of a computed class", model().weight(intTensor("labels", []int64{3}, -1, 1, 3)).node("ArgMax", names("x"), names("i"), intAttr("axis", 1)).
			node("ArrayFeatureExtractor", names("labels", "i"), names("y")).ml().output("y"), []float64{3}},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			got := runOne(t, c.model.load(t), x...)
			if len(got) != len(c.want) {
				t.Fatalf("%d elements, expected %d", len(got), len(c.want))
			}
			for i, want := range c.want {
				if math.Abs(got[i]-want) > 1e-6 {
					t.Errorf("element %d is %v, expected %v", i, got[i], want)
				}
			}
		})
	}
}

func TestUnevenLabels(t *testing.T) {
	m := newModel(15).input("x", Float, 1, 1).node("LinearClassifier", names("x"), names("label", "scores"),
		intsAttr("classlabels_ints", 0, 1, 5), floatsAttr("coefficients", 1, 2, 3)).ml().output("label")
	if _, _, err := LoadBytes(m.bytes(), Options{}); !isUnsupported(err) || !strings.Contains(err.Error(), "evenly spaced") {
		t.Errorf("error is %v", err)
	}
}

// TestIntegerInput checks that inputs of integer types are marked as whole.
func TestIntegerInput(t *testing.T) {
	g := newModel(13).input("x", Uint8, 3).node("Cast", names("x"), names("f"), intAttr("to", int64(Float))).
		weight(floatTensor("s", nil, 255)).node("Div", names("f", "s"), names("y")).output("y").load(t)
	if in := g.Nodes[g.Inputs[0]].Op.(graph.Input); !in.Integer {
		t.Error("a uint8 input is not marked as integer")
	}
	if got := runOne(t, g, 0, 51, 255); math.Abs(got[1]-0.2) > 1e-7 || math.Abs(got[2]-1) > 1e-7 {
		t.Errorf("result %v", got)
	}
}
