package job

import (
	"encoding/json"
	"fmt"
	"time"
)

// Policy bounds how often a job is tried.
type Policy struct {
	// MaxFaults is the number of attempts that the infrastructure may end before the job
	// is parked as failed: after that it is more likely that the job ends its workers.
	MaxFaults int
	// Backoff is the wait after the first fault; it doubles with each, up to MaxBackoff.
	Backoff, MaxBackoff time.Duration
}

// DefaultPolicy is the usual one.
var DefaultPolicy = Policy{MaxFaults: 4, Backoff: time.Second, MaxBackoff: time.Minute}

// Delay returns how long to wait after this many faults.
func (p Policy) Delay(faults int) time.Duration {
	d := p.Backoff
	for ; faults > 1 && d < p.MaxBackoff; faults-- {
		d *= 2
	}
	return min(d, p.MaxBackoff)
}

// CodeParked is the code of a job that was given up because its attempts kept being ended
// by the infrastructure.
const CodeParked = "parked"

// Claim gives the job to a worker. From running it is a takeover. The record may come
// back final instead of running: expired, or parked because its workers kept vanishing.
func (r Record) Claim(worker string, now time.Time, p Policy) (Record, error) {
	if r.State.Final() {
		return r, ErrFinal
	}
	if r.due(now) {
		return r.Expire(now)
	}
	if r.State == Running {
		if r.Faults++; r.Faults >= p.MaxFaults {
			return r.park(fmt.Sprintf("the worker of attempt %d vanished", r.Attempt), now), nil
		}
	}
	r.State, r.Worker, r.Started, r.Stage, r.Stages, r.Failure = Running, worker, now, "", nil, nil
	r.Attempt++
	return r, nil
}

// own returns an error unless the attempt holds the job.
func (r Record) own(attempt uint64) error {
	switch {
	case r.State.Final():
		return ErrFinal
	case r.State != Running || r.Attempt != attempt:
		return ErrFenced
	}
	return nil
}

// Advance tells what a running job is doing, and what it has done.
func (r Record) Advance(attempt uint64, stage string, done []Stage) (Record, error) {
	if err := r.own(attempt); err != nil {
		return r, err
	}
	r.Stage, r.Stages = stage, done
	return r, nil
}

// Succeed records the result.
func (r Record) Succeed(attempt uint64, model string, result json.RawMessage, now time.Time) (Record, error) {
	if err := r.own(attempt); err != nil {
		return r, err
	}
	r.Model, r.Result = model, result
	return r.end(Succeeded, now), nil
}

// Fail records a failure that another attempt wouldn't mend.
func (r Record) Fail(attempt uint64, f Failure, now time.Time) (Record, error) {
	if err := r.own(attempt); err != nil {
		return r, err
	}
	r.Failure = &f
	return r.end(Failed, now), nil
}

// Retry gives the job back after a fault of the infrastructure, or parks it after too
// many. The failure stays in the record until the next attempt.
func (r Record) Retry(attempt uint64, f Failure, now time.Time, p Policy) (Record, error) {
	if err := r.own(attempt); err != nil {
		return r, err
	}
	r.Failure = &f
	if r.Faults++; r.Faults >= p.MaxFaults {
		return r.park(f.Message, now), nil
	}
	r.State, r.Stage = Queued, ""
	return r, nil
}

// Release gives the job back through no fault.
func (r Record) Release(attempt uint64) (Record, error) {
	if err := r.own(attempt); err != nil {
		return r, err
	}
	r.State, r.Stage = Queued, ""
	return r, nil
}

// Cancel ends the job because its tenant wants so.
func (r Record) Cancel(now time.Time) (Record, error) {
	if r.State.Final() {
		return r, ErrFinal
	}
	return r.end(Cancelled, now), nil
}

// Expire ends the job because its deadline is past.
func (r Record) Expire(now time.Time) (Record, error) {
	switch {
	case r.State.Final():
		return r, ErrFinal
	case !r.due(now):
		return r, ErrNotDue
	}
	return r.end(Expired, now), nil
}

// due reports whether the deadline is past.
func (r Record) due(now time.Time) bool { return !r.Deadline.IsZero() && now.After(r.Deadline) }

// park gives a job up.
func (r Record) park(reason string, now time.Time) Record {
	f := Failure{Fault: Infrastructure, Code: CodeParked, Retry: true,
		Message: fmt.Sprintf("given up after %d faults; the last: %s", r.Faults, reason)}
	if r.Failure != nil {
		f.Detail = r.Failure.Detail
	}
	r.Failure = &f
	return r.end(Failed, now)
}

// end makes the record final.
func (r Record) end(s State, now time.Time) Record {
	r.State, r.Finished, r.Stage = s, now, ""
	if s != Failed {
		r.Failure = nil
	}
	return r
}
