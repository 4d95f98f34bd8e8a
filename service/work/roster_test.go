package work

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/service/embedded/embeddedtest"
	"github.com/zkml-go/zkml/service/queue"
)

// TestRosterLost has the NATS lose the list, as a restart does: who reads it finds nobody, who
// tells of itself is in it, and who listens learns of that.
func TestRosterLost(t *testing.T) {
	nc := embeddedtest.Connect(t)
	ctx, cancel := context.WithCancel(t.Context())
	q, err := queue.Open(ctx, nc, queue.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	r, err := OpenRoster(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	lose := func() {
		t.Helper()
		if err := q.JetStream().DeleteStream(ctx, "KV_zkml_workers"); err != nil {
			t.Fatal(err)
		}
	}
	announce := func(name string) {
		t.Helper()
		if err := r.announce(ctx, &client.Worker{ID: name}); err != nil {
			t.Fatal(err)
		}
	}
	listed := func(want ...string) {
		t.Helper()
		workers, err := r.List(ctx)
		if err != nil || len(workers) != len(want) {
			t.Fatalf("%+v, %v, want %v", workers, err, want)
		}
		for i, w := range workers {
			if w.ID != want[i] {
				t.Errorf("%+v, want %v", workers, want)
			}
		}
	}
	b := newBadge(&Config{Name: "self", Roster: r}, newHot(0))
	b.silence = 100 * time.Millisecond
	var listening sync.WaitGroup
	listening.Go(func() { b.listen(ctx) })
	defer func() { cancel(); listening.Wait() }()
	heard := func(name string) {
		t.Helper()
		for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) {
			b.mu.Lock()
			_, ok := b.others[entryOf(name)]
			b.mu.Unlock()
			if ok {
				return
			}
			if time.Since(begin) > 10*time.Second {
				t.Fatalf("%s isn't heard of", name)
			}
		}
	}
	announce("a")
	listed("a")
	heard("a")
	lose()
	listed()
	announce("b")
	heard("b")
	lose()
	announce("c")
	listed("c")
	heard("c")
}
