// Package client talks to a prover service: it says what goes over the wire, and sends it.
//
//	c := client.New("http://127.0.0.1:8080", token)
//	build, err := c.Build(ctx, client.BuildRequest{ONNX: &client.Source{Data: onnx}}, "")
//	build, err = c.Wait(ctx, build, nil)
//	proof, err := c.Prove(ctx, client.ProofRequest{Model: build.Model, Inputs: inputs}, "")
//	proof, err = c.Wait(ctx, proof, nil)
//	err = c.Proof(ctx, proof.ID, w)
//
// A request that carries an idempotency key may be repeated after a lost answer: it is
// one job. The service's answers are not to be trusted more than the service: verify
// proofs with a key of your own.
package client

import (
	"encoding/json"
	"time"
)

// Source is a file that a request refers to or carries.
type Source struct {
	// Blob is the SHA-256 of a public blob that was uploaded, in hexadecimal.
	Blob string `json:"blob,omitempty" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of an uploaded public blob"`
	// Data are the bytes, which the service keeps sealed.
	Data []byte `json:"data,omitempty" doc:"the bytes, kept sealed"`
}

// BuildRequest asks for a model to be compiled and its keys made. It has an ONNX file, or
// a compiled model.
type BuildRequest struct {
	ONNX    *Source `json:"onnx,omitempty"`
	Model   *Source `json:"zkml,omitempty" doc:"a compiled model, model.zkml; it can't have options"`
	Samples *Source `json:"samples,omitempty" doc:"sample inputs to calibrate on"`
	Options Options `json:"options,omitzero"`
	Webhook string  `json:"webhook,omitempty" maxLength:"2000" doc:"https URL that is told of the job's end"`
}

// Options say how an ONNX file is compiled, in the words of the zkml compile command.
type Options struct {
	Name       string            `json:"name,omitempty" maxLength:"200"`
	Head       string            `json:"head,omitempty" maxLength:"100" doc:"argmax or threshold=T"`
	Labels     []string          `json:"labels,omitempty" maxItems:"4096"`
	Dims       map[string]int    `json:"dims,omitempty"`
	Visibility map[string]string `json:"visibility,omitempty" doc:"public, private, hashed or, for weights, fixed"`
	Target     string            `json:"target,omitempty" maxLength:"100"`
	Strict     bool              `json:"strict,omitempty"`
	Widths     []int             `json:"widths,omitempty" maxItems:"16"`
	Batch      int               `json:"batch,omitempty" minimum:"1" doc:"number of inferences in one proof"`
}

// ProofRequest asks for a proof of a model's answer.
type ProofRequest struct {
	Model    string          `json:"model" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of the model's .zkml"`
	Inputs   json.RawMessage `json:"inputs" doc:"object with an array, nested or flat, for each input; kept sealed"`
	Context  string          `json:"context,omitempty" maxLength:"80" doc:"word that binds the proof to one use"`
	Clamp    bool            `json:"clamp,omitempty"`
	Priority string          `json:"priority,omitempty" enum:"high,normal,low"`
	// Deadline is when the proof is of no use any more.
	Deadline *time.Time `json:"deadline,omitempty"`
	Webhook  string     `json:"webhook,omitempty" maxLength:"2000" doc:"https URL that is told of the job's end"`
}

// WebhookSecret is what a tenant's webhooks are signed with, as Standard Webhooks says.
type WebhookSecret struct {
	Secret string `json:"secret" doc:"whsec_ and base64"`
}

// Worker is a program that does jobs.
type Worker struct {
	ID      string `json:"id"`
	Host    string `json:"host"`
	Version string `json:"version"`
	Memory  int64  `json:"memory" doc:"bytes that its jobs may use"`
	// Resident is 0 where the system doesn't tell.
	Resident int64  `json:"resident" doc:"bytes of memory that the program holds"`
	Device   string `json:"device" doc:"what proofs are made on"`
	// Models are those that are prepared in memory, each as its tenant, a dot and its SHA-256.
	Models []string `json:"models" doc:"models in memory: tenant, a dot, SHA-256"`
	// Job is the one at work.
	Job   *WorkerJob `json:"job,omitempty"`
	Since time.Time  `json:"since" doc:"when it began"`
	Seen  time.Time  `json:"seen" doc:"when it was heard of"`
}

// WorkerJob is what a worker is doing.
type WorkerJob struct {
	ID     string    `json:"id"`
	Kind   string    `json:"kind"`
	Tenant string    `json:"tenant"`
	Model  string    `json:"model,omitempty"`
	Stage  string    `json:"stage,omitempty"`
	Since  time.Time `json:"since"`
}

// Workers is the list of workers.
type Workers struct {
	Workers []Worker `json:"workers"`
}

// Quota is what a tenant may have. A zero is no limit beyond the service's own.
type Quota struct {
	Queued  int   `json:"queued,omitempty" minimum:"0" doc:"jobs that haven't ended"`
	Running int   `json:"running,omitempty" minimum:"0" doc:"jobs at work at a time"`
	PerDay  int   `json:"per_day,omitempty" minimum:"0" doc:"jobs accepted in 24 hours"`
	Models  int   `json:"models,omitempty" minimum:"0" doc:"models that are kept"`
	Stored  int64 `json:"stored,omitempty" minimum:"0" doc:"bytes of all files"`
	Rows    int   `json:"rows,omitempty" minimum:"0" doc:"rows of a model's circuit"`
	Memory  int64 `json:"memory,omitempty" minimum:"0" doc:"bytes of memory that a job may need"`
}

// Use is what a tenant has of it.
type Use struct {
	Queued  int   `json:"queued"`
	Running int   `json:"running"`
	PerDay  int   `json:"per_day"`
	Models  int   `json:"models"`
	Stored  int64 `json:"stored"`
}

// Tenant is what an operator sees of a tenant.
type Tenant struct {
	Tenant string `json:"tenant"`
	Quota  Quota  `json:"quota"`
	Use    Use    `json:"use"`
}

// KeyRequest asks for an API key.
type KeyRequest struct {
	Tenant  string     `json:"tenant" pattern:"^[a-z0-9][a-z0-9-]{0,31}$"`
	Scopes  []string   `json:"scopes" minItems:"1" maxItems:"3" enum:"read,prove,admin"`
	Expires *time.Time `json:"expires,omitempty" doc:"default: never"`
	Quota   *Quota     `json:"quota,omitempty" doc:"the tenant's, for all of its keys; default: as it is"`
}

// Key is what is known of an API key.
type Key struct {
	Prefix  string     `json:"prefix" doc:"the part of the token that names it"`
	Tenant  string     `json:"tenant"`
	Scopes  []string   `json:"scopes"`
	Created time.Time  `json:"created"`
	Expires *time.Time `json:"expires,omitempty"`
	Revoked bool       `json:"revoked"`
}

// NewKey is a key that was made, with its token, which can't be had again.
type NewKey struct {
	Token string `json:"token"`
	Key   Key    `json:"key"`
}

// Keys is the list of API keys.
type Keys struct {
	Keys []Key `json:"keys"`
}

// Solidity is a Foundry project with a model's contract, as zkml export solidity writes it.
type Solidity struct {
	ModelID string            `json:"model_id"`
	Files   map[string]string `json:"files" doc:"contents by path"`
}

// Calldata is a call of the contract.
type Calldata struct {
	Function string `json:"function" doc:"its signature"`
	Calldata string `json:"calldata" doc:"0x and hexadecimal"`
}

// Message is the body of a webhook.
type Message struct {
	Type      string    `json:"type" doc:"kind and state, such as proof.succeeded"`
	Timestamp time.Time `json:"timestamp" doc:"when the job ended"`
	Data      Job       `json:"data"`
}

// Job is a proof or a build.
type Job struct {
	ID       string     `json:"id"`
	Kind     string     `json:"kind" enum:"proof,build"`
	State    string     `json:"state" enum:"queued,running,succeeded,failed,cancelled,expired"`
	Stage    string     `json:"stage,omitempty" doc:"what a running job is doing"`
	Stages   []Stage    `json:"stages,omitempty" doc:"what the last attempt has done"`
	Model    string     `json:"model,omitempty" doc:"SHA-256 of the .zkml that is proven, or that was built"`
	Priority string     `json:"priority"`
	Attempt  uint64     `json:"attempt"`
	Created  time.Time  `json:"created"`
	Started  *time.Time `json:"started,omitempty"`
	Finished *time.Time `json:"finished,omitempty"`
	Deadline *time.Time `json:"deadline,omitempty"`
	Failure  *Failure   `json:"failure,omitempty"`
}

// Stage is a part of an attempt that has ended.
type Stage struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// Final reports whether the job has ended.
func (j *Job) Final() bool { return j.State != "queued" && j.State != "running" }

// Failure is why a job has no result.
type Failure struct {
	Fault   string `json:"fault" enum:"user,infrastructure"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Retry   bool   `json:"retry" doc:"whether the same request may succeed later"`
}

// Jobs is a page of a list.
type Jobs struct {
	Jobs []Job `json:"jobs"`
	// Next is where the next page begins; "" on the last one.
	Next string `json:"next,omitempty"`
}

// Queue is how much there is to do.
type Queue struct {
	// Of all tenants.
	Queued        int     `json:"queued"`
	Running       int     `json:"running"`
	OldestSeconds float64 `json:"oldest_seconds" doc:"how long the oldest waiting job has been waiting"`
	// Of the tenant, as long as their records are kept.
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
	Ended     int `json:"ended" doc:"cancelled or expired"`
}

// Port is an input or output of a model.
type Port struct {
	Name       string `json:"name"`
	Visibility string `json:"visibility"`
	Shape      []int  `json:"shape"`
	Integer    bool   `json:"integer,omitempty"`
}

// Model is a compiled model with its keys.
type Model struct {
	SHA256  string    `json:"sha256" doc:"of model.zkml, its name in this tenant"`
	ModelID string    `json:"model_id" doc:"of its verifying key"`
	Name    string    `json:"name"`
	Rows    int       `json:"rows"`
	Domain  int       `json:"domain"`
	Memory  int64     `json:"memory" doc:"bytes that a worker needs for a proof, estimated"`
	Hidden  bool      `json:"hidden" doc:"whether it has hidden weights"`
	Inputs  []Port    `json:"inputs"`
	Outputs []Port    `json:"outputs"`
	Created time.Time `json:"created"`
}

// Models is a tenant's list of models.
type Models struct {
	Models []Model `json:"models"`
}

// VerifyRequest asks whether a proof is good.
type VerifyRequest struct {
	Model   string          `json:"model" pattern:"^[0-9a-f]{64}$"`
	Proof   json.RawMessage `json:"proof" doc:"proof.json"`
	Context string          `json:"context,omitempty" maxLength:"80" doc:"the context that it has to carry"`
}

// Verdict is the answer.
type Verdict struct {
	Accepted    bool   `json:"accepted"`
	Reason      string `json:"reason,omitempty" doc:"why it was rejected"`
	Development bool   `json:"development,omitempty" doc:"the key's reference string is the development one: anyone can forge its proofs"`
}

// Problem is an error that the service answers with (RFC 9457).
type Problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Errors []struct {
		Message  string `json:"message"`
		Location string `json:"location"`
	} `json:"errors"`
	// RetryAfter is how long to wait where the service says so.
	RetryAfter time.Duration `json:"-"`
}
