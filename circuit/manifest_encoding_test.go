package circuit

import (
	"bytes"
	"encoding/hex"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// sampleManifest has every field set to something that isn't zero.
func sampleManifest() *Manifest {
	return &Manifest{
		Version: FormatVersion,
		Model:   "digits",
		Weights: Hashed,
		Inputs: []Public{{
			Name: "pixels", Visibility: Hashed, Shape: tensor.Shape{1, 2, 3},
			Lo: -4, Bits: 8, Scale: quantize.Scale{Num: 1, Den: 255, Exp: 3},
		}},
		Outputs: []Public{{
			Name: "class", Visibility: Shown, Shape: tensor.Shape{},
			Lo: 0, Bits: 1, Scale: quantize.Scale{Num: 1, Den: 1, Exp: -2}, Labels: []string{"no", "ja ü"},
		}},
	}
}

// TestManifestEncoding holds the bytes that other implementations must reproduce.
func TestManifestEncoding(t *testing.T) {
	got, err := sampleManifest().AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "0001" + "0006" + hex.EncodeToString([]byte("digits")) + "02" +
		"0001" + "0006" + hex.EncodeToString([]byte("pixels")) + "02" + "03" + "00000001" + "00000002" + "00000003" +
		"fffffffffffffffc" + "08" + "0000000000000001" + "00000000000000ff" + "00000003" + "00000000" +
		"0001" + "0005" + hex.EncodeToString([]byte("class")) + "00" + "00" +
		"0000000000000000" + "01" + "0000000000000001" + "0000000000000001" + "fffffffe" +
		"00000002" + "0002" + hex.EncodeToString([]byte("no")) + "0005" + hex.EncodeToString([]byte("ja ü"))
	if hex.EncodeToString(got) != want {
		t.Errorf("encoding is\n%x, want\n%s", got, want)
	}
	digest, err := sampleManifest().Digest()
	if err != nil {
		t.Fatal(err)
	}
	const wantDigest = "9a60af661790c579c8e13bc5231b6431aced0a553a3b95cdc7aaabb163922818"
	if hex.EncodeToString(digest[:]) != wantDigest {
		t.Errorf("digest is %x, want %s", digest, wantDigest)
	}
}

func TestManifestRoundTrip(t *testing.T) {
	want := sampleManifest()
	want.ProgramDigest[3] = 7
	encoded, err := want.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	got := Manifest{ProgramDigest: want.ProgramDigest}
	if err := got.UnmarshalBinary(encoded); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&got, want) {
		t.Errorf("read %+v, want %+v", got, want)
	}
	for n := range encoded {
		if err := new(Manifest).UnmarshalBinary(encoded[:n]); err == nil {
			t.Errorf("%d of %d bytes were accepted", n, len(encoded))
		}
	}
	if err := new(Manifest).UnmarshalBinary(append(encoded, 0)); err == nil {
		t.Error("a byte after the end was accepted")
	}
}

func TestManifestValidate(t *testing.T) {
	if err := sampleManifest().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Manifest){
		"version":           func(m *Manifest) { m.Version = 2 },
		"long model name":   func(m *Manifest) { m.Model = strings.Repeat("x", MaxNameBytes+1) },
		"name not UTF-8":    func(m *Manifest) { m.Inputs[0].Name = "\xff" },
		"label not UTF-8":   func(m *Manifest) { m.Outputs[0].Labels[1] = "\xff" },
		"weights shown":     func(m *Manifest) { m.Weights = Shown },
		"input fixed":       func(m *Manifest) { m.Inputs[0].Visibility = Fixed },
		"output unknown":    func(m *Manifest) { m.Outputs[0].Visibility = 9 },
		"negative size":     func(m *Manifest) { m.Inputs[0].Shape[0] = -1 },
		"huge size":         func(m *Manifest) { m.Inputs[0].Shape[0] = 1 << 30 },
		"high rank":         func(m *Manifest) { m.Inputs[0].Shape = make(tensor.Shape, MaxRank+1) },
		"no bits":           func(m *Manifest) { m.Inputs[0].Bits = 0 },
		"too many bits":     func(m *Manifest) { m.Inputs[0].Bits = 64 },
		"above int64":       func(m *Manifest) { m.Inputs[0].Lo = math.MaxInt64 - 254 },
		"zero numerator":    func(m *Manifest) { m.Inputs[0].Scale.Num = 0 },
		"zero denominator":  func(m *Manifest) { m.Inputs[0].Scale.Den = 0 },
		"exponent":          func(m *Manifest) { m.Inputs[0].Scale.Exp = -MaxScaleExp - 1 },
		"too many tensors":  func(m *Manifest) { m.Inputs = make([]Public, MaxTensors+1) },
		"too many words":    func(m *Manifest) { m.Outputs[0].Shape, m.Outputs[0].Bits = tensor.Shape{1 << 27}, 63 },
		"too many labels":   func(m *Manifest) { m.Outputs[0].Labels = make([]string, MaxLabels+1) },
		"lengthy last name": func(m *Manifest) { m.Outputs[0].Name = strings.Repeat("x", 1<<17) },
	} {
		m := sampleManifest()
		spoil(m)
		if err := m.Validate(); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := m.Digest(); err == nil {
			t.Errorf("%s: has a digest", name)
		}
	}
}

// FuzzManifest checks that reading never panics and that each manifest has one
// encoding.
func FuzzManifest(f *testing.F) {
	encoded, err := sampleManifest().AppendBinary(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encoded)
	f.Add(encoded[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Manifest
		if m.UnmarshalBinary(b) != nil {
			return
		}
		again, err := m.AppendBinary(nil)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x is written again as %x (%v)", b, again, err)
		}
	})
}
