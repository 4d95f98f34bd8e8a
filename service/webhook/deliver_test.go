package webhook

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/embedded/embeddedtest"
	"github.com/zkml-go/zkml/service/job"
)

// world has a bucket, a receiver, jobs that have ended, and a clock.
type world struct {
	t      *testing.T
	states jetstream.KeyValue
	secret Secret
	skew   atomic.Int64
	answer atomic.Int64 // the receiver's status

	mu   sync.Mutex
	jobs []job.Record
	got  map[string]int // messages by id that were answered with success
	all  int            // attempts
	url  string
	late chan struct{} // if set, the receiver waits for it
	log  *slog.Logger
}

func newWorld(t *testing.T) *world {
	t.Helper()
	nc := embeddedtest.Connect(t)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, secret: NewSecret(), got: map[string]int{}, log: slog.New(slog.DiscardHandler)}
	if w.states, err = js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "states"}); err != nil {
		t.Fatal(err)
	}
	w.answer.Store(200)
	receiver := httptest.NewServer(w)
	t.Cleanup(receiver.Close)
	w.url = receiver.URL
	return w
}

// ServeHTTP receives a message.
func (w *world) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = w.secret.Verify(r.Header, body, time.Now())
	}
	if err != nil {
		w.t.Error(err)
	}
	w.mu.Lock()
	late := w.late
	w.mu.Unlock()
	if late != nil {
		<-late
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all++
	status := int(w.answer.Load())
	if status < 300 {
		w.got[r.Header.Get("webhook-id")]++
	}
	out.WriteHeader(status)
}

// end adds a job that has ended.
func (w *world) end(tenant string) job.Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := job.Record{ID: job.NewID(), Tenant: tenant, Kind: job.Proof, State: job.Succeeded, Webhook: []byte("sealed"), Created: w.now(), Finished: w.now()}
	w.jobs = append(w.jobs, r)
	return r
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.skew.Load())) }

// id is the message's of a job.
func id(r job.Record) string { return fmt.Sprintf("msg_%s_%d", r.ID, r.Created.UnixMilli()) }

// run starts deliverers and returns what stops them.
func (w *world) run(n int) func() {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for range n {
		running.Go(func() {
			New(Config{
				States: w.states, Client: NewClient(true), Now: w.now, Log: w.log,
				Each: func(visit func(*job.Record)) {
					w.mu.Lock()
					defer w.mu.Unlock()
					for _, r := range w.jobs {
						visit(&r)
					}
				},
				URL:     func(*job.Record) (string, error) { return w.url, nil },
				Secrets: func(context.Context, string) ([]Secret, error) { return []Secret{w.secret}, nil },
				Message: func(r *job.Record) ([]byte, error) { return json.Marshal(r.ID) },
			}).Run(ctx)
		})
	}
	stop := sync.OnceFunc(func() { cancel(); running.Wait() })
	w.t.Cleanup(stop)
	return stop
}

// until waits for something.
func (w *world) until(what string, is func() bool) {
	w.t.Helper()
	for range 200 {
		w.mu.Lock()
		ok := is()
		w.mu.Unlock()
		if ok {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	w.t.Fatalf("no end of waiting until %s", what)
}

// state reads what is stored of a message.
func (w *world) state(r job.Record) (s State) {
	entry, err := w.states.Get(w.t.Context(), r.Tenant+"."+id(r))
	if err == nil {
		err = json.Unmarshal(entry.Value(), &s)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// TestDeliver has several servers deliver each message once, and none for jobs that want none
// or haven't ended.
func TestDeliver(t *testing.T) {
	w := newWorld(t)
	var ids []string
	for i := range 12 {
		ids = append(ids, id(w.end(fmt.Sprintf("tenant-%d", i%2))))
	}
	w.jobs = append(w.jobs, job.Record{ID: job.NewID(), Tenant: "a", State: job.Running, Webhook: []byte("x")}, job.Record{ID: job.NewID(), Tenant: "a", State: job.Failed})
	w.run(3)
	w.until("all are there", func() bool { return len(w.got) == len(ids) })
	time.Sleep(3 * every)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		if w.got[id] != 1 {
			t.Errorf("%s came %d times", id, w.got[id])
		}
	}
	if w.all != len(ids) {
		t.Errorf("%d attempts at %d messages", w.all, len(ids))
	}
}

// TestRetry has the receiver fail, the servers end, and others go on where they stopped.
func TestRetry(t *testing.T) {
	w := newWorld(t)
	w.answer.Store(500)
	r := w.end("a")
	stop := w.run(1)
	w.until("it was tried", func() bool { return w.all == 1 })
	time.Sleep(2 * every)
	stop()
	if s := w.state(r); s.Attempts != 1 || s.Done || s.Status != 500 || s.Next.Before(w.now()) || s.Next.After(w.now().Add(first)) {
		t.Errorf("%+v", s)
	}
	stop = w.run(2)
	time.Sleep(2 * every)
	if w.all != 1 {
		t.Errorf("tried again at once: %d", w.all)
	}
	w.skew.Add(int64(first))
	w.until("it was tried again", func() bool { return w.all == 2 })
	w.answer.Store(204)
	time.Sleep(2 * every)
	w.skew.Add(int64(2 * first))
	w.until("it is there", func() bool { return w.got[id(r)] == 1 })
	stop()
	if s := w.state(r); s.Attempts != 3 || !s.Done || s.Failed {
		t.Errorf("%+v", s)
	}
	w.skew.Add(int64(time.Hour))
	stop = w.run(1)
	time.Sleep(3 * every)
	stop()
	if w.all != 3 {
		t.Errorf("%d attempts", w.all)
	}
}

// TestDied has a server die in the middle of a message: another one sends it, later.
func TestDied(t *testing.T) {
	w := newWorld(t)
	r := w.end("a")
	// What a server that died has left: the claim of the attempt.
	data, _ := json.Marshal(State{Attempts: 1, Next: w.now().Add(2 * timeout)})
	if _, err := w.states.Create(t.Context(), "a."+id(r), data); err != nil {
		t.Fatal(err)
	}
	w.run(1)
	time.Sleep(3 * every)
	if w.all != 0 {
		t.Error("taken from a server that may still send")
	}
	w.skew.Add(int64(2 * timeout))
	w.until("it is there", func() bool { return w.got[id(r)] == 1 })
}

// TestGivenUp has the receiver say that it wants no more, and another one fail for days.
func TestGivenUp(t *testing.T) {
	w := newWorld(t)
	w.answer.Store(410)
	gone := w.end("a")
	w.run(1)
	w.until("it was tried", func() bool { return w.all == 1 })
	w.answer.Store(503)
	time.Sleep(2 * every)
	failing := w.end("a")
	w.until("it was tried", func() bool { return w.all == 2 })
	time.Sleep(2 * every)
	w.skew.Add(int64(patience + time.Minute))
	w.until("it was tried for the last time", func() bool { return w.all == 3 })
	time.Sleep(2 * every)
	w.skew.Add(int64(2 * longest))
	time.Sleep(3 * every)
	for _, r := range []job.Record{gone, failing} {
		if s := w.state(r); !s.Done || !s.Failed {
			t.Errorf("%+v", s)
		}
	}
	if w.all != 3 {
		t.Errorf("%d attempts", w.all)
	}
}

// TestSlow has a tenant's server dawdle: another tenant's messages don't wait for it.
func TestSlow(t *testing.T) {
	w := newWorld(t)
	late := make(chan struct{})
	w.late = late
	for range 3 * maxOwn {
		w.end("slow")
	}
	w.run(1)
	time.Sleep(2 * every)
	w.mu.Lock()
	w.late = nil
	w.mu.Unlock()
	r := w.end("quick")
	w.until("the quick one's is there", func() bool { return w.got[id(r)] == 1 })
	w.mu.Lock()
	if w.all != 1 {
		t.Errorf("%d messages of the slow one were answered before", w.all-1)
	}
	w.mu.Unlock()
	close(late)
	w.until("all are there", func() bool { return len(w.got) == 3*maxOwn+1 })
}

// TestAgain has a job of the same name come after the record of the first has gone, as the same
// idempotency key makes it: it has a message of its own.
func TestAgain(t *testing.T) {
	w := newWorld(t)
	old := w.end("a")
	w.run(1)
	w.until("the first is there", func() bool { return w.got[id(old)] == 1 })
	w.mu.Lock()
	w.jobs = nil
	w.mu.Unlock()
	time.Sleep(2 * every)
	w.skew.Add(int64(7 * 24 * time.Hour))
	again := old
	again.Created, again.Finished = w.now(), w.now()
	w.mu.Lock()
	w.jobs = []job.Record{again}
	w.mu.Unlock()
	w.until("the second is there", func() bool { return w.got[id(again)] == 1 })
	if id(old) == id(again) {
		t.Error("the receiver takes the second for the first")
	}
}

// TestLog has messages fail: the log says how, and not where.
func TestLog(t *testing.T) {
	w := newWorld(t)
	w.url = "http://127.0.0.1:1/secret"
	r := w.end("a")
	var log bytes.Buffer
	w.log = slog.New(slog.NewJSONHandler(&log, nil))
	stop := w.run(1)
	time.Sleep(3 * every)
	stop()
	if w.state(r).Attempts != 1 || !strings.Contains(log.String(), "connection refused") || strings.Contains(log.String(), "127.0.0.1") {
		t.Error(log.String())
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "host.example"}}, "name"},
		{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, "in time"},
		{&StatusError{Status: 503}, "503"},
		{ErrInternal, ErrInternal.Error()},
		{x509.HostnameError{Host: "host.example", Certificate: &x509.Certificate{}}, "x509.HostnameError"},
	} {
		if got := class(fmt.Errorf("host.example: %w", c.err)); !strings.Contains(got, c.want) || strings.Contains(got, "example") {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}
