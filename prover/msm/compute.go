package msm

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// task is one pass over some of a column's scalars.
type task struct {
	*column
	pass     int
	from, to int
	cost     float64 // in additions
	sum      bn254.G1Jac
}

// compute computes every column by buckets.
func (b *Bases) compute(ctx context.Context, columns [][]fr.Element) ([]bn254.G1Affine, error) {
	ready := make([]*column, len(columns))
	defer func() {
		for _, c := range ready {
			if c != nil {
				c.wipe()
				b.columns.Put(c)
			}
		}
	}()
	for i, scalars := range columns {
		ready[i] = b.columns.Get().(*column)
		if err := b.load(ctx, ready[i], scalars); err != nil {
			return nil, err
		}
	}

	tasks := b.tasks(ready)
	order := slices.Clone(tasks)
	slices.SortStableFunc(order, func(x, y *task) int { return cmp.Compare(y.cost, x.cost) })
	err := b.parallel(len(order), func(k int) error {
		t := order[k]
		a := b.adders.Get().(*adder)
		defer b.adders.Put(a)
		var err error
		t.sum, err = a.run(ctx, t, b)
		return err
	})
	if err != nil {
		return nil, err
	}

	sums := make([]bn254.G1Affine, len(columns))
	for i, c := range ready {
		total := c.combine(tasks)
		sums[i].FromJacobian(&total)
	}
	return sums, nil
}

// run returns the task's Σ d·P over its scalars' digits d.
func (a *adder) run(ctx context.Context, t *task, b *Bases) (bn254.G1Jac, error) {
	if err := ctx.Err(); err != nil {
		return bn254.G1Jac{}, err
	}
	a.sort = a.prepare(t.column, t.windows[t.pass], t.from, t.to)
	sums := &a.lists[0]
	sums.reset()
	if err := a.sum(ctx, a.sort, b.points, sums); err != nil {
		return bn254.G1Jac{}, err
	}
	return a.weigh(ctx, sums)
}

// combine adds up a column's passes by Horner's rule.
func (c *column) combine(tasks []*task) bn254.G1Jac {
	var total bn254.G1Jac
	infinity(&total)
	for pass := len(c.windows) - 1; pass >= 0; pass-- {
		for _, t := range tasks {
			if t.column == c && t.pass == pass {
				total.AddAssign(&t.sum)
			}
		}
		if pass > 0 {
			double(&total, c.windows[pass].offset-c.windows[pass-1].offset)
		}
	}
	return total
}

// load makes c ready for the scalars.
func (b *Bases) load(ctx context.Context, c *column, scalars []fr.Element) error {
	index, value := resize(&c.index, len(scalars)), resize(&c.value, len(scalars))
	const grain = 1 << 9
	ranges := (len(scalars) + grain - 1) / grain
	counts := make([]int, ranges)
	var mutex sync.Mutex
	var all histogram
	err := b.parallel(ranges, func(k int) error {
		var h histogram
		var block [grain]fr.Element
		from, to := k*grain, min((k+1)*grain, len(scalars))
		values := fr.Vector(block[:to-from])
		integers(values, scalars[from:to])
		at := from
		for i := range values {
			v := wide(values[i])
			length := centre(&v)
			if length == 0 || b.infinite != nil && b.infinite[from+i] {
				continue
			}
			index[at], value[at] = uint32(from+i), v
			h[length]++
			at++
		}
		counts[k] = at - from
		clear(values)
		mutex.Lock()
		defer mutex.Unlock()
		for i, n := range h {
			all[i] += n
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	n := 0
	for k, count := range counts {
		copy(index[n:], index[k*grain:k*grain+count])
		copy(value[n:], value[k*grain:k*grain+count])
		n += count
	}
	c.index, c.value = index[:n], value[:n]
	c.plan = makePlan(&all)
	return b.parallel((n+grain-1)/grain, func(k int) error {
		c.addBias(k*grain, min((k+1)*grain, n))
		return ctx.Err()
	})
}

// tasks cuts the columns' passes into tasks, about four for each worker if splitting
// a pass costs little: every part weighs its own buckets.
func (b *Bases) tasks(columns []*column) []*task {
	var tasks []*task
	total := 0.0
	for _, c := range columns {
		for pass := range c.windows {
			if c.count[pass] == 0 {
				continue
			}
			cost := passCost(len(c.value), c.count[pass], c.windows[pass].width)
			tasks = append(tasks, &task{column: c, pass: pass, to: len(c.value), cost: cost})
			total += cost
		}
	}
	share := total / float64(4*b.workers)
	var parts []*task
	for _, t := range tasks {
		buckets := 1 << (t.windows[t.pass].width - 1)
		n := min(int(t.cost/share+0.5), t.count[t.pass]/(32*buckets))
		if len(tasks) < b.workers {
			n = max(n, min(b.workers, t.count[t.pass]/fewTerms))
		}
		n = max(n, 1)
		for k := range n {
			parts = append(parts, &task{
				column: t.column, pass: t.pass, cost: t.cost / float64(n),
				from: k * t.to / n, to: (k + 1) * t.to / n,
			})
		}
	}
	return parts
}

// parallel calls f(0), …, f(n−1) from the workers, in order of their starting, until
// one returns an error, which it returns.
func (b *Bases) parallel(n int, f func(k int) error) error {
	var next atomic.Int64
	var failed atomic.Bool
	var once sync.Once
	var first error
	var wait sync.WaitGroup
	for range min(b.workers, n) {
		wait.Go(func() {
			for !failed.Load() {
				k := int(next.Add(1)) - 1
				if k >= n {
					return
				}
				if err := f(k); err != nil {
					once.Do(func() { first = err })
					failed.Store(true)
				}
			}
		})
	}
	wait.Wait()
	return first
}
