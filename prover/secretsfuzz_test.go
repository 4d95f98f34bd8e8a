package prover

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

// someSecrets have a salt of full size and a hidden output.
func someSecrets() *Secrets {
	var salt fr.Element
	salt.SetInt64(-1)
	p := circuit.Public{Name: "y", Visibility: circuit.Hashed, Shape: tensor.Shape{2}, Lo: -2, Bits: 2, Scale: quantize.PowerOfTwo(1)}
	return &Secrets{
		Salts:   circuit.Salts{"y": salt, circuit.WeightsName: fr.NewElement(3)},
		Outputs: []Value{HiddenValue(&p, []int64{-2, 1})},
	}
}

func TestSecrets(t *testing.T) {
	for _, s := range []*Secrets{someSecrets(), {Salts: circuit.Salts{}, Outputs: []Value{}}} {
		var b bytes.Buffer
		if _, err := s.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		read, err := ReadSecrets(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(read, s) {
			t.Errorf("read %+v, wrote %+v", read, s)
		}
	}
	if got := someSecrets().Outputs[0].Real; got[0] != -1 || got[1] != 0.5 {
		t.Errorf("real values %v", got)
	}
	var good bytes.Buffer
	if _, err := someSecrets().WriteTo(&good); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty":            "",
		"another format":   strings.Replace(good.String(), secretsFormat, proofFormat, 1),
		"another version":  strings.Replace(good.String(), `"version": 1`, `"version": 2`, 1),
		"another member":   strings.Replace(good.String(), `"outputs"`, `"inputs"`, 1),
		"a salt too large": strings.Replace(good.String(), "0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000000", "0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001", 1),
		"something after":  good.String() + "{}",
	} {
		if text == good.String() {
			t.Errorf("%s: nothing is changed", name)
		}
		if _, err := ReadSecrets(strings.NewReader(text)); !errors.Is(err, ErrMismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzSecrets(f *testing.F) {
	var b bytes.Buffer
	if _, err := someSecrets().WriteTo(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ReadSecrets(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, ErrMismatch) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		var again bytes.Buffer
		if _, err := s.WriteTo(&again); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadSecrets(&again); err != nil {
			t.Fatalf("what was written can't be read: %v", err)
		}
	})
}
