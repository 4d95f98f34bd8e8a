// Package page is the status page of the prover service, for people: the queue, the workers,
// recent jobs, and what a proof says.
//
// It is made on the server, has no script, and is a client of the service's own interface:
// each view asks for what it shows with the key of who looks at it. So nobody sees more than
// their key lets programs see. A browser sends the key as the password of HTTP's basic
// authentication; the name doesn't matter.
package page

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/zkml-go/zkml/service/client"
)

//go:embed page.html style.css
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"bar": newBar, "seconds": seconds, "when": when, "ago": ago, "short": short, "size": size,
}).ParseFS(files, "page.html"))

// Page shows the status of a service.
type Page struct {
	// API answers the requests of package client.
	API http.Handler
	Log *slog.Logger
	// Now is the clock.
	Now func() time.Time
}

// Register adds the page and what belongs to it to a mux.
func (p *Page) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", p.serve("overview", p.overview))
	mux.HandleFunc("GET /jobs/{kind}/{id}", p.serve("job", p.job))
	mux.HandleFunc("GET /jobs/proof/{id}/proof.json", p.download)
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, files, "style.css")
	})
}

// timeout bounds the making of a view.
const timeout = 10 * time.Second

// serve returns a handler that shows what a view returns in a template.
func (p *Page) serve(name string, view func(context.Context, *client.Client, *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		data, err := view(ctx, p.client(r), r)
		var text bytes.Buffer
		if err == nil {
			err = templates.ExecuteTemplate(&text, name, data)
		}
		if err != nil {
			p.fail(w, err)
			return
		}
		guard(w)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(text.Bytes())
	}
}

// guard sets the headers of all answers: nothing is loaded from elsewhere, nothing runs,
// nobody frames the page, nothing stays in a cache.
func guard(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
}

// fail answers with what the interface answered with.
func (p *Page) fail(w http.ResponseWriter, err error) {
	status, reason := http.StatusInternalServerError, "the page couldn't be made"
	var problem *client.Problem
	if errors.As(err, &problem) {
		status, reason = problem.Status, cmp.Or(problem.Detail, problem.Title)
		if status == http.StatusUnprocessableEntity { // what was asked for can't be a job
			status, reason = http.StatusNotFound, "there is no such page"
		}
	} else {
		p.Log.Error("status page", "error", err.Error())
	}
	guard(w)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="zkml: any name, and an API key as the password", charset="UTF-8"`)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	templates.ExecuteTemplate(w, "error", struct {
		Status int
		Title  string
		Reason string
	}{status, http.StatusText(status), reason})
}

// download answers with a proof.
func (p *Page) download(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	var proof bytes.Buffer
	if err := p.client(r).Proof(ctx, r.PathValue("id"), &proof); err != nil {
		p.fail(w, err)
		return
	}
	guard(w)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="proof.json"`)
	w.Write(proof.Bytes())
}
