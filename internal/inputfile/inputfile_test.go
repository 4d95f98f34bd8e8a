package inputfile

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/zkml-go/zkml/internal/shared"
	"github.com/zkml-go/zkml/tensor"
)

// one and two are models with one input of shape [1 2 2], and with two inputs.
var (
	one = []Input{{Name: "x", Shape: tensor.Shape{1, 2, 2}}}
	two = []Input{{Name: "x", Shape: tensor.Shape{1, 2, 2}}, {Name: "n", Shape: tensor.Shape{3}, Integer: true}}
)

func TestParseJSON(t *testing.T) {
	x := []float64{1, -2, 3.5, 400}
	cases := []struct {
		name, text string
		inputs     []Input
		want       map[string][]float64
	}{
		{"nested", `{"x": [[[1, -2], [3.5, 4e2]]]}`, one, map[string][]float64{"x": x}},
		{"without the batch", `{"x":[[1,-2],[3.5,400.0]]}`, one, map[string][]float64{"x": x}},
		{"flat", ` {"x": [1, -2, 35e-1, 400]} `, one, map[string][]float64{"x": x}},
		{"batch of flat", `{"x": [[1, -2, 3.5, 400]]}`, one, map[string][]float64{"x": x}},
		{"booleans", `{"x": [true, false, true, true]}`, one, map[string][]float64{"x": {1, 0, 1, 1}}},
		{"two", `{"n": [7, 8, 9], "x": [1, -2, 3.5, 400]}`, two, map[string][]float64{"x": x, "n": {7, 8, 9}}},
		{"escaped name", `{"\u0078": [1, -2, 3.5, 400]}`, one, map[string][]float64{"x": x}},
		{"scalar", `{"s": 0.25}`, []Input{{Name: "s"}}, map[string][]float64{"s": {0.25}}},
		{"empty tensor", `{"e": [[], []]}`, []Input{{Name: "e", Shape: tensor.Shape{2, 0}}}, map[string][]float64{"e": {}}},
		{"EZKL", `{"input_data": [[1, -2, 3.5, 400]]}`, one, map[string][]float64{"x": x}},
		{"EZKL, nested", `{"input_data": [[[[1, -2], [3.5, 400]]]]}`, one, map[string][]float64{"x": x}},
		{"EZKL, two", `{"input_data": [[1, -2, 3.5, 400], [7, 8, 9.0]]}`, two, map[string][]float64{"x": x, "n": {7, 8, 9}}},
		{"EZKL with other keys", `{"input_shapes": [[4], []], "input_data": [[1, -2, 3.5, 400]], "output_data": [["a", null, true]]}`, one, map[string][]float64{"x": x}},
		{"EZKL without inputs", `{"input_data": [[]]}`, nil, map[string][]float64{}},
		{"input called input_data", `{"input_data": [[1, 2]]}`, []Input{{Name: "input_data", Shape: tensor.Shape{2}}}, map[string][]float64{"input_data": {1, 2}}},
		{"long decimals", `{"x": [0.1234567890123456789, 1e-400, -0.0, 123456789012345]}`, one,
			map[string][]float64{"x": {0.1234567890123456789, 0, math.Copysign(0, -1), 123456789012345}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			set, err := Parse("input.json", []byte(c.text), c.inputs)
			if err != nil {
				t.Fatal(err)
			}
			if len(set) != len(c.want) {
				t.Fatalf("found %d tensors, expected %d", len(set), len(c.want))
			}
			for _, in := range c.inputs {
				if got := set[in.Name]; !got.Shape.Equal(in.Shape) || fmt.Sprint(got.Data) != fmt.Sprint(c.want[in.Name]) {
					t.Errorf("%s is %v %v, expected %v %v", in.Name, got.Shape, got.Data, in.Shape, c.want[in.Name])
				}
			}
		})
	}
}

func TestParseJSONRefuses(t *testing.T) {
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	cases := []struct {
		name, text string
		inputs     []Input
		err        error
		want       string // in the message
	}{
		{"empty", ``, one, ErrSyntax, "empty"},
		{"bare list", `[1, 2]`, one, ErrFormat, "bare list"},
		{"no end", `{"x": [1, 2`, one, ErrSyntax, "byte 11"},
		{"no comma", `{"x": [1 2]}`, one, ErrSyntax, "byte 9"},
		{"trailing comma", `{"x": [1,]}`, one, ErrSyntax, "byte 9"},
		{"two objects", `{"x": [1,2,3,4]} {}`, one, ErrSyntax, "bytes after"},
		{"missing colon", `{"x" [1]}`, one, ErrSyntax, "colon"},
		{"key without quotes", `{x: [1]}`, one, ErrSyntax, "expected a string"},
		{"key without an end", `{"x: [1]}`, one, ErrSyntax, "without an end"},
		{"key twice", `{"x": [1,2,3,4], "x": [1,2,3,4]}`, one, ErrSyntax, "twice"},
		{"leading zero", `{"x": [01]}`, one, ErrSyntax, "byte 7"},
		{"plus sign", `{"x": [+1]}`, one, ErrSyntax, "byte 7"},
		{"no fraction", `{"x": [1.]}`, one, ErrSyntax, "byte 7"},
		{"no exponent", `{"x": [1e]}`, one, ErrSyntax, "byte 7"},
		{"hexadecimal", `{"x": [0x1p3]}`, one, ErrSyntax, "byte 8"},
		{"string", `{"x": ["1"]}`, one, ErrSyntax, "expected a number"},
		{"null", `{"x": [null]}`, one, ErrSyntax, "expected a number"},
		{"object", `{"x": {"a": 1}}`, one, ErrSyntax, "expected a number"},
		{"NaN", `{"x": [1, NaN, 3, 4]}`, one, ErrNotFinite, `input "x" at byte 10: number is not finite: NaN`},
		{"minus infinity", `{"x": [1, -Infinity]}`, one, ErrNotFinite, "-Infinity"},
		{"beyond float64", `{"x": [1, 1e999]}`, one, ErrNotFinite, "1e999"},
		{"fraction for an integer", `{"x": [1,2,3,4], "n": [1, 2.5, 3]}`, two, ErrNotWhole, `input "n" at [1]`},
		{"too few", `{"x": [1, 2, 3]}`, one, ErrShape, "the model declares [1 2 2] (4 elements), the file has [3] (3)"},
		{"other axes", `{"w": [[1, 2, 3], [4, 5, 6]]}`, []Input{{Name: "w", Shape: tensor.Shape{3, 2}}}, ErrShape, "[2 3]"},
		{"ragged", `{"x": [[1, 2], [3]]}`, one, ErrShape, "at [1]: wrong shape: a list of 1, others have 2"},
		{"number beside a list", `{"x": [[1, 2], 3]}`, one, ErrShape, "at [1]: wrong shape: a number where a list"},
		{"list beside a number", `{"x": [1, [2]]}`, one, ErrShape, "at [1]: wrong shape: a list where a number"},
		{"too deep", `{"x": ` + deep + `}`, one, ErrTooLarge, "deeper"},
		{"too deep in a skipped value", `{"output_data": ` + deep + `}`, one, ErrTooLarge, "deeper"},
		{"unknown", `{"x": [1,2,3,4], "y": [1]}`, one, ErrUnknownInput, `input "y": the model has no such input; it has the input "x" [1 2 2]`},
		{"missing", `{"x": [1,2,3,4]}`, two, ErrMissingInput, `input "n"`},
		{"nothing", `{}`, one, ErrMissingInput, `input "x"`},
		{"EZKL surplus", `{"input_data": [[1,2,3,4], [1], [2]]}`, one, ErrUnknownInput, "2 surplus arrays: the file has 3"},
		{"EZKL missing", `{"input_data": [[1,2,3,4]]}`, two, ErrMissingInput, `input "n"`},
		{"EZKL beside a name", `{"input_data": [[1,2,3,4]], "x": [1,2,3,4]}`, one, ErrUnknownInput, "beside"},
		{"EZKL in two samples", `{"input_data": [[1,2,3,4,5,6,7,8]]}`, one, ErrShape, "[8]"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("input.json", []byte(c.text), c.inputs)
			refused(t, err, c.err, c.want)
			if err != nil && !strings.HasPrefix(err.Error(), "input.json") {
				t.Errorf("%v doesn't begin with the file's name", err)
			}
		})
	}
}

// refused checks that err is an *Error that wraps cause and says want.
func refused(t *testing.T, err, cause error, want string) {
	t.Helper()
	var typed *Error
	if !errors.As(err, &typed) || !errors.Is(err, cause) || !strings.Contains(err.Error(), want) {
		t.Errorf("found %v, expected %v with %q", err, cause, want)
	}
}

func TestParseSamples(t *testing.T) {
	scalar := []Input{{Name: "s", Shape: tensor.Shape{1}}}
	cases := []struct {
		name, text string
		inputs     []Input
		want       []string // first input's data, per sample
	}{
		{"flat samples", `{"x": [[1,2,3,4],[5,6,7,8]]}`, one, []string{"[1 2 3 4]", "[5 6 7 8]"}},
		{"nested samples", `{"x": [[[1,2],[3,4]],[[5,6],[7,8]]]}`, one, []string{"[1 2 3 4]", "[5 6 7 8]"}},
		{"with the batch", `{"x": [[[[1,2],[3,4]]],[[[5,6],[7,8]]]]}`, one, []string{"[1 2 3 4]", "[5 6 7 8]"}},
		{"one sample", `{"x": [[[1,2],[3,4]]]}`, one, []string{"[1 2 3 4]"}},
		{"one without a list", `{"x": [1,2,3,4]}`, one, []string{"[1 2 3 4]"}},
		{"scalars", `{"s": [1,2,3]}`, scalar, []string{"[1]", "[2]", "[3]"}},
		{"two inputs", `{"n": [[1,2,3],[4,5,6]], "x": [[1,2,3,4],[5,6,7,8]]}`, two, []string{"[1 2 3 4]", "[5 6 7 8]"}},
		{"EZKL, one", `{"input_data": [[1,2,3,4]]}`, one, []string{"[1 2 3 4]"}},
		{"EZKL, end to end", `{"input_data": [[1,2,3,4,5,6,7,8]]}`, one, []string{"[1 2 3 4]", "[5 6 7 8]"}},
		{"EZKL, listed", `{"input_data": [[[1,2,3,4],[5,6,7,8]]]}`, one, []string{"[1 2 3 4]", "[5 6 7 8]"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			samples, err := ParseSamples("samples.json", []byte(c.text), c.inputs)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range samples {
				for _, in := range c.inputs {
					if !s[in.Name].Shape.Equal(in.Shape) {
						t.Errorf("%s has shape %v", in.Name, s[in.Name].Shape)
					}
				}
				got = append(got, fmt.Sprint(s[c.inputs[0].Name].Data))
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("found %v, expected %v", got, c.want)
			}
		})
	}
}

func TestParseSamplesRefuses(t *testing.T) {
	cases := []struct {
		name, text string
		inputs     []Input
		err        error
		want       string
	}{
		{"other counts", `{"x": [[1,2,3,4],[5,6,7,8]], "n": [[1,2,3]]}`, two, ErrShape, `input "n": wrong shape: 1 samples, input "x" has 2`},
		{"end to end by name", `{"x": [1,2,3,4,5,6,7,8]}`, one, ErrShape, "no list of samples"},
		{"too many", `{"x": [0` + strings.Repeat(",0", 4*MaxSamples+3) + `]}`, []Input{{Name: "x", Shape: tensor.Shape{}}}, ErrTooLarge, "samples"},
		{"part of a sample", `{"x": [[1,2,3,4,5,6]]}`, one, ErrShape, "no list of samples"},
		{"none", `{"x": []}`, one, ErrShape, "samples"},
		{"model without inputs", `{}`, nil, ErrShape, "no samples"},
		{"not whole", `{"x": [[1,2,3,4],[5,6,7,8]], "n": [[1,2,3],[4,5,6.5]]}`, two, ErrNotWhole, `input "n" at [1][2]`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseSamples("samples.json", []byte(c.text), c.inputs)
			refused(t, err, c.err, c.want)
		})
	}
}

func TestFileTooLarge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.json")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(MaxFileSize + 1); err != nil { // sparse: no disk is used
		t.Fatal(err)
	}
	f.Close()
	_, err = Read(path, one)
	refused(t, err, ErrTooLarge, "large.json")
}

// The models of testdata and the arrays beside them agree.
func TestModelFiles(t *testing.T) {
	in := []Input{{Name: "board", Shape: tensor.Shape{1, 9}}}
	folder := filepath.Join("..", "..", "testdata", "tictactoe")
	samples, err := ReadSamples(filepath.Join(folder, "samples.json"), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(samples) != 200 {
		t.Errorf("%d samples, expected 200", len(samples))
	}
	set, err := Read(filepath.Join(folder, "input.json"), in)
	if err != nil {
		t.Fatal(err)
	}
	arrays, err := ReadArrays(filepath.Join(folder, "test.npz"))
	if err != nil {
		t.Fatal(err)
	}
	if got := arrays["input"].Shape; !got.Equal(tensor.Shape{4320, 9}) {
		t.Errorf("test inputs have shape %v", got)
	}
	// input.json is the first of the held-out set.
	if !reflect.DeepEqual(set["board"].Data, arrays["input"].Data[:9]) {
		t.Errorf("input.json has %v, test.npz %v", set["board"].Data, arrays["input"].Data[:9])
	}
}

// Every input.json of the shared networks is read, with inputs as it says itself.
func TestEZKLFiles(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared.Path(t, "conformance/ezkl"), "*", "input.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c, err := parse(data, nil)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if !c.byPosition || len(c.arrays) == 0 {
			t.Errorf("%s: %d arrays", file, len(c.arrays))
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"x": [[1, 2], [3.5, 4e2]], "n": [1,2,3]}`))
	f.Add([]byte(`{"input_data": [[1,2,3,4],[true,false,true]], "output_data": [["a"]]}`))
	f.Add(npy(1, npyHeader("<f4", "True", "(2, 2)"), make([]byte, 16)))
	f.Add(npz(f, "x.npy", npy(1, npyHeader("|u1", "False", "(2, 2)"), []byte{1, 2, 3, 4}), "n.npy", npy(2, npyHeader("<i8", "False", "(3,)"), make([]byte, 24))))
	f.Add([]byte("\x08\x02\x08\x02\x10\x02J\x04\x01\x02\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var typed *Error
		for _, inputs := range [][]Input{nil, one, two} {
			set, err := Parse("f", data, inputs)
			if err != nil && !errors.As(err, &typed) {
				t.Fatalf("%v has no type", err)
			}
			samples, err2 := ParseSamples("f", data, inputs)
			if err2 != nil && !errors.As(err2, &typed) {
				t.Fatalf("%v has no type", err2)
			}
			if err == nil {
				samples = append(samples, set)
			}
			for _, s := range samples {
				for _, in := range inputs {
					x := s[in.Name]
					if !x.Shape.Equal(in.Shape) || len(x.Data) != in.Shape.Size() {
						t.Fatalf("%q has shape %v and %d elements", in.Name, x.Shape, len(x.Data))
					}
					for _, v := range x.Data {
						if v-v != 0 || (in.Integer && v != math.Trunc(v)) {
							t.Fatalf("%q has the element %v", in.Name, v)
						}
					}
				}
			}
		}
	})
}

func BenchmarkJSON(b *testing.B) {
	var text strings.Builder
	text.WriteString(`{"x": [`)
	for i := range 10000 {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, "[%.4f,%.17g,0,%d]", float64(i)/7, float64(i)/3, i)
	}
	text.WriteString(`]}`)
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if _, err := ParseSamples("b", []byte(text.String()), one); err != nil {
			b.Fatal(err)
		}
	}
}
