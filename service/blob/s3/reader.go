package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/zkml-go/zkml/service/blob"
)

// Open implements blob.Bucket.
func (s *Store) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	if !blob.ValidName(name) {
		return nil, fmt.Errorf("blob %q: %w", name, blob.ErrMissing)
	}
	r := &reader{ctx: ctx, s: s, name: name}
	body, info, _, err := s.client.GetObject(ctx, s.bucket, s.key(name), minio.GetObjectOptions{})
	if err != nil {
		return nil, failed("open", name, err)
	}
	r.body, r.etag, r.size = body, info.ETag, info.Size
	return r, nil
}

// reader is a download that goes on where it broke off.
type reader struct {
	ctx  context.Context
	s    *Store
	name string
	body io.ReadCloser
	etag string
	// size is the object's, at how much of it was read.
	size, at int64
	// broken counts the breaks since the last byte.
	broken int
	err    error
}

// Read implements io.Reader. A stream that ends before the object does isn't its end.
func (r *reader) Read(p []byte) (int, error) {
	for r.err == nil && len(p) > 0 {
		body := r.body // the timer may fire when r has another one
		watch := time.AfterFunc(stall, func() { body.Close() })
		n, err := body.Read(p)
		watch.Stop()
		if r.at += int64(n); r.at > r.size {
			r.err = fmt.Errorf("read blob %s: the store sends more than it has", r.name)
			return 0, r.err
		}
		if n > 0 {
			r.broken = 0
			return n, nil
		}
		if r.at == r.size && err != nil {
			return 0, io.EOF
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			r.resume(err)
		}
	}
	return 0, r.err
}

// resume opens the rest of the object, or sets err.
func (r *reader) resume(cause error) {
	r.body.Close()
	if r.broken++; r.broken > resumes || r.ctx.Err() != nil {
		r.err = fmt.Errorf("read blob %s: broken off after %d of %d bytes: %w", r.name, r.at, r.size, errors.Join(cause, r.ctx.Err()))
		return
	}
	var o minio.GetObjectOptions
	if err := errors.Join(o.SetMatchETag(r.etag), o.SetRange(r.at, r.size-1)); err != nil {
		r.err = fmt.Errorf("read blob %s: %w", r.name, err)
		return
	}
	body, info, _, err := r.s.client.GetObject(r.ctx, r.s.bucket, r.s.key(r.name), o)
	if err != nil {
		r.err = failed("read", r.name, err)
		return
	}
	switch r.body = body; {
	case info.ETag != r.etag: // not all stores heed the condition
		r.err = fmt.Errorf("read blob %s: it was replaced meanwhile", r.name)
	case info.Size != r.size-r.at:
		r.err = fmt.Errorf("read blob %s: the store answers with %d bytes, want %d", r.name, info.Size, r.size-r.at)
	}
}

// Close implements io.Closer.
func (r *reader) Close() error { return r.body.Close() }
