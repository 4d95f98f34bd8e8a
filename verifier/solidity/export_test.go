package solidity_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/plonk"
	plonkbn254 "github.com/consensys/gnark/backend/plonk/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/scs"
	"github.com/consensys/gnark/test/unsafekzg"
	"golang.org/x/crypto/sha3"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/internal/fixture"
)

var update = flag.Bool("update", false, "write the golden files anew")

// counting returns the elements 0, 1, 2, … of fixture.Words.
func counting() func(bits int) uint64 {
	next := uint64(0)
	return func(bits int) uint64 {
		next++
		return (next - 1) & (1<<bits - 1)
	}
}

// prove makes a model with a proof of counted words.
func prove(t *testing.T, m *circuit.Manifest, context fr.Element) (*prover.VerifyingKey, *prover.Proof) {
	t.Helper()
	words, err := fixture.Words(m, context, counting())
	if err != nil {
		t.Fatal(err)
	}
	vk, proof, err := fixture.Make(m, 1, words)
	if err != nil {
		t.Fatal(err)
	}
	return vk, proof
}

// loan is a manifest with every kind of field and names that a file may bring.
func loan() *circuit.Manifest {
	return &circuit.Manifest{
		Version: 1, Model: "loan\n@notice v2 */ contract Evil {", Weights: circuit.Hashed,
		Inputs: []circuit.Public{
			{Name: "income", Shape: tensor.Shape{1, 12}, Bits: 16, Scale: quantize.Scale{Num: 1, Den: 1}},
			{Name: "mapping", Shape: tensor.Shape{3}, Lo: -100, Bits: 8, Scale: quantize.Scale{Num: 1, Den: 1, Exp: -3}},
			{Name: "history", Visibility: circuit.Hashed, Shape: tensor.Shape{1, 64}, Bits: 8, Scale: quantize.Scale{Num: 1, Den: 255}},
			{Name: "notes", Visibility: circuit.Private, Shape: tensor.Shape{9}, Bits: 8, Scale: quantize.Scale{Num: 1, Den: 1}},
		},
		Outputs: []circuit.Public{
			{Name: "decision.1", Shape: tensor.Shape{1}, Bits: 1, Scale: quantize.Scale{Num: 1, Den: 1}, Labels: []string{"refuse", "grant \"é\"\n"}},
			{Name: "Income", Shape: tensor.Shape{1}, Lo: -(1 << 40), Bits: 41, Scale: quantize.Scale{Num: 1, Den: 1, Exp: 10}},
		},
	}
}

// weights is the digest that the tests' models are bound to.
var weights = fr.NewElement(0xDA7A)

// TestGolden compares the exported text with what was reviewed. Contracts that come
// from elsewhere, compiled code and keys are compared by their hash.
func TestGolden(t *testing.T) {
	vk, _ := prove(t, loan(), fr.NewElement(1))
	for name, c := range map[string]struct {
		options solidity.Options
		files   []string
	}{
		"loan": {solidity.Options{}, []string{
			".solhint.json", "README.md", "foundry.toml", "script/Deploy.s.sol", "script/VerifierCode.sol", "script/VerifyingKey.sol",
			"src/IModelVerifier.sol", "src/IZkmlVerifier.sol", "src/Labels.sol", "src/ModelVerifier.sol", "src/TensorCodec.sol"}},
		"loan-standalone": {solidity.Options{Standalone: true}, []string{
			".solhint.json", "README.md", "foundry.toml", "script/Deploy.s.sol",
			"src/IModelVerifier.sol", "src/Labels.sol", "src/ModelVerifier.sol", "src/PlonkVerifier.sol", "src/TensorCodec.sol"}},
	} {
		c.options.AllowDevelopmentSRS, c.options.WeightsDigest = true, &weights
		files, err := solidity.Export(vk, c.options)
		if err != nil {
			t.Fatal(err)
		}
		if paths := files.Paths(); !slices.Equal(paths, c.files) {
			t.Errorf("%s: files %v, want %v", name, paths, c.files)
		}
		for _, path := range []string{"src/PlonkVerifier.sol", "script/VerifyingKey.sol"} {
			if text, ok := files[path]; ok {
				files[path] = fmt.Appendf(nil, "sha256 %x\n", sha256.Sum256(text))
			}
		}
		if !c.options.Standalone {
			checkReusable(t, files)
		}
		for _, path := range files.Paths() {
			compareGolden(t, filepath.Join("testdata", name, filepath.Base(path)+".golden"), files[path])
		}
	}
}

// checkReusable compares what a project has of zkml's verifier with the verifier, and
// takes it out.
func checkReusable(t *testing.T, files solidity.Files) {
	t.Helper()
	sources, _, err := solidity.ReusableSources()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(files["src/IZkmlVerifier.sol"], sources["IZkmlVerifier.sol"]) {
		t.Error("the project has another interface of zkml's verifier")
	}
	code := solidity.Reusable(true)
	unquoted := regexp.MustCompile(`[^0-9a-f]`).ReplaceAllString(strings.ReplaceAll(string(files["script/VerifierCode.sol"]), "hex", ""), "")
	if !strings.Contains(unquoted, hex.EncodeToString(code.Creation)) {
		t.Error("the project has another code of zkml's verifier")
	}
	delete(files, "src/IZkmlVerifier.sol")
	delete(files, "script/VerifierCode.sol")
	hash, address := sha3.NewLegacyKeccak256(), solidity.CreatedAddress(code.Creation)
	hash.Write(code.Runtime)
	readme := strings.ToLower(string(files["README.md"]))
	if !strings.Contains(readme, "0x"+hex.EncodeToString(address[:])) || !strings.Contains(readme, "0x"+hex.EncodeToString(hash.Sum(nil))) {
		t.Error("the README doesn't say where zkml's verifier lies, or what its code is")
	}
	for _, path := range []string{"src/IModelVerifier.sol", "src/ModelVerifier.sol"} {
		if !bytes.Contains(bytes.ToLower(files[path]), []byte("0x"+hex.EncodeToString(address[:])+" on every chain")) {
			t.Errorf("%s doesn't say where zkml's verifier lies", path)
		}
		files[path] = regexp.MustCompile(`0x[0-9a-fA-F]{40} on every chain`).ReplaceAll(files[path], []byte("0x… on every chain"))
	}
	files["README.md"] = regexp.MustCompile(`(?m)^    0x([0-9a-fA-F]{40}|[0-9a-f]{64})$`).ReplaceAll(files["README.md"], []byte("    0x…"))
}

// compareGolden compares text with a file, or writes it with -update.
func compareGolden(t *testing.T, golden string, text []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, want) {
		t.Errorf("%s has changed; see it with -update and git diff", golden)
	}
}

// TestExportIsDeterministic exports twice.
func TestExportIsDeterministic(t *testing.T) {
	vk, proof := prove(t, loan(), fr.NewElement(1))
	options := solidity.Options{Sample: proof, WeightsDigest: &proof.Words[len(proof.Words)-1], AllowDevelopmentSRS: true}
	first, err := solidity.Export(vk, options)
	if err != nil {
		t.Fatal(err)
	}
	second, err := solidity.Export(vk, options)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(first.Paths(), second.Paths()) || len(first) != 13 {
		t.Fatalf("files %v and %v, want the same thirteen", first.Paths(), second.Paths())
	}
	for path := range first {
		if !bytes.Equal(first[path], second[path]) {
			t.Errorf("%s differs", path)
		}
	}
}

// TestRefusals has what Export and Calldata must not write.
func TestRefusals(t *testing.T) {
	vk, proof := prove(t, loan(), fr.NewElement(1))
	other := loan()
	other.Model = "another"
	_, foreign := prove(t, other, fr.NewElement(1))
	edit := func(change func(p *prover.Proof)) *prover.Proof {
		p := *proof
		p.Words = slices.Clone(p.Words)
		p.Raw = bytes.Clone(p.Raw)
		change(&p)
		return &p
	}
	digest := proof.Words[len(proof.Words)-1]
	full := fr.NewElement(0)
	full.Sub(&full, &proof.Words[0]) // r - 1
	for _, c := range []struct {
		name  string
		proof *prover.Proof
		want  error
		// encodes says that Calldata doesn't mind: it doesn't verify.
		encodes bool
	}{
		{"another model's proof", foreign, prover.ErrMismatch, false},
		{"a word changed", edit(func(p *prover.Proof) { p.Words[1].SetUint64(7) }), prover.ErrRejected, true},
		{"a word missing", edit(func(p *prover.Proof) { p.Words = p.Words[1:] }), prover.ErrRejected, false},
		{"no words", edit(func(p *prover.Proof) { p.Words = nil }), prover.ErrRejected, false},
		{"a word that packs nothing", edit(func(p *prover.Proof) { p.Words[1] = full }), prover.ErrRejected, false},
		{"a context with its top byte", edit(func(p *prover.Proof) { p.Words[0] = full }), prover.ErrRejected, false},
		{"a short proof", edit(func(p *prover.Proof) { p.Raw = p.Raw[1:] }), prover.ErrRejected, false},
		{"a proof off the curve", edit(func(p *prover.Proof) { p.Raw[5] ^= 1 }), prover.ErrRejected, false},
	} {
		if _, err := solidity.Export(vk, solidity.Options{Sample: c.proof, WeightsDigest: &digest, AllowDevelopmentSRS: true}); !errors.Is(err, c.want) {
			t.Errorf("%s: export: %v, want %v", c.name, err, c.want)
		}
		for _, entry := range []solidity.Entry{solidity.Typed, solidity.Packed} {
			if _, err := solidity.Calldata(vk, entry, c.proof); c.encodes && err != nil || !c.encodes && !errors.Is(err, c.want) {
				t.Errorf("%s: calldata of %v: %v", c.name, entry, err)
			}
		}
	}
	if _, err := solidity.Export(vk, solidity.Options{}); !errors.Is(err, srs.ErrDevelopment) {
		t.Errorf("a development key without leave: %v", err)
	}
	if _, err := solidity.Calldata(vk, solidity.Entry(2), proof); err == nil {
		t.Error("calldata of an entry that isn't there")
	}

	// A proof that the prover makes but no contract takes: the context has 254 bits.
	if _, wide := prove(t, loan(), full); wide.Words[0] != full {
		t.Fatal("the proof has another context")
	} else if _, err := solidity.Calldata(vk, solidity.Typed, wide); !errors.Is(err, prover.ErrRejected) {
		t.Errorf("a wide context: %v", err)
	}
}

// TestWeightsMustBeBound has models whose weights a contract can't leave open.
func TestWeightsMustBeBound(t *testing.T) {
	private, fixed := loan(), loan()
	private.Weights, fixed.Weights = circuit.Private, circuit.Fixed
	hashedKey, proof := prove(t, loan(), fr.NewElement(1))
	privateKey, _ := prove(t, private, fr.NewElement(1))
	fixedKey, _ := prove(t, fixed, fr.NewElement(1))
	for _, c := range []struct {
		name    string
		vk      *prover.VerifyingKey
		options solidity.Options
		want    error
	}{
		{"private without leave", privateKey, solidity.Options{}, solidity.ErrUnboundWeights},
		{"private", privateKey, solidity.Options{AllowUnboundWeights: true}, nil},
		{"private with a digest", privateKey, solidity.Options{AllowUnboundWeights: true, WeightsDigest: &weights}, solidity.ErrWeightsDigest},
		{"hashed without a digest", hashedKey, solidity.Options{AllowUnboundWeights: true}, solidity.ErrWeightsDigest},
		{"hashed", hashedKey, solidity.Options{WeightsDigest: &weights}, nil},
		{"hashed, a sample of other weights", hashedKey, solidity.Options{WeightsDigest: &weights, Sample: proof}, prover.ErrRejected},
		{"fixed", fixedKey, solidity.Options{}, nil},
		{"fixed with a digest", fixedKey, solidity.Options{WeightsDigest: &weights}, solidity.ErrWeightsDigest},
	} {
		for _, standalone := range []bool{false, true} {
			c.options.AllowDevelopmentSRS, c.options.Standalone = true, standalone
			if _, err := solidity.Export(c.vk, c.options); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
		}
	}
}

// TestNoPackedEntry: without a shown tensor there is one entry.
func TestNoPackedEntry(t *testing.T) {
	m := loan()
	for i := range m.Inputs {
		m.Inputs[i].Visibility = circuit.Hashed
	}
	for i := range m.Outputs {
		m.Outputs[i].Visibility = circuit.Hashed
	}
	vk, proof := prove(t, m, fr.NewElement(1))
	if got, want := solidity.Signature(vk, solidity.Typed), "verify(bytes,uint256,(uint256,uint256,uint256,uint256,uint256,uint256,uint256))"; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	if _, err := solidity.Calldata(vk, solidity.Typed, proof); err != nil {
		t.Error(err)
	}
	if _, err := solidity.Calldata(vk, solidity.Packed, proof); err == nil {
		t.Error("calldata of a packed entry that the contract doesn't have")
	}
}

// TestTooLarge: a statement that no transaction can carry is refused with advice.
func TestTooLarge(t *testing.T) {
	m := loan()
	m.Inputs[0].Shape = tensor.Shape{600_000}
	m.Inputs[0].Bits = 1
	vk, _ := prove(t, m, fr.NewElement(1))
	if _, err := solidity.Export(vk, solidity.Options{WeightsDigest: &weights, AllowDevelopmentSRS: true}); err != nil {
		t.Errorf("600,000 elements of a byte: %v", err)
	}
	m.Inputs[0].Shape = tensor.Shape{1 << 20}
	vk, _ = prove(t, m, fr.NewElement(1))
	if _, err := solidity.Export(vk, solidity.Options{WeightsDigest: &weights, AllowDevelopmentSRS: true}); err == nil {
		t.Error("2^20 elements of a byte were exported")
	}
}

// secret is a circuit under a reference string that isn't the development one.
type secret struct {
	Public []frontend.Variable `gnark:",public"`
	Root   frontend.Variable
}

// Define implements frontend.Circuit.
func (c *secret) Define(api frontend.API) error {
	for i := range c.Public {
		api.AssertIsDifferent(api.Add(c.Public[i], c.Root), 0)
	}
	return nil
}

// TestDevelopmentKeyIsMarked: a contract of the development key says so, another
// one doesn't.
func TestDevelopmentKeyIsMarked(t *testing.T) {
	m := loan()
	development, _ := prove(t, m, fr.NewElement(1))
	system, err := frontend.Compile(ecc.BN254.ScalarField(), scs.NewBuilder, &secret{Public: make([]frontend.Variable, m.NbWords())})
	if err != nil {
		t.Fatal(err)
	}
	canonical, lagrange, err := unsafekzg.NewSRS(system)
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := plonk.Setup(system, canonical, lagrange)
	if err != nil {
		t.Fatal(err)
	}
	real, err := prover.NewVerifyingKey(key.(*plonkbn254.VerifyingKey), m)
	if err != nil {
		t.Fatal(err)
	}
	for want, vk := range map[bool]*prover.VerifyingKey{true: development, false: real} {
		files, err := solidity.Export(vk, solidity.Options{WeightsDigest: &weights, AllowDevelopmentSRS: want})
		if err != nil {
			t.Fatal(err)
		}
		contract := bytes.Contains(files["src/ModelVerifier.sol"], []byte("DEVELOPMENT KEY"))
		readme := bytes.Contains(files["README.md"], []byte("Development key"))
		if contract != want || readme != want {
			t.Errorf("development key %v: marked in the contract %v, in the README %v", want, contract, readme)
		}
	}
}

// TestWrite writes a project twice and leaves other files alone.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine.txt"), []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"old", "new"} {
		if err := (solidity.Files{"src/a.sol": []byte(text), "b": []byte(text)}).Write(dir); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{"src/a.sol": "new", "b": "new", "mine.txt": "mine"} {
		if got, err := os.ReadFile(filepath.Join(dir, path)); err != nil || string(got) != want {
			t.Errorf("%s holds %q (%v), want %q", path, got, err, want)
		}
	}
	if err := (solidity.Files{"mine.txt/x": nil}).Write(dir); err == nil {
		t.Error("a file was made inside a file")
	}
}
