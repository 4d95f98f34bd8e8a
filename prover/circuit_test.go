package prover

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// reluProgram rescales four signed bytes by 1/4 and takes ReLU.
func reluProgram(most int64) *quantize.Program {
	scale := quantize.Scale{Num: 1, Den: 1, Exp: 4}
	shape := tensor.Shape{4}
	return &quantize.Program{
		Nodes: []quantize.Node{
			{Op: quantize.Input{Name: "x", Bits: 8}, Shape: shape, Lo: -128, Hi: 127, Scale: scale, Name: "x", Source: -1},
			{Op: quantize.Rescale{Multiplier: 1, Shift: 2, Min: 0, Max: most}, Inputs: []quantize.ID{0}, Shape: shape, Lo: 0, Hi: most, Scale: scale, Name: "relu", Source: -1},
		},
		Inputs:  []quantize.ID{0},
		Outputs: []quantize.Output{{Name: "y", ID: 1}},
	}
}

// TestCompiledProgram takes a program through all files to a verdict.
func TestCompiledProgram(t *testing.T) {
	ctx := context.Background()
	compiled, err := circuit.Compile(ctx, reluProgram(20), circuit.Options{Model: "relu"})
	if err != nil {
		t.Fatal(err)
	}
	cache := srs.NewCache(t.TempDir())
	s, err := cache.Select(DomainLog(compiled.System), srs.Selection{AllowDevelopment: true})
	if err != nil {
		t.Fatal(err)
	}
	made, vk, err := Setup(compiled.System, compiled.Manifest, s)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := made.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	pk, err := ReadProvingKey(&file)
	if err != nil {
		t.Fatal(err)
	}
	if err := pk.VerifyingKey().CheckModel(compiled.Manifest); err != nil {
		t.Fatal(err)
	}
	if s, err = cache.Load(pk.VerifyingKey().SRSID(), pk.VerifyingKey().Log()); err != nil {
		t.Fatal(err)
	}
	if err := pk.Attach(s); err != nil {
		t.Fatal(err)
	}
	request := fr.NewElement(7)
	assigned, err := compiled.Assign([][]int64{{-128, 5, 6, 127}}, request)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := Prove(ctx, compiled.System, pk, assigned.Witness, compiled.SolverOptions()...)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(proof.Words, assigned.Words) {
		t.Error("the proof's words aren't the assignment's")
	}
	expect := Expectation{Context: &request, AllowDevelopmentSRS: true, Integers: map[string][]int64{
		"x": {-128, 5, 6, 127}, "y": {0, 1, 2, 20},
	}}
	verdict, err := Verify(vk, proof, expect)
	if err != nil {
		t.Fatal(err)
	}
	if verdict.AnyWeights || len(verdict.NotPinned) > 0 {
		t.Errorf("verdict %+v", verdict)
	}
	// A key rebuilt from another program says what differs, and refuses the model.
	other, err := circuit.Compile(ctx, reluProgram(21), circuit.Options{Model: "relu"})
	if err != nil {
		t.Fatal(err)
	}
	if err := vk.CheckModel(other.Manifest); !errors.Is(err, ErrMismatch) {
		t.Errorf("another program: %v", err)
	}
	if s, err = cache.Development(DomainLog(other.System)); err != nil {
		t.Fatal(err)
	}
	_, rebuilt, err := Setup(other.System, other.Manifest, s)
	if err != nil {
		t.Fatal(err)
	}
	differences := CompareKeys(vk, rebuilt)
	if !slices.ContainsFunc(differences, func(d Difference) bool { return d.What == "program digest" }) {
		t.Errorf("keys of two programs differ in %v", differences)
	}
	if _, err := Verify(rebuilt, proof, expect); !errors.Is(err, ErrMismatch) {
		t.Errorf("another program's key: %v", err)
	}
}
