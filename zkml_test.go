package zkml_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

func TestProveAndVerify(t *testing.T) {
	_, m := compiled(t, "breast_cancer", zkml.LoadOptions{Head: zkml.ArgMax()}, zkml.Options{Labels: []string{"malignant", "benign"}})
	s, err := srs.Development(m.DomainLog())
	if err != nil {
		t.Fatal(err)
	}
	pk, vk, err := zkml.Setup(m, s)
	if err != nil {
		t.Fatal(err)
	}
	inputs, err := m.ReadInputs("testdata/breast_cancer/input.json")
	if err != nil {
		t.Fatal(err)
	}
	context7, err := zkml.ParseContext("7")
	if err != nil {
		t.Fatal(err)
	}
	proof, err := zkml.Prove(context.Background(), m, pk, inputs, zkml.ProveOptions{Context: context7})
	if err != nil {
		t.Fatal(err)
	}
	verdict, err := zkml.Verify(vk, proof, zkml.Expectation{AllowDevelopmentSRS: true, Context: &context7})
	if err != nil {
		t.Fatal(err)
	}
	answer := verdict.Values[len(verdict.Values)-1]
	want, err := m.Graph.Run(inputs)
	if err != nil {
		t.Fatal(err)
	}
	if label := want[m.Graph.Outputs[0].ID].Data[0]; float64(answer.Integers[0]) != label || answer.Name != zkml.LabelOutput {
		t.Errorf("proven answer %+v, the float interpreter says %v", answer, label)
	}
	if _, err := zkml.Verify(vk, proof, zkml.Expectation{}); !errors.Is(err, prover.ErrSRS) {
		t.Errorf("a development key without leave: %v", err)
	}

	_, other := compiled(t, "diabetes", zkml.LoadOptions{}, zkml.Options{})
	if _, err := zkml.Prove(context.Background(), other, pk, inputs, zkml.ProveOptions{}); !errors.Is(err, prover.ErrMismatch) {
		t.Errorf("a key of another model: %v", err)
	}
}

func TestAssignRefuses(t *testing.T) {
	_, m := compiled(t, "diabetes", zkml.LoadOptions{}, zkml.Options{})
	features := func(shape tensor.Shape, v float64) zkml.Inputs {
		x := tensor.New[float64](shape)
		x.Data[0] = v
		return zkml.Inputs{"features": x}
	}
	row := tensor.Shape{1, 10}
	surplus := features(row, 0)
	surplus["age"] = tensor.New[float64](row)
	var input *graph.InputError
	var outside *quantize.RangeError
	for _, test := range []struct {
		name   string
		inputs zkml.Inputs
		target any
	}{
		{"no input", zkml.Inputs{}, &input},
		{"another name", zkml.Inputs{"age": tensor.New[float64](row)}, &input},
		{"a surplus input", surplus, &input},
		{"another shape", features(tensor.Shape{10}, 0), &input},
		{"outside the interval", features(row, 1e6), &outside},
	} {
		if _, err := m.Assign(test.inputs, zkml.ProveOptions{}); !errors.As(err, test.target) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if _, err := m.Assign(features(row, 1e6), zkml.ProveOptions{Clamp: true}); err != nil {
		t.Errorf("outside the interval, clamped: %v", err)
	}
}

func TestParseContext(t *testing.T) {
	largest := "0x" + strings.Repeat("f", 62)
	for _, test := range []struct {
		text, want, wrong string
	}{
		{text: "0", want: "0"},
		{text: "4660", want: "4660"},
		{text: "0x1234", want: "4660"},
		{text: "0xABCD", want: "43981"},
		{text: largest, want: "452312848583266388373324160190187140051835877600158453279131187530910662655"},
		{text: "0x1" + strings.Repeat("0", 62), wrong: "249 bits"},
		{text: "", wrong: "want a decimal number"},
		{text: "0x", wrong: "want a decimal number"},
		{text: "-1", wrong: "want a decimal number"},
		{text: "0x-1", wrong: "want a decimal number"},
		{text: "1_000", wrong: "want a decimal number"},
		{text: "ten", wrong: "want a decimal number"},
		{text: strings.Repeat("9", 1000), wrong: "want a decimal number"},
	} {
		c, err := zkml.ParseContext(test.text)
		switch {
		case test.wrong != "":
			if err == nil || !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("%q: %v: want %q", test.text, err, test.wrong)
			}
		case err != nil:
			t.Errorf("%q: %v", test.text, err)
		case c.String() != test.want:
			t.Errorf("%q: %s: want %s", test.text, c.String(), test.want)
		}
	}
}

func TestHead(t *testing.T) {
	for _, text := range []string{"argmax", "threshold=0.5", "threshold=-3", ""} {
		h, err := zkml.ParseHead(text)
		if err != nil || h.String() != text {
			t.Errorf("%q: %q, %v", text, h, err)
		}
	}
	for _, text := range []string{"softmax", "argmax=1", "threshold", "threshold=", "threshold=NaN", "threshold=inf"} {
		if h, err := zkml.ParseHead(text); err == nil {
			t.Errorf("%q is accepted as %q", text, h)
		}
	}
	var headError *zkml.HeadError
	if _, err := zkml.Load("testdata/diabetes/model.onnx", zkml.LoadOptions{Head: zkml.ArgMax()}); !errors.As(err, &headError) {
		t.Errorf("argmax of a single score: %v", err)
	}
}

// TestStrict misses a target that no setting can meet.
func TestStrict(t *testing.T) {
	n, err := zkml.Load("testdata/diabetes/model.onnx", zkml.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	samples, err := n.ReadSamples("testdata/diabetes/samples.json")
	if err != nil {
		t.Fatal(err)
	}
	o := zkml.Options{Samples: samples[:8], Target: quantize.Target{Kind: quantize.ErrorTarget, Value: 1e-12}, Strict: true}
	var missed *zkml.AccuracyError
	if _, err := zkml.Compile(context.Background(), n, o); !errors.As(err, &missed) {
		t.Fatalf("strict: %v", err)
	}
	o.Strict = false
	m, err := zkml.Compile(context.Background(), n, o)
	if err != nil {
		t.Fatal(err)
	}
	if m.Report.Met {
		t.Error("the report says that the target is met")
	}
}
