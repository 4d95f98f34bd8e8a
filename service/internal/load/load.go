// Package load puts a prover service under load and counts what came of it.
//
// [Run] is a client that trusts nothing but its own list of the jobs that it was told are
// accepted. It sends them from many clients at a time, waits for each over its events while
// it asks for its state, fetches the proofs, and at the end goes through its list again:
//
//	lost      accepted, but without an end, or succeeded without a proof
//	doubled   two ids for one idempotency key, two ends, two proofs, or a job in the service's
//	          list that nobody was told of
//	rejected  a proof that doesn't verify here, with the job's own context
//
// Each proof carries the job's number as its context, so that no proof can stand for another.
// The command loadclient runs it as a process of its own. [Library] proves the same mix
// with the library in a loop, which is what the service's throughput is measured against.
package load

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/zkml-go/zkml/service/client"
)

// Mix is a number of jobs of a model, whose folder has model.onnx, samples.json and
// input.json.
type Mix struct {
	Folder string `json:"folder"`
	Jobs   int    `json:"jobs"`
}

// ParseMix reads FOLDER:JOBS.
func ParseMix(s string) (Mix, error) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return Mix{}, fmt.Errorf("%q: want FOLDER:JOBS", s)
	}
	n, err := strconv.Atoi(s[i+1:])
	if err != nil || n < 1 || n > maxJobs {
		return Mix{}, fmt.Errorf("%q: want 1 to %d jobs", s, maxJobs)
	}
	return Mix{s[:i], n}, nil
}

// maxJobs bounds the jobs of a model in one run.
const maxJobs = 100_000

// request is what the service is asked to compile. A run's clients all name it alike.
func (m Mix) request() (client.BuildRequest, error) {
	onnx, err := os.ReadFile(filepath.Join(m.Folder, "model.onnx"))
	if err != nil {
		return client.BuildRequest{}, err
	}
	samples, err := os.ReadFile(filepath.Join(m.Folder, "samples.json"))
	return client.BuildRequest{ONNX: &client.Source{Data: onnx}, Samples: &client.Source{Data: samples}}, err
}

// input is what is proven.
func (m Mix) input() ([]byte, error) { return os.ReadFile(filepath.Join(m.Folder, "input.json")) }

// Config says what a run does.
type Config struct {
	// Server is the service's URL, Token an API key.
	Server, Token string
	Mix           []Mix
	// Clients is how many there are at a time, each with one job at a time.
	Clients int
	// Ramp is the time over which they begin one after another.
	Ramp time.Duration
	// Poll is how often a client asks for its job's state while it waits for the events.
	Poll time.Duration
	// Patience is how long a request is repeated that gets no answer, or 429, or a fault of
	// the service, before the run is given up on that job.
	Patience time.Duration
	// Name tells runs apart: jobs of one name are the same jobs.
	Name string
	// Submit ends the run once the jobs are accepted; Report.Accepted then names them.
	Submit bool
	// Check takes the jobs of an earlier run with Submit instead of submitting.
	Check []Accepted
	// Seed orders the jobs of all models.
	Seed uint64
	// Watch are processes whose memory is looked at meanwhile.
	Watch []int
}

// Accepted is a job that the service said it accepted, and what came of it.
type Accepted struct {
	Number int    `json:"number"`
	ID     string `json:"id"`
	Folder string `json:"folder"`
	Model  string `json:"model"`
	// State is the last one seen, Attempt how often it was tried, Proof the digest of its
	// proof.json.
	State   string  `json:"state"`
	Attempt uint64  `json:"attempt,omitempty"`
	Proof   string  `json:"proof,omitempty"`
	Code    string  `json:"code,omitempty"`    // why it failed
	Seconds float64 `json:"seconds,omitempty"` // from its submission to its end

	ends    map[string]bool // the different ends seen
	doubled bool
}

// Report is what came of a run.
type Report struct {
	Jobs     int `json:"jobs"`
	Verified int `json:"verified"`
	// Refused are jobs that were never accepted.
	Refused int `json:"refused"`
	// Lost, Doubled, Failed and Rejected name jobs; see the package comment. Failed ones
	// ended otherwise than with a proof.
	Lost     []string `json:"lost"`
	Doubled  []string `json:"doubled"`
	Failed   []string `json:"failed"`
	Rejected []string `json:"rejected"`
	// TakenOver is how many jobs took more than one attempt.
	TakenOver int `json:"taken_over"`
	// Seconds is the time from the first submission to the last end.
	Seconds    float64 `json:"seconds"`
	Throughput float64 `json:"proofs_per_second"`
	// Latency is that of all answers but streams of events, and by operation; of requests
	// that were answered at all.
	Latency   Latency            `json:"latency"`
	Operation map[string]Latency `json:"operations"`
	// Unanswered counts requests that met no server or a broken connection, or were repeated
	// because of the answer: 429 and 5xx, which are in Answers by status.
	Unanswered int            `json:"unanswered"`
	Answers    map[string]int `json:"answers"`
	// Memory is that of the processes of Config.Watch.
	Memory   []Memory   `json:"memory,omitempty"`
	Accepted []Accepted `json:"accepted"`
}

// Add adds another run to a report: all but Memory and Accepted. Of latencies, which can't be
// added, the larger ones stay.
func (r *Report) Add(o *Report) {
	r.Jobs += o.Jobs
	r.Verified += o.Verified
	r.Refused += o.Refused
	r.Lost = append(r.Lost, o.Lost...)
	r.Doubled = append(r.Doubled, o.Doubled...)
	r.Failed = append(r.Failed, o.Failed...)
	r.Rejected = append(r.Rejected, o.Rejected...)
	r.TakenOver += o.TakenOver
	r.Seconds += o.Seconds
	r.Throughput = float64(r.Jobs) / max(r.Seconds, 1e-9)
	r.Unanswered += o.Unanswered
	if r.Operation == nil {
		r.Operation, r.Answers = map[string]Latency{}, map[string]int{}
	}
	r.Latency = r.Latency.worse(o.Latency)
	for operation, l := range o.Operation {
		r.Operation[operation] = r.Operation[operation].worse(l)
	}
	for status, n := range o.Answers {
		r.Answers[status] += n
	}
}

// Err returns an error unless every job has one proof that verifies.
func (r *Report) Err() error {
	if r.Refused+len(r.Lost)+len(r.Doubled)+len(r.Failed)+len(r.Rejected) > 0 || r.Verified != r.Jobs {
		return fmt.Errorf("of %d jobs %d have a proof that verifies; refused %d, lost %d, doubled %d, failed %d, rejected %d",
			r.Jobs, r.Verified, r.Refused, len(r.Lost), len(r.Doubled), len(r.Failed), len(r.Rejected))
	}
	return nil
}

// persist repeats a request that makes no difference when it is repeated, while the service
// can't be reached or is busy.
func persist[T any](ctx context.Context, patience time.Duration, do func() (T, error)) (T, error) {
	for begin, wait := time.Now(), 100*time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		result, err := do()
		var p *client.Problem
		if err == nil || errors.As(err, &p) && p.Status != 429 && p.Status < 500 || time.Since(begin) > patience {
			return result, err
		}
		select {
		case <-ctx.Done():
			return result, ctx.Err()
		case <-time.After(wait):
		}
	}
}
