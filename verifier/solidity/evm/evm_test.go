package evm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/accounts/abi"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
	"github.com/zkml-go/zkml/verifier/solidity/internal/fixture"
	"github.com/zkml-go/zkml/verifier/solidity/internal/projects"
)

// needCompiler skips a test where the Solidity compiler isn't installed; with CI=true
// it fails instead.
func needCompiler(t *testing.T) {
	t.Helper()
	if _, err := evm.FindCompiler(); err != nil {
		var missing *evm.ToolError
		if !errors.As(err, &missing) || os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("%v; %s", missing, missing.Hint)
	}
}

// kind is one of the two contracts that a model can have.
type kind struct {
	name       string
	standalone bool
}

// kinds are both: one that asks zkml's verifier, one that has its own.
var kinds = []kind{{"adapter", false}, {"standalone", true}}

// eachKind runs a test for both kinds.
func eachKind(t *testing.T, test func(t *testing.T, k kind)) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) { test(t, k) })
	}
}

// deployment is a model with a proof and its contract, made once for several tests.
type deployment struct {
	vk       *prover.VerifyingKey
	proof    *prover.Proof
	verifier *evm.Verifier
}

var deployments = map[string]deployment{}

// prove makes a model with a proof of random words and deploys its contract.
func prove(t *testing.T, k kind, m *circuit.Manifest, commitments int) (*prover.VerifyingKey, *prover.Proof, *evm.Verifier) {
	t.Helper()
	digest, err := m.Digest()
	if err != nil {
		t.Fatal(err)
	}
	key := fmt.Sprintf("%s %x %d", k.name, digest, commitments)
	d, made := deployments[key]
	if !made {
		words, err := fixture.Words(m, fr.NewElement(0xC0DE), projects.Source(7))
		if err != nil {
			t.Fatal(err)
		}
		d.vk, d.proof, d.verifier = deploy(t, k, m, commitments, words)
		deployments[key] = d
	}
	return d.vk, d.proof, d.verifier
}

// options are those of a project for a proof, in which everything is allowed.
func options(k kind, vk *prover.VerifyingKey, p *prover.Proof) solidity.Options {
	o := solidity.Options{Standalone: k.standalone, Sample: p, AllowDevelopmentSRS: true, AllowUnboundWeights: true}
	if vk.Manifest().Weights == circuit.Hashed {
		o.WeightsDigest = &p.Words[len(p.Words)-1]
	}
	return o
}

// deploy makes a model with a proof of the words and deploys its contract.
func deploy(t *testing.T, k kind, m *circuit.Manifest, commitments int, words []fr.Element) (*prover.VerifyingKey, *prover.Proof, *evm.Verifier) {
	t.Helper()
	needCompiler(t)
	vk, proof, err := fixture.Make(m, commitments, words)
	if err != nil {
		t.Fatal(err)
	}
	v, err := evm.Deploy(context.Background(), vk, options(k, vk, proof))
	if err != nil {
		t.Fatal(err)
	}
	return vk, proof, v
}

// call encodes and runs a proof.
func call(t *testing.T, v *evm.Verifier, vk *prover.VerifyingKey, entry solidity.Entry, p *prover.Proof) *evm.Result {
	t.Helper()
	calldata, err := solidity.Calldata(vk, entry, p)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, v, calldata)
}

func run(t *testing.T, v *evm.Verifier, calldata []byte) *evm.Result {
	t.Helper()
	result, err := v.Call(calldata)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestAcceptsAndDecodes runs real proofs through both entries of contracts of all
// kinds and compares the decoded answer with the public words.
func TestAcceptsAndDecodes(t *testing.T) {
	one := quantize.Scale{Num: 1, Den: 1}
	shown := func(name string, lo int64, bits int, shape ...int) circuit.Public {
		return circuit.Public{Name: name, Shape: shape, Lo: lo, Bits: bits, Scale: one}
	}
	hashed := func(name string) circuit.Public {
		return circuit.Public{Name: name, Visibility: circuit.Hashed, Shape: tensor.Shape{5}, Bits: 8, Scale: one}
	}
	private := circuit.Public{Name: "secret", Visibility: circuit.Private, Shape: tensor.Shape{5}, Bits: 8, Scale: one}
	cases := []struct {
		name        string
		commitments int
		inputs      []circuit.Public
		outputs     []circuit.Public
		weights     circuit.Visibility
	}{
		{"bytes and signed bytes", 0, []circuit.Public{shown("u8", 0, 8, 2, 40), shown("i8", -128, 8, 33)}, []circuit.Public{shown("y", -1, 1, 1)}, circuit.Fixed},
		{"odd widths", 1, []circuit.Public{shown("twelve", -2048, 12, 45), shown("nine", 3, 9, 28), shown("bit", 0, 1, 300)}, []circuit.Public{shown("wide", -(1 << 61), 63, 7), shown("short", -100, 8, 4)}, circuit.Private},
		{"hashed", 1, []circuit.Public{hashed("x"), private}, []circuit.Public{hashed("x")}, circuit.Hashed},
		{"hashed and shown", 2, []circuit.Public{hashed("x")}, []circuit.Public{shown("uint8", 0, 16, 2, 3), shown("2-é@\n*/", 0, 33, 1)}, circuit.Hashed},
		{"all private", 0, []circuit.Public{private}, []circuit.Public{private}, circuit.Private},
		{"many tensors", 0, []circuit.Public{shown("a", 0, 8, 1), shown("A", 0, 8, 1), shown("a_2", 0, 8, 1), shown("b", 0, 8, 1), shown("mapping", 0, 8, 1), shown("proof", 0, 8, 1)},
			[]circuit.Public{shown("o1", 0, 8, 1), shown("o2", 0, 8, 1), shown("o3", 0, 8, 1), shown("o4", 0, 8, 1), shown("o5", 0, 8, 1), shown("words", 0, 8, 0)}, circuit.Fixed},
	}
	for i, c := range cases {
		// Both kinds encode by the same code; each has half of the cases.
		k := kinds[i%2]
		t.Run(c.name+"/"+k.name, func(t *testing.T) {
			m := &circuit.Manifest{Version: 1, Model: c.name + "\n@title */", Inputs: c.inputs, Outputs: c.outputs, Weights: c.weights}
			vk, proof, v := prove(t, k, m, c.commitments)
			entries := []solidity.Entry{solidity.Typed}
			want := answer(t, m, proof)
			for _, p := range append(c.inputs, c.outputs...) {
				if p.Visibility == circuit.Shown {
					entries = []solidity.Entry{solidity.Typed, solidity.Packed}
				}
			}
			for _, entry := range entries {
				result := call(t, v, vk, entry, proof)
				if result.Revert != nil {
					t.Fatalf("%v: %v", entry, result.Revert)
				}
				got, err := v.Outputs(entry, result.Output)
				if err != nil {
					t.Fatal(err)
				}
				if !equal(got, want) {
					t.Errorf("%v: outputs %v, want %v", entry, got, want)
				}
			}
		})
	}
}

// marshal returns a proof as the contract reads it.
func marshal(t *testing.T, vk *prover.VerifyingKey, p *prover.Proof) []byte {
	t.Helper()
	parsed, err := prover.ParseRaw(p.Raw, vk.NbCommitments())
	if err != nil {
		t.Fatal(err)
	}
	return parsed.MarshalSolidity()
}

// answer decodes the shown outputs with circuit.Public.
func answer(t *testing.T, m *circuit.Manifest, p *prover.Proof) (lists [][]*big.Int) {
	at := 1
	for _, in := range m.Inputs {
		at += in.Words()
	}
	for _, out := range m.Outputs {
		if out.Visibility == circuit.Shown {
			values, err := out.Unpack(p.Words[at : at+out.Words()])
			if err != nil {
				t.Fatal(err)
			}
			list := []*big.Int{}
			for _, q := range values {
				list = append(list, big.NewInt(q))
			}
			lists = append(lists, list)
		}
		at += out.Words()
	}
	return lists
}

func equal(a, b [][]*big.Int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if len(a[i]) != len(b[i]) {
			return false
		}
		for j := range a[i] {
			if a[i][j].Cmp(b[i][j]) != 0 {
				return false
			}
		}
	}
	return true
}

// TestGasAndSize holds the gas of the code under Osaka below budgets, and both
// contracts below the largest size. The budgets are a little above what was measured;
// an input and an output hashed must stay well below 350,000.
func TestGasAndSize(t *testing.T) {
	hashed := fixture.Digits()
	hashed.Inputs[0].Visibility = circuit.Hashed
	hashed.Outputs = hashed.Outputs[:1]
	hashed.Outputs[0].Visibility = circuit.Hashed
	for _, c := range []struct {
		name        string
		kind        kind
		manifest    *circuit.Manifest
		commitments int
		budgets     map[solidity.Entry]uint64
	}{
		{"28x28 image, 29 words, adapter", kinds[0], fixture.Digits(), 1, map[solidity.Entry]uint64{solidity.Typed: 332_000, solidity.Packed: 320_000}},
		{"28x28 image, 29 words", kinds[1], fixture.Digits(), 1, map[solidity.Entry]uint64{solidity.Typed: 332_000, solidity.Packed: 320_000}},
		{"hashed input and output", kinds[1], hashed, 1, map[solidity.Entry]uint64{solidity.Typed: 285_000}},
		{"28x28 image, two commitments", kinds[1], fixture.Digits(), 2, map[solidity.Entry]uint64{solidity.Typed: 352_000, solidity.Packed: 340_000}},
	} {
		t.Run(c.name, func(t *testing.T) {
			vk, proof, v := prove(t, c.kind, c.manifest, c.commitments)
			for entry, budget := range c.budgets {
				result := call(t, v, vk, entry, proof)
				if result.Revert != nil {
					t.Fatal(result.Revert)
				}
				t.Logf("%v: execution %d gas, transaction %d gas", entry, result.ExecutionGas, result.TransactionGas)
				if result.ExecutionGas > budget {
					t.Errorf("%v: %d gas of execution, budget %d", entry, result.ExecutionGas, budget)
				}
				// A transaction pays 21,000 and at least 4 gas for each byte of calldata.
				calldata, err := solidity.Calldata(vk, entry, proof)
				if err != nil {
					t.Fatal(err)
				}
				if result.TransactionGas < result.ExecutionGas+21_000+4*uint64(len(calldata)) {
					t.Errorf("%v: a transaction of %d gas can't hold %d of execution", entry, result.TransactionGas, result.ExecutionGas)
				}
			}
			for name, code := range map[string][]byte{"ModelVerifier": v.Code(v.Address), "verifier": v.Code(v.Plonk)} {
				t.Logf("%s: %d bytes", name, len(code))
				if len(code) > solidity.MaxRuntimeBytes {
					t.Errorf("%s: runtime of %d bytes, above %d", name, len(code), solidity.MaxRuntimeBytes)
				}
			}
			t.Logf("deployment: %d gas", v.DeploymentGas)
		})
	}
}

// TestCalldataIsCanonical compares the encoding with go-ethereum's.
func TestCalldataIsCanonical(t *testing.T) {
	m := fixture.Digits()
	m.Inputs = append(m.Inputs, circuit.Public{Name: "salted", Visibility: circuit.Hashed, Shape: tensor.Shape{3}, Bits: 8, Scale: m.Inputs[0].Scale})
	words, err := fixture.Words(m, fr.NewElement(3), projects.Source(1))
	if err != nil {
		t.Fatal(err)
	}
	vk, proof, err := fixture.Make(m, 1, words)
	if err != nil {
		t.Fatal(err)
	}
	text := `[{"type":"function","name":"verify","inputs":[{"type":"bytes"},{"type":"uint256"},{"type":"tuple","components":[{"name":"image","type":"bytes"},{"name":"saltedDigest","type":"uint256"},{"name":"scores","type":"bytes"},{"name":"label","type":"bytes"}]}]},
		{"type":"function","name":"verifyPacked","inputs":[{"type":"bytes"},{"type":"uint256"},{"type":"tuple","components":[{"name":"image","type":"uint256[]"},{"name":"saltedDigest","type":"uint256"},{"name":"scores","type":"uint256[]"},{"name":"label","type":"uint256[]"}]}]}]`
	parsed, err := abi.JSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	bigWord := func(e fr.Element) *big.Int { return e.BigInt(new(big.Int)) }
	bigWords := func(list []fr.Element) (out []*big.Int) {
		for _, e := range list {
			out = append(out, bigWord(e))
		}
		return out
	}
	pixels, err := m.Inputs[0].Unpack(words[1:27])
	if err != nil {
		t.Fatal(err)
	}
	var image, scores []byte
	for _, q := range pixels {
		image = append(image, byte(q))
	}
	values, err := m.Outputs[0].Unpack(words[28:29])
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range values {
		scores = append(scores, byte(q>>16), byte(q>>8), byte(q))
	}
	typed := struct {
		Image        []byte
		SaltedDigest *big.Int
		Scores       []byte
		Label        []byte
	}{image, bigWord(words[27]), scores, []byte{byte(words[29].Uint64())}}
	packed := struct {
		Image        []*big.Int
		SaltedDigest *big.Int
		Scores       []*big.Int
		Label        []*big.Int
	}{bigWords(words[1:27]), bigWord(words[27]), bigWords(words[28:29]), bigWords(words[29:30])}
	for entry, tensors := range map[solidity.Entry]any{solidity.Typed: typed, solidity.Packed: packed} {
		want, err := parsed.Pack(entry.String(), marshal(t, vk, proof), bigWord(words[0]), tensors)
		if err != nil {
			t.Fatal(err)
		}
		got, err := solidity.Calldata(vk, entry, proof)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%v: calldata differs from go-ethereum's:\n%x\nwant\n%x", entry, got, want)
		}
	}
}

// TestVerifyReports checks the one call that the CLI makes. It needs no compiler.
func TestVerifyReports(t *testing.T) {
	t.Setenv("PATH", "")
	m := fixture.Digits()
	words, err := fixture.Words(m, fr.NewElement(3), projects.Source(1))
	if err != nil {
		t.Fatal(err)
	}
	vk, proof, err := fixture.Make(m, 0, words)
	if err != nil {
		t.Fatal(err)
	}
	report, err := evm.Verify(vk, proof)
	if err != nil {
		t.Fatal(err)
	}
	if report.Contract != "ZkmlTestVerifier" || report.ExecutionGas == 0 || report.VerifierBytes == 0 || report.RegistrationGas == 0 {
		t.Errorf("report %+v", report)
	}
	proof.Words[0] = fr.NewElement(4)
	_, err = evm.Verify(vk, proof)
	var revert *evm.RevertError
	if !errors.Is(err, evm.ErrRejected) || !errors.As(err, &revert) || revert.Name != "ProofRejected" {
		t.Errorf("another context: %v, want ErrRejected by ProofRejected", err)
	}
}

// TestAdapterIsBound creates an adapter over contracts that don't hold its key.
func TestAdapterIsBound(t *testing.T) {
	needCompiler(t)
	vk, proof, _ := prove(t, kinds[0], projects.Mixed(), 1)
	o := options(kinds[0], vk, proof)
	empty, err := evm.DeployArtifact(solidity.Reusable(true))
	if err != nil {
		t.Fatal(err)
	}
	files, err := solidity.Export(vk, o)
	if err != nil {
		t.Fatal(err)
	}
	compiler, err := evm.FindCompiler()
	if err != nil {
		t.Fatal(err)
	}
	contracts, err := compiler.Compile(context.Background(), files)
	if err != nil {
		t.Fatal(err)
	}
	code := contracts["ModelVerifier"]
	create := func(verifier [20]byte, weights fr.Element) (*evm.Deployed, error) {
		return empty.Create(append(bytes.Clone(code.Creation), solidity.AdapterArguments(verifier, &weights)...), code.ABI)
	}
	for name, address := range map[string][20]byte{"nothing registered": empty.Address, "no contract": {1}} {
		_, err := create(address, *o.WeightsDigest)
		var revert *evm.RevertError
		if !errors.As(err, &revert) || revert.Name != "ModelNotRegistered" {
			t.Errorf("%s: %v, want ModelNotRegistered", name, err)
		}
	}
	if r, err := empty.Call(solidity.RegisterCalldata(vk)); err != nil || r.Revert != nil {
		t.Fatal(err, r.Revert)
	}
	calldata, err := solidity.Calldata(vk, solidity.Typed, proof)
	if err != nil {
		t.Fatal(err)
	}
	for want, weights := range map[string]fr.Element{"": *o.WeightsDigest, "WeightsMismatch": fr.NewElement(1)} {
		v, err := create(empty.Address, weights)
		if err != nil {
			t.Fatal(err)
		}
		result, err := v.Call(calldata)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, result.Revert, want)
	}
}
