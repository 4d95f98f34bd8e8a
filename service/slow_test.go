package service_test

import (
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service"
	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/api"
	"github.com/zkml-go/zkml/service/blob"
)

// TestSlow has clients that send their requests by and by, or don't take their answers. Each
// connection is closed in its time, and not before; meanwhile others are served.
func TestSlow(t *testing.T) {
	patience := api.Patience{
		Header: 400 * time.Millisecond, Body: 800 * time.Millisecond, Upload: 1600 * time.Millisecond,
		Stall: 400 * time.Millisecond, Idle: 1200 * time.Millisecond,
	}
	w := start(t, func(c *service.Config) { c.Limits.Patience = patience })
	token, _ := w.token("alice", 0, access.Prove, access.Read)
	large := strings.Repeat("a large file ", 2<<20)
	put := func(data string) string { return "/v1/blobs/" + blob.Sum([]byte(data)).String() }
	request, err := http.NewRequestWithContext(t.Context(), "PUT", w.base+put(large), strings.NewReader(large))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		t.Fatal(answer.Status)
	}
	head := func(method, path, more string) string {
		return method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\n" + more + "\r\n"
	}
	const body = "Content-Type: application/json\r\nContent-Length: 1000\r\n"
	nobody := func(method, path string) string {
		return strings.Replace(head(method, path, body), token, "zkml_0123456789_x", 1)
	}
	for _, c := range []struct {
		name     string
		at       string   // what is sent at once
		drip     string   // what is sent again and again
		statuses []string // one of them is the answer
		within   time.Duration
	}{
		{"nothing", "", "", []string{""}, patience.Header},
		{"header", "GET /healthz HTTP/1.1\r\n", "X: x\r\n", []string{""}, patience.Header},
		{"body", head("POST", "/v1/proofs", body), " ", []string{"408"}, patience.Body},
		{"chunks", head("POST", "/v1/proofs", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"), "1\r\n \r\n", []string{"408"}, patience.Body},
		{"body that nobody wants", head("GET", "/healthz", body), " ", []string{"200"}, patience.Body},
		{"body without a key", nobody("POST", "/v1/proofs"), " ", []string{"401"}, patience.Body},
		{"body for the page", head("GET", "/", body), " ", []string{"401"}, patience.Body},
		{"upload", head("PUT", put("slow"), "Content-Length: 1000\r\n"), "x", []string{"400"}, patience.Upload},
		{"upload without a key", nobody("PUT", put("slow")), " ", []string{"401"}, patience.Body},
		{"after a request", head("GET", "/healthz", ""), "", []string{"200"}, patience.Idle},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, w.base)
			begin := time.Now()
			io.WriteString(conn, c.at)
			go func() {
				for c.drip != "" {
					time.Sleep(50 * time.Millisecond)
					if _, err := io.WriteString(conn, c.drip); err != nil {
						return
					}
				}
			}()
			answer, _ := io.ReadAll(conn) // until it is closed or broken
			took := time.Since(begin)
			status, _, _ := strings.Cut(strings.TrimPrefix(string(answer), "HTTP/1.1 "), " ")
			if !slices.Contains(c.statuses, status) {
				t.Errorf("answered %q, want one of %q", answer, c.statuses)
			}
			if took < c.within*9/10 || took > c.within+10*time.Second {
				t.Errorf("closed after %v, want %v", took, c.within)
			}
		})
	}
	for _, c := range []struct {
		name   string
		pause  time.Duration
		pauses int
		whole  bool
	}{{"download that stands still", 4 * patience.Stall, 1, false}, {"slow download", patience.Stall / 4, 20, true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, w.base)
			io.WriteString(conn, head("GET", put(large), "Connection: close\r\n"))
			var n int64
			for range c.pauses {
				part, _ := io.CopyN(io.Discard, conn, 1<<20)
				n += part
				time.Sleep(c.pause)
			}
			rest, _ := io.Copy(io.Discard, conn)
			n += rest
			if got := n > int64(len(large)); got != c.whole {
				t.Errorf("%d bytes came, of a file of %d", n, len(large))
			}
		})
	}
}

// dial opens a connection for as long as the test lasts, or 30 s.
func dial(t *testing.T, base string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	return conn
}
