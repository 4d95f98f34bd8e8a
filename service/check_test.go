package service_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service"
	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/queue"
)

// TestCheck checks a service as it is at first, and with what it needs.
func TestCheck(t *testing.T) {
	wrong := func(w *world) (parts []string) {
		for _, f := range w.s.Check(t.Context()) {
			if f.Text == "" {
				t.Errorf("%s: nothing is said", f.Part)
			}
			if f.Wrong {
				parts = append(parts, f.Part)
			}
		}
		return parts
	}
	w := start(t, func(c *service.Config) { c.AllowDevelopment = false })
	if got := strings.Join(wrong(w), ", "); got != "api keys, srs" {
		t.Errorf("at first %q is wrong, want the api keys and the srs", got)
	}
	_, k := w.token("alice", 0, access.Read)
	if got := strings.Join(wrong(w), ", "); got != "srs" {
		t.Errorf("with a key %q is wrong, want the srs", got)
	}
	if err := w.s.Keys().Revoke(t.Context(), k.Prefix); err != nil {
		t.Fatal(err)
	}
	w.s.AllowDevelopment = true
	if got := strings.Join(wrong(w), ", "); got != "api keys" {
		t.Errorf("with a revoked key %q is wrong, want the api keys", got)
	}
	w.s.NoAuth = true
	if got := wrong(w); got != nil {
		t.Errorf("%q is wrong with nothing wanted", got)
	}
	left := 0
	filepath.WalkDir(filepath.Join(w.data, "blobs"), func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			left++
		}
		return err
	})
	if left != 0 {
		t.Errorf("the checks left %d files", left)
	}
	// The folder is there no more, as a disk that was unmounted.
	if err := os.RemoveAll(filepath.Join(w.data, "blobs")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.data, "blobs"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(wrong(w), ", "); got != "files" {
		t.Errorf("without the folder %q is wrong, want the files", got)
	}
}

// TestOpenEnds ends the wait for a NATS that isn't there.
func TestOpenEnds(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	begin := time.Now()
	_, err := service.Open(ctx, service.Config{
		Data: filepath.Join(dir, "data"), OperatorKey: filepath.Join(dir, "operator.key"), Queue: queue.DefaultOptions(),
		NATS: "nats://me:secret@127.0.0.1:1", Log: slog.New(slog.DiscardHandler),
	})
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a NATS that isn't there: %v", err)
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}
