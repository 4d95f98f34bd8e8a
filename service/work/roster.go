package work

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/queue"
)

const (
	// announceEvery is how often a worker says that it is there, at least.
	announceEvery = 5 * time.Second
	// tellEvery is how long at least lies between two times.
	tellEvery = 500 * time.Millisecond
	// present is how long a worker counts as there after it said so.
	present = 20 * time.Second
	// listTimeout bounds how long the list is read.
	listTimeout = 5 * time.Second
	// maxListed is how many prepared models a worker tells of.
	maxListed = 64
)

// Roster is the list of workers that are there: each tells of itself, in a bucket whose entries
// go by themselves. Nothing depends on it but the page that people look at, and which of
// several idle workers takes a job. It lies in memory, so a NATS that is started again has none:
// whoever finds that makes it again.
type Roster struct {
	kv    jetstream.KeyValue
	queue *queue.Queue
}

// OpenRoster opens or makes the list.
func OpenRoster(ctx context.Context, q *queue.Queue) (r *Roster, err error) {
	r = &Roster{queue: q}
	r.kv, err = r.bucket(ctx)
	return r, err
}

// bucket opens the list's bucket, and makes it if it isn't there.
func (r *Roster) bucket(ctx context.Context) (jetstream.KeyValue, error) {
	return queue.BucketFor(ctx, r.queue.JetStream(), "zkml_workers", r.queue.Options().Replicas, queue.Ephemeral{TTL: present, Memory: true})
}

// try does something with the bucket, and once more if that failed and the bucket is there, by
// now at least.
func (r *Roster) try(ctx context.Context, do func() error) error {
	err := do()
	if err == nil {
		return nil
	}
	if _, missing := r.bucket(ctx); missing != nil {
		return err
	}
	return do()
}

// entryOf is where a worker's entry is: names may have characters that keys haven't.
func entryOf(name string) string { return hex.EncodeToString([]byte(name)) }

// announce tells of a worker.
func (r *Roster) announce(ctx context.Context, w *client.Worker) error {
	data, err := json.Marshal(w)
	if err != nil {
		return err
	}
	return r.try(ctx, func() error {
		_, err := r.kv.Put(ctx, entryOf(w.ID), data)
		return err
	})
}

// leave removes a worker.
func (r *Roster) leave(ctx context.Context, name string) error {
	return r.kv.Delete(ctx, entryOf(name))
}

// parse reads an entry.
func parse(entry jetstream.KeyValueEntry) (w client.Worker, ok bool) {
	ok = entry.Operation() == jetstream.KeyValuePut && json.Unmarshal(entry.Value(), &w) == nil
	w.Seen = entry.Created().UTC()
	return w, ok
}

// watch returns what is in the list and what changes.
func (r *Roster) watch(ctx context.Context, options ...jetstream.WatchOpt) (w jetstream.KeyWatcher, err error) {
	err = r.try(ctx, func() (err error) { w, err = r.kv.WatchAll(ctx, options...); return err })
	return w, err
}

// List returns the workers that are there, by name.
func (r *Roster) List(ctx context.Context) ([]client.Worker, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	watcher, err := r.watch(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, fmt.Errorf("list the workers: %w", err)
	}
	defer watcher.Stop()
	workers := []client.Worker{}
	for {
		select {
		case entry, ok := <-watcher.Updates():
			if !ok {
				return nil, errors.New("list the workers: the watch ended")
			}
			if entry == nil {
				slices.SortFunc(workers, func(a, b client.Worker) int { return strings.Compare(a.ID, b.ID) })
				return workers, nil
			}
			if w, ok := parse(entry); ok {
				workers = append(workers, w)
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("list the workers: %w", ctx.Err())
		}
	}
}

// badge is what a worker tells of itself, and what it knows of the others.
type badge struct {
	roster *Roster
	hot    *hot
	// silence is after how long without news, of this worker at least, a watch has ended.
	silence time.Duration

	mu     sync.Mutex
	self   client.Worker
	others map[string]client.Worker // by entry
	change chan struct{}
}

// Version returns the version of this program.
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "(unknown)"
}

// newBadge returns the badge of a worker that has just begun.
func newBadge(c *Config, h *hot) *badge {
	host, err := os.Hostname()
	if err != nil {
		host = "(unknown)"
	}
	b := &badge{roster: c.Roster, hot: h, silence: present, others: map[string]client.Worker{}, change: make(chan struct{}, 1)}
	b.self = client.Worker{ID: c.Name, Host: host, Version: Version(), Memory: c.Memory, Device: c.Device, Since: time.Now().UTC()}
	return b
}

// set changes what is told, soon.
func (b *badge) set(do func(*client.Worker)) {
	b.mu.Lock()
	do(&b.self)
	b.mu.Unlock()
	select {
	case b.change <- struct{}{}:
	default:
	}
}

// begin and end tell of a job.
func (b *badge) begin(r *job.Record) {
	b.set(func(w *client.Worker) {
		w.Job = &client.WorkerJob{ID: r.ID, Kind: string(r.Kind), Tenant: r.Tenant, Model: r.Model, Since: time.Now().UTC()}
	})
}

func (b *badge) end() { b.set(func(w *client.Worker) { w.Job = nil }) }

// stage tells what the job is at.
func (b *badge) stage(name string) {
	b.set(func(w *client.Worker) {
		if w.Job != nil {
			j := *w.Job
			j.Stage = name
			w.Job = &j
		}
	})
}

// tell announces the worker until ctx ends, and then that it leaves.
func (b *badge) tell(ctx context.Context) {
	tick := time.NewTicker(announceEvery)
	defer tick.Stop()
	for {
		b.mu.Lock()
		self := b.self
		b.mu.Unlock()
		self.Models, self.Resident = b.hot.names(), resident()
		b.roster.announce(ctx, &self)
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			b.roster.leave(last, self.ID)
			return
		case <-tick.C:
			continue
		case <-b.change:
		}
		select { // stages may follow one another quickly
		case <-ctx.Done():
		case <-time.After(tellEvery):
		}
	}
}

// listen learns of the others until ctx ends.
func (b *badge) listen(ctx context.Context) {
	for ctx.Err() == nil {
		if watcher, err := b.roster.watch(ctx); err == nil {
			b.follow(ctx, watcher)
			watcher.Stop()
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// follow reads changes until they end, as they do silently when the NATS loses the list.
func (b *badge) follow(ctx context.Context, watcher jetstream.KeyWatcher) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(b.silence):
			return
		case entry, ok := <-watcher.Updates():
			if !ok {
				return
			}
			if entry == nil || entry.Key() == entryOf(b.self.ID) {
				continue
			}
			w, there := parse(entry)
			w.Seen = time.Now() // by this clock, which is compared with it
			b.mu.Lock()
			if delete(b.others, entry.Key()); there {
				b.others[entry.Key()] = w
			}
			b.mu.Unlock()
		}
	}
}

// prefer ranks a job for this worker.
func (b *badge) prefer(r *job.Record) queue.Preference {
	if r.Kind != job.Proof {
		return queue.Indifferent
	}
	name := r.Tenant + "." + r.Model
	if b.hot.has(name) {
		return queue.Mine
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, w := range b.others {
		if time.Since(w.Seen) > present {
			delete(b.others, key)
		} else if w.Job == nil && w.Memory >= r.Memory && slices.Contains(w.Models, name) {
			return queue.Elsewhere
		}
	}
	return queue.Indifferent
}
