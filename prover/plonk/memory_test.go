package plonk

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/internal/plonktest"
)

// meter is a CPU that knows how many bytes its vectors take, and took at most.
type meter struct {
	CPU
	now, peak int
}

func (m *meter) add(elements int) {
	m.now += elements * fr.Bytes
	m.peak = max(m.peak, m.now)
}

func (m *meter) Allocate(n int) (Vector, error) {
	m.add(n)
	return m.CPU.Allocate(n)
}

func (m *meter) Upload(elements []fr.Element) (Vector, error) {
	m.add(len(elements))
	return m.CPU.Upload(elements)
}

func (m *meter) Free(vectors ...Vector) {
	for _, v := range vectors {
		if v != nil {
			m.add(-v.Len())
		}
	}
	m.CPU.Free(vectors...)
}

// TestLowMemory measures what [Options].LowMemory promises, and that everything is given
// back.
func TestLowMemory(t *testing.T) {
	for _, seed := range []uint64{12, 13, 14, 15} { // 0 to 3 commitments
		s, err := plonktest.Random(seed)
		if err != nil {
			t.Fatal(err)
		}
		var peak [2]int
		for i, lowMemory := range []bool{false, true} {
			device := new(meter)
			p, err := New(t.Context(), s.System, s.Key, Options{Device: device, LowMemory: lowMemory})
			if err != nil {
				t.Fatal(err)
			}
			kept := device.now
			for range 2 {
				if _, err := p.Prove(t.Context(), s.Witness, ProofOptions{}); err != nil {
					t.Fatal(err)
				}
				if device.now != kept {
					t.Errorf("%d commitments, low memory %t: %d bytes after a proof, %d before", seed%4, lowMemory, device.now, kept)
				}
			}
			peak[i] = device.peak
			p.Close()
			if device.now != 0 {
				t.Errorf("%d commitments, low memory %t: %d bytes are left", seed%4, lowMemory, device.now)
			}
		}
		n, c := int(s.Key.Vk.Size), len(s.Key.Vk.Qcp)
		if saved := peak[0] - peak[1]; saved != 32*n*(17+3*c) {
			t.Errorf("%d commitments in a domain of %d: low memory takes %d bytes less, want %d", c, n, saved, 32*n*(17+3*c))
		}
	}
}
