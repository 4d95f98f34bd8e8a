// Package inputfile reads a model's inputs, and samples of them, from the files
// that people have.
//
// Formats, told apart by their first bytes:
//
//   - JSON by name, {"image": [[0.1, …], …]}, nested as the input's shape or flat;
//   - EZKL's JSON by position, {"input_data": [[…], …]}: one array per input in
//     the model's order, flat or nested; "output_data", "input_shapes" and the
//     like beside it are skipped;
//   - numpy's .npy, for a model with one input;
//   - numpy's .npz, arrays by name, or arr_0, arr_1 … in the model's order;
//   - an ONNX TensorProto, .pb, for a model with one input.
//
// Booleans are 0 and 1. An axis of size 1 may be missing or added, so that the
// batch axis needn't be written. Numbers must be finite, and whole where the
// model declares an integer.
//
// A file of samples holds several sets of inputs: in every array the outermost
// axis counts them. In EZKL's format a flat array may hold the samples one after
// another.
//
// Every reader is for files that a stranger wrote: sizes, nesting and counts are
// limited before anything is allocated, and each refusal is an *Error that names
// the file, the input and the position.
package inputfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/tensor"
)

// The limits of every reader.
const (
	// MaxFileSize is the largest file, in bytes.
	MaxFileSize = 1 << 28
	// MaxElements is the largest number of elements of all arrays of a file.
	MaxElements = 1 << 26
	// MaxDepth is the deepest nesting of lists.
	MaxDepth = 16
	// MaxArrays is the largest number of arrays of a file.
	MaxArrays = 1 << 12
	// MaxSamples is the largest number of samples of a file.
	MaxSamples = 1 << 18
)

// The reasons for which a file is refused; an *Error wraps one of them.
var (
	// ErrSyntax: the bytes aren't of the format that they seem to be.
	ErrSyntax = errors.New("malformed")
	// ErrFormat: the format, or the type of the numbers in it, isn't one that
	// this package reads.
	ErrFormat = errors.New("format not supported")
	// ErrTooLarge: a limit of this package is exceeded.
	ErrTooLarge = errors.New("too large")
	// ErrNotFinite: a number is infinite, not a number, or beyond float64.
	ErrNotFinite = errors.New("number is not finite")
	// ErrNotWhole: a number has a fraction where the model declares an integer,
	// or is an integer that float64 can't hold exactly.
	ErrNotWhole = errors.New("number is not an exact integer")
	// ErrShape: the array's size or nesting isn't that of the model's input.
	ErrShape = errors.New("wrong shape")
	// ErrUnknownInput: the file has an array that the model has no input for.
	ErrUnknownInput = errors.New("the model has no such input")
	// ErrMissingInput: the file has no array for one of the model's inputs.
	ErrMissingInput = errors.New("missing from the file")
)

// Error says why a file can't be used and where.
type Error struct {
	File     string
	Input    string // the input or array that it is about, "" if none
	Position string // "byte 17", "[3][0]" or ""
	Err      error
}

// Error implements error.
func (e *Error) Error() string {
	text := e.File
	if e.Input != "" {
		text += fmt.Sprintf(": input %q", e.Input)
	}
	if e.Position != "" {
		text += " at " + e.Position
	}
	return text + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Tensor is a tensor of real values.
type Tensor = tensor.Dense[float64]

// Input is what the reader must know of one of the model's inputs.
type Input struct {
	Name    string
	Shape   tensor.Shape
	Integer bool // only whole numbers
}

// InputsOf lists a graph's inputs in their declared order.
func InputsOf(g *graph.Graph) []Input {
	var inputs []Input
	for _, id := range g.Inputs {
		n := &g.Nodes[id]
		if in, ok := n.Op.(graph.Input); ok {
			inputs = append(inputs, Input{Name: in.Name, Shape: n.Shape, Integer: in.Integer})
		}
	}
	return inputs
}

// Read reads one set of inputs: for each input, by name, a tensor of its shape.
func Read(path string, inputs []Input) (map[string]*Tensor, error) {
	data, err := load(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data, inputs)
}

// ReadSamples reads a list of sets of inputs, at least one.
func ReadSamples(path string, inputs []Input) ([]map[string]*Tensor, error) {
	data, err := load(path)
	if err != nil {
		return nil, err
	}
	return ParseSamples(path, data, inputs)
}

// ReadArrays reads the arrays of a .npy (named "") or .npz file as they are.
func ReadArrays(path string) (map[string]*Tensor, error) {
	data, err := load(path)
	if err != nil {
		return nil, err
	}
	var c *contents
	switch {
	case bytes.HasPrefix(data, npyMagic):
		c, err = parseNpy(data)
	case bytes.HasPrefix(data, zipMagic):
		c, err = parseNpz(data)
	default:
		err = fmt.Errorf("%w: neither .npy nor .npz", ErrFormat)
	}
	if err != nil {
		return nil, inFile(path, err)
	}
	arrays := make(map[string]*Tensor, len(c.arrays))
	for _, a := range c.arrays {
		arrays[a.name] = a.tensor
	}
	return arrays, nil
}

// Parse is Read of bytes; file is the name that errors give.
func Parse(file string, data []byte, inputs []Input) (map[string]*Tensor, error) {
	c, err := parse(data, inputs)
	if err != nil {
		return nil, inFile(file, err)
	}
	set, err := c.arrange(inputs)
	if err != nil {
		return nil, inFile(file, err)
	}
	return set, nil
}

// ParseSamples is ReadSamples of bytes; file is the name that errors give.
func ParseSamples(file string, data []byte, inputs []Input) ([]map[string]*Tensor, error) {
	c, err := parse(data, inputs)
	if err != nil {
		return nil, inFile(file, err)
	}
	samples, err := c.arrangeSamples(inputs)
	if err != nil {
		return nil, inFile(file, err)
	}
	return samples, nil
}

// load reads a file of at most MaxFileSize bytes.
func load(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	tooLarge := &Error{File: path, Err: fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxFileSize)}
	if stat, err := f.Stat(); err != nil {
		return nil, err
	} else if stat.Size() > MaxFileSize {
		return nil, tooLarge
	}
	// A pipe has no size, and a file may grow: the limit holds for what is read.
	data, err := io.ReadAll(io.LimitReader(f, MaxFileSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxFileSize {
		return nil, tooLarge
	}
	return data, nil
}

// inFile puts the file's name into an *Error, or makes one.
func inFile(file string, err error) error {
	if e, ok := err.(*Error); ok {
		e.File = file
		return e
	}
	return &Error{File: file, Err: err}
}

// contents are the arrays of a file before they are matched with the model's
// inputs.
type contents struct {
	arrays []namedArray
	// byPosition says that the arrays are in the order of the model's inputs and
	// have no names.
	byPosition bool
	// flat says that a flat array may hold several samples.
	flat bool
}

type namedArray struct {
	name   string
	tensor *Tensor
}

// parse tells the format by its first bytes and reads it.
func parse(data []byte, inputs []Input) (*contents, error) {
	text := bytes.TrimLeft(data, " \t\r\n")
	switch {
	case bytes.HasPrefix(data, npyMagic):
		return parseNpy(data)
	case bytes.HasPrefix(data, zipMagic):
		return parseNpz(data)
	case len(text) > 0 && text[0] == '{':
		return parseJSON(data, inputs)
	case len(text) > 0 && text[0] == '[':
		return nil, fmt.Errorf(`%w: a bare list; write {"input name": [...]} or {"input_data": [[...]]}`, ErrFormat)
	case len(data) == 0:
		return nil, fmt.Errorf("%w: the file is empty", ErrSyntax)
	}
	return parseTensorProto(data, inputs)
}
