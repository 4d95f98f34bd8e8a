package prover

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// text returns a proof's file.
func text(t testing.TB, p *Proof) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := p.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestProofFile(t *testing.T) {
	for c, get := range cases {
		a := get()
		file := text(t, a.proof)
		if !json.Valid([]byte(file)) {
			t.Fatalf("%d commitments: not JSON:\n%s", c, file)
		}
		read, err := ReadProof(strings.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(read.Words, a.proof.Words) || read.ModelID != a.proof.ModelID || !bytes.Equal(read.Raw, a.proof.Raw) {
			t.Errorf("%d commitments: another proof was read", c)
		}
		if _, err := Verify(a.vk, read, allowDevelopment); err != nil {
			t.Errorf("%d commitments: %v", c, err)
		}
		// Another program may lay the same object out in another way.
		var loose map[string]any
		if err := json.Unmarshal([]byte(file), &loose); err != nil {
			t.Fatal(err)
		}
		other, err := json.MarshalIndent(loose, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if read, err = ReadProof(bytes.NewReader(other)); err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(a.vk, read, allowDevelopment); err != nil {
			t.Errorf("%d commitments, laid out otherwise: %v", c, err)
		}
	}
}

// TestProofFileFormat holds the format of proof.json.
func TestProofFileFormat(t *testing.T) {
	p := *cases[0]().proof
	p.Raw = p.Raw[:4]
	got := strings.Replace(text(t, &p), "0x"+hex.EncodeToString(p.Raw), "0x…", 1)
	golden := filepath.Join("testdata", "proof.json.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("file is\n%s, want\n%s", got, want)
	}
}

// TestBadProofFiles edits the text of a proof's file.
func TestBadProofFiles(t *testing.T) {
	a := cases[1]()
	file := text(t, a.proof)
	context := Word(a.proof.Context()).String()
	modulus := "0x" + hex.EncodeToString(fr.Modulus().FillBytes(make([]byte, 32)))
	above := "0x" + hex.EncodeToString(new(big.Int).Add(fr.Modulus(), big.NewInt(adderContext)).FillBytes(make([]byte, 32)))
	raw := hex.EncodeToString(a.proof.Raw)
	if strings.Count(file, context) != 2 {
		t.Fatal("the context isn't in the file twice")
	}
	for _, test := range []struct {
		name, old, new string
		want           error
	}{
		{"word plus the modulus", context, above, ErrRejected},
		{"word equal to the modulus", context, modulus, ErrRejected},
		{"word of all ones", context, "0x" + strings.Repeat("f", 64), ErrRejected},
		{"word in upper case", context[:10], "0X00000000", ErrRejected},
		{"short word", context, context[:65], ErrRejected},
		{"word without 0x", `"` + context, `"` + context[2:], ErrRejected},
		{"word as a number", `"` + context + `"`, "99", ErrRejected},
		{"another context", `"context": "` + context, `"context": "` + strings.Replace(context, "63", "64", 1), ErrRejected},
		{"another model", a.vk.ModelID().String(), "0x" + strings.Repeat("12", 32), ErrMismatch},
		{"model in upper case", a.vk.ModelID().String(), strings.ToUpper(a.vk.ModelID().String()), ErrRejected},
		{"no model", `"model": "` + a.vk.ModelID().String() + `",`, "", ErrRejected},
		{"null model", `"` + a.vk.ModelID().String() + `"`, "null", ErrRejected},
		{"no context", `"context": "` + context + `",`, "", ErrRejected},
		{"unknown member", `"version"`, `"comment": "", "version"`, ErrRejected},
		{"unknown member of a value", `"role"`, `"comment": "", "role"`, ErrRejected},
		{"member twice", `"version": 1`, `"version": 1, "version": 1`, ErrRejected},
		{"member of a value twice", `"name":"out"`, `"name":"out","name":"out"`, ErrRejected},
		{"member in another case", `"version"`, `"Version"`, ErrRejected},
		{"member twice in two cases", `"version": 1`, `"version": 1, "VERSION": 1`, ErrRejected},
		{"after the object", "\n  ]\n}\n", "\n  ]\n} {}", ErrRejected},
		{"bracket after the object", "\n  ]\n}\n", "\n  ]\n}]", ErrRejected},
		{"another format", `"zkml-proof"`, `"proof"`, ErrRejected},
		{"another version", `"version": 1`, `"version": 2`, ErrRejected},
		{"version as a string", `"version": 1`, `"version": "1"`, ErrRejected},
		{"proof in upper case", raw, strings.ToUpper(raw), ErrRejected},
		{"odd number of digits", raw, raw[1:], ErrRejected},
		{"not hexadecimal", raw, "zz" + raw[2:], ErrRejected},
		{"short proof", raw, raw[2:], ErrRejected},
		{"a commitment more", raw, raw + raw[:2*96], ErrRejected},
		{"no proof", raw, "", ErrRejected},
		{"edited output", `"integers":[` + big.NewInt(0x030201+1000-5).String() + `]`, `"integers":[1]`, ErrRejected},
		{"edited real output", `"real":[` + "12382.25" + `]`, `"real":[1]`, ErrRejected},
		{"output out of float64", `"real":[` + "12382.25" + `]`, `"real":[1e999]`, ErrRejected},
		{"fraction", `"integers":[1,2,3]`, `"integers":[1.5,2,3]`, ErrRejected},
		{"integer out of int64", `"integers":[1,2,3]`, `"integers":[1,2,99999999999999999999]`, ErrRejected},
		{"not UTF-8", `"name":"out"`, "\"name\":\"\xff\"", ErrRejected},
		{"deep nesting", `"values": [`, `"values": [` + strings.Repeat("[", 100000), ErrRejected},
		{"cut in half", file[len(file)/2:], "", ErrRejected},
		{"nothing", file, "", ErrRejected},
		{"a list", file, "[]", ErrRejected},
		{"null", file, "null", ErrRejected},
	} {
		edited := strings.ReplaceAll(file, test.old, test.new)
		if edited == file {
			t.Errorf("%s: nothing was edited", test.name)
			continue
		}
		proof, err := ReadProof(strings.NewReader(edited))
		if err == nil {
			_, err = Verify(a.vk, proof, allowDevelopment)
		}
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v: want %v", test.name, err, test.want)
		}
	}
	if _, err := ReadProof(&endless{}); !errors.Is(err, ErrRejected) {
		t.Errorf("endless file: %v", err)
	}
}

// TestChangedProofFile changes each byte of the file: the result is refused, or it
// says the same (a changed space, a digit that reads as the same float64).
func TestChangedProofFile(t *testing.T) {
	a := cases[0]()
	file := []byte(text(t, a.proof))
	for i := range file {
		for _, change := range []byte{0x01, 0x20, 0x80} {
			edited := bytes.Clone(file)
			edited[i] ^= change
			proof, err := ReadProof(bytes.NewReader(edited))
			if err == nil {
				_, err = Verify(a.vk, proof, allowDevelopment)
			}
			if err == nil && file[i] != ' ' && file[i] != '\n' {
				t.Fatalf("byte %d, %q, changed to %q: accepted", i, file[i], edited[i])
			}
			if err != nil && !errors.Is(err, ErrRejected) && !errors.Is(err, ErrMismatch) {
				t.Fatalf("byte %d, %q, changed to %q: untyped error %v", i, file[i], edited[i], err)
			}
		}
	}
}

func TestWordText(t *testing.T) {
	for _, s := range []string{"0x" + strings.Repeat("0", 64), Word(fr.NewElement(7)).String()} {
		w, err := ParseWord(s)
		if err != nil || Word(w).String() != s {
			t.Errorf("%s is read as %s (%v)", s, Word(w), err)
		}
	}
	if _, err := ParseWord("0x07"); err == nil {
		t.Error("a short word was read")
	}
	if _, err := ParseModelID("12"); err == nil {
		t.Error("a short id was read")
	}
	id := cases[0]().vk.ModelID()
	if got, err := ParseModelID(id.String()); err != nil || got != id {
		t.Errorf("%s is read as %s (%v)", id, got, err)
	}
}

// stored returns the committed proof file of the case with c commitments. Proofs
// are random, so that a stored one is what runs and releases can share.
func stored(t testing.TB, c int) []byte {
	t.Helper()
	path := filepath.Join("testdata", fmt.Sprintf("proof-%d.json", c))
	if *update {
		if err := os.WriteFile(path, []byte(text(t, cases[c]().proof)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestStoredProof accepts proofs that an earlier program made.
func TestStoredProof(t *testing.T) {
	for c, get := range cases {
		proof, err := ReadProof(bytes.NewReader(stored(t, c)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(get().vk, proof, allowDevelopment); err != nil {
			t.Errorf("%d commitments: %v", c, err)
		}
	}
}

func FuzzProof(f *testing.F) {
	var known []*Proof
	for c := range cases {
		b := stored(f, c)
		proof, err := ReadProof(bytes.NewReader(b))
		if err != nil {
			f.Fatal(err)
		}
		known = append(known, proof)
		f.Add(b)
	}
	f.Add([]byte(`{"format":"zkml-proof","version":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		proof, err := ReadProof(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, ErrRejected) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		again, err := ReadProof(strings.NewReader(text(t, proof)))
		if err != nil {
			t.Fatalf("what was read can't be read again: %v", err)
		}
		if again.ModelID != proof.ModelID || !bytes.Equal(again.Raw, proof.Raw) || !slices.Equal(again.Words, proof.Words) {
			t.Fatal("what was read is written otherwise")
		}
		for c, get := range cases {
			_, err := Verify(get().vk, proof, allowDevelopment)
			if err == nil && (!bytes.Equal(proof.Raw, known[c].Raw) || !slices.Equal(proof.Words, known[c].Words)) {
				t.Fatal("a proof was forged")
			}
		}
	})
}

// FuzzRaw decodes raw proofs.
func FuzzRaw(f *testing.F) {
	for c, get := range cases {
		f.Add(get().proof.Raw, c)
	}
	f.Add(make([]byte, RawSize(-8)), -8)
	f.Fuzz(func(t *testing.T, raw []byte, c int) {
		p, err := ParseRaw(raw, c)
		if err != nil {
			return
		}
		var again bytes.Buffer
		if _, err := p.WriteRawTo(&again); err != nil || !bytes.Equal(again.Bytes(), raw) {
			t.Fatalf("%x is written again as %x (%v)", raw, again.Bytes(), err)
		}
	})
}
