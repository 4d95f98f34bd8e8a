package evm_test

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
)

// policy is LendingConsumer's, with Go's names.
type policy struct {
	BaseFactor, MaxFactor, MaxStep, LowScore, HighScore, Validity *big.Int
}

// ones returns n times 10^18.
func ones(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e18)) }

// TestLending has LendingConsumer move a borrower's factor by proven scores, and refuse
// everything else. The network of testdata that answers with one number, 25 to 346,
// stands in for one that scores credit.
func TestLending(t *testing.T) {
	needCompiler(t)
	m := prepare(t, "diabetes", zkml.LoadOptions{}, circuit.Hashed, nil)
	samples, err := m.network.ReadSamples(models + "diabetes/samples.json")
	if err != nil {
		t.Fatal(err)
	}
	good, bad := extremes(t, m.network, samples)
	c := deployTemplate(t, m.vk, "lending", "LendingConsumer", registrar, big.NewInt(7*day), policy{
		BaseFactor: big.NewInt(5000), MaxFactor: big.NewInt(8000), MaxStep: big.NewInt(600),
		LowScore: ones(100), HighScore: ones(200), Validity: big.NewInt(30 * day),
	})
	const deadline = start + 3600
	call := func(nonce, deadline uint64) string {
		return fmt.Sprintf("updateFactor(proof,uint256:%d,uint256:%d,tensors)", nonce, deadline)
	}
	// The attester commits to features under a salt that the borrower gets.
	secrets := map[string]*zkml.Secrets{"good": {}, "bad": {}, "invented": {}}
	attestation := func(name string, features zkml.Inputs) []byte {
		values, err := zkml.Commit(m.model.Circuit.Manifest, features, secrets[name])
		if err != nil {
			t.Fatal(err)
		}
		return c.pack("attest", alice, integer(fr.Element(*values[0].Digest)))
	}
	factor := func(time uint64) int64 { return c.number(time, "collateralFactor", alice) }

	c.send(registrar, start, c.pack("setAttester", attester, true))
	proof := m.prove(t, good, c.request(alice, 1, deadline), secrets["good"])
	honest := c.encode(call(1, deadline), proof)
	goodAttested := attestation("good", good)
	c.repel(func(fork *consumed) {
		fork.send(attester, start, goodAttested)
		fork.send(alice, start, honest)
	},
		attack{kind: unattestedInput, from: alice, time: start, calldata: honest, reverts: "UnattestedInput"},
		attack{kind: unattestedInput, name: "the borrower attests", from: alice, time: start, calldata: goodAttested, reverts: "NotAttester"},
		attack{kind: unattestedInput, name: "the borrower appoints an attester", from: alice, time: start, calldata: c.pack("setAttester", alice, true), reverts: "NotRegistrar"},
	)
	c.send(attester, start, goodAttested)

	other := prepare(t, "diabetes", zkml.LoadOptions{}, circuit.Hashed, []int{9})
	context := c.request(alice, 1, deadline)
	stolen := m.prove(t, good, c.request(mallory, 1, deadline), secrets["good"])
	invented := m.prove(t, bad, context, secrets["invented"])
	others := other.prove(t, good, context, secrets["good"])
	c.expectValid(other, others)
	c.repel(sends(alice, start, honest),
		attack{kind: otherCaller, from: mallory, time: start, calldata: honest, reverts: "ProofRejected"},
		attack{kind: otherNetwork, from: alice, time: start, chain: otherChain, calldata: honest, reverts: "ProofRejected"},
		attack{name: "another nonce", from: alice, time: start, calldata: c.encode(call(2, deadline), proof), reverts: "ProofRejected"},
		attack{kind: otherModel, from: alice, time: start, calldata: c.encode(call(1, deadline), others), reverts: "ProofRejected"},
		attack{kind: tamperedOutput, from: alice, time: start, calldata: c.encode(call(1, deadline), tampered(t, m.model.Circuit.Manifest, proof)), reverts: "ProofRejected"},
		attack{kind: unattestedInput, name: "invented", from: alice, time: start, calldata: c.encode(call(1, deadline), invented), reverts: "UnattestedInput"},
		attack{kind: unattestedInput, name: "of another borrower", from: mallory, time: start, calldata: c.encode(call(1, deadline), stolen), reverts: "UnattestedInput"},
	)
	c.repel(sends(alice, deadline, honest),
		attack{kind: expired, from: alice, time: deadline + 1, calldata: honest, reverts: "Expired"},
		attack{kind: expired, name: "a later deadline claimed", from: alice, time: deadline + 1, calldata: c.encode(call(1, deadline+day), proof), reverts: "ProofRejected"},
	)
	const late = start + 7*day + 1
	lateCall := c.encode(call(1, late), m.prove(t, good, c.request(alice, 1, late), secrets["good"]))
	c.repel(sends(alice, late-1, lateCall), attack{kind: unattestedInput, name: "too old", from: alice, time: late, calldata: lateCall, reverts: "StaleAttestation"})
	if got := factor(start); got != 5000 {
		t.Errorf("the attacks moved the factor to %d", got)
	}

	// A good score: up by a step, whatever it deserves.
	gas := c.send(alice, start, honest)
	t.Logf("updateFactor: %d gas", gas)
	if got := factor(start); got != 5600 {
		t.Errorf("a good score moves the factor to %d, want 5600", got)
	}
	if got := c.number(start, "borrowLimit", alice, big.NewInt(1000)); got != 560 {
		t.Errorf("the borrower may owe %d of 1000", got)
	}
	if got := c.number(start, "collateralFactor", mallory); got != 5000 {
		t.Errorf("the factor of who proved nothing is %d", got)
	}
	checkScore(t, c, proof)
	again := c.encode(call(2, deadline), m.prove(t, good, c.request(alice, 2, deadline), secrets["good"]))
	c.repel(func(fork *consumed) {
		fork.send(attester, start, goodAttested)
		fork.send(alice, start, again)
	},
		attack{kind: replay, from: alice, time: start, calldata: honest, reverts: "ContextUsed"},
		attack{kind: unattestedInput, name: "one attestation, two steps", from: alice, time: start, calldata: again, reverts: "AttestationUsed"},
	)
	c.send(attester, start, goodAttested)
	c.repel(sends(alice, start, again), attack{kind: replay, name: "attested again", from: alice, time: start, calldata: honest, reverts: "ContextUsed"})
	t.Logf("updateFactor, the second: %d gas", c.send(alice, start, again))
	if got := factor(start); got != 6200 {
		t.Errorf("a second good score moves the factor to %d, want 6200", got)
	}

	// A bad one: down by a step; the better features of before count no more.
	before := c.encode(call(3, deadline), m.prove(t, good, c.request(alice, 3, deadline), secrets["good"]))
	c.send(attester, start, attestation("bad", bad))
	worse := c.encode(call(4, deadline), m.prove(t, bad, c.request(alice, 4, deadline), secrets["bad"]))
	c.repel(sends(alice, start, worse), attack{kind: unattestedInput, name: "superseded", from: alice, time: start, calldata: before, reverts: "UnattestedInput"})
	c.send(alice, start, worse)
	if got := factor(start); got != 5600 {
		t.Errorf("a bad score moves the factor to %d, want 5600", got)
	}
	if got := factor(start + 30*day + 1); got != 5000 {
		t.Errorf("without proofs the factor stays at %d", got)
	}
	c.expectTried(replay, otherCaller, otherNetwork, expired, otherModel, tamperedOutput, unattestedInput)
	c.refusesOtherAdapter(other, registrar, big.NewInt(day), policy{big.NewInt(1), big.NewInt(2), big.NewInt(1), ones(1), ones(2), big.NewInt(day)})
}

// extremes returns the samples of the network's greatest and least answer.
func extremes(t *testing.T, n *zkml.Network, samples []zkml.Inputs) (greatest, least zkml.Inputs) {
	t.Helper()
	top, bottom := math.Inf(-1), math.Inf(1)
	for _, sample := range samples[:100] {
		values, err := n.Graph.Run(sample)
		if err != nil {
			t.Fatal(err)
		}
		answer := values[n.Graph.Outputs[0].ID].Data[0]
		if answer > top {
			top, greatest = answer, sample
		}
		if answer < bottom {
			bottom, least = answer, sample
		}
	}
	if top < 210 || bottom > 90 {
		t.Fatalf("the answers go from %v to %v", bottom, top)
	}
	return greatest, least
}

// checkScore compares how the contract reads a proven score with how the proof states it.
func checkScore(t *testing.T, c *consumed, proof *prover.Proof) {
	t.Helper()
	for _, score := range []float64{proof.Values[1].Real[0], 90, 130, 170, 250} {
		want := int64(5000 + 3000*min(1, max(0, (score-100)/100)))
		fixed, _ := new(big.Float).Mul(big.NewFloat(score), big.NewFloat(1e18)).Int(nil)
		if got := c.number(start, "deservedFactor", fixed); got != want {
			t.Errorf("a score of %v deserves %d, want %d", score, got, want)
		}
	}
}
