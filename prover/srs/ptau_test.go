package srs

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"

	"github.com/zkml-go/zkml/internal/shared"
)

const hermez08 = "srs/powersOfTau28_hez_final_08.ptau"

// TestImportCeremony imports a file of the real ceremony.
func TestImportCeremony(t *testing.T) {
	path := shared.Path(t, hermez08)
	cache := NewCache(t.TempDir())
	last := 0.
	ceremony, entries, err := cache.Import(context.Background(), path, ImportOptions{Progress: func(part float64) {
		if part < last || part > 1 {
			t.Errorf("progress goes from %v to %v", last, part)
		}
		last = part
	}})
	if err != nil {
		t.Fatal(err)
	}
	if ceremony.Name != "powersOfTau28_hez_final_08.ptau" || !ceremony.Published || ceremony.Log != 8 || !ceremony.Prepared {
		t.Errorf("ceremony is %+v", ceremony)
	}
	if last < 0.9 {
		t.Errorf("progress ends at %v", last)
	}
	if len(entries) != 8 {
		t.Errorf("%d entries: want one for each of 2^1 to 2^8", len(entries))
	}
	s, err := cache.Select(8, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	want, err := kzg.ToLagrangeG1(slices.Clone(s.Powers[:256]))
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if !want[i].Equal(&s.Lagrange[i]) {
			t.Fatalf("Lagrange point %d isn't gnark-crypto's", i)
		}
	}
	if CeremonyName(s.ID()) == "" || s.Development() {
		t.Errorf("ID %v isn't the ceremony's", s.ID())
	}
}

// makePtau returns a .ptau file for a secret, of power 3, and its sections.
func makePtau(secret int64) map[uint32][]byte {
	const power = 3
	tau := fr.NewElement(uint64(secret))
	if secret == 0 {
		tau, _ = developmentTau()
	}
	_, _, g1, g2 := bn254.Generators()
	header := binary.LittleEndian.AppendUint32(nil, fp.Bytes)
	modulus := fp.Modulus().FillBytes(make([]byte, fp.Bytes))
	slices.Reverse(modulus)
	header = append(header, modulus...)
	header = binary.LittleEndian.AppendUint32(header, power)
	header = binary.LittleEndian.AppendUint32(header, 28)
	scalars := make([]fr.Element, 2<<power-1)
	scalars[0].SetOne()
	for i := 1; i < len(scalars); i++ {
		scalars[i].Mul(&scalars[i-1], &tau)
	}
	sections := map[uint32][]byte{ptauHeader: header, ptauPowers: encodeG1(multiplyFixed(&g1, scalars)), 7: []byte("contributions")}
	for _, s := range scalars[:1<<power] {
		var p bn254.G2Affine
		p.ScalarMultiplication(&g2, s.BigInt(new(big.Int)))
		for _, c := range []*fp.Element{&p.X.A0, &p.X.A1, &p.Y.A0, &p.Y.A1} {
			sections[ptauPowersG2] = appendMontgomery(sections[ptauPowersG2], c)
		}
	}
	for log := range power + 1 {
		if secret == 1 {
			break // it lies in the domain
		}
		values := make([]fr.Element, 1<<log)
		lagrangeAt(values, &tau, &scalars[1<<log])
		sections[ptauLagrange] = append(sections[ptauLagrange], encodeG1(multiplyFixed(&g1, values))...)
	}
	sections[ptauLagrange] = append(sections[ptauLagrange], make([]byte, 2<<power*g1Size)...)
	return sections
}

func encodeG1(points []bn254.G1Affine) (b []byte) {
	for i := range points {
		b = appendMontgomery(appendMontgomery(b, &points[i].X), &points[i].Y)
	}
	return b
}

// container puts sections into a .ptau file.
func container(sections map[uint32][]byte) []byte {
	b := append([]byte("ptau"), 1, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(sections)))
	for _, number := range slices.Sorted(maps.Keys(sections)) {
		b = binary.LittleEndian.AppendUint32(b, number)
		b = binary.LittleEndian.AppendUint64(b, uint64(len(sections[number])))
		b = append(b, sections[number]...)
	}
	return b
}

// importBytes imports a file with these bytes, whatever its digest.
func importBytes(t *testing.T, cache *Cache, b []byte) ([]Entry, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.ptau")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	_, _, err := cache.Import(context.Background(), path, ImportOptions{})
	if err == nil {
		t.Error("a file with an unknown digest was imported")
	}
	if errors.Is(err, ErrInvalid) && strings.Contains(err.Error(), "published digest") {
		_, digest, _ := strings.Cut(err.Error(), "BLAKE2b-512 is ")
		_, entries, err := cache.Import(context.Background(), path, ImportOptions{Digest: digest[:128]})
		return entries, err
	}
	return nil, err
}

// TestImportRefuses spoils a good file in one place after the other.
func TestImportRefuses(t *testing.T) {
	cache := NewCache(t.TempDir())
	if entries, err := importBytes(t, cache, container(makePtau(5))); err != nil || len(entries) != 3 {
		t.Fatalf("good file: %v, %d entries", err, len(entries))
	}
	other := makePtau(6)
	for _, test := range []struct {
		name  string
		spoil func(s map[uint32][]byte)
		want  error
	}{
		{"development secret", func(s map[uint32][]byte) { maps.Copy(s, makePtau(0)) }, ErrDevelopment},
		{"secret of 1", func(s map[uint32][]byte) { maps.Copy(s, makePtau(1)) }, ErrInvalid},
		{"no header", func(s map[uint32][]byte) { delete(s, ptauHeader) }, ErrInvalid},
		{"another curve", func(s map[uint32][]byte) { s[ptauHeader][5] ^= 1 }, ErrInvalid},
		{"wider coordinates", func(s map[uint32][]byte) { s[ptauHeader][0] = 48 }, ErrInvalid},
		{"larger power", func(s map[uint32][]byte) { s[ptauHeader][36]++ }, ErrInvalid},
		{"huge power", func(s map[uint32][]byte) { s[ptauHeader][39] = 0x80 }, ErrInvalid},
		{"no powers", func(s map[uint32][]byte) { delete(s, ptauPowers) }, ErrInvalid},
		{"no G2", func(s map[uint32][]byte) { delete(s, ptauPowersG2) }, ErrInvalid},
		{"short powers", func(s map[uint32][]byte) { s[ptauPowers] = s[ptauPowers][:64] }, ErrInvalid},
		{"short Lagrange section", func(s map[uint32][]byte) { s[ptauLagrange] = s[ptauLagrange][:64] }, ErrInvalid},
		{"last power", func(s map[uint32][]byte) { n := len(s[ptauPowers]); copy(s[ptauPowers][n-64:], s[ptauPowers]) }, ErrInvalid},
		{"power in the middle", func(s map[uint32][]byte) { copy(s[ptauPowers][5*64:6*64], other[ptauPowers][5*64:]) }, ErrInvalid},
		{"scaled powers", func(s map[uint32][]byte) { s[ptauPowers] = append(other[ptauPowers][64:], other[ptauPowers][:64]...) }, ErrInvalid},
		{"all powers of another secret", func(s map[uint32][]byte) { s[ptauPowers] = other[ptauPowers] }, ErrInvalid},
		{"G2 of another secret", func(s map[uint32][]byte) { s[ptauPowersG2] = other[ptauPowersG2] }, ErrInvalid},
		{"another generator of G2", func(s map[uint32][]byte) { copy(s[ptauPowersG2][:128], s[ptauPowersG2][128:256]) }, ErrInvalid},
		{"point off the curve", func(s map[uint32][]byte) { s[ptauPowers][64] ^= 1 }, ErrInvalid},
		{"point at infinity", func(s map[uint32][]byte) { clear(s[ptauPowers][64:128]) }, ErrInvalid},
		{"coordinate above the modulus", func(s map[uint32][]byte) { s[ptauPowers][64+31] = 0xff }, ErrInvalid},
		{"Lagrange point", func(s map[uint32][]byte) { copy(s[ptauLagrange][7*64:8*64], s[ptauLagrange][8*64:]) }, ErrInvalid},
		{"Lagrange points of another secret", func(s map[uint32][]byte) { s[ptauLagrange] = other[ptauLagrange] }, ErrInvalid},
	} {
		sections := makePtau(5)
		test.spoil(sections)
		if _, err := importBytes(t, NewCache(t.TempDir()), container(sections)); !errors.Is(err, test.want) {
			t.Errorf("%s: %v: want %v", test.name, err, test.want)
		}
	}
	twice := container(makePtau(5))
	twice[8]++
	twice = append(twice, container(map[uint32][]byte{ptauPowers: {1}})[12:]...)
	if _, err := importBytes(t, cache, twice); !errors.Is(err, ErrInvalid) {
		t.Errorf("section twice: %v", err)
	}
	whole := container(makePtau(5))
	for n := 0; n < len(whole); n += 1 + n/16 {
		if _, err := importBytes(t, cache, whole[:n]); !errors.Is(err, ErrInvalid) {
			t.Errorf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
}

// TestChunks reads and checks the powers a few at a time, and spoils each.
func TestChunks(t *testing.T) {
	sections, other := makePtau(5), makePtau(6)
	for _, chunk := range []int{1, 2, 4, 5, 14, 15, 16} {
		for spoiled := -1; spoiled < 15; spoiled++ {
			edited := maps.Clone(sections)
			if spoiled >= 0 {
				edited[ptauPowers] = slices.Clone(sections[ptauPowers])
				copy(edited[ptauPowers][spoiled*64:spoiled*64+64], other[ptauPowers][14*64:])
			}
			b := container(edited)
			p, err := openPtau(bytes.NewReader(b), int64(len(b)))
			if err != nil {
				t.Fatal(err)
			}
			p.chunk = chunk
			powers, err := p.powers(11, func(int) error { return nil })
			if spoiled >= 0 {
				if !errors.Is(err, ErrInvalid) {
					t.Errorf("%d at a time, power %d spoiled: %v", chunk, spoiled, err)
				}
				continue
			}
			if err != nil || !bytes.Equal(encodeG1(powers), sections[ptauPowers][:11*64]) {
				t.Errorf("%d at a time: %v, %d powers", chunk, err, len(powers))
			}
		}
	}
}

func TestImportDigest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "powersOfTau28_hez_final_08.ptau")
	if err := os.WriteFile(path, container(makePtau(5)), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if _, err := VerifyFile(ctx, path, ImportOptions{}); !errors.Is(err, ErrInvalid) {
		t.Errorf("a ceremony's name with another file: %v", err)
	}
	if _, err := VerifyFile(ctx, path, ImportOptions{Digest: hermez[0].digest}); !errors.Is(err, ErrInvalid) {
		t.Errorf("a ceremony's digest with another file: %v", err)
	}
	if _, err := VerifyFile(ctx, path+"x", ImportOptions{}); !errors.Is(err, ErrMissing) {
		t.Errorf("no file: %v", err)
	}
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := VerifyFile(canceled, path, ImportOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestUnprepared computes the Lagrange points of a file that has none.
func TestUnprepared(t *testing.T) {
	cache := NewCache(t.TempDir())
	sections := makePtau(5)
	delete(sections, ptauLagrange)
	entries, err := importBytes(t, cache, container(sections))
	if err != nil || len(entries) != 1 || entries[0].HasLagrange {
		t.Fatalf("%v, entries %+v", err, entries)
	}
	for _, log := range []int{3, 2, 3} {
		s, err := cache.Select(log, Selection{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Log != log || len(s.Lagrange) != 1<<log {
			t.Errorf("2^%d: string for 2^%d with %d Lagrange points", log, s.Log, len(s.Lagrange))
		}
		if err := s.Check(); err != nil {
			t.Errorf("2^%d: %v", log, err)
		}
	}
	if entries, err = cache.List(); err != nil || len(entries) != 2 || !entries[0].HasLagrange || !entries[1].HasLagrange {
		t.Errorf("%v, entries %+v", err, entries)
	}
}

// FuzzPtau checks that no file makes the reader panic, and that what it accepts
// are the powers of one secret.
func FuzzPtau(f *testing.F) {
	sections := makePtau(5)
	f.Add(container(sections))
	delete(sections, ptauLagrange)
	f.Add(container(sections))
	f.Add(container(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := openPtau(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		powers, err := p.powers(1<<p.power+extraPowers, func(int) error { return nil })
		if err != nil || !p.prepared() {
			return
		}
		if _, err := p.lagrange(p.power, powers); err != nil && !errors.Is(err, ErrInvalid) {
			t.Fatalf("untyped error %v", err)
		}
	})
}
