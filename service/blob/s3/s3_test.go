package s3

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/minio/minio-go/v7"

	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/blob/blobtest"
	"github.com/zkml-go/zkml/service/seal"
)

// clock is the server's; the client's requests are signed with the real time.
type clock struct {
	mu  sync.Mutex
	off time.Duration
}

func (c *clock) set(off time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off = off
}

// Now implements gofakes3.TimeSource.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.off)
}

// Since implements gofakes3.TimeSource.
func (c *clock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// fixture is an S3 server in this program and a store on it.
type fixture struct {
	t       *testing.T
	s       *Store
	backend *s3mem.Backend
	clock   *clock
	faults  *faults
}

const bucket = "models"

func start(t *testing.T) *fixture {
	t.Helper()
	minio.DefaultRetryUnit = time.Millisecond
	t.Setenv(accessVariable, "test-access")
	t.Setenv(secretVariable, "test-secret")
	f := &fixture{t: t, clock: &clock{}}
	f.backend = s3mem.New(s3mem.WithTimeSource(f.clock))
	if err := f.backend.CreateBucket(bucket); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(f.backend, gofakes3.WithTimeSource(f.clock), gofakes3.WithTimeSkewLimit(0)).Server())
	t.Cleanup(server.Close)
	l, err := Parse("s3://" + bucket + "/some/folder?region=us-east-1&endpoint=" + url.QueryEscape(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	f.faults = &faults{next: &http.Transport{DisableCompression: true}}
	if f.s, err = open(l, f.faults); err != nil {
		t.Fatal(err)
	}
	if err := f.s.probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

// put stores an object past the client.
func (f *fixture) put(name string, content []byte) {
	f.t.Helper()
	if _, err := f.backend.PutObject(bucket, f.s.key(name), map[string]string{"Last-Modified": f.clock.Now().UTC().Format(http.TimeFormat)}, bytes.NewReader(content), int64(len(content)), nil); err != nil {
		f.t.Fatal(err)
	}
}

// get reads an object past the client.
func (f *fixture) get(name string) []byte {
	f.t.Helper()
	o, err := f.backend.GetObject(bucket, f.s.key(name), nil)
	if err != nil {
		f.t.Fatal(err)
	}
	defer o.Contents.Close()
	data, err := io.ReadAll(o.Contents)
	if err != nil {
		f.t.Fatal(err)
	}
	return data
}

// count counts objects and incomplete uploads.
func (f *fixture) count() (n int) {
	f.t.Helper()
	prefix := gofakes3.NewPrefix(nil, nil)
	list, err := f.backend.ListBucket(bucket, &prefix, gofakes3.ListBucketPage{})
	if err != nil {
		f.t.Fatal(err)
	}
	for upload := range f.s.client.ListIncompleteUploads(f.t.Context(), bucket, "", true) {
		if minio.ToErrorResponse(upload.Err).Code == minio.NoSuchUpload {
			break // this server answers so for none
		}
		if upload.Err != nil {
			f.t.Fatal(upload.Err)
		}
		n++
	}
	return n + len(list.Contents)
}

// TestConformance has the store do what every store has to.
func TestConformance(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blobtest.World {
		f := start(t)
		return blobtest.World{Store: f.s, Replace: f.put, Read: f.get, Count: f.count, Age: func(name string) {
			f.clock.set(-time.Hour)
			f.put(name, f.get(name))
			f.clock.set(0)
		}}
	})
}

// faults is a connection that fails. A request is a fault if it is the n-th or, with always, a
// later one.
type faults struct {
	next http.RoundTripper

	mu     sync.Mutex
	n      int
	always bool
	fault  func(*http.Request, http.RoundTripper) (*http.Response, error)
}

// RoundTrip implements http.RoundTripper.
func (f *faults) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.n--
	fault := f.fault
	hit := fault != nil && (f.n == 0 || f.always && f.n < 0)
	f.mu.Unlock()
	if hit {
		return fault(r, f.next)
	}
	return f.next.RoundTrip(r)
}

// arm has the n-th request from now fail. It returns whether there was one.
func (f *faults) arm(n int, always bool, fault func(*http.Request, http.RoundTripper) (*http.Response, error)) (hit func() bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n, f.always, f.fault = n, always, fault
	return func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.fault = nil
		return f.n <= 0
	}
}

// answer is one without a look at the request.
func answer(status int, body string) func(*http.Request, http.RoundTripper) (*http.Response, error) {
	return func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
		if r.Body != nil {
			r.Body.Close()
		}
		return &http.Response{
			StatusCode: status, Status: fmt.Sprint(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
			Header: http.Header{"Content-Type": {"application/xml"}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		}, nil
	}
}

// refuse breaks the connection.
func refuse(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
	if r.Body != nil {
		r.Body.Close()
	}
	return nil, errors.New("connection reset by peer")
}

// lose has the server do what it is asked, and loses the answer.
func lose(r *http.Request, next http.RoundTripper) (*http.Response, error) {
	answer, err := next.RoundTrip(r)
	if err == nil {
		answer.Body.Close()
	}
	return nil, errors.New("connection reset by peer")
}

// cut breaks the answer off after a half of it.
func cut(r *http.Request, next http.RoundTripper) (*http.Response, error) {
	answer, err := next.RoundTrip(r)
	if err != nil || answer.ContentLength < 2 {
		return answer, err
	}
	answer.Body = &half{answer.Body, answer.ContentLength / 2}
	return answer, nil
}

// half is the first part of a body.
type half struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (h *half) Read(p []byte) (int, error) {
	if h.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := h.ReadCloser.Read(p[:min(int64(len(p)), h.left)])
	h.left -= int64(n)
	return n, err
}

// errBusy is what S3 answers when it is busy.
const errBusy = `<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>`

// TestFaults has every single request of everything the store does fail in every way that
// passes. Nothing may come of it; and where a store refuses for good, an error and no half of
// a blob.
func TestFaults(t *testing.T) {
	f := start(t)
	ctx := t.Context()
	large := make([]byte, 9<<20)
	rand.Read(large)
	for _, size := range []int{1000, len(large)} {
		data := large[:size]
		name := blob.PublicName("a", blob.Sum(data))
		do := func() error {
			if err := blob.PutPublic(ctx, f.s, "a", blob.Sum(data), bytes.NewReader(data), 1<<30); err != nil {
				return err
			}
			r, err := blob.OpenPublic(ctx, f.s, "a", blob.Sum(data))
			if err != nil {
				return err
			}
			defer r.Close()
			got, err := io.ReadAll(r)
			if err == nil && !bytes.Equal(got, data) {
				t.Error("other bytes without an error")
			}
			return err
		}
		for _, c := range []struct {
			name  string
			fault func(*http.Request, http.RoundTripper) (*http.Response, error)
		}{{"busy", answer(503, errBusy)}, {"refused", refuse}, {"lost", lose}, {"cut", cut}} {
			for n := 1; ; n++ {
				hit := f.faults.arm(n, false, c.fault)
				err := do()
				if !hit() {
					if n < 3 {
						t.Errorf("%d bytes: %d requests are all", size, n-1)
					}
					break
				}
				// Half an answer to the first request of an upload in parts has no name of the
				// upload in it. That isn't repeated; the upload is swept away.
				if err != nil && !(size > partSize && c.name == "cut" && n == 1) {
					t.Errorf("%d bytes, request %d %s: %v", size, n, c.name, err)
				}
			}
		}
		for n := 1; ; n++ {
			if err := f.s.Delete(ctx, name); err != nil {
				t.Fatal(err)
			}
			hit := f.faults.arm(n, true, answer(403, `<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>`))
			err := do()
			if !hit() {
				break
			}
			if err == nil || errors.Is(err, blob.ErrMissing) {
				t.Errorf("%d bytes, refused from request %d: %v", size, n, err)
			}
			if r, err := blob.OpenPublic(ctx, f.s, "a", blob.Sum(data)); err == nil {
				got, err := io.ReadAll(r)
				if r.Close(); err != nil || !bytes.Equal(got, data) {
					t.Errorf("%d bytes, refused from request %d: a part of it is there: %v", size, n, err)
				}
			}
		}
	}
	name := blob.PrivateName("a")
	f.clock.set(-time.Hour)
	f.put(name, []byte("x"))
	f.clock.set(0)
	for n := 1; n <= 2; n++ {
		hit := f.faults.arm(n, false, answer(503, errBusy))
		if _, err := f.s.Touch(ctx, name); err != nil {
			t.Errorf("touch with request %d busy: %v", n, err)
		}
		if !hit() && n == 1 {
			t.Error("touch makes no request")
		}
	}
	hit := f.faults.arm(1, false, answer(503, errBusy))
	seen := 0
	if err := f.s.List(ctx, "private/", func(blob.Info) error { seen++; return nil }); err != nil || seen != 1 || !hit() {
		t.Errorf("list: %d, %v", seen, err)
	}
	if err := f.s.Sweep(ctx, time.Now().Add(time.Minute)); err != nil {
		t.Error(err)
	}
	if n := f.count(); n != 3 {
		t.Errorf("%d blobs and incomplete uploads are left, want 3", n)
	}
}

// TestResume reads through a connection that breaks off again and again, and never makes one
// blob of two.
func TestResume(t *testing.T) {
	f := start(t)
	ctx := t.Context()
	data := make([]byte, 3<<20)
	rand.Read(data)
	name := blob.PrivateName("a")
	f.put(name, data)
	f.faults.arm(1, true, cut)
	r, err := f.s.Open(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	r.Close()

	f.faults.arm(1, false, cut)
	if r, err = f.s.Open(ctx, name); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	other := bytes.Clone(data)
	other[len(other)-1] ^= 1
	f.put(name, other)
	if got, err := io.ReadAll(r); err == nil {
		t.Errorf("%d bytes of two blobs", len(got))
	}
	r.Close()

	f.faults.arm(0, false, nil)
	if r, err = f.s.Open(ctx, name); err != nil {
		t.Fatal(err)
	}
	f.faults.arm(1, true, refuse)
	r.(*reader).body.Close()
	if _, err := io.ReadAll(r); err == nil {
		t.Error("the end of a broken stream was taken for the blob's")
	}
	f.faults.arm(0, false, nil)
}

// TestSweep leaves an upload incomplete, as a program that dies does.
func TestSweep(t *testing.T) {
	f := start(t)
	ctx := t.Context()
	f.clock.set(-time.Hour)
	for _, key := range []string{f.s.key(blob.PrivateName("a")), f.s.prefix + "another program's"} {
		id, err := f.s.client.NewMultipartUpload(ctx, bucket, key, minio.PutObjectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.s.client.PutObjectPart(ctx, bucket, key, id, 1, strings.NewReader("x"), 1, minio.PutObjectPartOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	f.clock.set(0)
	if err := f.s.Sweep(ctx, time.Now().Add(-2*time.Hour)); err != nil || f.count() != 2 {
		t.Errorf("a young upload: %d left, %v", f.count(), err)
	}
	if err := f.s.Sweep(ctx, time.Now().Add(-time.Minute)); err != nil || f.count() != 1 {
		t.Errorf("an old upload: %d left, %v", f.count(), err)
	}
}

// TestDamaged changes what is stored under the names of private and public blobs.
func TestDamaged(t *testing.T) {
	f := start(t)
	ctx := t.Context()
	k := seal.NewKey()
	name := blob.PrivateName("a")
	if err := blob.PutPrivate(ctx, f.s, name, k, strings.NewReader("secret")); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(f.get(name), []byte("secret")) {
		t.Error("stored in the clear")
	}
	f.put(name, f.get(name)[:20])
	if _, err := blob.OpenPrivate(ctx, f.s, name, k); err == nil {
		r, _ := blob.OpenPrivate(ctx, f.s, name, k)
		if _, err := io.ReadAll(r); !errors.Is(err, seal.ErrDamaged) {
			t.Errorf("cut in the store: %v", err)
		}
	}
	if _, err := f.s.Open(ctx, blob.PrivateName("a")); !errors.Is(err, blob.ErrMissing) {
		t.Errorf("missing: %v", err)
	}
	if err := f.backend.ForceDeleteBucket(bucket); err != nil {
		t.Fatal(err)
	}
	if _, err := f.s.Open(ctx, name); err == nil || errors.Is(err, blob.ErrMissing) {
		t.Errorf("without the bucket: %v", err)
	}
}

func TestParse(t *testing.T) {
	got, err := Parse("s3://models/a/b/?endpoint=http://127.0.0.1:9000&region=eu")
	if want := (Location{"127.0.0.1:9000", false, "models", "a/b/", "eu"}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = Parse("s3://models")
	if want := (Location{"s3.amazonaws.com", true, "models", "", ""}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for _, wrong := range []string{
		"", "models", "http://models", "s3://", "s3://key:secret@models", "s3://models/../x", "s3://models?endpoint=ftp://x", "s3://models?endpoint=x",
		"s3://models?endpoint=https://key:secret@x", "s3://models?x=y", "s3://models?region=a&region=b", "s3://models:80", "s3://models#x", "s3://models?endpoint=https://x/path",
	} {
		if l, err := Parse(wrong); err == nil {
			t.Errorf("%q: %+v", wrong, l)
		}
	}
	t.Setenv(accessVariable, "")
	if _, err := Open(t.Context(), got); err == nil || !strings.Contains(err.Error(), accessVariable) {
		t.Errorf("without credentials: %v", err)
	}
}
