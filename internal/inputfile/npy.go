package inputfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/zkml-go/zkml/tensor"
)

var (
	npyMagic = []byte("\x93NUMPY")
	zipMagic = []byte("PK\x03\x04")
)

// The fields of a .npy header, a Python dictionary in text:
// {'descr': '<f4', 'fortran_order': False, 'shape': (1, 784), }.
var (
	npyDescr   = regexp.MustCompile(`'descr':\s*'([<>|=]?)([a-zA-Z?][0-9]*)'`)
	npyFortran = regexp.MustCompile(`'fortran_order':\s*(True|False)`)
	npyShape   = regexp.MustCompile(`'shape':\s*\(([0-9L, ]*)\)`)
)

// parseNpy reads a file with one array, for the model's one input.
func parseNpy(data []byte) (*contents, error) {
	t, err := decodeNpy(data)
	if err != nil {
		return nil, err
	}
	return &contents{arrays: []namedArray{{"", t}}, byPosition: true}, nil
}

// parseNpz reads a zip archive of .npy files.
func parseNpz(data []byte) (*contents, error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("%w .npz: %v", ErrSyntax, err)
	}
	if len(archive.File) > MaxArrays {
		return nil, fmt.Errorf("%w: more than %d arrays", ErrTooLarge, MaxArrays)
	}
	c := &contents{}
	seen := make(map[string]bool)
	budget, elements := int64(8*MaxElements), 0
	for _, file := range archive.File {
		name, isArray := strings.CutSuffix(file.Name, ".npy")
		if !isArray {
			return nil, fmt.Errorf("%w .npz: member %q is no .npy file", ErrSyntax, file.Name)
		}
		if seen[name] {
			return nil, &Error{Input: name, Err: fmt.Errorf("%w .npz: the name stands twice", ErrSyntax)}
		}
		seen[name] = true
		member, err := inflate(file, budget)
		if err != nil {
			return nil, &Error{Input: name, Err: err}
		}
		budget -= int64(len(member))
		t, err := decodeNpy(member)
		if err != nil {
			return nil, &Error{Input: name, Err: err}
		}
		if elements += len(t.Data); elements > MaxElements {
			return nil, &Error{Input: name, Err: fmt.Errorf("%w: the arrays up to here have more than %d elements", ErrTooLarge, MaxElements)}
		}
		c.arrays = append(c.arrays, namedArray{name, t})
	}
	c.numbered()
	return c, nil
}

// inflate reads a member of an archive, of at most budget bytes whatever its
// header says.
func inflate(file *zip.File, budget int64) ([]byte, error) {
	r, err := file.Open()
	if err != nil {
		return nil, fmt.Errorf("%w .npz: %v", ErrSyntax, err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, budget+1))
	if err != nil {
		return nil, fmt.Errorf("%w .npz: %v", ErrSyntax, err)
	}
	if int64(len(data)) > budget {
		return nil, fmt.Errorf("%w: the arrays have more than %d bytes", ErrTooLarge, int64(8*MaxElements))
	}
	return data, nil
}

// numbered turns the names arr_0, arr_1, …, which numpy gives to arrays without
// one, into positions.
func (c *contents) numbered() {
	ordered := make([]namedArray, len(c.arrays))
	for _, a := range c.arrays {
		digits, ok := strings.CutPrefix(a.name, "arr_")
		i, err := strconv.Atoi(digits)
		if !ok || err != nil || i < 0 || i >= len(ordered) || ordered[i].tensor != nil {
			return
		}
		ordered[i] = a
	}
	c.arrays, c.byPosition = ordered, len(ordered) > 0
}

// decodeNpy reads the .npy format, versions 1 to 3.
func decodeNpy(data []byte) (*Tensor, error) {
	header, body, err := splitNpy(data)
	if err != nil {
		return nil, err
	}
	descr := npyDescr.FindSubmatch(header)
	if descr == nil {
		return nil, fmt.Errorf("%w: .npy header %.80q has no plain number type", ErrFormat, header)
	}
	fortran, dims := npyFortran.FindSubmatch(header), npyShape.FindSubmatch(header)
	if fortran == nil || dims == nil {
		return nil, fmt.Errorf("%w .npy header %.80q", ErrSyntax, header)
	}
	shape, err := npyDims(string(dims[1]))
	if err != nil {
		return nil, err
	}
	order := binary.ByteOrder(binary.LittleEndian)
	if string(descr[1]) == ">" {
		order = binary.BigEndian
	}
	kind := string(descr[2])
	size, ok := npySizes[kind]
	if !ok {
		return nil, fmt.Errorf("%w: numpy type %q; use float32, float64, an integer type or bool", ErrFormat, kind)
	}
	if len(body) != shape.Size()*size {
		return nil, fmt.Errorf("%w .npy: %d bytes of elements, shape %v of %s needs %d", ErrSyntax, len(body), shape, kind, shape.Size()*size)
	}
	t := tensor.New[float64](shape)
	for i := range t.Data {
		v, err := npyElement(kind, order, body[i*size:][:size])
		if err != nil {
			return nil, &Error{Position: fmt.Sprintf("element %d", i), Err: err}
		}
		t.Data[i] = v
	}
	if string(fortran[1]) == "True" {
		return transposed(t), nil
	}
	return t, nil
}

// splitNpy returns the header's text and the elements' bytes.
func splitNpy(data []byte) (header, body []byte, err error) {
	const headerLimit = 1 << 16
	if len(data) < 12 || !bytes.HasPrefix(data, npyMagic) {
		return nil, nil, fmt.Errorf("%w .npy: no header", ErrSyntax)
	}
	start, length := 10, int(binary.LittleEndian.Uint16(data[8:]))
	switch data[6] {
	case 1:
	case 2, 3:
		start, length = 12, int(min(binary.LittleEndian.Uint32(data[8:]), headerLimit))
	default:
		return nil, nil, fmt.Errorf("%w: .npy version %d", ErrFormat, data[6])
	}
	if length > len(data)-start {
		return nil, nil, fmt.Errorf("%w .npy: the header is cut off", ErrSyntax)
	}
	return data[start : start+length], data[start+length:], nil
}

// npyDims reads a tuple of dimensions without its parentheses.
func npyDims(text string) (tensor.Shape, error) {
	shape := tensor.Shape{}
	for field := range strings.SplitSeq(text, ",") {
		field = strings.TrimSuffix(strings.TrimSpace(field), "L")
		if field == "" {
			continue
		}
		d, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("%w .npy dimension %q", ErrSyntax, field)
		}
		shape = append(shape, d)
	}
	if err := shape.Check(); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrTooLarge, err)
	}
	if shape.Size() > MaxElements {
		return nil, fmt.Errorf("%w: shape %v has more than %d elements", ErrTooLarge, shape, MaxElements)
	}
	return shape, nil
}

// npySizes are the bytes of an element of each type.
var npySizes = map[string]int{
	"f4": 4, "f8": 8, "b1": 1, "?": 1,
	"i1": 1, "i2": 2, "i4": 4, "i8": 8,
	"u1": 1, "u2": 2, "u4": 4, "u8": 8,
}

// npyElement decodes one element of a type that npySizes has.
func npyElement(kind string, order binary.ByteOrder, b []byte) (float64, error) {
	switch kind {
	case "f4":
		return float64(math.Float32frombits(order.Uint32(b))), nil
	case "f8":
		return math.Float64frombits(order.Uint64(b)), nil
	case "b1", "?":
		if b[0] > 1 {
			return 0, fmt.Errorf("%w: a boolean of %d", ErrSyntax, b[0])
		}
		return float64(b[0]), nil
	case "i1":
		return float64(int8(b[0])), nil
	case "u1":
		return float64(b[0]), nil
	case "i2":
		return float64(int16(order.Uint16(b))), nil
	case "u2":
		return float64(order.Uint16(b)), nil
	case "i4":
		return float64(int32(order.Uint32(b))), nil
	case "u4":
		return float64(order.Uint32(b)), nil
	case "i8":
		return exactInt(int64(order.Uint64(b)))
	}
	return exactUint(order.Uint64(b))
}

// exactInt converts an integer that float64 holds exactly.
func exactInt(v int64) (float64, error) {
	if v < -1<<53 || v > 1<<53 {
		return 0, fmt.Errorf("%w: %d is beyond ±2^53", ErrNotWhole, v)
	}
	return float64(v), nil
}

// exactUint converts an integer that float64 holds exactly.
func exactUint(v uint64) (float64, error) {
	if v > 1<<53 {
		return 0, fmt.Errorf("%w: %d is beyond 2^53", ErrNotWhole, v)
	}
	return float64(v), nil
}

// transposed reorders elements that were written first axis fastest.
func transposed(t *Tensor) *Tensor {
	out := tensor.New[float64](t.Shape)
	from := slices.Clone(t.Shape)
	slices.Reverse(from)
	strides := from.Strides()
	slices.Reverse(strides) // of each axis of t.Shape, in t.Data
	index := make([]int, len(t.Shape))
	at := 0
	for i := range out.Data {
		out.Data[i] = t.Data[at]
		for axis := len(index) - 1; axis >= 0; axis-- {
			index[axis]++
			at += strides[axis]
			if index[axis] < t.Shape[axis] {
				break
			}
			at -= index[axis] * strides[axis]
			index[axis] = 0
		}
	}
	return out
}
