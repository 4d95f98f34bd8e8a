package queue_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/queue"
)

// of makes a job one of a model.
func of(model string) func(*job.Record) { return func(r *job.Record) { r.Model = model } }

// TestPrefer has a worker take jobs of the model that it has first, for a while, and then the
// oldest: nothing waits for ever.
func TestPrefer(t *testing.T) {
	f := start(t, nil)
	w := f.taker("w")
	w.Prefer = func(r *job.Record) queue.Preference {
		if r.Model == "hot" {
			return queue.Mine
		}
		return queue.Indifferent
	}
	for _, model := range []string{"cold", "cold", "hot", "hot"} {
		f.submit("a", of(model))
	}
	time.Sleep(100 * time.Millisecond) // for the copy of the records
	take := func() string {
		l := f.take(w, soon)
		if l == nil {
			t.Fatal("no job")
		}
		r := l.Record()
		if err := l.Succeed(f.ctx, "", json.RawMessage(`1`)); err != nil {
			t.Fatal(err)
		}
		return r.Model
	}
	if first, second := take(), take(); first != "hot" || second != "hot" {
		t.Errorf("took %s and %s", first, second)
	}
	f.skew.Store(int64(time.Minute)) // the cold ones have waited
	f.submit("a", of("hot"))
	time.Sleep(100 * time.Millisecond)
	if first, second, third := take(), take(), take(); first != "cold" || second != "cold" || third != "hot" {
		t.Errorf("after a minute took %s, %s and %s", first, second, third)
	}
	f.empty()
}

// TestElsewhere has an idle worker leave a job to another one that has its model, but not
// for long.
func TestElsewhere(t *testing.T) {
	f := start(t, nil)
	cold, hot := f.taker("cold"), f.taker("hot")
	cold.Prefer = func(*job.Record) queue.Preference { return queue.Elsewhere }
	hot.Prefer = func(*job.Record) queue.Preference { return queue.Mine }
	for i := range 4 {
		ctx, cancel := context.WithTimeout(f.ctx, soon)
		took := make(chan string)
		for name, w := range map[string]*queue.Taker{"cold": cold, "hot": hot} {
			go func() {
				l, err := w.Take(ctx, f.ctx, 1<<30)
				if err != nil {
					took <- ""
					return
				}
				cancel()
				if err := l.Succeed(f.ctx, "", json.RawMessage(`1`)); err != nil {
					t.Error(err)
				}
				took <- name
			}()
		}
		time.Sleep(50 * time.Millisecond)
		begin := time.Now()
		r := f.submit("a", of("m"))
		names := <-took + <-took
		cancel()
		if waited := time.Since(begin); names != "hot" || waited > 2*time.Second {
			t.Errorf("job %d: taken by %q after %v", i, names, waited)
		}
		f.want(r, job.Succeeded, `1`)
	}
	f.submit("a", of("m"))
	begin := time.Now()
	l := f.take(cold, soon)
	if l == nil || time.Since(begin) < time.Second {
		t.Fatalf("nobody else: taken after %v", time.Since(begin))
	}
	if err := l.Succeed(f.ctx, "", json.RawMessage(`1`)); err != nil {
		t.Fatal(err)
	}
	f.empty()
}

// TestRunning has a tenant that may have two jobs at work, and others that aren't held up.
func TestRunning(t *testing.T) {
	f := start(t, nil)
	w := f.taker("w")
	w.Running = func(_ context.Context, tenant string) int {
		return map[string]int{"bounded": 2}[tenant]
	}
	for range 4 {
		f.submit("bounded", nil)
	}
	var leases []*queue.Lease
	for range 2 {
		leases = append(leases, f.take(w, soon))
		time.Sleep(100 * time.Millisecond)
	}
	if l := f.take(w, 1500*time.Millisecond); l != nil {
		t.Fatal("a third job is at work")
	}
	f.submit("other", nil)
	if l := f.take(w, soon); l == nil || l.Record().Tenant != "other" {
		t.Fatal(fmt.Sprint("another tenant waits: ", l))
	}
	if err := leases[0].Succeed(f.ctx, "", json.RawMessage(`1`)); err != nil {
		t.Fatal(err)
	}
	if l := f.take(w, soon); l == nil || l.Record().Tenant != "bounded" {
		t.Fatal("the place isn't taken")
	}
}
