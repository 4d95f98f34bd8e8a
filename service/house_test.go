package service

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/queue"
)

// TestCollectTwice has a blob whose time is long ago though it was just stored, as with a
// wrong clock: it goes at the second collection only, and not if it was young by then.
func TestCollectTwice(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), Config{
		Data: filepath.Join(dir, "data"), OperatorKey: filepath.Join(dir, "key"), Queue: queue.DefaultOptions(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	names := []string{blob.PrivateName("a"), blob.PrivateName("a")}
	age := func(name string, age time.Duration) {
		path := filepath.Join(dir, "data", "blobs", filepath.FromSlash(name))
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		if err := s.blobs.Put(t.Context(), name, bytes.NewReader([]byte("x"))); err != nil {
			t.Fatal(err)
		}
		age(name, 24*time.Hour)
	}
	there := func(name string) bool {
		r, err := s.blobs.Open(t.Context(), name)
		if errors.Is(err, blob.ErrMissing) {
			return false
		}
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		return true
	}
	for i, want := range [][2]bool{{true, true}, {false, true}, {false, true}} {
		if i == 1 {
			age(names[1], 0)
		}
		if err := s.collect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := [2]bool{there(names[0]), there(names[1])}; got != want {
			t.Errorf("after collection %d: %v, want %v", i+1, got, want)
		}
	}
}
