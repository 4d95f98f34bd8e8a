package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// errVarint says that a packed list of variable-length integers is malformed.
var errVarint = errors.New("malformed variable-length integer")

// Float64s is a list of float64 in one byte string: a byte that says how wide an
// entry is, then the entries little-endian, as float32 (width 4) where every one
// of them is exactly a float32, as trained weights are, else as float64 (width 8).
// An empty list is the empty string, and decodes to nil, as with all types of
// this file.
type Float64s []float64

// MarshalBinary implements [encoding.BinaryMarshaler].
func (s Float64s) MarshalBinary() ([]byte, error) {
	if len(s) == 0 {
		return []byte{}, nil
	}
	width := 4
	for _, v := range s {
		if math.Float64bits(float64(float32(v))) != math.Float64bits(v) {
			width = 8
			break
		}
	}
	data := make([]byte, 0, 1+width*len(s))
	data = append(data, byte(width))
	for _, v := range s {
		if width == 4 {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(v)))
		} else {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
		}
	}
	return data, nil
}

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (s *Float64s) UnmarshalBinary(data []byte) error {
	*s = nil
	if len(data) == 0 {
		return nil
	}
	width := int(data[0])
	if width != 4 && width != 8 {
		return fmt.Errorf("floating-point entries of %d bytes", width)
	}
	data = data[1:]
	n, err := count(data, width)
	if err != nil || n == 0 {
		return err
	}
	*s = make(Float64s, n)
	for i := range *s {
		if width == 4 {
			(*s)[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
		} else {
			(*s)[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
		}
	}
	return nil
}

// Varints is a list of int64 in as few bytes as each needs (zigzag, 7 bits a
// byte): for quantized weights and tables, whose entries are small.
type Varints []int64

// MarshalBinary implements [encoding.BinaryMarshaler].
func (s Varints) MarshalBinary() ([]byte, error) {
	data := make([]byte, 0, 2*len(s))
	for _, v := range s {
		data = binary.AppendVarint(data, v)
	}
	return data, nil
}

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (s *Varints) UnmarshalBinary(data []byte) error {
	*s = nil
	n, err := countVarints(data)
	if err != nil || n == 0 {
		return err
	}
	list := make(Varints, n)
	for i := range list {
		v, size, err := varint(data)
		if err != nil {
			return err
		}
		list[i], data = v, data[size:]
	}
	*s = list
	return nil
}

// Deltas is a list of int32 of which each is written as the difference from the
// one before (the first from 0), as in Varints: for index maps, in which
// neighbours mostly follow one another, about one byte an entry.
type Deltas []int32

// MarshalBinary implements [encoding.BinaryMarshaler].
func (s Deltas) MarshalBinary() ([]byte, error) {
	data := make([]byte, 0, len(s)+16)
	last := int64(0)
	for _, v := range s {
		data = binary.AppendVarint(data, int64(v)-last)
		last = int64(v)
	}
	return data, nil
}

// UnmarshalBinary implements [encoding.BinaryUnmarshaler].
func (s *Deltas) UnmarshalBinary(data []byte) error {
	*s = nil
	n, err := countVarints(data)
	if err != nil || n == 0 {
		return err
	}
	list := make(Deltas, n)
	last := int64(0)
	for i := range list {
		d, size, err := varint(data)
		if err != nil {
			return err
		}
		if d < -math.MaxUint32 || d > math.MaxUint32 {
			return fmt.Errorf("entry %d: a difference of %d leaves 32 bits", i, d)
		}
		last += d
		if last < math.MinInt32 || last > math.MaxInt32 {
			return fmt.Errorf("entry %d: %d leaves 32 bits", i, last)
		}
		list[i], data = int32(last), data[size:]
	}
	*s = list
	return nil
}

// count returns the number of entries of the given size in data.
func count(data []byte, size int) (int, error) {
	if len(data)%size != 0 {
		return 0, fmt.Errorf("%d bytes are no list of %d-byte entries", len(data), size)
	}
	return len(data) / size, nil
}

// countVarints returns the number of variable-length integers in data: the
// number of bytes without a continuation bit.
func countVarints(data []byte) (int, error) {
	n := 0
	for _, b := range data {
		if b < 0x80 {
			n++
		}
	}
	if len(data) > 0 && data[len(data)-1] >= 0x80 {
		return 0, errVarint
	}
	return n, nil
}

// varint reads one zigzag integer and refuses every form but the shortest.
func varint(data []byte) (v int64, size int, err error) {
	v, size = binary.Varint(data)
	if size <= 0 || (size > 1 && data[size-1] == 0) {
		return 0, 0, errVarint
	}
	return v, size, nil
}
