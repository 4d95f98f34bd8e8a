package reusable

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"math/rand/v2"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/verifier/solidity"
)

// Mutator makes calls that no verifier may accept out of calls that it accepts.
type Mutator struct {
	samples []*Sample
	points  [][]byte
	r       *rand.Rand
}

// NewMutator returns a mutator of proofs. Some models should have two proofs, and some
// shapes two models.
func NewMutator(samples []*Sample, seed uint64) *Mutator {
	m := &Mutator{samples: samples, r: rand.New(rand.NewPCG(seed, 3))}
	for _, s := range samples {
		for _, at := range Points(len(s.BatchItem.Proof), s.Model.Shape.Commitments) {
			m.points = append(m.points, s.BatchItem.Proof[at:at+64])
		}
	}
	return m
}

// part is one proof of a call in the making.
type part struct {
	id   [32]byte
	call Call
	of   *Sample
}

// Honest returns a call that must be accepted.
func (m *Mutator) Honest() []byte {
	return encode(m.parts())
}

// Next returns a call that must be rejected: verify or verifyBatch with one or a few
// things changed. Most changes leave a call that decodes, with proofs of the right
// length.
func (m *Mutator) Next() []byte {
	parts := m.parts()
	honest := encode(parts)
	for {
		if m.r.IntN(16) == 0 {
			if changed := m.changeBytes(honest); !bytes.Equal(changed, honest) {
				return changed
			}
			continue
		}
		for range 1 + m.r.IntN(2)*m.r.IntN(3) {
			m.change(&parts[m.r.IntN(len(parts))])
		}
		if changed := encode(parts); slices.ContainsFunc(parts, m.spoilt) && !bytes.Equal(changed, honest) {
			return changed
		}
	}
}

// spoilt reports whether a part isn't one of the proofs as it was made: several changes
// together may replace one by another.
func (m *Mutator) spoilt(p part) bool {
	return !slices.ContainsFunc(m.samples, func(s *Sample) bool {
		if p.id != s.Item.ModelID || !slices.Equal(p.call.Words, NewCall(s.Item).Words) {
			return false
		}
		return bytes.Equal(p.call.Proof, s.Item.Proof) || bytes.Equal(p.call.Proof, s.BatchItem.Proof)
	})
}

// parts chooses what a call verifies: one proof, or a batch of two or three.
func (m *Mutator) parts() []part {
	n := 1
	if m.r.IntN(3) == 0 {
		n = 2 + m.r.IntN(2)
	}
	parts := make([]part, n)
	for i := range parts {
		s := m.samples[m.r.IntN(len(m.samples))]
		item := s.Item
		if n > 1 && m.r.IntN(2) == 0 {
			item = s.BatchItem
		}
		parts[i] = part{id: item.ModelID, call: NewCall(item), of: s}
	}
	return parts
}

// encode encodes a call of verify, or of verifyBatch for several parts.
func encode(parts []part) []byte {
	if len(parts) == 1 {
		return EncodeVerify(parts[0].id, parts[0].call.Words, parts[0].call.Proof)
	}
	return encodeVerifyBatch(parts)
}

// encodeVerifyBatch returns the call of verifyBatch for words that may be any numbers.
func encodeVerifyBatch(parts []part) []byte {
	var ids []byte
	words, proofs := make([][]byte, len(parts)), make([][]byte, len(parts))
	for i, p := range parts {
		ids = append(ids, p.id[:]...)
		words[i] = encodeWords(p.call.Words)
		proofs[i] = append(append(number(len(p.call.Proof)), p.call.Proof...), make([]byte, -len(p.call.Proof)&31)...)
	}
	list := func(bodies [][]byte) []byte {
		out, offset := number(len(bodies)), 32*len(bodies)
		for _, b := range bodies {
			out = append(out, number(offset)...)
			offset += len(b)
		}
		return append(out, bytes.Join(bodies, nil)...)
	}
	ids = append(number(len(parts)), ids...)
	second, third := list(words), list(proofs)
	out := solidity.EncodeVerifyBatch(nil)[:4]
	out = append(append(append(out, number(0x60)...), number(0x60+len(ids))...), number(0x60+len(ids)+len(second))...)
	return append(append(append(out, ids...), second...), third...)
}

// change changes one thing of a proof, its words or its model.
func (m *Mutator) change(p *part) {
	c := p.of.Model.Shape.Commitments
	points, values := Points(len(p.call.Proof), c), Values(c)
	point := func() []byte { at := points[m.r.IntN(len(points))]; return p.call.Proof[at : at+64] }
	value := func() []byte { at := values[m.r.IntN(len(values))]; return p.call.Proof[at : at+32] }
	word := func() []byte { return p.call.Words[m.r.IntN(len(p.call.Words))][:] }
	other := m.samples[m.r.IntN(len(m.samples))]
	switch m.r.IntN(16) {
	case 0, 1:
		copy(point(), m.points[m.r.IntN(len(m.points))])
	case 2:
		y := point()[32:]
		setDifference(y, fp.Modulus(), y)
	case 3:
		addGenerator(point())
	case 4, 5:
		m.scalar(value())
	case 6, 7:
		m.scalar(word())
	case 8:
		swap(point(), point())
	case 9:
		swap(word(), word())
	case 10:
		swap(value(), value())
	case 11: // a part of another proof for the same model, or of the same shape
		if other.Model.Shape.Commitments == c && len(other.BatchItem.Proof) >= len(p.call.Proof) {
			from := 32 * m.r.IntN(len(p.call.Proof)/32)
			copy(p.call.Proof[from:], other.BatchItem.Proof[from:len(p.call.Proof)])
		}
	case 12: // another model
		if other.Model != p.of.Model && other.Model.Shape.Commitments == c && other.Model.Shape.Words == p.of.Model.Shape.Words {
			p.id = other.Item.ModelID
		}
	case 13: // another proof's words
		if other.Model.Shape.Words == len(p.call.Words) && other != p.of {
			p.call.Words = NewCall(other.Item).Words
		}
	case 14: // a number that is out of its field
		switch m.r.IntN(3) {
		case 0:
			add(point()[:32], fp.Modulus())
		case 1:
			add(value(), fr.Modulus())
		default:
			add(word(), fr.Modulus())
		}
	default: // bits
		for range 1 + m.r.IntN(4) {
			p.call.Proof[m.r.IntN(len(p.call.Proof))] ^= 1 << m.r.IntN(8)
		}
	}
}

// scalar replaces a scalar by another below the modulus.
func (m *Mutator) scalar(s []byte) {
	var e fr.Element
	e.SetBytes(s)
	one := fr.One()
	switch m.r.IntN(5) {
	case 0:
		e.Add(&e, &one)
	case 1:
		e.Neg(&e)
	case 2:
		e.SetZero()
	case 3:
		e.Double(&e)
	default:
		hash := sha256.Sum256(binary.BigEndian.AppendUint64(nil, m.r.Uint64()))
		e.SetBytes(hash[:])
	}
	b := e.Bytes()
	copy(s, b[:])
}

// addGenerator adds the generator to a valid point.
func addGenerator(point []byte) {
	var p bn254.G1Affine
	if _, err := p.SetBytes(point); err != nil {
		return
	}
	_, _, g1, _ := bn254.Generators()
	p.Add(&p, &g1)
	raw := p.RawBytes()
	copy(point, raw[:])
}

// changeBytes changes the encoding of a call.
func (m *Mutator) changeBytes(calldata []byte) []byte {
	changed := bytes.Clone(calldata)
	word := func() int { return 4 + 32*m.r.IntN((len(calldata)-4)/32) }
	switch m.r.IntN(6) {
	case 0:
		changed = changed[:m.r.IntN(len(changed))]
	case 1:
		changed = append(changed, make([]byte, 1+m.r.IntN(64))...)
	case 2: // a head or a length
		at := 4 + 32*m.r.IntN(min(12, (len(calldata)-4)/32))
		add(changed[at:at+32], big.NewInt(int64(32*(m.r.IntN(9)-4))))
	case 3:
		copy(changed[word():], calldata[word():][:32])
	case 4:
		at := word()
		changed = append(changed[:at], changed[at+32:]...)
	default:
		changed[m.r.IntN(len(changed))] ^= 1 << m.r.IntN(8)
	}
	return changed
}
