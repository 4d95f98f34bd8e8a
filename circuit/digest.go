package circuit

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
	"golang.org/x/crypto/sha3"

	"github.com/zkml-go/zkml/quantize"
)

// WeightsName is the name under which expectations, salts and visibilities know the
// hidden weights of a model, all of them together.
const WeightsName = "weights"

// Salts are what makes digests of guessable tensors say nothing: a field element for
// each hashed tensor, by name, with WeightsName for the weights. They stay secret. Any
// field element is one: a digest is opened by a salt and the elements together, and a
// second opening with whatever salt would be a collision of the hash.
type Salts map[string]fr.Element

// NewSalt draws a salt from crypto/rand.
func NewSalt() (salt fr.Element, err error) {
	if _, err = salt.SetRandom(); err != nil {
		return salt, fmt.Errorf("draw a salt: %w", err)
	}
	return salt, nil
}

// Tag returns the encoding tag of a tensor: what its digest says of it besides its
// integers. It is the Keccak-256, top byte cleared, of Solidity's
//
//	abi.encode(uint256 version, uint64[] shape, uint256 bits, int256 lo,
//	           uint256 numerator, uint256 denominator, int256 exponent)
//
// where an integer q stands for q·numerator/denominator·2^-exponent. Name and role are
// no part of it, so that one model's output can be the next one's input.
func (p Public) Tag() fr.Element {
	return tagOf(p.encodeTag())
}

// encodeTag is the abi.encode of Tag: seven words, the second the offset of the shape,
// which follows with its length in front.
func (p Public) encodeTag() []byte {
	b := abiWord(nil, FormatVersion)
	b = abiWord(b, 7*32)
	b = abiWord(b, int64(p.Bits))
	b = abiWord(b, p.Lo)
	b = abiUint(b, p.Scale.Num)
	b = abiUint(b, p.Scale.Den)
	b = abiWord(b, int64(p.Scale.Exp))
	b = abiWord(b, int64(len(p.Shape)))
	for _, d := range p.Shape {
		b = abiWord(b, int64(d))
	}
	return b
}

// abiWord appends an integer as 32 bytes in two's complement.
func abiWord(b []byte, v int64) []byte {
	sign := byte(0)
	if v < 0 {
		sign = 0xff
	}
	for range 24 {
		b = append(b, sign)
	}
	return binary.BigEndian.AppendUint64(b, uint64(v))
}

// abiUint appends an unsigned integer as 32 bytes.
func abiUint(b []byte, v uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, make([]byte, 24)...), v)
}

// tagOf is Keccak-256 with the top byte cleared.
func tagOf(data []byte) (e fr.Element) {
	h := sha3.NewLegacyKeccak256()
	h.Write(data)
	digest := h.Sum(nil)
	digest[0] = 0
	e.SetBytes(digest)
	return e
}

// Digest returns the public word of a hashed tensor: gnark-crypto's Merkle–Damgård hash
// with the Poseidon2 compression of width 2 over BN254's scalar field, of
//
//	number of elements, encoding tag, salt, packed words …
//
// each a block of one field element. It returns an error that names the element if one
// is out of its interval.
func (p Public) Digest(values []int64, salt fr.Element) (fr.Element, error) {
	words, err := p.Pack(values)
	if err != nil {
		return fr.Element{}, err
	}
	return digestOf(len(values), p.Tag(), salt, words), nil
}

// WeightsDigest returns the public word of hashed weights: the digest, as
// [Public.Digest], of all Params in program order. Each is packed from a new word; the
// tag is the Keccak-256, top byte cleared, of their tags in that order, 32 bytes each.
// It returns an error if the program has no Params or one without values.
func WeightsDigest(p *quantize.Program, salt fr.Element) (fr.Element, error) {
	params := paramsOf(p)
	if len(params) == 0 {
		return fr.Element{}, errNoParams
	}
	var words []fr.Element
	count := 0
	for _, param := range params {
		op, _ := p.Nodes[param.id].Op.(quantize.Param)
		w, err := param.Pack(op.Values)
		if err != nil {
			return fr.Element{}, err
		}
		words = append(words, w...)
		count += len(op.Values)
	}
	return digestOf(count, weightsTag(params), salt, words), nil
}

var errNoParams = errors.New("the model has no hidden weights")

// param is one tensor of hidden weights, described as a public tensor would be.
type param struct {
	Public
	id quantize.ID
}

// paramsOf lists the hidden weights in program order.
func paramsOf(p *quantize.Program) []param {
	var params []param
	for id, n := range p.Nodes {
		if op, ok := n.Op.(quantize.Param); ok {
			params = append(params, param{Public{
				Name: op.Name, Visibility: Private, Shape: n.Shape, Lo: n.Lo, Bits: op.Bits, Scale: n.Scale,
			}, quantize.ID(id)})
		}
	}
	return params
}

// weightsTag is the tag of all hidden weights together.
func weightsTag(params []param) fr.Element {
	var tags []byte
	for _, p := range params {
		tag := p.Tag()
		b := tag.Bytes()
		tags = append(tags, b[:]...)
	}
	return tagOf(tags)
}

// digestOf is the hash of Digest.
func digestOf(count int, tag, salt fr.Element, words []fr.Element) (digest fr.Element) {
	h := poseidon2.NewMerkleDamgardHasher()
	var n fr.Element
	n.SetUint64(uint64(count))
	for _, block := range append([]fr.Element{n, tag, salt}, words...) {
		b := block.Bytes()
		h.Write(b[:])
	}
	digest.SetBytes(h.Sum(nil))
	return digest
}
