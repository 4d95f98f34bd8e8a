package inputfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/zkml-go/zkml/tensor"
)

// npy writes a .npy file by hand.
func npy(version byte, header string, body []byte) []byte {
	data := append([]byte("\x93NUMPY"), version, 0)
	if version == 1 {
		data = binary.LittleEndian.AppendUint16(data, uint16(len(header)))
	} else {
		data = binary.LittleEndian.AppendUint32(data, uint32(len(header)))
	}
	return append(append(data, header...), body...)
}

func npyHeader(descr, fortran, shape string) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n", descr, fortran, shape)
}

func TestParseNpy(t *testing.T) {
	six := []Input{{Name: "x", Shape: tensor.Shape{2, 3}}}
	bytesOf := func(order binary.ByteOrder, values ...any) []byte {
		var out []byte
		for _, v := range values {
			out, _ = binary.Append(out, order, v)
		}
		return out
	}
	le, be := binary.LittleEndian, binary.BigEndian
	cases := []struct {
		name string
		data []byte
		want string
	}{
		{"float32", npy(1, npyHeader("<f4", "False", "(2, 3)"), bytesOf(le, []float32{1, -2, 0.5, 4, 5, 6})), "[1 -2 0.5 4 5 6]"},
		{"float64", npy(2, npyHeader("<f8", "False", "(2, 3)"), bytesOf(le, []float64{1, -2, 0.1, 4, 5, 6})), "[1 -2 0.1 4 5 6]"},
		{"big-endian", npy(3, npyHeader(">f4", "False", "(6,)"), bytesOf(be, []float32{1, -2, 0.5, 4, 5, 6})), "[1 -2 0.5 4 5 6]"},
		{"int8", npy(1, npyHeader("|i1", "False", "(1, 2, 3)"), []byte{1, 0xff, 3, 0x80, 5, 6}), "[1 -1 3 -128 5 6]"},
		{"uint8", npy(1, npyHeader("|u1", "False", "(2, 3)"), []byte{1, 0xff, 3, 0x80, 5, 6}), "[1 255 3 128 5 6]"},
		{"bool", npy(1, npyHeader("|b1", "False", "(2, 3)"), []byte{1, 0, 1, 1, 0, 0}), "[1 0 1 1 0 0]"},
		{"int16", npy(1, npyHeader("<i2", "False", "(2, 3)"), bytesOf(le, []int16{-1, 2, 3, 4, 5, 6})), "[-1 2 3 4 5 6]"},
		{"uint16", npy(1, npyHeader("<u2", "False", "(2, 3)"), bytesOf(le, []uint16{65535, 2, 3, 4, 5, 6})), "[65535 2 3 4 5 6]"},
		{"int32", npy(1, npyHeader("<i4", "False", "(2, 3)"), bytesOf(le, []int32{-1, 2, 3, 4, 5, 6})), "[-1 2 3 4 5 6]"},
		{"uint32", npy(1, npyHeader("<u4", "False", "(2, 3)"), bytesOf(le, []uint32{1 << 31, 2, 3, 4, 5, 6})), "[2.147483648e+09 2 3 4 5 6]"},
		{"int64", npy(1, npyHeader("<i8", "False", "(2, 3)"), bytesOf(le, []int64{-1 << 53, 2, 3, 4, 5, 6})), "[-9.007199254740992e+15 2 3 4 5 6]"},
		{"uint64", npy(1, npyHeader("<u8", "False", "(2, 3)"), bytesOf(le, []uint64{1, 2, 3, 4, 5, 6})), "[1 2 3 4 5 6]"},
		{"Fortran order", npy(1, npyHeader("|u1", "True", "(2, 3)"), []byte{1, 4, 2, 5, 3, 6}), "[1 2 3 4 5 6]"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			set, err := Parse("x.npy", c.data, six)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(set["x"].Data); got != c.want {
				t.Errorf("found %s, expected %s", got, c.want)
			}
		})
	}
}

func TestParseNpyRefuses(t *testing.T) {
	good := npyHeader("|u1", "False", "(2, 2)")
	cases := []struct {
		name string
		data []byte
		err  error
		want string
	}{
		{"magic only", npyMagic, ErrSyntax, "no header"},
		{"header cut off", npy(1, good, nil)[:30], ErrSyntax, "cut off"},
		{"huge header", append([]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), good...), ErrSyntax, "cut off"},
		{"version 9", npy(9, good, []byte{1, 2, 3, 4}), ErrFormat, "version 9"},
		{"too few elements", npy(1, good, []byte{1, 2, 3}), ErrSyntax, "3 bytes of elements"},
		{"too many elements", npy(1, good, []byte{1, 2, 3, 4, 5}), ErrSyntax, "5 bytes of elements"},
		{"huge shape", npy(1, npyHeader("|u1", "False", "(99999999, 99999999)"), nil), ErrTooLarge, ""},
		{"shape beyond int", npy(1, npyHeader("|u1", "False", "(99999999999999999999999,)"), nil), ErrSyntax, "dimension"},
		{"shape above the limit", npy(1, npyHeader("|u1", "False", "(134217728,)"), nil), ErrTooLarge, "134217728"},
		{"complex", npy(1, npyHeader("<c8", "False", "(2, 2)"), make([]byte, 32)), ErrFormat, "c8"},
		{"structured", npy(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 2), }", make([]byte, 16)), ErrFormat, "plain"},
		{"pickled objects", npy(1, npyHeader("|O", "False", "(2, 2)"), make([]byte, 32)), ErrFormat, "O"},
		{"no shape", npy(1, "{'descr': '<f4', 'fortran_order': False}", make([]byte, 16)), ErrSyntax, "header"},
		{"NaN", npy(1, npyHeader("<f4", "False", "(2, 2)"), append(make([]byte, 12), 0, 0, 0xc0, 0x7f)), ErrNotFinite, `input "x" at [1][1]`},
		{"bool of 2", npy(1, npyHeader("|b1", "False", "(2, 2)"), []byte{0, 1, 2, 0}), ErrSyntax, "element 2"},
		{"int64 beyond 2^53", npy(1, npyHeader("<i8", "False", "(4,)"), append(make([]byte, 24), 1, 0, 0, 0, 0, 0, 0x20, 0)), ErrNotWhole, "9007199254740993"},
		{"wrong size", npy(1, npyHeader("|u1", "False", "(5,)"), []byte{1, 2, 3, 4, 5}), ErrShape, "[5]"},
		{"not a known format", []byte("GIF89a"), ErrFormat, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("x.npy", c.data, one)
			refused(t, err, c.err, c.want)
		})
	}
	if _, err := Parse("x.npy", npy(1, good, []byte{1, 2, 3, 4}), two); !errors.Is(err, ErrMissingInput) {
		t.Errorf("one array for two inputs: found %v, expected ErrMissingInput", err)
	}
}

// npz writes a .npz file.
func npz(t testing.TB, members ...any) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for i := 0; i < len(members); i += 2 {
		f, err := w.Create(members[i].(string))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(members[i+1].([]byte)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestParseNpz(t *testing.T) {
	x := npy(1, npyHeader("|u1", "False", "(2, 2)"), []byte{1, 2, 3, 4})
	n := npy(1, npyHeader("|u1", "False", "(3,)"), []byte{7, 8, 9})
	samples := npy(1, npyHeader("|u1", "False", "(2, 1, 2, 2)"), []byte{1, 2, 3, 4, 5, 6, 7, 8})
	for name, data := range map[string][]byte{
		"by name":   npz(t, "n.npy", n, "x.npy", x),
		"by number": npz(t, "arr_1.npy", n, "arr_0.npy", x),
	} {
		set, err := Parse("in.npz", data, two)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if fmt.Sprint(set["x"].Data, set["n"].Data) != "[1 2 3 4] [7 8 9]" {
			t.Errorf("%s: found %v and %v", name, set["x"].Data, set["n"].Data)
		}
	}
	list, err := ParseSamples("in.npz", npz(t, "x.npy", samples), one)
	if err != nil || len(list) != 2 || fmt.Sprint(list[1]["x"].Data) != "[5 6 7 8]" {
		t.Errorf("samples: found %v, %v", list, err)
	}
	refusals := []struct {
		name string
		data []byte
		err  error
		want string
	}{
		{"unknown name", npz(t, "x.npy", x, "y.npy", x), ErrUnknownInput, `input "y"`},
		{"missing name", npz(t, "x.npy", x), ErrMissingInput, `input "n"`},
		{"name twice", npz(t, "x.npy", x, "x.npy", x), ErrSyntax, "twice"},
		{"other member", npz(t, "x.txt", x), ErrSyntax, "x.txt"},
		{"array cut off", npz(t, "x.npy", x[:len(x)-1]), ErrSyntax, `input "x"`},
		{"archive cut off", npz(t, "x.npy", x)[:60], ErrSyntax, ".npz"},
	}
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("in.npz", c.data, two)
			refused(t, err, c.err, c.want)
		})
	}
}
