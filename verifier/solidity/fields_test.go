package solidity

import (
	"math"
	"strings"
	"testing"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// TestElementWidth has the edges of each width.
func TestElementWidth(t *testing.T) {
	for _, c := range []struct {
		lo       int64
		bits     int
		solidity string
	}{
		{0, 1, "uint8"}, {0, 8, "uint8"}, {1, 8, "uint16"}, {255, 1, "uint16"}, {254, 1, "uint8"},
		{0, 9, "uint16"}, {0, 16, "uint16"}, {0, 17, "uint24"}, {math.MaxInt64 - 1, 1, "uint64"},
		{-1, 1, "int8"}, {-128, 8, "int8"}, {-127, 8, "int16"}, {-129, 1, "int16"}, {-128, 9, "int16"},
		{-32768, 16, "int16"}, {-32769, 16, "int24"}, {-1 << 40, 41, "int48"}, {-1 << 39, 40, "int40"},
		{-1 << 62, 63, "int64"}, {math.MinInt64, 1, "int64"},
	} {
		p := circuit.Public{Lo: c.lo, Bits: c.bits}
		if got := (field{Public: p, Width: elementWidth(p)}).solidityType(); got != c.solidity {
			t.Errorf("lo %d, %d bits: %s, want %s", c.lo, c.bits, got, c.solidity)
		}
	}
}

// TestFieldNames has names that a model may bring, in order.
func TestFieldNames(t *testing.T) {
	given := []string{"image", "Image", "image_2", "onnx::Conv/3.weight", "", "é", "3d", "function", "uint256", "int", "at", "__proto__", "image", strings.Repeat("x", 100), "$a"}
	want := []string{"image", "Image_2", "image_2_2", "onnx__Conv_3_weight", "tensor", "tensor_2", "tensor_3d", "function_", "uint256_", "int_", "at_", "proto", "image_3", strings.Repeat("x", 48), "a"}
	names := newNamer()
	for i, name := range given {
		if got := names.pick(name); got != want[i] {
			t.Errorf("%q becomes %s, want %s", name, got, want[i])
		}
	}
}

// TestFieldOrder checks positions and words of a statement's fields.
func TestFieldOrder(t *testing.T) {
	one := quantize.Scale{Num: 1, Den: 1}
	m := &circuit.Manifest{
		Version: 1, Weights: circuit.Hashed,
		Inputs: []circuit.Public{
			{Name: "a", Shape: tensor.Shape{32}, Bits: 8, Scale: one},
			{Name: "b", Visibility: circuit.Private, Shape: tensor.Shape{32}, Bits: 8, Scale: one},
			{Name: "c", Visibility: circuit.Hashed, Shape: tensor.Shape{32}, Bits: 8, Scale: one},
		},
		Outputs: []circuit.Public{{Name: "weights", Shape: tensor.Shape{0}, Bits: 8, Scale: one}, {Name: "d", Shape: tensor.Shape{}, Bits: 8, Scale: one}},
	}
	want := []struct {
		field     string
		at, words int
	}{{"a", 1, 2}, {"cDigest", 3, 1}, {"weights", 4, 0}, {"d", 4, 1}, {"weightsDigest", 5, 1}}
	fields := fieldsOf(m)
	if len(fields) != len(want) {
		t.Fatalf("%d fields, want %d", len(fields), len(want))
	}
	for i, f := range fields {
		if f.Field != want[i].field || f.At != want[i].at || f.Words() != want[i].words || f.Index != i {
			t.Errorf("field %d is %s at word %d of %d words, want %+v", i, f.Field, f.At, f.Words(), want[i])
		}
	}
	if last := fields[len(fields)-1]; last.At+last.Words() != m.NbWords() {
		t.Errorf("the fields end at word %d of %d", last.At+last.Words(), m.NbWords())
	}
}

// TestQuoting keeps a model's text inside comments and literals.
func TestQuoting(t *testing.T) {
	for text, want := range map[string]string{
		"plain":      `"plain"`,
		"a\nb*/@dev": `"a\nb*\/\x40dev"`,
		"é\u202e":    `"\u00e9\u202e"`,
	} {
		if got := comment(text); got != want {
			t.Errorf("comment(%q) = %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{
		`a"b\c`:   `"a\"b\\c"`,
		"é\n\x7f": `"\xc3\xa9\x0a\x7f"`,
	} {
		if got := literal(text); got != want {
			t.Errorf("literal(%q) = %s, want %s", text, got, want)
		}
	}
	if got := code("a`b"); got != "`a'b`" {
		t.Errorf("code = %s", got)
	}
}
