package plonk

import (
	"context"
	"runtime"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	"golang.org/x/sync/errgroup"

	"github.com/zkml-go/zkml/prover/msm"
)

// CPU is the [Device] in Go: package msm's multi-exponentiation, gnark-crypto's FFT and
// vector operations, on as many goroutines as Go may run at once. Values on a coset
// are in bit-reversed order. The zero value is ready to use.
type CPU struct {
	mu      sync.Mutex
	domains map[int]*fft.Domain
	free    map[int][][]fr.Element // wiped vectors, by length; until the next Commit
}

// cpuVector is a vector in memory. Memory that came from Allocate is used again.
type cpuVector struct {
	elements  fr.Vector
	allocated bool
}

func (v cpuVector) Len() int { return len(v.elements) }

func (v cpuVector) Slice(from, to int) Vector { return cpuVector{elements: v.elements[from:to]} }

// onCPU returns the memory behind a handle.
func onCPU(v Vector) fr.Vector { return v.(cpuVector).elements }

// LoadBases implements [Device].
func (c *CPU) LoadBases(points []bn254.G1Affine) (Bases, error) {
	return msm.New(points, msm.Options{})
}

// Commit implements [Device]. Vectors that wait to be used again are left to the garbage
// collector: with a multi-exponentiation's own memory they would be a proof's peak.
func (c *CPU) Commit(ctx context.Context, bases Bases, columns ...Vector) ([]bn254.G1Affine, error) {
	c.mu.Lock()
	c.free = nil
	c.mu.Unlock()
	scalars := make([][]fr.Element, len(columns))
	for i := range columns {
		scalars[i] = onCPU(columns[i])
	}
	return bases.(*msm.Bases).MultiExps(ctx, scalars...)
}

// Allocate implements [Device].
func (c *CPU) Allocate(n int) (Vector, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if list := c.free[n]; len(list) > 0 {
		c.free[n] = list[:len(list)-1]
		return cpuVector{list[len(list)-1], true}, nil
	}
	return cpuVector{make(fr.Vector, n), true}, nil
}

// Upload implements [Device]: the vector is the slice.
func (c *CPU) Upload(elements []fr.Element) (Vector, error) {
	return cpuVector{elements: elements}, nil
}

// Write implements [Device].
func (c *CPU) Write(dst Vector, elements []fr.Element) error {
	copy(onCPU(dst), elements)
	return nil
}

// Read implements [Device].
func (c *CPU) Read(elements []fr.Element, src Vector) error {
	copy(elements, onCPU(src))
	return nil
}

// Free implements [Device].
func (c *CPU) Free(vectors ...Vector) {
	for _, v := range vectors {
		if v == nil {
			continue
		}
		v := v.(cpuVector)
		clear(v.elements)
		if v.allocated {
			c.mu.Lock()
			if c.free == nil {
				c.free = make(map[int][][]fr.Element)
			}
			c.free[len(v.elements)] = append(c.free[len(v.elements)], v.elements)
			c.mu.Unlock()
		}
	}
}

// workers is the number of goroutines that work at once.
func workers() int { return runtime.GOMAXPROCS(0) }

// each calls do for every index below n, as many at once as there are workers. It
// stops at the first error, and when ctx ends.
func each(ctx context.Context, n int, do func(i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers())
	for i := range n {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return do(i)
		})
	}
	return g.Wait()
}

// ranges splits n indices into one range for each worker, with bounds that are
// multiples of unit, and calls do for all at once.
func ranges(n, unit int, do func(worker, from, to int)) {
	blocks := (n + unit - 1) / unit
	count := min(workers(), blocks)
	var wg sync.WaitGroup
	for w := range count {
		wg.Go(func() {
			do(w, w*blocks/count*unit, min((w+1)*blocks/count*unit, n))
		})
	}
	wg.Wait()
}
