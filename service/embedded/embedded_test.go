package embedded_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/embedded"
	"github.com/zkml-go/zkml/service/internal/fault"
)

// TestShared lets those in who have the password.
func TestShared(t *testing.T) {
	s, err := embedded.StartShared(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	good, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	if host := good.Hostname(); host != "127.0.0.1" {
		t.Errorf("the server listens at %s", host)
	}
	password, _ := good.User.Password()
	for _, c := range []struct {
		name string
		user *url.Userinfo
		ok   bool
	}{
		{"with the password", good.User, true},
		{"with another one", url.UserPassword(good.User.Username(), password[1:]), false},
		{"without", nil, false},
	} {
		u := *good
		u.User = c.user
		nc, err := nats.Connect(u.String())
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			nc.Close()
		}
	}
}

// TestDiskFull has the disk be full for a while. What was acknowledged stays, and writes
// succeed again afterwards without a restart of the program, from other programs too.
func TestDiskFull(t *testing.T) {
	if !fault.Alone(t) {
		return
	}
	folder := t.TempDir()
	s, err := embedded.StartShared(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	outside, err := nats.Connect(s.URL(), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
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
	empty, err := fault.FillDisk()
	if err != nil {
		t.Fatal(err)
	}
	defer empty()
	for range 3 {
		if err := put("meanwhile"); err == nil {
			t.Fatal("a write to a full disk was acknowledged")
		}
	}
	if e, err := kv.Get(t.Context(), "before"); err != nil || string(e.Value()) != "before" {
		t.Errorf("while the disk is full: %v", err)
	}
	empty()
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
	js, err = jetstream.New(outside)
	if err == nil {
		kv, err = js.KeyValue(t.Context(), "b")
	}
	for begin := time.Now(); err == nil; {
		if err = put("outside"); err == nil || time.Since(begin) > 20*time.Second {
			break
		}
		err = nil // the connection is being made again
	}
	if err != nil {
		t.Error("from another program:", err)
	}
}
