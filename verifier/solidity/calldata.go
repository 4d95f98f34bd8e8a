package solidity

import (
	"encoding/binary"
	"fmt"
	"golang.org/x/crypto/sha3"
	"slices"

	"github.com/zkml-go/zkml/prover"
)

// Entry is one of ModelVerifier's functions.
type Entry int

const (
	// Typed is verify: a shown tensor's elements as bytes.
	Typed Entry = iota
	// Packed is verifyPacked: a shown tensor as packed words. A model that shows no
	// tensor has no such entry.
	Packed
)

// String returns the function's name.
func (e Entry) String() string {
	if e == Packed {
		return "verifyPacked"
	}
	return "verify"
}

// MaxCalldataBytes bounds the calldata of a call: Osaka's limit of 2^24 gas for a
// transaction leaves room for less.
const MaxCalldataBytes = 1 << 20

// Calldata returns the ABI-encoded call of an entry for a proof: selector, proof,
// context and, if the model shows or hashes anything, the struct of tensors. It
// doesn't verify the proof. The error matches [prover.ErrMismatch] if the proof is
// for another model, and [prover.ErrRejected] if it can't be one for any.
func Calldata(vk *prover.VerifyingKey, entry Entry, p *prover.Proof) ([]byte, error) {
	if entry != Typed && !(entry == Packed && slices.ContainsFunc(fieldsOf(vk.Manifest()), field.Shown)) {
		return nil, fmt.Errorf("encoding calldata: the contract has no function %v", entry)
	}
	return EntryCall(vk, entry).Encode(vk, p)
}

// Signature returns the canonical signature of an entry, for example
// verify(bytes,uint256,(bytes,bytes)).
func Signature(vk *prover.VerifyingKey, entry Entry) string {
	return EntryCall(vk, entry).Signature(vk)
}

// layout says where everything lies in the calldata of an entry, in bytes from its
// beginning. The standard encoding fixes it, and the contract accepts no other.
type layout struct {
	// Proof is where the proof's bytes begin, Tensors where the struct does (0 if it
	// has only digests: it then lies among the arguments).
	Proof, Tensors int
	// Fields are where the elements or words of each shown field begin.
	Fields []int
	// Bytes is the length of the whole.
	Bytes int
}

// layoutOf returns the layout of a call. It returns an error if the call is longer
// than MaxCalldataBytes.
func layoutOf(entry Entry, proofBytes int, fields []field) (*layout, error) {
	const word = 32
	l := &layout{Fields: make([]int, len(fields))}
	heads := word * len(fields)
	dynamic := slices.ContainsFunc(fields, field.Shown)
	arguments := 2*word + heads
	if dynamic {
		arguments = 3 * word // the third is the struct's offset
	}
	l.Proof = 4 + arguments + word
	l.Bytes = l.Proof + proofBytes
	if dynamic {
		l.Tensors = l.Bytes
		l.Bytes += heads
	}
	for i, f := range fields {
		if !f.Shown() {
			continue
		}
		if err := f.checkSize(); err != nil {
			return nil, err
		}
		l.Fields[i] = l.Bytes + word
		if entry == Packed {
			l.Bytes += word + word*f.Words()
		} else {
			l.Bytes += word + (f.Elements()*f.Width+word-1)/word*word
		}
		if l.Bytes > MaxCalldataBytes {
			return nil, fmt.Errorf("calldata of more than %d bytes: let the model hash its tensors", MaxCalldataBytes)
		}
	}
	return l, nil
}

// checkSize returns an error if no transaction can carry the tensor.
func (f field) checkSize() error {
	if f.Elements() > MaxCalldataBytes {
		return fmt.Errorf("%s %q has %d elements, too many for a transaction: let the model hash it", f.Role, f.Name, f.Elements())
	}
	return nil
}

// value is an ABI-encoded value: body is all of it where it is dynamic, and its
// place among the heads where it is static.
type value struct {
	dynamic bool
	body    []byte
}

func wordValue(word [32]byte) value { return value{body: word[:]} }

func lengthWord(n int) []byte {
	var word [32]byte
	binary.BigEndian.PutUint64(word[24:], uint64(n))
	return word[:]
}

func bytesValue(data []byte) value {
	body := append(lengthWord(len(data)), data...)
	return value{dynamic: true, body: append(body, make([]byte, -len(data)&31)...)}
}

// arrayValue encodes a dynamic array: its length, then its elements as a struct's
// fields.
func arrayValue(list []value) value {
	return value{dynamic: true, body: append(lengthWord(len(list)), tupleValue(list).body...)}
}

// tupleValue encodes a struct, or the arguments of a call: heads, then tails.
func tupleValue(list []value) value {
	offset, dynamic := 0, false
	for _, v := range list {
		if v.dynamic {
			offset += 32
			dynamic = true
		} else {
			offset += len(v.body)
		}
	}
	var heads, tails []byte
	for _, v := range list {
		if v.dynamic {
			heads = append(heads, lengthWord(offset+len(tails))...)
			tails = append(tails, v.body...)
		} else {
			heads = append(heads, v.body...)
		}
	}
	return value{dynamic: dynamic, body: append(heads, tails...)}
}

// encodeOutputs returns abi.encode of the struct Outputs.
func encodeOutputs(outputs [][]int64) []byte {
	fields := make([]value, len(outputs))
	for i, output := range outputs {
		list := make([]value, len(output))
		for j, q := range output {
			list[j] = wordValue(int256(q))
		}
		fields[i] = arrayValue(list)
	}
	return tupleValue([]value{tupleValue(fields)}).body
}

// int256 returns the word of a signed integer.
func int256(q int64) (word [32]byte) {
	binary.BigEndian.PutUint64(word[24:], uint64(q))
	if q < 0 {
		for i := range word[:24] {
			word[i] = 0xFF
		}
	}
	return word
}

// keccak256 is Ethereum's hash.
func keccak256(data []byte) (hash [32]byte) {
	h := sha3.NewLegacyKeccak256()
	h.Write(data)
	h.Sum(hash[:0])
	return hash
}
