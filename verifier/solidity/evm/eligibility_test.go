package evm_test

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
)

// TestEligibility has EligibilityConsumer record what a network says of measurements that
// stay hidden, and refuse everything else. Benign means eligible.
func TestEligibility(t *testing.T) {
	needCompiler(t)
	load := zkml.LoadOptions{Head: zkml.ArgMax()}
	m := prepare(t, "breast_cancer", load, circuit.Hashed, nil)
	malignant, benign := classes(t, m)
	const yes, validity, maxAge = 1, 90 * day, 30 * day
	arguments := []any{registrar, big.NewInt(maxAge), big.NewInt(yes), big.NewInt(validity)}
	c := deployTemplate(t, m.vk, "eligibility", "EligibilityConsumer", arguments...)
	const deadline = start + 3600
	call := func(nonce, deadline uint64) string {
		return fmt.Sprintf("check(proof,uint256:%d,uint256:%d,tensors)", nonce, deadline)
	}
	var salt, otherSalt zkml.Secrets
	registration := func(data zkml.Inputs, secrets *zkml.Secrets) []byte {
		values, err := zkml.Commit(m.model.Circuit.Manifest, data, secrets)
		if err != nil {
			t.Fatal(err)
		}
		return c.pack("attest", alice, integer(fr.Element(*values[0].Digest)))
	}
	eligible := func(time uint64) bool { return c.read(time, "isEligible", alice).(bool) }

	c.send(registrar, start, c.pack("setAttester", attester, true))
	context := c.request(alice, 1, deadline)
	proof := m.prove(t, benign, context, &salt)
	honest := c.encode(call(1, deadline), proof)
	c.repel(func(fork *consumed) {
		fork.send(attester, start, registration(benign, &salt))
		fork.send(alice, start, honest)
	}, attack{kind: unattestedInput, from: alice, time: start, calldata: honest, reverts: "UnattestedInput"})
	c.send(attester, start, registration(malignant, &otherSalt))
	refused := m.prove(t, malignant, context, &otherSalt)
	other := prepare(t, "breast_cancer", load, circuit.Hashed, []int{9})
	no := c.encode(call(1, deadline), refused)
	c.repel(sends(alice, start, no),
		attack{kind: unattestedInput, name: "of someone healthier", from: alice, time: start, calldata: honest, reverts: "UnattestedInput"},
		attack{kind: tamperedOutput, from: alice, time: start, calldata: c.encode(call(1, deadline), tampered(t, m.model.Circuit.Manifest, refused)), reverts: "ProofRejected"},
	)

	// No is an answer too.
	c.send(alice, start, no)
	if eligible(start) {
		t.Error("who proved a no is eligible")
	}

	c.send(attester, start, registration(benign, &salt))
	context = c.request(alice, 2, deadline)
	proof = m.prove(t, benign, context, &salt)
	honest = c.encode(call(2, deadline), proof)
	others := other.prove(t, benign, context, &salt)
	c.expectValid(other, others)
	c.repel(sends(alice, start, honest),
		attack{kind: otherCaller, from: mallory, time: start, calldata: honest, reverts: "ProofRejected"},
		attack{kind: unattestedInput, name: "of another subject", from: mallory, time: start, calldata: c.encode(call(2, deadline), m.prove(t, benign, c.request(mallory, 2, deadline), &salt)), reverts: "UnattestedInput"},
		attack{kind: otherNetwork, from: alice, time: start, chain: otherChain, calldata: honest, reverts: "ProofRejected"},
		attack{kind: otherModel, from: alice, time: start, calldata: c.encode(call(2, deadline), others), reverts: "ProofRejected"},
	)
	c.repel(sends(alice, deadline, honest), attack{kind: expired, from: alice, time: deadline + 1, calldata: honest, reverts: "Expired"})
	const late = start + maxAge + 1
	stale := c.encode(call(2, late), m.prove(t, benign, c.request(alice, 2, late), &salt))
	c.repel(sends(alice, late-1, stale), attack{kind: unattestedInput, name: "too old", from: alice, time: late, calldata: stale, reverts: "StaleAttestation"})
	if eligible(start) {
		t.Error("the attacks made someone eligible")
	}
	t.Logf("check: %d gas", c.send(alice, start, honest))
	if !eligible(start+validity) || eligible(start+validity+1) {
		t.Error("a yes is good for another time than it should be")
	}
	if c.read(start, "isEligible", mallory).(bool) {
		t.Error("who proved nothing is eligible")
	}
	next := c.encode(call(3, deadline), m.prove(t, benign, c.request(alice, 3, deadline), &salt))
	again := registration(benign, &salt)
	c.repel(func(fork *consumed) {
		fork.send(attester, start, again)
		fork.send(alice, start, next)
	}, attack{kind: replay, from: alice, time: start, calldata: honest, reverts: "ContextUsed"})
	c.send(attester, start, again)
	c.repel(sends(alice, start, next), attack{kind: replay, name: "registered again", from: alice, time: start, calldata: honest, reverts: "ContextUsed"})
	c.expectTried(replay, otherCaller, otherNetwork, expired, otherModel, tamperedOutput, unattestedInput)
	c.refusesOtherAdapter(other, arguments...)
}

// classes returns a sample of each class, as the network sees them.
func classes(t *testing.T, m *prepared) (zero, one zkml.Inputs) {
	t.Helper()
	samples, err := m.network.ReadSamples(models + "breast_cancer/samples.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, sample := range samples[:100] {
		values, err := m.network.Graph.Run(sample)
		if err != nil {
			t.Fatal(err)
		}
		if values[m.network.Graph.Outputs[0].ID].Data[0] == 0 {
			zero = sample
		} else {
			one = sample
		}
	}
	if zero == nil || one == nil {
		t.Fatal("all samples are of one class")
	}
	return zero, one
}
