// Package access knows who may use a prover service: API keys.
//
// A token is "zkml_", a prefix by which the key is found, "_" and a secret of 32 random
// bytes. Only the secret's SHA-256 is stored: it is random, so there is nothing to guess
// and no need for a slow hash. A token names one tenant and what it may do there; one with
// the scope admin also manages all tenants.
package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/job"
)

// Scope is something that a key allows.
type Scope string

// The scopes. Prove includes Read, and Admin both. Those are for the key's tenant; what Admin
// allows beside is for all tenants: their keys and quotas, and the workers and what they do.
const (
	Read  Scope = "read"
	Prove Scope = "prove"
	Admin Scope = "admin"
)

// ValidScope reports whether there is such a scope.
func ValidScope(s Scope) bool { return s == Read || s == Prove || s == Admin }

// Key is what is stored of an API key.
type Key struct {
	Prefix  string    `json:"prefix"`
	Hash    []byte    `json:"hash"`
	Tenant  string    `json:"tenant"`
	Scopes  []Scope   `json:"scopes"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
	Revoked bool      `json:"revoked,omitempty"`
}

// Allows reports whether the key has a scope, or one that includes it.
func (k *Key) Allows(s Scope) bool {
	return slices.Contains(k.Scopes, s) || slices.Contains(k.Scopes, Admin) || s == Read && slices.Contains(k.Scopes, Prove)
}

// Errors of this package.
var (
	// ErrDenied: the token is none, or not valid any more. It doesn't say which.
	ErrDenied = errors.New("the api key isn't valid")
	// ErrNoKey: there is no key of this prefix.
	ErrNoKey = errors.New("no such api key")
)

// Keys are the stored keys.
type Keys struct {
	kv  jetstream.KeyValue
	now func() time.Time
}

// Open returns the keys in a bucket.
func Open(kv jetstream.KeyValue, now func() time.Time) *Keys { return &Keys{kv, now} }

const marker = "zkml_"

// Create makes a key and returns its token, which can't be had again. A lifetime of zero
// is without end.
func (ks *Keys) Create(ctx context.Context, tenant string, scopes []Scope, lifetime time.Duration) (token string, k *Key, err error) {
	if !job.ValidTenant(tenant) {
		return "", nil, fmt.Errorf("tenant %q: want lower-case letters, digits and dashes, at most 32", tenant)
	}
	for _, s := range scopes {
		if !ValidScope(s) {
			return "", nil, fmt.Errorf("scope %q: want read, prove or admin", s)
		}
	}
	if len(scopes) == 0 {
		return "", nil, errors.New("a key needs a scope")
	}
	var random [5]byte
	var secret [32]byte
	rand.Read(random[:])
	rand.Read(secret[:])
	text := base64.RawURLEncoding.EncodeToString(secret[:])
	hash := sha256.Sum256([]byte(text))
	k = &Key{Prefix: hex.EncodeToString(random[:]), Hash: hash[:], Tenant: tenant, Scopes: scopes, Created: ks.now().UTC()}
	if lifetime > 0 {
		k.Expires = k.Created.Add(lifetime)
	}
	data, err := json.Marshal(k)
	if err != nil {
		return "", nil, err
	}
	if _, err := ks.kv.Create(ctx, k.Prefix, data); err != nil {
		return "", nil, fmt.Errorf("store the api key: %w", err)
	}
	return marker + k.Prefix + "_" + text, k, nil
}

// prefixes is what prefixes look like.
var prefixes = regexp.MustCompile(`^[0-9a-f]{10}$`)

// Check returns the key of a token, or ErrDenied.
func (ks *Keys) Check(ctx context.Context, token string) (*Key, error) {
	rest, _ := strings.CutPrefix(token, marker)
	prefix, secret, _ := strings.Cut(rest, "_")
	k, err := ks.get(ctx, prefix)
	if errors.Is(err, ErrNoKey) {
		return nil, ErrDenied
	}
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256([]byte(secret))
	if subtle.ConstantTimeCompare(hash[:], k.Hash) != 1 || k.Revoked || !k.Expires.IsZero() && ks.now().After(k.Expires) {
		return nil, ErrDenied
	}
	return k, nil
}

func (ks *Keys) get(ctx context.Context, prefix string) (*Key, error) {
	if !prefixes.MatchString(prefix) {
		return nil, ErrNoKey
	}
	entry, err := ks.kv.Get(ctx, prefix)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, ErrNoKey
	}
	if err != nil {
		return nil, fmt.Errorf("read an api key: %w", err)
	}
	k := &Key{}
	return k, json.Unmarshal(entry.Value(), k)
}

// Revoke ends a key for good.
func (ks *Keys) Revoke(ctx context.Context, prefix string) error {
	k, err := ks.get(ctx, prefix)
	if err != nil {
		return err
	}
	k.Revoked = true
	data, err := json.Marshal(k)
	if err != nil {
		return err
	}
	_, err = ks.kv.Put(ctx, prefix, data)
	return err
}

// List returns all keys, the oldest first.
func (ks *Keys) List(ctx context.Context) ([]*Key, error) {
	names, err := ks.kv.ListKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the api keys: %w", err)
	}
	defer names.Stop()
	var keys []*Key
	for name := range names.Keys() {
		k, err := ks.get(ctx, name)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b *Key) int { return a.Created.Compare(b.Created) })
	return keys, nil
}
