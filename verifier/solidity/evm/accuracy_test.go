package evm_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/common"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// labelled reads n samples of the breast-cancer data set, the network's one wrong answer,
// sample 23, among them.
func labelled(t *testing.T, n int) (samples []zkml.Inputs, labels []int) {
	t.Helper()
	data, err := os.ReadFile(models + "breast_cancer/dataset.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Features [][]float64
		Labels   []int
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	first := max(0, 23-n/2)
	for _, row := range file.Features[first:][:n] {
		samples = append(samples, zkml.Inputs{"features": &graph.Tensor{Shape: tensor.Shape{1, len(row)}, Data: row}})
	}
	return samples, file.Labels[first:][:n]
}

// accuracyModel compiles the breast-cancer network for n samples. Samples and labels, and
// weights, are shown as asked.
func accuracyModel(t *testing.T, n int, data, weights circuit.Visibility) *zkml.Model {
	t.Helper()
	network, err := zkml.Load(models+"breast_cancer/model.onnx", zkml.LoadOptions{Head: zkml.ArgMax()})
	if err != nil {
		t.Fatal(err)
	}
	o := zkml.Options{DatasetSize: n, Visibility: map[string]circuit.Visibility{
		"features": data, zkml.LabelsInput: data, circuit.WeightsName: weights,
	}}
	if o.Samples, err = network.ReadSamples(models + "breast_cancer/samples.json"); err != nil {
		t.Fatal(err)
	}
	m, err := zkml.Compile(context.Background(), network, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestAccuracy has testdata/Accuracy.sol record how many answers of hidden weights are
// right: over 6 samples, or over 64 in make visibility.
func TestAccuracy(t *testing.T) {
	needCompiler(t)
	n := 6
	if *full {
		n = 64
	}
	m := accuracyModel(t, n, circuit.Hashed, circuit.Hashed)
	pk, vk := keys(t, m)
	samples, labels := labelled(t, n)
	secrets := &zkml.Secrets{}
	prove := func(labels []int) *prover.Proof {
		inputs, err := m.Dataset(samples, labels)
		if err != nil {
			t.Fatal(err)
		}
		proof, err := zkml.Prove(context.Background(), m, pk, inputs, zkml.ProveOptions{Secrets: secrets})
		if err != nil {
			t.Fatal(err)
		}
		return proof
	}
	proof := prove(labels)
	features, labelled, correct, weights := proof.Words[1], proof.Words[2], proof.Words[3], proof.Words[4]

	c := deployConsumer(t, "Accuracy", []*prover.VerifyingKey{vk}, func(c *consumer) [][32]byte {
		return [][32]byte{[32]byte(common.LeftPadBytes(c.verifier.Address.Bytes(), 32)), vk.ModelID(), features.Bytes(), labelled.Bytes()}
	})
	record := func(p *prover.Proof, weights, correct fr.Element) error {
		_, err := c.call(t, "record", marshal(t, vk, p), integer(weights), integer(correct))
		return err
	}
	recorded := func(weights, want fr.Element) {
		t.Helper()
		if got, err := c.call(t, "correctOf", integer(weights)); err != nil || got.Cmp(integer(want)) != 0 {
			t.Errorf("%v right answers are recorded, want %v: %v", got, want.String(), err)
		}
	}

	// What doesn't hold is not recorded.
	var more fr.Element
	more.Add(&correct, new(fr.Element).SetOne())
	if err := record(proof, weights, more); err == nil {
		t.Error("one right answer more is accepted")
	}
	changed := append([]int{1 - labels[0]}, labels[1:]...)
	relabelled := prove(changed)
	if relabelled.Words[3] == correct || relabelled.Words[2] == labelled || relabelled.Words[4] != weights {
		t.Fatalf("other labels give %v after %v", relabelled.Words, proof.Words)
	}
	if err := record(relabelled, weights, relabelled.Words[3]); err == nil {
		t.Error("the count of other labels is accepted")
	}
	for i := range m.Program.Nodes {
		if op, ok := m.Program.Nodes[i].Op.(quantize.Param); ok {
			op.Values[0] ^= 1 // stays in its interval
			break
		}
	}
	other := prove(labels)
	if other.ModelID != proof.ModelID || other.Words[4] == weights {
		t.Fatal("the other weights are the same, or the model isn't")
	}
	expect := zkml.Expectation{AllowDevelopmentSRS: true, Digests: map[string]fr.Element{circuit.WeightsName: weights}}
	if _, err := zkml.Verify(vk, other, expect); !errors.Is(err, prover.ErrRejected) {
		t.Errorf("other weights where the first are expected: %v", err)
	}
	if err := record(other, weights, other.Words[3]); err == nil {
		t.Error("other weights under the digest of the first are accepted")
	}
	recorded(weights, fr.Element{})

	// What holds is, for each weights.
	if err := record(proof, weights, correct); err != nil {
		t.Errorf("the proof: %v", err)
	}
	recorded(weights, correct)
	recorded(other.Words[4], fr.Element{})
	if err := record(other, other.Words[4], other.Words[3]); err != nil {
		t.Errorf("the proof of other weights: %v", err)
	}
	recorded(other.Words[4], other.Words[3])

	if want := fr.NewElement(uint64(n - 1)); correct != want {
		t.Errorf("%v right answers, want %d of %d", correct.String(), n-1, n)
	}
}

// TestVisibilityOfAccuracy shows and hides 64 samples and the weights, and prints the
// README's table. Without -full it does so once: TestAccuracy hides more, on fewer samples.
func TestVisibilityOfAccuracy(t *testing.T) {
	needCompiler(t)
	const n = 64
	hiding := []circuit.Visibility{circuit.Hashed}
	if *full {
		hiding = append(hiding, circuit.Shown)
	}
	t.Log("| samples and labels | weights | rows | domain | prove | words | gas | gas with packed words |")
	for _, data := range hiding {
		for _, weights := range []circuit.Visibility{circuit.Fixed, circuit.Hashed}[:len(hiding)] {
			m := accuracyModel(t, n, data, weights)
			pk, vk := keys(t, m)
			inputs, err := m.ReadDataset(models + "breast_cancer/dataset.json")
			if err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			proof, err := zkml.Prove(context.Background(), m, pk, inputs, zkml.ProveOptions{})
			if err != nil {
				t.Fatal(err)
			}
			took := time.Since(begin)
			var gas [2]uint64
			v, err := evm.Deploy(context.Background(), vk, options(kinds[0], vk, proof))
			if err != nil {
				t.Fatal(err)
			}
			for i, entry := range []solidity.Entry{solidity.Typed, solidity.Packed} {
				result := call(t, v, vk, entry, proof)
				if result.Revert != nil {
					t.Fatal(result.Revert)
				}
				outputs, err := v.Outputs(entry, result.Output)
				if err != nil {
					t.Fatal(err)
				}
				if got := outputs[0][0]; got.Int64() != 63 {
					t.Errorf("%v data, %v weights: %v right answers", data, weights, got)
				}
				gas[i] = result.ExecutionGas
			}
			t.Logf("| %v | %v | %d | 2^%d | %.1f s | %d | %d | %d |", data, weights, m.Circuit.Rows(), m.DomainLog(),
				took.Seconds(), len(proof.Words), gas[0], gas[1])
		}
	}
}
