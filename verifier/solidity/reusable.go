package solidity

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity/internal/transcript"
)

// Selectors of the reusable verifier's functions.
var (
	registerSelector = selector("register(bytes)")
	verifySelector   = selector("verify(bytes32,uint256[],bytes)")
	batchSelector    = selector("verifyBatch(bytes32[],uint256[][],bytes[])")
	dataOfSelector   = selector("dataOf(bytes32)")
)

// selector returns the first four bytes of a signature's hash.
func selector(signature string) []byte {
	hash := keccak256([]byte(signature))
	return hash[:4]
}

// Item is one proof in the form of the reusable verifier's arguments.
type Item struct {
	ModelID prover.ModelID
	Words   []fr.Element
	// Proof is 768 + 96c bytes. In a batch, 64 bytes may follow: see [BatchItem].
	Proof []byte
}

// NewItem returns a proof as verify takes it. The error matches [prover.ErrMismatch]
// if the proof is for another model, and [prover.ErrRejected] if it can't be one for
// any. It doesn't verify the proof.
func NewItem(vk *prover.VerifyingKey, p *prover.Proof) (Item, error) {
	proof, err := marshalProof(vk, p)
	if err != nil {
		return Item{}, fmt.Errorf("encoding calldata: %w", err)
	}
	return Item{ModelID: p.ModelID, Words: p.Words, Proof: proof}, nil
}

// BatchItem returns a proof as verifyBatch takes it at the least price: followed by
// the digest of its linearised polynomial, which the contract then checks together
// with everything else instead of computing it. The errors are those of [NewItem].
func BatchItem(vk *prover.VerifyingKey, p *prover.Proof) (Item, error) {
	item, err := NewItem(vk, p)
	if err != nil {
		return Item{}, err
	}
	parsed, err := prover.ParseRaw(p.Raw, vk.NbCommitments())
	if err != nil {
		return Item{}, fmt.Errorf("encoding calldata: %w: %w", prover.ErrRejected, err)
	}
	digest, err := transcript.Digest(vk.Plonk(), parsed, p.Words)
	if err != nil {
		return Item{}, fmt.Errorf("encoding calldata: %w", err)
	}
	raw := digest.RawBytes()
	item.Proof = append(item.Proof, raw[:]...)
	return item, nil
}

// RegisterCalldata returns the call that registers a key: register(bytes).
func RegisterCalldata(vk *prover.VerifyingKey) []byte { return EncodeRegister(vk.Blob()) }

// EncodeRegister returns the call of register(bytes) for a key's blob.
func EncodeRegister(blob []byte) []byte {
	return encodeCall(registerSelector, bytesValue(blob))
}

// EncodeVerify returns the call of verify(bytes32,uint256[],bytes).
func EncodeVerify(item Item) []byte {
	return encodeCall(verifySelector, wordValue(item.ModelID), wordsValue(item.Words), bytesValue(item.Proof))
}

// EncodeVerifyBatch returns the call of verifyBatch(bytes32[],uint256[][],bytes[]).
// Proofs of one model cost less where they lie next to each other.
func EncodeVerifyBatch(items []Item) []byte {
	ids, words, proofs := make([]value, len(items)), make([]value, len(items)), make([]value, len(items))
	for i, item := range items {
		ids[i], words[i], proofs[i] = wordValue(item.ModelID), wordsValue(item.Words), bytesValue(item.Proof)
	}
	return encodeCall(batchSelector, arrayValue(ids), arrayValue(words), arrayValue(proofs))
}

// EncodeDataOf returns the call of dataOf(bytes32), which answers with the address of
// the key's data contract, zero if the key isn't registered.
func EncodeDataOf(id prover.ModelID) []byte { return encodeCall(dataOfSelector, wordValue(id)) }

// wordsValue encodes public words.
func wordsValue(words []fr.Element) value {
	list := make([]value, len(words))
	for i := range words {
		list[i] = wordValue(words[i].Bytes())
	}
	return arrayValue(list)
}

// encodeCall encodes a call with its arguments.
func encodeCall(selector []byte, arguments ...value) []byte {
	return append(append([]byte{}, selector...), tupleValue(arguments).body...)
}
