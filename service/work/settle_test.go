package work

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service/embedded/embeddedtest"
	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/queue"
)

// TestSettle logs that a job succeeded once it is recorded, and not where it can't be.
func TestSettle(t *testing.T) {
	nc := embeddedtest.Connect(t)
	q, err := queue.Open(t.Context(), nc, queue.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Submit(t.Context(), job.Record{ID: job.NewID(), Tenant: "a", Kind: job.Proof, Priority: job.Normal, Spec: json.RawMessage(`{}`)}); err != nil {
		t.Fatal(err)
	}
	taker, err := q.Taker("w")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(taker.Close)
	l, err := taker.Take(t.Context(), t.Context(), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	r := l.Record()
	settle := func(result any) string {
		var log bytes.Buffer
		a := &attempt{w: &Worker{}, l: l, r: &r, log: slog.New(slog.NewTextHandler(&log, nil)), begin: time.Now(), parts: &stages{advance: l.Advance}}
		a.settle(t.Context(), result, nil)
		return log.String()
	}
	if text := settle(make(chan int)); strings.Contains(text, "job succeeded") || !strings.Contains(text, "wasn't recorded") {
		t.Errorf("what can't be recorded is logged as %s", text)
	}
	if text := settle("proof"); !strings.Contains(text, "job succeeded") || strings.Contains(text, "wasn't recorded") {
		t.Errorf("what is recorded is logged as %s", text)
	}
}
