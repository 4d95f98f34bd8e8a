//go:build !purego

package msm

import (
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// TestBlock checks that lanes don't mix and that values of p and more are reduced.
func TestBlock(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	for range 1000 {
		var b block
		var want [lanes]fp.Element
		for lane := range want {
			want[lane] = edgeElement(r)
			e := want[lane]
			if sum, _ := wide(e).add(modulus); lane&1 == 1 {
				e = fp.Element(sum)
			}
			b.set(lane, &e)
		}
		for lane := range want {
			if got := b.get(lane); got != want[lane] {
				t.Fatalf("lane %d: got %v, expected %v", lane, [4]uint64(got), [4]uint64(want[lane]))
			}
		}
	}
}
