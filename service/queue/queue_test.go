package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/zkml-go/zkml/service/embedded"
	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/queue"
)

// takeover is short, so that tests don't wait; an idle machine would do with less.
const takeover = time.Second

type fixture struct {
	t      *testing.T
	folder string
	server *embedded.Server
	nc     *nats.Conn
	o      queue.Options
	q      *queue.Queue
	ctx    context.Context
	skew   atomic.Int64 // of the clock, in nanoseconds
}

func start(t *testing.T, set func(*queue.Options)) *fixture {
	t.Helper()
	f := &fixture{t: t, folder: t.TempDir(), o: queue.DefaultOptions(), ctx: t.Context()}
	f.o.Takeover = takeover
	f.o.Policy.Backoff = 100 * time.Millisecond
	f.o.Now = func() time.Time { return time.Now().Add(time.Duration(f.skew.Load())) }
	if set != nil {
		set(&f.o)
	}
	f.open()
	t.Cleanup(f.close)
	return f
}

func (f *fixture) open() {
	f.t.Helper()
	var err error
	if f.server, err = embedded.Start(f.folder); err != nil {
		f.t.Fatal(err)
	}
	if f.nc, err = f.server.Connect(); err != nil {
		f.t.Fatal(err)
	}
	if f.q, err = queue.Open(f.ctx, f.nc, f.o); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) close() {
	f.nc.Close()
	f.server.Close()
}

func (f *fixture) submit(tenant string, set func(*job.Record)) job.Record {
	f.t.Helper()
	r := job.Record{ID: job.NewID(), Tenant: tenant, Kind: job.Proof, Priority: job.Normal, Created: f.o.Now().UTC(), Spec: json.RawMessage(`{}`)}
	if set != nil {
		set(&r)
	}
	r, err := f.q.Submit(f.ctx, r)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

func (f *fixture) taker(name string) *queue.Taker {
	f.t.Helper()
	t, err := f.q.Taker(name)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(t.Close)
	return t
}

// take waits for a job; nothing within the time is nil.
func (f *fixture) take(t *queue.Taker, within time.Duration) *queue.Lease {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.ctx, within)
	defer cancel()
	l, err := t.Take(ctx, f.ctx, 1<<30)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		f.t.Fatal(err)
	}
	return l
}

func (f *fixture) want(r job.Record, s job.State, result string) job.Record {
	f.t.Helper()
	got, err := f.q.Get(f.ctx, r.Tenant, r.ID)
	if err != nil || got.State != s || string(got.Result) != result {
		f.t.Fatalf("%s with result %s, %v; want %s with %s", got.State, got.Result, err, s, result)
	}
	return got
}

// empty wants no message left.
func (f *fixture) empty() {
	f.t.Helper()
	for range 50 {
		stream, err := f.q.JetStream().Stream(f.ctx, "ZKML_JOBS")
		if err != nil {
			f.t.Fatal(err)
		}
		if stream.CachedInfo().State.Msgs == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	f.t.Error("messages are left")
}

const soon = 20 * time.Second

func TestSucceed(t *testing.T) {
	f := start(t, nil)
	w := f.taker("w")
	r := f.submit("a", nil)
	l := f.take(w, soon)
	if l == nil || l.Record().ID != r.ID || l.Record().Attempt != 1 {
		t.Fatalf("took %+v", l)
	}
	done := []job.Stage{{Name: "load", Took: time.Second}}
	if err := l.Advance("solve", done); err != nil {
		t.Fatal(err)
	}
	if got := f.want(r, job.Running, ""); got.Stage != "solve" || got.Worker != "w" || !slices.Equal(got.Stages, done) {
		t.Errorf("%+v", got)
	}
	done = append(done, job.Stage{Name: "solve", Took: time.Minute})
	l.Done(done)
	if err := l.Succeed(f.ctx, "", json.RawMessage(`"p"`)); err != nil {
		t.Fatal(err)
	}
	if got := f.want(r, job.Succeeded, `"p"`); !slices.Equal(got.Stages, done) || got.Stage != "" {
		t.Errorf("stages %+v, at %q", got.Stages, got.Stage)
	}
	f.empty()
	if l.Context().Err() == nil {
		t.Error("the lease goes on after its end")
	}
}

// TestTakeover lets a worker stall, has another one take its job, and wakes it up.
func TestTakeover(t *testing.T) {
	f := start(t, nil)
	a, b := f.taker("a"), f.taker("b")
	r := f.submit("a", nil)
	stalled := f.take(a, soon)
	if held := f.take(b, 3*takeover); held != nil {
		t.Fatal("a job with heartbeats was taken over")
	}
	stalled.Abandon()
	begin := time.Now()
	l := f.take(b, soon)
	if l == nil || l.Record().ID != r.ID || l.Record().Attempt != 2 || l.Record().Faults != 1 {
		t.Fatalf("took %+v", l)
	}
	if took := time.Since(begin); took > takeover+3*time.Second {
		t.Errorf("taken over after %v", took)
	}
	if err := stalled.Succeed(f.ctx, "", json.RawMessage(`"stale"`)); !errors.Is(err, job.ErrFenced) {
		t.Errorf("the stalled worker's result: %v", err)
	}
	f.want(r, job.Running, "")
	if err := l.Succeed(f.ctx, "", json.RawMessage(`"b"`)); err != nil {
		t.Fatal(err)
	}
	if err := stalled.Succeed(f.ctx, "", json.RawMessage(`"stale"`)); !errors.Is(err, job.ErrFinal) {
		t.Errorf("the stalled worker's result, later: %v", err)
	}
	f.want(r, job.Succeeded, `"b"`)
	f.empty()
}

func TestCancel(t *testing.T) {
	f := start(t, nil)
	w := f.taker("w")
	r := f.submit("a", nil)
	l := f.take(w, soon)
	if _, err := f.q.Cancel(f.ctx, "b", r.ID); !errors.Is(err, queue.ErrMissing) {
		t.Errorf("another tenant cancels: %v", err)
	}
	if _, err := f.q.Cancel(f.ctx, "a", r.ID); err != nil {
		t.Fatal(err)
	}
	select {
	case <-l.Context().Done():
	case <-time.After(soon):
		t.Fatal("the worker wasn't told")
	}
	if cause := context.Cause(l.Context()); !errors.Is(cause, job.ErrFinal) {
		t.Errorf("cause %v", cause)
	}
	if err := l.Succeed(f.ctx, "", json.RawMessage(`"p"`)); !errors.Is(err, job.ErrFinal) {
		t.Errorf("a result after that: %v", err)
	}
	f.want(r, job.Cancelled, "")
	waiting := f.submit("a", nil)
	if _, err := f.q.Cancel(f.ctx, "a", waiting.ID); err != nil {
		t.Fatal(err)
	}
	if l := f.take(w, 2*time.Second); l != nil {
		t.Error("a cancelled job was taken")
	}
	if _, err := f.q.Cancel(f.ctx, "a", waiting.ID); !errors.Is(err, job.ErrFinal) {
		t.Errorf("cancelled twice: %v", err)
	}
	f.empty()
}

func TestFailAndRetry(t *testing.T) {
	f := start(t, func(o *queue.Options) { o.Policy.MaxFaults = 2 })
	w := f.taker("w")
	r := f.submit("a", nil)
	infra := job.Failure{Fault: job.Infrastructure, Code: "disk", Message: "disk full", Retry: true}
	if s, err := f.take(w, soon).Retry(f.ctx, infra); err != nil || s != job.Queued {
		t.Fatal(s, err)
	}
	l := f.take(w, soon)
	if err := l.Release(f.ctx); err != nil {
		t.Fatal(err)
	}
	l = f.take(w, soon)
	if l.Record().Attempt != 3 || l.Record().Faults != 1 {
		t.Errorf("%+v", l.Record())
	}
	if s, err := l.Retry(f.ctx, infra); err != nil || s != job.Failed {
		t.Fatal(s, err)
	}
	if got := f.want(r, job.Failed, ""); got.Failure.Code != job.CodeParked {
		t.Errorf("%+v", got.Failure)
	}
	r = f.submit("a", nil)
	if err := f.take(w, soon).Fail(f.ctx, job.Failure{Fault: job.User, Code: "input"}); err != nil {
		t.Fatal(err)
	}
	if got := f.want(r, job.Failed, ""); got.Failure.Code != "input" || got.Attempt != 1 {
		t.Errorf("%+v", got)
	}
	f.empty()
}

func TestLimits(t *testing.T) {
	f := start(t, func(o *queue.Options) { o.MaxJobs, o.MaxPerTenant = 3, 2 })
	try := func(tenant, id string) error {
		_, err := f.q.Submit(f.ctx, job.Record{ID: id, Tenant: tenant, Kind: job.Proof, Priority: job.Normal, Spec: json.RawMessage(`{}`)})
		time.Sleep(100 * time.Millisecond) // a tenant's count may be late
		return err
	}
	first := job.NewID()
	for i, c := range []struct {
		tenant, id string
		want       error
	}{
		{"a", first, nil}, {"a", first, queue.ErrExists}, {"a", job.NewID(), nil}, {"a", job.NewID(), queue.ErrFull},
		{"a", first, queue.ErrExists}, {"b", first, nil}, {"c", job.NewID(), queue.ErrFull},
	} {
		if err := try(c.tenant, c.id); !errors.Is(err, c.want) {
			t.Errorf("%d: %v, want %v", i, err, c.want)
		}
	}
	if page, _ := f.q.List(queue.Filter{Tenant: "c", Kind: job.Proof, Limit: 9}); len(page) != 0 {
		t.Errorf("a job that wasn't accepted is there: %v", page)
	}
	w := f.taker("w")
	if err := f.take(w, soon).Succeed(f.ctx, "", json.RawMessage(`1`)); err != nil {
		t.Fatal(err)
	}
	if err := try("c", job.NewID()); err != nil {
		t.Errorf("with a place free: %v", err)
	}
}

// TestFairness has a tenant with one job served right after another one's first, and
// high priority first, but not always.
func TestFairness(t *testing.T) {
	f := start(t, nil)
	for range 20 {
		f.submit("busy", nil)
	}
	f.submit("busy", func(r *job.Record) { r.Priority = job.Low })
	f.submit("small", nil)
	f.submit("late", func(r *job.Record) { r.Priority = job.High })
	w := f.taker("w")
	var order []string
	for range 23 {
		l := f.take(w, soon)
		r := l.Record()
		order = append(order, fmt.Sprintf("%s/%s", r.Tenant, r.Priority))
		if err := l.Succeed(f.ctx, "", json.RawMessage(`1`)); err != nil {
			t.Fatal(err)
		}
	}
	if order[0] != "late/high" || slices.Index(order, "small/normal") > 2 || slices.Index(order, "busy/low") > 17 {
		t.Errorf("order %v", order)
	}
}

func TestMemory(t *testing.T) {
	f := start(t, nil)
	r := f.submit("a", func(r *job.Record) { r.Memory = 2 << 30 })
	if l := f.take(f.taker("small"), 2*time.Second); l != nil {
		t.Fatal("taken by a worker that is too small")
	}
	large := f.taker("large")
	ctx, cancel := context.WithTimeout(f.ctx, soon)
	defer cancel()
	l, err := large.Take(ctx, f.ctx, 4<<30)
	if err != nil || l.Record().ID != r.ID || l.Record().Attempt != 1 {
		t.Fatal(l, err)
	}
	l.Abandon()
}

// TestSweep loses a message, passes a deadline, and grows old.
func TestSweep(t *testing.T) {
	f := start(t, nil)
	w := f.taker("w")
	lost := f.submit("a", nil)
	due := f.submit("b", func(r *job.Record) { r.Deadline = r.Created.Add(time.Second) })
	stream, err := f.q.JetStream().Stream(f.ctx, "ZKML_JOBS")
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Purge(f.ctx); err != nil {
		t.Fatal(err)
	}
	if l := f.take(w, 1500*time.Millisecond); l != nil {
		t.Fatal("a job without a message was taken")
	}
	if err := f.q.Sweep(f.ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
	f.want(due, job.Expired, "")
	l := f.take(w, soon)
	if l == nil || l.Record().ID != lost.ID {
		t.Fatalf("took %v", l)
	}
	if err := l.Succeed(f.ctx, "", json.RawMessage(`1`)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	if err := f.q.Sweep(f.ctx, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := f.q.Get(f.ctx, "a", lost.ID); !errors.Is(err, queue.ErrMissing) {
		t.Errorf("an old job is still there: %v", err)
	}
	f.empty()
}

// TestRestart stops the server with jobs waiting and one in a worker's hands.
func TestRestart(t *testing.T) {
	f := start(t, nil)
	w := f.taker("w")
	var all []job.Record
	for range 20 {
		all = append(all, f.submit("a", nil))
	}
	f.take(w, soon).Abandon()
	w.Close()
	if _, err := embedded.Start(f.folder); !errors.Is(err, embedded.ErrBusy) {
		t.Errorf("a second server in the folder: %v", err)
	}
	f.close()
	f.open()
	w = f.taker("v")
	for range all {
		l := f.take(w, soon)
		if l == nil {
			t.Fatal("a job was lost")
		}
		if err := l.Succeed(f.ctx, "", json.RawMessage(`1`)); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range all {
		f.want(r, job.Succeeded, `1`)
	}
	f.empty()
}

func TestList(t *testing.T) {
	f := start(t, nil)
	var ids []string
	for i := range 7 {
		f.skew.Store(int64(i) * int64(time.Second))
		ids = append([]string{f.submit("a", nil).ID}, ids...)
	}
	f.submit("b", nil)
	time.Sleep(200 * time.Millisecond)
	var got []string
	for filter := (queue.Filter{Tenant: "a", Kind: job.Proof, Limit: 3}); ; {
		page, more := f.q.List(filter)
		for _, r := range page {
			got = append(got, r.ID)
			filter.After = queue.Cursor(&r)
		}
		if !more {
			break
		}
	}
	if !slices.Equal(got, ids) {
		t.Errorf("%v, want %v", got, ids)
	}
	if page, _ := f.q.List(queue.Filter{Tenant: "a", Kind: job.Proof, State: job.Running, Limit: 9}); len(page) != 0 {
		t.Errorf("running: %v", page)
	}
}
