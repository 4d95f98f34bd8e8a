package plonk

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// TestCollectGarbage has garbage be collected where there is much, and left where there is
// little.
func TestCollectGarbage(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // nobody else collects
	collections := func() uint32 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.NumGC
	}
	live := make([]byte, 64<<20)
	runtime.GC()
	before := collections()
	collectGarbage()
	if n := collections() - before; n != 0 {
		t.Errorf("%d collections without garbage", n)
	}
	garbage := make([]byte, 64<<20)
	runtime.KeepAlive(garbage)
	garbage = nil
	collectGarbage()
	if n := collections() - before; n != 1 {
		t.Errorf("%d collections of as much garbage as is in use", n)
	}
	runtime.KeepAlive(live)
}
