package reusable

import (
	"bytes"
	"fmt"
	"iter"
	"math/big"
	"math/rand/v2"

	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity"
)

// Call is a statement with a proof as the bytes that reach a verifier.
type Call struct {
	Words [][32]byte
	Proof []byte
}

// NewCall returns an item's bytes.
func NewCall(item solidity.Item) Call {
	c := Call{Words: make([][32]byte, len(item.Words)), Proof: bytes.Clone(item.Proof)}
	for i := range item.Words {
		c.Words[i] = item.Words[i].Bytes()
	}
	return c
}

// Clone returns a copy.
func (c Call) Clone() Call {
	return Call{Words: append([][32]byte{}, c.Words...), Proof: bytes.Clone(c.Proof)}
}

// Where the parts of a proof in calldata begin.
const (
	pointZ, valueZ  = 0x220, 0x260
	firstValue      = 0x180
	pointW, pointW2 = 0x280, 0x2c0
	firstCommitted  = 0x300
)

// Points returns where the points of a proof with c commitments begin, the digest that
// a batch appends among them if it is there.
func Points(length, c int) []int {
	at := []int{0, 0x40, 0x80, 0xc0, 0x100, 0x140, pointZ, pointW, pointW2}
	for p := firstCommitted + 32*c; p+64 <= length; p += 64 {
		at = append(at, p)
	}
	return at
}

// Values returns where the values of a proof with c commitments begin.
func Values(c int) []int {
	at := []int{firstValue, firstValue + 32, firstValue + 64, firstValue + 96, firstValue + 128, valueZ}
	for j := range c {
		at = append(at, firstCommitted+32*j)
	}
	return at
}

// Raw returns the proof in the encoding of a proof's file. The file also states the
// value of the linearised polynomial, which calldata leaves out.
func Raw(proof []byte, c int, linearised [32]byte) []byte {
	part := func(from, to int) []byte { return proof[min(from, len(proof)):min(to, len(proof))] }
	raw := bytes.Join([][]byte{
		part(0, 0xc0), part(pointZ, valueZ), part(0xc0, firstValue), part(pointW, pointW2),
		number(6 + c)[28:], linearised[:], part(firstValue, pointZ), part(firstCommitted, firstCommitted+32*c),
		part(pointW2, firstCommitted), part(valueZ, pointW),
		number(c)[28:], part(firstCommitted+32*c, len(proof)),
	}, nil)
	return raw
}

// Linearised returns the value of the linearised polynomial that a proof's file states.
func Linearised(p *prover.Proof) (value [32]byte) {
	copy(value[:], p.Raw[8*64+4:])
	return value
}

// Changes returns calls that differ from an accepted one in one thing each, by name.
// Other is a proof for another statement, from which points are borrowed. With all
// unset, only some of the words are changed.
func Changes(call, other Call, c int, r *rand.Rand, all bool) iter.Seq2[string, Call] {
	return func(yield func(string, Call) bool) {
		for _, at := range Points(len(call.Proof), c) {
			for name, change := range pointChanges {
				changed := call.Clone()
				change(changed.Proof[at:at+64], other.Proof[0:64])
				if !yield(fmt.Sprintf("point at %#x %s", at, name), changed) {
					return
				}
			}
		}
		for _, at := range Values(c) {
			for name, change := range scalarChanges {
				changed := call.Clone()
				change(changed.Proof[at : at+32])
				if !yield(fmt.Sprintf("value at %#x %s", at, name), changed) {
					return
				}
			}
		}
		for i := range call.Words {
			if !all && i > 1 && i < len(call.Words)-1 && r.IntN(len(call.Words)) > 1 {
				continue
			}
			for name, change := range scalarChanges {
				changed := call.Clone()
				change(changed.Words[i][:])
				if !yield(fmt.Sprintf("word %d %s", i, name), changed) {
					return
				}
			}
		}
		for name, change := range shapeChanges {
			changed := call.Clone()
			if change(&changed, c) && !yield(name, changed) {
				return
			}
		}
	}
}

// pointChanges spoil a point, given a valid one of another proof.
var pointChanges = map[string]func(point, other []byte){
	"of another proof": func(point, other []byte) { copy(point, other) },
	"negated":          func(point, _ []byte) { setDifference(point[32:], fp.Modulus(), point[32:]) },
	"off the curve":    func(point, _ []byte) { point[63] ^= 1 },
	"at infinity":      func(point, _ []byte) { clear(point) },
	"x + q":            func(point, _ []byte) { add(point[:32], fp.Modulus()) },
	"x - q":            func(point, _ []byte) { add(point[:32], new(big.Int).Neg(fp.Modulus())) },
	"y + q":            func(point, _ []byte) { add(point[32:], fp.Modulus()) },
	"y - q":            func(point, _ []byte) { add(point[32:], new(big.Int).Neg(fp.Modulus())) },
}

// scalarChanges spoil a value or a word.
var scalarChanges = map[string]func(scalar []byte){
	"+ 1": func(scalar []byte) {
		var e fr.Element
		e.SetBytes(scalar)
		one := fr.One()
		e.Add(&e, &one)
		b := e.Bytes()
		copy(scalar, b[:])
	},
	"+ r": func(scalar []byte) { add(scalar, fr.Modulus()) },
	"- r": func(scalar []byte) { add(scalar, new(big.Int).Neg(fr.Modulus())) },
}

// shapeChanges spoil more than one field; they return false where there is nothing to
// change.
var shapeChanges = map[string]func(call *Call, c int) bool{
	"swapped commitments": func(call *Call, c int) bool {
		if c < 2 {
			return false
		}
		at := firstCommitted + 32*c
		swap(call.Proof[at:at+64], call.Proof[at+64:at+128])
		return true
	},
	"swapped openings": func(call *Call, c int) bool {
		swap(call.Proof[pointW:pointW2], call.Proof[pointW2:firstCommitted])
		return true
	},
	"a byte short": func(call *Call, c int) bool { call.Proof = call.Proof[:len(call.Proof)-1]; return true },
	"a word short": func(call *Call, c int) bool { call.Proof = call.Proof[:len(call.Proof)-32]; return true },
	"a byte long":  func(call *Call, c int) bool { call.Proof = append(call.Proof, 0); return true },
	"a word long":  func(call *Call, c int) bool { call.Proof = append(call.Proof, make([]byte, 32)...); return true },
	"a commitment long": func(call *Call, c int) bool {
		call.Proof = append(call.Proof, call.Proof[:96]...)
		return true
	},
	"a public word short": func(call *Call, c int) bool { call.Words = call.Words[:len(call.Words)-1]; return true },
	"a public word long":  func(call *Call, c int) bool { call.Words = append(call.Words, [32]byte{}); return true },
	"no proof":            func(call *Call, c int) bool { call.Proof = nil; return true },
}

// add adds a number to a big-endian word, modulo 2^256.
func add(word []byte, n *big.Int) {
	sum := new(big.Int).SetBytes(word)
	sum.Add(sum, n)
	sum.Mod(sum, new(big.Int).Lsh(big.NewInt(1), 256))
	sum.FillBytes(word)
}

// setDifference sets a word to a - b.
func setDifference(word []byte, a *big.Int, b []byte) {
	new(big.Int).Sub(a, new(big.Int).SetBytes(b)).FillBytes(word)
}

// swap exchanges the contents of two slices of one length.
func swap(a, b []byte) {
	saved := bytes.Clone(a)
	copy(a, b)
	copy(b, saved)
}
