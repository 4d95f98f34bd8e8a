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
	pass  int
	spans []span
	cost  float64 // in additions
	sum   bn254.G1Jac
}

// compute computes every column by buckets.
func (b *Bases) compute(ctx context.Context, columns [][]fr.Element) ([]bn254.G1Affine, error) {
	sums := make([]bn254.G1Affine, len(columns))
	for from := 0; from < len(columns); {
		to, terms := from+1, len(columns[from])
		for to < len(columns) && terms+len(columns[to]) <= b.groupTerms {
			terms += len(columns[to])
			to++
		}
		if err := b.group(ctx, columns[from:to], sums[from:to]); err != nil {
			return nil, err
		}
		from = to
	}
	return sums, nil
}

// group computes columns at the same time.
func (b *Bases) group(ctx context.Context, columns [][]fr.Element, sums []bn254.G1Affine) error {
	var ready []*column
	defer func() {
		for _, c := range ready {
			c.wipe()
			b.columns.Put(c)
		}
	}()
	for _, scalars := range columns {
		c := b.columns.Get().(*column)
		ready = append(ready, c)
		if err := b.load(ctx, c, scalars); err != nil {
			return err
		}
	}
	if !b.own {
		for i, c := range ready {
			if !c.better(columns[i]) {
				continue
			}
			var err error
			if sums[i], err = b.fallback(ctx, columns[i]); err != nil {
				return err
			}
			c.plan = plan{}
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
		return err
	}
	for i, c := range ready {
		if len(c.windows) > 0 {
			total := c.combine(tasks)
			sums[i].FromJacobian(&total)
		}
	}
	return nil
}

// run returns the task's Σ d·P over its scalars' digits d.
func (a *adder) run(ctx context.Context, t *task, b *Bases) (bn254.G1Jac, error) {
	if err := ctx.Err(); err != nil {
		return bn254.G1Jac{}, err
	}
	defer a.wipe()
	a.sort = a.prepare(t)
	sums := &a.lists[0]
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

// tasks cuts the columns' passes into tasks, about four for each worker if splitting
// a pass costs little: every part weighs its own buckets.
func (b *Bases) tasks(columns []*column) []*task {
	var passes []*task
	total := 0.0
	for _, c := range columns {
		for pass, w := range c.windows {
			if c.digits[pass] > 0 {
				t := &task{column: c, pass: pass, cost: passCost(c.reads[pass], c.digits[pass], w.width)}
				passes = append(passes, t)
				total += t.cost
			}
		}
	}
	share := total / float64(4*b.workers)
	var tasks []*task
	for _, t := range passes {
		digits, buckets := t.digits[t.pass], 1<<(t.windows[t.pass].width-1)
		n := min(int(t.cost/share+0.5), digits/(32*buckets))
		if len(passes) < b.workers {
			n = max(n, min(b.workers, digits/batchSize))
		}
		n = max(n, 1)
		for k := range n {
			part := *t
			part.cost /= float64(n)
			part.spans = t.column.spans[k*len(t.column.spans)/n : (k+1)*len(t.column.spans)/n]
			tasks = append(tasks, &part)
		}
	}
	return tasks
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
