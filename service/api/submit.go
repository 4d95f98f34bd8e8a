package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/queue"
	"github.com/zkml-go/zkml/service/seal"
	"github.com/zkml-go/zkml/service/work"
)

// proofInput asks for a proof.
type proofInput struct {
	Key  string `header:"Idempotency-Key" maxLength:"200" doc:"makes repeated requests one job"`
	Body client.ProofRequest
}

// proofOperations register the submission of proofs.
func (s *server) proofOperations() {
	post := s.operation(access.Prove, "prove", http.MethodPost, "/v1/proofs", "Prove a model's answer")
	submits(&post, s.Limits.Body)
	huma.Register(s.api, post, s.prove)
}

func (s *server) prove(ctx context.Context, in *proofInput) (*accepted, error) {
	r := &in.Body
	m, err := s.model(ctx, r.Model)
	if err != nil {
		return nil, err
	}
	if r.Context == "" {
		r.Context = "0"
	}
	if _, err := zkml.ParseContext(r.Context); err != nil {
		return nil, huma.Error422UnprocessableEntity(err.Error())
	}
	if _, err := inputfile.Parse("inputs", r.Inputs, work.Ports(m.Inputs)); err != nil {
		return nil, huma.Error422UnprocessableEntity(err.Error())
	}
	return s.submit(ctx, job.Proof, in.Key, r, func(d *draft) error {
		d.record.Model, d.record.Memory = m.SHA256, m.Memory
		if r.Priority != "" {
			d.record.Priority = job.Priority(r.Priority)
		}
		if r.Deadline != nil {
			d.record.Deadline = r.Deadline.UTC()
		}
		if err := d.webhook(r.Webhook); err != nil {
			return err
		}
		spec := work.ProofSpec{Context: r.Context, Clamp: r.Clamp}
		if err := d.private(r.Inputs, &spec.Inputs); err != nil {
			return err
		}
		return d.specify(spec)
	})
}

// draft is a job that is being put together.
type draft struct {
	s      *server
	ctx    context.Context
	record job.Record
	key    seal.Key
	stored []string // private blobs, which go if the job isn't accepted
}

// source stores what a request carries, or looks for the blob that it names.
func (d *draft) source(from *client.Source, to *work.Source) (size int64, err error) {
	switch {
	case (from.Blob == "") == (from.Data == nil):
		return 0, huma.Error422UnprocessableEntity("a file is either a blob or data")
	case from.Data != nil:
		return int64(len(from.Data)), d.private(from.Data, to)
	}
	digest, err := blob.ParseDigest(from.Blob)
	if err != nil {
		return 0, huma.Error422UnprocessableEntity(err.Error())
	}
	info, err := d.s.Blobs.Touch(d.ctx, blob.PublicName(d.record.Tenant, digest))
	if errors.Is(err, blob.ErrMissing) {
		return 0, huma.Error422UnprocessableEntity("there is no blob " + from.Blob + ": upload it first")
	}
	if err != nil {
		return 0, d.s.internal("look for a blob", err)
	}
	to.Public = from.Blob
	return info.Size, nil
}

// private stores bytes sealed with the job's key.
func (d *draft) private(data []byte, to *work.Source) error {
	if err := d.s.reserve(d.ctx, d.record.Tenant, int64(len(data))); err != nil {
		return err
	}
	name := blob.PrivateName(d.record.Tenant)
	if err := blob.PutPrivate(d.ctx, d.s.Blobs, name, d.key, bytes.NewReader(data)); err != nil {
		return d.s.internal("store a private file", err)
	}
	d.stored = append(d.stored, name)
	to.Private = name
	return nil
}

// specify sets what the job does.
func (d *draft) specify(spec any) (err error) {
	d.record.Spec, err = json.Marshal(spec)
	if err == nil && len(d.record.Spec) > maxSpec {
		err = huma.NewError(http.StatusRequestEntityTooLarge, "the options are too long")
	}
	return err
}

// maxSpec bounds what a record holds of a request; a message of the queue has at most 1 MiB.
const maxSpec = 256 << 10

// submit makes a job of a request. What it needs is stored first; if the job isn't accepted,
// or was before, that goes again.
func (s *server) submit(ctx context.Context, kind job.Kind, key string, request any, complete func(*draft) error) (*accepted, error) {
	text, err := json.Marshal(request)
	if err != nil {
		return nil, s.internal("read a request", err)
	}
	tenant := tenantOf(ctx)
	now := s.Queue.Now().UTC()
	d := &draft{s: s, ctx: ctx, key: seal.NewKey(), record: job.Record{
		ID: job.NewID(), Tenant: tenant, Kind: kind, Priority: job.Normal, Created: now,
		Trace: work.TraceOf(ctx),
	}}
	if key != "" {
		d.record.ID = job.IDFor(tenant, kind, key)
		d.record.Request = s.digest(text)
		if had, err := s.Queue.Get(ctx, tenant, d.record.ID); err == nil {
			return again(&had, d.record.Request)
		}
	}
	quota, err := s.admit(ctx, kind, tenant)
	if err != nil {
		return nil, err
	}
	d.record.Key = work.WrapJobKey(s.Operator, d.key, tenant, d.record.ID)
	r := d.record
	err = complete(d)
	switch {
	case err != nil:
	case quota.Memory > 0 && d.record.Memory > quota.Memory:
		err = beyond("the job needs more memory")
	case d.record.Memory > s.Limits.Memory:
		err = huma.Error422UnprocessableEntity("the job needs more memory than is allowed")
	case !d.record.Deadline.IsZero() && d.record.Deadline.Before(now.Add(time.Second)):
		err = huma.Error422UnprocessableEntity("the deadline is past")
	default:
		r, err = s.Queue.Submit(ctx, d.record)
	}
	if err == nil {
		s.Log.Info("job accepted", "job", r.ID, "tenant", tenant, "kind", string(kind), "model", r.Model)
		return accept(&r), nil
	}
	var status huma.StatusError
	if errors.Is(err, queue.ErrExists) || errors.Is(err, queue.ErrFull) || errors.As(err, &status) {
		for _, name := range d.stored {
			s.Blobs.Delete(context.WithoutCancel(ctx), name)
		}
	} // else the job may be there, and what nothing refers to is collected
	switch {
	case errors.Is(err, queue.ErrExists):
		return again(&r, d.record.Request)
	case errors.Is(err, queue.ErrFull):
		return nil, full()
	case errors.As(err, &status):
		return nil, err
	}
	return nil, s.internal("submit a job", err)
}

// digest tells requests under one idempotency key apart. It is keyed, because the request
// may have private inputs that could be guessed.
func (s *server) digest(request []byte) string {
	h := sha256.New()
	h.Write(s.Operator[:])
	h.Write(request)
	return hex.EncodeToString(h.Sum(nil))
}

// again answers a request that was made before.
func again(r *job.Record, request string) (*accepted, error) {
	if r.Request != request {
		return nil, huma.Error409Conflict("the idempotency key was used for another request")
	}
	return accept(r), nil
}

// accept answers a submission.
func accept(r *job.Record) *accepted {
	return &accepted{Location: "/v1/" + string(r.Kind) + "s/" + r.ID, Body: view(r)}
}
