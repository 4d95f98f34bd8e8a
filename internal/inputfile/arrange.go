package inputfile

import (
	"fmt"
	"math"

	"github.com/zkml-go/zkml/tensor"
)

// match returns the file's array for each input, in the order of inputs.
func (c *contents) match(inputs []Input) ([]*Tensor, error) {
	if c.byPosition {
		return c.matchPositions(inputs)
	}
	byName := make(map[string]*Tensor, len(c.arrays))
	known := make(map[string]bool, len(inputs))
	for _, in := range inputs {
		known[in.Name] = true
	}
	for _, a := range c.arrays {
		if !known[a.name] {
			return nil, &Error{Input: a.name, Err: fmt.Errorf("%w; it has %s", ErrUnknownInput, list(inputs))}
		}
		byName[a.name] = a.tensor
	}
	matched := make([]*Tensor, len(inputs))
	for i, in := range inputs {
		if matched[i] = byName[in.Name]; matched[i] == nil {
			return nil, &Error{Input: in.Name, Err: ErrMissingInput}
		}
	}
	return matched, nil
}

// matchPositions is match for arrays without names. A surplus array without
// elements holds nothing that could be lost: exporters write one for a model
// without inputs.
func (c *contents) matchPositions(inputs []Input) ([]*Tensor, error) {
	if len(c.arrays) < len(inputs) {
		return nil, &Error{Input: inputs[len(c.arrays)].Name,
			Err: fmt.Errorf("%w: it has %d arrays for %s", ErrMissingInput, len(c.arrays), list(inputs))}
	}
	for i := len(inputs); i < len(c.arrays); i++ {
		if len(c.arrays[i].tensor.Data) > 0 {
			return nil, fmt.Errorf("%w: %d surplus arrays: the file has %d, the model %s",
				ErrUnknownInput, len(c.arrays)-len(inputs), len(c.arrays), list(inputs))
		}
	}
	matched := make([]*Tensor, len(inputs))
	for i := range inputs {
		matched[i] = c.arrays[i].tensor
	}
	return matched, nil
}

// list names the inputs with their shapes.
func list(inputs []Input) string {
	if len(inputs) == 0 {
		return "no inputs"
	}
	text := "the inputs"
	if len(inputs) == 1 {
		text = "the input"
	}
	for i, in := range inputs {
		if i > 0 {
			text += ","
		}
		if i == 8 {
			return fmt.Sprintf("%s … (%d in all)", text, len(inputs))
		}
		text += fmt.Sprintf(" %q %v", in.Name, in.Shape)
	}
	return text
}

// arrange gives each input its tensor.
func (c *contents) arrange(inputs []Input) (map[string]*Tensor, error) {
	matched, err := c.match(inputs)
	if err != nil {
		return nil, err
	}
	set := make(map[string]*Tensor, len(inputs))
	for i, in := range inputs {
		if !fits(matched[i].Shape, in.Shape) {
			return nil, &Error{Input: in.Name, Err: fmt.Errorf("%w: the model declares %v (%d elements), the file has %v (%d)",
				ErrShape, in.Shape, in.Shape.Size(), matched[i].Shape, len(matched[i].Data))}
		}
		if set[in.Name], err = in.take(matched[i].Data, matched[i].Shape, 0); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// arrangeSamples gives each input of each sample its tensor.
func (c *contents) arrangeSamples(inputs []Input) ([]map[string]*Tensor, error) {
	matched, err := c.match(inputs)
	if err != nil {
		return nil, err
	}
	number := -1
	for i, in := range inputs {
		n, ok := c.samples(matched[i].Shape, in.Shape)
		if !ok {
			return nil, &Error{Input: in.Name, Err: fmt.Errorf("%w: the model declares %v (%d elements), and %v is no list of samples of it",
				ErrShape, in.Shape, in.Shape.Size(), matched[i].Shape)}
		}
		if number >= 0 && n != number {
			return nil, &Error{Input: in.Name, Err: fmt.Errorf("%w: %d samples, input %q has %d", ErrShape, n, inputs[0].Name, number)}
		}
		number = n
	}
	if number < 1 {
		return nil, fmt.Errorf("%w: no samples", ErrShape)
	}
	if number > MaxSamples {
		return nil, fmt.Errorf("%w: %d samples, more than the limit of %d", ErrTooLarge, number, MaxSamples)
	}
	samples := make([]map[string]*Tensor, number)
	for s := range samples {
		samples[s] = make(map[string]*Tensor, len(inputs))
		for i, in := range inputs {
			size := in.Shape.Size()
			if samples[s][in.Name], err = in.take(matched[i].Data[s*size:][:size], matched[i].Shape, s*size); err != nil {
				return nil, err
			}
		}
	}
	return samples, nil
}

// samples returns how many samples of shape want an array of shape found holds.
func (c *contents) samples(found, want tensor.Shape) (number int, ok bool) {
	size := want.Size()
	if size > 0 && len(found) > 0 && found[0]*size == found.Size() && fits(found[1:], want) {
		return found[0], true
	}
	if fits(found, want) {
		return 1, true
	}
	if c.flat && size > 0 && len(found) == 1 && found[0]%size == 0 {
		return found[0] / size, true
	}
	return 0, false
}

// fits reports whether an array of shape found holds the elements of a tensor of
// shape want in the same order: both have the same axes but for those of size 1,
// or found is flat.
func fits(found, want tensor.Shape) bool {
	if found.Size() != want.Size() {
		return false
	}
	a, b := wide(found), wide(want)
	return len(a) <= 1 || a.Equal(b)
}

// wide returns the axes of s that don't have size 1.
func wide(s tensor.Shape) tensor.Shape {
	var axes tensor.Shape
	for _, d := range s {
		if d != 1 {
			axes = append(axes, d)
		}
	}
	return axes
}

// take checks the numbers and copies them into a tensor of the input's shape.
// They begin at offset in the file's array of shape found.
func (in *Input) take(values []float64, found tensor.Shape, offset int) (*Tensor, error) {
	out := tensor.New[float64](in.Shape)
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, &Error{Input: in.Name, Position: position(found, offset+i), Err: fmt.Errorf("%w: %v", ErrNotFinite, v)}
		}
		if in.Integer && v != math.Trunc(v) {
			return nil, &Error{Input: in.Name, Position: position(found, offset+i), Err: fmt.Errorf("%w: %v", ErrNotWhole, v)}
		}
		out.Data[i] = v
	}
	return out, nil
}

// position formats the index of the flat offset in a tensor of shape s.
func position(s tensor.Shape, offset int) string {
	text := ""
	for _, stride := range s.Strides() {
		text += fmt.Sprintf("[%d]", offset/stride)
		offset %= stride
	}
	return text
}
