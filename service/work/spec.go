// Package work does what the prover service's jobs ask for: it compiles models and makes
// their keys, and proves answers.
//
// A worker takes a job from the queue, reads what the job's record names from the blobs,
// writes what comes of it there, and records the names. All of that may happen more than
// once for a job; only the record counts (package job). A model that was proven lately
// stays in memory with its key, as long as the memory lasts.
package work

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/queue"
	"github.com/zkml-go/zkml/service/seal"
)

// Source names bytes: a public blob, or a private one that is sealed with the job's key,
// or with the model's where a model names it.
type Source struct {
	Public  string `json:"public,omitempty"`
	Private string `json:"private,omitempty"`
}

// Name returns the blob's name in the bucket, or "".
func (s Source) Name(tenant string) string {
	if d, err := blob.ParseDigest(s.Public); s.Public != "" && err == nil {
		return blob.PublicName(tenant, d)
	}
	return s.Private
}

// ProofSpec is what a proof job does: to prove the answer of Record.Model.
type ProofSpec struct {
	Inputs  Source `json:"inputs"`
	Context string `json:"context"`
	Clamp   bool   `json:"clamp"`
}

// ProofResult is what comes of it.
type ProofResult struct {
	Proof   Source `json:"proof"`
	Secrets Source `json:"secrets,omitzero"`
}

// BuildSpec is what a build job does. It has an ONNX file or a compiled model.
type BuildSpec struct {
	ONNX    Source         `json:"onnx,omitzero"`
	Model   Source         `json:"model,omitzero"`
	Samples Source         `json:"samples,omitzero"`
	Options client.Options `json:"options"`
}

// Blobs lists the names of the blobs that a job refers to.
func Blobs(r *job.Record) (names []string) {
	var all struct {
		Inputs, ONNX, Model, Samples, Proof, Secrets Source
	}
	json.Unmarshal(r.Spec, &all)
	json.Unmarshal(r.Result, &all)
	for _, s := range []Source{all.Inputs, all.ONNX, all.Model, all.Samples, all.Proof, all.Secrets} {
		if name := s.Name(r.Tenant); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// JobKey returns a job's key.
func JobKey(operator seal.Key, r *job.Record) (seal.Key, error) {
	return operator.Unwrap(r.Key, "job "+r.Tenant+" "+r.ID)
}

// WrapJobKey is the inverse.
func WrapJobKey(operator, k seal.Key, tenant, id string) []byte {
	return operator.Wrap(k, "job "+tenant+" "+id)
}

// Model is the record of a model with its keys.
type Model struct {
	client.Model
	Tenant       string `json:"tenant"`
	File         Source `json:"file"`
	VerifyingKey Source `json:"verifying_key"`
	ProvingKey   Source `json:"proving_key"`
	// Key is the model's key, wrapped by the operator's, if File is private.
	Key []byte `json:"key,omitempty"`
}

// made tells a model from one that was made before or after it under the same name: its keys
// may be others, of another string.
func (m *Model) made() string {
	return m.VerifyingKey.Public + " " + m.Created.UTC().Format(time.RFC3339Nano)
}

// Blobs lists the names of the blobs that the model refers to.
func (m *Model) Blobs() []string {
	return []string{m.File.Name(m.Tenant), m.VerifyingKey.Name(m.Tenant), m.ProvingKey.Name(m.Tenant)}
}

// Models are the records of models, by tenant and the SHA-256 of model.zkml.
type Models struct{ kv jetstream.KeyValue }

// OpenModels opens or makes their bucket.
func OpenModels(ctx context.Context, q *queue.Queue) (*Models, error) {
	kv, err := queue.Bucket(ctx, q.JetStream(), "zkml_models", q.Options().Replicas)
	return &Models{kv}, err
}

// ErrNoModel: the tenant has no such model.
var ErrNoModel = errors.New("no such model")

// Get returns a model, or ErrNoModel.
func (ms *Models) Get(ctx context.Context, tenant, sha256 string) (*Model, error) {
	if _, err := blob.ParseDigest(sha256); err != nil || !job.ValidTenant(tenant) {
		return nil, ErrNoModel
	}
	entry, err := ms.kv.Get(ctx, tenant+"."+sha256)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, ErrNoModel
	}
	if err != nil {
		return nil, fmt.Errorf("read a model: %w", err)
	}
	m := &Model{}
	return m, json.Unmarshal(entry.Value(), m)
}

// add records a model unless it is there.
func (ms *Models) add(ctx context.Context, m *Model) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if _, err = ms.kv.Create(ctx, m.Tenant+"."+m.SHA256, data); errors.Is(err, jetstream.ErrKeyExists) {
		return nil
	}
	return err
}

// Delete forgets a model. One that isn't there is no error.
func (ms *Models) Delete(ctx context.Context, tenant, sha256 string) error {
	if _, err := blob.ParseDigest(sha256); err != nil || !job.ValidTenant(tenant) {
		return nil
	}
	if err := ms.kv.Purge(ctx, tenant+"."+sha256); err != nil {
		return fmt.Errorf("delete a model: %w", err)
	}
	return nil
}

// Each calls visit with every model of a tenant, or of all for "*".
func (ms *Models) Each(ctx context.Context, tenant string, visit func(*Model)) error {
	watcher, err := ms.kv.Watch(ctx, tenant+".*", jetstream.IgnoreDeletes())
	if err != nil {
		return fmt.Errorf("read the models: %w", err)
	}
	defer watcher.Stop()
	timeout := time.After(30 * time.Second)
	for {
		select {
		case entry, ok := <-watcher.Updates():
			if !ok {
				return errors.New("read the models: the connection was lost")
			}
			if entry == nil {
				return nil
			}
			m := &Model{}
			if json.Unmarshal(entry.Value(), m) == nil {
				visit(m)
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout:
			return errors.New("read the models: no answer in 30 s")
		}
	}
}

// Result reads what came of a proof job that succeeded.
func Result(r *job.Record) (result ProofResult, err error) {
	err = json.Unmarshal(r.Result, &result)
	return result, err
}

// failureName is what the details of a failure are sealed for.
func failureName(r *job.Record) string { return "failure " + r.ID }

// Detail unseals the text of the error that a job failed with.
func Detail(operator seal.Key, r *job.Record) (string, error) {
	key, err := JobKey(operator, r)
	if err != nil {
		return "", err
	}
	text, err := key.Open(r.Failure.Detail, failureName(r))
	return string(text), err
}
