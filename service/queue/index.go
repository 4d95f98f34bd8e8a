package queue

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/job"
)

// index is a copy of all records, kept up to date by a watch. It may be a moment late: it
// serves lists, counts and watches of single jobs, and no change of a record is made by it.
type index struct {
	mu      sync.RWMutex
	records map[string]entry
	counts  map[string]int // by tenant, of jobs that haven't ended
	last    uint64         // revision
	restart context.CancelFunc
	// watchers are told of every change after it is here.
	watchers watchers
	ended    []func(*job.Record)
}

// entry is a record with its revision and the time of NATS when it was written.
type entry struct {
	job.Record
	revision uint64
	written  time.Time
}

// newIndex reads all records and follows them until ctx ends.
func newIndex(ctx context.Context, kv jetstream.KeyValue) (*index, error) {
	x := &index{records: map[string]entry{}, counts: map[string]int{}}
	loaded := make(chan error, 1)
	go func() {
		for {
			x.follow(ctx, kv, loaded)
			select {
			case <-ctx.Done():
				return
			case <-time.After(rewatch):
			}
		}
	}()
	select {
	case err := <-loaded:
		if err != nil {
			return nil, fmt.Errorf("read the jobs: %w", err)
		}
		return x, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// rewatch is how long it takes until a watch that ended is made again. The client's library
// ends watches when a cluster that moves leaders answers otherwise than it expects.
const rewatch = 500 * time.Millisecond

// follow reads all records and follows them until the watch or ctx ends. It tells once whether
// they were read.
func (x *index) follow(ctx context.Context, kv jetstream.KeyValue, loaded chan<- error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	tell := func(err error) {
		select {
		case loaded <- err:
		default: // it was told before
		}
	}
	watcher, err := kv.WatchAll(ctx)
	if err != nil {
		tell(err)
		return
	}
	defer watcher.Stop()
	x.mu.Lock()
	x.restart = cancel
	x.mu.Unlock()
	known := map[string]bool{}
	for {
		select {
		case entry, ok := <-watcher.Updates():
			switch {
			case !ok:
				return
			case entry != nil:
				if known != nil {
					known[entry.Key()] = true
				}
				x.apply(entry)
			default:
				x.keep(known) // all that there is has come
				known = nil
				tell(nil)
			}
		case <-ctx.Done():
			return
		}
	}
}

// keep forgets the records of other keys, which went while nobody watched.
func (x *index) keep(known map[string]bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for key := range x.records {
		if !known[key] {
			x.drop(key)
			x.watchers.tell(key)
		}
	}
}

// drop forgets a record.
func (x *index) drop(key string) {
	if old, ok := x.records[key]; ok && !old.State.Final() {
		if x.counts[old.Tenant]--; x.counts[old.Tenant] == 0 {
			delete(x.counts, old.Tenant)
		}
	}
	delete(x.records, key)
}

// apply takes a change in.
func (x *index) apply(from jetstream.KeyValueEntry) {
	e := entry{revision: from.Revision(), written: from.Created()}
	gone := from.Operation() != jetstream.KeyValuePut || json.Unmarshal(from.Value(), &e.Record) != nil
	defer x.watchers.tell(from.Key())
	x.mu.Lock()
	defer x.mu.Unlock()
	old, known := x.records[from.Key()]
	x.drop(from.Key())
	x.last = max(x.last, e.revision)
	if gone {
		return
	}
	x.records[from.Key()] = e
	if !e.State.Final() {
		x.counts[e.Tenant]++
	} else if known && !old.State.Final() {
		for _, tell := range x.ended {
			tell(&e.Record)
		}
	}
}

// get returns a record.
func (x *index) get(key string) (entry, bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	e, ok := x.records[key]
	return e, ok
}

// check begins the watch anew unless it has come to a revision.
func (x *index) check(revision uint64) {
	x.mu.RLock()
	late := x.last < revision
	x.mu.RUnlock()
	if late {
		x.again()
	}
}

// again begins the watch anew.
func (x *index) again() {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.restart != nil {
		x.restart()
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
	for _, e := range x.records {
		visit(&e.Record)
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
// for jobs that have none or one that nobody will get, and deletes the records of jobs that
// ended long ago. It finds out whether the index still follows the records, too. Any number of
// servers may do it.
func (q *Queue) Sweep(ctx context.Context, retention time.Duration) error {
	last, err := q.measure(ctx)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	q.index.check(q.seen.Swap(last)) // the sweep before this one knew of it
	var due, lone []job.Record
	var old []entry
	now := q.Now()
	q.index.mu.RLock()
	for _, e := range q.index.records {
		switch {
		case e.State.Final():
			if now.Sub(e.written) > retention {
				old = append(old, e)
			}
		case !e.Deadline.IsZero() && now.After(e.Deadline):
			due = append(due, e.Record)
		default:
			lone = append(lone, e.Record)
		}
	}
	q.index.mu.RUnlock()
	for _, r := range due {
		if _, err := q.change(ctx, r.Tenant, r.ID, func(r job.Record) (job.Record, error) { return r.Expire(now) }); err == nil {
			q.forget(ctx, &r)
		} else if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	floors := map[lane]uint64{}
	for _, r := range lone {
		if err := q.mend(ctx, &r, floors); err != nil && !errors.Is(err, ErrFull) {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	for _, e := range old {
		// A job of the same id may be there by now.
		err := q.records.Purge(ctx, key(e.Tenant, e.ID), jetstream.LastRevision(e.revision))
		if err != nil && !errors.Is(err, jetstream.ErrKeyRevisionMismatch) && !errors.Is(err, jetstream.ErrKeyExists) {
			return fmt.Errorf("sweep: %w", err)
		}
	}
	return nil
}

// mend sends a message for a job that has none, or one that JetStream takes for acknowledged
// and keeps all the same: nobody would get it, though a worker that has it already may live,
// and then loses its job to the next one. The floors are up to where the lanes' messages are
// acknowledged, as far as that was asked for.
func (q *Queue) mend(ctx context.Context, r *job.Record, floors map[lane]uint64) error {
	m, err := q.stream.GetLastMsgForSubject(ctx, subject(r))
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return err
	}
	l := laneOf(r)
	if m != nil {
		floor, known := floors[l]
		if !known {
			if floor, err = q.floor(ctx, l); err != nil {
				return err
			}
			floors[l] = floor
		}
		if m.Sequence > floor {
			return nil
		}
	}
	// The index may be late: look again before sending.
	if now, err := q.Get(ctx, r.Tenant, r.ID); err != nil || now.State.Final() {
		return nil
	}
	if m != nil {
		q.stream.DeleteMsg(ctx, m.Sequence)
	}
	if err := q.openLane(ctx, l); err != nil {
		return err
	}
	if err := q.announce(ctx, r); err != nil {
		return err
	}
	q.wake(r)
	return nil
}

// floor is up to where all messages of a lane are acknowledged, as JetStream sees it. A lane
// that somebody closed is opened again.
func (q *Queue) floor(ctx context.Context, l lane) (uint64, error) {
	consumer, err := q.stream.Consumer(ctx, l.durable())
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		q.opened.Delete(l)
		return 0, q.openLane(ctx, l)
	}
	if err != nil {
		return 0, err
	}
	return consumer.CachedInfo().AckFloor.Stream, nil
}

// parseLane is the inverse of lane.String.
func parseLane(s string) (lane, bool) {
	priority, tenant, ok := strings.Cut(s, ".")
	l := lane{job.Priority(priority), tenant}
	return l, ok && slices.Contains(job.Priorities, l.priority) && job.ValidTenant(tenant)
}
