// Package job says what a job of the prover service is, and who may change it.
//
// # The record
//
// A job has one authoritative [Record], which lies in a store that replaces it only if
// its revision is still the one that was read (compare-and-swap). Beside it there is a
// message in a queue, which merely says "look at this job" and may be delivered any
// number of times, to any number of workers, late. Nothing is decided by a message, by a
// worker's clock, or by who holds what connection: only by the record.
//
// # The states
//
//	           claim                  succeed
//	queued ─────────────▶ running ───────────────▶ succeeded
//	  ▲                   │ │ ▲ └─┐ fail, park
//	  └───────────────────┘ │ └───┘───────────────▶ failed
//	    retry, release      │  claim (takeover)
//	                        │
//	queued or running ──────┴─ cancel ─▶ cancelled,  expire ─▶ expired
//
// The last four are final: a final record never changes again.
//
//	transition  who                         needs
//	claim       a worker with a message     the record isn't final; from running it is a
//	                                        takeover and counts as a fault of the worker
//	                                        that held the job
//	succeed     the worker of the attempt   running, and the attempt is the record's
//	fail        the same                    the same; for what a retry can't mend
//	retry       the same                    the same; for faults of the infrastructure;
//	                                        parks the job after Policy.MaxFaults of them
//	release     the same                    the same; a worker that shuts down
//	advance     the same                    the same; tells the stage
//	cancel      the job's tenant            not final
//	expire      any server, or a claim      not final, and the deadline is past
//
// # What fences them
//
// Each claim raises the attempt number, and whatever a worker writes later names the
// attempt that it was given. A worker that stalled, lost its connection or had its job
// taken over finds another number, or a final state, and gets [ErrFenced] or [ErrFinal]:
// its result is dropped. Between looking and writing, the store's compare-and-swap
// holds. So a job that was accepted ends in one final state with at most one result,
// however often it ran; and it does end, as long as some worker keeps being handed
// messages of jobs that aren't final.
package job

import (
	"encoding/json"
	"errors"
	"time"
)

// State is where a job stands.
type State string

// The states of a job.
const (
	Queued    State = "queued"
	Running   State = "running"
	Succeeded State = "succeeded"
	Failed    State = "failed"
	Cancelled State = "cancelled"
	Expired   State = "expired"
)

// Final reports whether a job in this state never changes again.
func (s State) Final() bool {
	return s == Succeeded || s == Failed || s == Cancelled || s == Expired
}

// Kind is what a job makes.
type Kind string

// The kinds of jobs.
const (
	Proof Kind = "proof"
	Build Kind = "build" // compiles a model and makes its keys
)

// Priority is a class of jobs. Workers look for jobs of a higher one first, but never so
// that a lower one waits forever.
type Priority string

// The priorities.
const (
	High   Priority = "high"
	Normal Priority = "normal"
	Low    Priority = "low"
)

// Priorities lists the classes, the most urgent first.
var Priorities = []Priority{High, Normal, Low}

// Fault says who can do something about a failure.
type Fault string

// The faults.
const (
	User           Fault = "user"           // the request can't be served as it is
	Infrastructure Fault = "infrastructure" // a worker, a disk, the operator's set-up
)

// Failure is why a job has no result.
type Failure struct {
	Fault Fault `json:"fault"`
	// Code is one of a small set of words that programs act on.
	Code string `json:"code"`
	// Message is for people, and has nothing in it that was in the request.
	Message string `json:"message"`
	// Retry says whether the same request may succeed later.
	Retry bool `json:"retry"`
	// Detail is the error's text, sealed with the job's key: it may quote inputs.
	Detail []byte `json:"detail,omitempty"`
}

// Stage is a part of an attempt that has ended.
type Stage struct {
	Name string        `json:"name"`
	Took time.Duration `json:"took"` // nanoseconds
}

// Record is all that is known of a job.
type Record struct {
	ID       string   `json:"id"`
	Tenant   string   `json:"tenant"`
	Kind     Kind     `json:"kind"`
	Priority Priority `json:"priority"`
	State    State    `json:"state"`
	// Attempt counts claims. It is the fence: see the package comment.
	Attempt uint64 `json:"attempt"`
	// Faults counts attempts that the infrastructure ended.
	Faults int `json:"faults"`
	// Worker had the job last.
	Worker string `json:"worker,omitempty"`
	// Stage is what a running job is doing, Stages what the last attempt has done.
	Stage    string    `json:"stage,omitempty"`
	Stages   []Stage   `json:"stages,omitempty"`
	Created  time.Time `json:"created"`
	Started  time.Time `json:"started,omitzero"` // of the last attempt
	Finished time.Time `json:"finished,omitzero"`
	// Deadline is when the job is given up; zero is never.
	Deadline time.Time `json:"deadline,omitzero"`
	// Request is the digest of the request, which tells a repeated one from another under
	// the same idempotency key.
	Request string `json:"request"`
	// Model is the digest of the model that a proof is of, or that a build made.
	Model string `json:"model,omitempty"`
	// Memory is what a worker needs for the job, in bytes.
	Memory int64 `json:"memory"`
	// Key is the job's key, wrapped by the operator's. Everything private of the job is
	// sealed with it.
	Key []byte `json:"key"`
	// Trace is the trace context of the request, if it was traced (W3C's traceparent).
	Trace string `json:"trace,omitempty"`
	// Webhook is the URL that is told of the job's end, sealed with the job's key.
	Webhook []byte `json:"webhook,omitempty"`
	// Spec is what to do, in the form that workers of the kind know.
	Spec json.RawMessage `json:"spec"`
	// Result is what came of it, likewise, if the job succeeded.
	Result  json.RawMessage `json:"result,omitempty"`
	Failure *Failure        `json:"failure,omitempty"`
}

// Errors of transitions that aren't allowed.
var (
	// ErrFinal: the job has ended.
	ErrFinal = errors.New("the job has ended")
	// ErrFenced: the attempt isn't the job's present one; someone else has it.
	ErrFenced = errors.New("the job was taken over")
	// ErrNotDue: the job's deadline isn't past.
	ErrNotDue = errors.New("the job's deadline isn't past")
)
