package load_test

import (
	"bytes"
	"context"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/service"
	"github.com/zkml-go/zkml/service/api"
	"github.com/zkml-go/zkml/service/internal/load"
	"github.com/zkml-go/zkml/service/queue"
)

const folder = "../../../testdata/diabetes"

// start runs a service and returns its URL.
func start(t *testing.T) *url.URL {
	t.Helper()
	dir := t.TempDir()
	s, err := service.Open(t.Context(), service.Config{
		Data: filepath.Join(dir, "data"), OperatorKey: filepath.Join(dir, "key"), Queue: queue.DefaultOptions(), Limits: api.DefaultLimits,
		SRS: srs.NewCache(filepath.Join(dir, "srs")), AllowDevelopment: true, NoAuth: true, Memory: 1 << 30, Retention: time.Hour,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { s.Serve(ctx, l) })
	parts.Go(func() { s.Work(ctx, "worker") })
	t.Cleanup(func() {
		cancel()
		parts.Wait()
		s.Close()
	})
	return &url.URL{Scheme: "http", Host: l.Addr().String()}
}

// config is a run of a few jobs.
func config(server, name string) load.Config {
	return load.Config{
		Server: server, Mix: []load.Mix{{Folder: folder, Jobs: 8}}, Clients: 3, Poll: 50 * time.Millisecond, Patience: 300 * time.Millisecond, Name: name,
	}
}

// TestRun has a good service pass, in one go and with the jobs accepted first.
func TestRun(t *testing.T) {
	server := start(t).String()
	r, err := load.Run(t.Context(), config(server, "a"))
	if err != nil || r.Err() != nil {
		t.Fatal(err, r.Err())
	}
	if r.Throughput <= 0 || r.Latency.Requests < 3*8 || r.Latency.P50 <= 0 || r.Latency.P50 > r.Latency.P99 || r.Operation["POST /v1/proofs"].Requests != 9 {
		t.Errorf("%+v", r)
	}
	c := config(server, "b")
	c.Submit = true
	if r, err = load.Run(t.Context(), c); err != nil || r.Refused > 0 || len(r.Accepted) != 8 {
		t.Fatalf("%+v, %v", r, err)
	}
	c.Submit, c.Check = false, r.Accepted
	if r, err = load.Run(t.Context(), c); err != nil || r.Err() != nil {
		t.Error(err, r.Err())
	}
}

// proofPath is the path of a job, and of what lies below it.
var proofPath = regexp.MustCompile(`^/v1/proofs/([a-z2-7]{26})(/[a-z]+)?$`)

// TestFindings puts a liar between client and service: what it does has to be told.
func TestFindings(t *testing.T) {
	target := start(t)
	earlier, err := load.Run(t.Context(), config(target.String(), "earlier"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		// before changes a request about one of the jobs, the victim, after the answer's body;
		// times counts the answers about each part of the job.
		before func(r *http.Request, what string)
		after  func(body, what string, times map[string]int) string
		want   func(*load.Report) int
	}{
		{"lost", func(r *http.Request, what string) {
			if what == "" {
				r.URL.Path = "/v1/proofs/" + strings.Repeat("a", 26)
			}
		}, nil, func(r *load.Report) int { return len(r.Lost) }},
		{"another proof", func(r *http.Request, what string) {
			if what == "/proof" {
				r.URL.Path = "/v1/proofs/" + earlier.Accepted[7].ID + what
			}
		}, nil, func(r *load.Report) int { return len(r.Rejected) }},
		{"a second end", nil, func(body, what string, times map[string]int) string {
			if what == "" && times["/proof"] > 0 { // its end was seen before the proof was fetched
				return regexp.MustCompile(`"finished":"20`).ReplaceAllString(body, `"finished":"21`)
			}
			return body
		}, func(r *load.Report) int { return len(r.Doubled) }},
		{"a second proof", nil, func(body, what string, times map[string]int) string {
			if what == "/proof" && times[what] == 1 {
				return body + "\n"
			}
			return body
		}, func(r *load.Report) int { return len(r.Doubled) }},
		{"an end without a proof", nil, func(body, what string, _ map[string]int) string {
			return strings.ReplaceAll(body, `"state":"succeeded"`, `"state":"failed"`)
		}, func(r *load.Report) int { return len(r.Failed) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			var victim string
			times := map[string]int{}
			proxy := &httputil.ReverseProxy{
				FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0),
				Rewrite: func(r *httputil.ProxyRequest) {
					r.SetURL(target)
					r.Out.Host = target.Host
					r.Out.Header.Del("Accept-Encoding")
					m := proofPath.FindStringSubmatch(r.In.URL.Path)
					if m == nil {
						return
					}
					mu.Lock()
					defer mu.Unlock()
					if victim == "" {
						victim = m[1]
					}
					if m[1] == victim && c.before != nil {
						c.before(r.Out, m[2])
					}
				},
				ModifyResponse: func(answer *http.Response) error {
					m := proofPath.FindStringSubmatch(answer.Request.URL.Path)
					mu.Lock()
					defer mu.Unlock()
					if m == nil || m[1] != victim || c.after == nil {
						return nil
					}
					times[m[2]]++
					body, err := io.ReadAll(answer.Body)
					body = []byte(c.after(string(body), m[2], times))
					answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
					answer.Header.Del("Content-Length")
					return err
				},
			}
			server := httptest.NewServer(proxy)
			defer server.Close()
			r, err := load.Run(t.Context(), config(server.URL, c.name))
			if err != nil {
				t.Fatal(err)
			}
			if r.Err() == nil || c.want(r) != 1 || r.Verified != 7 {
				t.Errorf("%v: %+v", r.Err(), r)
			}
		})
	}
}
