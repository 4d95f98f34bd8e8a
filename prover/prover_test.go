package prover

import (
	"context"
	"errors"
	"math/big"
	"slices"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/scs"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// adder is a model of one row: its output is the packed word of its input plus a
// constant, its hidden weight any non-zero number. With commitments it commits to
// the weight and uses the challenge.
type adder struct {
	Context frontend.Variable `gnark:",public"`
	In      frontend.Variable `gnark:",public"`
	Digest  frontend.Variable `gnark:",public"`
	Out     frontend.Variable `gnark:",public"`
	Weight  frontend.Variable

	constant    int
	commitments int
}

func (c *adder) Define(api frontend.API) error {
	api.AssertIsEqual(c.Out, api.Add(c.In, c.constant))
	api.AssertIsDifferent(c.Weight, 0)
	api.AssertIsEqual(c.Digest, api.Mul(c.Weight, c.Weight))
	for range c.commitments {
		challenge, err := api.(frontend.Committer).Commit(c.Weight, c.In)
		if err != nil {
			return err
		}
		api.AssertIsDifferent(api.Mul(challenge, c.Weight), 0)
	}
	// Something to multiply, so that the circuit has more than a handful of rows.
	x := c.Weight
	for range 20 {
		x = api.Mul(x, c.Weight)
	}
	return nil
}

func adderManifest() *circuit.Manifest {
	one := quantize.Scale{Num: 1, Den: 1}
	return &circuit.Manifest{
		Version:       circuit.FormatVersion,
		Model:         "adder",
		ProgramDigest: [32]byte{1, 2, 3},
		Inputs: []circuit.Public{
			{Name: "in", Visibility: circuit.Shown, Shape: tensor.Shape{3}, Bits: 8, Scale: quantize.Scale{Num: 1, Den: 255}},
			{Name: "hidden", Visibility: circuit.Private, Shape: tensor.Shape{2}, Bits: 8, Scale: one},
			{Name: "digest", Visibility: circuit.Hashed, Shape: tensor.Shape{2}, Bits: 8, Scale: one},
		},
		Outputs: []circuit.Public{
			{Name: "out", Visibility: circuit.Shown, Shape: tensor.Shape{1}, Lo: -5, Bits: 32, Scale: quantize.Scale{Num: 1, Den: 1, Exp: 4}},
		},
		Weights: circuit.Fixed,
	}
}

// adderCase is a set-up adder with a proof.
type adderCase struct {
	system   constraint.ConstraintSystem
	manifest *circuit.Manifest
	pk       *ProvingKey
	vk       *VerifyingKey
	proof    *Proof
}

// adderContext is the context of the cases' proofs.
const adderContext = 99

func newAdderCase(t testing.TB, constant, commitments int, s *srs.SRS) *adderCase {
	t.Helper()
	c := &adderCase{system: compileAdder(t, constant, commitments), manifest: adderManifest()}
	var err error
	if s == nil {
		if s, err = srs.Development(DomainLog(c.system)); err != nil {
			t.Fatal(err)
		}
	}
	if c.pk, c.vk, err = Setup(c.system, c.manifest, s); err != nil {
		t.Fatal(err)
	}
	if c.proof, err = Prove(context.Background(), c.system, c.pk, adderWitness(t, constant, adderContext)); err != nil {
		t.Fatal(err)
	}
	return c
}

func compileAdder(t testing.TB, constant, commitments int) constraint.ConstraintSystem {
	t.Helper()
	system, err := frontend.Compile(ecc.BN254.ScalarField(), scs.NewBuilder, &adder{constant: constant, commitments: commitments})
	if err != nil {
		t.Fatal(err)
	}
	return system
}

func adderWitness(t testing.TB, constant int, context int64) witness.Witness {
	t.Helper()
	const in = 0x030201
	w, err := frontend.NewWitness(&adder{Context: context, In: in, Digest: 49, Out: in + constant, Weight: 7}, ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// cases are made once: with no, one and two commitments.
var cases = [3]func() *adderCase{}

func init() {
	for c := range cases {
		cases[c] = sync.OnceValue(func() *adderCase { return newAdderCase(panicking{}, 1000, c, nil) })
	}
}

// panicking is a testing.TB for what is made once for several tests.
type panicking struct{ testing.TB }

func (panicking) Helper()           {}
func (panicking) Fatal(args ...any) { panic(args) }

var allowDevelopment = Expectation{AllowDevelopmentSRS: true}

func TestProveVerify(t *testing.T) {
	for c, get := range cases {
		a := get()
		if got, want := len(a.proof.Raw), RawSize(c); got != want {
			t.Errorf("%d commitments: raw proof of %d bytes: want %d", c, got, want)
		}
		if got := a.vk.NbCommitments(); got != c {
			t.Errorf("key has %d commitments: want %d", got, c)
		}
		verdict, err := Verify(a.vk, a.proof, allowDevelopment)
		if err != nil {
			t.Fatalf("%d commitments: %v", c, err)
		}
		want := []Value{
			{Name: "in", Role: "input", Shape: tensor.Shape{3}, Integers: []int64{1, 2, 3}, Real: []float64{1. / 255, 2. / 255, 3. / 255}},
			{Name: "digest", Role: "input", Visibility: circuit.Hashed, Shape: tensor.Shape{2}, Digest: wordOf(49)},
			{Name: "out", Role: "output", Shape: tensor.Shape{1}, Integers: []int64{0x030201 + 1000 - 5}, Real: []float64{(0x030201 + 1000 - 5) / 16.}},
		}
		if len(verdict.Values) != len(want) {
			t.Fatalf("verdict has %d values: want %d", len(verdict.Values), len(want))
		}
		for i := range want {
			if !verdict.Values[i].equal(&want[i]) {
				t.Errorf("value %d is %+v: want %+v", i, verdict.Values[i], want[i])
			}
		}
		if len(verdict.NotPinned) != 1 || verdict.NotPinned[0] != "digest" {
			t.Errorf("not pinned: %v", verdict.NotPinned)
		}
		if !verdict.Development {
			t.Error("the verdict doesn't say that the key is a development one")
		}
		if verdict.Context != fr.NewElement(adderContext) {
			t.Errorf("context is %v", Word(verdict.Context))
		}
	}
}

func wordOf(v uint64) *Word { w := Word(fr.NewElement(v)); return &w }

// TestExpectations has one row for each thing that a verifier may know.
func TestExpectations(t *testing.T) {
	a, other := cases[1](), newAdderCase(t, 1001, 1, nil)
	right, wrong := fr.NewElement(adderContext), fr.NewElement(adderContext+1)
	id, otherID := a.vk.ModelID(), other.vk.ModelID()
	for _, test := range []struct {
		name   string
		vk     *VerifyingKey
		expect Expectation
		want   error
	}{
		{"nothing", a.vk, Expectation{}, nil},
		{"context", a.vk, Expectation{Context: &right}, nil},
		{"another context", a.vk, Expectation{Context: &wrong}, ErrRejected},
		{"model", a.vk, Expectation{ModelID: &id}, nil},
		{"another model", a.vk, Expectation{ModelID: &otherID}, ErrMismatch},
		{"another key", other.vk, Expectation{}, ErrMismatch},
		{"values", a.vk, Expectation{Integers: map[string][]int64{"in": {1, 2, 3}}}, nil},
		{"other values", a.vk, Expectation{Integers: map[string][]int64{"in": {1, 2, 4}}}, ErrRejected},
		{"fewer values", a.vk, Expectation{Integers: map[string][]int64{"in": {1, 2}}}, ErrRejected},
		{"digest", a.vk, Expectation{Digests: map[string]fr.Element{"digest": fr.NewElement(49)}}, nil},
		{"another digest", a.vk, Expectation{Digests: map[string]fr.Element{"digest": fr.NewElement(50)}}, ErrRejected},
		{"values of a hashed tensor", a.vk, Expectation{Integers: map[string][]int64{"digest": {1}}}, ErrUnknownTensor},
		{"values of a private tensor", a.vk, Expectation{Integers: map[string][]int64{"hidden": {1}}}, ErrUnknownTensor},
		{"digest of fixed weights", a.vk, Expectation{Digests: map[string]fr.Element{"weights": {}}}, ErrUnknownTensor},
	} {
		test.expect.AllowDevelopmentSRS = true
		verdict, err := Verify(test.vk, a.proof, test.expect)
		if !errors.Is(err, test.want) || (err == nil) != (verdict != nil) {
			t.Errorf("%s: %v: want %v", test.name, err, test.want)
		}
	}
	if _, err := Verify(a.vk, a.proof, Expectation{}); !errors.Is(err, srs.ErrDevelopment) || !errors.Is(err, ErrSRS) {
		t.Errorf("a development key without leave: %v", err)
	}
}

// TestForeignProof gives a proof that is right for one key to another key of the
// same shape under the other's id.
func TestForeignProof(t *testing.T) {
	a, other := cases[1](), newAdderCase(t, 1001, 1, nil)
	proof := *a.proof
	proof.ModelID = other.vk.ModelID()
	if _, err := Verify(other.vk, &proof, allowDevelopment); !errors.Is(err, ErrRejected) {
		t.Errorf("another model's proof: %v", err)
	}
}

// TestChangedProof changes every byte of a proof, in three ways.
func TestChangedProof(t *testing.T) {
	a := cases[1]()
	proof := *a.proof
	for i := range a.proof.Raw {
		for _, change := range []byte{0x01, 0x80, 0xff} {
			raw := append([]byte(nil), a.proof.Raw...)
			raw[i] ^= change
			proof.Raw = raw
			if _, err := Verify(a.vk, &proof, allowDevelopment); !errors.Is(err, ErrRejected) {
				t.Fatalf("byte %d changed by %#02x: %v", i, change, err)
			}
		}
	}
	for _, n := range []int{0, 1, RawSize(0), len(a.proof.Raw) - 1} {
		proof.Raw = a.proof.Raw[:n]
		if _, err := Verify(a.vk, &proof, allowDevelopment); !errors.Is(err, ErrRejected) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	proof.Raw = append(append([]byte(nil), a.proof.Raw...), 0)
	if _, err := Verify(a.vk, &proof, allowDevelopment); !errors.Is(err, ErrRejected) {
		t.Errorf("a byte more: %v", err)
	}
}

func TestChangedWords(t *testing.T) {
	a := cases[1]()
	proof := *a.proof
	one := fr.One()
	for i := range a.proof.Words {
		proof.Words = append([]fr.Element(nil), a.proof.Words...)
		proof.Words[i].Add(&proof.Words[i], &one)
		if _, err := Verify(a.vk, &proof, allowDevelopment); !errors.Is(err, ErrRejected) {
			t.Errorf("word %d changed: %v", i, err)
		}
	}
	for _, words := range [][]fr.Element{nil, a.proof.Words[:2], append(a.proof.Words[:len(a.proof.Words):len(a.proof.Words)], one)} {
		proof.Words = words
		if _, err := Verify(a.vk, &proof, allowDevelopment); !errors.Is(err, ErrRejected) {
			t.Errorf("%d words: %v", len(words), err)
		}
	}
}

func TestEditedValues(t *testing.T) {
	a := cases[1]()
	for name, edit := range map[string]func(v []Value) []Value{
		"integer":    func(v []Value) []Value { v[2].Integers = []int64{1}; return v },
		"real":       func(v []Value) []Value { v[2].Real = []float64{1}; return v },
		"name":       func(v []Value) []Value { v[2].Name = "score"; return v },
		"role":       func(v []Value) []Value { v[2].Role = "input"; return v },
		"label":      func(v []Value) []Value { v[2].Labels = []string{"good"}; return v },
		"digest":     func(v []Value) []Value { v[1].Digest = wordOf(50); return v },
		"visibility": func(v []Value) []Value { v[1].Visibility = circuit.Shown; return v },
		"left out":   func(v []Value) []Value { return v[:2] },
		"added":      func(v []Value) []Value { return append(v, v[0]) },
	} {
		proof := *a.proof
		proof.Values = edit(append([]Value(nil), a.proof.Values...))
		if _, err := Verify(a.vk, &proof, allowDevelopment); !errors.Is(err, ErrRejected) {
			t.Errorf("%s edited: %v", name, err)
		}
	}
}

// TestProveErrors has the ways in which files and circuit don't fit together.
func TestProveErrors(t *testing.T) {
	a, other, two := cases[1](), newAdderCase(t, 1001, 1, nil), cases[2]()
	ctx := context.Background()
	if _, err := Prove(ctx, other.system, a.pk, adderWitness(t, 1001, 0)); !errors.Is(err, ErrMismatch) {
		t.Errorf("another circuit of the same shape: %v", err)
	}
	if _, err := Prove(ctx, two.system, a.pk, adderWitness(t, 1000, 0)); !errors.Is(err, ErrMismatch) {
		t.Errorf("another circuit: %v", err)
	}
	if _, err := Prove(ctx, a.system, a.pk, adderWitness(t, 999, 0)); err == nil {
		t.Error("a wrong witness was proved")
	}
	detached := &ProvingKey{vk: a.vk}
	if _, err := Prove(ctx, a.system, detached, adderWitness(t, 1000, 0)); !errors.Is(err, srs.ErrMissing) {
		t.Errorf("no string: %v", err)
	}
	wrongSize, err := srs.Development(a.vk.Log() + 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := detached.Attach(wrongSize); !errors.Is(err, srs.ErrInvalid) {
		t.Errorf("a string of another size: %v", err)
	}
	if _, _, err := Setup(a.system, a.manifest, wrongSize); !errors.Is(err, srs.ErrInvalid) {
		t.Errorf("set-up with a string of another size: %v", err)
	}
	manifest := adderManifest()
	manifest.Weights = circuit.Hashed
	if _, _, err := Setup(a.system, manifest, a.pk.SRS()); err == nil {
		t.Error("set-up with a manifest of another number of words")
	}
	// A string whose powers are damaged gives no proof rather than a wrong one.
	damaged := *a.pk.SRS()
	damaged.Lagrange = append(damaged.Lagrange[1:len(damaged.Lagrange):len(damaged.Lagrange)], damaged.Lagrange[0])
	if err := detached.Attach(&damaged); err != nil {
		t.Fatal(err)
	}
	if _, err := Prove(ctx, a.system, detached, adderWitness(t, 1000, 0)); !errors.Is(err, ErrMismatch) {
		t.Errorf("a damaged string: %v", err)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Prove(canceled, a.system, a.pk, adderWitness(t, 1000, 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestProver makes several proofs with one prover, also after it was closed.
func TestProver(t *testing.T) {
	a := cases[2]()
	for _, lowMemory := range []bool{false, true} {
		p, err := NewProver(a.system, a.pk, ProverOptions{LowMemory: lowMemory})
		if err != nil {
			t.Fatal(err)
		}
		for i, prepares := range []bool{true, false, true} {
			if i == 2 {
				p.Close()
			}
			var steps []string
			proof, err := p.Prove(context.Background(), adderWitness(t, 1000, int64(i)), ProofOptions{Progress: func(step string) { steps = append(steps, step) }})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Verify(a.vk, proof, Expectation{Context: wordElement(uint64(i)), AllowDevelopmentSRS: true}); err != nil {
				t.Errorf("proof %d: %v", i, err)
			}
			if got := slices.Contains(steps, "proving: prepare"); got != prepares {
				t.Errorf("proof %d prepares: %t, want %t", i, got, prepares)
			}
			if !slices.Contains(steps, "proving: quotient") {
				t.Errorf("proof %d: steps %q", i, steps)
			}
		}
		p.Close()
	}
}

// wordElement returns a pointer to a small element.
func wordElement(v uint64) *fr.Element {
	e := fr.NewElement(v)
	return &e
}

func TestDomainLog(t *testing.T) {
	for c, get := range cases {
		system := get().system
		n := int64(system.GetNbConstraints() + system.GetNbPublicVariables())
		log := DomainLog(system)
		if big.NewInt(1).Lsh(big.NewInt(1), uint(log)).Int64() < n || 1<<(log-1) >= n {
			t.Errorf("%d commitments: 2^%d points for %d rows", c, log, n)
		}
	}
}
