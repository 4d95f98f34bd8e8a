package evm_test

import (
	"context"
	"testing"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// TestBatch has a model's own contract decode the answers to a batch of inputs, shown and
// hashed, and reject another answer.
func TestBatch(t *testing.T) {
	needCompiler(t)
	const n = 3
	samples, _ := labelled(t, n)
	for _, features := range []circuit.Visibility{circuit.Shown, circuit.Hashed} {
		t.Run(features.String(), func(t *testing.T) {
			network, err := zkml.Load(models+"breast_cancer/model.onnx", zkml.LoadOptions{Head: zkml.ArgMax()})
			if err != nil {
				t.Fatal(err)
			}
			o := zkml.Options{
				Batch: n, Labels: []string{"malignant", "benign"},
				Visibility: map[string]circuit.Visibility{"features": features},
			}
			if o.Samples, err = network.ReadSamples(models + "breast_cancer/samples.json"); err != nil {
				t.Fatal(err)
			}
			m, err := zkml.Compile(context.Background(), network, o)
			if err != nil {
				t.Fatal(err)
			}
			pk, vk := keys(t, m)
			inputs, err := m.Batch(samples)
			if err != nil {
				t.Fatal(err)
			}
			proof, err := zkml.Prove(context.Background(), m, pk, inputs, zkml.ProveOptions{})
			if err != nil {
				t.Fatal(err)
			}
			v, err := evm.Deploy(context.Background(), vk, options(kinds[0], vk, proof))
			if err != nil {
				t.Fatal(err)
			}
			answers := make([]int64, 0, n)
			for _, value := range proof.Values {
				if value.Role == "output" {
					answers = append(answers, value.Integers...)
				}
			}
			for _, entry := range []solidity.Entry{solidity.Typed, solidity.Packed} {
				result := call(t, v, vk, entry, proof)
				if result.Revert != nil {
					t.Fatal(result.Revert)
				}
				outputs, err := v.Outputs(entry, result.Output)
				if err != nil {
					t.Fatal(err)
				}
				if len(outputs[0]) != n {
					t.Fatalf("the contract decodes %d answers, want %d", len(outputs[0]), n)
				}
				for i, want := range answers {
					if outputs[0][i].Int64() != want {
						t.Errorf("inference %d: the contract decodes %v, the proof says %d", i, outputs[0][i], want)
					}
				}
			}
			// The answers are in the last word, a bit each, the first lowest.
			last := len(proof.Words) - 1
			word := proof.Words[last]
			forged := *proof
			forged.Words = append(forged.Words[:0:0], proof.Words...)
			forged.Words[last].SetUint64(word.Uint64() ^ 1)
			if result := call(t, v, vk, solidity.Packed, &forged); result.Revert == nil {
				t.Error("another answer of the first inference is accepted")
			}
		})
	}
}
