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
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// TestBatchEqualsSingle compares the integers that the circuit of a batch accepts with
// those of as many circuits for one inference.
func TestBatchEqualsSingle(t *testing.T) {
	const n = 5
	for _, c := range []struct {
		model, input string
		head         zkml.Head
		weights      circuit.Visibility
	}{
		{"breast_cancer", "features", zkml.Head{}, circuit.Fixed},
		{"breast_cancer", "features", zkml.ArgMax(), circuit.Hashed},
		{"tictactoe", "board", zkml.ArgMax(), circuit.Fixed},
	} {
		t.Run(fmt.Sprintf("%s %v %v", c.model, c.head, c.weights), func(t *testing.T) {
			load := zkml.LoadOptions{Head: c.head}
			o := zkml.Options{Visibility: map[string]circuit.Visibility{circuit.WeightsName: c.weights}}
			_, single := compiled(t, c.model, load, o)
			o.Batch = n
			_, batch := compiled(t, c.model, load, o)
			samples, _, _ := heldOut(t, c.model, c.input, n)
			inputs, err := batch.Batch(samples)
			if err != nil {
				t.Fatal(err)
			}
			all, err := batch.Assign(inputs, zkml.ProveOptions{})
			if err != nil {
				t.Fatal(err)
			}
			r, err := batch.Check(inputs, zkml.ProveOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if r.Batch != n || r.Bounded == 0 {
				t.Errorf("the check is of %d inferences, %d elements within their bounds", r.Batch, r.Bounded)
			}
			for i, sample := range samples {
				one, err := single.Assign(sample, zkml.ProveOptions{})
				if err != nil {
					t.Fatal(err)
				}
				alone, err := single.Check(sample, zkml.ProveOptions{})
				if err != nil {
					t.Fatal(err)
				}
				for k, out := range single.Program.Outputs {
					want := one.Values[out.ID]
					got := all.Values[batch.Program.Outputs[k].ID]
					if len(got) != n*len(want) || !slices.Equal(got[i*len(want):][:len(want)], want) {
						t.Errorf("inference %d: output %q is %v in %v", i, out.Name, want, got)
					}
					if got := r.Outputs[k].Values[i*len(want):][:len(want)]; !slices.Equal(got, alone.Outputs[k].Values) {
						t.Errorf("inference %d: the check says %v, alone %v", i, got, alone.Outputs[k].Values)
					}
				}
			}
		})
	}
}

// TestBatchRows holds the rows of an inference more against their budget: 20 for each
// activation, 1/8 for each multiplication, 10 for each element that enters or leaves.
func TestBatchRows(t *testing.T) {
	const (
		activations     = 16 + 8 + 1
		multiplications = 30*16 + 16*8 + 8
		elements        = 30 + 2
		budget          = 20*activations + multiplications/8 + 10*elements
	)
	rows := make(map[int]int)
	for _, n := range []int{0, 16, 64} {
		_, m := compiled(t, "breast_cancer", zkml.LoadOptions{}, zkml.Options{Batch: n})
		rows[max(n, 1)] = m.Circuit.Rows()
	}
	for _, step := range [][2]int{{1, 16}, {16, 64}} {
		added := step[1] - step[0]
		more := rows[step[1]] - rows[step[0]]
		t.Logf("from %d to %d inferences: %d rows, %.0f for each, budget %d", step[0], step[1], more, float64(more)/float64(added), budget)
		if more > added*budget {
			t.Errorf("%d inferences more take %d rows, above %d each", added, more, budget)
		}
	}
}

// TestBatchSharesVectors finds Freivalds' check in a batch where one inference has none,
// and its random vectors, with what they make of the weights, once for all inferences.
func TestBatchSharesVectors(t *testing.T) {
	rows := func(n int) (freivalds int) {
		_, m := compiled(t, "tictactoe", zkml.LoadOptions{}, zkml.Options{Batch: n, Widths: []int{3, 9}})
		for _, line := range m.Circuit.Layout() {
			if strings.Contains(line.Gadget, "Freivalds") {
				freivalds += line.Rows
			}
		}
		return freivalds
	}
	one, four, eight := rows(0), rows(4), rows(8)
	if one != 0 || four == 0 {
		t.Fatalf("Freivalds' checks take %d rows in one inference and %d in four", one, four)
	}
	// A vector of 128 outputs is challenged, and one of 18 and one of 128 inputs follow.
	if shared := 2*four - eight; shared < 128 {
		t.Errorf("four inferences take %d rows, eight %d: %d are shared", four, eight, shared)
	}
}

// TestBatchDigest proves a batch of hashed inputs: one digest over all of them, which
// Commit makes from the key's manifest alone.
func TestBatchDigest(t *testing.T) {
	const n = 3
	_, m := compiled(t, "diabetes", zkml.LoadOptions{Head: zkml.Threshold(150)},
		zkml.Options{Batch: n, Labels: []string{"low", "high"}, Visibility: map[string]circuit.Visibility{"features": circuit.Hashed}})
	s, err := srs.Development(m.DomainLog())
	if err != nil {
		t.Fatal(err)
	}
	pk, vk, err := zkml.Setup(m, s)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "inputs.json")
	row := []float64{0.1, 0.1, 0.1, 0.1, 0, 0, 0, 0, 0.1, 0.1}
	low := make([]float64, len(row))
	for i, v := range row {
		low[i] = -v
	}
	data, err := json.Marshal(map[string]any{"features": [][]float64{row, low, row}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	inputs, err := zkml.ReadBatch(vk.Manifest(), path)
	if err != nil {
		t.Fatal(err)
	}
	secrets := &zkml.Secrets{}
	digests, err := zkml.Commit(vk.Manifest(), inputs, secrets)
	if err != nil {
		t.Fatal(err)
	}
	if inputs, err = m.ReadInputs(path); err != nil {
		t.Fatal(err)
	}
	proof, err := zkml.Prove(context.Background(), m, pk, inputs, zkml.ProveOptions{Secrets: secrets})
	if err != nil {
		t.Fatal(err)
	}
	verdict, err := zkml.Verify(vk, proof, zkml.Expectation{
		AllowDevelopmentSRS: true, Digests: map[string]fr.Element{"features": fr.Element(*digests[0].Digest)},
	})
	if err != nil {
		t.Fatal(err)
	}
	answers := verdict.Values[1]
	if len(proof.Words) != 3 || answers.Integers[0] != answers.Integers[2] || answers.Integers[0] == answers.Integers[1] ||
		!slices.Equal(answers.Labels, []string{"high", "low", "high"}) {
		t.Errorf("the %d words say %+v", len(proof.Words), answers)
	}
	// The answer of one inference changed for that of another.
	swapped := zkml.Expectation{AllowDevelopmentSRS: true}
	if err := swapped.Expect(vk.Manifest(), answers.Name, "low,high,high"); err != nil {
		t.Fatal(err)
	}
	if _, err := zkml.Verify(vk, proof, swapped); !errors.Is(err, prover.ErrRejected) {
		t.Errorf("other answers are expected: %v", err)
	}
}

// TestSaveAndOpenBatch reads a model of a batch back, and compiles it again from its
// settings and like itself.
func TestSaveAndOpenBatch(t *testing.T) {
	const n = 4
	hidden := map[string]circuit.Visibility{circuit.WeightsName: circuit.Private}
	network, m := compiled(t, "breast_cancer", zkml.LoadOptions{}, zkml.Options{Batch: n, Visibility: hidden})
	data := saved(t, m)
	opened, err := zkml.Open(context.Background(), bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(saved(t, opened), data) {
		t.Error("opening and saving again gives other bytes")
	}
	if zkml.Batch(opened.Circuit.Manifest) != n || zkml.DatasetSize(opened.Circuit.Manifest) != 0 {
		t.Error("the manifest doesn't tell the batch")
	}
	for name, o := range map[string]zkml.Options{"settings": {Settings: m.Settings}, "like": {Like: m}} {
		again, err := zkml.Compile(context.Background(), network, o)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if again.Circuit.Rows() != m.Circuit.Rows() || again.Circuit.Manifest.ProgramDigest != m.Circuit.Manifest.ProgramDigest {
			t.Errorf("%s: another circuit", name)
		}
	}
	// Equal digests would mean equal values only between batches of one length.
	_, single := compiled(t, "breast_cancer", zkml.LoadOptions{}, zkml.Options{Visibility: hidden})
	var fit *quantize.FitError
	if err := zkml.CheckLink(single.Circuit.Manifest, "features", m.Circuit.Manifest, "features"); !errors.As(err, &fit) {
		t.Errorf("one inference's input is linked to a batch's: %v", err)
	}
	if err := zkml.CheckLink(opened.Circuit.Manifest, "features", m.Circuit.Manifest, "features"); err != nil {
		t.Error(err)
	}
}

// TestBatchRefuses has a row for each file and option that can't be a batch's.
func TestBatchRefuses(t *testing.T) {
	network, m := compiled(t, "tictactoe", zkml.LoadOptions{}, zkml.Options{Batch: 2})
	single, err := zkml.Compile(context.Background(), network, zkml.Options{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "inputs.json")
	row := make([]float64, 9)
	far := slices.Clone(row)
	far[3] = 1e6
	for _, test := range []struct {
		name, wrong string
		board       any
	}{
		{"two", "", [][]float64{row, row}},
		{"two with an axis of one", "", [][][]float64{{row}, {row}}},
		{"one", "inputs.json: 1 samples, the model was compiled for 2", [][]float64{row}},
		{"three", "inputs.json: 3 samples, the model was compiled for 2", [][]float64{row, row, row}},
		{"another shape", `inputs.json: input "board"`, [][]float64{row[1:], row[1:]}},
		{"a value too large", "sample 1: input \"board\": element 3", [][]float64{row, far}},
	} {
		data, err := json.Marshal(map[string]any{"board": test.board})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		inputs, err := m.ReadInputs(path)
		if parsed, failed := m.ParseInputs(path, data); fmt.Sprint(failed) != fmt.Sprint(err) || err == nil && !slices.Equal(parsed["board"].Data, inputs["board"].Data) {
			t.Errorf("%s: from bytes %v, from the file %v", test.name, failed, err)
		}
		if _, byManifest := zkml.ReadBatch(m.Circuit.Manifest, path); fmt.Sprint(byManifest) != fmt.Sprint(err) {
			t.Errorf("%s: by the manifest %v, by the model %v", test.name, byManifest, err)
		}
		if err == nil {
			_, err = m.Assign(inputs, zkml.ProveOptions{})
		}
		var count *zkml.DatasetError
		var file *inputfile.Error
		var outside *quantize.RangeError
		if test.wrong == "" && err == nil {
			continue
		}
		if test.wrong == "" || err == nil || !strings.Contains(err.Error(), test.wrong) ||
			!errors.As(err, &count) && !errors.As(err, &file) && !errors.As(err, &outside) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	var wrong *zkml.DatasetError
	board := zkml.Inputs{"board": tensor.New[float64](tensor.Shape{1, 9})}
	more := zkml.Inputs{"board": board["board"], "bored": board["board"]}
	for name, sets := range map[string][]zkml.Inputs{"one": {board}, "none": nil, "an empty one": {board, {}}, "another input": {board, more}} {
		if _, err := m.Batch(sets); !errors.As(err, &wrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := single.Batch([]zkml.Inputs{board}); !errors.As(err, &wrong) {
		t.Errorf("a model of one inference: %v", err)
	}
	if _, err := zkml.ReadBatch(single.Circuit.Manifest, path); !errors.As(err, &wrong) {
		t.Errorf("the manifest of one inference: %v", err)
	}
	if _, err := m.ReadDataset(path); !errors.As(err, &wrong) {
		t.Errorf("a batch has no labels: %v", err)
	}
	var input *graph.InputError
	if _, err := m.Assign(board, zkml.ProveOptions{}); !errors.As(err, &input) {
		t.Errorf("one inference's input: %v", err)
	}

	var answer *quantize.AnswerError
	if _, err := zkml.Compile(context.Background(), network, zkml.Options{Batch: 2, DatasetSize: 2}); !errors.As(err, &answer) {
		t.Errorf("a batch and a data set: %v", err)
	}
	var invalid *quantize.InvalidError
	if _, err := zkml.Compile(context.Background(), network, zkml.Options{Batch: -1}); !errors.As(err, &invalid) {
		t.Errorf("a negative batch: %v", err)
	}
	var limit *onnx.LimitError
	if _, err := zkml.Compile(context.Background(), network, zkml.Options{Batch: 1 << 40}); !errors.As(err, &limit) {
		t.Errorf("a huge batch: %v", err)
	}
	text, err := m.Settings.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range []string{"-2", `2, "dataset_size": 2`} {
		changed := strings.Replace(string(text), `"batch": 2`, `"batch": `+batch, 1)
		if _, err := zkml.ReadSettings(strings.NewReader(changed)); !errors.Is(err, prover.ErrMismatch) || changed == string(text) {
			t.Errorf("settings with a batch of %s: %v", batch, err)
		}
	}
}

// BenchmarkBatch proves batches; ms/inference is the time of one inference in it.
func BenchmarkBatch(b *testing.B) {
	for _, n := range []int{0, 16, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			_, m := compiled(b, "breast_cancer", zkml.LoadOptions{}, zkml.Options{Batch: n})
			s, err := srs.Development(m.DomainLog())
			if err != nil {
				b.Fatal(err)
			}
			pk, _, err := zkml.Setup(m, s)
			if err != nil {
				b.Fatal(err)
			}
			prove, err := zkml.NewProver(m, pk, zkml.ProverOptions{})
			if err != nil {
				b.Fatal(err)
			}
			defer prove.Close()
			inputs := zkml.Inputs{"features": tensor.New[float64](m.Program.Nodes[m.Program.Inputs[0]].Shape)}
			for b.Loop() {
				if _, err := prove.Prove(context.Background(), inputs, zkml.ProveOptions{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N*max(n, 1)), "ms/inference")
		})
	}
}
