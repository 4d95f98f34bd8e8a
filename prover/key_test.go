package prover

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/internal/shared"
	"github.com/zkml-go/zkml/prover/srs"
)

var update = flag.Bool("update", false, "write the golden files again")

// TestBlob holds the bytes of a blob and the model id, which other implementations
// must reproduce and no release may change.
func TestBlob(t *testing.T) {
	golden := filepath.Join("testdata", "blob.hex")
	vk := cases[1]().vk
	got := hex.EncodeToString(vk.Blob()) + "\n" + vk.ModelID().String() + "\n"
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
		t.Errorf("blob and id are\n%s, want\n%s", got, want)
	}
}

// TestBlobLayout reads the fields at the offsets that the format gives them.
func TestBlobLayout(t *testing.T) {
	a := cases[2]()
	b, key := a.vk.Blob(), a.vk.Plonk()
	manifestDigest, err := a.manifest.Digest()
	if err != nil {
		t.Fatal(err)
	}
	u32 := func(at int) uint64 { return uint64(binary.BigEndian.Uint32(b[at:])) }
	point := func(at int, p *bn254.G1Affine) bool {
		raw := p.RawBytes()
		return bytes.Equal(b[at:at+64], raw[:])
	}
	tau := a.pk.SRS().TauG2.RawBytes() // gnark-crypto's order is EIP-197's
	for what, ok := range map[string]bool{
		"size":          len(b) == 5+2+32+32+12+2*4+64*10+128,
		"tag":           string(b[:5]) == "\x00zkml",
		"version":       b[5] == 0 && b[6] == 1,
		"program":       bytes.Equal(b[7:39], a.manifest.ProgramDigest[:]),
		"manifest":      bytes.Equal(b[39:71], manifestDigest[:]),
		"domain":        1<<u32(71) == key.Size,
		"public words":  u32(75) == 4,
		"commitments":   u32(79) == 2,
		"rows":          u32(83) == key.CommitmentConstraintIndexes[0] && u32(87) == key.CommitmentConstraintIndexes[1],
		"S1":            point(91, &key.S[0]),
		"S3":            point(91+2*64, &key.S[2]),
		"Ql":            point(91+3*64, &key.Ql),
		"Qr":            point(91+4*64, &key.Qr),
		"Qm":            point(91+5*64, &key.Qm),
		"Qo":            point(91+6*64, &key.Qo),
		"Qk":            point(91+7*64, &key.Qk),
		"Qcp":           point(91+8*64, &key.Qcp[0]) && point(91+9*64, &key.Qcp[1]),
		"[τ]₂":          bytes.Equal(b[91+10*64:], tau[:]),
		"id is keccak":  a.vk.ModelID() == keccak(b),
		"gnark's index": key.CommitmentConstraintIndexes[0] < key.CommitmentConstraintIndexes[1],
	} {
		if !ok {
			t.Errorf("%s isn't where it should be", what)
		}
	}
}

// TestKeyFiles writes and reads both keys, and uses what was read.
func TestKeyFiles(t *testing.T) {
	for c, get := range cases {
		a := get()
		var file bytes.Buffer
		if _, err := a.vk.WriteTo(&file); err != nil {
			t.Fatal(err)
		}
		vk, err := ReadVerifyingKey(&file)
		if err != nil {
			t.Fatal(err)
		}
		if vk.ModelID() != a.vk.ModelID() || !reflect.DeepEqual(vk.Manifest(), a.manifest) {
			t.Errorf("%d commitments: another key was read", c)
		}
		if differences := CompareKeys(vk, a.vk); len(differences) > 0 {
			t.Errorf("%d commitments: %v", c, differences)
		}
		if _, err := Verify(vk, a.proof, allowDevelopment); err != nil {
			t.Errorf("%d commitments: %v", c, err)
		}
		if _, err := a.pk.WriteTo(&file); err != nil {
			t.Fatal(err)
		}
		if file.Len() > 2000 {
			t.Errorf("proving key's file has %d bytes", file.Len())
		}
		pk, err := ReadProvingKey(&file)
		if err != nil {
			t.Fatal(err)
		}
		if pk.SRSName() != "development" || pk.SRS() != nil {
			t.Errorf("string is %q, attached %v", pk.SRSName(), pk.SRS() != nil)
		}
		if err := pk.Attach(a.pk.SRS()); err != nil {
			t.Fatal(err)
		}
		proof, err := Prove(context.Background(), a.system, pk, adderWitness(t, 1000, 1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify(a.vk, proof, allowDevelopment); err != nil {
			t.Error(err)
		}
		if err := vk.CheckModel(a.manifest); err != nil {
			t.Error(err)
		}
		for _, spoil := range []func(*circuit.Manifest){
			func(m *circuit.Manifest) { m.ProgramDigest[0]++ },
			func(m *circuit.Manifest) { m.Outputs[0].Lo++ },
		} {
			other := adderManifest()
			spoil(other)
			if err := vk.CheckModel(other); !errors.Is(err, ErrMismatch) {
				t.Errorf("another model: %v", err)
			}
		}
	}
}

// TestLongName writes the longest name that fits a proving key's file.
func TestLongName(t *testing.T) {
	pk := *cases[1]().pk
	pk.srsName = strings.Repeat("n", 300)
	var file bytes.Buffer
	if _, err := pk.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	read, err := ReadProvingKey(&file)
	if err != nil {
		t.Fatal(err)
	}
	if read.SRSName() != pk.srsName[:255] {
		t.Errorf("name of %d bytes was read", len(read.SRSName()))
	}
}

// TestSetupIsDeterministic makes the same keys twice.
func TestSetupIsDeterministic(t *testing.T) {
	a := cases[1]()
	_, vk, err := Setup(compileAdder(t, 1000, 1), adderManifest(), a.pk.SRS())
	if err != nil {
		t.Fatal(err)
	}
	if vk.ModelID() != a.vk.ModelID() {
		t.Errorf("the model id is %v and %v", a.vk.ModelID(), vk.ModelID())
	}
}

// TestCeremonyKey proves under the real ceremony's string.
func TestCeremonyKey(t *testing.T) {
	cache := srs.NewCache(t.TempDir())
	if _, _, err := cache.Import(context.Background(), shared.Path(t, "srs/powersOfTau28_hez_final_08.ptau"), srs.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	dev := cases[1]()
	s, err := cache.Select(DomainLog(dev.system), srs.Selection{})
	if err != nil {
		t.Fatal(err)
	}
	a := newAdderCase(t, 1000, 1, s)
	verdict, err := Verify(a.vk, a.proof, Expectation{})
	if err != nil {
		t.Fatal(err)
	}
	if verdict.Development || verdict.Ceremony == "" {
		t.Errorf("ceremony %q, development %v", verdict.Ceremony, verdict.Development)
	}
	if err := dev.pk.Attach(s); !errors.Is(err, srs.ErrInvalid) || !errors.Is(err, ErrSRS) {
		t.Errorf("another string attached: %v", err)
	}
	differences := CompareKeys(a.vk, dev.vk)
	if len(differences) == 0 || differences[0].What != "reference string" {
		t.Errorf("keys under two strings: %v", differences)
	}
}

// outsideSubgroup returns a point on G2's curve that isn't in the subgroup.
func outsideSubgroup(t *testing.T) []byte {
	var p bn254.G2Affine
	_, _, _, g2 := bn254.Generators()
	var b, right bn254.E2
	b.Square(&g2.Y)
	right.Square(&g2.X).Mul(&right, &g2.X)
	b.Sub(&b, &right) // the curve's constant
	for x := uint64(1); ; x++ {
		p.X.A0.SetUint64(x)
		right.Square(&p.X).Mul(&right, &p.X).Add(&right, &b)
		if right.Legendre() != 1 {
			continue
		}
		p.Y.Sqrt(&right)
		if p.IsOnCurve() && !p.IsInSubGroup() {
			encoded := srs.EncodeG2(&p)
			return encoded[:]
		}
	}
}

// TestBadBlobs spoils each field of a blob.
func TestBadBlobs(t *testing.T) {
	a := cases[2]()
	const rows, points = 83, 91
	modulus := fp.Modulus().FillBytes(make([]byte, 32))
	put32 := func(at int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { binary.BigEndian.PutUint32(b[at:], v); return b }
	}
	put := func(at int, v []byte) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[at:], v); return b }
	}
	tau := len(a.vk.Blob()) - 128
	for name, spoil := range map[string]func([]byte) []byte{
		"empty":                      func(b []byte) []byte { return nil },
		"short":                      func(b []byte) []byte { return b[:len(b)-1] },
		"long":                       func(b []byte) []byte { return append(b, 0) },
		"tag":                        put(0, []byte{0xef}),
		"version":                    put(5, []byte{0, 2}),
		"manifest digest":            put(39, []byte{1, 2, 3, 4}),
		"no domain":                  put32(71, 0),
		"huge domain":                put32(71, 29),
		"domain above 63":            put32(71, 0xffffffff),
		"domain too small for rows":  put32(71, 3),
		"no public words":            put32(75, 0),
		"other public words":         put32(75, 5),
		"public words above domain":  put32(75, 0xffffffff),
		"fewer commitments":          put32(79, 1),
		"more commitments":           put32(79, 3),
		"huge number of commitments": put32(79, 0xffffffff),
		"row outside the domain":     put32(rows+4, 1<<uint(a.vk.Log())-4),
		"row far outside":            put32(rows+4, 0xffffffff),
		"rows out of order":          put32(rows+4, 0),
		"point off the curve":        put(points+3, []byte{1}),
		"coordinate not reduced":     put(points, modulus),
		"S1 at infinity":             put(points, make([]byte, 64)),
		"Qcp at infinity":            put(points+9*64, make([]byte, 64)),
		"compressed flag":            func(b []byte) []byte { b[points] |= 0x80; return b },
		"[τ]₂ at infinity":           put(tau, make([]byte, 128)),
		"[τ]₂ off the curve":         func(b []byte) []byte { b[tau+50] ^= 1; return b },
		"[τ]₂ outside the subgroup":  put(tau, outsideSubgroup(t)),
		"[τ]₂ not reduced":           put(tau, modulus),
	} {
		vk, err := newVerifyingKey(spoil(a.vk.Blob()), a.manifest)
		if !errors.Is(err, ErrMismatch) || vk != nil {
			t.Errorf("%s: %v", name, err)
		}
		var fileError *FileError
		if !errors.As(err, &fileError) || fileError.File != "model.vk" || !strings.HasPrefix(err.Error(), "model.vk: ") {
			t.Errorf("%s: %v doesn't name the file", name, err)
		}
	}
	// Selectors may be zero polynomials, and two keys may differ in nothing else.
	vk, err := newVerifyingKey(put(points+5*64, make([]byte, 64))(a.vk.Blob()), a.manifest)
	if err != nil {
		t.Fatal(err)
	}
	if d := CompareKeys(a.vk, vk); len(d) != 1 || d[0].What != "selector Qm" {
		t.Errorf("differences: %v", d)
	}
}

// TestChangedKeyFiles changes each byte of both files: either the file is refused,
// or it is another model's.
func TestChangedKeyFiles(t *testing.T) {
	a := cases[1]()
	var vkFile, pkFile bytes.Buffer
	if _, err := a.vk.WriteTo(&vkFile); err != nil {
		t.Fatal(err)
	}
	if _, err := a.pk.WriteTo(&pkFile); err != nil {
		t.Fatal(err)
	}
	for i := range vkFile.Bytes() {
		b := slices.Clone(vkFile.Bytes())
		b[i] ^= 0x04
		vk, err := ReadVerifyingKey(bytes.NewReader(b))
		if err == nil && vk.ModelID() == a.vk.ModelID() || err != nil && !errors.Is(err, ErrMismatch) {
			t.Fatalf("model.vk, byte %d changed: %v", i, err)
		}
		if err == nil {
			if _, err := Verify(vk, a.proof, allowDevelopment); !errors.Is(err, ErrMismatch) {
				t.Fatalf("model.vk, byte %d changed: %v", i, err)
			}
		}
		if _, err := ReadVerifyingKey(bytes.NewReader(b[:i])); !errors.Is(err, ErrMismatch) {
			t.Fatalf("model.vk, %d bytes: %v", i, err)
		}
	}
	const name = 8 + 32 + 1
	for i := range pkFile.Bytes() {
		b := slices.Clone(pkFile.Bytes())
		b[i] ^= 0x04
		pk, err := ReadProvingKey(bytes.NewReader(b))
		inName := i >= name && i < name+len("development")
		if err == nil && pk.VerifyingKey().ModelID() == a.vk.ModelID() && !inName || err != nil && !errors.Is(err, ErrMismatch) {
			t.Fatalf("model.pk, byte %d changed: %v", i, err)
		}
		if _, err := ReadProvingKey(bytes.NewReader(b[:i])); !errors.Is(err, ErrMismatch) {
			t.Fatalf("model.pk, %d bytes: %v", i, err)
		}
	}
	// Pairing lines, or anything else, after the end.
	for _, more := range []int{1, 4 + 64, 2 * 2 * 66 * 128} {
		if _, err := ReadVerifyingKey(bytes.NewReader(append(slices.Clone(vkFile.Bytes()), make([]byte, more)...))); !errors.Is(err, ErrMismatch) {
			t.Errorf("model.vk and %d bytes: %v", more, err)
		}
		if _, err := ReadProvingKey(bytes.NewReader(append(slices.Clone(pkFile.Bytes()), make([]byte, more)...))); !errors.Is(err, ErrMismatch) {
			t.Errorf("model.pk and %d bytes: %v", more, err)
		}
	}
	if _, err := ReadVerifyingKey(&endless{}); !errors.Is(err, ErrMismatch) {
		t.Errorf("endless file: %v", err)
	}
	if _, err := ReadProvingKey(&endless{}); !errors.Is(err, ErrMismatch) {
		t.Errorf("endless file: %v", err)
	}
}

// endless is a file without an end.
type endless struct{}

func (*endless) Read(b []byte) (int, error) { return len(b), nil }

func TestCompareKeys(t *testing.T) {
	a, other, two := cases[1](), newAdderCase(t, 1001, 1, nil), cases[2]()
	named := func(d []Difference) (names []string) {
		for _, x := range d {
			names = append(names, x.What)
		}
		return names
	}
	if got := named(CompareKeys(a.vk, other.vk)); !slices.Equal(got, []string{"selector Qk"}) {
		t.Errorf("another constant: %v", got)
	}
	if got := named(CompareKeys(a.vk, two.vk)); !slices.Contains(got, "commitment rows") {
		t.Errorf("another circuit: %v", got)
	}
	manifest := adderManifest()
	manifest.Model, manifest.ProgramDigest = "other", [32]byte{4}
	manifest.Outputs[0].Scale.Exp++
	manifest.Outputs[0].Labels = []string{"x"}
	_, vk, err := Setup(a.system, manifest, a.pk.SRS())
	if err != nil {
		t.Fatal(err)
	}
	if got := named(CompareKeys(a.vk, vk)); !slices.Equal(got, []string{"program digest", "model name", "output 0: scale", "output 0: labels"}) {
		t.Errorf("another manifest: %v", got)
	}
}
