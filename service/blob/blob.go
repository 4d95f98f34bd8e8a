// Package blob keeps the bytes that jobs of the prover service are about: models, keys,
// inputs, proofs. Records and messages only name them.
//
// A [Bucket] is a flat space of named blobs that appear whole or not at all; [Dir] is one
// in a folder, package s3 has one in an S3-compatible store. Two kinds of blobs lie in it, each under its tenant's name, so that no tenant
// can tell what another one has:
//
//	public/TENANT/SHA256     named by its content: stored once, checked whenever it is read
//	private/TENANT/RANDOM    sealed with a job's key (package seal): never the same twice
//
// What nothing refers to any more, and nobody touched for a while, is removed by [Collect].
package blob

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"regexp"
	"time"

	"github.com/zkml-go/zkml/service/seal"
)

// Errors of this package.
var (
	// ErrMissing: there is no such blob. It is the one of io/fs.
	ErrMissing = fs.ErrNotExist
	// ErrDamaged: a public blob's content isn't what its name says. Sealed blobs have
	// seal.ErrDamaged.
	ErrDamaged = errors.New("blob is damaged: its content doesn't have the digest that names it")
	// ErrDigest: what was to be stored hasn't the digest that was announced.
	ErrDigest = errors.New("the content doesn't have the digest that was announced")
	// ErrTooLarge: what was to be stored is above the limit.
	ErrTooLarge = errors.New("blob is too large")
)

// Info describes a blob.
type Info struct {
	Name    string
	Size    int64
	Touched time.Time
}

// Bucket stores blobs by name. It may be used by several programs at a time.
type Bucket interface {
	// Put stores all of r, or nothing if r fails. A blob of the name is replaced.
	Put(ctx context.Context, name string, r io.Reader) error
	// Open returns a blob's bytes, which the caller closes. The error matches ErrMissing.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// Stat describes a blob. The error matches ErrMissing.
	Stat(ctx context.Context, name string) (Info, error)
	// Touch makes a blob young again, to some minutes, and describes it. The error matches
	// ErrMissing.
	Touch(ctx context.Context, name string) (Info, error)
	// Delete removes a blob; one that isn't there is no error.
	Delete(ctx context.Context, name string) error
	// List describes all blobs whose name begins with the prefix, "public/" or "private/" and
	// perhaps a tenant and a slash, until visit returns an error.
	List(ctx context.Context, prefix string, visit func(Info) error) error
}

// Store is a Bucket with what its owner does to it.
type Store interface {
	Bucket
	// Sweep removes what writers that died left incomplete before a time.
	Sweep(ctx context.Context, before time.Time) error
	// Close ends its use.
	Close() error
}

// Digest is the SHA-256 of a public blob.
type Digest [sha256.Size]byte

// Sum returns the digest of some bytes.
func Sum(data []byte) Digest { return sha256.Sum256(data) }

// ParseDigest reads 64 hexadecimal digits in lower case.
func ParseDigest(s string) (d Digest, err error) {
	if len(s) != 2*len(d) {
		return d, fmt.Errorf("digest has %d digits: want %d", len(s), 2*len(d))
	}
	raw, err := hex.DecodeString(s)
	if err != nil || hex.EncodeToString(raw) != s {
		return d, errors.New("digest isn't hexadecimal in lower case")
	}
	return Digest(raw), nil
}

// String returns 64 hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// PublicName returns where a tenant's public blob lies.
func PublicName(tenant string, d Digest) string { return "public/" + tenant + "/" + d.String() }

// PrivateName returns a place for a tenant's next private blob.
func PrivateName(tenant string) string {
	var random [32]byte
	rand.Read(random[:])
	return "private/" + tenant + "/" + hex.EncodeToString(random[:])
}

// names is what blobs are called. No dot is in it, so no path leads out of a folder.
var names = regexp.MustCompile(`^(public|private)/[a-z0-9][a-z0-9-]{0,31}/[0-9a-f]{64}$`)

// prefixes is what List takes.
var prefixes = regexp.MustCompile(`^(public|private)/([a-z0-9][a-z0-9-]{0,31}/)?$`)

// ValidPrefix reports whether List takes the prefix.
func ValidPrefix(prefix string) bool { return prefixes.MatchString(prefix) }

// ValidName reports whether a blob can have the name.
func ValidName(name string) bool { return names.MatchString(name) }

// PutPublic stores a public blob whose digest is known beforehand, of at most limit bytes.
// The error matches ErrDigest or ErrTooLarge, and then nothing is stored.
func PutPublic(ctx context.Context, b Bucket, tenant string, d Digest, r io.Reader, limit int64) error {
	checked := &checker{src: io.LimitReader(r, limit+1), hash: sha256.New(), want: d, limit: limit, fault: ErrDigest}
	return b.Put(ctx, PublicName(tenant, d), checked)
}

// OpenPublic returns a public blob's bytes. Where they end and don't have the digest, the
// last read returns ErrDamaged instead of io.EOF: use nothing before the end.
func OpenPublic(ctx context.Context, b Bucket, tenant string, d Digest) (io.ReadCloser, error) {
	src, err := b.Open(ctx, PublicName(tenant, d))
	if err != nil {
		return nil, err
	}
	return &closing{&checker{src: src, hash: sha256.New(), want: d, limit: 1 << 62, fault: ErrDamaged}, src}, nil
}

// PutPrivate seals bytes with a job's key under a name of PrivateName.
func PutPrivate(ctx context.Context, b Bucket, name string, k seal.Key, r io.Reader) error {
	return b.Put(ctx, name, seal.NewReader(r, k, name))
}

// OpenPrivate is the inverse of PutPrivate.
func OpenPrivate(ctx context.Context, b Bucket, name string, k seal.Key) (io.ReadCloser, error) {
	src, err := b.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	plain, err := seal.OpenReader(src, k, name)
	if err != nil {
		return nil, errors.Join(err, src.Close())
	}
	return &closing{plain, src}, nil
}

// StoreError is a request that a store on another machine didn't do.
type StoreError struct {
	Op, Name string
	Err      error
}

// Error implements error.
func (e *StoreError) Error() string { return e.Op + " blob " + e.Name + ": " + e.Err.Error() }

// Unwrap returns the store's error.
func (e *StoreError) Unwrap() error { return e.Err }

// closing reads from one and closes another.
type closing struct {
	io.Reader
	io.Closer
}

// checker passes bytes on and compares their digest at the end.
type checker struct {
	src   io.Reader
	hash  hash.Hash
	want  Digest
	read  int64
	limit int64
	fault error
}

// Read implements io.Reader.
func (c *checker) Read(p []byte) (int, error) {
	n, err := c.src.Read(p)
	c.hash.Write(p[:n])
	if c.read += int64(n); c.read > c.limit {
		return 0, ErrTooLarge
	}
	if err == io.EOF && Digest(c.hash.Sum(nil)) != c.want {
		return 0, c.fault
	}
	return n, err
}

// Collect removes the blobs that were not touched after a time and that nothing refers to,
// and returns how many. What is stored before it is referred to is safe while it is young.
func Collect(ctx context.Context, b Bucket, before time.Time, referred func(name string) bool) (removed int, err error) {
	for _, prefix := range []string{"public/", "private/"} {
		err := b.List(ctx, prefix, func(info Info) error {
			if !info.Touched.Before(before) || referred(info.Name) {
				return nil
			}
			// A list takes its time; someone may need the blob since.
			info, err := b.Stat(ctx, info.Name)
			if errors.Is(err, ErrMissing) || err == nil && !info.Touched.Before(before) {
				return nil
			}
			if err != nil {
				return err
			}
			removed++
			return b.Delete(ctx, info.Name)
		})
		if err != nil {
			return removed, fmt.Errorf("collect blobs: %w", err)
		}
	}
	return removed, nil
}
