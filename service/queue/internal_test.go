package queue

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/embedded/embeddedtest"
	"github.com/zkml-go/zkml/service/job"
)

// open returns a queue on a NATS of its own.
func open(t *testing.T) *Queue {
	t.Helper()
	nc := embeddedtest.Connect(t)
	q, err := Open(t.Context(), nc, DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func submit(t *testing.T, q *Queue) job.Record {
	t.Helper()
	r, err := q.Submit(t.Context(), job.Record{ID: job.NewID(), Tenant: "a", Kind: job.Proof, Priority: job.Normal, Spec: json.RawMessage(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// eventually waits for something to hold.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for begin := time.Now(); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("not after 10 s: %s", what)
		}
	}
}

// message is one of a subject.
type message struct {
	jetstream.Msg
	subject string
}

// Subject implements jetstream.Msg.
func (m message) Subject() string { return m.subject }

// TestRankEarly has a worker judge a job that the copy of the records hasn't yet, and one that
// there is no record of.
func TestRankEarly(t *testing.T) {
	q := open(t)
	r, err := q.Submit(t.Context(), job.Record{ID: job.NewID(), Tenant: "a", Kind: job.Proof, Priority: job.Normal, Created: q.Now()})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the job", func() bool { return q.index.open("a") == 1 })
	q.index.mu.Lock()
	delete(q.index.records, key(r.Tenant, r.ID))
	q.index.mu.Unlock()
	taker, err := q.Taker("w")
	if err != nil {
		t.Fatal(err)
	}
	defer taker.Close()
	taker.Prefer = func(*job.Record) Preference { return Elsewhere }
	if got := taker.rank(t.Context(), message{subject: subject(&r)}); got != Elsewhere {
		t.Errorf("a job that the copy hasn't: %v", got)
	}
	r.ID = job.NewID()
	if got := taker.rank(t.Context(), message{subject: subject(&r)}); got != Mine {
		t.Errorf("no record: %v", got)
	}
}

// TestIndexAnew loses the watch of the index, and has it miss changes.
func TestIndexAnew(t *testing.T) {
	q := open(t)
	x := q.index
	submit(t, q)
	eventually(t, "the first job", func() bool { return x.open("a") == 1 })
	x.again() // as when the library gives the watch up
	submit(t, q)
	eventually(t, "a job after the watch was lost", func() bool { return x.open("a") == 2 })

	// A watch that is there and silent: the next sweep but one finds out.
	x.mu.Lock()
	for key, e := range x.records {
		gone := e
		gone.ID = job.NewID()
		x.records["a."+gone.ID] = gone // was deleted meanwhile
		x.counts["a"]++
		x.drop(key) // was made meanwhile
		break
	}
	x.last = 0
	x.mu.Unlock()
	for range 2 {
		if err := q.Sweep(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "what there is", func() bool {
		x.mu.RLock()
		defer x.mu.RUnlock()
		there := true
		for key, e := range x.records {
			there = there && key == "a."+e.ID
			_, err := q.Get(t.Context(), "a", e.ID)
			there = there && err == nil
		}
		return there && len(x.records) == 2 && x.counts["a"] == 2
	})
}

// TestUnsureClaim takes a job whose claim was recorded though its answer was lost: it is the
// same attempt, and nobody's fault.
func TestUnsureClaim(t *testing.T) {
	q := open(t)
	r := submit(t, q)
	w, err := q.Taker("w")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	take := func() *Lease {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		l, err := w.Take(ctx, t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for _, c := range []struct {
		unsure  string
		attempt uint64
		faults  int
	}{{"", 1, 0}, {r.ID, 1, 0}, {"", 2, 1}} {
		w.unsure = c.unsure
		l := take()
		if got := l.Record(); got.Attempt != c.attempt || got.Faults != c.faults {
			t.Errorf("after a claim of %q: attempt %d, faults %d", c.unsure, got.Attempt, got.Faults)
		}
		l.Abandon()
		l.message.Nak()
	}
}

// TestReconnect has the connection made anew while a worker asks for jobs: it goes on.
func TestReconnect(t *testing.T) {
	q := open(t)
	first := submit(t, q) // opens the lane
	w, err := q.Taker("w")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	l, err := w.Take(ctx, t.Context(), 1)
	if err != nil || l.Record().ID != first.ID {
		t.Fatal(l, err)
	}
	if err := l.Succeed(ctx, "", json.RawMessage(`1`)); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for i := 1; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
			q.wake(&job.Record{Tenant: "b", Priority: job.Normal}) // has the worker ask for lanes
			if i%7 == 0 {
				q.nc.ForceReconnect()
			}
		}
	}()
	waiting, end := context.WithTimeout(ctx, 5*time.Second)
	defer end()
	if _, err := w.Take(waiting, t.Context(), 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the worker gave up: %v", err)
	}
}
