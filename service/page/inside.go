package page

import (
	"bytes"
	"io"
	"net/http"

	"github.com/zkml-go/zkml/service/client"
)

// client returns a client of the interface that has the key of a browser's request.
func (p *Page) client(r *http.Request) *client.Client {
	_, token, _ := r.BasicAuth()
	return client.NewWith("http://"+r.Host, token, &http.Client{Transport: &inside{p.API, r}})
}

// inside hands requests to a handler of this program. To it they are as local as the one
// of the browser that they are made for.
type inside struct {
	handler http.Handler
	from    *http.Request
}

// RoundTrip implements http.RoundTripper.
func (i *inside) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Host, r.RemoteAddr = i.from.Host, i.from.RemoteAddr
	if origin := i.from.Header.Get("Origin"); origin != "" {
		r.Header.Set("Origin", origin)
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	a := &answer{header: http.Header{}, status: http.StatusOK}
	i.handler.ServeHTTP(a, r)
	return &http.Response{
		StatusCode: a.status, Status: http.StatusText(a.status), Header: a.header, Body: io.NopCloser(&a.body),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(a.body.Len()), Request: r,
	}, nil
}

// answer is what a handler writes.
type answer struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if !a.wrote {
		a.status, a.wrote = status, true
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(data []byte) (int, error) {
	a.wrote = true
	return a.body.Write(data)
}
