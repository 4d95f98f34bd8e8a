package load

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Latency are the percentiles of a number of requests, in milliseconds, from the request to
// the last byte of the answer.
type Latency struct {
	Requests int     `json:"requests"`
	P50      float64 `json:"p50_ms"`
	P90      float64 `json:"p90_ms"`
	P99      float64 `json:"p99_ms"`
	Max      float64 `json:"max_ms"`
}

// latencyOf sums times up.
func latencyOf(times []time.Duration) Latency {
	l := Latency{Requests: len(times)}
	if len(times) == 0 {
		return l
	}
	slices.Sort(times)
	at := func(percent int) float64 {
		// The smallest time that so many percent aren't above.
		i := (len(times)*percent + 99) / 100
		return float64(times[max(i, 1)-1]) / float64(time.Millisecond)
	}
	l.P50, l.P90, l.P99, l.Max = at(50), at(90), at(99), at(100)
	return l
}

// worse takes the larger of each percentile, for the requests of both.
func (l Latency) worse(o Latency) Latency {
	return Latency{l.Requests + o.Requests, max(l.P50, o.P50), max(l.P90, o.P90), max(l.P99, o.P99), max(l.Max, o.Max)}
}

// meter is a transport that measures the requests that go through it.
type meter struct {
	http.RoundTripper
	mu         sync.Mutex
	times      map[string][]time.Duration // by operation
	answers    map[string]int
	unanswered int
	paused     bool
}

func newMeter(connections int) *meter {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 3*connections, 3*connections
	return &meter{RoundTripper: t, times: map[string][]time.Duration{}, answers: map[string]int{}}
}

// RoundTrip implements http.RoundTripper.
func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	begin := time.Now()
	answer, err := m.RoundTripper.RoundTrip(r)
	if err != nil {
		m.mu.Lock()
		m.unanswered++
		m.mu.Unlock()
		return nil, err
	}
	m.mu.Lock()
	m.answers[fmt.Sprint(answer.StatusCode)]++
	m.mu.Unlock()
	if answer.Header.Get("Content-Type") != "text/event-stream" {
		answer.Body = &metered{answer.Body, func() { m.add(operation(r), time.Since(begin)) }, sync.Once{}}
	}
	return answer, nil
}

// metered tells when a body has ended.
type metered struct {
	io.ReadCloser
	ended func()
	once  sync.Once
}

// Read implements io.Reader.
func (b *metered) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.once.Do(b.ended)
	}
	return n, err
}

// Close implements io.Closer.
func (b *metered) Close() error {
	b.once.Do(b.ended)
	return b.ReadCloser.Close()
}

// add takes a time in, unless the meter is paused.
func (m *meter) add(operation string, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.paused {
		m.times[operation] = append(m.times[operation], took)
	}
}

// pause says whether times count.
func (m *meter) pause(paused bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.paused = paused
}

// report puts the figures into a report.
func (m *meter) report(r *Report) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []time.Duration
	r.Operation = map[string]Latency{}
	for operation, times := range m.times {
		all = append(all, times...)
		r.Operation[operation] = latencyOf(times)
	}
	r.Latency, r.Unanswered, r.Answers = latencyOf(all), m.unanswered, m.answers
}

// operation names a request without what differs between jobs.
func operation(r *http.Request) string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) > 2 {
		parts[2] = "*"
	}
	return r.Method + " /" + strings.Join(parts, "/")
}
