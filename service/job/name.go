package job

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"strings"
)

// nameOfTenant is what tenants are called: their names are parts of subjects and paths.
var nameOfTenant = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// ValidTenant reports whether a tenant can have this name.
func ValidTenant(name string) bool { return nameOfTenant.MatchString(name) }

// idOf is what ids look like.
var idOf = regexp.MustCompile(`^[a-z2-7]{26}$`)

// ValidID reports whether s can be a job's id.
func ValidID(s string) bool { return idOf.MatchString(s) }

// encoding is that of ids.
var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewID returns a random id.
func NewID() string {
	var b [16]byte
	rand.Read(b[:])
	return strings.ToLower(encoding.EncodeToString(b[:]))
}

// IDFor returns the id of the job that a tenant submits under an idempotency key. The same
// key gives the same id, so that creating the record a second time finds the first.
func IDFor(tenant string, kind Kind, key string) string {
	sum := sha256.Sum256([]byte("zkml idempotency key\x00" + tenant + "\x00" + string(kind) + "\x00" + key))
	return strings.ToLower(encoding.EncodeToString(sum[:16]))
}
