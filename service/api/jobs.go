package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/sse"

	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/queue"
	"github.com/zkml-go/zkml/service/work"
)

// idInput is a job's name in a path.
type idInput struct {
	ID string `path:"id" pattern:"^[a-z2-7]{26}$"`
}

// listInput chooses jobs.
type listInput struct {
	State string `query:"state" enum:"queued,running,succeeded,failed,cancelled,expired"`
	Model string `query:"model" pattern:"^[0-9a-f]{64}$"`
	After string `query:"after" maxLength:"64" doc:"the next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

// jobOperations register what proofs and builds have in common.
func (s *server) jobOperations() {
	for _, kind := range []job.Kind{job.Proof, job.Build} {
		one, many := string(kind), string(kind)+"s"
		get := s.operation(access.Read, "get-"+one, http.MethodGet, "/v1/"+many+"/{id}", "Describe a "+one)
		get.Errors = append(get.Errors, http.StatusNotFound)
		huma.Register(s.api, get, func(ctx context.Context, in *idInput) (*body[client.Job], error) {
			r, err := s.job(ctx, kind, in.ID)
			if err != nil {
				return nil, err
			}
			return &body[client.Job]{s.viewOwn(&r)}, nil
		})
		list := s.operation(access.Read, "list-"+many, http.MethodGet, "/v1/"+many, "List the "+many+", the newest first")
		huma.Register(s.api, list, func(ctx context.Context, in *listInput) (*body[client.Jobs], error) {
			return s.list(ctx, kind, in), nil
		})
		cancel := s.operation(access.Prove, "cancel-"+one, http.MethodPost, "/v1/"+many+"/{id}/cancel", "Cancel a "+one)
		cancel.Errors = append(cancel.Errors, http.StatusNotFound, http.StatusConflict)
		huma.Register(s.api, cancel, func(ctx context.Context, in *idInput) (*body[client.Job], error) {
			return s.cancel(ctx, kind, in.ID)
		})
		events := s.operation(access.Read, one+"-events", http.MethodGet, "/v1/"+many+"/{id}/events", "Follow a "+one+" until it has ended")
		events.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
			// An answer that is a stream can't be an error any more.
			_, err := s.job(ctx.Context(), kind, ctx.Param("id"))
			var status huma.StatusError
			if errors.As(err, &status) {
				huma.WriteErr(s.api, ctx, status.GetStatus(), status.Error())
				return
			}
			next(ctx)
		}}
		events.Errors = append(events.Errors, http.StatusNotFound)
		sse.Register(s.api, events, map[string]any{"job": client.Job{}}, func(ctx context.Context, in *idInput, send sse.Sender) {
			s.follow(ctx, kind, in.ID, send)
		})
	}
	for _, file := range []struct{ name, summary string }{
		{"proof", "Download proof.json"},
		{"secrets", "Download the salts and the answers that the proof doesn't show"},
	} {
		scope := access.Read
		if file.name == "secrets" {
			scope = access.Prove
		}
		get := s.operation(scope, "get-proof-"+file.name, http.MethodGet, "/v1/proofs/{id}/"+file.name, file.summary)
		get.Errors = append(get.Errors, http.StatusNotFound, http.StatusConflict)
		get.Responses = download("application/json")
		huma.Register(s.api, get, func(ctx context.Context, in *idInput) (*huma.StreamResponse, error) {
			return s.result(ctx, in.ID, file.name)
		})
	}
}

// job returns a job of the tenant and the kind.
func (s *server) job(ctx context.Context, kind job.Kind, id string) (job.Record, error) {
	r, err := s.Queue.Get(ctx, tenantOf(ctx), id)
	if errors.Is(err, queue.ErrMissing) || err == nil && r.Kind != kind {
		return r, huma.Error404NotFound("there is no such " + string(kind))
	}
	if err != nil {
		return r, s.internal("read a job", err)
	}
	return r, nil
}

func (s *server) list(ctx context.Context, kind job.Kind, in *listInput) *body[client.Jobs] {
	page, more := s.Queue.List(queue.Filter{
		Tenant: tenantOf(ctx), Kind: kind, State: job.State(in.State), Model: in.Model, After: in.After, Limit: in.Limit,
	})
	answer := client.Jobs{Jobs: []client.Job{}}
	for _, r := range page {
		answer.Jobs = append(answer.Jobs, view(&r))
	}
	if more {
		answer.Next = queue.Cursor(&page[len(page)-1])
	}
	return &body[client.Jobs]{answer}
}

func (s *server) cancel(ctx context.Context, kind job.Kind, id string) (*body[client.Job], error) {
	if _, err := s.job(ctx, kind, id); err != nil {
		return nil, err
	}
	r, err := s.Queue.Cancel(ctx, tenantOf(ctx), id)
	switch {
	case errors.Is(err, job.ErrFinal) && r.State == job.Cancelled:
	case errors.Is(err, job.ErrFinal):
		return nil, huma.Error409Conflict("the job has " + string(r.State) + " already")
	case err != nil:
		return nil, s.internal("cancel a job", err)
	}
	return &body[client.Job]{view(&r)}, nil
}

// keepAlive is how often a job that doesn't change is sent again, so that nobody on the way
// takes the connection for dead.
const keepAlive = 15 * time.Second

// follow sends a job when it has changed. A job that isn't there has no events.
func (s *server) follow(ctx context.Context, kind job.Kind, id string, send sse.Sender) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	last, err := s.job(ctx, kind, id)
	if err != nil {
		return
	}
	changes, err := s.Queue.Watch(ctx, tenantOf(ctx), id)
	if err != nil {
		return
	}
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	for {
		select {
		case r, ok := <-changes:
			if !ok {
				return
			}
			last = r
		case <-tick.C:
		}
		if send.Data(s.viewOwn(&last)) != nil {
			return
		}
	}
}

// result answers with what came of a proof.
func (s *server) result(ctx context.Context, id, name string) (*huma.StreamResponse, error) {
	r, err := s.job(ctx, job.Proof, id)
	if err != nil {
		return nil, err
	}
	if r.State != job.Succeeded {
		return nil, huma.Error409Conflict("the proof is " + string(r.State))
	}
	result, err := work.Result(&r)
	if err != nil {
		return nil, s.internal("read a result", err)
	}
	key, err := work.JobKey(s.Operator, &r)
	if err != nil {
		return nil, s.internal("read a result", err)
	}
	from := result.Proof
	if name == "secrets" {
		if from = result.Secrets; from == (work.Source{}) {
			return nil, huma.Error404NotFound("the proof has no secrets: it shows everything")
		}
	}
	return s.stream(ctx, from, key, "application/json")
}

// view is what lists show of a job.
func view(r *job.Record) client.Job {
	j := client.Job{
		ID: r.ID, Kind: string(r.Kind), State: string(r.State), Stage: r.Stage, Model: r.Model,
		Priority: string(r.Priority), Attempt: r.Attempt, Created: r.Created,
		Started: given(r.Started), Finished: given(r.Finished), Deadline: given(r.Deadline),
	}
	for _, stage := range r.Stages {
		j.Stages = append(j.Stages, client.Stage{Name: stage.Name, Seconds: stage.Took.Seconds()})
	}
	if f := r.Failure; f != nil && r.State == job.Failed {
		j.Failure = &client.Failure{Fault: string(f.Fault), Code: f.Code, Message: f.Message, Retry: f.Retry}
	}
	return j
}

// viewOwn is view with the details of a failure, if it was the user's: they may quote inputs.
func (s *server) viewOwn(r *job.Record) client.Job {
	j := view(r)
	if j.Failure == nil || r.Failure.Fault != job.User || r.Failure.Detail == nil {
		return j
	}
	if detail, err := work.Detail(s.Operator, r); err == nil {
		j.Failure.Message += ": " + detail
	}
	return j
}

// given returns nil for no time.
func given(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
