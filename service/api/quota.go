package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/work"
)

const (
	// day is the time that a quota of jobs is for.
	day = 24 * time.Hour
	// storedAge is how long a tenant's stored bytes aren't counted anew; what is stored
	// meanwhile through this server is added.
	storedAge = time.Minute
)

// spent tells the client that its quota has no room now.
func spent(what string, wait time.Duration) error {
	seconds := strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))
	return huma.ErrorWithHeaders(huma.Error429TooManyRequests("the tenant's quota is spent: "+what), http.Header{"Retry-After": {seconds}})
}

// beyond tells the client that its quota has no room until it, or the operator, does something.
func beyond(what string) error { return huma.Error403Forbidden("beyond the tenant's quota: " + what) }

// admit checks a submission against its tenant's quota, and returns that.
func (s *server) admit(ctx context.Context, kind job.Kind, tenant string) (access.Quota, error) {
	t, err := s.Tenants.Get(ctx, tenant)
	if err != nil {
		return t.Quota, s.internal("read a quota", err)
	}
	q := t.Quota
	if q.Queued > 0 && s.Queue.Unfinished(tenant) >= q.Queued {
		return q, spent(fmt.Sprintf("%d jobs haven't ended", q.Queued), 5*time.Second)
	}
	if q.PerDay > 0 {
		now := s.Queue.Now()
		if n, oldest := s.Queue.Since(tenant, now.Add(-day)); n >= q.PerDay {
			return q, spent(fmt.Sprintf("%d jobs in 24 hours", q.PerDay), oldest.Add(day).Sub(now))
		}
	}
	if q.Models > 0 && kind == job.Build {
		n, err := s.models(ctx, tenant)
		if err != nil {
			return q, s.internal("count the models", err)
		}
		if n >= q.Models {
			return q, beyond(fmt.Sprintf("%d models: delete one", q.Models))
		}
	}
	// What a job stores is known at its end; it is bounded by the job's size.
	if q.Stored > 0 {
		stored, err := s.stored.of(ctx, s.Blobs, tenant)
		if err != nil {
			return q, s.internal("count what is stored", err)
		}
		if stored >= q.Stored {
			return q, overfull()
		}
	}
	return q, nil
}

// models counts a tenant's models, with those that are being built.
func (s *server) models(ctx context.Context, tenant string) (n int, err error) {
	s.Queue.Each(func(r *job.Record) {
		if r.Tenant == tenant && r.Kind == job.Build && !r.State.Final() {
			n++
		}
	})
	return n, s.Models.Each(ctx, tenant, func(*work.Model) { n++ })
}

// use returns what a tenant uses.
func (s *server) use(ctx context.Context, tenant string) (u client.Use, err error) {
	u.Queued = s.Queue.Unfinished(tenant)
	u.PerDay, _ = s.Queue.Since(tenant, s.Queue.Now().Add(-day))
	s.Queue.Each(func(r *job.Record) {
		if r.Tenant == tenant && r.State == job.Running {
			u.Running++
		}
	})
	if err := s.Models.Each(ctx, tenant, func(*work.Model) { u.Models++ }); err != nil {
		return u, err
	}
	u.Stored, err = s.stored.of(ctx, s.Blobs, tenant)
	return u, err
}

// stores knows how much tenants store.
type stores struct {
	mu   sync.Mutex
	all  map[string]store
	held map[string]int64 // what uploads that haven't ended may still store
}

// store is what a tenant stored when it was counted, and since then.
type store struct {
	bytes int64
	at    time.Time
}

// of returns the bytes of a tenant's blobs.
func (s *stores) of(ctx context.Context, b blob.Bucket, tenant string) (int64, error) {
	s.mu.Lock()
	known, ok := s.all[tenant]
	s.mu.Unlock()
	if ok && time.Since(known.at) < storedAge {
		return known.bytes, nil
	}
	known = store{at: time.Now()}
	for _, kind := range []string{"public/", "private/"} {
		err := b.List(ctx, kind+tenant+"/", func(i blob.Info) error { known.bytes += i.Size; return nil })
		if err != nil {
			return 0, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil || len(s.all) > 10000 {
		s.all = map[string]store{}
	}
	s.all[tenant] = known
	return known.bytes, nil
}

// hold takes at most n bytes of what a quota leaves beside stored bytes and those that are
// held, until release is called. It returns how many it took.
func (s *stores) hold(tenant string, quota, stored, n int64) (held int64, release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.all[tenant]; ok {
		stored = known.bytes // another request may have stored more since
	}
	held = max(0, min(n, quota-stored-s.held[tenant]))
	if s.held == nil {
		s.held = map[string]int64{}
	}
	s.held[tenant] += held
	return held, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.held[tenant] -= held; s.held[tenant] == 0 {
			delete(s.held, tenant)
		}
	}
}

// add notes what was stored since.
func (s *stores) add(tenant string, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.all[tenant]; ok {
		known.bytes += n
		s.all[tenant] = known
	}
}

// hold keeps room for a file of a tenant until release is called: of size bytes or, if that is
// negative, of as many as there is room for. It returns how many the file may have.
func (s *server) hold(ctx context.Context, tenant string, size int64) (limit int64, release func(), err error) {
	limit = s.Limits.Blob
	if size >= 0 {
		limit = size
	}
	quota, stored, err := s.storage(ctx, tenant)
	if err != nil || quota == 0 {
		return limit, func() {}, err
	}
	held, release := s.stored.hold(tenant, quota, stored, limit)
	if held < size || size < 0 && held == 0 {
		release()
		return 0, nil, overfull()
	}
	return held, release, nil
}

// storage returns a tenant's quota of bytes, 0 if it has none, and what it stores.
func (s *server) storage(ctx context.Context, tenant string) (quota, stored int64, err error) {
	t, err := s.Tenants.Get(ctx, tenant)
	if err != nil {
		return 0, 0, s.internal("read a quota", err)
	}
	if t.Quota.Stored == 0 {
		return 0, 0, nil
	}
	if stored, err = s.stored.of(ctx, s.Blobs, tenant); err != nil {
		return 0, 0, s.internal("count what is stored", err)
	}
	return t.Quota.Stored, stored, nil
}

// reserve checks that a tenant may store some more bytes, and notes them.
func (s *server) reserve(ctx context.Context, tenant string, n int64) error {
	_, release, err := s.hold(ctx, tenant, n)
	if err != nil {
		return err
	}
	s.stored.add(tenant, n)
	release()
	return nil
}

// overfull tells the client that it stores too much.
func overfull() error { return beyond("the files take too many bytes: delete models") }
