package service_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/blob"
)

// watched is a body that tells when it is read, and waits then.
type watched struct {
	io.Reader
	begin func()
}

func (w *watched) Read(p []byte) (int, error) {
	if w.begin != nil {
		w.begin()
		w.begin = nil
	}
	return w.Reader.Read(p)
}

// TestUploads sends many blobs at the same moment: of those that a tenant's quota has room for
// alone, but not together, some are refused, and no more than four come at a time.
func TestUploads(t *testing.T) {
	w := start(t, nil)
	ctx := t.Context()
	const size, uploads = 60 << 10, 12
	for name, c := range map[string]struct {
		quota  int64
		length int64 // what the request says of it
		want   int   // how many are stored
	}{
		"no-quota":   {0, size, uploads},
		"quota":      {2*size + size/2, size, 2},
		"no-length":  {2*size + size/2, -1, -2},
		"quota-full": {2 * size, size, 2},
	} {
		t.Run(name, func(t *testing.T) {
			token, _ := w.token(name, 0, access.Prove)
			if err := w.s.Tenants().SetQuota(ctx, name, access.Quota{Stored: c.quota}); err != nil {
				t.Fatal(err)
			}
			// With Expect the client sends no body before the service reads it.
			transport := &http.Transport{ExpectContinueTimeout: time.Minute}
			defer transport.CloseIdleConnections()
			var coming, most, stored, refused atomic.Int32
			var all sync.WaitGroup
			for i := range uploads {
				all.Go(func() {
					data := fmt.Sprintf("%08d", i) + strings.Repeat(name[:1], size-8)
					body := &watched{Reader: strings.NewReader(data), begin: func() {
						n := coming.Add(1)
						for had := most.Load(); n > had && !most.CompareAndSwap(had, n); had = most.Load() {
						}
						time.Sleep(300 * time.Millisecond)
						coming.Add(-1)
					}}
					r, err := http.NewRequestWithContext(ctx, "PUT", w.base+"/v1/blobs/"+blob.Sum([]byte(data)).String(), body)
					if err != nil {
						t.Error(err)
						return
					}
					r.ContentLength = c.length
					r.Header.Set("Authorization", "Bearer "+token)
					r.Header.Set("Expect", "100-continue")
					answer, err := transport.RoundTrip(r)
					if err != nil {
						t.Error(err)
						return
					}
					answer.Body.Close()
					switch answer.StatusCode {
					case http.StatusNoContent:
						stored.Add(1)
					case http.StatusForbidden:
						refused.Add(1)
					default:
						t.Errorf("answered %d", answer.StatusCode)
					}
				})
			}
			all.Wait()
			if most.Load() > 4 || most.Load() == 0 {
				t.Errorf("%d uploads came at a time", most.Load())
			}
			n := int(stored.Load())
			if c.want >= 0 && n != c.want || c.want < 0 && (n == 0 || n > -c.want) {
				t.Errorf("%d blobs are stored, want %d", n, c.want)
			}
			if n+int(refused.Load()) != uploads {
				t.Errorf("%d stored and %d refused of %d", n, refused.Load(), uploads)
			}
		})
	}
}

// TestBrokenUpload sends a part of a blob, one that is there and one that isn't: that is the
// client's fault.
func TestBrokenUpload(t *testing.T) {
	w := start(t, nil)
	token, _ := w.token("alice", 0, access.Prove)
	const data = "a whole blob"
	path := "/v1/blobs/" + blob.Sum([]byte(data)).String()
	for _, c := range []struct {
		what, body string
		want       string
	}{{"a part", data[:5], "400"}, {"all", data, "204"}, {"a part again", data[:5], "400"}} {
		if got := rawPut(t, w.base, path, token, c.body, len(data)); got != c.want {
			t.Errorf("%s: answered %s, want %s", c.what, got, c.want)
		}
	}
}

// rawPut sends a body, ends its half of the connection, and returns the answer's status.
func rawPut(t *testing.T, base, path, token, body string, length int) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", path, token, length, body)
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return strconv.Itoa(answer.StatusCode)
}
