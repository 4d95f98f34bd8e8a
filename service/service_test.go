package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/service"
	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/api"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/service/queue"
)

// world is a service with everything in temporary folders.
type world struct {
	t    *testing.T
	data string
	log  *lockedBuffer
	base string
	s    *service.Service
}

// lockedBuffer is what several goroutines write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(t *testing.T, set func(*service.Config)) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, data: filepath.Join(dir, "data"), log: &lockedBuffer{}}
	c := service.Config{
		Data: w.data, OperatorKey: filepath.Join(dir, "operator.key"), Queue: queue.DefaultOptions(), Limits: api.DefaultLimits,
		SRS: srs.NewCache(filepath.Join(dir, "srs")), AllowDevelopment: true, Memory: 4 << 30, Retention: time.Hour,
		Log: slog.New(slog.NewJSONHandler(w.log, nil)),
	}
	if set != nil {
		set(&c)
	}
	var err error
	if w.s, err = service.Open(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.base = "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := w.s.Serve(ctx, l); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	running.Go(func() {
		if err := w.s.Work(ctx, "w"); err != nil {
			t.Errorf("work: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
		w.s.Close()
	})
	return w
}

// token makes an API key.
func (w *world) token(tenant string, lifetime time.Duration, scopes ...access.Scope) (string, *access.Key) {
	w.t.Helper()
	token, k, err := w.s.Keys().Create(w.t.Context(), tenant, scopes, lifetime)
	if err != nil {
		w.t.Fatal(err)
	}
	return token, k
}

func model(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// built has the service compile the diabetes network, output hashed.
func built(t *testing.T, c *client.Client) client.Job {
	t.Helper()
	r := client.BuildRequest{
		ONNX: &client.Source{Data: model(t, "diabetes/model.onnx")}, Samples: &client.Source{Data: model(t, "diabetes/samples.json")},
		Options: client.Options{Visibility: map[string]string{"features": "private", "progression": "hashed"}},
	}
	j, err := c.Build(t.Context(), r, "build")
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.Build(t.Context(), r, "build")
	if err != nil || again.ID != j.ID {
		t.Fatalf("the same request again: %v, %v", again.ID, err)
	}
	r.Options.Name = "other"
	wantStatus(t, "another request under the key", func() error { _, err := c.Build(t.Context(), r, "build"); return err }, 409)
	j, err = c.Wait(t.Context(), j, nil)
	if err != nil || j.State != "succeeded" {
		t.Fatalf("%+v %+v, %v", j, j.Failure, err)
	}
	return j
}

// TestTrace follows a request to the worker's stages in one trace. Requests that anyone may
// make aren't in it, nor those that are refused.
func TestTrace(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	w := start(t, func(c *service.Config) { c.NoAuth, c.Tracer = true, provider.Tracer("") })
	const parent = "4bf92f3577b34da6a3ce929d0e0e4736"
	body, err := json.Marshal(client.BuildRequest{ONNX: &client.Source{Data: []byte("no model")}})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequest(http.MethodPost, w.base+"/v1/models", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("traceparent", "00-"+parent+"-00f067aa0ba902b7-01")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var j client.Job
	if err := json.NewDecoder(answer.Body).Decode(&j); err != nil {
		t.Fatal(err)
	}
	if j, err = client.New(w.base, "").Wait(t.Context(), j, nil); err != nil || j.State != "failed" {
		t.Fatalf("%+v, %v", j, err)
	}
	for path, origin := range map[string]string{"/v1/queue": "https://elsewhere.example", "/healthz": ""} {
		request, err := http.NewRequest(http.MethodGet, w.base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("traceparent", "00-"+parent+"-00f067aa0ba902b7-01")
		request.Header.Set("Origin", origin)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if want := map[bool]int{true: 200, false: 403}[origin == ""]; answer.StatusCode != want {
			t.Errorf("%s: status %d", path, answer.StatusCode)
		}
	}
	var tree []string
	named := map[trace.SpanID]string{}
	all := spans.GetSpans()
	for _, span := range all {
		named[span.SpanContext.SpanID()] = span.Name
	}
	for _, span := range all {
		if span.SpanContext.TraceID().String() == parent {
			tree = append(tree, fmt.Sprintf("%s < %s: %s", span.Name, named[span.Parent.SpanID()], span.Status.Description))
		}
	}
	slices.Sort(tree)
	if want := []string{"build < build-model: model", "build-model < : ", "compiling < build: "}; !slices.Equal(tree, want) {
		t.Errorf("spans %q, want %q", tree, want)
	}
}

// wantStatus wants a problem of this status.
func wantStatus(t *testing.T, what string, do func() error, status int) {
	t.Helper()
	var p *client.Problem
	if err := do(); !errors.As(err, &p) || p.Status != status {
		t.Errorf("%s: %v, want status %d", what, err, status)
	}
}

// TestProof builds a model, proves with it, and verifies. Nothing private may lie on the
// disk or in the log, and no other tenant may see any of it.
func TestProof(t *testing.T) {
	w := start(t, nil)
	ctx := t.Context()
	token, key := w.token("alice", 0, access.Prove)
	reader, _ := w.token("alice", 0, access.Read)
	mallory, _ := w.token("mallory", 0, access.Prove)
	c := client.New(w.base, token)
	build := built(t, c)
	m, err := c.Model(ctx, build.Model)
	if err != nil || m.Name == "" || len(m.Inputs) != 1 {
		t.Fatalf("%+v, %v", m, err)
	}

	const secret = "0.0312345678" // an input that isn't anywhere else
	inputs := json.RawMessage(`{"features": [` + secret + strings.Repeat(", 0.01", 9) + `]}`)
	request := client.ProofRequest{Model: build.Model, Inputs: inputs, Context: "7"}
	j, err := c.Prove(ctx, request, "")
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]bool{}
	if j, err = c.Wait(ctx, j, func(j client.Job) { states[j.State] = true }); err != nil || j.State != "succeeded" || !states["succeeded"] {
		t.Fatalf("%+v %+v, %v", j, j.Failure, err)
	}
	took := 0.0
	for _, stage := range j.Stages {
		took += stage.Seconds
	}
	if len(j.Stages) < 8 || j.Stages[0].Name != "loading the model" || took <= 0 || took > j.Finished.Sub(*j.Started).Seconds() {
		t.Errorf("stages %+v", j.Stages)
	}
	var proofText, keyText, secretsText bytes.Buffer
	for _, err := range []error{c.Proof(ctx, j.ID, &proofText), c.VerifyingKey(ctx, build.Model, &keyText), c.Secrets(ctx, j.ID, &secretsText)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	vk, err := prover.ReadVerifyingKey(&keyText)
	if err != nil {
		t.Fatal(err)
	}
	proof, err := prover.ReadProof(bytes.NewReader(proofText.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	word, _ := zkml.ParseContext("7")
	if _, err := zkml.Verify(vk, proof, zkml.Expectation{Context: &word, AllowDevelopmentSRS: true}); err != nil {
		t.Error(err)
	}
	if s, err := prover.ReadSecrets(&secretsText); err != nil || len(s.Salts) == 0 || len(s.Outputs) != 1 {
		t.Errorf("secrets %+v, %v", s, err)
	}
	for word, want := range map[string]bool{"7": true, "8": false} {
		v, err := c.Verify(ctx, client.VerifyRequest{Model: build.Model, Proof: proofText.Bytes(), Context: word})
		if err != nil || v.Accepted != want {
			t.Errorf("verify with context %s: %+v, %v", word, v, err)
		}
	}

	// Input that can't be used: at once, or by the worker, whose message is for the owner.
	wantStatus(t, "wrong shape", func() error {
		_, err := c.Prove(ctx, client.ProofRequest{Model: build.Model, Inputs: json.RawMessage(`{"features": [1]}`)}, "")
		return err
	}, 422)
	far := json.RawMessage(`{"features": [987654.25` + strings.Repeat(", 0.01", 9) + `]}`)
	bad, err := c.Prove(ctx, client.ProofRequest{Model: build.Model, Inputs: far}, "")
	if err != nil {
		t.Fatal(err)
	}
	if bad, err = c.Wait(ctx, bad, nil); err != nil || bad.State != "failed" || bad.Attempt != 1 || bad.Failure.Fault != "user" || bad.Failure.Code != "input_range" || bad.Failure.Retry || !strings.Contains(bad.Failure.Message, "features") {
		t.Errorf("%+v %+v, %v", bad, bad.Failure, err)
	}

	// Tenants, scopes, revocation.
	other := client.New(w.base, mallory)
	for what, do := range map[string]func() error{
		"job":     func() error { _, err := other.Get(ctx, "proof", j.ID); return err },
		"events":  func() error { _, err := other.Wait(ctx, j, nil); return err },
		"cancel":  func() error { _, err := other.Cancel(ctx, "proof", j.ID); return err },
		"proof":   func() error { return other.Proof(ctx, j.ID, io.Discard) },
		"secrets": func() error { return other.Secrets(ctx, j.ID, io.Discard) },
		"model":   func() error { _, err := other.Model(ctx, build.Model); return err },
		"key":     func() error { return other.VerifyingKey(ctx, build.Model, io.Discard) },
		"prove":   func() error { _, err := other.Prove(ctx, request, ""); return err },
		"kind":    func() error { _, err := c.Get(ctx, "build", j.ID); return err },
		"follow":  func() error { _, err := c.Wait(ctx, client.Job{ID: j.ID, Kind: "build"}, nil); return err },
	} {
		wantStatus(t, "another tenant's "+what, do, 404)
	}
	if jobs, err := other.List(ctx, "proof", nil); err != nil || len(jobs.Jobs) != 0 {
		t.Errorf("another tenant lists %v, %v", jobs, err)
	}
	if jobs, err := c.List(ctx, "proof", url.Values{"state": {"succeeded"}, "limit": {"1"}}); err != nil || len(jobs.Jobs) != 1 || jobs.Jobs[0].ID != j.ID {
		t.Errorf("list %v, %v", jobs, err)
	}
	read := client.New(w.base, reader)
	wantStatus(t, "prove with a reader's key", func() error { _, err := read.Prove(ctx, request, ""); return err }, 403)
	wantStatus(t, "secrets with a reader's key", func() error { return read.Secrets(ctx, j.ID, io.Discard) }, 403)
	if err := read.Proof(ctx, j.ID, io.Discard); err != nil {
		t.Error(err)
	}
	if err := w.s.Keys().Revoke(ctx, key.Prefix); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, "a revoked key", func() error { _, err := c.Get(ctx, "proof", j.ID); return err }, 401)

	for _, private := range []string{secret, "987654.25", token} {
		if strings.Contains(w.log.String(), private) {
			t.Errorf("%s was logged", private)
		}
		err := filepath.WalkDir(w.data, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			if bytes.Contains(data, []byte(private)) {
				t.Errorf("%s lies in %s", private, path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// TestBatch proves two answers at once, with a compiled model.
func TestBatch(t *testing.T) {
	w := start(t, func(c *service.Config) { c.NoAuth = true })
	ctx := t.Context()
	network, err := zkml.LoadBytes(model(t, "diabetes/model.onnx"), zkml.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := zkml.Compile(ctx, network, zkml.Options{Batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := compiled.Save(&file); err != nil {
		t.Fatal(err)
	}
	c := client.New(w.base, "")
	j, err := c.Build(ctx, client.BuildRequest{Model: &client.Source{Data: file.Bytes()}}, "")
	if err != nil {
		t.Fatal(err)
	}
	if j, err = c.Wait(ctx, j, nil); err != nil || j.State != "succeeded" || j.Model != blob.Sum(file.Bytes()).String() || j.Stage != "" {
		t.Fatalf("%+v %+v, %v", j, j.Failure, err)
	}
	row := "[0.5" + strings.Repeat(", 0.01", 9) + "]"
	r := client.ProofRequest{Model: j.Model, Inputs: json.RawMessage(`{"features": [[` + row + `], [` + row + `]]}`)}
	if j, err = c.Prove(ctx, r, ""); err != nil {
		t.Fatal(err)
	}
	if j, err = c.Wait(ctx, j, nil); err != nil || j.State != "succeeded" {
		t.Fatalf("%+v %+v, %v", j, j.Failure, err)
	}
	var text bytes.Buffer
	if err := c.Proof(ctx, j.ID, &text); err != nil {
		t.Fatal(err)
	}
	proof, err := prover.ReadProof(&text)
	if err != nil || len(proof.Values) != 2 || len(proof.Values[1].Integers) != 2 {
		t.Errorf("%+v, %v", proof, err)
	}
	r.Inputs = json.RawMessage(`{"features": [[` + row + `]]}`)
	wantStatus(t, "one of two", func() error { _, err := c.Prove(ctx, r, ""); return err }, 422)
}

// TestRefusals sends what can't be served.
func TestRefusals(t *testing.T) {
	w := start(t, func(c *service.Config) { c.Limits = api.Limits{Body: 1 << 16, Blob: 1 << 10, Memory: 1 << 30} })
	token, _ := w.token("alice", 0, access.Prove)
	expired, _ := w.token("alice", time.Nanosecond, access.Prove)
	digest := blob.Sum([]byte("content")).String()
	for _, c := range []struct {
		name, method, path, token, body string
		status                          int
	}{
		{"no key", "GET", "/v1/proofs", "", "", 401},
		{"no such key", "GET", "/v1/proofs", "zkml_0123456789_x", "", 401},
		{"a changed key", "GET", "/v1/proofs", token + "x", "", 401},
		{"not a key", "GET", "/v1/proofs", "../../x", "", 401},
		{"expired key", "GET", "/v1/proofs", expired, "", 401},
		{"no key for health", "GET", "/healthz", "", "", 200},
		{"ready", "GET", "/readyz", "", "", 200},
		{"blob", "PUT", "/v1/blobs/" + digest, token, "content", 204},
		{"blob again", "PUT", "/v1/blobs/" + digest, token, "content", 204},
		{"blob back", "GET", "/v1/blobs/" + digest, token, "", 200},
		{"no such blob", "GET", "/v1/blobs/" + strings.Repeat("0", 64), token, "", 404},
		{"blob of another digest", "PUT", "/v1/blobs/" + strings.Repeat("0", 64), token, "content", 422},
		{"blob that is too large", "PUT", "/v1/blobs/" + blob.Sum(make([]byte, 2000)).String(), token, string(make([]byte, 2000)), 413},
		{"blob with a bad name", "GET", "/v1/blobs/..%2f..%2foperator.key", token, "", 422},
		{"path traversal", "GET", "/v1/blobs/../../operator.key", token, "", 404},
		{"bad id", "GET", "/v1/proofs/..%2f..%2fx", token, "", 422},
		{"wildcard id", "GET", "/v1/proofs/*", token, "", 422},
		{"no such job", "GET", "/v1/proofs/" + strings.Repeat("a", 26), token, "", 404},
		{"events of no job", "GET", "/v1/proofs/" + strings.Repeat("a", 26) + "/events", token, "", 404},
		{"no such model", "POST", "/v1/proofs", token, `{"model": "` + strings.Repeat("0", 64) + `", "inputs": {}}`, 404},
		{"malformed", "POST", "/v1/proofs", token, `{"model": `, 400},
		{"unknown member", "POST", "/v1/proofs", token, `{"model": "` + strings.Repeat("0", 64) + `", "inputs": {}, "x": 1}`, 422},
		{"body that is too large", "POST", "/v1/proofs", token, `{"x": "` + strings.Repeat("x", 1<<17) + `"}`, 413},
		{"build of nothing", "POST", "/v1/models", token, `{}`, 422},
		{"build of a blob that isn't there", "POST", "/v1/models", token, `{"onnx": {"blob": "` + strings.Repeat("0", 64) + `"}}`, 422},
		{"hidden weights in a public blob", "POST", "/v1/models", token, `{"onnx": {"blob": "` + digest + `"}, "options": {"visibility": {"weights": "private"}}}`, 422},
		{"unknown query", "GET", "/v1/proofs?tenant=bob", token, "", 422},
		{"bad limit", "GET", "/v1/proofs?limit=100000", token, "", 422},
	} {
		request, err := http.NewRequestWithContext(t.Context(), c.method, w.base+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if c.token != "" {
			request.Header.Set("Authorization", "Bearer "+c.token)
		}
		if c.method == "POST" {
			request.Header.Set("Content-Type", "application/json")
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		text, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != c.status {
			t.Errorf("%s: %d %s, want %d", c.name, answer.StatusCode, text, c.status)
		}
		if kind := answer.Header.Get("Content-Type"); c.status >= 400 && c.path[:3] == "/v1" && c.name != "path traversal" && kind != "application/problem+json" {
			t.Errorf("%s: an error of type %q", c.name, kind)
		}
	}
	onnx := client.New(w.base, token)
	garbage := client.BuildRequest{ONNX: &client.Source{Data: []byte("no model")}}
	j, err := onnx.Build(t.Context(), garbage, "")
	if err != nil {
		t.Fatal(err)
	}
	if j, err = onnx.Wait(t.Context(), j, nil); err != nil || j.State != "failed" || j.Failure.Fault != "user" {
		t.Errorf("%+v, %v", j, err)
	}
	text := metrics(t, w.base)
	for _, line := range []string{`zkml_jobs{state="failed"} 1`, `zkml_jobs{state="queued"} 0`, "zkml_queue_oldest_seconds 0", `zkml_jobs_failed{code="model",fault="user"} 1`,
		`zkml_jobs_ended_total{code="model",fault="user",kind="build",state="failed"} 1`,
		`zkml_wait_seconds_count{kind="build",priority="normal"} 1`,
		`zkml_stage_seconds_count{kind="build",stage="compiling"} 1`,
		`zkml_request_seconds_count{operation="build-model",status="202"} 1`} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("metrics have no %q:\n%s", line, text)
		}
	}
	if strings.Contains(text, "alice") {
		t.Error("metrics tell of tenants")
	}
}

// metrics returns what a service tells of itself.
func metrics(t *testing.T, base string) string {
	t.Helper()
	answer, err := http.Get(base + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestNoAuth serves local programs alone.
func TestNoAuth(t *testing.T) {
	w := start(t, func(c *service.Config) { c.NoAuth = true })
	for _, c := range []struct {
		name, path, host, origin string
		status                   int
	}{
		{"local", "/v1/proofs", "", "", 200},
		{"a page that had its name point here", "/v1/proofs", "evil.example", "", 403},
		{"a page elsewhere", "/v1/proofs", "", "https://evil.example", 403},
		{"the status page", "/", "", "", 200},
		{"the status page under another name", "/", "evil.example", "", 403},
		{"the status page for a page elsewhere", "/", "", "https://evil.example", 403},
	} {
		request, err := http.NewRequestWithContext(t.Context(), "GET", w.base+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.host != "" {
			request.Host = c.host
		}
		if c.origin != "" {
			request.Header.Set("Origin", c.origin)
		}
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.name, answer.StatusCode, c.status)
		}
	}
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := w.s.Serve(t.Context(), l); err == nil {
		t.Error("served the world without keys")
	}
}

// TestBackPressure fills the queue.
func TestBackPressure(t *testing.T) {
	w := start(t, func(c *service.Config) { c.Queue.MaxJobs = 2; c.Memory = 1 }) // no job fits the worker
	token, _ := w.token("alice", 0, access.Prove)
	c := client.New(w.base, token)
	garbage := client.BuildRequest{ONNX: &client.Source{Data: []byte("no model")}}
	for range 2 {
		if _, err := c.Build(t.Context(), garbage, ""); err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.Build(t.Context(), garbage, "")
	var p *client.Problem
	if !errors.As(err, &p) || p.Status != 429 || p.RetryAfter <= 0 {
		t.Errorf("a full queue: %v", err)
	}
	left := 0
	filepath.WalkDir(filepath.Join(w.data, "blobs", "private"), func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			left++
		}
		return err
	})
	if left != 2 {
		t.Errorf("%d private blobs for 2 jobs", left)
	}
}

// TestOperatorKey refuses a key beside the data.
func TestOperatorKey(t *testing.T) {
	dir := t.TempDir()
	for i, key := range []string{filepath.Join(dir, "key"), filepath.Join(dir, "x", "key"), filepath.Join(dir, "..", filepath.Base(dir), "key")} {
		if _, err := service.Open(t.Context(), service.Config{Data: dir, OperatorKey: key}); err == nil || !strings.Contains(err.Error(), "data folder") {
			t.Error(fmt.Sprint(i), err)
		}
	}
}
