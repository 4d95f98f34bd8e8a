package prover

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func FuzzVerifyingKey(f *testing.F) {
	for _, get := range cases {
		var b bytes.Buffer
		if _, err := get().vk.WriteTo(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte(verifyingKeyTag + "\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		vk, err := ReadVerifyingKey(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, ErrMismatch) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		var again bytes.Buffer
		if _, err := vk.WriteTo(&again); err != nil || !bytes.Equal(again.Bytes(), b) {
			t.Fatalf("%x is written again as %x (%v)", b, again.Bytes(), err)
		}
		if proof := cases[1]().proof; vk.ModelID() != proof.ModelID {
			if _, err := Verify(vk, proof, allowDevelopment); err == nil {
				t.Fatal("another key accepts the proof")
			}
		}
	})
}

func FuzzProvingKey(f *testing.F) {
	for _, get := range cases {
		var b bytes.Buffer
		if _, err := get().pk.WriteTo(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte(provingKeyTag + strings.Repeat("\xff", 40)))
	f.Fuzz(func(t *testing.T, b []byte) {
		pk, err := ReadProvingKey(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, ErrMismatch) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		var again bytes.Buffer
		if _, err := pk.WriteTo(&again); err != nil || !bytes.Equal(again.Bytes(), b) {
			t.Fatalf("%x is written again as %x (%v)", b, again.Bytes(), err)
		}
	})
}
