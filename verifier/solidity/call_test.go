package solidity_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity"
)

// TestCallSignature has calls of all arguments for a model with digests and tensors.
func TestCallSignature(t *testing.T) {
	vk, proof := prove(t, loan(), fr.NewElement(9))
	const tensors, packed = "(bytes,bytes,uint256,bytes,bytes,uint256)", "(uint256[],uint256[],uint256,uint256[],uint256[],uint256)"
	for text, want := range map[string]string{
		"verify(proof,context,tensors)":            "verify(bytes,uint256," + tensors + ")",
		"verifyPacked(proof, context, packed)":     "verifyPacked(bytes,uint256," + packed + ")",
		"verify(model,words,proof)":                "verify(bytes32,uint256[],bytes)",
		"poke()":                                   "poke()",
		"act(uint64:5,proof,bool:true)":            "act(uint64,bytes,bool)",
		"_f$1(int8:-128,uint256:0xff,int256:-0x1)": "_f$1(int8,uint256,int256)",
		"to(address:0x" + strings.Repeat("a1", 20) + ",bytes32:0x" + strings.Repeat("b2", 32) + ")": "to(address,bytes32)",
	} {
		call, err := solidity.ParseCall(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := call.Signature(vk); got != want {
			t.Errorf("%s: signature %s, want %s", text, got, want)
		}
		if _, err := call.Encode(vk, proof); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestCallEncoding compares the words of an encoded call with what they must be.
func TestCallEncoding(t *testing.T) {
	vk, proof := prove(t, loan(), fr.NewElement(9))
	call, err := solidity.ParseCall("f(int16:-2,model,uint8:7,context,bool:true,bool:0,address:0x" + strings.Repeat("a1", 20) + ")")
	if err != nil {
		t.Fatal(err)
	}
	data, err := call.Encode(vk, proof)
	if err != nil {
		t.Fatal(err)
	}
	minus2 := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(2))
	id := vk.ModelID()
	address, _ := new(big.Int).SetString(strings.Repeat("a1", 20), 16)
	want := []*big.Int{minus2, new(big.Int).SetBytes(id[:]), big.NewInt(7), big.NewInt(9), big.NewInt(1), big.NewInt(0), address}
	if len(data) != 4+32*len(want) {
		t.Fatalf("%d bytes: %x", len(data), data)
	}
	for i, w := range want {
		if got := new(big.Int).SetBytes(data[4+32*i:][:32]); got.Cmp(w) != 0 {
			t.Errorf("argument %d is %x, want %x", i, got, w)
		}
	}
	// transfer(address,uint256) has the best-known selector.
	transfer, err := solidity.ParseCall("transfer(address:0x" + strings.Repeat("00", 20) + ",uint256:1)")
	if err != nil {
		t.Fatal(err)
	}
	if data, err := transfer.Encode(vk, proof); err != nil || hex.EncodeToString(data[:4]) != "a9059cbb" {
		t.Errorf("selector %x: %v", data[:4], err)
	}
	item, err := solidity.NewItem(vk, proof)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := solidity.VerifierCall().Encode(vk, proof); err != nil || !bytes.Equal(data, solidity.EncodeVerify(item)) {
		t.Errorf("the call of zkml's verifier is %x: %v", data, err)
	}
}

// TestConstantCalls: a call without anything of a proof is the same with and without one.
func TestConstantCalls(t *testing.T) {
	vk, proof := prove(t, loan(), fr.NewElement(9))
	for _, text := range []string{"f()", "replyContext(uint256:5,address:0x" + strings.Repeat("a1", 20) + ")", "g(int8:-1,bool:true)"} {
		call, err := solidity.ParseCall(text)
		if err != nil {
			t.Fatal(err)
		}
		want, err := call.Encode(vk, proof)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := call.EncodeConstant(); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %x, want %x: %v", text, got, want, err)
		}
	}
	for _, text := range []string{"f(proof)", "f(uint8:1,context)", "f(tensors)", "f(model)", "f(words)", "f(packed)"} {
		call, err := solidity.ParseCall(text)
		if err != nil {
			t.Fatal(err)
		}
		if data, err := call.EncodeConstant(); err == nil {
			t.Errorf("%s: %x", text, data)
		}
	}
}

// TestCallRefusals has texts that are no calls, and calls that a model can't have.
func TestCallRefusals(t *testing.T) {
	for _, text := range []string{
		"", "f", "f(", "f)", "(proof)", "1f()", "f g()", "f(,)", "f(proof,)", "f(Proof)", "f(f())", "f(uint256)",
		"f(uint7:1)", "f(uint264:1)", "f(uint0:1)", "f(uint:1)", "f(uint08:1)", "f(int:1)", "f(bytes:0x00)", "f(string:a)", "f(uint8[]:1)",
		"f(uint8:256)", "f(uint8:-1)", "f(int8:128)", "f(int8:-129)", "f(uint256:)", "f(uint256:1e3)", "f(uint256:0x1" + strings.Repeat("0", 64) + ")",
		"f(bool:2)", "f(address:0x00)", "f(address:" + strings.Repeat("00", 20) + ")", "f(bytes32:0x" + strings.Repeat("0g", 32) + ")",
	} {
		if call, err := solidity.ParseCall(text); err == nil {
			t.Errorf("%q is a call: %+v", text, call)
		}
	}
	hidden := loan()
	hidden.Weights = circuit.Private
	for _, list := range [][]circuit.Public{hidden.Inputs, hidden.Outputs} {
		for i := range list {
			list[i].Visibility = circuit.Private
		}
	}
	vk, proof := prove(t, hidden, fr.NewElement(9))
	for _, text := range []string{"f(tensors)", "f(packed)"} {
		call, err := solidity.ParseCall(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := call.Encode(vk, proof); err == nil {
			t.Errorf("%s for a model that shows nothing", text)
		}
	}
	_, foreign := prove(t, loan(), fr.NewElement(9))
	if _, err := solidity.VerifierCall().Encode(vk, foreign); !errors.Is(err, prover.ErrMismatch) {
		t.Errorf("another model's proof: %v", err)
	}
}
