package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/client"
)

// tenantInput is a tenant's name in a path.
type tenantInput struct {
	Tenant string `path:"tenant" pattern:"^[a-z0-9][a-z0-9-]{0,31}$"`
}

// keyOperations register what operators do about API keys and quotas. A key with the scope
// admin may do it for every tenant.
func (s *server) keyOperations() {
	create := s.operation(access.Admin, "create-key", http.MethodPost, "/v1/keys", "Make an API key")
	create.DefaultStatus = http.StatusCreated
	create.Errors = append(create.Errors, http.StatusConflict)
	huma.Register(s.api, create, s.createKey)
	list := s.operation(access.Admin, "list-keys", http.MethodGet, "/v1/keys", "List the API keys of all tenants")
	list.Errors = append(list.Errors, http.StatusConflict)
	huma.Register(s.api, list, func(ctx context.Context, _ *struct{}) (*body[client.Keys], error) {
		if s.Keys == nil {
			return nil, keyless()
		}
		all, err := s.Keys.List(ctx)
		if err != nil {
			return nil, s.internal("list the api keys", err)
		}
		answer := client.Keys{Keys: []client.Key{}}
		for _, k := range all {
			answer.Keys = append(answer.Keys, viewKey(k))
		}
		return &body[client.Keys]{answer}, nil
	})
	revoke := s.operation(access.Admin, "revoke-key", http.MethodDelete, "/v1/keys/{prefix}", "End an API key for good")
	revoke.Description = "Once this is answered, no server accepts the key."
	revoke.Errors = append(revoke.Errors, http.StatusNotFound, http.StatusConflict)
	huma.Register(s.api, revoke, func(ctx context.Context, in *struct {
		Prefix string `path:"prefix" pattern:"^[0-9a-f]{10}$"`
	}) (*struct{}, error) {
		if s.Keys == nil {
			return nil, keyless()
		}
		err := s.Keys.Revoke(ctx, in.Prefix)
		if errors.Is(err, access.ErrNoKey) {
			return nil, huma.Error404NotFound(err.Error())
		}
		if err != nil {
			return nil, s.internal("revoke an api key", err)
		}
		s.Log.Info("api key revoked", "prefix", in.Prefix)
		return nil, nil
	})
	get := s.operation(access.Admin, "get-tenant", http.MethodGet, "/v1/tenants/{tenant}", "Show a tenant's quota and what it uses")
	huma.Register(s.api, get, func(ctx context.Context, in *tenantInput) (*body[client.Tenant], error) {
		return s.tenant(ctx, in.Tenant)
	})
	set := s.operation(access.Admin, "set-quota", http.MethodPut, "/v1/tenants/{tenant}/quota", "Set a tenant's quota")
	huma.Register(s.api, set, func(ctx context.Context, in *struct {
		Tenant string `path:"tenant" pattern:"^[a-z0-9][a-z0-9-]{0,31}$"`
		Body   client.Quota
	}) (*body[client.Tenant], error) {
		if err := s.Tenants.SetQuota(ctx, in.Tenant, access.Quota(in.Body)); err != nil {
			return nil, s.internal("set a quota", err)
		}
		return s.tenant(ctx, in.Tenant)
	})
}

// keyless answers where everyone may do everything.
func keyless() error { return huma.Error409Conflict("the service runs without api keys") }

// createKey makes a key, and sets its tenant's quota if one is given.
func (s *server) createKey(ctx context.Context, in *body[client.KeyRequest]) (*body[client.NewKey], error) {
	if s.Keys == nil {
		return nil, keyless()
	}
	r := &in.Body
	if len(r.Scopes) == 0 {
		return nil, huma.Error422UnprocessableEntity("a key needs a scope")
	}
	scopes := make([]access.Scope, len(r.Scopes))
	for i, scope := range r.Scopes {
		scopes[i] = access.Scope(scope)
	}
	var lifetime time.Duration
	if r.Expires != nil {
		if lifetime = r.Expires.Sub(s.Queue.Now()); lifetime <= 0 {
			return nil, huma.Error422UnprocessableEntity("the key would have expired already")
		}
	}
	if r.Quota != nil {
		if err := s.Tenants.SetQuota(ctx, r.Tenant, access.Quota(*r.Quota)); err != nil {
			return nil, s.internal("set a quota", err)
		}
	}
	token, k, err := s.Keys.Create(ctx, r.Tenant, scopes, lifetime)
	if err != nil {
		return nil, s.internal("make an api key", err)
	}
	s.Log.Info("api key made", "prefix", k.Prefix, "tenant", k.Tenant)
	return &body[client.NewKey]{client.NewKey{Token: token, Key: viewKey(k)}}, nil
}

// viewKey is what lists show of a key.
func viewKey(k *access.Key) client.Key {
	scopes := make([]string, len(k.Scopes))
	for i, scope := range k.Scopes {
		scopes[i] = string(scope)
	}
	return client.Key{Prefix: k.Prefix, Tenant: k.Tenant, Scopes: scopes, Created: k.Created, Expires: given(k.Expires), Revoked: k.Revoked}
}

// tenant describes a tenant. There is no list of them: one that nobody made a key for has no
// quota and uses nothing.
func (s *server) tenant(ctx context.Context, name string) (*body[client.Tenant], error) {
	t, err := s.Tenants.Get(ctx, name)
	if err != nil {
		return nil, s.internal("read a tenant", err)
	}
	use, err := s.use(ctx, name)
	if err != nil {
		return nil, s.internal("read a tenant", err)
	}
	return &body[client.Tenant]{client.Tenant{Tenant: name, Quota: client.Quota(t.Quota), Use: use}}, nil
}
