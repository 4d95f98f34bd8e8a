package prover

import (
	"bytes"
	"errors"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	plonk "github.com/consensys/gnark/backend/plonk/bn254"

	"github.com/zkml-go/zkml/prover/srs"
)

// TestForeignLines shows why gnark's serialization isn't used: a key that shows
// one [τ]₂ and has the pairing's lines of another verifies proofs of the other.
func TestForeignLines(t *testing.T) {
	a := cases[1]()
	proof, err := ParseRaw(a.proof.Raw, 1)
	if err != nil {
		t.Fatal(err)
	}
	shown := *a.vk.Plonk()
	_, _, _, g2 := bn254.Generators()
	shown.Kzg.G2[1].ScalarMultiplication(&g2, big.NewInt(12345)) // the lines stay
	var serialized bytes.Buffer
	if _, err := shown.WriteTo(&serialized); err != nil {
		t.Fatal(err)
	}
	var read plonk.VerifyingKey
	if _, err := read.ReadFrom(bytes.NewReader(serialized.Bytes())); err != nil {
		t.Fatal(err)
	}
	if err := plonk.Verify(proof, &read, a.proof.Words); err != nil {
		t.Fatalf("the attack doesn't work on gnark's own key: %v", err)
	}
	if _, err := ReadVerifyingKey(&serialized); !errors.Is(err, ErrMismatch) {
		t.Errorf("gnark's serialization was read: %v", err)
	}
	vk, err := NewVerifyingKey(&read, a.manifest)
	if err != nil {
		t.Fatal(err)
	}
	forged := *a.proof
	forged.ModelID = vk.ModelID()
	if vk.Development() {
		t.Error("the key shows the development string")
	}
	if _, err := Verify(vk, &forged, Expectation{}); !errors.Is(err, ErrRejected) {
		t.Errorf("a proof under foreign lines: %v", err)
	}
}

// TestScaledPair takes ([k]₂, [kτ]₂) for ([1]₂, [τ]₂): the same proofs hold, and
// the development string isn't recognised.
func TestScaledPair(t *testing.T) {
	a := cases[1]()
	proof, err := ParseRaw(a.proof.Raw, 1)
	if err != nil {
		t.Fatal(err)
	}
	scaled := *a.vk.Plonk()
	for i := range scaled.Kzg.G2 {
		scaled.Kzg.G2[i].ScalarMultiplication(&scaled.Kzg.G2[i], big.NewInt(7))
		scaled.Kzg.Lines[i] = bn254.PrecomputeLines(scaled.Kzg.G2[i])
	}
	if err := plonk.Verify(proof, &scaled, a.proof.Words); err != nil {
		t.Fatalf("the attack doesn't work on gnark's own key: %v", err)
	}
	if _, err := NewVerifyingKey(&scaled, a.manifest); !errors.Is(err, ErrMismatch) {
		t.Errorf("a key with another generator: %v", err)
	}
	// A blob has room for [kτ]₂ only.
	tau := srs.EncodeG2(&scaled.Kzg.G2[1])
	blob := a.vk.Blob()
	copy(blob[len(blob)-128:], tau[:])
	vk, err := newVerifyingKey(blob, a.manifest)
	if err != nil {
		t.Fatal(err)
	}
	forged := *a.proof
	forged.ModelID = vk.ModelID()
	if _, err := Verify(vk, &forged, Expectation{}); !errors.Is(err, ErrRejected) {
		t.Errorf("a proof under a scaled pair: %v", err)
	}
}
