package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/seal"
	"github.com/zkml-go/zkml/service/work"
)

// accepted answers a job that was submitted.
type accepted struct {
	Location string `header:"Location"`
	Body     client.Job
}

// body is an answer.
type body[T any] struct{ Body T }

// buildInput asks for a model.
type buildInput struct {
	Key  string `header:"Idempotency-Key" maxLength:"200" doc:"makes repeated requests one job"`
	Body client.BuildRequest
}

// modelOperations register the models.
func (s *server) modelOperations() {
	post := s.operation(access.Prove, "build-model", http.MethodPost, "/v1/models", "Compile a model and make its keys")
	post.Description = "The answer is a build; when it has succeeded, its model is the SHA-256 that names the model."
	submits(&post, s.Limits.Body)
	huma.Register(s.api, post, s.build)
	list := s.operation(access.Read, "list-models", http.MethodGet, "/v1/models", "List the models")
	huma.Register(s.api, list, func(ctx context.Context, _ *struct{}) (*body[client.Models], error) {
		answer := client.Models{Models: []client.Model{}}
		err := s.Models.Each(ctx, tenantOf(ctx), func(m *work.Model) { answer.Models = append(answer.Models, m.Model) })
		if err != nil {
			return nil, s.internal("list the models", err)
		}
		slices.SortFunc(answer.Models, func(a, b client.Model) int { return b.Created.Compare(a.Created) })
		return &body[client.Models]{answer}, nil
	})
	get := s.operation(access.Read, "get-model", http.MethodGet, "/v1/models/{sha256}", "Describe a model")
	get.Errors = append(get.Errors, http.StatusNotFound)
	huma.Register(s.api, get, func(ctx context.Context, in *digestInput) (*body[client.Model], error) {
		m, err := s.model(ctx, in.SHA256)
		if err != nil {
			return nil, err
		}
		return &body[client.Model]{m.Model}, nil
	})
	remove := s.operation(access.Prove, "delete-model", http.MethodDelete, "/v1/models/{sha256}", "Delete a model")
	remove.Description = "Its files are deleted at the second collection of a server that finds nothing that refers to them, and above an hour of age; collections are ten minutes apart. Proofs that are there stay; jobs of the model that haven't ended fail."
	remove.Errors = append(remove.Errors, http.StatusNotFound)
	huma.Register(s.api, remove, func(ctx context.Context, in *digestInput) (*struct{}, error) {
		if _, err := s.model(ctx, in.SHA256); err != nil {
			return nil, err
		}
		if err := s.Models.Delete(ctx, tenantOf(ctx), in.SHA256); err != nil {
			return nil, s.internal("delete a model", err)
		}
		s.Log.Info("model deleted", "tenant", tenantOf(ctx), "model", in.SHA256)
		return nil, nil
	})
	key := s.operation(access.Read, "get-model-key", http.MethodGet, "/v1/models/{sha256}/key", "Download a model's verifying key, model.vk")
	key.Errors = append(key.Errors, http.StatusNotFound)
	key.Responses = download("application/octet-stream")
	huma.Register(s.api, key, func(ctx context.Context, in *digestInput) (*huma.StreamResponse, error) {
		m, err := s.model(ctx, in.SHA256)
		if err != nil {
			return nil, err
		}
		return s.stream(ctx, m.VerifyingKey, seal.Key{}, "application/octet-stream")
	})
	verify := s.operation(access.Read, "verify", http.MethodPost, "/v1/verify", "Check a proof with a model's key")
	verify.Errors = append(verify.Errors, http.StatusNotFound)
	verify.MaxBodyBytes = s.Limits.Body
	huma.Register(s.api, verify, s.verify)
}

// submits completes the description of an operation that submits a job.
func submits(o *huma.Operation, limit int64) {
	o.DefaultStatus = http.StatusAccepted
	o.MaxBodyBytes = limit
	o.Errors = append(o.Errors, http.StatusNotFound, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusTooManyRequests)
}

// model returns a model of the tenant.
func (s *server) model(ctx context.Context, sha256 string) (*work.Model, error) {
	m, err := s.Models.Get(ctx, tenantOf(ctx), sha256)
	if errors.Is(err, work.ErrNoModel) {
		return nil, huma.Error404NotFound("there is no such model")
	}
	if err != nil {
		return nil, s.internal("read a model", err)
	}
	return m, nil
}

func (s *server) build(ctx context.Context, in *buildInput) (*accepted, error) {
	r := &in.Body
	switch {
	case (r.ONNX == nil) == (r.Model == nil):
		return nil, huma.Error422UnprocessableEntity("want either onnx or zkml")
	case r.Model != nil && r.Samples != nil:
		return nil, huma.Error422UnprocessableEntity("a compiled model takes no samples")
	case r.ONNX != nil && r.ONNX.Blob != "" && hidesWeights(&r.Options):
		return nil, bare()
	}
	if r.Model != nil && r.Model.Blob != "" {
		if err := s.unhidden(ctx, r.Model.Blob); err != nil {
			return nil, err
		}
	}
	return s.submit(ctx, job.Build, in.Key, r, func(d *draft) error {
		if err := d.webhook(r.Webhook); err != nil {
			return err
		}
		spec := work.BuildSpec{Options: r.Options}
		var size int64
		for _, f := range []struct {
			from *client.Source
			to   *work.Source
		}{{r.ONNX, &spec.ONNX}, {r.Model, &spec.Model}, {r.Samples, &spec.Samples}} {
			if f.from == nil {
				continue
			}
			n, err := d.source(f.from, f.to)
			if err != nil {
				return err
			}
			size += n
		}
		d.record.Memory = work.BuildMemory(size)
		return d.specify(spec)
	})
}

// bare refuses what should have been sent as data.
func bare() error {
	return huma.Error422UnprocessableEntity("hidden weights must not lie in a public blob: send them as data")
}

// unhidden refuses a compiled model in a public blob if it has hidden weights, and deletes
// the blob. What isn't a model at all is found out by the build.
func (s *server) unhidden(ctx context.Context, digest string) error {
	d, err := blob.ParseDigest(digest)
	if err != nil {
		return huma.Error422UnprocessableEntity(err.Error())
	}
	src, err := blob.OpenPublic(ctx, s.Blobs, tenantOf(ctx), d)
	if errors.Is(err, blob.ErrMissing) {
		return nil // told with the other files
	}
	if err != nil {
		return s.internal("read a model", err)
	}
	defer src.Close()
	hidden, err := zkml.HiddenWeights(src)
	if errors.Is(err, blob.ErrDamaged) {
		return s.internal("read a model", err)
	}
	if err != nil || !hidden {
		return nil
	}
	if err := s.Blobs.Delete(ctx, blob.PublicName(tenantOf(ctx), d)); err != nil {
		return s.internal("delete a blob", err)
	}
	return bare()
}

// hidesWeights reports whether the options make weights something to hide.
func hidesWeights(o *client.Options) bool {
	v := o.Visibility["weights"]
	return v != "" && v != "fixed"
}

func (s *server) verify(ctx context.Context, in *body[client.VerifyRequest]) (*body[client.Verdict], error) {
	m, err := s.model(ctx, in.Body.Model)
	if err != nil {
		return nil, err
	}
	vk, err := s.key(ctx, m)
	if err != nil {
		return nil, err
	}
	expect := zkml.Expectation{AllowDevelopmentSRS: s.AllowDevelopment}
	if in.Body.Context != "" {
		word, err := zkml.ParseContext(in.Body.Context)
		if err != nil {
			return nil, huma.Error422UnprocessableEntity(err.Error())
		}
		expect.Context = &word
	}
	proof, err := prover.ReadProof(bytes.NewReader(in.Body.Proof))
	var verdict *prover.Verdict
	if err == nil {
		verdict, err = zkml.Verify(vk, proof, expect)
	}
	if err != nil {
		return &body[client.Verdict]{client.Verdict{Reason: err.Error()}}, nil
	}
	return &body[client.Verdict]{client.Verdict{Accepted: true, Development: verdict.Development}}, nil
}
