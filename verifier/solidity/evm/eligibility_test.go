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
	register := func(data zkml.Inputs, secrets *zkml.Secrets) {
		values, err := zkml.Commit(m.model.Circuit.Manifest, data, secrets)
		if err != nil {
			t.Fatal(err)
		}
		c.send(attester, start, c.pack("attest", alice, integer(fr.Element(*values[0].Digest))))
	}
	eligible := func(time uint64) bool { return c.read(time, "isEligible", alice).(bool) }

	c.send(registrar, start, c.pack("setAttester", attester, true))
	context := c.request(alice, 1, deadline)
	proof := m.prove(t, benign, context, &salt)
	honest := c.encode(call(1, deadline), proof)
	c.repel(attack{name: "unregistered data", from: alice, time: start, calldata: honest, reverts: "UnattestedInput"})
	register(malignant, &otherSalt)
	refused := m.prove(t, malignant, context, &otherSalt)
	other := prepare(t, "breast_cancer", load, circuit.Hashed, []int{9})
	c.repel(
		attack{name: "data of someone healthier", from: alice, time: start, calldata: honest, reverts: "UnattestedInput"},
		attack{name: "tampered answer", from: alice, time: start, calldata: c.encode(call(1, deadline), tampered(t, m.model.Circuit.Manifest, refused)), reverts: "ProofRejected"},
	)

	// No is an answer too.
	c.send(alice, start, c.encode(call(1, deadline), refused))
	if eligible(start) {
		t.Error("who proved a no is eligible")
	}

	register(benign, &salt)
	context = c.request(alice, 2, deadline)
	proof = m.prove(t, benign, context, &salt)
	honest = c.encode(call(2, deadline), proof)
	late := uint64(start + maxAge + 1)
	stale := m.prove(t, benign, c.request(alice, 2, late), &salt)
	c.repel(
		attack{name: "another caller", from: mallory, time: start, calldata: honest, reverts: "ProofRejected"},
		attack{name: "another caller's own proof", from: mallory, time: start, calldata: c.encode(call(2, deadline), m.prove(t, benign, c.request(mallory, 2, deadline), &salt)), reverts: "UnattestedInput"},
		attack{name: "another chain", from: alice, time: start, chain: otherChain, calldata: honest, reverts: "ProofRejected"},
		attack{name: "expired", from: alice, time: deadline + 1, calldata: honest, reverts: "Expired"},
		attack{name: "another model", from: alice, time: start, calldata: c.encode(call(2, deadline), other.prove(t, benign, context, &salt)), reverts: "ProofRejected"},
		attack{name: "stale registration", from: alice, time: late, calldata: c.encode(call(2, late), stale), reverts: "StaleAttestation"},
	)
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
	c.repel(attack{name: "replay", from: alice, time: start, calldata: honest, reverts: "ContextUsed"})
	register(benign, &salt)
	c.repel(attack{name: "replay, registered again", from: alice, time: start, calldata: honest, reverts: "ContextUsed"})
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
