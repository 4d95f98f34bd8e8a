package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestTracing sends a span to a collector that the environment names.
func TestTracing(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")
	if tracer, flush, err := tracing(t.Context()); tracer != nil || err != nil {
		t.Fatalf("without a collector: %v, %v", tracer, err)
	} else {
		flush()
	}
	received := make(chan []byte, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/v1/traces" {
			received <- body
		}
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	tracer, flush, err := tracing(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracer.Start(t.Context(), "a span of the test")
	span.End()
	flush()
	select {
	case body := <-received:
		if !bytes.Contains(body, []byte("a span of the test")) || !bytes.Contains(body, []byte("zkml")) {
			t.Errorf("the collector received %q", body)
		}
	default:
		t.Error("the collector received nothing")
	}
}
