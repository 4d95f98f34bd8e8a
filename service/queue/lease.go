package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/job"
)

// Lease is an attempt at a job. It must be ended by one of Succeed, Fail, Retry and
// Release. Each of them, like Advance, returns job.ErrFenced or job.ErrFinal if the job
// isn't the worker's any more, and then nothing was recorded.
type Lease struct {
	q       *Queue
	record  job.Record
	message jetstream.Msg
	ctx     context.Context
	cancel  context.CancelCauseFunc
	done    chan struct{}
	stages  []job.Stage
}

// lease begins an attempt and keeps it alive.
func (q *Queue) lease(parent context.Context, r job.Record, m jetstream.Msg) *Lease {
	l := &Lease{q: q, record: r, message: m, done: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancelCause(parent)
	go l.keep()
	return l
}

// Record is the job as it was claimed.
func (l *Lease) Record() job.Record { return l.record }

// Context ends when the lease does: with the cause job.ErrFinal when the job was
// cancelled or has expired, job.ErrFenced when another worker has it.
func (l *Lease) Context() context.Context { return l.ctx }

// keep sends heartbeats while the job is the worker's, and ends the context when it
// isn't any more. A heartbeat comes after a look at the record: one of a worker that
// stalled would hold the message of its successor.
func (l *Lease) keep() {
	defer close(l.done)
	changes := l.watch()
	beat := time.NewTicker(l.q.o.Takeover / 4)
	defer beat.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case r, ok := <-changes:
			if !ok {
				changes = nil // the heartbeat looks too
			} else if err := l.lost(r); err != nil {
				l.cancel(err)
			}
		case <-beat.C:
			r, err := l.q.Get(l.ctx, l.record.Tenant, l.record.ID)
			if errors.Is(err, ErrMissing) {
				l.cancel(job.ErrFenced)
			} else if err != nil {
				continue // no connection: whether the job is lost shows when it is back
			} else if err := l.lost(r); err != nil {
				l.cancel(err)
			} else {
				l.message.InProgress()
				if changes == nil {
					changes = l.watch()
				}
			}
		}
	}
}

// watch follows the record, or returns nil if it can't.
func (l *Lease) watch() <-chan job.Record {
	changes, err := l.q.Watch(l.ctx, l.record.Tenant, l.record.ID)
	if err != nil {
		return nil
	}
	return changes
}

// lost says why the job isn't the worker's any more.
func (l *Lease) lost(r job.Record) error {
	if r.Attempt < l.record.Attempt {
		return nil // a look that is older than the claim
	}
	_, err := r.Advance(l.record.Attempt, "", nil)
	return err
}

// Advance tells the stage, and those that have ended.
func (l *Lease) Advance(stage string, done []job.Stage) error {
	_, err := l.q.change(l.ctx, l.record.Tenant, l.record.ID, func(r job.Record) (job.Record, error) {
		return r.Advance(l.record.Attempt, stage, done)
	})
	return err
}

// Done is told before the lease is ended which stages there were. They get into the record
// with its end.
func (l *Lease) Done(stages []job.Stage) { l.stages = stages }

// Succeed records the result, for a build with the digest of its model.
func (l *Lease) Succeed(ctx context.Context, model string, result json.RawMessage) error {
	now := l.q.Now() // once: a repeated try makes the same record
	_, err := l.end(ctx, func(r job.Record) (job.Record, error) {
		return r.Succeed(l.record.Attempt, model, result, now)
	})
	return err
}

// Fail records a failure for good.
func (l *Lease) Fail(ctx context.Context, f job.Failure) error {
	now := l.q.Now()
	_, err := l.end(ctx, func(r job.Record) (job.Record, error) {
		return r.Fail(l.record.Attempt, f, now)
	})
	return err
}

// Retry gives the job back after a fault of the infrastructure, to be tried after a while,
// or parks it. It returns the state that the job is in then.
func (l *Lease) Retry(ctx context.Context, f job.Failure) (job.State, error) {
	now := l.q.Now()
	return l.end(ctx, func(r job.Record) (job.Record, error) {
		return r.Retry(l.record.Attempt, f, now, l.q.o.Policy)
	})
}

// Release gives the job back at once, through no fault.
func (l *Lease) Release(ctx context.Context) error {
	_, err := l.end(ctx, func(r job.Record) (job.Record, error) { return r.Release(l.record.Attempt) })
	return err
}

// Abandon leaves the job as it is, as a worker that dies does: it is taken over.
func (l *Lease) Abandon() {
	l.cancel(context.Canceled)
	<-l.done
}

// tryTime is how long an answer is waited for before the question is repeated: it is lost if
// the server was started again meanwhile.
const tryTime = 5 * time.Second

// end makes the last change. While NATS can't be reached it tries again until ctx ends.
// Whether a change whose answer was lost was made is seen in the record.
func (l *Lease) end(ctx context.Context, do func(job.Record) (job.Record, error)) (job.State, error) {
	defer l.Abandon()
	var mine []byte
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		try, cancel := context.WithTimeout(ctx, tryTime)
		r, err := l.q.change(try, l.record.Tenant, l.record.ID, func(r job.Record) (job.Record, error) {
			next, err := do(r)
			if err == nil {
				next.Stages = l.stages
				mine, err = json.Marshal(next)
			}
			return next, err
		})
		cancel()
		if errors.Is(err, job.ErrFinal) || errors.Is(err, job.ErrFenced) {
			if there, _ := json.Marshal(r); !bytes.Equal(there, mine) {
				return r.State, err
			}
			err = nil // an earlier try of this loop
		}
		if err == nil {
			l.settle(ctx, &r)
			return r.State, nil
		}
		if errors.Is(err, ErrMissing) {
			return "", job.ErrFenced
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(wait):
		}
	}
}

// settle removes the message of a job that has ended, or sends it out again. If that is
// lost, the message comes back by itself and finds the record.
func (l *Lease) settle(ctx context.Context, r *job.Record) {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	switch {
	case r.State.Final():
		l.message.DoubleAck(ctx)
	case r.Failure != nil:
		l.message.NakWithDelay(l.q.o.Policy.Delay(r.Faults))
	default:
		l.message.Nak()
	}
}
