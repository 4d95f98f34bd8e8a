package service_test

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/zkml-go/zkml/service"
	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/client"
)

// TestQuota has a tenant meet each of its limits, while another one has none.
func TestQuota(t *testing.T) {
	w := start(t, func(c *service.Config) { c.Limits.Blob = 1 << 20 })
	ctx := t.Context()
	token, _ := w.token("alice", 0, access.Prove)
	free, _ := w.token("bob", 0, access.Prove)
	adminToken, _ := w.token("ops", 0, access.Admin)
	c, other, admin := client.New(w.base, token), client.New(w.base, free), client.New(w.base, adminToken)
	build := built(t, c)
	row := []byte(`{"features": [0.03` + strings.Repeat(", 0.01", 9) + `]}`)
	prove := func(c *client.Client) error {
		_, err := c.Prove(ctx, client.ProofRequest{Model: build.Model, Inputs: row}, "")
		return err
	}
	garbage := func(c *client.Client, size int) error {
		_, err := c.Build(ctx, client.BuildRequest{ONNX: &client.Source{Data: make([]byte, size)}}, "")
		return err
	}
	upload := func(token string, size int) error {
		data := strings.Repeat("x", size)
		r, err := http.NewRequestWithContext(ctx, "PUT", w.base+"/v1/blobs/"+blob.Sum([]byte(data)).String(), strings.NewReader(data))
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		answer.Body.Close()
		if answer.StatusCode < 300 {
			return nil
		}
		return &client.Problem{Status: answer.StatusCode}
	}
	if err := upload(token, 5); err != nil {
		t.Fatal(err)
	}
	named := func(c *client.Client) error {
		_, err := c.Build(ctx, client.BuildRequest{ONNX: &client.Source{Blob: blob.Sum([]byte("xxxxx")).String()}}, "")
		return err
	}
	set := func(q client.Quota) client.Tenant {
		t.Helper()
		state, err := admin.SetQuota(ctx, "alice", q)
		if err != nil || state.Quota != q {
			t.Fatal(state, err, w.log.String())
		}
		return state
	}
	use := set(client.Quota{}).Use
	if use.Models != 1 || use.PerDay != 1 || use.Queued != 0 || use.Stored == 0 {
		t.Errorf("in use: %+v", use)
	}
	for _, c := range []struct {
		name   string
		quota  client.Quota
		do     func() error
		status int
		after  bool
	}{
		{"models", client.Quota{Models: 1}, func() error { return garbage(c, 10) }, 403, false},
		{"models, a proof", client.Quota{Models: 1}, func() error { return prove(c) }, 0, false},
		{"memory", client.Quota{Memory: 1 << 20}, func() error { return prove(c) }, 403, false},
		{"per day", client.Quota{PerDay: 2}, func() error { return prove(c) }, 429, true},
		{"stored, a file", client.Quota{Stored: use.Stored + 100<<10}, func() error { return upload(token, 150<<10) }, 403, false},
		{"stored, data", client.Quota{Stored: use.Stored + 100<<10}, func() error { return garbage(c, 150<<10) }, 403, false},
		{"stored, a build of a file that is there", client.Quota{Stored: use.Stored}, func() error { return named(c) }, 403, false},
		{"stored, a build with room", client.Quota{Stored: use.Stored + 100<<10}, func() error { return named(c) }, 0, false},
		{"stored, a small file", client.Quota{Stored: use.Stored + 100<<10}, func() error { return upload(token, 10) }, 0, false},
		{"another tenant", client.Quota{Models: 1, PerDay: 1, Stored: 1}, func() error { return errors.Join(garbage(other, 10), upload(free, 150<<10)) }, 0, false},
	} {
		set(c.quota)
		err := c.do()
		var p *client.Problem
		if c.status == 0 && err != nil || c.status != 0 && (!errors.As(err, &p) || p.Status != c.status || c.after && (p.RetryAfter < time.Hour || p.RetryAfter > 24*time.Hour)) {
			t.Errorf("%s: %v, want %d", c.name, err, c.status)
		}
	}

	// A model that is too large is known when it is compiled.
	set(client.Quota{Rows: 100})
	j, err := c.Build(ctx, client.BuildRequest{ONNX: &client.Source{Data: model(t, "diabetes/model.onnx")}}, "")
	if err == nil {
		j, err = c.Wait(ctx, j, nil)
	}
	if err != nil || j.State != "failed" || j.Failure.Code != "quota" || j.Failure.Fault != "user" || j.Failure.Retry {
		t.Errorf("rows: %+v %+v, %v", j, j.Failure, err)
	}

	// A place is free again when a model is deleted.
	set(client.Quota{Models: 1})
	wantStatus(t, "delete with another tenant's key", func() error { return other.DeleteModel(ctx, build.Model) }, 404)
	if err := c.DeleteModel(ctx, build.Model); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, "a deleted model", func() error { _, err := c.Model(ctx, build.Model); return err }, 404)
	wantStatus(t, "a proof of a deleted model", func() error { return prove(c) }, 404)
	if err := garbage(c, 10); err != nil {
		t.Error(err)
	}
	wantStatus(t, "a quota by a tenant", func() error { _, err := c.SetQuota(ctx, "alice", client.Quota{}); return err }, 403)
	wantStatus(t, "a negative quota", func() error { _, err := admin.SetQuota(ctx, "alice", client.Quota{Models: -1}); return err }, 422)
}

// TestQueuedQuota fills a tenant's part of the queue, which nobody works on.
func TestQueuedQuota(t *testing.T) {
	w := start(t, func(c *service.Config) { c.Memory = 1 }) // no job fits the worker
	ctx := t.Context()
	token, _ := w.token("alice", 0, access.Prove)
	free, _ := w.token("bob", 0, access.Prove)
	if err := w.s.Tenants().SetQuota(ctx, "alice", access.Quota{Queued: 2}); err != nil {
		t.Fatal(err)
	}
	submit := func(token string) error {
		_, err := client.New(w.base, token).Build(ctx, client.BuildRequest{ONNX: &client.Source{Data: []byte("x")}}, "")
		time.Sleep(100 * time.Millisecond) // for the copy of the records
		return err
	}
	for range 2 {
		if err := submit(token); err != nil {
			t.Fatal(err)
		}
	}
	var p *client.Problem
	if err := submit(token); !errors.As(err, &p) || p.Status != 429 || p.RetryAfter <= 0 {
		t.Errorf("a third job: %v", err)
	}
	if err := submit(free); err != nil {
		t.Errorf("another tenant: %v", err)
	}
}

// TestKeysOverHTTP makes and revokes keys over HTTP, and has them checked by another server.
func TestKeysOverHTTP(t *testing.T) {
	bases := twoServers(t)
	ctx := t.Context()
	first := bases[0].s
	token, _, err := first.Keys().Create(ctx, "ops", []access.Scope{access.Admin}, 0)
	if err != nil {
		t.Fatal(err)
	}
	admin := client.New(bases[0].base, token)
	made, err := admin.CreateKey(ctx, client.KeyRequest{Tenant: "alice", Scopes: []string{"prove"}, Quota: &client.Quota{Queued: 7}})
	if err != nil || made.Key.Tenant != "alice" || !strings.Contains(made.Token, made.Key.Prefix) {
		t.Fatal(made, err)
	}
	if state, err := admin.Tenant(ctx, "alice"); err != nil || state.Quota.Queued != 7 {
		t.Errorf("%+v, %v", state, err)
	}
	other := client.New(bases[1].base, made.Token)
	if _, err := other.Models(ctx); err != nil {
		t.Errorf("on another server: %v", err)
	}
	for what, do := range map[string]func() error{
		"make": func() error {
			_, err := other.CreateKey(ctx, client.KeyRequest{Tenant: "alice", Scopes: []string{"admin"}})
			return err
		},
		"list":   func() error { _, err := other.Keys(ctx); return err },
		"revoke": func() error { return other.RevokeKey(ctx, made.Key.Prefix) },
		"tenant": func() error { _, err := other.Tenant(ctx, "alice"); return err },
	} {
		wantStatus(t, what+" with a tenant's key", do, 403)
	}
	past := time.Now().Add(-time.Hour)
	for what, r := range map[string]client.KeyRequest{
		"a bad tenant":   {Tenant: "Alice!", Scopes: []string{"prove"}},
		"a bad scope":    {Tenant: "alice", Scopes: []string{"root"}},
		"no scope":       {Tenant: "alice", Scopes: []string{}},
		"already past":   {Tenant: "alice", Scopes: []string{"prove"}, Expires: &past},
		"negative quota": {Tenant: "alice", Scopes: []string{"prove"}, Quota: &client.Quota{Stored: -1}},
	} {
		wantStatus(t, what, func() error { _, err := admin.CreateKey(ctx, r); return err }, 422)
	}
	list, err := admin.Keys(ctx)
	if err != nil || len(list.Keys) != 2 || list.Keys[1].Prefix != made.Key.Prefix || list.Keys[1].Revoked {
		t.Errorf("%+v, %v", list, err)
	}
	wantStatus(t, "revoke of none", func() error { return admin.RevokeKey(ctx, "0123456789") }, 404)
	if err := admin.RevokeKey(ctx, made.Key.Prefix); err != nil {
		t.Fatal(err)
	}
	for _, w := range bases { // at once, everywhere
		wantStatus(t, "a revoked key", func() error { _, err := client.New(w.base, made.Token).Models(ctx); return err }, 401)
	}
}

// twoServers are services on one NATS.
func twoServers(t *testing.T) (all []*world) {
	t.Helper()
	dir := t.TempDir()
	ns, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: filepath.Join(dir, "nats"), SyncAlways: true, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() { ns.Shutdown(); ns.WaitForShutdown() })
	if !ns.ReadyForConnections(20 * time.Second) {
		t.Fatal("nats isn't ready")
	}
	for range 2 {
		all = append(all, start(t, func(c *service.Config) {
			c.NATS, c.Data, c.OperatorKey = ns.ClientURL(), filepath.Join(dir, "data"), filepath.Join(dir, "key")
		}))
	}
	return all
}
