package plonk_test

import (
	"context"
	"testing"

	gnark "github.com/consensys/gnark/backend/plonk/bn254"

	"github.com/zkml-go/zkml/prover/plonk"
)

func TestRandomCircuits(t *testing.T) {
	for seed := range uint64(60) {
		s := random(t, seed)
		p, err := plonk.New(t.Context(), s.system, s.pk, plonk.Options{LowMemory: seed%2 == 1})
		if err != nil {
			t.Fatalf("seed %d, %s: %v", seed, describe(s), err)
		}
		proof, err := p.Prove(context.Background(), s.witness, plonk.ProofOptions{})
		if err != nil {
			t.Fatalf("seed %d, %s: %v", seed, describe(s), err)
		}
		if err := gnark.Verify(proof, s.pk.Vk, s.public()); err != nil {
			t.Fatalf("seed %d, %s: %v", seed, describe(s), err)
		}
	}
}
