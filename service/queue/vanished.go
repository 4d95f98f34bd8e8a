package queue

import (
	"context"
	"errors"

	"github.com/zkml-go/zkml/service/job"
)

// CodeVanished is the code of a job's failure whose worker ended.
const CodeVanished = "worker"

// Vanished takes its jobs from a worker that is known to have ended, so that they needn't wait
// until it is missed. It counts as a fault of the worker, as a takeover does. What isn't
// known here yet is taken over in its time.
func (q *Queue) Vanished(ctx context.Context, worker string) error {
	var held []job.Record
	q.index.each(func(r *job.Record) {
		if r.State == job.Running && r.Worker == worker {
			held = append(held, *r)
		}
	})
	var all error
	for i := range held {
		all = errors.Join(all, q.free(ctx, &held[i]))
	}
	return all
}

// free puts a job back that a worker held.
func (q *Queue) free(ctx context.Context, held *job.Record) error {
	failure := job.Failure{Fault: job.Infrastructure, Code: CodeVanished, Message: "the worker ended", Retry: true}
	r, err := q.change(ctx, held.Tenant, held.ID, func(r job.Record) (job.Record, error) {
		return r.Retry(held.Attempt, failure, q.Now(), q.o.Policy)
	})
	if errors.Is(err, ErrMissing) || errors.Is(err, job.ErrFinal) || errors.Is(err, job.ErrFenced) {
		return nil // others were faster
	}
	if err != nil {
		return err
	}
	// The old message is delivered to nobody while its worker might live; the new one is.
	q.forget(ctx, &r)
	if r.State.Final() {
		return nil
	}
	if err := q.announce(ctx, &r); err != nil {
		return err // a sweep sends it
	}
	q.wake(&r)
	return nil
}
