package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/job"
)

const (
	// every is how often the jobs are looked through.
	every = 500 * time.Millisecond
	// maxSends is how many messages are on their way at a time, maxOwn of one tenant: one
	// whose server is slow doesn't hold up the others.
	maxSends = 32
	maxOwn   = 4
	// patience is how long after a job's end its message is tried.
	patience = 72 * time.Hour
	// first is the wait after the first attempt; it doubles up to longest.
	first   = 5 * time.Second
	longest = time.Hour
)

// State is how far a message has come, as it is stored.
type State struct {
	// Attempts counts those that were begun.
	Attempts int `json:"attempts"`
	// Next is when another one is due, if not Done.
	Next time.Time `json:"next"`
	// Done is set when the message was taken, or given up.
	Done bool `json:"done,omitempty"`
	// Failed is set when it was given up.
	Failed bool `json:"failed,omitempty"`
	// Status is the last answer's, 0 if there was none.
	Status int `json:"status,omitempty"`
}

// Config is what a deliverer works with.
type Config struct {
	// States is a bucket whose entries outlast the jobs' records.
	States jetstream.KeyValue
	Client *Client
	// Each visits every job.
	Each func(visit func(*job.Record))
	// URL, Secrets and Message say where to send a job's message, how to sign it, and what
	// it is.
	URL     func(*job.Record) (string, error)
	Secrets func(ctx context.Context, tenant string) ([]Secret, error)
	Message func(*job.Record) ([]byte, error)
	Now     func() time.Time
	Log     *slog.Logger
}

// Deliverer sends the messages of jobs that have ended. Any number of servers may run one.
type Deliverer struct {
	Config
	sends chan struct{}
	busy  sync.WaitGroup

	mu    sync.Mutex
	known map[string]*entry
	own   map[string]int // messages on their way, by tenant
}

// entry is what this deliverer remembers of a message.
type entry struct {
	State
	revision uint64 // 0 if it isn't stored
	sending  bool
	stale    bool // another server changed it
}

// New returns a deliverer.
func New(c Config) *Deliverer {
	return &Deliverer{Config: c, sends: make(chan struct{}, maxSends), known: map[string]*entry{}, own: map[string]int{}}
}

// wait is how long after the n-th attempt another one is due.
func wait(n int) time.Duration {
	d := first
	for ; n > 1 && d < longest; n-- {
		d *= 2
	}
	return min(d, longest)
}

// Run sends messages until ctx ends, and ends those that are on their way.
func (d *Deliverer) Run(ctx context.Context) {
	defer d.busy.Wait()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		d.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// name is what a job's state is stored under. The time is in it because an idempotency key
// that is used again after the job's record has gone makes another job of the same name.
func name(r *job.Record) string { return r.Tenant + "." + messageID(r) }

// messageID tells messages apart, for whoever receives them.
func messageID(r *job.Record) string {
	return "msg_" + r.ID + "_" + strconv.FormatInt(r.Created.UnixMilli(), 10)
}

// look begins what is due.
func (d *Deliverer) look(ctx context.Context) {
	var due []job.Record
	now := d.Now()
	seen := map[string]bool{}
	d.mu.Lock()
	d.Each(func(r *job.Record) {
		if len(r.Webhook) == 0 || !r.State.Final() {
			return
		}
		key := name(r)
		seen[key] = true
		if e := d.known[key]; e == nil || !e.sending && !e.Done && !now.Before(e.Next) {
			due = append(due, *r)
		}
	})
	for key, e := range d.known {
		if !seen[key] && !e.sending {
			delete(d.known, key)
		}
	}
	d.mu.Unlock()
	for i := range due {
		if ctx.Err() != nil {
			return
		}
		if err := d.begin(ctx, &due[i]); err != nil && ctx.Err() == nil {
			d.Log.Warn("webhooks", "error", err.Error())
			return // the next look tries again
		}
	}
}

// begin claims a message, if no other server has, and sends it.
func (d *Deliverer) begin(ctx context.Context, r *job.Record) error {
	key := name(r)
	d.mu.Lock()
	e := d.known[key]
	full := d.own[r.Tenant] >= maxOwn || len(d.sends) == maxSends
	d.mu.Unlock()
	if full {
		return nil
	}
	now := d.Now()
	if e == nil || e.stale {
		var err error
		if e, err = d.load(ctx, key); err != nil {
			return err
		}
		d.mu.Lock()
		d.known[key] = e
		d.mu.Unlock()
	}
	if e.Done || now.Before(e.Next) {
		return nil
	}
	next := State{Attempts: e.Attempts + 1, Next: now.Add(max(wait(e.Attempts+1), 2*timeout)), Status: e.Status}
	revision, err := d.store(ctx, key, next, e.revision)
	if errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		d.mu.Lock()
		e.stale = true
		d.mu.Unlock()
		return nil // another server has it
	}
	if err != nil {
		return err
	}
	d.mu.Lock()
	e.State, e.revision, e.sending = next, revision, true
	d.own[r.Tenant]++
	d.mu.Unlock()
	d.sends <- struct{}{}
	d.busy.Go(func() {
		defer func() { <-d.sends }()
		d.send(ctx, r, key, e)
	})
	return nil
}

// load reads a message's state.
func (d *Deliverer) load(ctx context.Context, key string) (*entry, error) {
	e := &entry{}
	stored, err := d.States.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return e, nil
	}
	if err != nil {
		return nil, err
	}
	e.revision = stored.Revision()
	return e, json.Unmarshal(stored.Value(), &e.State)
}

// store replaces a message's state if it is the one of the revision.
func (d *Deliverer) store(ctx context.Context, key string, s State, revision uint64) (uint64, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return 0, err
	}
	if revision == 0 {
		return d.States.Create(ctx, key, data)
	}
	return d.States.Update(ctx, key, data, revision)
}

// send makes one attempt and stores what came of it. If that is lost, the message is sent again.
func (d *Deliverer) send(ctx context.Context, r *job.Record, key string, e *entry) {
	log := d.Log.With("job", r.ID, "tenant", r.Tenant, "attempt", e.Attempts)
	err := d.attempt(ctx, r)
	next := e.State
	next.Status = http.StatusOK
	var status *StatusError
	if errors.As(err, &status) {
		next.Status = status.Status
	} else if err != nil {
		next.Status = 0
	}
	switch {
	case err == nil:
		next.Done = true
		log.Info("webhook sent")
	case next.Status == http.StatusGone, errors.Is(err, ErrInternal), d.Now().Sub(r.Finished) > patience:
		next.Done, next.Failed = true, true
		log.Warn("webhook given up", "why", class(err))
	default:
		after := wait(e.Attempts)
		if status != nil {
			after = max(after, min(status.After, longest))
		}
		next.Next = d.Now().Add(after)
		log.Info("webhook failed", "why", class(err), "again", after)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	revision, failed := d.store(ctx, key, next, e.revision)
	d.mu.Lock()
	defer d.mu.Unlock()
	e.sending = false
	if d.own[r.Tenant]--; d.own[r.Tenant] == 0 {
		delete(d.own, r.Tenant)
	}
	if failed != nil {
		e.stale = true
		return
	}
	e.State, e.revision = next, revision
}

// attempt makes one.
func (d *Deliverer) attempt(ctx context.Context, r *job.Record) error {
	url, err := d.URL(r)
	if err != nil {
		return err
	}
	secrets, err := d.Secrets(ctx, r.Tenant)
	if err != nil {
		return err
	}
	body, err := d.Message(r)
	if err != nil {
		return err
	}
	return d.Client.Send(ctx, url, secrets, messageID(r), time.Now(), body)
}
