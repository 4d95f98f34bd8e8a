// Package codec is the one way in which structures become bytes in this
// project's files: CBOR in the core deterministic encoding of RFC 8949 §4.2, so
// that equal values give equal bytes on every machine and a digest of the bytes
// is a digest of the value.
//
// The decoder is for bytes that a stranger wrote. It refuses what the encoder
// never writes — indefinite lengths, tags, repeated keys, unknown fields,
// invalid UTF-8, anything after the value — and it checks that the message is
// complete before it allocates, so that memory stays proportional to the length
// of the bytes; limiting that length is the caller's part.
//
// Long lists of numbers are packed into byte strings: [Float64s], [Varints] and
// [Deltas] are slices that encode themselves so. Use them as field types, by
// conversion.
package codec

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// RawMessage is an encoded value whose decoding waits until its type is known,
// as the operator of a node whose kind was read first.
type RawMessage = cbor.RawMessage

// The limits of Unmarshal. Tensors are packed, so they aren't counted here.
const (
	// MaxElements is the largest number of elements of one array.
	MaxElements = 1 << 20
	// MaxPairs is the largest number of pairs of one map.
	MaxPairs = 1 << 16
	// MaxDepth is the deepest nesting of arrays and maps.
	MaxDepth = 16
)

// ErrNotCanonical says that bytes decode, but aren't the encoding of what they
// decode to.
var ErrNotCanonical = errors.New("not in the deterministic encoding")

var (
	encoder = newEncoder()
	decoder = newDecoder()
)

// newEncoder builds the deterministic encoder: shortest forms, sorted keys.
func newEncoder() cbor.EncMode {
	options := cbor.CoreDetEncOptions()
	options.TagsMd = cbor.TagsForbidden
	options.NilContainers = cbor.NilContainerAsEmpty // a nil slice equals an empty one
	mode, err := options.EncMode()
	if err != nil {
		panic(err) // the options are constants: a wrong one fails every test
	}
	return mode
}

// newDecoder builds the limited decoder.
func newDecoder() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		MaxNestedLevels:   MaxDepth,
		MaxArrayElements:  MaxElements,
		MaxMapPairs:       MaxPairs,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		UTF8:              cbor.UTF8RejectInvalid,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
	}.DecMode()
	if err != nil {
		panic(err) // the options are constants: a wrong one fails every test
	}
	return mode
}

// Marshal encodes v. Struct fields take their keys from `cbor:"1,keyasint"`
// tags. Equal values give equal bytes.
func Marshal(v any) ([]byte, error) {
	data, err := encoder.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return data, nil
}

// Unmarshal decodes data, all of it, into the pointer v under this package's
// limits.
func Unmarshal(data []byte, v any) error {
	if err := decoder.Unmarshal(data, v); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	return nil
}

// CheckCanonical returns ErrNotCanonical unless v encodes to data. A reader that
// compares digests calls it after Unmarshal, so that one value has one digest.
func CheckCanonical(data []byte, v any) error {
	again, err := Marshal(v)
	if err != nil {
		return err
	}
	if !bytes.Equal(data, again) {
		return ErrNotCanonical
	}
	return nil
}
