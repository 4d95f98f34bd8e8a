package api

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/queue"
	"github.com/zkml-go/zkml/service/work"
)

// metrics are what Prometheus scrapes. They tell nothing of tenants, models and inputs.
// All but those of requests and of the process are made of the jobs' records, so that each
// server has them for all workers: take those of one server, not their sum.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec // by operation and status
	stages   *prometheus.HistogramVec // by kind and stage
	waits    *prometheus.HistogramVec // by kind and priority
	ended    *prometheus.CounterVec   // by kind, state, fault and code
}

// newMetrics registers them, and follows the jobs of the queue.
func newMetrics(s *server) *metrics {
	long := prometheus.ExponentialBuckets(0.01, 2, 18) // to 22 minutes
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "zkml_request_seconds", Help: "How long requests took, but for those that follow a job.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 14),
		}, []string{"operation", "status"}),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "zkml_stage_seconds", Help: "How long the stages of jobs took that ended since this server began.", Buckets: long,
		}, []string{"kind", "stage"}),
		waits: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "zkml_wait_seconds", Help: "How long jobs waited that ended since this server began, from submission to their last attempt.", Buckets: long,
		}, []string{"kind", "priority"}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "zkml_jobs_ended_total", Help: "Jobs that ended since this server began; for those that failed, whose fault it was and why.",
		}, []string{"kind", "state", "fault", "code"}),
	}
	m.registry.MustRegister(m.requests, m.stages, m.waits, m.ended, &depthCollector{s}, &workersCollector{s},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if s.Queue != nil {
		s.Queue.OnEnd(m.observe)
	}
	return m
}

// handler answers a scrape.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// observe takes a job in that has ended.
func (m *metrics) observe(r *job.Record) {
	var fault, code string
	if r.Failure != nil {
		fault, code = string(r.Failure.Fault), r.Failure.Code
	}
	m.ended.WithLabelValues(string(r.Kind), string(r.State), fault, code).Inc()
	if r.Started.IsZero() {
		return
	}
	m.waits.WithLabelValues(string(r.Kind), string(r.Priority)).Observe(max(0, r.Started.Sub(r.Created).Seconds()))
	for _, stage := range r.Stages {
		m.stages.WithLabelValues(string(r.Kind), stage.Name).Observe(stage.Took.Seconds())
	}
}

// time measures a request.
func (m *metrics) time(ctx huma.Context, next func(huma.Context)) {
	begin := time.Now()
	next(ctx)
	if id := ctx.Operation().OperationID; !strings.HasSuffix(id, "-events") {
		m.requests.WithLabelValues(id, strconv.Itoa(statusOf(ctx))).Observe(time.Since(begin).Seconds())
	}
}

// statusOf returns what a request was answered with.
func statusOf(ctx huma.Context) int { return cmp.Or(ctx.Status(), http.StatusOK) }

// trace reports a request as a span, within the trace that it is part of. Who has no key makes
// none: it comes after authenticate, and leaves out what anyone may ask.
func (s *server) trace(ctx huma.Context, next func(huma.Context)) {
	if scope, _ := ctx.Operation().Metadata[scopeKey].(access.Scope); s.Tracer == nil || scope == "" {
		next(ctx)
		return
	}
	within := work.WithTrace(ctx.Context(), ctx.Header("traceparent"))
	within, span := s.Tracer.Start(within, ctx.Operation().OperationID, trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	next(huma.WithContext(ctx, within))
	status := statusOf(ctx)
	span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
}

// depthCollector counts the records.
type depthCollector struct{ s *server }

var (
	jobsDesc   = prometheus.NewDesc("zkml_jobs", "Jobs whose records are kept, by state.", []string{"state"}, nil)
	oldestDesc = prometheus.NewDesc("zkml_queue_oldest_seconds", "How long the oldest waiting job has been waiting.", nil, nil)
	failedDesc = prometheus.NewDesc("zkml_jobs_failed", "Failed jobs whose records are kept, by fault and code.", []string{"fault", "code"}, nil)
)

// age returns how long the oldest waiting job has been waiting, in seconds.
func (s *server) age(depth *queue.Depth) float64 {
	if depth.Oldest.IsZero() {
		return 0
	}
	return max(0, s.Queue.Now().Sub(depth.Oldest).Seconds())
}

// stateNames are the values of the label state.
var stateNames = []job.State{job.Queued, job.Running, job.Succeeded, job.Failed, job.Cancelled, job.Expired}

// Describe implements prometheus.Collector.
func (c *depthCollector) Describe(to chan<- *prometheus.Desc) {
	to <- jobsDesc
	to <- oldestDesc
	to <- failedDesc
}

// Collect implements prometheus.Collector.
func (c *depthCollector) Collect(to chan<- prometheus.Metric) {
	depth := c.s.Queue.Depth()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, state := range stateNames {
		gauge(jobsDesc, float64(depth.States[state]), string(state))
	}
	gauge(oldestDesc, c.s.age(&depth))
	for cause, n := range depth.Failures {
		gauge(failedDesc, float64(n), string(cause.Fault), cause.Code)
	}
}

// workersCollector counts the workers and what they hold. It doesn't name them: anyone may ask.
type workersCollector struct{ s *server }

var (
	workersDesc  = prometheus.NewDesc("zkml_workers", "Workers, by whether they have a job.", []string{"state"}, nil)
	memoryDesc   = prometheus.NewDesc("zkml_workers_memory_bytes", "Memory that the jobs of all workers may use.", nil, nil)
	residentDesc = prometheus.NewDesc("zkml_workers_resident_bytes", "Resident memory of all workers.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c *workersCollector) Describe(to chan<- *prometheus.Desc) {
	to <- workersDesc
	to <- memoryDesc
	to <- residentDesc
}

// Collect implements prometheus.Collector. While the list can't be read there are no figures.
func (c *workersCollector) Collect(to chan<- prometheus.Metric) {
	workers, err := c.s.Roster.List(context.Background())
	if err != nil {
		return
	}
	var idle, busy int
	var memory, resident int64
	for _, w := range workers {
		if w.Job == nil {
			idle++
		} else {
			busy++
		}
		memory += w.Memory
		resident += w.Resident
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(workersDesc, float64(idle), "idle")
	gauge(workersDesc, float64(busy), "busy")
	gauge(memoryDesc, float64(memory))
	gauge(residentDesc, float64(resident))
}
