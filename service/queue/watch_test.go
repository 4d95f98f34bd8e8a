package queue

import (
	"context"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service/job"
)

// ends receives a job's records until there are no more, and returns the states.
func ends(t *testing.T, records <-chan job.Record) (states []job.State) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		select {
		case r, ok := <-records:
			if !ok {
				return states
			}
			states = append(states, r.State)
		case <-late:
			t.Fatalf("the records don't end after %v", states)
		}
	}
}

// TestWatch has a record change while it is watched: with a copy of the records that follows,
// and no looks; and with one that doesn't, and looks alone.
func TestWatch(t *testing.T) {
	q := open(t)
	behind := &Queue{nc: q.nc, js: q.js, stream: q.stream, records: q.records, index: &index{records: map[string]entry{}}, o: q.o}
	for name, watch := range map[string]func(context.Context, string) (<-chan job.Record, error){
		"told": func(ctx context.Context, id string) (<-chan job.Record, error) {
			return q.watch(ctx, "a", id, time.Hour)
		},
		"behind": func(ctx context.Context, id string) (<-chan job.Record, error) {
			return behind.watch(ctx, "a", id, 10*time.Millisecond)
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := watch(t.Context(), job.NewID()); err != ErrMissing {
				t.Errorf("no job: %v", err)
			}
			cancelled, deleted := submit(t, q), submit(t, q)
			watched, err := watch(t.Context(), cancelled.ID)
			if err != nil {
				t.Fatal(err)
			}
			if r := <-watched; r.State != job.Queued {
				t.Errorf("at first %s", r.State)
			}
			if _, err := q.Cancel(t.Context(), "a", cancelled.ID); err != nil {
				t.Fatal(err)
			}
			if got := ends(t, watched); len(got) != 1 || got[0] != job.Cancelled {
				t.Errorf("then %v", got)
			}

			if watched, err = watch(t.Context(), deleted.ID); err != nil {
				t.Fatal(err)
			}
			if err := q.records.Purge(t.Context(), key("a", deleted.ID)); err != nil {
				t.Fatal(err)
			}
			if got := ends(t, watched); len(got) > 1 {
				t.Errorf("a job that is deleted: %v", got)
			}

			// Nobody receives, and then the watching ends.
			waiting := submit(t, q)
			ctx, stop := context.WithCancel(t.Context())
			if _, err := watch(ctx, waiting.ID); err != nil {
				t.Fatal(err)
			}
			stop()
			for _, w := range []*watchers{&q.index.watchers, &behind.index.watchers} {
				eventually(t, "no watchers", func() bool {
					w.mu.Lock()
					defer w.mu.Unlock()
					return len(w.byKey) == 0
				})
			}
		})
	}
}
