package embedded_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/embedded"
	"github.com/zkml-go/zkml/service/internal/fault"
)

// TestDiskFull has the disk be full for a while. What was acknowledged stays, and writes
// succeed again afterwards without a restart of the program.
func TestDiskFull(t *testing.T) {
	folder := t.TempDir()
	s, err := embedded.Start(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	nc, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	kv, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "b"})
	if err != nil {
		t.Fatal(err)
	}
	put := func(key string) error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := kv.Put(ctx, key, []byte(key))
		return err
	}
	if err := put("before"); err != nil {
		t.Fatal(err)
	}
	if _, err := fault.FillOpenFiles(folder, ".blk"); err != nil {
		t.Fatal(err)
	}
	if err := put("meanwhile"); err == nil {
		t.Fatal("a write to a full disk was acknowledged")
	}
	for begin := time.Now(); ; {
		if err = put("after"); err == nil {
			break
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatal("the server doesn't come back:", err)
		}
	}
	for _, key := range []string{"before", "after"} {
		if e, err := kv.Get(t.Context(), key); err != nil || string(e.Value()) != key {
			t.Errorf("%s: %v", key, err)
		}
	}
}
