package circuit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"golang.org/x/crypto/sha3"

	"github.com/zkml-go/zkml/tensor"
)

// Limits of a manifest. They bound what a hostile file can make a reader allocate
// and are far above what a contract could pay for.
const (
	MaxTensors    = 1 << 10 // inputs, and outputs
	MaxRank       = 32
	MaxNameBytes  = 1 << 10
	MaxLabels     = 1 << 16 // of one tensor
	MaxScaleExp   = 1 << 9
	MaxWords      = 1 << 24 // public words of one proof
	maxPublicBits = 63      // elements are int64
)

// Digest returns the public-manifest digest, the Keccak-256 of [Manifest.AppendBinary].
func (m *Manifest) Digest() (digest [32]byte, err error) {
	encoded, err := m.AppendBinary(nil)
	if err != nil {
		return digest, err
	}
	h := sha3.NewLegacyKeccak256()
	h.Write(encoded)
	h.Sum(digest[:0])
	return digest, nil
}

// AppendBinary appends the manifest's one encoding, from which its digest is made,
// or returns an error if [Manifest.Validate] does. The program digest isn't part
// of it: the verifying key's blob carries both side by side.
//
// Integers are big-endian, signed ones in two's complement; a string is a uint16
// of its length in bytes and its UTF-8 bytes; a visibility is a byte, in the order
// of the constants, 0 for Shown. The encoding is
//
//	uint16  version
//	string  model
//	byte    visibility of the weights
//	uint16  number of inputs, then the inputs
//	uint16  number of outputs, then the outputs
//
// and each input or output
//
//	string  name
//	byte    visibility
//	byte    rank, then a uint32 for each dimension, outermost first
//	int64   lo
//	byte    bits
//	uint64  numerator of the scale
//	uint64  denominator of the scale
//	int32   exponent of the scale
//	uint32  number of labels, then a string for each
func (m *Manifest) AppendBinary(b []byte) ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	b = binary.BigEndian.AppendUint16(b, uint16(m.Version))
	b = appendString(b, m.Model)
	b = append(b, byte(m.Weights))
	for _, tensors := range [][]Public{m.Inputs, m.Outputs} {
		b = binary.BigEndian.AppendUint16(b, uint16(len(tensors)))
		for i := range tensors {
			b = tensors[i].appendBinary(b)
		}
	}
	return b, nil
}

func (p *Public) appendBinary(b []byte) []byte {
	b = appendString(b, p.Name)
	b = append(b, byte(p.Visibility), byte(len(p.Shape)))
	for _, d := range p.Shape {
		b = binary.BigEndian.AppendUint32(b, uint32(d))
	}
	b = binary.BigEndian.AppendUint64(b, uint64(p.Lo))
	b = append(b, byte(p.Bits))
	b = binary.BigEndian.AppendUint64(b, p.Scale.Num)
	b = binary.BigEndian.AppendUint64(b, p.Scale.Den)
	b = binary.BigEndian.AppendUint32(b, uint32(int32(p.Scale.Exp)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(p.Labels)))
	for _, label := range p.Labels {
		b = appendString(b, label)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// Validate returns an error that names the field if the manifest has a version,
// name, shape, width or scale that no circuit has.
func (m *Manifest) Validate() error {
	if m.Version != FormatVersion {
		return fmt.Errorf("manifest: version %d: this program reads version %d", m.Version, FormatVersion)
	}
	if err := checkString("model", m.Model); err != nil {
		return err
	}
	if m.Weights != Fixed && m.Weights != Private && m.Weights != Hashed {
		return fmt.Errorf("manifest: weights are %v: want fixed, private or hashed", m.Weights)
	}
	for _, side := range []struct {
		name    string
		tensors []Public
	}{{"input", m.Inputs}, {"output", m.Outputs}} {
		if len(side.tensors) > MaxTensors {
			return fmt.Errorf("manifest: %d %ss: the limit is %d", len(side.tensors), side.name, MaxTensors)
		}
		for i := range side.tensors {
			if err := side.tensors[i].validate(); err != nil {
				return fmt.Errorf("manifest: %s %d: %w", side.name, i, err)
			}
		}
	}
	if n := m.NbWords(); n > MaxWords {
		return fmt.Errorf("manifest: %d public words: the limit is %d", n, MaxWords)
	}
	return nil
}

func (p *Public) validate() error {
	if err := checkString("name", p.Name); err != nil {
		return err
	}
	if p.Visibility != Shown && p.Visibility != Private && p.Visibility != Hashed {
		return fmt.Errorf("visibility is %v: want public, private or hashed", p.Visibility)
	}
	if len(p.Shape) > MaxRank {
		return fmt.Errorf("rank %d: the limit is %d", len(p.Shape), MaxRank)
	}
	if err := p.Shape.Check(); err != nil {
		return err
	}
	if p.Bits < 1 || p.Bits > maxPublicBits {
		return fmt.Errorf("width of %d bits: want 1 to %d", p.Bits, maxPublicBits)
	}
	if p.Lo > math.MaxInt64-(1<<p.Bits-1) {
		return fmt.Errorf("lo %d and %d bits: the greatest value is above the greatest int64", p.Lo, p.Bits)
	}
	if p.Scale.Num == 0 || p.Scale.Den == 0 {
		return fmt.Errorf("scale %d/%d: numerator and denominator are positive", p.Scale.Num, p.Scale.Den)
	}
	if p.Scale.Exp < -MaxScaleExp || p.Scale.Exp > MaxScaleExp {
		return fmt.Errorf("scale exponent %d: want -%d to %d", p.Scale.Exp, MaxScaleExp, MaxScaleExp)
	}
	if len(p.Labels) > MaxLabels {
		return fmt.Errorf("%d labels: the limit is %d", len(p.Labels), MaxLabels)
	}
	for _, label := range p.Labels {
		if err := checkString("label", label); err != nil {
			return err
		}
	}
	return nil
}

func checkString(what, s string) error {
	if len(s) > MaxNameBytes {
		return fmt.Errorf("%s of %d bytes: the limit is %d", what, len(s), MaxNameBytes)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s %q is not UTF-8", what, s)
	}
	return nil
}

// errShort is returned for an encoding that ends early.
var errShort = errors.New("manifest: ends early")

// UnmarshalBinary reads an encoding of [Manifest.AppendBinary], all of it, and
// validates it. ProgramDigest stays as it is.
func (m *Manifest) UnmarshalBinary(b []byte) error {
	r := manifestReader{b: b}
	read := Manifest{ProgramDigest: m.ProgramDigest}
	read.Version = int(r.uint(2))
	read.Model = r.string()
	read.Weights = Visibility(r.uint(1))
	for _, tensors := range []*[]Public{&read.Inputs, &read.Outputs} {
		n := r.count(2, 37, MaxTensors)
		for range n {
			*tensors = append(*tensors, r.public())
		}
	}
	if r.err != nil {
		return r.err
	}
	if len(r.b) != 0 {
		return fmt.Errorf("manifest: %d bytes after its end", len(r.b))
	}
	if err := read.Validate(); err != nil {
		return err
	}
	*m = read
	return nil
}

// manifestReader takes values off the front of b until the first error.
type manifestReader struct {
	b   []byte
	err error
}

// uint returns the next big-endian unsigned integer of size bytes.
func (r *manifestReader) uint(size int) (v uint64) {
	if r.err == nil && len(r.b) < size {
		r.err = errShort
	}
	if r.err != nil {
		return 0
	}
	for _, x := range r.b[:size] {
		v = v<<8 | uint64(x)
	}
	r.b = r.b[size:]
	return v
}

// count returns the next number of things that take at least size bytes each. It
// is an error if there are more than limit or than the bytes left can hold.
func (r *manifestReader) count(width, size int, limit uint64) int {
	n := r.uint(width)
	if r.err == nil && n > limit {
		r.err = fmt.Errorf("manifest: count of %d: the limit is %d", n, limit)
	}
	if r.err == nil && n*uint64(size) > uint64(len(r.b)) {
		r.err = errShort
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

func (r *manifestReader) string() string {
	n := r.count(2, 1, MaxNameBytes)
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *manifestReader) public() (p Public) {
	p.Name = r.string()
	p.Visibility = Visibility(r.uint(1))
	p.Shape = make(tensor.Shape, r.count(1, 4, MaxRank))
	for i := range p.Shape {
		p.Shape[i] = int(r.uint(4))
	}
	p.Lo = int64(r.uint(8))
	p.Bits = int(r.uint(1))
	p.Scale.Num = r.uint(8)
	p.Scale.Den = r.uint(8)
	p.Scale.Exp = int(int32(r.uint(4)))
	for range r.count(4, 2, MaxLabels) {
		p.Labels = append(p.Labels, r.string())
	}
	return p
}
