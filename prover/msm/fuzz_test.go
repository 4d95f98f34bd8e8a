package msm

import (
	"context"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// FuzzMultiExp compares with one scalar multiplication after another. Each term takes
// three bytes: which of a few points, related to one another, and which scalar: small,
// or a power of two with its neighbours, either sign.
func FuzzMultiExp(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 1, 0, 0, 1, 0, 1, 1, 0, 2, 1, 0, 3, 1, 0})
	f.Add([]byte{0, 0x80, 253, 1, 0x81, 253, 2, 0x42, 128, 4, 3, 7})
	several := randomPoints(rand.New(rand.NewPCG(15, 16)), 8)
	several[1].Neg(&several[0])
	several[2].Double(&several[0])
	several[3].SetInfinity()
	several[4].Add(&several[0], &several[2])
	f.Fuzz(func(t *testing.T, data []byte) {
		var points []bn254.G1Affine
		var scalars []fr.Element
		var want bn254.G1Affine
		for ; len(data) >= 3 && len(points) < 400; data = data[3:] {
			p := several[data[0]%8]
			s := big.NewInt(int64(data[2]))
			if data[1]&0x80 != 0 {
				s.Lsh(big.NewInt(1), uint(data[2]))
				s.Add(s, big.NewInt(int64(data[1]&3)-1))
			}
			if data[1]&0x40 != 0 {
				s.Neg(s)
			}
			var scalar fr.Element
			scalar.SetBigInt(s)
			points, scalars = append(points, p), append(scalars, scalar)
			p.ScalarMultiplication(&p, scalar.BigInt(s))
			want.Add(&want, &p)
		}
		got, err := ours(t, points, Options{Workers: 2}).MultiExp(context.Background(), scalars)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Equal(&want) {
			t.Errorf("%v: got %v, expected %v", scalars, got, want)
		}
	})
}
