package api

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/zkml-go/zkml/service/job"
)

// metrics writes what Prometheus scrapes, in its text format. It tells nothing of tenants.
func (s *server) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	s.writeMetrics(w)
}

// stateNames are the values of the label state.
var stateNames = []job.State{job.Queued, job.Running, job.Succeeded, job.Failed, job.Cancelled, job.Expired}

func (s *server) writeMetrics(w io.Writer) {
	var b strings.Builder
	head := func(name, kind, help string) { fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind) }
	depth := s.Queue.Depth()
	head("zkml_jobs", "gauge", "Jobs whose records are kept, by state.")
	for _, state := range stateNames {
		fmt.Fprintf(&b, "zkml_jobs{state=%q} %d\n", state, depth.States[state])
	}
	age := 0.0
	if !depth.Oldest.IsZero() {
		age = max(0, s.Queue.Now().Sub(depth.Oldest).Seconds())
	}
	head("zkml_queue_oldest_seconds", "gauge", "How long the oldest waiting job has been waiting.")
	fmt.Fprintf(&b, "zkml_queue_oldest_seconds %g\n", age)
	head("zkml_jobs_failed", "gauge", "Failed jobs whose records are kept, by fault and code.")
	causes := make([]string, 0, len(depth.Failures))
	for cause, n := range depth.Failures {
		causes = append(causes, fmt.Sprintf("zkml_jobs_failed{fault=%q,code=%q} %d\n", cause.Fault, cause.Code, n))
	}
	slices.Sort(causes)
	b.WriteString(strings.Join(causes, ""))
	io.WriteString(w, b.String())
}
