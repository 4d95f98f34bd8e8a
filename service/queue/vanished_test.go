package queue_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/queue"
)

// TestVanished has a worker be known to have ended: its job, and no other, goes to the next one
// at once; what the worker may still say doesn't count; and after too many the job is parked.
func TestVanished(t *testing.T) {
	f := start(t, func(o *queue.Options) { o.Takeover, o.Policy.MaxFaults = 10*time.Minute, 2 })
	r, other := f.submit("a", nil), f.submit("b", nil)
	first, kept := f.take(f.taker("first"), soon), f.take(f.taker("kept"), soon)
	if first == nil || kept == nil {
		t.Fatal("no jobs")
	}
	if first.Record().ID != r.ID {
		r, other = other, r
	}
	vanish := func(worker string, want job.State) {
		t.Helper()
		for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
			if err := f.q.Vanished(f.ctx, worker); err != nil {
				t.Fatal(err)
			}
			// The copy of the records may be late.
			if got, err := f.q.Get(f.ctx, r.Tenant, r.ID); err == nil && got.State == want {
				return
			} else if time.Since(begin) > soon {
				t.Fatalf("%+v, %v", got, err)
			}
		}
	}
	vanish("first", job.Queued)
	second := f.take(f.taker("second"), soon)
	if second == nil || second.Record().ID != r.ID || second.Record().Attempt != 2 || second.Record().Faults != 1 {
		t.Fatalf("%+v", second)
	}
	if err := first.Succeed(f.ctx, "", json.RawMessage(`"late"`)); !errors.Is(err, job.ErrFenced) {
		t.Error(err)
	}
	f.want(r, job.Running, "")
	f.want(other, job.Running, "")

	vanish("second", job.Failed)
	if got := f.want(r, job.Failed, ""); got.Failure.Code != job.CodeParked {
		t.Errorf("%+v", got.Failure)
	}
	if err := f.q.Vanished(f.ctx, "second"); err != nil {
		t.Error(err)
	}
	if err := kept.Succeed(f.ctx, "", json.RawMessage(`"kept"`)); err != nil {
		t.Error(err)
	}
	f.want(other, job.Succeeded, `"kept"`)
	f.empty()
}
