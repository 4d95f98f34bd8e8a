package evm_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// full has TestVisibility go through all combinations and models, as make visibility
// does. Without it three combinations have each visibility at each place.
var full = flag.Bool("full", false, "prove all combinations of visibility, and LeNet-5's")

const models = "../../../testdata/"

// visible is what a test asks for: the visibility of input, output and weights.
type visible [3]circuit.Visibility

func (v visible) String() string {
	return fmt.Sprintf("%v input, %v output, %v weights", v[0], v[1], v[2])
}

// compiled compiles a model of testdata, whose one input and output are shown as asked.
func compiled(t *testing.T, name string, load zkml.LoadOptions, v visible) (*zkml.Model, zkml.Inputs) {
	t.Helper()
	n, err := zkml.Load(models+name+"/model.onnx", load)
	if err != nil {
		t.Fatal(err)
	}
	o := zkml.Options{Visibility: map[string]circuit.Visibility{circuit.WeightsName: v[2]}}
	if o.Samples, err = n.ReadSamples(models + name + "/samples.json"); err != nil {
		t.Fatal(err)
	}
	for name := range o.Samples[0] {
		o.Visibility[name] = v[0]
	}
	o.Visibility[n.Graph.Outputs[0].Name] = v[1]
	m, err := zkml.Compile(context.Background(), n, o)
	if err != nil {
		t.Fatal(err)
	}
	inputs, err := m.ReadInputs(models + name + "/input.json")
	if err != nil {
		t.Fatal(err)
	}
	return m, inputs
}

func keys(t *testing.T, m *zkml.Model) (*prover.ProvingKey, *prover.VerifyingKey) {
	t.Helper()
	s, err := srs.Development(m.DomainLog())
	if err != nil {
		t.Fatal(err)
	}
	pk, vk, err := zkml.Setup(m, s)
	if err != nil {
		t.Fatal(err)
	}
	return pk, vk
}

// show proves and verifies a model in Go and in its contract, and prints a row of the
// README's table.
func show(t *testing.T, name string, load zkml.LoadOptions, v visible) {
	m, inputs := compiled(t, name, load, v)
	pk, vk := keys(t, m)
	secrets := &zkml.Secrets{}
	begin := time.Now()
	proof, err := zkml.Prove(context.Background(), m, pk, inputs, zkml.ProveOptions{Context: fr.NewElement(42), Secrets: secrets})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin)
	expect := zkml.Expectation{AllowDevelopmentSRS: true, Digests: digests(t, m, inputs, secrets)}
	verdict, err := zkml.Verify(vk, proof, expect)
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Equal(verdict.NotPinned, nil); !got || verdict.AnyWeights != (v[2] == circuit.Private) {
		t.Errorf("the verdict is %+v", verdict)
	}
	for hashed := range expect.Digests {
		wrong := zkml.Expectation{AllowDevelopmentSRS: true, Digests: map[string]fr.Element{hashed: fr.NewElement(1)}}
		if _, err := zkml.Verify(vk, proof, wrong); !errors.Is(err, prover.ErrRejected) {
			t.Errorf("another digest of %s: %v", hashed, err)
		}
	}
	for i := range proof.Words {
		forged := *proof
		forged.Words = slices.Clone(proof.Words)
		forged.Words[i].SetUint64(5)
		if forged.Words[i] == proof.Words[i] {
			continue
		}
		if forged.Values, err = prover.DecodeWords(vk.Manifest(), forged.Words); err != nil {
			continue // such a word can't be sent
		}
		if _, err := zkml.Verify(vk, &forged, zkml.Expectation{AllowDevelopmentSRS: true}); !errors.Is(err, prover.ErrRejected) {
			t.Errorf("another word %d: %v", i, err)
		}
	}
	report, err := evm.Verify(vk, proof)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("| %v | %v | %v | %d | 2^%d | %.1f s | %d | %d | %d |", v[0], v[1], v[2],
		m.Circuit.Rows(), m.DomainLog(), took.Seconds(), len(proof.Words), report.ExecutionGas, report.TransactionGas)
}

// digests computes outside the proof what it has to state: from the inputs, from the
// model's weights and from the answer that the prover keeps.
func digests(t *testing.T, m *zkml.Model, inputs zkml.Inputs, s *zkml.Secrets) map[string]fr.Element {
	t.Helper()
	all := make(map[string]fr.Element)
	values, err := zkml.Commit(m.Circuit.Manifest, inputs, s)
	if err != nil {
		t.Fatal(err)
	}
	if m.Circuit.Manifest.Weights == circuit.Hashed {
		weights, err := m.CommitWeights(s)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, weights)
	}
	for _, v := range values {
		all[v.Name] = fr.Element(*v.Digest)
	}
	for i, p := range m.Circuit.Manifest.Outputs {
		if p.Visibility == circuit.Hashed {
			d, err := p.Digest(s.Outputs[i].Integers, s.Salts[p.Name])
			if err != nil {
				t.Fatal(err)
			}
			all[p.Name] = d
		}
	}
	return all
}

// TestVisibility shows and hides the input, the output and the weights of a network.
func TestVisibility(t *testing.T) {
	const s, p, h, f = circuit.Shown, circuit.Private, circuit.Hashed, circuit.Fixed
	combinations := []visible{{s, h, p}, {p, s, h}, {h, p, f}}
	if *full {
		combinations = nil
		for _, weights := range []circuit.Visibility{f, p, h} {
			for _, input := range []circuit.Visibility{s, p, h} {
				for _, output := range []circuit.Visibility{s, p, h} {
					combinations = append(combinations, visible{input, output, weights})
				}
			}
		}
	}
	t.Log("| input | output | weights | rows | domain | prove | words | gas | gas of the transaction |")
	for _, v := range combinations {
		t.Run(v.String(), func(t *testing.T) {
			show(t, "breast_cancer", zkml.LoadOptions{Head: zkml.ArgMax()}, v)
		})
	}
}

// TestVisibilityOfLeNet hides parts of a larger network.
func TestVisibilityOfLeNet(t *testing.T) {
	if !*full {
		t.Skip("takes minutes: make visibility runs it")
	}
	const s, p, h, f = circuit.Shown, circuit.Private, circuit.Hashed, circuit.Fixed
	for _, v := range []visible{{h, s, f}, {s, s, p}, {s, h, h}} {
		t.Run(v.String(), func(t *testing.T) { show(t, "lenet5", zkml.LoadOptions{Head: zkml.ArgMax()}, v) })
	}
}

// TestUnlinkable proves one hidden input twice, under one context: but for what the
// statement says, the two proofs have nothing in common. Statements differ in what they
// show, and so in which words could tell.
func TestUnlinkable(t *testing.T) {
	const s, p, h, f = circuit.Shown, circuit.Private, circuit.Hashed, circuit.Fixed
	for _, v := range []visible{{p, s, p}, {h, h, h}, {p, p, f}} {
		t.Run(v.String(), func(t *testing.T) {
			m, inputs := compiled(t, "breast_cancer", zkml.LoadOptions{Head: zkml.ArgMax()}, v)
			pk, vk := keys(t, m)
			seen := make(map[[32]byte]string)
			for range 2 {
				proof, err := zkml.Prove(context.Background(), m, pk, inputs, zkml.ProveOptions{Context: fr.NewElement(100)})
				if err != nil {
					t.Fatal(err)
				}
				parsed, err := prover.ParseRaw(proof.Raw, vk.NbCommitments())
				if err != nil {
					t.Fatal(err)
				}
				elements := make(map[string][32]byte)
				said := 1 // the context
				if v[1] == s {
					said++ // and the answer, the only other word
				}
				for j, w := range proof.Words[said:] {
					elements[fmt.Sprintf("word %d", said+j)] = w.Bytes()
				}
				point := func(name string, p interface{ Bytes() [32]byte }) { elements[name] = p.Bytes() }
				for j := range 3 {
					point(fmt.Sprintf("LRO %d", j), &parsed.LRO[j])
					point(fmt.Sprintf("H %d", j), &parsed.H[j])
				}
				point("Z", &parsed.Z)
				point("W", &parsed.BatchedProof.H)
				point("W'", &parsed.ZShiftedOpening.H)
				for j := range parsed.Bsb22Commitments {
					point(fmt.Sprintf("commitment %d", j), &parsed.Bsb22Commitments[j])
				}
				for j, e := range parsed.BatchedProof.ClaimedValues {
					elements[fmt.Sprintf("opening %d", j)] = e.Bytes()
				}
				elements["opening of Z"] = parsed.ZShiftedOpening.ClaimedValue.Bytes()
				for name, e := range elements {
					if other, ok := seen[e]; ok {
						t.Errorf("%s is %s of the first", name, other)
					}
				}
				for name, e := range elements {
					seen[e] = name
				}
			}
		})
	}
}

// TestOtherWeights changes a hidden weight of a model: the key and the model id stay, and
// a caller who expects the digest of the first weights rejects the second ones, in Go
// and in the contract.
func TestOtherWeights(t *testing.T) {
	m, inputs := compiled(t, "breast_cancer", zkml.LoadOptions{Head: zkml.ArgMax()}, visible{circuit.Shown, circuit.Shown, circuit.Hashed})
	pk, vk := keys(t, m)
	secrets := &zkml.Secrets{}
	prove := func() (*prover.Proof, fr.Element) {
		digest, err := m.CommitWeights(secrets)
		if err != nil {
			t.Fatal(err)
		}
		proof, err := zkml.Prove(context.Background(), m, pk, inputs, zkml.ProveOptions{Secrets: secrets})
		if err != nil {
			t.Fatal(err)
		}
		return proof, fr.Element(*digest.Digest)
	}
	first, published := prove()
	for i := range m.Program.Nodes {
		if op, ok := m.Program.Nodes[i].Op.(quantize.Param); ok {
			op.Values[0] ^= 1 // stays in its interval
			break
		}
	}
	second, other := prove()
	if first.ModelID != second.ModelID || published == other {
		t.Fatal("the weights are the same, or the model isn't")
	}
	expect := zkml.Expectation{AllowDevelopmentSRS: true, Digests: map[string]fr.Element{circuit.WeightsName: published}}
	if _, err := zkml.Verify(vk, first, expect); err != nil {
		t.Errorf("the expected weights: %v", err)
	}
	if _, err := zkml.Verify(vk, second, expect); !errors.Is(err, prover.ErrRejected) {
		t.Errorf("other weights: %v", err)
	}
	if _, err := zkml.Verify(vk, second, zkml.Expectation{AllowDevelopmentSRS: true}); err != nil {
		t.Errorf("other weights, none expected: %v", err)
	}
	needCompiler(t)
	v, err := evm.Deploy(context.Background(), vk, solidity.Options{AllowDevelopmentSRS: true, WeightsDigest: &published})
	if err != nil {
		t.Fatal(err)
	}
	if r := call(t, v, vk, solidity.Typed, second); r.Revert == nil || r.Revert.Name != "WeightsMismatch" {
		t.Errorf("other weights: %v, want WeightsMismatch", r.Revert)
	}
	// With the published digest in place of theirs.
	forged := *second
	forged.Words = slices.Clone(second.Words)
	forged.Words[len(forged.Words)-1] = published
	if r := call(t, v, vk, solidity.Typed, &forged); r.Revert == nil {
		t.Error("other weights under the published digest: the contract accepts")
	}
	if r := call(t, v, vk, solidity.Typed, first); r.Revert != nil {
		t.Errorf("the published weights: %v", r.Revert)
	}
}
