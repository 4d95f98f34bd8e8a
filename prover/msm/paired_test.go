//go:build unix

package msm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// cpuTime returns the processor time of the process so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPaired runs our method and gnark-crypto's in turn, -benchtime Nx times
// each, and reports the medians: processor time per term and the ratios of processor
// and wall time.
func BenchmarkPaired(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 4))
	all := randomPoints(r, 1<<18)
	for _, kind := range kinds[:4] {
		for _, log := range []int{14, 16, 17, 18} {
			b.Run(fmt.Sprintf("%s/2^%d", kind.name, log), func(b *testing.B) {
				points := all[:1<<log]
				scalars := make([]fr.Element, len(points))
				for i := range scalars {
					scalars[i] = kind.draw(r)
				}
				bases := ours(b, points, Options{})
				var cpu, wall [2][]float64
				measure := func(who int, f func()) {
					start, startCPU := time.Now(), cpuTime()
					f()
					cpu[who] = append(cpu[who], float64(cpuTime()-startCPU))
					wall[who] = append(wall[who], float64(time.Since(start)))
				}
				for range b.N {
					var got, want bn254.G1Affine
					var err error
					measure(0, func() { got, err = bases.MultiExp(context.Background(), scalars) })
					measure(1, func() { want = theirs(b, points, scalars) })
					if err != nil || !got.Equal(&want) {
						b.Fatalf("got %v, %v, gnark-crypto says %v", got, err, want)
					}
				}
				n := float64(len(points))
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(median(cpu[0])/n, "ours-ns/term")
				b.ReportMetric(median(cpu[1])/n, "gnark-ns/term")
				b.ReportMetric(median(cpu[1])/median(cpu[0]), "cpu-ratio")
				b.ReportMetric(median(wall[1])/median(wall[0]), "wall-ratio")
			})
		}
	}
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
