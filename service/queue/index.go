package queue

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/job"
)

// index is a copy of all records, kept up to date by a watch. It may be a moment late: it
// serves lists and counts, and no decision about a job.
type index struct {
	mu      sync.RWMutex
	records map[string]job.Record
	counts  map[string]int // by tenant, of jobs that haven't ended
	ended   []func(*job.Record)
}

// newIndex reads all records and follows them until ctx ends.
func newIndex(ctx context.Context, kv jetstream.KeyValue) (*index, error) {
	x := &index{records: map[string]job.Record{}, counts: map[string]int{}}
	watcher, err := kv.WatchAll(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the jobs: %w", err)
	}
	loaded := make(chan struct{})
	go func() {
		defer watcher.Stop()
		first := true
		for {
			select {
			case entry, ok := <-watcher.Updates():
				switch {
				case !ok:
					return
				case entry != nil:
					x.apply(entry)
				case first:
					first = false
					close(loaded)
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	select {
	case <-loaded:
		return x, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// apply takes a change in.
func (x *index) apply(entry jetstream.KeyValueEntry) {
	var r job.Record
	gone := entry.Operation() != jetstream.KeyValuePut || json.Unmarshal(entry.Value(), &r) != nil
	x.mu.Lock()
	defer x.mu.Unlock()
	old, known := x.records[entry.Key()]
	if known && !old.State.Final() {
		if x.counts[old.Tenant]--; x.counts[old.Tenant] == 0 {
			delete(x.counts, old.Tenant)
		}
	}
	if gone {
		delete(x.records, entry.Key())
		return
	}
	x.records[entry.Key()] = r
	if !r.State.Final() {
		x.counts[r.Tenant]++
	} else if known && !old.State.Final() {
		for _, tell := range x.ended {
			tell(&r)
		}
	}
}

// open returns how many of a tenant's jobs haven't ended.
func (x *index) open(tenant string) int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.counts[tenant]
}

// each calls visit with every record.
func (x *index) each(visit func(*job.Record)) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, r := range x.records {
		visit(&r)
	}
}

// Filter chooses jobs of a tenant.
type Filter struct {
	Tenant string
	Kind   job.Kind
	State  job.State // "" is any
	Model  string    // "" is any
	// After is the Cursor of the last job of the page before.
	After string
	Limit int
}

// Cursor is a job's place in lists.
func Cursor(r *job.Record) string {
	return r.Created.UTC().Format("20060102150405.000000000") + r.ID
}

// List returns a page of a tenant's jobs, the newest first, and whether there are more.
func (q *Queue) List(f Filter) (page []job.Record, more bool) {
	q.index.each(func(r *job.Record) {
		if r.Tenant == f.Tenant && r.Kind == f.Kind && (f.State == "" || r.State == f.State) &&
			(f.Model == "" || r.Model == f.Model) && (f.After == "" || Cursor(r) < f.After) {
			page = append(page, *r)
		}
	})
	slices.SortFunc(page, func(a, b job.Record) int { return cmp.Compare(Cursor(&b), Cursor(&a)) })
	if len(page) > f.Limit {
		return page[:f.Limit], true
	}
	return page, false
}

// Depth is what there is in a queue.
type Depth struct {
	States   map[job.State]int
	Failures map[Cause]int
	// Oldest is since when the oldest waiting job has been there.
	Oldest time.Time
}

// Cause is why jobs failed.
type Cause struct {
	Fault job.Fault
	Code  string
}

// Depth counts the jobs whose records are kept.
func (q *Queue) Depth() Depth {
	d := Depth{States: map[job.State]int{}, Failures: map[Cause]int{}}
	q.index.each(func(r *job.Record) {
		d.States[r.State]++
		if r.State == job.Queued && (d.Oldest.IsZero() || r.Created.Before(d.Oldest)) {
			d.Oldest = r.Created
		}
		if r.State == job.Failed && r.Failure != nil {
			d.Failures[Cause{r.Failure.Fault, r.Failure.Code}]++
		}
	})
	return d
}

// OnEnd has every job told of that ends from now on, once: as soon as it is known here,
// which is soon. What is told must not wait.
func (q *Queue) OnEnd(tell func(*job.Record)) {
	q.index.mu.Lock()
	defer q.index.mu.Unlock()
	q.index.ended = append(q.index.ended, tell)
}

// Each calls visit with a copy of every record, as it was a moment ago.
func (q *Queue) Each(visit func(*job.Record)) { q.index.each(visit) }

// Sweep does what no worker does: it expires jobs whose deadline is past, sends messages
// for jobs that have none, and deletes the records of jobs that ended before a time. Any
// number of servers may do it.
func (q *Queue) Sweep(ctx context.Context, ended time.Time) error {
	var due, lone, old []job.Record
	now := q.o.Now()
	q.index.each(func(r *job.Record) {
		switch {
		case r.State.Final():
			if r.Finished.Before(ended) {
				old = append(old, *r)
			}
		case !r.Deadline.IsZero() && now.After(r.Deadline):
			due = append(due, *r)
		default:
			lone = append(lone, *r)
		}
	})
	for _, r := range due {
		if _, err := q.change(ctx, r.Tenant, r.ID, func(r job.Record) (job.Record, error) { return r.Expire(now) }); err == nil {
			q.forget(ctx, &r)
		} else if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	for _, r := range lone {
		if had, err := q.announced(ctx, &r); err != nil {
			return fmt.Errorf("sweep: %w", err)
		} else if had {
			continue
		}
		// The index may be late: look again before sending.
		if r, err := q.Get(ctx, r.Tenant, r.ID); err != nil || r.State.Final() {
			continue
		}
		if err := q.openLane(ctx, laneOf(&r)); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
		if err := q.announce(ctx, &r); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	for _, r := range old {
		if err := q.records.Purge(ctx, key(r.Tenant, r.ID)); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	return nil
}

// parseLane is the inverse of lane.String.
func parseLane(s string) (lane, bool) {
	priority, tenant, ok := strings.Cut(s, ".")
	l := lane{job.Priority(priority), tenant}
	return l, ok && slices.Contains(job.Priorities, l.priority) && job.ValidTenant(tenant)
}
