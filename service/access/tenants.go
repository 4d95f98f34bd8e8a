package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/seal"
	"github.com/zkml-go/zkml/service/webhook"
)

// Tenant is what is kept of a tenant beside its keys. One that was never told anything about
// has the zero value.
type Tenant struct {
	Quota Quota `json:"quota,omitzero"`
	// Secrets are those of webhooks, sealed with the operator's key.
	Secrets []byte `json:"secrets,omitempty"`
}

// secrets are what Tenant.Secrets holds.
type secrets struct {
	Current  webhook.Secret `json:"current"`
	Previous webhook.Secret `json:"previous,omitempty"`
	// Until is when the previous one ends.
	Until time.Time `json:"until,omitzero"`
}

// overlap is how long messages are signed with a secret that was replaced.
const overlap = 24 * time.Hour

// Tenants are the stored tenants.
type Tenants struct {
	kv       jetstream.KeyValue
	operator seal.Key
	now      func() time.Time
}

// OpenTenants returns the tenants in a bucket.
func OpenTenants(kv jetstream.KeyValue, operator seal.Key, now func() time.Time) *Tenants {
	return &Tenants{kv, operator, now}
}

// Get returns a tenant.
func (ts *Tenants) Get(ctx context.Context, name string) (Tenant, error) {
	t, _, err := ts.load(ctx, name)
	return t, err
}

// load returns a tenant and its revision, 0 if it isn't stored.
func (ts *Tenants) load(ctx context.Context, name string) (t Tenant, revision uint64, err error) {
	if !job.ValidTenant(name) {
		return t, 0, fmt.Errorf("tenant %q: want lower-case letters, digits and dashes, at most 32", name)
	}
	entry, err := ts.kv.Get(ctx, name)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return t, 0, nil
	}
	if err != nil {
		return t, 0, fmt.Errorf("read a tenant: %w", err)
	}
	return t, entry.Revision(), json.Unmarshal(entry.Value(), &t)
}

// change replaces a tenant by what do makes of it.
func (ts *Tenants) change(ctx context.Context, name string, do func(*Tenant) error) error {
	for {
		t, revision, err := ts.load(ctx, name)
		if err != nil {
			return err
		}
		if err := do(&t); err != nil {
			return err
		}
		data, err := json.Marshal(t)
		if err != nil {
			return err
		}
		if revision == 0 {
			_, err = ts.kv.Create(ctx, name, data)
		} else {
			_, err = ts.kv.Update(ctx, name, data, revision)
		}
		if errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
			continue // someone was faster
		}
		if err != nil {
			return fmt.Errorf("write a tenant: %w", err)
		}
		return nil
	}
}

// SetQuota sets a tenant's quota.
func (ts *Tenants) SetQuota(ctx context.Context, name string, q Quota) error {
	return ts.change(ctx, name, func(t *Tenant) error { t.Quota = q; return nil })
}

// sealedFor is what a tenant's secrets are sealed for.
func sealedFor(name string) string { return "webhook secrets of " + name }

// secretsOf opens a tenant's secrets; there may be none.
func (ts *Tenants) secretsOf(t *Tenant, name string) (s secrets, err error) {
	if t.Secrets == nil {
		return s, nil
	}
	text, err := ts.operator.Open(t.Secrets, sealedFor(name))
	if err != nil {
		return s, fmt.Errorf("webhook secret: %w", err)
	}
	return s, json.Unmarshal(text, &s)
}

// Secrets returns what a tenant's webhooks are signed with, the present secret first. The first
// call makes one.
func (ts *Tenants) Secrets(ctx context.Context, name string) ([]webhook.Secret, error) {
	t, err := ts.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	s, err := ts.secretsOf(&t, name)
	if err != nil {
		return nil, err
	}
	if s.Current == nil {
		if s, err = ts.renew(ctx, name, false); err != nil {
			return nil, err
		}
	}
	all := []webhook.Secret{s.Current}
	if s.Previous != nil && ts.now().Before(s.Until) {
		all = append(all, s.Previous)
	}
	return all, nil
}

// RenewSecret replaces a tenant's secret. For a day, webhooks are signed with both.
func (ts *Tenants) RenewSecret(ctx context.Context, name string) (webhook.Secret, error) {
	s, err := ts.renew(ctx, name, true)
	return s.Current, err
}

// renew makes a secret if there is none, or if the one that there is shall be replaced.
func (ts *Tenants) renew(ctx context.Context, name string, replace bool) (s secrets, err error) {
	err = ts.change(ctx, name, func(t *Tenant) error {
		if s, err = ts.secretsOf(t, name); err != nil {
			return err
		}
		if s.Current != nil && !replace {
			return nil
		}
		next := secrets{Current: webhook.NewSecret()}
		if s.Current != nil {
			next.Previous, next.Until = s.Current, ts.now().Add(overlap).UTC()
		}
		text, err := json.Marshal(next)
		if err != nil {
			return err
		}
		s, t.Secrets = next, ts.operator.Seal(text, sealedFor(name))
		return nil
	})
	return s, err
}
