//go:build icicle && shim

package gpu

import (
	"testing"
	"unsafe"

	gc "github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/ingonyama-zk/icicle/v2/wrappers/golang/core"
	"github.com/ingonyama-zk/icicle/v2/wrappers/golang/curves/bn254"
	"github.com/ingonyama-zk/icicle/v2/wrappers/golang/curves/bn254/msm"
	"github.com/ingonyama-zk/icicle/v2/wrappers/golang/curves/bn254/ntt"
)

// TestRefused holds the stand-in to what it must notice: each case is a mistake that a card
// would answer with an error, or with garbage.
func TestRefused(t *testing.T) {
	card := open(t)
	tests := map[string]func(){
		"a transform without a domain": func() {
			must(ntt.ReleaseDomain(deviceContext()).CudaErrorCode, "")
			card.with(8, func(a core.DeviceSlice) {
				zero(a)
				card.with(8, func(b core.DeviceSlice) {
					cfg := ntt.GetDefaultNttConfig()
					must(ntt.Ntt(a, core.KForward, &cfg, b).CudaErrorCode, "")
				})
			})
		},
		"freed memory": func() {
			m := card.reserve(8, elementSize)
			stale := m
			card.release(m)
			apply(core.Add, stale, stale, stale)
		},
		"freed twice": func() {
			m := card.reserve(8, elementSize)
			stale := m
			card.release(m)
			card.release(stale)
		},
		"elements that nobody wrote": func() {
			m := card.reserve(8, elementSize)
			defer card.release(m)
			apply(core.Mul, m, m, m)
		},
		"lengths that differ": func() {
			card.with(8, func(m core.DeviceSlice) { apply(core.Mul, m, part(m, 0, 4), m) })
		},
		"an overlap": func() {
			card.with(8, func(m core.DeviceSlice) {
				zero(m)
				apply(core.Add, part(m, 0, 4), part(m, 0, 4), part(m, 1, 5))
			})
		},
		"points in Montgomery's form": func() {
			card.with(2, func(s core.DeviceSlice) {
				zero(s)
				p := card.reserve(2, pointSize)
				defer card.release(p)
				_, _, generator, _ := gc.Generators()
				upload(p, unsafe.Pointer(&[]gc.G1Affine{generator, generator}[0]))
				cfg := msm.GetDefaultMSMConfig()
				must(msm.Msm(s, p, &cfg, make(core.HostSlice[bn254.Projective], 1)), "")
			})
		},
	}
	for name, mistake := range tests {
		t.Run(name, func(t *testing.T) {
			if err := card.do(t.Context(), mistake); err == nil {
				t.Error("not noticed")
			}
		})
	}
}
