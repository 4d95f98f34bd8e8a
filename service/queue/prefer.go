package queue

import (
	"context"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/job"
)

// Preference is what a worker thinks of a job that waits.
type Preference int

const (
	// Indifferent: the job is as good as another.
	Indifferent Preference = iota
	// Mine: this worker has what the job needs in memory.
	Mine
	// Elsewhere: another worker, which is idle, has it.
	Elsewhere
)

const (
	// prefer is the age up to which a job gives way to others that a worker prefers, or waits
	// for a worker that has its model. An older one is taken by who comes first.
	prefer = 3 * time.Second
	// beyond is how many jobs of a lane behind its first a worker looks at.
	beyond = 3
	// aside is how long a worker leaves a lane whose first job another one should take.
	aside = 300 * time.Millisecond
	// pass is how long a job is away that is given back to be taken by another worker.
	pass = 20 * time.Millisecond
)

// rank says what to do with a message, by the copy of the records: a late copy costs time.
func (t *Taker) rank(ctx context.Context, m jetstream.Msg) Preference {
	if t.Prefer == nil {
		return Mine
	}
	r, err := t.record(ctx, m)
	if err != nil || t.q.Now().Sub(r.Created) > prefer { // of an error the claim will tell
		return Mine
	}
	return t.Prefer(&r)
}

// record returns the job of a message, as it was a moment ago. One so new that the copy of
// the records hasn't it is read.
func (t *Taker) record(ctx context.Context, m jetstream.Msg) (job.Record, error) {
	parts := strings.Split(m.Subject(), ".")
	tenant, id := parts[len(parts)-2], parts[len(parts)-1]
	if e, ok := t.q.index.get(key(tenant, id)); ok {
		return e.Record, nil
	}
	r, _, err := t.q.load(ctx, tenant, id)
	return r, err
}

// choose fetches from a lane what this worker should take of it, or nil.
func (t *Taker) choose(ctx context.Context, l lane, consumer jetstream.Consumer) (jetstream.Msg, error) {
	if time.Now().Before(t.aside[l]) {
		return nil, nil
	}
	first, err := fetch(consumer, 1)
	if err != nil || len(first) == 0 {
		return nil, err
	}
	switch t.rank(ctx, first[0]) {
	case Mine:
		return first[0], nil
	case Elsewhere:
		t.aside[l] = time.Now().Add(aside)
		return nil, t.giveBack(l, first)
	}
	rest, err := fetch(consumer, beyond)
	if err != nil {
		return first[0], nil // what was fetched of them comes again
	}
	for i, m := range rest {
		if t.rank(ctx, m) == Mine {
			rest[i] = first[0]
			return m, t.giveBack(l, rest)
		}
	}
	return first[0], t.giveBack(l, rest)
}

// fetch returns messages that are there.
func fetch(consumer jetstream.Consumer, n int) (all []jetstream.Msg, err error) {
	batch, err := consumer.FetchNoWait(n)
	if err != nil {
		return nil, err
	}
	for m := range batch.Messages() {
		all = append(all, m)
	}
	return all, nil
}

// giveBack has messages delivered again, and wakes the others for them.
func (t *Taker) giveBack(l lane, messages []jetstream.Msg) error {
	for _, m := range messages {
		if err := m.NakWithDelay(pass); err != nil {
			return err
		}
	}
	if len(messages) > 0 {
		time.AfterFunc(2*pass, func() { t.q.nc.Publish(wakeSubject, []byte(l.String())) })
	}
	return nil
}

// allowed reports whether another job of a tenant may be at work.
func (t *Taker) allowed(ctx context.Context, tenant string) bool {
	if t.Running == nil {
		return true
	}
	limit := t.Running(ctx, tenant)
	return limit == 0 || t.q.index.working(tenant) < limit
}

// working returns how many of a tenant's jobs are at work.
func (x *index) working(tenant string) (n int) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.counts[tenant] == 0 {
		return 0
	}
	for _, e := range x.records {
		if e.Tenant == tenant && e.State == job.Running {
			n++
		}
	}
	return n
}
