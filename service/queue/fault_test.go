package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/queue"
)

// another opens a queue on the fixture's NATS, as another program does, with a clock of its own.
func (f *fixture) another(ctx context.Context, skew time.Duration) *queue.Queue {
	f.t.Helper()
	o := f.o
	o.Now = func() time.Time { return time.Now().Add(skew) }
	q, err := queue.Open(ctx, f.nc, o)
	if err != nil {
		f.t.Fatal(err)
	}
	return q
}

// TestRefusedTogether has two clients send the same job to a full queue. Who is told that the
// job is there must find it there, also when the other one was refused.
func TestRefusedTogether(t *testing.T) {
	f := start(t, func(o *queue.Options) { o.MaxJobs = 1 })
	f.submit("a", nil)
	for range 100 {
		r := job.Record{ID: job.NewID(), Tenant: "a", Kind: job.Proof, Priority: job.Normal, Spec: json.RawMessage(`{}`)}
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				_, err := f.q.Submit(f.ctx, r)
				if errors.Is(err, queue.ErrFull) {
					return
				}
				time.Sleep(5 * time.Millisecond)
				if _, gone := f.q.Get(f.ctx, "a", r.ID); gone != nil {
					t.Errorf("submitted: %v; then: %v", err, gone)
				}
			})
		}
		both.Wait()
	}
}

// TestEarlyMessage has a worker meet a job's message before there is the record.
func TestEarlyMessage(t *testing.T) {
	f := start(t, nil)
	w := f.taker("w")
	first := f.submit("a", nil) // opens the lane
	if err := f.take(w, soon).Succeed(f.ctx, "", json.RawMessage(`1`)); err != nil {
		t.Fatal(err)
	}
	f.want(first, job.Succeeded, `1`)
	js := f.q.JetStream()
	r := job.Record{ID: job.NewID(), Tenant: "a", Kind: job.Proof, State: job.Queued, Priority: job.Normal, Spec: json.RawMessage(`{}`)}
	if _, err := js.Publish(f.ctx, "zkml.job.normal.a."+r.ID, nil); err != nil {
		t.Fatal(err)
	}
	if l := f.take(w, 1500*time.Millisecond); l != nil {
		t.Fatal("a job without a record was taken")
	}
	records, err := js.KeyValue(f.ctx, "zkml_jobs")
	if err != nil {
		t.Fatal(err)
	}
	data, _ := json.Marshal(r)
	if _, err := records.Create(f.ctx, "a."+r.ID, data); err != nil {
		t.Fatal(err)
	}
	l := f.take(w, 5*time.Second) // no sweep helps
	if l == nil || l.Record().ID != r.ID {
		t.Fatalf("took %v", l)
	}
	if err := l.Succeed(f.ctx, "", json.RawMessage(`1`)); err != nil {
		t.Fatal(err)
	}
	f.empty()
}

// TestClocks gives programs clocks that are wrong by days. They must neither end a job before
// its deadline nor have its result deleted as an old one.
func TestClocks(t *testing.T) {
	f := start(t, nil)
	const week = 7 * 24 * time.Hour
	for _, skew := range []time.Duration{-10 * week, 10 * week} {
		q := f.another(f.ctx, skew)
		r := f.submit("a", func(r *job.Record) { r.Deadline = time.Now().Add(time.Hour) })
		w, err := q.Taker("w")
		if err != nil {
			t.Fatal(err)
		}
		l := f.take(w, soon)
		if l == nil {
			t.Fatalf("%v: the job is %+v", skew, f.want(r, job.Queued, ""))
		}
		if err := q.Sweep(f.ctx, week); err != nil {
			t.Fatal(err)
		}
		if err := l.Succeed(f.ctx, "", json.RawMessage(`1`)); err != nil {
			t.Fatal(err)
		}
		w.Close()
		time.Sleep(100 * time.Millisecond)
		for _, q := range []*queue.Queue{f.q, q} {
			if err := q.Sweep(f.ctx, week); err != nil {
				t.Fatal(err)
			}
		}
		if off := time.Since(f.want(r, job.Succeeded, `1`).Finished).Abs(); off > time.Minute {
			t.Errorf("with a clock off by %v a job ended %v off", skew, off)
		}
	}
}

// TestClockJumps moves the clock of a program while it works.
func TestClockJumps(t *testing.T) {
	f := start(t, nil)
	w := f.taker("w")
	r := f.submit("a", func(r *job.Record) { r.Deadline = time.Now().Add(time.Hour) })
	f.skew.Store(int64(2 * time.Hour))
	if err := f.q.Sweep(f.ctx, 0); err != nil {
		t.Fatal(err)
	}
	l := f.take(w, soon)
	if l == nil {
		t.Fatal("a job was given up before its deadline")
	}
	if err := l.Succeed(f.ctx, "", json.RawMessage(`1`)); err != nil {
		t.Fatal(err)
	}
	f.want(r, job.Succeeded, `1`)
}

// TestLateSweep has a server delete the record of a job that ended long ago, after another
// server did and a client submitted the job anew.
func TestLateSweep(t *testing.T) {
	f := start(t, nil)
	r := f.submit("a", nil)
	if err := f.take(f.taker("w"), soon).Succeed(f.ctx, "", json.RawMessage(`1`)); err != nil {
		t.Fatal(err)
	}
	stale, stop := context.WithCancel(f.ctx)
	late := f.another(stale, 0)
	stop() // it hears of nothing from now on
	time.Sleep(100 * time.Millisecond)
	if err := f.q.Sweep(f.ctx, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.q.Get(f.ctx, "a", r.ID); !errors.Is(err, queue.ErrMissing) {
		t.Fatalf("not deleted: %v", err)
	}
	r.Result = nil
	if _, err := f.q.Submit(f.ctx, r); err != nil {
		t.Fatal(err)
	}
	if err := late.Sweep(f.ctx, 0); err != nil {
		t.Fatal(err)
	}
	f.want(r, job.Queued, "")
}
