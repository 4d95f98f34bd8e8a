// Package queue hands jobs to workers, each until it ends, over NATS JetStream.
//
// The records of package job lie in a key-value bucket, which is the store with
// compare-and-swap that they need. A stream with work-queue retention has one message for
// each job that isn't final: its subject names the job, its body is empty. It is sent before
// the record is made, because it is the one that finds no place in a full queue; a message
// whose record doesn't come is dropped after a while. None can be lost: the stream is written
// synchronously, and [Queue.Sweep] sends another for a job that has none.
//
// A message that a worker took is delivered again, to any worker, unless a heartbeat comes
// within Options.Takeover; so a job whose worker died is claimed by another one within that
// time and a second. Delivery decides nothing: see package job.
//
// Each tenant has a consumer for each priority. Workers ask them in turn, so that a tenant
// with a thousand jobs doesn't keep one with a single job waiting, and every few turns they
// begin with a lower priority.
package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/job"
)

// Names on the NATS side.
const (
	streamName   = "ZKML_JOBS"
	recordBucket = "zkml_jobs"
	subjectRoot  = "zkml.job"
	wakeSubject  = "zkml.wake"
)

// Options say how a queue behaves. All programs on one NATS must agree on them.
type Options struct {
	// MaxJobs is how many jobs that haven't ended there may be, MaxPerTenant of one tenant.
	MaxJobs, MaxPerTenant int
	// Takeover is how long a worker may be silent before its job goes to another one.
	Takeover time.Duration
	Policy   job.Policy
	// Replicas is on how many servers of a cluster everything lies; 0 is as it is, and one
	// where there is nothing yet.
	Replicas int
	// Now is the program's clock. It is corrected by that of NATS: see Queue.Now.
	Now func() time.Time
}

// DefaultOptions are the usual ones.
func DefaultOptions() Options {
	return Options{MaxJobs: 10000, MaxPerTenant: 1000, Takeover: 30 * time.Second, Policy: job.DefaultPolicy, Now: time.Now}
}

// Errors that a caller acts on.
var (
	// ErrFull: there are too many jobs, of all or of this tenant; try again later.
	ErrFull = errors.New("the queue is full")
	// ErrMissing: the tenant has no such job.
	ErrMissing = errors.New("no such job")
	// ErrExists: the tenant has a job of this id.
	ErrExists = errors.New("there is a job of this id")
)

// Queue is a connection to the jobs.
type Queue struct {
	nc      *nats.Conn
	js      jetstream.JetStream
	stream  jetstream.Stream
	records jetstream.KeyValue
	index   *index
	o       Options
	// offset is what to add to the clock to have that of NATS, seen what the last sweep knew
	// of the records.
	offset, measured atomic.Int64
	seen             atomic.Uint64
	// opened is when lanes were opened, by lane.
	opened sync.Map
}

// Open connects to the jobs on a NATS with JetStream, and makes what isn't there yet. The
// queue works until ctx ends.
func Open(ctx context.Context, nc *nats.Conn, o Options) (*Queue, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	if o.Replicas, err = settleReplicas(ctx, nc, js, o.Replicas); err != nil {
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	q := &Queue{nc: nc, js: js, o: o}
	if q.records, err = Bucket(ctx, js, recordBucket, o.Replicas); err != nil {
		return nil, err
	}
	q.stream, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: streamName, Subjects: []string{subjectRoot + ".*.*.*"},
		Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew, DiscardNewPerSubject: true,
		MaxMsgsPerSubject: 1, MaxMsgs: int64(o.MaxJobs), Replicas: o.Replicas,
	})
	if err != nil {
		return nil, fmt.Errorf("open the queue: stream: %w", tooFew(err))
	}
	if _, err = q.measure(ctx); err != nil {
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	if q.index, err = newIndex(ctx, q.records); err != nil {
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	go q.reread(ctx)
	return q, nil
}

// Ephemeral says what of a bucket needn't last.
type Ephemeral struct {
	// TTL is how long an entry is kept; 0 is for ever.
	TTL time.Duration
	// Memory keeps entries in memory alone.
	Memory bool
}

// reread begins the index's watch anew when the connection was lost, until ctx ends: a server
// that was started again has forgotten it.
func (q *Queue) reread(ctx context.Context) {
	connected := q.nc.StatusChanged(nats.CONNECTED)
	defer q.nc.RemoveStatusListener(connected)
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-connected:
			if !ok {
				return
			}
			q.index.again()
		}
	}
}

// Bucket opens or makes a key-value bucket whose reads are never older than its writes:
// direct reads, which any replica may answer, are switched off. That holds for one replica
// too: there may be more tomorrow, and a program that had begun before would read on directly,
// from nobody.
func Bucket(ctx context.Context, js jetstream.JetStream, name string, replicas int) (jetstream.KeyValue, error) {
	return BucketFor(ctx, js, name, replicas, Ephemeral{})
}

// BucketFor is Bucket for what needn't last.
func BucketFor(ctx context.Context, js jetstream.JetStream, name string, replicas int, e Ephemeral) (jetstream.KeyValue, error) {
	storage := jetstream.FileStorage
	if e.Memory {
		storage = jetstream.MemoryStorage
	}
	if _, err := js.KeyValue(ctx, name); errors.Is(err, jetstream.ErrBucketNotFound) {
		_, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: name, History: 1, Replicas: replicas, TTL: e.TTL, Storage: storage})
		if err != nil && !errors.Is(err, jetstream.ErrBucketExists) {
			return nil, fmt.Errorf("bucket %s: %w", name, tooFew(err))
		}
	}
	stream, err := js.Stream(ctx, "KV_"+name)
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", name, tooFew(err))
	}
	if config := stream.CachedInfo().Config; config.AllowDirect || config.Replicas != replicas || config.MaxAge != e.TTL {
		config.AllowDirect, config.Replicas, config.MaxAge = false, replicas, e.TTL
		config.Duplicates = 0 // at most the age; the server chooses
		if _, err := js.UpdateStream(ctx, config); err != nil {
			return nil, fmt.Errorf("bucket %s: %w", name, tooFew(err))
		}
	}
	return js.KeyValue(ctx, name)
}

// JetStream returns the connection, for what else lies there.
func (q *Queue) JetStream() jetstream.JetStream { return q.js }

// Options returns how the queue behaves.
func (q *Queue) Options() Options { return q.o }

// key is where a record lies.
func key(tenant, id string) string { return tenant + "." + id }

// lane is a priority of a tenant.
type lane struct {
	priority job.Priority
	tenant   string
}

func (l lane) String() string  { return string(l.priority) + "." + l.tenant }
func (l lane) subject() string { return subjectRoot + "." + l.String() + ".*" }
func (l lane) durable() string { return string(l.priority) + "_" + l.tenant }

func laneOf(r *job.Record) lane { return lane{r.Priority, r.Tenant} }

// subject names a job's message.
func subject(r *job.Record) string { return subjectRoot + "." + laneOf(r).String() + "." + r.ID }

// Submit accepts a job: once it returns, the job will end. The record must be queued. If
// there is one of its id already, that one is returned, with ErrExists. ErrFull means that
// nothing was accepted; any other error that the job may have been, and what it refers to
// has to stay.
func (q *Queue) Submit(ctx context.Context, r job.Record) (job.Record, error) {
	if !job.ValidTenant(r.Tenant) || !job.ValidID(r.ID) {
		return r, fmt.Errorf("submit: %q of %q can't be a job", r.ID, r.Tenant)
	}
	r.State = job.Queued
	data, err := json.Marshal(r)
	if err != nil {
		return r, fmt.Errorf("submit: %w", err)
	}
	err = ErrFull
	if q.index.open(r.Tenant) < q.o.MaxPerTenant {
		if err = q.openLane(ctx, laneOf(&r)); err != nil {
			return r, fmt.Errorf("submit: %w", err)
		}
		// The message first: it says whether there is a place. A record that others may have
		// been told of is never taken back, and one whose message is lost gets another.
		err = q.announce(ctx, &r)
	}
	if errors.Is(err, ErrFull) {
		if had, _, err := q.load(ctx, r.Tenant, r.ID); err == nil {
			return had, ErrExists
		}
	}
	if err != nil {
		return r, err
	}
	if _, err := q.records.Create(ctx, key(r.Tenant, r.ID), data); errors.Is(err, jetstream.ErrKeyExists) {
		had, _, err := q.load(ctx, r.Tenant, r.ID)
		if err != nil {
			return r, fmt.Errorf("submit: %w", err)
		}
		return had, ErrExists
	} else if err != nil {
		return r, fmt.Errorf("submit: %w", err)
	}
	q.wake(&r)
	return r, nil
}

// announce sends a job's message, unless there is one.
func (q *Queue) announce(ctx context.Context, r *job.Record) error {
	_, err := q.js.Publish(ctx, subject(r), nil)
	if err == nil {
		return nil
	}
	if had, _ := q.announced(ctx, r); had {
		return nil
	}
	var api *jetstream.APIError
	if errors.As(err, &api) && api.ErrorCode == errCodeStoreFailed && strings.HasPrefix(api.Description, "maximum messages exceeded") {
		return ErrFull
	}
	return fmt.Errorf("submit: %w", err)
}

// wake tells workers that are waiting of a job.
func (q *Queue) wake(r *job.Record) { q.nc.Publish(wakeSubject, []byte(laneOf(r).String())) }

// errCodeStoreFailed is what JetStream answers when a limit of the stream is reached, or its
// disk is full.
const errCodeStoreFailed = 10077

// announced reports whether a job has a message.
func (q *Queue) announced(ctx context.Context, r *job.Record) (bool, error) {
	_, err := q.stream.GetLastMsgForSubject(ctx, subject(r))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	return err == nil, err
}

// openFor is how long a lane is taken to be open after it was opened: JetStream writes to the
// disk each time.
const openFor = 30 * time.Second

// openLane makes a lane's consumer, unless it was there a moment ago.
func (q *Queue) openLane(ctx context.Context, l lane) error {
	if opened, ok := q.opened.Load(l); ok && time.Since(opened.(time.Time)) < openFor {
		return nil
	}
	_, err := q.stream.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: l.durable(), FilterSubject: l.subject(), AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: q.o.Takeover, MaxDeliver: -1, MaxAckPending: q.o.MaxJobs,
	})
	if err == nil {
		q.opened.Store(l, time.Now())
	}
	return err
}

// Get returns a job of a tenant, or ErrMissing.
func (q *Queue) Get(ctx context.Context, tenant, id string) (job.Record, error) {
	r, _, err := q.load(ctx, tenant, id)
	return r, err
}

// load returns a record and its revision.
func (q *Queue) load(ctx context.Context, tenant, id string) (r job.Record, revision uint64, err error) {
	if !job.ValidTenant(tenant) || !job.ValidID(id) {
		return r, 0, ErrMissing
	}
	entry, err := q.records.Get(ctx, key(tenant, id))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return r, 0, ErrMissing
	}
	if err != nil {
		return r, 0, fmt.Errorf("read a job: %w", err)
	}
	if err := json.Unmarshal(entry.Value(), &r); err != nil {
		return r, 0, fmt.Errorf("read a job: %w", err)
	}
	return r, entry.Revision(), nil
}

// change replaces a record by what do makes of it, as often as others are faster. An error
// of do ends it, with the record that do was given.
func (q *Queue) change(ctx context.Context, tenant, id string, do func(job.Record) (job.Record, error)) (job.Record, error) {
	for {
		r, revision, err := q.load(ctx, tenant, id)
		if err != nil {
			return r, err
		}
		next, err := do(r)
		if err != nil {
			return r, err
		}
		data, err := json.Marshal(next)
		if err != nil {
			return r, fmt.Errorf("write a job: %w", err)
		}
		_, err = q.records.Update(ctx, key(tenant, id), data, revision)
		if err == nil {
			return next, nil
		}
		if !errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
			return r, fmt.Errorf("write a job: %w", err)
		}
		// A cluster answers so as well while another change is on its way.
		select {
		case <-time.After(rand.N(10 * time.Millisecond)):
		case <-ctx.Done():
			return r, ctx.Err()
		}
	}
}

// Cancel ends a job, and reaches its worker. The error is job.ErrFinal if it has ended.
func (q *Queue) Cancel(ctx context.Context, tenant, id string) (job.Record, error) {
	r, err := q.change(ctx, tenant, id, func(r job.Record) (job.Record, error) { return r.Cancel(q.Now()) })
	if err == nil {
		q.forget(ctx, &r)
	}
	return r, err
}

// forget removes the message of a job that its worker hasn't any more. If that fails, a worker
// does it. The message is deleted by its number: a purge of the subject has JetStream take
// earlier messages that are with workers for acknowledged, and never deliver them again
// (nats-server issue 5727).
func (q *Queue) forget(ctx context.Context, r *job.Record) {
	if m, err := q.stream.GetLastMsgForSubject(ctx, subject(r)); err == nil {
		q.stream.DeleteMsg(ctx, m.Sequence)
	}
}
