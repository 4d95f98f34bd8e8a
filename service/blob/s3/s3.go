// Package s3 keeps the prover service's blobs in a bucket of an S3-compatible store, which
// many machines reach. It is package blob's Bucket over the minio client.
//
// Where it differs from a folder:
//
//   - A blob above 8 MiB is sent in parts, which become a blob together or not at all. What a
//     program that died left of them is removed by [Store.Sweep].
//   - A store has no way to make an object young but to copy it onto itself. That is done
//     where the object is older than ten minutes, so [Store.Touch] is that much less exact.
//   - Requests are repeated for some seconds if the store is busy or a connection breaks; a
//     download that breaks off goes on where it stopped, if the object is still the same one.
//
// The store is trusted with nothing: public blobs are checked against the digest that is
// their name, private ones are sealed.
package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/zkml-go/zkml/service/blob"
)

const (
	// partSize is what is held in memory of an upload, in bytes.
	partSize = 8 << 20
	// fresh is the age up to which Touch leaves an object as it is.
	fresh = 10 * time.Minute
	// stall is how long a download may stand still before the connection is given up.
	stall = 30 * time.Second
	// requestTries is how often a request is made.
	requestTries = 6
	// resumes is how often a download is resumed without a byte in between.
	resumes = 4
)

// Variables of the environment that hold the credentials. They are no part of the URL, because
// everyone on a machine sees the flags of its programs.
const (
	accessVariable  = "AWS_ACCESS_KEY_ID"
	secretVariable  = "AWS_SECRET_ACCESS_KEY"
	sessionVariable = "AWS_SESSION_TOKEN"
)

// Location says where the blobs lie.
type Location struct {
	// Endpoint is the store's host, with a port unless it is the usual one.
	Endpoint string
	// Secure is whether it is reached by https.
	Secure bool
	// Bucket is the bucket's name, Prefix what the names of objects in it begin with: empty,
	// or with a slash at its end.
	Bucket, Prefix string
	// Region is the bucket's; "" has the client ask.
	Region string
}

// Parse reads a URL of the form s3://bucket/prefix?endpoint=https://host:port&region=name.
// The endpoint is Amazon's if there is none.
func Parse(text string) (l Location, err error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return l, errors.New("blobs: not a URL: want s3://bucket/prefix?endpoint=https://host:port")
	case u.Scheme != "s3" || u.Host == "" || u.Port() != "" || u.Fragment != "":
		return l, errors.New("blobs: want s3://bucket/prefix?endpoint=https://host:port")
	case u.User != nil:
		return l, fmt.Errorf("blobs: credentials don't belong into the URL: set %s and %s", accessVariable, secretVariable)
	}
	l = Location{Endpoint: "s3.amazonaws.com", Secure: true, Bucket: u.Host}
	for _, part := range strings.Split(u.Path, "/") {
		if part == "." || part == ".." {
			return l, fmt.Errorf("blobs: prefix %q has a part %q", u.Path, part)
		}
		if part != "" {
			l.Prefix += part + "/"
		}
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return l, fmt.Errorf("blobs: %w", err)
	}
	for name, values := range query {
		switch {
		case len(values) != 1:
			return l, fmt.Errorf("blobs: %s is given %d times", name, len(values))
		case name == "region":
			l.Region = values[0]
		case name == "endpoint":
			e, err := url.Parse(values[0])
			if err != nil || e.Scheme != "https" && e.Scheme != "http" || e.Host == "" || strings.Trim(e.Path, "/") != "" || e.RawQuery != "" || e.User != nil {
				return l, errors.New("blobs: the endpoint has to be https://host:port, or http://host:port in a network that you trust")
			}
			l.Endpoint, l.Secure = e.Host, e.Scheme == "https"
		default:
			return l, fmt.Errorf("blobs: unknown parameter %q: want endpoint or region", name)
		}
	}
	return l, nil
}

// Store is a Bucket in an S3-compatible store.
type Store struct {
	client         minio.Core
	bucket, prefix string
	transport      *http.Transport
}

// Open connects to a store with the credentials of the environment, and makes sure that blobs
// can be written, read and removed there.
func Open(ctx context.Context, l Location) (*Store, error) {
	transport, err := minio.DefaultTransport(l.Secure)
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	s, err := open(l, transport)
	if err != nil {
		return nil, err
	}
	s.transport = transport
	if err := s.probe(ctx); err != nil {
		return nil, fmt.Errorf("blobs: bucket %s at %s: %w", l.Bucket, l.Endpoint, err)
	}
	return s, nil
}

// open makes a store over a transport.
func open(l Location, transport http.RoundTripper) (*Store, error) {
	access, secret := os.Getenv(accessVariable), os.Getenv(secretVariable)
	if access == "" || secret == "" {
		return nil, fmt.Errorf("blobs: set %s and %s", accessVariable, secretVariable)
	}
	client, err := minio.NewCore(l.Endpoint, &minio.Options{
		Creds:  credentials.NewStaticV4(access, secret, os.Getenv(sessionVariable)),
		Secure: l.Secure, Region: l.Region, Transport: transport, MaxRetries: requestTries,
	})
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	return &Store{client: *client, bucket: l.Bucket, prefix: l.Prefix}, nil
}

// probe writes, reads and removes an object.
func (s *Store) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	name := blob.PrivateName("probe")
	if err := s.Put(ctx, name, strings.NewReader("probe")); err != nil {
		return err
	}
	r, err := s.Open(ctx, name)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	return errors.Join(err, r.Close(), s.Delete(ctx, name))
}

// Close ends idle connections.
func (s *Store) Close() error {
	if s.transport != nil {
		s.transport.CloseIdleConnections()
	}
	return nil
}

// key is a blob's name in the store.
func (s *Store) key(name string) string { return s.prefix + name }

// failed puts an error into words, with ErrMissing for an object that isn't there.
func failed(what, name string, err error) error {
	if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return fmt.Errorf("blob %s: %w", name, blob.ErrMissing)
	}
	return &blob.StoreError{Op: what, Name: name, Err: err}
}

// sourceError is an error of what is uploaded. The client takes io.ErrUnexpectedEOF, which a
// body that broke off returns, for an end.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

// source marks the errors of a reader, counts its bytes and knows when it has ended.
type source struct {
	ctx   context.Context
	r     io.Reader
	n     int64
	ended bool
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, &sourceError{err}
	}
	n, err := s.r.Read(p)
	s.n += int64(n)
	if s.ended = err == io.EOF; err != nil && err != io.EOF {
		err = &sourceError{err}
	}
	return n, err
}

// Put implements blob.Bucket. What fits into one part is sent when all of it has been read.
func (s *Store) Put(ctx context.Context, name string, r io.Reader) error {
	if !blob.ValidName(name) {
		return fmt.Errorf("store a blob: %q is no name", name)
	}
	src := &source{ctx: ctx, r: r}
	var first bytes.Buffer
	n, err := io.Copy(&first, io.LimitReader(src, partSize))
	if err != nil {
		return failed("store", name, err)
	}
	// The digest is among the headers that are signed. Signing chunks of the body as well is
	// what some stores don't understand.
	options := minio.PutObjectOptions{PartSize: partSize, SendContentMd5: true, DisableContentSha256: true}
	if n < partSize {
		_, err = s.client.Client.PutObject(ctx, s.bucket, s.key(name), bytes.NewReader(first.Bytes()), n, options)
	} else {
		_, err = s.client.Client.PutObject(ctx, s.bucket, s.key(name), io.MultiReader(&first, src), -1, options)
	}
	if err == nil || src.ended && s.stored(ctx, name, src.n) {
		return nil
	}
	return failed("store", name, err)
}

// stored reports whether an upload whose last answer was lost has become a blob. A name has
// one content, or is used once, so another blob of the size isn't there.
func (s *Store) stored(ctx context.Context, name string, size int64) bool {
	info, err := s.Stat(ctx, name)
	return err == nil && info.Size == size
}

// Stat implements blob.Bucket.
func (s *Store) Stat(ctx context.Context, name string) (blob.Info, error) {
	info, _, err := s.stat(ctx, name)
	return info, err
}

// stat describes an object, with its entity tag.
func (s *Store) stat(ctx context.Context, name string) (blob.Info, string, error) {
	if !blob.ValidName(name) {
		return blob.Info{}, "", fmt.Errorf("blob %q: %w", name, blob.ErrMissing)
	}
	info, err := s.client.StatObject(ctx, s.bucket, s.key(name), minio.StatObjectOptions{})
	if err != nil {
		return blob.Info{}, "", failed("look for", name, err)
	}
	return blob.Info{Name: name, Size: info.Size, Touched: info.LastModified}, info.ETag, nil
}

// Touch implements blob.Bucket.
func (s *Store) Touch(ctx context.Context, name string) (blob.Info, error) {
	info, etag, err := s.stat(ctx, name)
	if err != nil || time.Since(info.Touched) < fresh {
		return info, err
	}
	copied, err := s.client.Client.CopyObject(ctx,
		minio.CopyDestOptions{Bucket: s.bucket, Object: s.key(name), ReplaceMetadata: true},
		minio.CopySrcOptions{Bucket: s.bucket, Object: s.key(name), MatchETag: etag})
	if err != nil {
		return blob.Info{}, failed("touch", name, err)
	}
	info.Touched = copied.LastModified
	return info, nil
}

// Delete implements blob.Bucket.
func (s *Store) Delete(ctx context.Context, name string) error {
	if !blob.ValidName(name) {
		return nil
	}
	err := s.client.RemoveObject(ctx, s.bucket, s.key(name), minio.RemoveObjectOptions{})
	if err != nil && minio.ToErrorResponse(err).Code != minio.NoSuchKey {
		return failed("delete", name, err)
	}
	return nil
}

// List implements blob.Bucket.
func (s *Store) List(ctx context.Context, prefix string, visit func(blob.Info) error) error {
	if !blob.ValidPrefix(prefix) {
		return fmt.Errorf("blobs: no prefix %q", prefix)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for object := range s.client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.key(prefix), Recursive: true}) {
		if object.Err != nil {
			return fmt.Errorf("list the blobs: %w", object.Err)
		}
		name := strings.TrimPrefix(object.Key, s.prefix)
		if !blob.ValidName(name) {
			continue // not of this service
		}
		if err := visit(blob.Info{Name: name, Size: object.Size, Touched: object.LastModified}); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Sweep implements blob.Store: it removes the parts of uploads that began before a time and
// never ended.
func (s *Store) Sweep(ctx context.Context, before time.Time) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for upload := range s.client.ListIncompleteUploads(ctx, s.bucket, s.prefix, true) {
		if minio.ToErrorResponse(upload.Err).Code == minio.NoSuchUpload {
			return nil // some stores answer so for none
		}
		if upload.Err != nil {
			return fmt.Errorf("list incomplete blobs: %w", upload.Err)
		}
		if !upload.Initiated.Before(before) || !blob.ValidName(strings.TrimPrefix(upload.Key, s.prefix)) {
			continue
		}
		if err := s.client.AbortMultipartUpload(ctx, s.bucket, upload.Key, upload.UploadID); err != nil {
			return fmt.Errorf("remove an incomplete blob: %w", err)
		}
	}
	return nil
}
