package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/client"
)

// workerOperations register the list of workers.
func (s *server) workerOperations() {
	list := s.operation(access.Admin, "list-workers", http.MethodGet, "/v1/workers", "List the workers")
	list.Description = "A worker that died is in the list for up to 20 s."
	huma.Register(s.api, list, func(ctx context.Context, _ *struct{}) (*body[client.Workers], error) {
		workers, err := s.Roster.List(ctx)
		if err != nil {
			return nil, s.internal("list the workers", err)
		}
		return &body[client.Workers]{client.Workers{Workers: workers}}, nil
	})
}
