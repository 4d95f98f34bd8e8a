package reusable_test

import (
	"bytes"
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/accounts/abi"

	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/internal/reusable"
)

// TestEncodingsAreStandard compares the encoders with go-ethereum's, under the contract's
// own ABI.
func TestEncodingsAreStandard(t *testing.T) {
	parsed, err := abi.JSON(bytes.NewReader(solidity.Reusable(false).ABI))
	if err != nil {
		t.Fatal(err)
	}
	a := sample(t, reusable.Shape{Words: 3, Commitments: 1, Gates: 30, Seed: 61})
	b := sample(t, reusable.Shape{Words: 1, Gates: 30, Seed: 62})
	numbers := func(words []fr.Element) (list []*big.Int) {
		for i := range words {
			list = append(list, words[i].BigInt(new(big.Int)))
		}
		return list
	}
	batch := []solidity.Item{a.Item, b.BatchItem, a.BatchItem}
	var ids [][32]byte
	var words [][]*big.Int
	var proofs [][]byte
	for _, item := range batch {
		ids, words, proofs = append(ids, item.ModelID), append(words, numbers(item.Words)), append(proofs, item.Proof)
	}
	for _, c := range []struct {
		name      string
		got       []byte
		arguments []any
	}{
		{"register", solidity.RegisterCalldata(a.Model.VK), []any{a.Model.VK.Blob()}},
		{"dataOf", solidity.EncodeDataOf(a.Item.ModelID), []any{[32]byte(a.Item.ModelID)}},
		{"verify", solidity.EncodeVerify(a.Item), []any{[32]byte(a.Item.ModelID), numbers(a.Item.Words), a.Item.Proof}},
		{"verifyBatch", solidity.EncodeVerifyBatch(batch), []any{ids, words, proofs}},
		{"verifyBatch", solidity.EncodeVerifyBatch(nil), []any{[][32]byte{}, [][]*big.Int{}, [][]byte{}}},
	} {
		want, err := parsed.Pack(c.name, c.arguments...)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(c.got, want) {
			t.Errorf("%s: calldata differs from go-ethereum's:\n%x\nwant\n%x", c.name, c.got, want)
		}
	}
	honest := reusable.NewCall(a.Item)
	if !bytes.Equal(reusable.EncodeVerify(a.Item.ModelID, honest.Words, honest.Proof), solidity.EncodeVerify(a.Item)) {
		t.Error("the tests' own encoder differs")
	}
}

// TestVerifyWantsStandardCalldata gives verify encodings of an accepted call that
// Solidity's decoder takes for the same arguments, and for which ours is stricter.
func TestVerifyWantsStandardCalldata(t *testing.T) {
	s := sample(t, reusable.Shape{Words: 2, Commitments: 1, Gates: 30, Seed: 63})
	d := deployed(t, s.Model)
	calldata := solidity.EncodeVerify(s.Item)
	accepted(t, d, calldata)
	word := func(data []byte, i int) []byte { return data[4+32*i : 36+32*i] }
	set := func(word []byte, n int) { big.NewInt(int64(n)).FillBytes(word) }

	// Words: id, two offsets, the number of words, two words, the proof's length.
	moved := slices.Concat(calldata[:4+3*32], make([]byte, 32), calldata[4+3*32:])
	set(word(moved, 1), 4*32)
	set(word(moved, 2), 7*32)
	rejected(t, d, moved, "NonCanonicalCalldata()")
	swapped := slices.Concat(calldata[:4+3*32], calldata[4+6*32:], calldata[4+3*32:4+6*32])
	set(word(swapped, 1), 3*32+32+len(s.Item.Proof))
	set(word(swapped, 2), 3*32)
	rejected(t, d, swapped, "NonCanonicalCalldata()")
	rejected(t, d, append(bytes.Clone(calldata), 0), "NonCanonicalCalldata()")
	rejected(t, d, solidity.EncodeVerify(s.BatchItem), "ProofLength(0, 928, 864)")

	// Any byte.
	step := 29
	if *full {
		step = 1
	}
	for i := 0; i < len(calldata); i += step {
		changed := bytes.Clone(calldata)
		changed[i] ^= byte(1 + i%255)
		if r := call(t, d, changed); r.Revert == nil {
			t.Errorf("byte %d of %d changed from %#x to %#x: accepted", i, len(calldata), calldata[i], changed[i])
		}
	}
}

// TestBatchWantsStandardCalldata does the same with verifyBatch, whose arrays of arrays
// could share places.
func TestBatchWantsStandardCalldata(t *testing.T) {
	s := sample(t, reusable.Shape{Words: 2, Gates: 30, Seed: 64})
	d := deployed(t, s.Model)
	calldata := solidity.EncodeVerifyBatch([]solidity.Item{s.Item, s.Item})
	accepted(t, d, calldata)
	word := func(data []byte, i int) []byte { return data[4+32*i : 36+32*i] }
	// Words: 0 to 2 offsets; 3 to 5 ids; 6 the number of lists, 7 and 8 their offsets,
	// 9 to 11 and 12 to 14 the lists; 15 the number of proofs, 16 and 17 their offsets.
	change := func(edit func(data []byte)) []byte {
		changed := bytes.Clone(calldata)
		edit(changed)
		return changed
	}
	for name, changed := range map[string][]byte{
		"lists share a place":  change(func(data []byte) { copy(word(data, 8), word(data, 7)) }),
		"proofs share a place": change(func(data []byte) { copy(word(data, 17), word(data, 16)) }),
		"lists in another order": change(func(data []byte) {
			word(data, 7)[31], word(data, 8)[31] = word(data, 8)[31], word(data, 7)[31]
		}),
		"proofs in another order": change(func(data []byte) {
			first := bytes.Clone(word(data, 16))
			copy(word(data, 16), word(data, 17))
			copy(word(data, 17), first)
		}),
		"an offset beyond 2^256": change(func(data []byte) { copy(word(data, 8), bytes.Repeat([]byte{0xFF}, 31)) }),
		"a byte behind":          append(bytes.Clone(calldata), 0),
		"a word behind":          append(bytes.Clone(calldata), make([]byte, 32)...),
		"a word short":           calldata[:len(calldata)-32],
		"a word before the lists": func() []byte {
			at := 4 + 6*32
			changed := slices.Concat(calldata[:at], make([]byte, 32), calldata[at:])
			for _, i := range []int{1, 2} {
				big.NewInt(new(big.Int).SetBytes(word(changed, i)).Int64() + 32).FillBytes(word(changed, i))
			}
			return changed
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			r := call(t, d, changed)
			if r.Revert == nil {
				t.Fatal("accepted")
			}
			// What is missing at the end reads as zeros, which are no point.
			if undecoded[r.Revert.Name] || name == "a word short" && r.Revert.Name == "InvalidPoint" {
				return
			}
			t.Errorf("reverted with %v, which isn't about the encoding", r.Revert)
		})
	}
	t.Run("fewer ids", func(t *testing.T) {
		parsed, err := abi.JSON(bytes.NewReader(solidity.Reusable(false).ABI))
		if err != nil {
			t.Fatal(err)
		}
		short, err := parsed.Pack("verifyBatch", [][32]byte{}, [][]*big.Int{{}}, [][]byte{})
		if err != nil {
			t.Fatal(err)
		}
		rejected(t, d, short, "EmptyBatch()")
		short, err = parsed.Pack("verifyBatch", [][32]byte{s.Item.ModelID}, [][]*big.Int{{}, {}}, [][]byte{s.Item.Proof})
		if err != nil {
			t.Fatal(err)
		}
		rejected(t, d, short, "BatchLengths(1, 2, 1)")
		short, err = parsed.Pack("verifyBatch", [][32]byte{s.Item.ModelID}, [][]*big.Int{{}}, [][]byte{})
		if err != nil {
			t.Fatal(err)
		}
		rejected(t, d, short, "BatchLengths(1, 1, 0)")
	})
}
