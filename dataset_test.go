package zkml_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/onnx"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// heldOut are the first n held-out samples of a classifier of testdata, their labels, and
// the classes that onnxruntime answers with.
func heldOut(t *testing.T, name, input string, n int) (samples []zkml.Inputs, labels, answers []int) {
	t.Helper()
	arrays, err := inputfile.ReadArrays("testdata/" + name + "/test.npz")
	if err != nil {
		t.Fatal(err)
	}
	x, y, label := arrays["input"], arrays["output"], arrays["label"]
	size, classes := x.Shape[1:].Size(), y.Shape[1]
	for i := range n {
		row := &graph.Tensor{Shape: append(tensor.Shape{1}, x.Shape[1:]...), Data: x.Data[i*size:][:size]}
		samples = append(samples, zkml.Inputs{input: row})
		labels = append(labels, int(label.Data[i]))
		scores := y.Data[i*classes:][:classes]
		answers = append(answers, slices.Index(scores, slices.Max(scores)))
	}
	return samples, labels, answers
}

// counted returns the count that the circuit of a data set accepts.
func counted(t *testing.T, m *zkml.Model, samples []zkml.Inputs, labels []int) int {
	t.Helper()
	inputs, err := m.Dataset(samples, labels)
	if err != nil {
		t.Fatal(err)
	}
	r, err := m.Check(inputs, zkml.ProveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Accuracy.Samples != len(samples) || r.Outputs[0].Values[0] != float64(r.Accuracy.Correct) {
		t.Errorf("the check says %+v and %+v", r.Accuracy, r.Outputs)
	}
	return r.Accuracy.Correct
}

// TestDataset counts right answers, and compares with what onnxruntime answers.
func TestDataset(t *testing.T) {
	const n = 24
	for _, weights := range []circuit.Visibility{circuit.Fixed, circuit.Hashed} {
		t.Run(weights.String(), func(t *testing.T) {
			o := zkml.Options{DatasetSize: n, Visibility: map[string]circuit.Visibility{circuit.WeightsName: weights}}
			_, m := compiled(t, "breast_cancer", zkml.LoadOptions{Head: zkml.ArgMax()}, o)
			samples, labels, answers := heldOut(t, "breast_cancer", "features", n)
			right := 0
			for i := range labels {
				if labels[i] == answers[i] {
					right++
				}
			}
			if got := counted(t, m, samples, labels); got != right {
				t.Errorf("%d right answers, onnxruntime has %d", got, right)
			}
			if got := counted(t, m, samples, answers); got != n {
				t.Errorf("with onnxruntime's answers as labels %d of %d are right", got, n)
			}
			changed := slices.Clone(answers)
			for i := range 5 {
				changed[i] = 1 - changed[i]
			}
			if got := counted(t, m, samples, changed); got != n-5 {
				t.Errorf("with five labels changed %d of %d are right", got, n)
			}
		})
	}
}

// TestDatasetOfManyClasses is TestDataset for a model of ten classes and several layers.
func TestDatasetOfManyClasses(t *testing.T) {
	const n = 3
	_, m := compiled(t, "tictactoe", zkml.LoadOptions{Head: zkml.ArgMax()}, zkml.Options{DatasetSize: n})
	samples, _, answers := heldOut(t, "tictactoe", "board", n)
	if got := counted(t, m, samples, answers); got != n {
		t.Errorf("%d of %d are right", got, n)
	}
	answers[1] = (answers[1] + 4) % 9
	if got := counted(t, m, samples, answers); got != n-1 {
		t.Errorf("with a label changed %d of %d are right", got, n)
	}
}

// TestDatasetIsRepetition compares the inferences of a data set with single ones: every
// score of each sample, and the digest of the weights.
func TestDatasetIsRepetition(t *testing.T) {
	const n = 16
	hashed := map[string]circuit.Visibility{circuit.WeightsName: circuit.Hashed}
	_, one := compiled(t, "breast_cancer", zkml.LoadOptions{Head: zkml.ArgMax()}, zkml.Options{Visibility: hashed})
	_, many := compiled(t, "breast_cancer", zkml.LoadOptions{Head: zkml.ArgMax()}, zkml.Options{Visibility: hashed, DatasetSize: n})
	samples, labels, _ := heldOut(t, "breast_cancer", "features", n)
	inputs, err := many.Dataset(samples, labels)
	if err != nil {
		t.Fatal(err)
	}
	batch, err := many.Assign(inputs, zkml.ProveOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, sample := range samples {
		alone, err := one.Assign(sample, zkml.ProveOptions{})
		if err != nil {
			t.Fatal(err)
		}
		at := 0
		for id, node := range one.Program.Nodes {
			switch node.Op.(type) {
			case quantize.Input, quantize.Linear, quantize.Rescale, quantize.Lookup, quantize.ArgMax:
			default:
				continue
			}
			size := node.Shape.Size()
			for at < len(many.Program.Nodes) && fmt.Sprintf("%T", many.Program.Nodes[at].Op) != fmt.Sprintf("%T", node.Op) {
				at++
			}
			if got := batch.Values[at][i*size:][:size]; !slices.Equal(got, alone.Values[id]) {
				t.Fatalf("sample %d: %s is %v in the data set, alone %v", i, node.Name, got, alone.Values[id])
			}
			at++
		}
	}
	secrets := &zkml.Secrets{Salts: circuit.Salts{circuit.WeightsName: fr.NewElement(7)}}
	a, err := one.CommitWeights(secrets)
	if err != nil {
		t.Fatal(err)
	}
	b, err := many.CommitWeights(secrets)
	if err != nil {
		t.Fatal(err)
	}
	if *a.Digest != *b.Digest {
		t.Errorf("the weights have digest %v, in a data set's circuit %v", a.Digest, b.Digest)
	}
}

// TestSaveAndOpenDataset reads a model of a data set back, and compiles it again from its
// settings.
func TestSaveAndOpenDataset(t *testing.T) {
	n, m := compiled(t, "breast_cancer", zkml.LoadOptions{Head: zkml.ArgMax()}, zkml.Options{DatasetSize: 4})
	data := saved(t, m)
	opened, err := zkml.Open(context.Background(), bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(saved(t, opened), data) {
		t.Error("opening and saving again gives other bytes")
	}
	if got := zkml.DatasetSize(opened.Circuit.Manifest); got != 4 || opened.Circuit.Rows() != m.Circuit.Rows() {
		t.Errorf("%d samples and %d rows after opening", got, opened.Circuit.Rows())
	}
	samples, _, answers := heldOut(t, "breast_cancer", "features", 4)
	if got := counted(t, opened, samples, answers); got != 4 {
		t.Errorf("%d of 4 are right after opening", got)
	}
	text, err := m.Settings.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	settings, err := zkml.ReadSettings(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	again, err := zkml.Compile(context.Background(), n, zkml.Options{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	if again.Program.Digest() != m.Program.Digest() {
		t.Error("the settings give another program")
	}
	text = bytes.Replace(text, []byte(`"dataset_size": 4`), []byte(`"dataset_size": -4`), 1)
	if _, err := zkml.ReadSettings(bytes.NewReader(text)); !errors.Is(err, prover.ErrMismatch) {
		t.Errorf("settings for -4 samples: %v", err)
	}
}

// TestDatasetOfAnotherTraining compiles other weights like those of a data set's circuit:
// they have its key, and another accuracy.
func TestDatasetOfAnotherTraining(t *testing.T) {
	const n = 8
	load := zkml.LoadOptions{Head: zkml.ArgMax()}
	hidden := map[string]circuit.Visibility{circuit.WeightsName: circuit.Hashed}
	_, m := compiled(t, "breast_cancer", load, zkml.Options{DatasetSize: n, Visibility: hidden})
	negated := retrained(t, "breast_cancer", load, func(tensor string, values []float32) {
		if tensor == "coefficient2" || tensor == "intercepts2" {
			for i := range values {
				values[i] = -values[i]
			}
		}
	})
	other, err := zkml.Compile(context.Background(), negated, zkml.Options{Like: m})
	if err != nil {
		t.Fatal(err)
	}
	if other.Program.Digest() != m.Program.Digest() || zkml.DatasetSize(other.Circuit.Manifest) != n {
		t.Fatal("the circuit isn't the same")
	}
	samples, _, answers := heldOut(t, "breast_cancer", "features", n)
	if got := counted(t, m, samples, answers); got != n {
		t.Errorf("%d of %d are right", got, n)
	}
	if got := counted(t, other, samples, answers); got != 0 {
		t.Errorf("%d of %d are right of a network that answers with the other class", got, n)
	}
}

// TestDatasetRefuses asks for an accuracy of models that have none, and of too many
// samples.
func TestDatasetRefuses(t *testing.T) {
	var answer *quantize.AnswerError
	var limit *onnx.LimitError
	var visibility *circuit.VisibilityError
	for _, test := range []struct {
		name, model string
		head        zkml.Head
		size        int
		shown       map[string]circuit.Visibility
		target      any
		text        string
	}{
		{"a number", "diabetes", zkml.Head{}, 4, nil, &answer, "add a head"},
		{"two scores", "breast_cancer", zkml.Head{}, 4, nil, &answer, `output "probabilities" is a number`},
		{"a label for each score", "breast_cancer", zkml.Threshold(0.5), 4, nil, &answer, "has 2 labels"},
		{"a negative size", "breast_cancer", zkml.ArgMax(), -1, nil, &answer, "-1 samples"},
		{"too many samples", "breast_cancer", zkml.ArgMax(), 1 << 40, nil, &limit, ""},
		{"private samples", "breast_cancer", zkml.ArgMax(), 4, map[string]circuit.Visibility{"features": circuit.Private}, &visibility, `"features"`},
		{"private labels", "breast_cancer", zkml.ArgMax(), 4, map[string]circuit.Visibility{zkml.LabelsInput: circuit.Private}, &visibility, "make it public or hashed"},
		{"a private count", "breast_cancer", zkml.ArgMax(), 4, map[string]circuit.Visibility{zkml.CorrectOutput: circuit.Private}, &visibility, `"correct"`},
		{"a hashed label", "breast_cancer", zkml.ArgMax(), 4, map[string]circuit.Visibility{zkml.LabelOutput: circuit.Hashed}, &visibility, `"label"`},
	} {
		n, err := zkml.Load("testdata/"+test.model+"/model.onnx", zkml.LoadOptions{Head: test.head})
		if err != nil {
			t.Fatal(err)
		}
		_, err = zkml.Compile(context.Background(), n, zkml.Options{DatasetSize: test.size, Visibility: test.shown})
		if !errors.As(err, test.target) || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestReadDataset reads files that hold labelled samples, and files that don't.
func TestReadDataset(t *testing.T) {
	_, m := compiled(t, "tictactoe", zkml.LoadOptions{Head: zkml.ArgMax()}, zkml.Options{DatasetSize: 2})
	_, single := compiled(t, "tictactoe", zkml.LoadOptions{Head: zkml.ArgMax()}, zkml.Options{})
	row := make([]float64, 9)
	write := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "dataset.json")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct {
		name, text, wrong string
		file              any
	}{
		{name: "by name", file: map[string]any{"board": [][]float64{row, row}, "labels": []int{8, 0}}},
		{name: "with a batch axis", file: map[string]any{"board": [][][]float64{{row}, {row}}, "labels": [][]int{{8}, {0}}}},
		{name: "by position", file: map[string]any{"input_data": [][]float64{append(slices.Clone(row), row...), {8, 0}}}},
		{name: "too few", file: map[string]any{"board": [][]float64{row}, "labels": []int{8}}, wrong: "dataset.json: 1 samples, the model was compiled for 2"},
		{name: "too many", file: map[string]any{"board": [][]float64{row, row, row}, "labels": []int{8, 8, 8}}, wrong: "3 samples"},
		{name: "fewer labels", file: map[string]any{"board": [][]float64{row, row}, "labels": []int{8}}, wrong: "dataset.json: input \"labels\""},
		{name: "no labels", file: map[string]any{"board": [][]float64{row, row}}, wrong: "missing"},
		{name: "a label that is no class", file: map[string]any{"board": [][]float64{row, row}, "labels": []int{8, 9}}, wrong: "dataset.json: sample 1: label 9: the classes are 0 to 8"},
		{name: "a negative label", file: map[string]any{"board": [][]float64{row, row}, "labels": []int{-1, 0}}, wrong: "sample 0: label -1"},
		{name: "half a label", file: map[string]any{"board": [][]float64{row, row}, "labels": []float64{0, 0.5}}, wrong: `input "labels" at [1]: number is not an exact integer: 0.5`},
		{name: "another shape", file: map[string]any{"board": [][]float64{row[1:], row[1:]}, "labels": []int{8, 0}}, wrong: `input "board"`},
	} {
		path := write(test.file)
		inputs, err := m.ReadDataset(path)
		if test.wrong != "" {
			var dataset *zkml.DatasetError
			var file *inputfile.Error
			if err == nil || !strings.Contains(err.Error(), test.wrong) || !errors.As(err, &dataset) && !errors.As(err, &file) {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if got := inputs[zkml.LabelsInput]; !slices.Equal(got.Data, []float64{8, 0}) {
			t.Errorf("%s: labels %v", test.name, got)
		}
		again, err := zkml.ReadDataset(m.Circuit.Manifest, path)
		if err != nil || !slices.Equal(again["board"].Data, inputs["board"].Data) {
			t.Errorf("%s: by the manifest %v, %v", test.name, again, err)
		}
		var dataset *zkml.DatasetError
		if _, err := single.ReadDataset(path); !errors.As(err, &dataset) {
			t.Errorf("%s: a model of one inference: %v", test.name, err)
		}
		if _, err := zkml.ReadDataset(single.Circuit.Manifest, path); !errors.As(err, &dataset) {
			t.Errorf("%s: the manifest of one inference: %v", test.name, err)
		}
	}
	// What is out of range is named with its sample.
	far := slices.Clone(row)
	far[3] = 1e6
	inputs, err := m.ReadDataset(write(map[string]any{"board": [][]float64{row, far}, "labels": []int{0, 0}}))
	if err != nil {
		t.Fatal(err)
	}
	var outside *quantize.RangeError
	if _, err := m.Assign(inputs, zkml.ProveOptions{}); !errors.As(err, &outside) || outside.Element != 3 || !strings.HasPrefix(err.Error(), "sample 1: ") {
		t.Errorf("a sample out of range: %v", err)
	}
	var dataset *zkml.DatasetError
	board := zkml.Inputs{"board": tensor.New[float64](tensor.Shape{1, 9})}
	if _, err := m.Dataset([]zkml.Inputs{board, board}, []int{1}); !errors.As(err, &dataset) {
		t.Errorf("one label for two samples: %v", err)
	}
	if _, err := m.Dataset([]zkml.Inputs{board, {}}, []int{1, 1}); !errors.As(err, &dataset) || dataset.Sample != 1 {
		t.Errorf("a sample without input: %v", err)
	}
	var input *graph.InputError
	if _, err := m.Assign(board, zkml.ProveOptions{}); !errors.As(err, &input) {
		t.Errorf("one inference's input: %v", err)
	}
}
