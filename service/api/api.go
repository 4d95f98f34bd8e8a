// Package api is the HTTP interface of the prover service.
//
// What it says over the wire is in package client, and in openapi.json, which is generated
// from this package's code; a test compares the two. Errors are RFC 9457 problems. Every
// operation but the health checks needs an API key, whose tenant is the only one whose jobs,
// models and blobs it can see: what belongs to another one is as good as not there. A key with
// the scope admin, whosever it is, also manages the keys and quotas of all tenants, and sees
// the workers and whose jobs they do.
package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"go.opentelemetry.io/otel/trace"

	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/queue"
	"github.com/zkml-go/zkml/service/seal"
	"github.com/zkml-go/zkml/service/work"
)

// Config is what the interface serves.
type Config struct {
	Queue    *queue.Queue
	Models   *work.Models
	Blobs    blob.Bucket
	Operator seal.Key
	// Keys says who may do what. Without it everyone is the tenant LocalTenant, and only
	// requests to a loopback host that no web page makes are served.
	Keys *access.Keys
	// Roster is the list of workers.
	Roster *work.Roster
	// Tenants has what is kept of tenants beside their keys.
	Tenants *access.Tenants
	// InsecureWebhooks lets webhooks go to all addresses, and over http; for tests.
	InsecureWebhooks bool
	// AllowDevelopment accepts keys of the development string in verifications.
	AllowDevelopment bool
	Limits           Limits
	Log              *slog.Logger
	// Tracer, if set, is told of requests.
	Tracer trace.Tracer
}

// Limits bound what one request may ask for.
type Limits struct {
	Body   int64 // bytes of a JSON body
	Blob   int64 // bytes of an uploaded blob
	Memory int64 // bytes that a job may need
	// Patience bounds what slow clients hold; none is the default one.
	Patience Patience
}

// Patience is how long clients may take. A connection that takes longer is closed, with 408
// where there is an answer.
type Patience struct {
	Header time.Duration // until the header of a request has come
	Body   time.Duration // until a body has come that isn't an upload
	Upload time.Duration // until a blob has come
	Stall  time.Duration // until some more of an answer is taken
	Idle   time.Duration // between two requests
}

// DefaultPatience is the usual one.
var DefaultPatience = Patience{
	Header: 10 * time.Second, Body: time.Minute, Upload: 10 * time.Minute, Stall: time.Minute, Idle: 2 * time.Minute,
}

// DefaultLimits are the usual ones.
var DefaultLimits = Limits{Body: 32 << 20, Blob: 1 << 28, Memory: 16 << 30, Patience: DefaultPatience}

// LocalTenant is who everyone is where no API keys are wanted.
const LocalTenant = "local"

// server has the handlers.
type server struct {
	Config
	api     huma.API
	metrics *metrics
	// bodies are the request bodies that are held in memory, uploads those that are stored
	// while they come, which may take longer.
	bodies, uploads *places
	stored          stores
}

// maxBodies is how many bodies are held at a time, and how many uploads come, maxOwn how many
// of one tenant; requests beyond wait for their turn.
const (
	maxBodies = 16
	maxOwn    = 4
)

// places bound how many requests are served at a time. Each tenant has few of them, so that
// one that sends slowly doesn't hold up the others.
type places struct {
	all     chan struct{}
	tenants sync.Map // of a chan struct{} for each
}

func newPlaces() *places { return &places{all: make(chan struct{}, maxBodies)} }

// take waits for a place of a tenant's, until ctx ends.
func (p *places) take(ctx context.Context, tenant string) (leave func(), ok bool) {
	own, _ := p.tenants.LoadOrStore(tenant, make(chan struct{}, maxOwn))
	mine := own.(chan struct{})
	select {
	case mine <- struct{}{}:
	case <-ctx.Done():
		return nil, false
	}
	select {
	case p.all <- struct{}{}:
		return func() { <-p.all; <-mine }, true
	case <-ctx.Done():
		<-mine
		return nil, false
	}
}

// metadata keys of operations.
const (
	scopeKey  = "scope"
	uploadKey = "upload" // its body is stored while it comes
)

// New returns the handler of all requests.
func New(c Config) http.Handler {
	mux, _ := build(c)
	return mux
}

// build registers all operations.
func build(c Config) (http.Handler, huma.API) {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("zkml prover service", "1")
	config.CreateHooks = nil // no links to schemas in answers
	config.DocsPath, config.SchemasPath = "", ""
	config.RejectUnknownQueryParameters = true
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"key": {Type: "http", Scheme: "bearer"}}
	s := &server{Config: c, api: humago.New(mux, config), bodies: newPlaces(), uploads: newPlaces()}
	s.metrics = newMetrics(s)
	s.api.UseMiddleware(s.metrics.time, s.authenticate, s.trace, s.wholeBodies, s.queueUp)
	s.blobOperations()
	s.modelOperations()
	s.proofOperations()
	s.jobOperations()
	s.queueOperations()
	s.webhookOperations()
	s.workerOperations()
	s.keyOperations()
	s.solidityOperations()
	s.healthOperations()
	completeErrors(s.api.OpenAPI())
	mux.Handle("GET /metrics", s.metrics.handler())
	return mux, s.api
}

// operation describes one.
func (s *server) operation(scope access.Scope, id, method, path, summary string) huma.Operation {
	o := huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary,
		Metadata: map[string]any{scopeKey: scope}, BodyReadTimeout: s.Limits.Patience.Body,
	}
	if scope != "" {
		o.Security = []map[string][]string{{"key": {}}}
		o.Errors = []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusInternalServerError}
	}
	return o
}

// tenantKey is where a request's tenant is in its context.
type tenantKey struct{}

// tenantOf returns who makes a request.
func tenantOf(ctx context.Context) string {
	tenant, _ := ctx.Value(tenantKey{}).(string)
	return tenant
}

// authenticate finds out who makes a request, and whether they may.
func (s *server) authenticate(ctx huma.Context, next func(huma.Context)) {
	scope, _ := ctx.Operation().Metadata[scopeKey].(access.Scope)
	if scope == "" {
		next(ctx)
		return
	}
	if s.Keys == nil {
		if !local(ctx) {
			huma.WriteErr(s.api, ctx, http.StatusForbidden, "without api keys only local programs are served")
			return
		}
		next(huma.WithValue(ctx, tenantKey{}, LocalTenant))
		return
	}
	token, ok := strings.CutPrefix(ctx.Header("Authorization"), "Bearer ")
	if !ok {
		ctx.SetHeader("WWW-Authenticate", "Bearer")
		huma.WriteErr(s.api, ctx, http.StatusUnauthorized, "an api key is needed: Authorization: Bearer zkml_…")
		return
	}
	k, err := s.Keys.Check(ctx.Context(), token)
	switch {
	case errors.Is(err, access.ErrDenied):
		ctx.SetHeader("WWW-Authenticate", "Bearer")
		huma.WriteErr(s.api, ctx, http.StatusUnauthorized, err.Error())
	case ctx.Context().Err() != nil:
		huma.WriteErr(s.api, ctx, http.StatusBadRequest, "the client has gone")
	case err != nil:
		s.Log.Error("read an api key", "error", err.Error())
		huma.WriteErr(s.api, ctx, http.StatusServiceUnavailable, "the service can't check api keys now")
	case !k.Allows(scope):
		huma.WriteErr(s.api, ctx, http.StatusForbidden, "the api key hasn't the scope "+string(scope))
	default:
		next(huma.WithValue(ctx, tenantKey{}, k.Tenant))
	}
}

// queueUp bounds the memory that bodies and uploads take together.
func (s *server) queueUp(ctx huma.Context, next func(huma.Context)) {
	from := s.bodies
	switch o := ctx.Operation(); {
	case o.Metadata[uploadKey] != nil:
		from = s.uploads
	case o.MaxBodyBytes <= 1<<20:
		next(ctx)
		return
	}
	if leave, ok := from.take(ctx.Context(), tenantOf(ctx.Context())); ok {
		defer leave()
		if ctx.Operation().Metadata[uploadKey] != nil {
			ctx.SetReadDeadline(time.Now().Add(s.Limits.Patience.Upload))
		}
		next(ctx)
	}
}

// local reports whether a request is from a program of this machine, and not from a web page
// that a browser shows here: of those, the host or the origin is another one.
func local(ctx huma.Context) bool {
	host := ctx.Host()
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	ip := net.ParseIP(host)
	return (host == "localhost" || ip != nil && ip.IsLoopback()) && ctx.Header("Origin") == ""
}

// internal hides an error of ours from the client and logs it.
func (s *server) internal(what string, err error) error {
	s.Log.Error(what, "error", err.Error())
	return huma.Error500InternalServerError("the service met a fault: " + what)
}

// full tells the client to come again.
func full() error {
	return huma.ErrorWithHeaders(huma.Error429TooManyRequests("the queue is full: try again later"), http.Header{"Retry-After": {"5"}})
}

// healthOperations register what a load balancer asks.
func (s *server) healthOperations() {
	type status struct {
		Body struct {
			Status string `json:"status"`
		}
	}
	ok := func() *status {
		var answer status
		answer.Body.Status = "ok"
		return &answer
	}
	huma.Register(s.api, s.operation("", "health", http.MethodGet, "/healthz", "Whether the program runs"),
		func(context.Context, *struct{}) (*status, error) { return ok(), nil })
	ready := s.operation("", "ready", http.MethodGet, "/readyz", "Whether jobs are accepted")
	ready.Errors = []int{http.StatusServiceUnavailable}
	huma.Register(s.api, ready, func(ctx context.Context, _ *struct{}) (*status, error) {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		if _, err := s.Queue.JetStream().AccountInfo(ctx); err != nil {
			return nil, huma.Error503ServiceUnavailable("the queue doesn't answer")
		}
		return ok(), nil
	})
}
