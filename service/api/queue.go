package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/service/job"
)

// queueOperations register what tells of the queue.
func (s *server) queueOperations() {
	get := s.operation(access.Read, "get-queue", http.MethodGet, "/v1/queue", "Count the jobs")
	huma.Register(s.api, get, func(ctx context.Context, _ *struct{}) (*body[client.Queue], error) {
		return &body[client.Queue]{s.count(tenantOf(ctx))}, nil
	})
}

// count returns what a tenant may know of the queue.
func (s *server) count(tenant string) client.Queue {
	depth := s.Queue.Depth()
	q := client.Queue{Queued: depth.States[job.Queued], Running: depth.States[job.Running], OldestSeconds: s.age(&depth)}
	s.Queue.Each(func(r *job.Record) {
		switch {
		case r.Tenant != tenant:
		case r.State == job.Succeeded:
			q.Succeeded++
		case r.State == job.Failed:
			q.Failed++
		case r.State.Final():
			q.Ended++
		}
	})
	return q
}
