package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/seal"
	"github.com/zkml-go/zkml/service/work"
)

// digestInput is a blob's name in a path.
type digestInput struct {
	SHA256 string `path:"sha256" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of the content, in hexadecimal"`
}

// upload is a blob that is read while it comes.
type upload struct {
	SHA256 string `path:"sha256" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of the content, in hexadecimal"`
	body   io.Reader
	size   int64 // as the client says, -1 if it doesn't
}

// Resolve implements huma.Resolver: it takes the body without reading it.
func (u *upload) Resolve(ctx huma.Context) []error {
	u.body, u.size = ctx.BodyReader(), -1
	if n, err := strconv.ParseInt(ctx.Header("Content-Length"), 10, 64); err == nil && n >= 0 {
		u.size = n // no more than that is read
	}
	return nil
}

// blobOperations register the public blobs.
func (s *server) blobOperations() {
	const binary = "application/octet-stream"
	schema := &huma.MediaType{Schema: &huma.Schema{Type: "string", Format: "binary"}}
	put := s.operation(access.Prove, "put-blob", http.MethodPut, "/v1/blobs/{sha256}", "Upload a public blob")
	put.Description = "A blob is stored once, in the clear, for its tenant alone. What has to stay private goes into requests as data instead."
	put.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{binary: schema}}
	put.Metadata[uploadKey] = true
	put.Errors = append(put.Errors, http.StatusRequestEntityTooLarge)
	huma.Register(s.api, put, s.putBlob)
	get := s.operation(access.Read, "get-blob", http.MethodGet, "/v1/blobs/{sha256}", "Download a public blob")
	get.Errors = append(get.Errors, http.StatusNotFound)
	get.Responses = download(binary)
	huma.Register(s.api, get, func(ctx context.Context, in *digestInput) (*huma.StreamResponse, error) {
		return s.stream(ctx, work.Source{Public: in.SHA256}, seal.Key{}, binary)
	})
}

// download describes an answer that is a file.
func download(kind string) map[string]*huma.Response {
	schema := &huma.Schema{Type: "string", Format: "binary"}
	if kind == "application/json" {
		schema = &huma.Schema{Type: "object"}
	}
	return map[string]*huma.Response{"200": {Description: "OK", Content: map[string]*huma.MediaType{kind: {Schema: schema}}}}
}

func (s *server) putBlob(ctx context.Context, in *upload) (*struct{}, error) {
	d, err := blob.ParseDigest(in.SHA256)
	if err != nil {
		return nil, huma.Error422UnprocessableEntity(err.Error())
	}
	if s.whole(ctx, d) {
		// It is there. It is read nevertheless: who sends it shall have it.
		if _, err := io.Copy(io.Discard, io.LimitReader(in.body, s.Limits.Blob)); err != nil {
			return nil, brokenOff()
		}
		return nil, nil
	}
	if in.size > s.Limits.Blob {
		return nil, huma.NewError(http.StatusRequestEntityTooLarge, blob.ErrTooLarge.Error())
	}
	limit, release, err := s.hold(ctx, tenantOf(ctx), in.size)
	if err != nil {
		return nil, err
	}
	defer release()
	body := &remembering{r: in.body}
	err = blob.PutPublic(ctx, s.Blobs, tenantOf(ctx), d, body, limit)
	switch {
	case err == nil:
		s.stored.add(tenantOf(ctx), body.n)
	case errors.Is(err, blob.ErrTooLarge) && limit < s.Limits.Blob:
		return nil, overfull()
	case errors.Is(err, blob.ErrDigest):
		return nil, huma.Error422UnprocessableEntity(blob.ErrDigest.Error())
	case errors.Is(err, blob.ErrTooLarge):
		return nil, huma.NewError(http.StatusRequestEntityTooLarge, blob.ErrTooLarge.Error())
	case body.err != nil:
		return nil, brokenOff()
	case err != nil:
		return nil, s.internal("store a blob", err)
	}
	return nil, nil
}

// brokenOff tells the client that its body didn't come whole.
func brokenOff() error { return huma.Error400BadRequest("the body broke off") }

// whole reports whether a blob of the tenant is there and isn't damaged, and makes it young
// again. One that is damaged is to be stored again.
func (s *server) whole(ctx context.Context, d blob.Digest) bool {
	if _, err := s.Blobs.Touch(ctx, blob.PublicName(tenantOf(ctx), d)); err != nil {
		return false
	}
	src, err := blob.OpenPublic(ctx, s.Blobs, tenantOf(ctx), d)
	if err != nil {
		return false
	}
	defer src.Close()
	_, err = io.Copy(io.Discard, src)
	return err == nil
}

// remembering keeps the reader's error, to tell it from the store's.
type remembering struct {
	r   io.Reader
	err error
	n   int64
}

// Read implements io.Reader.
func (r *remembering) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if r.n += int64(n); err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// steady is an answer that is closed when it stands still for too long.
func (s *server) steady(out huma.Context) io.Writer {
	_, w := humago.Unwrap(out)
	return &steadyWriter{w, http.NewResponseController(w), s.Limits.Patience.Stall}
}

type steadyWriter struct {
	w          io.Writer
	connection *http.ResponseController
	stall      time.Duration
}

// Write implements io.Writer.
func (s *steadyWriter) Write(p []byte) (int, error) {
	s.connection.SetWriteDeadline(time.Now().Add(s.stall)) // what has no deadline doesn't stand still
	return s.w.Write(p)
}

// stream answers with a blob of the tenant. A blob that turns out to be damaged is cut off
// before its end.
func (s *server) stream(ctx context.Context, from work.Source, key seal.Key, kind string) (*huma.StreamResponse, error) {
	var src io.ReadCloser
	var err error
	if from.Private != "" {
		src, err = blob.OpenPrivate(ctx, s.Blobs, from.Private, key)
	} else if d, failed := blob.ParseDigest(from.Public); failed == nil {
		src, err = blob.OpenPublic(ctx, s.Blobs, tenantOf(ctx), d)
	} else {
		err = blob.ErrMissing
	}
	if errors.Is(err, blob.ErrMissing) {
		return nil, huma.Error404NotFound("there is no such file")
	}
	if err != nil {
		return nil, s.internal("read a blob", err)
	}
	return &huma.StreamResponse{Body: func(out huma.Context) {
		defer src.Close()
		out.SetHeader("Content-Type", kind)
		out.SetHeader("X-Content-Type-Options", "nosniff")
		out.SetHeader("Content-Disposition", "attachment")
		if _, err := io.Copy(s.steady(out), src); err != nil {
			s.Log.Error("send a blob", "error", err.Error())
			panic(http.ErrAbortHandler)
		}
	}}, nil
}
