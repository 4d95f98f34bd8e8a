package work

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/zkml-go/zkml/service/job"
)

// traceHeader is where W3C's trace context is, in HTTP and in the propagator.
const traceHeader = "traceparent"

// TraceOf returns the trace context of a request, for the record of the job that it makes;
// "" if the request isn't traced.
func TraceOf(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[traceHeader]
}

// WithTrace returns a context that continues a trace, if the header is one's.
func WithTrace(ctx context.Context, header string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceHeader: header})
}

// trace reports an attempt as a span, and its stages as spans within. It tells nothing of
// the tenant and of what was in the request.
func (w *Worker) trace(r *job.Record, begin time.Time, stages []job.Stage, err error) {
	if w.Tracer == nil {
		return
	}
	ctx, span := w.Tracer.Start(WithTrace(context.Background(), r.Trace), string(r.Kind),
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithTimestamp(begin), trace.WithAttributes(
			attribute.String("zkml.job", r.ID), attribute.Int64("zkml.attempt", int64(r.Attempt)), attribute.String("zkml.worker", w.Name)))
	at := begin
	for _, stage := range stages {
		_, part := w.Tracer.Start(ctx, stage.Name, trace.WithTimestamp(at))
		at = at.Add(stage.Took)
		part.End(trace.WithTimestamp(at))
	}
	if err != nil {
		span.SetStatus(codes.Error, classify(err).Code)
	}
	span.End()
}
