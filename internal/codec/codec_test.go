package codec

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"testing"
)

// record uses every packed type beside plain ones.
type record struct {
	Name    string     `cbor:"1,keyasint"`
	Floats  Float64s   `cbor:"2,keyasint"`
	Weights Varints    `cbor:"5,keyasint"`
	Index   *Deltas    `cbor:"6,keyasint,omitempty"`
	Op      RawMessage `cbor:"7,keyasint,omitempty"`
	Bound   float64    `cbor:"8,keyasint"`
}

func TestRoundTrip(t *testing.T) {
	index := Deltas{5, 6, 7, -1, -1, math.MaxInt32, math.MinInt32, 0}
	in := record{
		Name:    "conv1",
		Floats:  Float64s{1, -0.5, math.Pi, math.Copysign(0, -1), math.Inf(1)},
		Weights: Varints{0, -1, 63, 64, -64, -65, math.MaxInt64, math.MinInt64},
		Index:   &index,
		Op:      RawMessage{0x83, 1, 2, 3},
		Bound:   math.Inf(-1),
	}
	data, err := Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out record
	if err := Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(in, out) {
		t.Fatalf("found %+v, expected %+v", out, in)
	}
	if !math.Signbit(out.Floats[3]) {
		t.Error("the sign of -0 was lost")
	}
	if err := CheckCanonical(data, out); err != nil {
		t.Error(err)
	}
}

// The bytes are written down by hand from RFC 8949.
func TestGoldenBytes(t *testing.T) {
	type small struct {
		B Deltas  `cbor:"2,keyasint"`
		A int     `cbor:"1,keyasint"`
		C float64 `cbor:"3,keyasint"`
	}
	data, err := Marshal(small{A: 10, B: Deltas{2, 3, 1}, C: 1.5})
	if err != nil {
		t.Fatal(err)
	}
	// map(3), 1: 10, 2: bytes(3) zigzag(+2, +1, -2), 3: half-precision 1.5
	if got, want := hex.EncodeToString(data), "a3"+"010a"+"0243"+"040203"+"03f93e00"; got != want {
		t.Errorf("found %s, expected %s", got, want)
	}
}

func TestFloatWidths(t *testing.T) {
	cases := []struct {
		list Float64s
		want string
	}{
		{nil, "40"},
		{Float64s{}, "40"},
		{Float64s{1.5}, "45" + "04" + "0000c03f"},
		{Float64s{math.Copysign(0, -1)}, "45" + "04" + "00000080"},
		{Float64s{0.1}, "49" + "08" + "9a9999999999b93f"},
		{Float64s{0x1p-200}, "49" + "08" + "0000000000007033"},
		{Float64s{1, 0.1}, "51" + "08" + "000000000000f03f" + "9a9999999999b93f"},
	}
	for _, c := range cases {
		data, err := Marshal(c.list)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(data); got != c.want {
			t.Errorf("%v: found %s, expected %s", c.list, got, c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	cases := map[string]string{
		"empty":                   "",
		"truncated":               "a301",
		"trailing byte":           "a000",
		"unknown field":           "a1182a00",
		"repeated key":            "a2016161016162",
		"indefinite map":          "bfff",
		"indefinite bytes":        "a1025f4000ff",
		"tag":                     "c1a0",
		"invalid UTF-8":           "a10161ff",
		"float list of 7 bytes":   "a10248" + "0800000000000000",
		"float list of width 2":   "a10243" + "020000",
		"unfinished varint":       "a1054180",
		"varint with a longer 0":  "a105428000",
		"varint above 64 bits":    "a1054b" + "ffffffffffffffffffff01",
		"delta above 32 bits":     "a1064a" + "ffffffffffffffffff01",
		"sum of deltas too large": "a10646" + "feffffff0f02",
		"huge array header":       "9b00ffffffffffffff",
		"huge byte string header": "a1025b00ffffffffffffff",
		"nested too deep":         "a107" + string(bytes.Repeat([]byte("81"), 40)) + "00",
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			data, err := hex.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			if err := Unmarshal(data, new(record)); err == nil {
				t.Error("decoded")
			}
		})
	}
}

func TestNotCanonical(t *testing.T) {
	cases := map[string]string{
		"key 8 before key 1, and 1.5 in eight bytes": "a208fb3ff8000000000000016161",
		"array where a byte string is written":       "a102830000f90000",
		"floats wider than they need be":             "a1024908000000000000f03f",
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			data, err := hex.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			var r record
			if err := Unmarshal(data, &r); err != nil {
				t.Fatal(err)
			}
			if err := CheckCanonical(data, r); !errors.Is(err, ErrNotCanonical) {
				t.Errorf("found %v, expected ErrNotCanonical", err)
			}
		})
	}
}

func FuzzPacked(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{2, 4, 1, 0x80, 1})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f})
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, list := range []interface {
			UnmarshalBinary([]byte) error
			MarshalBinary() ([]byte, error)
		}{new(Float64s), new(Varints), new(Deltas)} {
			if list.UnmarshalBinary(data) != nil {
				continue
			}
			again, err := list.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			// The one freedom: floats may be written wider than they need be.
			if _, floats := list.(*Float64s); !floats && !bytes.Equal(data, again) {
				t.Errorf("%T: %x became %x", list, data, again)
			}
		}
	})
}
