package api

import (
	"io"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// brokenBody is the error of a body that didn't come whole. It calls itself a timeout, because
// the framework answers that with 408, and any other error as a fault of ours.
type brokenBody struct{ err error }

func (e *brokenBody) Error() string   { return "the body didn't come whole" }
func (e *brokenBody) Unwrap() error   { return e.err }
func (e *brokenBody) Timeout() bool   { return true }
func (e *brokenBody) Temporary() bool { return true }

// bodyReader marks the errors of a body.
type bodyReader struct{ io.Reader }

// Read implements io.Reader.
func (b bodyReader) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = &brokenBody{err}
	}
	return n, err
}

// bodyContext is a request whose body has such errors.
type bodyContext struct{ request }

// request is huma.Context under a name that its own method hasn't.
type request huma.Context

// BodyReader implements huma.Context.
func (c bodyContext) BodyReader() io.Reader {
	if r := c.request.BodyReader(); r != nil {
		return bodyReader{r}
	}
	return nil
}

// wholeBodies makes a body that breaks off the client's fault.
func (s *server) wholeBodies(ctx huma.Context, next func(huma.Context)) {
	if ctx.Operation().RequestBody != nil {
		ctx = bodyContext{ctx}
	}
	next(ctx)
}

// completeErrors adds to the description what the framework answers by itself.
func completeErrors(description *huma.OpenAPI) {
	problem := &huma.Schema{Ref: "#/components/schemas/ErrorModel"}
	for _, path := range description.Paths {
		for _, o := range []*huma.Operation{path.Get, path.Put, path.Post, path.Delete} {
			if o == nil {
				continue
			}
			also := []int{http.StatusUnprocessableEntity}
			if o.RequestBody != nil {
				also = append(also, http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
			}
			if o.Security != nil {
				also = append(also, http.StatusServiceUnavailable)
			}
			for _, status := range also {
				if o.Responses[strconv.Itoa(status)] == nil {
					o.Responses[strconv.Itoa(status)] = &huma.Response{
						Description: http.StatusText(status), Content: map[string]*huma.MediaType{"application/problem+json": {Schema: problem}},
					}
				}
			}
		}
	}
}
