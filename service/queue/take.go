package queue

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/job"
)

const (
	// idle is how often a worker looks for jobs without being told that there is one, and
	// how often it looks for new lanes.
	idle = time.Second
	// unfit is how long a job waits that a worker hasn't the memory for, so that another
	// one takes it.
	unfit = 2 * time.Second
)

// Taker takes jobs for one worker. It isn't for concurrent use.
type Taker struct {
	// Prefer, if set, says what the worker thinks of a job that has waited for a moment only.
	Prefer func(*job.Record) Preference
	// Running, if set, is how many jobs of a tenant may be at work; 0 is any number.
	Running func(ctx context.Context, tenant string) int

	q      *Queue
	worker string
	wake   *nats.Subscription
	woken  chan *nats.Msg
	lanes  map[lane]jetstream.Consumer
	order  []string // of tenants, rotating
	looked time.Time
	turn   int
	aside  map[lane]time.Time // until when lanes are left to others
	// unsure is the job of the last claim without an answer, began the time in it.
	unsure string
	began  time.Time
}

// Taker returns a taker for a worker of this name, which no two have at a time.
func (q *Queue) Taker(worker string) (*Taker, error) {
	t := &Taker{q: q, worker: worker, woken: make(chan *nats.Msg, 64), lanes: map[lane]jetstream.Consumer{}, aside: map[lane]time.Time{}}
	var err error
	t.wake, err = q.nc.ChanSubscribe(wakeSubject, t.woken)
	return t, err
}

// Close ends it. Leases stay.
func (t *Taker) Close() { t.wake.Unsubscribe() }

// Take waits for a job that fits into the memory and claims it. The lease lives until the
// job is given back or parent ends; ctx bounds the waiting alone.
func (t *Taker) Take(ctx, parent context.Context, memory int64) (*Lease, error) {
	tick := time.NewTicker(idle)
	defer tick.Stop()
	for {
		l, err := t.look(ctx, parent, memory)
		if l != nil || ctx.Err() != nil {
			return l, ctx.Err()
		}
		// Whatever else the error says, it may pass: requests under way end with
		// nats.ErrConnectionClosed too when the connection is merely made again.
		if err != nil && t.q.nc.IsClosed() {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		case m := <-t.woken:
			if l, ok := parseLane(string(m.Data)); ok && t.lanes[l] == nil {
				t.looked = time.Time{}
			}
		}
	}
}

// look asks every lane once.
func (t *Taker) look(ctx, parent context.Context, memory int64) (*Lease, error) {
	if !t.q.nc.IsConnected() {
		return nil, nil // what is asked now is answered later, and jobs go to nobody
	}
	if time.Since(t.looked) > idle {
		if err := t.findLanes(ctx); err != nil {
			return nil, err
		}
	}
	t.turn++
	for _, p := range priorities(t.turn) {
		for i, tenant := range t.order {
			consumer := t.lanes[lane{p, tenant}]
			if consumer == nil {
				continue
			}
			if !t.allowed(ctx, tenant) {
				continue
			}
			m, err := t.choose(ctx, lane{p, tenant}, consumer)
			if err != nil {
				return nil, err
			}
			if m == nil {
				continue
			}
			l, err := t.claim(ctx, parent, m, memory)
			if l != nil {
				// Those that waited longer come first the next time.
				t.order = slices.Concat(t.order[i+1:], t.order[:i+1])
			}
			if l != nil || err != nil {
				return l, err
			}
		}
	}
	return nil, nil
}

// priorities returns the order of a turn: of 16, 12 begin with the highest priority, 3
// with the one in the middle and one with the lowest.
func priorities(turn int) []job.Priority {
	high, normal, low := job.High, job.Normal, job.Low
	switch {
	case turn%16 == 0:
		return []job.Priority{low, high, normal}
	case turn%4 == 0:
		return []job.Priority{normal, high, low}
	}
	return []job.Priority{high, normal, low}
}

// findLanes learns which lanes there are.
func (t *Taker) findLanes(ctx context.Context) error {
	t.q.remeasure(ctx)
	names := t.q.stream.ConsumerNames(ctx)
	found := map[lane]bool{}
	for name := range names.Name() {
		if l, ok := parseLane(strings.Replace(name, "_", ".", 1)); ok {
			found[l] = true
		}
	}
	if err := names.Err(); err != nil {
		return err
	}
	for l := range found {
		if t.lanes[l] != nil {
			continue
		}
		consumer, err := t.q.stream.Consumer(ctx, l.durable())
		if err != nil {
			return err
		}
		t.lanes[l] = consumer
		if !slices.Contains(t.order, l.tenant) {
			t.order = append(t.order, l.tenant)
		}
	}
	t.looked = time.Now()
	return nil
}

// claim turns a message into a lease. It returns nothing if the message isn't worth one.
func (t *Taker) claim(ctx, parent context.Context, m jetstream.Msg, memory int64) (*Lease, error) {
	parts := strings.Split(m.Subject(), ".")
	tenant, id := parts[len(parts)-2], parts[len(parts)-1]
	r, err := t.q.change(ctx, tenant, id, func(r job.Record) (job.Record, error) {
		if r.Memory > memory && !r.State.Final() {
			return r, errUnfit
		}
		if r.State == job.Running && id == t.unsure && r.Started.Equal(t.began) && r.Worker == t.worker {
			return r, nil // the claim whose answer was lost; nothing happened since
		}
		t.began = t.q.Now()
		return r.Claim(t.worker, t.began, t.q.o.Policy)
	})
	switch {
	case errors.Is(err, errUnfit):
		return nil, m.NakWithDelay(unfit)
	case errors.Is(err, ErrMissing):
		return nil, early(m)
	case errors.Is(err, job.ErrFinal):
		return nil, m.Ack()
	case err != nil:
		t.unsure = id
		return nil, errors.Join(err, m.NakWithDelay(idle))
	case r.State.Final(): // the claim ended it
		return nil, m.Ack()
	}
	return t.q.lease(parent, r, m), nil
}

// early gives a message back that came before its record, or acknowledges it when the record
// doesn't come: its job was never accepted.
func early(m jetstream.Msg) error {
	meta, err := m.Metadata()
	if err != nil || meta.NumDelivered > earlyTries {
		return m.Ack()
	}
	return m.NakWithDelay(min(idle, 10*time.Millisecond<<meta.NumDelivered))
}

// earlyTries is how often a message waits for its record, some 25 s in all.
const earlyTries = 30

// errUnfit says that a job needs more memory than the worker has.
var errUnfit = errors.New("the job doesn't fit")
