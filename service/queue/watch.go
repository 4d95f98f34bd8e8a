package queue

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/zkml-go/zkml/service/job"
)

// lookEvery is how often a watch reads the record itself: the index may be late when NATS was
// started again or has moved what it follows.
const lookEvery = 5 * time.Second

// Watch sends a job's record now and when it has changed, until it is final, is deleted, or
// ctx ends, and then closes the channel. Of changes that come faster than they are received,
// the last is sent. A job that isn't there is ErrMissing.
func (q *Queue) Watch(ctx context.Context, tenant, id string) (<-chan job.Record, error) {
	return q.watch(ctx, tenant, id, lookEvery)
}

// watch is Watch with a time between two looks.
func (q *Queue) watch(ctx context.Context, tenant, id string, every time.Duration) (<-chan job.Record, error) {
	at := key(tenant, id)
	changed, stop := q.index.watchers.add(at)
	r, revision, err := q.load(ctx, tenant, id)
	if err != nil {
		stop()
		return nil, err
	}
	records := make(chan job.Record)
	go func() {
		defer close(records)
		defer stop()
		tick := time.NewTicker(every)
		defer tick.Stop()
		for last := uint64(0); ; {
			if revision > last {
				last = revision
				select {
				case records <- r:
				case <-ctx.Done():
					return
				}
				if r.State.Final() {
					return
				}
			}
			select {
			case <-changed:
				if e, ok := q.index.get(at); ok {
					r, revision = e.Record, e.revision
					continue
				}
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			now, at, err := q.load(ctx, tenant, id)
			if errors.Is(err, ErrMissing) {
				return
			}
			if err == nil {
				r, revision = now, at
			}
		}
	}()
	return records, nil
}

// watchers are told of changes by key.
type watchers struct {
	mu    sync.Mutex
	byKey map[string]map[chan struct{}]bool
}

// add returns a channel that has something when a record has changed since the last look, until
// stop is called.
func (w *watchers) add(key string) (changed <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byKey == nil {
		w.byKey = map[string]map[chan struct{}]bool{}
	}
	if w.byKey[key] == nil {
		w.byKey[key] = map[chan struct{}]bool{}
	}
	w.byKey[key][c] = true
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if delete(w.byKey[key], c); len(w.byKey[key]) == 0 {
			delete(w.byKey, key)
		}
	}
}

// tell tells those of a key.
func (w *watchers) tell(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.byKey[key] {
		select {
		case c <- struct{}{}:
		default: // it knows
		}
	}
}
