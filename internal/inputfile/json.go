package inputfile

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/zkml-go/zkml/tensor"
)

// ezklKey holds the inputs in EZKL's files; the others may stand beside it.
const ezklKey = "input_data"

var ezklOtherKeys = []string{"input_shapes", "output_data", "output_shapes", "input_scales", "output_scales",
	"max_lookup_inputs", "processed_inputs", "processed_params", "processed_outputs", "inputs", "outputs", "pretty_elements"}

// parseJSON reads an object of arrays, by name or in EZKL's format.
func parseJSON(data []byte, inputs []Input) (*contents, error) {
	known := make(map[string]bool, len(inputs))
	for _, in := range inputs {
		known[in.Name] = true
	}
	c := &contents{}
	s := &scanner{data: data}
	seen := make(map[string]bool)
	err := s.object(func(key string) error {
		if seen[key] {
			return s.malformed("the key %q stands twice", key)
		}
		if seen[key] = true; len(seen) > MaxArrays {
			return fmt.Errorf("%w: more than %d keys", ErrTooLarge, MaxArrays)
		}
		switch {
		case known[key] || !(key == ezklKey || slices.Contains(ezklOtherKeys, key)):
			t, err := s.tensor(key)
			c.arrays = append(c.arrays, namedArray{key, t})
			return err
		case key == ezklKey:
			c.byPosition, c.flat = true, true
			return s.positional(c)
		}
		return s.skip(0)
	})
	if err != nil {
		return nil, err
	}
	if c.byPosition {
		for _, a := range c.arrays {
			if a.name != "" {
				return nil, &Error{Input: a.name, Err: fmt.Errorf("%w beside %q", ErrUnknownInput, ezklKey)}
			}
		}
	}
	return c, nil
}

// positional reads EZKL's list of arrays.
func (s *scanner) positional(c *contents) error {
	return s.list(func(i int) error {
		if i >= MaxArrays {
			return fmt.Errorf("%w: more than %d arrays", ErrTooLarge, MaxArrays)
		}
		t, err := s.tensor(fmt.Sprintf("%s[%d]", ezklKey, i))
		c.arrays = append(c.arrays, namedArray{"", t})
		return err
	})
}

// scanner reads JSON from bytes without building values for what it skips.
type scanner struct {
	data     []byte
	at       int
	elements int // read so far, in all arrays
}

// malformed is a syntax error at the present position.
func (s *scanner) malformed(format string, args ...any) error {
	return &Error{Position: fmt.Sprintf("byte %d", s.at), Err: fmt.Errorf("%w JSON: %s", ErrSyntax, fmt.Sprintf(format, args...))}
}

// next skips white space and returns the next byte, 0 at the end.
func (s *scanner) next() byte {
	for s.at < len(s.data) {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// accept takes the next byte if it is c.
func (s *scanner) accept(c byte) bool {
	if s.next() != c {
		return false
	}
	s.at++
	return true
}

// object reads the file's one object; value reads what stands at a key.
func (s *scanner) object(value func(key string) error) error {
	if !s.accept('{') {
		return s.malformed("expected an object")
	}
	for first := true; !(first && s.accept('}')); first = false {
		key, err := s.string()
		if err != nil {
			return err
		}
		if !s.accept(':') {
			return s.malformed("expected a colon")
		}
		if err := value(key); err != nil {
			return err
		}
		if s.accept('}') {
			break
		}
		if !s.accept(',') {
			return s.malformed("expected a comma or the object's end")
		}
	}
	if s.next(); s.at != len(s.data) {
		return s.malformed("bytes after the object")
	}
	return nil
}

// list reads a list; item reads its i-th element.
func (s *scanner) list(item func(i int) error) error {
	if !s.accept('[') {
		return s.malformed("expected a list")
	}
	if s.accept(']') {
		return nil
	}
	for i := 0; ; i++ {
		if err := item(i); err != nil {
			return err
		}
		if s.accept(']') {
			return nil
		}
		if !s.accept(',') {
			return s.malformed("expected a comma or the list's end")
		}
	}
}

// string reads a string, of at most a few thousand bytes.
func (s *scanner) string() (string, error) {
	const limit = 1 << 12
	if s.next() != '"' {
		return "", s.malformed("expected a string")
	}
	for end := s.at + 1; end < len(s.data) && end-s.at < limit; end++ {
		switch s.data[end] {
		case '\\':
			end++
		case '"':
			var text string
			if err := json.Unmarshal(s.data[s.at:end+1], &text); err != nil {
				return "", s.malformed("%v", err)
			}
			s.at = end + 1
			return text, nil
		}
	}
	return "", s.malformed("string without an end in %d bytes", limit)
}

// skip reads over any value.
func (s *scanner) skip(depth int) error {
	if depth > MaxDepth {
		return fmt.Errorf("%w: nested deeper than %d", ErrTooLarge, MaxDepth)
	}
	switch c := s.next(); c {
	case '[':
		return s.list(func(int) error { return s.skip(depth + 1) })
	case '"':
		_, err := s.string()
		return err
	case '{':
		return s.malformed("an object where a list or number is expected")
	}
	if s.word("null") {
		return nil
	}
	_, err := s.number()
	return err
}

// word takes the literal w.
func (s *scanner) word(w string) bool {
	s.next()
	if len(s.data)-s.at < len(w) || string(s.data[s.at:s.at+len(w)]) != w {
		return false
	}
	s.at += len(w)
	return true
}

// nested is a rectangular nest of lists being read.
type nested struct {
	name  string
	sizes []int // length of the lists at each depth, -1 while the first is open
	index []int // where the scanner is
	data  []float64
}

// tensor reads numbers in nested lists of equal length.
func (s *scanner) tensor(name string) (*Tensor, error) {
	n := &nested{name: name}
	if err := s.nest(n, 0); err != nil {
		if e, ok := err.(*Error); ok {
			e.Input = name
		}
		return nil, err
	}
	shape := tensor.Shape{}
	for _, size := range n.sizes {
		shape = append(shape, max(size, 0))
	}
	return &Tensor{Shape: shape, Data: n.data}, nil
}

// ragged is an error about lists of unequal form.
func (n *nested) ragged(format string, args ...any) error {
	text := ""
	for _, i := range n.index {
		text += fmt.Sprintf("[%d]", i)
	}
	return &Error{Position: text, Err: fmt.Errorf("%w: %s", ErrShape, fmt.Sprintf(format, args...))}
}

// nest reads a number or a list of nests at the given depth.
func (s *scanner) nest(n *nested, depth int) error {
	if s.next() != '[' {
		v, err := s.number()
		if err != nil {
			return err
		}
		if len(n.sizes) != depth {
			return n.ragged("a number where a list stands elsewhere")
		}
		if s.elements++; s.elements > MaxElements {
			return &Error{Err: fmt.Errorf("%w: more than %d elements", ErrTooLarge, MaxElements)}
		}
		n.data = append(n.data, v)
		return nil
	}
	if depth >= MaxDepth {
		return &Error{Err: fmt.Errorf("%w: lists nested deeper than %d", ErrTooLarge, MaxDepth)}
	}
	if len(n.sizes) == depth {
		if len(n.data) > 0 {
			return n.ragged("a list where a number stands elsewhere")
		}
		n.sizes = append(n.sizes, -1)
	}
	n.index = append(n.index, 0)
	count := 0
	err := s.list(func(i int) error {
		n.index[depth], count = i, i+1
		return s.nest(n, depth+1)
	})
	if err != nil {
		return err
	}
	n.index = n.index[:depth]
	if n.sizes[depth] < 0 {
		n.sizes[depth] = count
	}
	if n.sizes[depth] != count {
		return n.ragged("a list of %d, others have %d", count, n.sizes[depth])
	}
	return nil
}

// number reads a number or a boolean.
func (s *scanner) number() (float64, error) {
	switch s.next() {
	case 't':
		if s.word("true") {
			return 1, nil
		}
	case 'f':
		if s.word("false") {
			return 0, nil
		}
	}
	for _, w := range []string{"NaN", "Infinity", "-Infinity", "Inf", "-Inf", "nan", "inf", "-inf"} {
		if c := s.data[min(s.at, len(s.data)-1)]; c == w[0] && c != '-' || c == '-' && w[0] == '-' {
			if s.word(w) {
				return 0, &Error{Position: fmt.Sprintf("byte %d", s.at-len(w)), Err: fmt.Errorf("%w: %s", ErrNotFinite, w)}
			}
		}
	}
	token, ok := s.numeral()
	if !ok {
		return 0, s.malformed("expected a number")
	}
	if v, ok := shortDecimal(token); ok {
		s.at += len(token)
		return v, nil
	}
	v, err := strconv.ParseFloat(string(token), 64)
	if err != nil || math.IsInf(v, 0) {
		return 0, &Error{Position: fmt.Sprintf("byte %d", s.at), Err: fmt.Errorf("%w: %.40s is beyond the range of float64", ErrNotFinite, token)}
	}
	s.at += len(token)
	return v, nil
}

// numeral returns the bytes of the JSON number that begins at the scanner's
// position.
func (s *scanner) numeral() (token []byte, ok bool) {
	const limit = 1 << 10
	rest := s.data[s.at:min(len(s.data), s.at+limit)]
	i := 0
	digits := func() int {
		from := i
		for i < len(rest) && rest[i]-'0' <= 9 {
			i++
		}
		return i - from
	}
	if i < len(rest) && rest[i] == '-' {
		i++
	}
	whole := i
	if n := digits(); n == 0 || (n > 1 && rest[whole] == '0') {
		return nil, false
	}
	if i < len(rest) && rest[i] == '.' {
		if i++; digits() == 0 {
			return nil, false
		}
	}
	if i < len(rest) && (rest[i] == 'e' || rest[i] == 'E') {
		if i++; i < len(rest) && (rest[i] == '+' || rest[i] == '-') {
			i++
		}
		if digits() == 0 {
			return nil, false
		}
	}
	return rest[:i], i < limit
}

// powersOfTen are exact in float64.
var powersOfTen = [16]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// shortDecimal converts a decimal of at most 15 digits without an exponent: digits
// and power of ten are exact, so that their one division is correctly rounded.
func shortDecimal(token []byte) (float64, bool) {
	negative := token[0] == '-'
	if negative {
		token = token[1:]
	}
	if len(token) > 16 {
		return 0, false
	}
	digits, number, fraction := 0.0, 0, -1
	for i, c := range token {
		switch {
		case c == '.':
			fraction = i
		case c-'0' <= 9:
			digits = float64(digits*10) + float64(c-'0')
			number++
		default:
			return 0, false
		}
	}
	if number > 15 {
		return 0, false
	}
	if fraction >= 0 {
		digits /= powersOfTen[len(token)-1-fraction]
	}
	if negative {
		digits = -digits
	}
	return digits, true
}
