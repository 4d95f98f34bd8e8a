package work

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/queue"
	"github.com/zkml-go/zkml/service/seal"
)

// Config is what a worker works with.
type Config struct {
	// Name tells workers apart.
	Name     string
	Queue    *queue.Queue
	Models   *Models
	Blobs    blob.Bucket
	Operator seal.Key
	SRS      *srs.Cache
	// Prover says what proofs are made on.
	Prover zkml.ProverOptions
	// Device is what proofs are made on, in words; Roster the list that the worker is in.
	Device string
	Roster *Roster
	// Running, if set, is how many jobs of a tenant may be at work; 0 is any number.
	Running func(ctx context.Context, tenant string) int
	// Largest, if set, returns what a tenant's models may have and need; 0 is any number.
	Largest func(ctx context.Context, tenant string) (rows int, memory int64, err error)
	// AllowDevelopment lets keys be made with the development string.
	AllowDevelopment bool
	// Memory is what jobs may use, in bytes; a half of it is for models that stay.
	Memory int64
	// Grace is how long a job may go on after the worker was told to end.
	Grace time.Duration
	Log   *slog.Logger
	// Tracer, if set, is told of attempts and their stages.
	Tracer trace.Tracer
}

// maxInput bounds what is read of a blob, in bytes.
const maxInput = inputfile.MaxFileSize

// Worker does jobs, one at a time: a proof uses all cores.
type Worker struct {
	Config
	hot   *hot
	badge *badge
}

// New returns a worker.
func New(c Config) *Worker {
	w := &Worker{Config: c, hot: newHot(c.Memory / 2)}
	w.badge = newBadge(&w.Config, w.hot)
	return w
}

// Run does jobs until ctx ends; the one at work then may still end within the grace, and
// else is given back.
func (w *Worker) Run(ctx context.Context) error {
	defer w.hot.close()
	taker, err := w.Queue.Taker(w.Name)
	if err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	defer taker.Close()
	taker.Prefer, taker.Running = w.badge.prefer, w.Running
	defer w.attend(ctx)()
	hard, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(w.Grace, func() { end(errDrain) })
	})
	defer stop()
	for {
		lease, err := taker.Take(ctx, hard, w.Memory)
		if lease != nil {
			r := lease.Record()
			w.badge.begin(&r)
			w.do(hard, lease)
			w.badge.end()
			continue
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("worker: %w", err)
		}
	}
}

// attend tells the others of this worker and learns of them, until what it returns is called.
func (w *Worker) attend(ctx context.Context) (leave func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var both sync.WaitGroup
	both.Go(func() { w.badge.tell(ctx) })
	both.Go(func() { w.badge.listen(ctx) })
	return func() { cancel(); both.Wait() }
}

// errDrain is the cause of ending a job because the worker ends.
var errDrain = errors.New("the worker shuts down")

// settleTime bounds how long a worker tries to record what came of a job.
const settleTime = 2 * time.Minute

// do does one job and records what came of it. Nothing that was in the request is logged.
func (w *Worker) do(hard context.Context, l *queue.Lease) {
	r := l.Record()
	log := w.Log.With("job", r.ID, "tenant", r.Tenant, "kind", string(r.Kind), "attempt", r.Attempt)
	log.Info("job started")
	begin := time.Now()
	key, locked := JobKey(w.Operator, &r)
	err := locked
	var model string
	var result any
	parts := &stages{advance: l.Advance}
	if err == nil {
		model, result, err = w.run(l, &r, key, func(stage string) {
			parts.begin(stage)
			w.badge.stage(stage)
		})
	}
	done := parts.end()
	l.Done(done)
	w.trace(&r, begin, done, err)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(hard), settleTime)
	defer cancel()
	took := slog.Duration("took", time.Since(begin))
	cause := context.Cause(l.Context())
	switch {
	case errors.Is(cause, job.ErrFinal) || errors.Is(cause, job.ErrFenced):
		l.Abandon()
		log.Info("job dropped", "why", cause.Error(), took)
		return
	case errors.Is(cause, errDrain) && err != nil:
		err = l.Release(ctx)
		log.Info("job given back", took)
	case err == nil:
		var data json.RawMessage
		if data, err = json.Marshal(result); err == nil {
			err = l.Succeed(ctx, model, data)
		}
		log.Info("job succeeded", took)
	default:
		f := classify(err)
		if locked == nil {
			f.Detail = key.Seal([]byte(err.Error()), failureName(&r))
		}
		log.Warn("job failed", "fault", string(f.Fault), "code", f.Code, "retry", f.Retry, took)
		if f.Fault == job.Infrastructure && f.Retry {
			_, err = l.Retry(ctx, f)
		} else {
			err = l.Fail(ctx, f)
		}
	}
	if err != nil {
		log.Warn("the job's end wasn't recorded", "why", err.Error())
	}
}

// panicError is a panic of the library.
type panicError struct{ stack []byte }

func (e *panicError) Error() string { return "panic\n" + string(e.stack) }

// run does one job of either kind.
func (w *Worker) run(l *queue.Lease, r *job.Record, key seal.Key, tell func(string)) (model string, result any, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{debug.Stack()}
		}
	}()
	if r.Kind == job.Build {
		model, err = w.build(l.Context(), r, key, tell)
		return model, struct{}{}, err
	}
	result, err = w.prove(l.Context(), r, key, tell)
	return r.Model, result, err
}

// prove does a proof job.
func (w *Worker) prove(ctx context.Context, r *job.Record, key seal.Key, tell func(string)) (*ProofResult, error) {
	var spec ProofSpec
	if err := json.Unmarshal(r.Spec, &spec); err != nil {
		return nil, err
	}
	word, err := zkml.ParseContext(spec.Context)
	if err != nil {
		return nil, &userError{"context", err}
	}
	tell("loading the model")
	p, err := w.hot.get(r.Tenant+"."+r.Model, func() (*prepared, error) { return w.prepare(ctx, r.Tenant, r.Model) })
	if err != nil {
		return nil, err
	}
	defer w.hot.put(p)
	tell("reading the inputs")
	data, err := w.read(ctx, r.Tenant, spec.Inputs, key)
	if err != nil {
		return nil, err
	}
	inputs, err := p.model.ParseInputs("inputs", data)
	if err != nil {
		return nil, err
	}
	secrets := &zkml.Secrets{}
	proof, err := p.prover.Prove(ctx, inputs, zkml.ProveOptions{Context: word, Clamp: spec.Clamp, Secrets: secrets, Progress: tell})
	if err != nil {
		return nil, err
	}
	tell("storing the proof")
	var result ProofResult
	var out bytes.Buffer
	if _, err := proof.WriteTo(&out); err != nil {
		return nil, err
	}
	if result.Proof, err = w.publish(ctx, r.Tenant, out.Bytes()); err != nil {
		return nil, err
	}
	if len(secrets.Salts)+len(secrets.Outputs) == 0 {
		return &result, nil
	}
	out.Reset()
	if _, err := secrets.WriteTo(&out); err != nil {
		return nil, err
	}
	result.Secrets.Private = blob.PrivateName(r.Tenant)
	return &result, blob.PutPrivate(ctx, w.Blobs, result.Secrets.Private, key, &out)
}

// read returns the bytes of a source.
func (w *Worker) read(ctx context.Context, tenant string, s Source, key seal.Key) ([]byte, error) {
	var src io.ReadCloser
	var err error
	if s.Private != "" {
		src, err = blob.OpenPrivate(ctx, w.Blobs, s.Private, key)
	} else {
		d, failed := blob.ParseDigest(s.Public)
		if failed != nil {
			return nil, failed
		}
		src, err = blob.OpenPublic(ctx, w.Blobs, tenant, d)
	}
	if err != nil {
		return nil, err
	}
	defer src.Close()
	data, err := io.ReadAll(io.LimitReader(src, maxInput+1))
	if err == nil && len(data) > maxInput {
		err = blob.ErrTooLarge
	}
	return data, err
}

// publish stores bytes as a public blob.
func (w *Worker) publish(ctx context.Context, tenant string, data []byte) (Source, error) {
	d := blob.Sum(data)
	err := blob.PutPublic(ctx, w.Blobs, tenant, d, bytes.NewReader(data), int64(len(data)))
	return Source{Public: d.String()}, err
}
