package service

import (
	"context"
	"time"

	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/work"
)

const (
	sweepEvery   = 10 * time.Second
	collectEvery = 10 * time.Minute
	// young is the age below which blobs stay though nothing refers to them: a request that
	// does may be on its way.
	young = time.Hour
)

// keepHouse expires jobs, mends the queue, and removes what is old, until ctx ends.
func (s *Service) keepHouse(ctx context.Context) {
	sweep, collect := time.NewTicker(sweepEvery), time.NewTicker(collectEvery)
	defer sweep.Stop()
	defer collect.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-sweep.C:
			err = s.queue.Sweep(ctx, s.Retention)
		case <-collect.C:
			err = s.collect(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.Log.Warn("housekeeping", "error", err.Error())
		}
	}
}

// collect removes the blobs that no job and no model refers to, and that none did at the
// collection before: should a clock be wrong, what a request or a worker has just stored still
// has the time between two collections to be recorded.
func (s *Service) collect(ctx context.Context) error {
	before := s.queue.Now().Add(-young)
	referred := map[string]bool{}
	s.queue.Each(func(r *job.Record) {
		for _, name := range work.Blobs(r) {
			referred[name] = true
		}
	})
	err := s.models.Each(ctx, "*", func(m *work.Model) {
		for _, name := range m.Blobs() {
			referred[name] = true
		}
	})
	if err != nil {
		return err
	}
	doomed := map[string]bool{}
	removed, err := blob.Collect(ctx, s.blobs, before, func(name string) bool {
		if referred[name] {
			return true
		}
		doomed[name] = true
		return !s.doomed[name]
	})
	s.doomed = doomed
	if removed > 0 {
		s.Log.Info("blobs collected", "removed", removed)
	}
	if err != nil {
		return err
	}
	return s.blobs.Sweep(ctx, before)
}
