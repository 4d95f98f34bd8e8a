package srs

import (
	"math/big"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"
)

// TestDevelopmentEqualsGnark compares both forms with what gnark-crypto makes from
// the same τ.
func TestDevelopmentEqualsGnark(t *testing.T) {
	tau, _ := developmentTau()
	for _, log := range []int{1, 2, 5, 10} {
		got, err := Development(log)
		if err != nil {
			t.Fatal(err)
		}
		want, err := kzg.NewSRS(uint64(1<<log+extraPowers), tau.BigInt(new(big.Int)))
		if err != nil {
			t.Fatal(err)
		}
		lagrange, err := kzg.ToLagrangeG1(want.Pk.G1[:1<<log])
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Powers) != len(want.Pk.G1) || len(got.Lagrange) != len(lagrange) {
			t.Fatalf("2^%d: %d powers, %d Lagrange points", log, len(got.Powers), len(got.Lagrange))
		}
		for i := range want.Pk.G1 {
			if !got.Powers[i].Equal(&want.Pk.G1[i]) {
				t.Fatalf("2^%d: power %d differs", log, i)
			}
		}
		for i := range lagrange {
			if !got.Lagrange[i].Equal(&lagrange[i]) {
				t.Fatalf("2^%d: Lagrange point %d differs", log, i)
			}
		}
		if got.Canonical().Vk != want.Vk {
			t.Fatalf("2^%d: verifying key differs", log)
		}
	}
}

// TestMultiplyFixedEdges covers the scalars at which an addition meets infinity,
// itself or its inverse.
func TestMultiplyFixedEdges(t *testing.T) {
	_, _, g1, _ := bn254.Generators()
	for _, n := range []int{1, 40, 3000} {
		scalars := make([]fr.Element, n)
		for i := range scalars {
			switch i % 4 {
			case 0:
				scalars[i].SetInt64(int64(i/4) - 5)
			case 1:
				scalars[i].SetBigInt(new(big.Int).Lsh(big.NewInt(int64(i)), uint(i%250)))
			case 2:
				scalars[i].SetBigInt(new(big.Int).Sub(fr.Modulus(), new(big.Int).Lsh(big.NewInt(1), uint(i%254))))
			default:
				scalars[i].MustSetRandom()
			}
		}
		got := multiplyFixed(&g1, scalars)
		want := bn254.BatchScalarMultiplicationG1(&g1, scalars)
		for i := range got {
			if !got[i].Equal(&want[i]) {
				t.Fatalf("%d scalars: product %d by %s differs", n, i, scalars[i].String())
			}
		}
	}
}

func TestDevelopmentRefusesSize(t *testing.T) {
	for _, log := range []int{-1, 0, MaxLog + 1, 1 << 40} {
		if _, err := Development(log); err == nil {
			t.Errorf("2^%d: no error", log)
		}
	}
}

func BenchmarkDevelopment(b *testing.B) {
	for b.Loop() {
		start := time.Now()
		if _, err := Development(18); err != nil {
			b.Fatal(err)
		}
		b.Log(time.Since(start))
	}
}

// TestDevelopmentID holds what everyone recognises the development string by.
func TestDevelopmentID(t *testing.T) {
	const want = "142c27615717e46fa53e5cc809749fb01a7c98828c9a1f1cec4498db8b4473b5"
	if got := DevelopmentID().String(); got != want {
		t.Errorf("ID is %s, want %s", got, want)
	}
	_, tauG2 := developmentTau()
	if !IsDevelopment(&tauG2) {
		t.Error("the development string isn't recognised")
	}
	_, _, _, g2 := bn254.Generators()
	tauG2.Add(&tauG2, &g2)
	if IsDevelopment(&tauG2) {
		t.Error("another string is taken for the development one")
	}
}
