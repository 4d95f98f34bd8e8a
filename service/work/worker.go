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
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/prover"
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
	// What came of a job is stored and recorded, which the disk takes time for, while the next
	// job is at work.
	var settling sync.WaitGroup
	defer settling.Wait()
	for {
		lease, err := taker.Take(ctx, hard, w.Memory)
		if lease != nil {
			r := lease.Record()
			w.badge.begin(&r)
			settle := w.do(hard, lease)
			w.badge.end()
			settling.Wait()
			settling.Go(settle)
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

// attend tells the others of this worker and learns of them, and of models that are deleted,
// until what it returns is called.
func (w *Worker) attend(ctx context.Context) (leave func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var all sync.WaitGroup
	all.Go(func() { w.badge.tell(ctx) })
	all.Go(func() { w.badge.listen(ctx) })
	all.Go(func() { w.forget(ctx) })
	return func() { cancel(); all.Wait() }
}

// forgetEvery is how often a worker looks whether its models are still there.
const forgetEvery = 5 * time.Second

// forget frees models that were deleted, or made again, until ctx ends: their weights may be
// hidden ones, and stay no longer than their owner wants.
func (w *Worker) forget(ctx context.Context) {
	tick := time.NewTicker(forgetEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		w.hot.sift(func(name, made string) bool {
			tenant, sha256, _ := strings.Cut(name, ".")
			record, err := w.Models.Get(ctx, tenant, sha256)
			return err == nil && record.made() == made || err != nil && !errors.Is(err, ErrNoModel)
		})
	}
}

// errDrain is the cause of ending a job because the worker ends.
var errDrain = errors.New("the worker shuts down")

// settleTime bounds how long a worker tries to record what came of a job.
const settleTime = 2 * time.Minute

// do does one job, and returns what records its end. Nothing that was in the request is
// logged.
func (w *Worker) do(hard context.Context, l *queue.Lease) (settle func()) {
	r := l.Record()
	log := w.Log.With("job", r.ID, "tenant", r.Tenant, "kind", string(r.Kind), "attempt", r.Attempt)
	log.Info("job started")
	a := &attempt{w: w, l: l, r: &r, log: log, begin: time.Now(), parts: &stages{advance: l.Advance}}
	if a.key, a.locked = JobKey(w.Operator, &r); a.locked != nil {
		return func() { a.settle(hard, nil, a.locked) }
	}
	var store func() (any, error)
	err := guarded(func() (err error) {
		store, err = a.run(func(stage string) {
			a.parts.begin(stage)
			w.badge.stage(stage)
		})
		return err
	})
	return func() {
		var result any
		if err == nil {
			err = guarded(func() (err error) { result, err = store(); return err })
		}
		a.settle(hard, result, err)
	}
}

// attempt is a job at work.
type attempt struct {
	w      *Worker
	l      *queue.Lease
	r      *job.Record
	log    *slog.Logger
	begin  time.Time
	parts  *stages
	key    seal.Key
	locked error  // why there is no key
	model  string // the digest of the model that was built, or proven
}

// settle records what came of a job.
func (a *attempt) settle(hard context.Context, result any, err error) {
	l, log := a.l, a.log
	done := a.parts.end()
	l.Done(done)
	a.w.trace(a.r, a.begin, done, err)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(hard), settleTime)
	defer cancel()
	took := slog.Duration("took", time.Since(a.begin))
	cause := context.Cause(l.Context())
	switch {
	case errors.Is(cause, job.ErrFinal) || errors.Is(cause, job.ErrFenced):
		l.Abandon()
		log.Info("job dropped", "why", cause.Error(), took)
		return
	case errors.Is(cause, errDrain) && err != nil:
		if err = l.Release(ctx); err == nil {
			log.Info("job given back", took)
		}
	case err == nil:
		var data json.RawMessage
		if data, err = json.Marshal(result); err == nil {
			err = l.Succeed(ctx, a.model, data)
		}
		if err == nil {
			log.Info("job succeeded", took)
		}
	default:
		f := classify(err)
		if a.locked == nil {
			f.Detail = a.key.Seal([]byte(err.Error()), failureName(a.r))
		}
		if f.Fault == job.Infrastructure {
			log = log.With("why", why(err))
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

// guarded turns a panic of do into an error.
func guarded(do func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{debug.Stack()}
		}
	}()
	return do()
}

// run does a job of either kind, and returns what stores its result.
func (a *attempt) run(tell func(string)) (store func() (any, error), err error) {
	if a.r.Kind == job.Build {
		a.model, err = a.w.build(a.l.Context(), a.r, a.key, tell)
		return func() (any, error) { return struct{}{}, nil }, err
	}
	a.model = a.r.Model
	proof, secrets, err := a.w.prove(a.l.Context(), a.r, a.key, tell)
	return func() (any, error) {
		a.parts.begin("storing the proof")
		return a.w.store(a.l.Context(), a.r, a.key, proof, secrets)
	}, err
}

// prove does a proof job.
func (w *Worker) prove(ctx context.Context, r *job.Record, key seal.Key, tell func(string)) (*prover.Proof, *zkml.Secrets, error) {
	var spec ProofSpec
	if err := json.Unmarshal(r.Spec, &spec); err != nil {
		return nil, nil, err
	}
	word, err := zkml.ParseContext(spec.Context)
	if err != nil {
		return nil, nil, &userError{"context", err}
	}
	tell("loading the model")
	record, err := w.Models.Get(ctx, r.Tenant, r.Model)
	if err != nil {
		return nil, nil, err
	}
	p, err := w.hot.get(r.Tenant+"."+r.Model, record.made(), func() (*prepared, error) { return w.prepare(ctx, record) })
	if err != nil {
		return nil, nil, err
	}
	defer w.hot.put(p)
	tell("reading the inputs")
	data, err := w.read(ctx, r.Tenant, spec.Inputs, key)
	if err != nil {
		return nil, nil, err
	}
	inputs, err := p.model.ParseInputs("inputs", data)
	if err != nil {
		return nil, nil, err
	}
	secrets := &zkml.Secrets{}
	proof, err := p.prover.Prove(ctx, inputs, zkml.ProveOptions{Context: word, Clamp: spec.Clamp, Secrets: secrets, Progress: tell})
	return proof, secrets, err
}

// store keeps a proof, and what it doesn't show.
func (w *Worker) store(ctx context.Context, r *job.Record, key seal.Key, proof *prover.Proof, secrets *zkml.Secrets) (result ProofResult, err error) {
	var out bytes.Buffer
	if _, err := proof.WriteTo(&out); err != nil {
		return result, err
	}
	if result.Proof, err = w.publish(ctx, r.Tenant, out.Bytes()); err != nil {
		return result, err
	}
	if len(secrets.Salts)+len(secrets.Outputs) == 0 {
		return result, nil
	}
	out.Reset()
	if _, err := secrets.WriteTo(&out); err != nil {
		return result, err
	}
	result.Secrets.Private = blob.PrivateName(r.Tenant)
	return result, blob.PutPrivate(ctx, w.Blobs, result.Secrets.Private, key, &out)
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
