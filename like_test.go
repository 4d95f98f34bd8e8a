package zkml_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"google.golang.org/protobuf/proto"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/internal/onnxpb"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// retrained is a model of testdata with changed weights and renamed nodes, as another
// training run may export it.
func retrained(t testing.TB, name string, load zkml.LoadOptions, change func(tensor string, values []float32)) *zkml.Network {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + "/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	var m onnxpb.ModelProto
	if err := proto.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	for _, w := range m.Graph.Initializer {
		if w.GetDataType() != int32(onnxpb.TensorProto_FLOAT) {
			continue
		}
		values := w.FloatData
		if raw := w.GetRawData(); len(raw) > 0 {
			values = make([]float32, len(raw)/4)
			for i := range values {
				values[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
			}
			w.RawData = nil
		}
		change(w.GetName(), values)
		w.FloatData = values
	}
	for _, n := range m.Graph.Node {
		n.Name = proto.String(n.GetName() + "/again")
	}
	if data, err = proto.Marshal(&m); err != nil {
		t.Fatal(err)
	}
	n, err := zkml.LoadBytes(data, load)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// shrink is a training with weights a little smaller, and two of them swapped.
func shrink(_ string, values []float32) {
	for i := range values {
		values[i] *= 0.96875
	}
	if len(values) > 1 {
		values[0], values[1] = values[1], values[0]
	}
}

// TestLike compiles another training of a model: one program digest, one key and one
// model id serve both, and a proof of either verifies under it; an expected digest tells
// them apart.
func TestLike(t *testing.T) {
	hashed := map[string]circuit.Visibility{circuit.WeightsName: circuit.Hashed}
	for _, name := range []string{"breast_cancer", "diabetes"} {
		t.Run(name, func(t *testing.T) {
			_, first := compiled(t, name, zkml.LoadOptions{}, zkml.Options{Visibility: hashed})
			n := retrained(t, name, first.LoadOptions(), shrink)
			samples, err := n.ReadSamples("testdata/" + name + "/samples.json")
			if err != nil {
				t.Fatal(err)
			}
			second, err := zkml.Compile(context.Background(), n, zkml.Options{Like: first, Samples: samples})
			if err != nil {
				t.Fatal(err)
			}
			reopened, err := zkml.Open(context.Background(), bytes.NewReader(saved(t, second)))
			if err != nil {
				t.Fatal(err)
			}
			if second.Program.Digest() != first.Program.Digest() {
				t.Error("the programs have two digests")
			}
			s, err := srs.Development(first.DomainLog())
			if err != nil {
				t.Fatal(err)
			}
			pk, vk, err := zkml.Setup(first, s)
			if err != nil {
				t.Fatal(err)
			}
			_, again, err := zkml.Setup(second, s)
			if err != nil {
				t.Fatal(err)
			}
			if again.ModelID() != vk.ModelID() || !bytes.Equal(again.Blob(), vk.Blob()) {
				t.Fatal("the models have two keys")
			}
			inputs, err := first.ReadInputs("testdata/" + name + "/input.json")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := reopened.Check(inputs, zkml.ProveOptions{}); err != nil {
				t.Errorf("check of the second: %v", err)
			}
			var secrets zkml.Secrets
			want, err := first.CommitWeights(&secrets)
			if err != nil {
				t.Fatal(err)
			}
			expect := zkml.Expectation{
				AllowDevelopmentSRS: true,
				Digests:             map[string]fr.Element{circuit.WeightsName: fr.Element(*want.Digest)},
			}
			for _, m := range []*zkml.Model{first, reopened} {
				proof, err := zkml.Prove(context.Background(), m, pk, inputs, zkml.ProveOptions{Secrets: &secrets})
				if err != nil {
					t.Fatal(err)
				}
				verdict, err := zkml.Verify(vk, proof, zkml.Expectation{AllowDevelopmentSRS: true})
				if err != nil || len(verdict.NotPinned) != 1 || verdict.NotPinned[0] != circuit.WeightsName {
					t.Errorf("without a digest: %+v, %v", verdict, err)
				}
				_, err = zkml.Verify(vk, proof, expect)
				switch {
				case m == first && err != nil:
					t.Errorf("the expected weights: %v", err)
				case m == reopened && !errors.Is(err, prover.ErrRejected):
					t.Errorf("other weights under the expected digest: %v", err)
				}
			}
		})
	}
}

// TestUnlike has networks that aren't another training of the model that they are to be
// like.
func TestUnlike(t *testing.T) {
	private := map[string]circuit.Visibility{circuit.WeightsName: circuit.Private}
	_, hidden := compiled(t, "diabetes", zkml.LoadOptions{}, zkml.Options{Visibility: private})
	_, fixed := compiled(t, "diabetes", zkml.LoadOptions{}, zkml.Options{})
	other, err := zkml.Load("testdata/breast_cancer/model.onnx", zkml.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	large := ""
	grow := func(name string, values []float32) {
		if large == "" {
			large = name
			values[3] = 1000
		}
	}
	for _, test := range []struct {
		name   string
		n      *zkml.Network
		like   *zkml.Model
		tensor bool // the error names one
	}{
		{"a weight beyond its interval", retrained(t, "diabetes", hidden.LoadOptions(), grow), hidden, true},
		{"another architecture", other, hidden, false},
		{"fixed weights", retrained(t, "diabetes", fixed.LoadOptions(), shrink), fixed, false},
		{"another name", retrained(t, "diabetes", zkml.LoadOptions{Name: "mine"}, shrink), hidden, false},
	} {
		_, err := zkml.Compile(context.Background(), test.n, zkml.Options{Like: test.like})
		var fit *quantize.FitError
		if !errors.As(err, &fit) || (fit.Tensor != "") != test.tensor {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestUnlikeConstant hides the factors of a product. Factors that all are the same are
// taken for a part of the architecture: such a network is another program, and refused.
func TestUnlikeConstant(t *testing.T) {
	shape := tensor.Shape{1, 3}
	network := func(factors ...float64) *zkml.Network {
		return &zkml.Network{Graph: &graph.Graph{
			Nodes: []graph.Node{
				{Op: graph.Input{Name: "x"}, Shape: shape, Name: "x"},
				{Op: graph.Const{Values: factors}, Shape: shape, Name: "factors"},
				{Op: graph.Mul{}, Inputs: []graph.ID{0, 1}, Shape: shape, Name: "y"},
			},
			Inputs:  []graph.ID{0},
			Outputs: []graph.Output{{Name: "y", ID: 2}},
		}}
	}
	o := zkml.Options{Visibility: map[string]circuit.Visibility{circuit.WeightsName: circuit.Private}}
	first, err := zkml.Compile(context.Background(), network(0.3, 0.7, -0.9), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := zkml.Compile(context.Background(), network(0.5, 0.1, -0.2), zkml.Options{Like: first}); err != nil {
		t.Errorf("other factors: %v", err)
	}
	_, err = zkml.Compile(context.Background(), network(0.5, 0.5, 0.5), zkml.Options{Like: first})
	var fit *quantize.FitError
	if !errors.As(err, &fit) {
		t.Errorf("equal factors: %v", err)
	}
}
