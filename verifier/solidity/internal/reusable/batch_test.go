package reusable_test

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
	"github.com/zkml-go/zkml/verifier/solidity/internal/reusable"
)

// rejected fails the test unless a call reverts with the error whose text begins so.
func rejected(t *testing.T, d *evm.Deployed, calldata []byte, want string) {
	t.Helper()
	r := call(t, d, calldata)
	if r.Revert == nil {
		t.Error("accepted")
		return
	}
	if got := r.Revert.Error(); len(got) < len(want) || got[:len(want)] != want {
		t.Errorf("reverted with %q, want %q", got, want)
	}
}

// accepted fails the test if a call reverts.
func accepted(t *testing.T, d *evm.Deployed, calldata []byte) {
	t.Helper()
	if r := call(t, d, calldata); r.Revert != nil {
		t.Errorf("reverted: %v", r.Revert)
	}
}

// mixture is a batch of three models, proofs with and without their digest, one proof
// twice.
func mixture(t *testing.T) ([]*reusable.Sample, []solidity.Item) {
	t.Helper()
	a := sample(t, reusable.Shape{Words: 3, Commitments: 0, Gates: 40, Seed: 11})
	b := sample(t, reusable.Shape{Words: 1, Commitments: 2, Gates: 40, Seed: 12})
	c := sample(t, reusable.Shape{Words: 17, Commitments: 1, Gates: 90, Seed: 13})
	again, err := c.Model.Prove(14)
	if err != nil {
		t.Fatal(err)
	}
	return []*reusable.Sample{a, b, c, again}, []solidity.Item{a.BatchItem, b.Item, c.Item, again.BatchItem, c.BatchItem, a.Item, a.BatchItem}
}

// TestBatchAcceptsMixtures verifies batches of all sizes, of one and of several models
// in any order.
func TestBatchAcceptsMixtures(t *testing.T) {
	samples, items := mixture(t)
	d := deployed(t, samples[0].Model, samples[1].Model, samples[2].Model)
	for n := 1; n <= len(items); n++ {
		accepted(t, d, solidity.EncodeVerifyBatch(items[:n]))
		accepted(t, d, solidity.EncodeVerifyBatch(items[len(items)-n:]))
	}
}

// TestManyCommitments verifies proofs with more commitments than the agreement's.
func TestManyCommitments(t *testing.T) {
	s := sample(t, reusable.Shape{Words: 3, Commitments: 11, Gates: 200, Seed: 15})
	d := deployed(t, s.Model)
	accepted(t, d, solidity.EncodeVerify(s.Item))
	accepted(t, d, solidity.EncodeVerifyBatch([]solidity.Item{s.BatchItem, s.Item}))
	changed := s.Item
	changed.Proof = bytes.Clone(s.Item.Proof)
	last := len(changed.Proof) - 64
	copy(changed.Proof[last:], s.Item.Proof[last-64:last])
	rejected(t, d, solidity.EncodeVerify(changed), "ProofRejected()")
}

// TestBatchRejectsOneBadProof spoils one proof or word of a batch, at each place in it.
func TestBatchRejectsOneBadProof(t *testing.T) {
	samples, items := mixture(t)
	d := deployed(t, samples[0].Model, samples[1].Model, samples[2].Model)
	clone := func() []solidity.Item {
		out := slices.Clone(items)
		for i := range out {
			out[i].Proof = bytes.Clone(out[i].Proof)
			out[i].Words = slices.Clone(out[i].Words)
		}
		return out
	}
	_, _, g1, _ := bn254.Generators()
	raw := g1.RawBytes()
	generator := raw[:]
	one := fr.One()
	commitments := map[string]int{}
	for _, s := range samples {
		commitments[s.Item.ModelID.String()] = s.Model.Shape.Commitments
	}
	for i := range items {
		c := commitments[items[i].ModelID.String()]
		for _, at := range reusable.Points(len(items[i].Proof), c) {
			changed := clone()
			copy(changed[i].Proof[at:at+64], generator)
			rejected(t, d, solidity.EncodeVerifyBatch(changed), "ProofRejected()")
			clear(changed[i].Proof[at : at+64])
			rejected(t, d, solidity.EncodeVerifyBatch(changed), fmt.Sprintf("InvalidPoint(%d, %d)", i, at))
		}
		for _, at := range reusable.Values(c) {
			changed := clone()
			changed[i].Proof[at+31] ^= 1
			rejected(t, d, solidity.EncodeVerifyBatch(changed), "ProofRejected()")
			copy(changed[i].Proof[at:], bytes.Repeat([]byte{0xFF}, 32))
			rejected(t, d, solidity.EncodeVerifyBatch(changed), fmt.Sprintf("ValueOutOfRange(%d, %d)", i, at))
		}
		for j := range items[i].Words {
			changed := clone()
			changed[i].Words[j].Add(&changed[i].Words[j], &one)
			rejected(t, d, solidity.EncodeVerifyBatch(changed), "ProofRejected()")
		}
		short := clone()
		short[i].Proof = short[i].Proof[:len(short[i].Proof)-32]
		rejected(t, d, solidity.EncodeVerifyBatch(short), fmt.Sprintf("ProofLength(%d, ", i))
		few := clone()
		few[i].Words = few[i].Words[1:]
		rejected(t, d, solidity.EncodeVerifyBatch(few), fmt.Sprintf("WordCount(%d, ", i))
		unknown := clone()
		unknown[i].ModelID[5] ^= 1
		rejected(t, d, solidity.EncodeVerifyBatch(unknown), "UnknownModel(")
	}
	rejected(t, d, solidity.EncodeVerifyBatch(nil), "EmptyBatch()")
	// The same proofs, each with another's words.
	crossed := clone()
	crossed[2].Words, crossed[3].Words = crossed[3].Words, crossed[2].Words
	rejected(t, d, solidity.EncodeVerifyBatch(crossed), "ProofRejected()")
}

// secret is the development string's τ, with which openings are forged.
func secret(t *testing.T) fr.Element {
	t.Helper()
	tau, err := fr.Hash([]byte(srs.DevelopmentSeed), []byte(srs.DevelopmentTag), 1)
	if err != nil {
		t.Fatal(err)
	}
	return tau[0]
}

// shift adds a multiple of a generator's to the point at an offset of a proof.
func shift(t *testing.T, proof []byte, at int, by fr.Element) {
	t.Helper()
	var p, d bn254.G1Affine
	if _, err := p.SetBytes(proof[at : at+64]); err != nil {
		t.Fatal(err)
	}
	_, _, g1, _ := bn254.Generators()
	d.ScalarMultiplication(&g1, by.BigInt(new(big.Int)))
	p.Add(&p, &d)
	raw := p.RawBytes()
	copy(proof[at:], raw[:])
}

// TestErrorsDontCancel spoils openings so that the errors would cancel in a sum without
// weights, or with weights that the spoilt points don't determine: within one proof, and
// between two. The quotients [W] and [W'] are in no challenge, so nothing else changes.
func TestErrorsDontCancel(t *testing.T) {
	s := sample(t, reusable.Shape{Words: 2, Commitments: 1, Gates: 40, Seed: 21})
	other, err := s.Model.Prove(22)
	if err != nil {
		t.Fatal(err)
	}
	d := deployed(t, s.Model)
	const w, shifted = 0x280, 0x2c0
	tau := secret(t)
	distance := func(s *reusable.Sample, at int) fr.Element {
		point, err := reusable.EvaluationPoint(s)
		if err != nil {
			t.Fatal(err)
		}
		if at == shifted {
			point.Mul(&point, &s.Model.VK.Plonk().Generator)
		}
		point.Sub(&tau, &point)
		return point
	}
	type spoilt struct{ item, at int }
	samples := []*reusable.Sample{s, other}
	for _, pair := range [][2]spoilt{{{0, w}, {0, shifted}}, {{0, w}, {1, w}}, {{0, shifted}, {1, shifted}}, {{0, w}, {1, shifted}}} {
		for _, appended := range []bool{false, true} {
			items := []solidity.Item{s.Item, other.Item}
			if appended {
				items = []solidity.Item{s.BatchItem, other.BatchItem}
			}
			for i := range items {
				items[i].Proof = bytes.Clone(items[i].Proof)
			}
			accepted(t, d, solidity.EncodeVerifyBatch(items))
			// (ζ - τ)·a + (ζ' - τ)·b = 0
			a := fr.NewElement(7)
			b, e := distance(samples[pair[0].item], pair[0].at), distance(samples[pair[1].item], pair[1].at)
			b.Div(&b, &e).Mul(&b, &a).Neg(&b)
			shift(t, items[pair[0].item].Proof, pair[0].at, a)
			shift(t, items[pair[1].item].Proof, pair[1].at, b)
			rejected(t, d, solidity.EncodeVerifyBatch(items), "ProofRejected()")
			if pair[0].item == pair[1].item && !appended {
				rejected(t, d, solidity.EncodeVerify(items[0]), "ProofRejected()")
			}
		}
	}
}

// TestForgedDigest appends another digest than that of the linearised polynomial and
// forges the opening that goes with it, which the development string's secret allows:
// equations (1) and (2) hold, only (3) doesn't.
func TestForgedDigest(t *testing.T) {
	s := sample(t, reusable.Shape{Words: 2, Commitments: 1, Gates: 40, Seed: 31})
	d := deployed(t, s.Model)
	tau := secret(t)
	for _, by := range []uint64{0, 1} {
		item := s.BatchItem
		item.Proof = bytes.Clone(item.Proof)
		digest := len(item.Proof) - 64
		shift(t, item.Proof, digest, fr.NewElement(by))
		quotient, err := reusable.ForgeOpening(s, item.Proof[digest:], tau)
		if err != nil {
			t.Fatal(err)
		}
		copy(item.Proof[0x280:], quotient)
		if by == 0 { // the forger knows its trade
			accepted(t, d, solidity.EncodeVerifyBatch([]solidity.Item{item}))
			continue
		}
		rejected(t, d, solidity.EncodeVerifyBatch([]solidity.Item{item}), "ProofRejected()")
		rejected(t, d, solidity.EncodeVerifyBatch([]solidity.Item{s.Item, item, s.BatchItem}), "ProofRejected()")
	}
}
