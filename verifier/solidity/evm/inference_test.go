package evm_test

import (
	"fmt"
	"math/big"
	"reflect"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
)

// TestInference has LastAnswer, which does no more than InferenceConsumer that it is
// derived from, remember answers, and refuse everything else.
func TestInference(t *testing.T) {
	needCompiler(t)
	m := prepare(t, "diabetes", zkml.LoadOptions{}, circuit.Shown, nil)
	samples, err := m.network.ReadSamples(models + "diabetes/samples.json")
	if err != nil {
		t.Fatal(err)
	}
	inputs := samples[0]
	c := deployTemplate(t, m.vk, "inference", "LastAnswer")
	const deadline = start + 3600
	call := func(nonce, deadline uint64) string {
		return fmt.Sprintf("submit(proof,uint256:%d,uint256:%d,tensors)", nonce, deadline)
	}
	context := c.request(alice, 1, deadline)
	proof := m.prove(t, inputs, context, nil)
	honest := c.encode(call(1, deadline), proof)

	other := prepare(t, "diabetes", zkml.LoadOptions{}, circuit.Shown, []int{9})
	others := other.prove(t, inputs, context, nil)
	c.expectValid(other, others)
	mallorys := c.encode(call(1, deadline), m.prove(t, inputs, c.request(mallory, 1, deadline), nil))
	c.repel(sends(mallory, start, mallorys), attack{kind: otherCaller, from: mallory, time: start, calldata: honest, reverts: "ProofRejected"})
	c.repel(sends(alice, start, honest),
		attack{kind: otherNetwork, from: alice, time: start, chain: otherChain, calldata: honest, reverts: "ProofRejected"},
		attack{name: "another nonce", from: alice, time: start, calldata: c.encode(call(2, deadline), proof), reverts: "ProofRejected"},
		attack{kind: otherModel, from: alice, time: start, calldata: c.encode(call(1, deadline), others), reverts: "ProofRejected"},
		attack{kind: tamperedOutput, from: alice, time: start, calldata: c.encode(call(1, deadline), tampered(t, m.model.Circuit.Manifest, proof)), reverts: "ProofRejected"},
		attack{name: "a proof for any context", from: alice, time: start, calldata: c.encode(call(1, deadline), m.prove(t, inputs, fr.Element{}, nil)), reverts: "ProofRejected"},
	)
	c.repel(sends(alice, deadline, honest),
		attack{kind: expired, from: alice, time: deadline + 1, calldata: honest, reverts: "Expired"},
		attack{kind: expired, name: "a later deadline claimed", from: alice, time: deadline + 1, calldata: c.encode(call(1, deadline+day), proof), reverts: "ProofRejected"},
	)
	// A second consumer of the same model has another address, and so other contexts.
	sibling := *c
	if sibling.contract, err = c.create(c.adapterAddress()); err != nil {
		t.Fatal(err)
	}
	siblings := c.encode(call(1, deadline), m.prove(t, inputs, sibling.request(alice, 1, deadline), nil))
	sibling.repel(sends(alice, start, siblings), attack{name: "another consumer", from: alice, time: start, calldata: honest, reverts: "ProofRejected"})
	if time, _, _ := c.lastAnswer(alice); time != 0 {
		t.Error("the attacks left an answer")
	}

	t.Logf("submit: %d gas", c.send(alice, start, honest))
	c.expectAnswer(alice, proof, honest)
	if time, _, _ := c.lastAnswer(mallory); time != 0 {
		t.Error("who sent nothing has an answer")
	}
	next := m.prove(t, samples[1], c.request(alice, 2, deadline), nil)
	second := c.encode(call(2, deadline), next)
	c.repel(sends(alice, start, second), attack{kind: replay, from: alice, time: start, calldata: honest, reverts: "ContextUsed"})
	t.Logf("submit, the second: %d gas", c.send(alice, start, second))
	c.expectAnswer(alice, next, second)
	c.repel(sends(mallory, start, mallorys),
		attack{kind: replay, name: "after another", from: alice, time: start, calldata: honest, reverts: "ContextUsed"},
	)
	c.expectTried(replay, otherCaller, otherNetwork, expired, otherModel, tamperedOutput)
	c.refusesOtherAdapter(other)
}

// lastAnswer reads what LastAnswer remembers.
func (c *consumed) lastAnswer(caller common.Address) (time int64, statement [32]byte, output []*big.Int) {
	c.t.Helper()
	answer := reflect.ValueOf(c.read(start, "answerOf", caller))
	return answer.Field(0).Interface().(*big.Int).Int64(), answer.Field(1).Interface().([32]byte), answer.Field(2).Field(0).Interface().([]*big.Int)
}

// expectAnswer checks that a proof's answer, sent at the start, is remembered.
func (c *consumed) expectAnswer(caller common.Address, proof *prover.Proof, calldata []byte) {
	c.t.Helper()
	time, statement, output := c.lastAnswer(caller)
	inputs := c.abi.Methods["submit"].Inputs
	arguments, err := inputs.Unpack(calldata[4:])
	if err != nil {
		c.t.Fatal(err)
	}
	encoded, err := inputs[3:].Pack(arguments[3])
	if err != nil {
		c.t.Fatal(err)
	}
	m := c.vk.Manifest()
	last := len(proof.Words) - m.Outputs[0].Words()
	want, err := m.Outputs[0].Unpack(proof.Words[last:])
	if err != nil {
		c.t.Fatal(err)
	}
	if time != start || statement != [32]byte(crypto.Keccak256(encoded)) || len(output) != len(want) {
		c.t.Fatalf("the answer is of %d, statement %x, %v", time, statement, output)
	}
	for i := range want {
		if output[i].Int64() != want[i] {
			c.t.Errorf("the answer is %v, proven %v", output, want)
		}
	}
}
