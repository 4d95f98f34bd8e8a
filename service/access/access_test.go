package access_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/embedded"
)

func TestKeys(t *testing.T) {
	folder := t.TempDir()
	server, err := embedded.Start(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	nc, err := server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	kv, err := js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: "keys"})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	keys := access.Open(kv, func() time.Time { return now })
	token, made, err := keys.Create(ctx, "alice", []access.Scope{access.Prove}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	k, err := keys.Check(ctx, token)
	if err != nil || k.Tenant != "alice" || !k.Allows(access.Read) || !k.Allows(access.Prove) || k.Allows(access.Admin) {
		t.Fatalf("%+v, %v", k, err)
	}
	prefix, secret, _ := strings.Cut(strings.TrimPrefix(token, "zkml_"), "_")
	if prefix != made.Prefix || len(secret) != 43 {
		t.Errorf("token %s", token)
	}
	other, _, err := keys.Create(ctx, "bob", []access.Scope{access.Admin}, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, others, _ := strings.Cut(strings.TrimPrefix(other, "zkml_"), "_")
	for _, wrong := range []string{"", "zkml_", "zkml__", token[:len(token)-1], token + "x", strings.ToUpper(token), "zkml_" + prefix + "_" + others, "zkml_>_" + secret, "zkml_*_" + secret, "zkml_0123456789_" + secret} {
		if _, err := keys.Check(ctx, wrong); !errors.Is(err, access.ErrDenied) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	now = now.Add(time.Hour + time.Second)
	if _, err := keys.Check(ctx, token); !errors.Is(err, access.ErrDenied) {
		t.Errorf("expired: %v", err)
	}
	k, err = keys.Check(ctx, other)
	if err != nil || !k.Allows(access.Prove) || !k.Allows(access.Read) {
		t.Errorf("admin: %+v, %v", k, err)
	}
	if err := keys.Revoke(ctx, k.Prefix); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Check(ctx, other); !errors.Is(err, access.ErrDenied) {
		t.Errorf("revoked: %v", err)
	}
	if err := keys.Revoke(ctx, "0123456789"); !errors.Is(err, access.ErrNoKey) {
		t.Errorf("revoke of none: %v", err)
	}
	if all, err := keys.List(ctx); err != nil || len(all) != 2 || all[0].Tenant != "alice" || !all[1].Revoked {
		t.Errorf("%v, %v", all, err)
	}
	for _, c := range []struct {
		tenant string
		scopes []access.Scope
	}{{"Alice", []access.Scope{access.Read}}, {"a.b", []access.Scope{access.Read}}, {"alice", nil}, {"alice", []access.Scope{"root"}}} {
		if _, _, err := keys.Create(ctx, c.tenant, c.scopes, 0); err == nil {
			t.Errorf("made a key for %+v", c)
		}
	}
	err = filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(secret)) || bytes.Contains(data, []byte(others)) {
			t.Errorf("a secret lies in %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
