package solidity

import (
	"encoding/binary"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Request is the one use that a proof is good for: a call of a consumer that is derived
// from InferenceConsumer (see [Templates]).
type Request struct {
	// ChainID is the chain's number.
	ChainID uint64
	// Consumer is the contract that takes the proof, Caller who sends it.
	Consumer, Caller [20]byte
	// Nonce is any number that the caller hasn't used with this deadline.
	Nonce [32]byte
	// Deadline is the last second, of Unix time, in which the proof is good.
	Deadline uint64
}

// Context returns the context to make the proof with: keccak256 of the ABI encoding of
// the chain's id, the consumer, the caller, the nonce and the deadline, with the top byte
// cleared. The contract's contextOf returns the same.
func (r *Request) Context() fr.Element {
	var words [5][32]byte
	binary.BigEndian.PutUint64(words[0][24:], r.ChainID)
	copy(words[1][12:], r.Consumer[:])
	copy(words[2][12:], r.Caller[:])
	words[3] = r.Nonce
	binary.BigEndian.PutUint64(words[4][24:], r.Deadline)
	hash := keccak256(slices.Concat(words[0][:], words[1][:], words[2][:], words[3][:], words[4][:]))
	hash[0] = 0
	return *new(fr.Element).SetBytes(hash[:])
}
