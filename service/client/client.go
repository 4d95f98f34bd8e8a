package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Client is a connection to a prover service. It may be used by several goroutines.
type Client struct {
	base, token string
	http        *http.Client
}

// New returns a client of the service at a URL. The token is an API key; it may be empty
// for a service that wants none.
func New(base, token string) *Client { return NewWith(base, token, &http.Client{}) }

// NewWith is New with an HTTP client of one's own, for a private certificate authority or a
// proxy.
func NewWith(base, token string, c *http.Client) *Client {
	return &Client{strings.TrimSuffix(base, "/"), token, c}
}

// WithHTTP returns a client that makes its requests with h: one that trusts a certificate of
// its own, keeps more connections, or measures.
func (c *Client) WithHTTP(h *http.Client) *Client { return &Client{c.base, c.token, h} }

// maxAnswer bounds answers that are held in memory.
const maxAnswer = 64 << 20

// Error implements error.
func (p *Problem) Error() string {
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	for _, e := range p.Errors {
		text += "; " + strings.TrimSpace(e.Location+" "+e.Message)
	}
	return fmt.Sprintf("the service answered %d: %s", p.Status, text)
}

// send makes one request and returns the answer if it is a good one. The error of another
// is a *Problem.
func (c *Client) send(ctx context.Context, method, path string, body io.Reader, header map[string]string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	for name, value := range header {
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode < 300 {
		return answer, nil
	}
	defer answer.Body.Close()
	p := &Problem{}
	data, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if json.Unmarshal(data, p) != nil || p.Title == "" {
		p.Title = http.StatusText(answer.StatusCode)
	}
	p.Status = answer.StatusCode
	if s, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil {
		p.RetryAfter = time.Duration(s) * time.Second
	}
	return nil, p
}

// call sends and receives JSON.
func call[T any](ctx context.Context, c *Client, method, path string, body any, header map[string]string) (T, error) {
	var result T
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return result, err
		}
		reader = bytes.NewReader(data)
		if header == nil {
			header = map[string]string{}
		}
		header["Content-Type"] = "application/json"
	}
	answer, err := c.send(ctx, method, path, reader, header)
	if err != nil {
		return result, err
	}
	defer answer.Body.Close()
	err = json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(&result)
	return result, err
}

// download copies an answer.
func (c *Client) download(ctx context.Context, path string, w io.Writer) error {
	answer, err := c.send(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(w, answer.Body)
	return err
}

// idempotency is the header of a key, which may be empty.
func idempotency(key string) map[string]string { return map[string]string{"Idempotency-Key": key} }

// Build submits a model. The key, if not empty, makes repeated requests one job.
func (c *Client) Build(ctx context.Context, r BuildRequest, key string) (Job, error) {
	return call[Job](ctx, c, http.MethodPost, "/v1/models", r, idempotency(key))
}

// Prove submits a proof. The key is as in Build.
func (c *Client) Prove(ctx context.Context, r ProofRequest, key string) (Job, error) {
	return call[Job](ctx, c, http.MethodPost, "/v1/proofs", r, idempotency(key))
}

// path is where a job of a kind is.
func path(kind, id string) string { return "/v1/" + kind + "s/" + url.PathEscape(id) }

// Get returns a job of a kind, "proof" or "build".
func (c *Client) Get(ctx context.Context, kind, id string) (Job, error) {
	return call[Job](ctx, c, http.MethodGet, path(kind, id), nil, nil)
}

// Cancel ends a job.
func (c *Client) Cancel(ctx context.Context, kind, id string) (Job, error) {
	return call[Job](ctx, c, http.MethodPost, path(kind, id)+"/cancel", nil, nil)
}

// List returns a page of jobs, the newest first. The query may have state, model, limit
// and after.
func (c *Client) List(ctx context.Context, kind string, query url.Values) (Jobs, error) {
	return call[Jobs](ctx, c, http.MethodGet, "/v1/"+kind+"s?"+query.Encode(), nil, nil)
}

// Queue says how much there is to do.
func (c *Client) Queue(ctx context.Context) (Queue, error) {
	return call[Queue](ctx, c, http.MethodGet, "/v1/queue", nil, nil)
}

// Models lists the models.
func (c *Client) Models(ctx context.Context) (Models, error) {
	return call[Models](ctx, c, http.MethodGet, "/v1/models", nil, nil)
}

// Model returns a model by its SHA-256.
func (c *Client) Model(ctx context.Context, sha256 string) (Model, error) {
	return call[Model](ctx, c, http.MethodGet, "/v1/models/"+url.PathEscape(sha256), nil, nil)
}

// VerifyingKey copies a model's model.vk.
func (c *Client) VerifyingKey(ctx context.Context, sha256 string, w io.Writer) error {
	return c.download(ctx, "/v1/models/"+url.PathEscape(sha256)+"/key", w)
}

// Proof copies the proof.json of a job that succeeded.
func (c *Client) Proof(ctx context.Context, id string, w io.Writer) error {
	return c.download(ctx, path("proof", id)+"/proof", w)
}

// Secrets copies the salts and hidden answers of a job that succeeded.
func (c *Client) Secrets(ctx context.Context, id string, w io.Writer) error {
	return c.download(ctx, path("proof", id)+"/secrets", w)
}

// Verify asks the service whether a proof is good.
func (c *Client) Verify(ctx context.Context, r VerifyRequest) (Verdict, error) {
	return call[Verdict](ctx, c, http.MethodPost, "/v1/verify", r, nil)
}

// Workers lists the workers that are there. It needs a key with the scope admin.
func (c *Client) Workers(ctx context.Context) (Workers, error) {
	return call[Workers](ctx, c, http.MethodGet, "/v1/workers", nil, nil)
}

// CreateKey makes an API key. This and the next four need a key with the scope admin.
func (c *Client) CreateKey(ctx context.Context, r KeyRequest) (NewKey, error) {
	return call[NewKey](ctx, c, http.MethodPost, "/v1/keys", r, nil)
}

// Keys lists the API keys.
func (c *Client) Keys(ctx context.Context) (Keys, error) {
	return call[Keys](ctx, c, http.MethodGet, "/v1/keys", nil, nil)
}

// RevokeKey ends the API key of a prefix.
func (c *Client) RevokeKey(ctx context.Context, prefix string) error {
	return c.do(ctx, http.MethodDelete, "/v1/keys/"+url.PathEscape(prefix))
}

// Tenant shows a tenant's quota and what it uses.
func (c *Client) Tenant(ctx context.Context, tenant string) (Tenant, error) {
	return call[Tenant](ctx, c, http.MethodGet, "/v1/tenants/"+url.PathEscape(tenant), nil, nil)
}

// SetQuota sets a tenant's quota.
func (c *Client) SetQuota(ctx context.Context, tenant string, q Quota) (Tenant, error) {
	return call[Tenant](ctx, c, http.MethodPut, "/v1/tenants/"+url.PathEscape(tenant)+"/quota", q, nil)
}

// DeleteModel deletes a model.
func (c *Client) DeleteModel(ctx context.Context, sha256 string) error {
	return c.do(ctx, http.MethodDelete, "/v1/models/"+url.PathEscape(sha256))
}

// do makes a request whose answer is empty.
func (c *Client) do(ctx context.Context, method, path string) error {
	answer, err := c.send(ctx, method, path, nil, nil)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// Solidity returns the project with a model's contract. The query may have standalone,
// template, weights_digest and unbound_weights.
func (c *Client) Solidity(ctx context.Context, sha256 string, query url.Values) (Solidity, error) {
	return call[Solidity](ctx, c, http.MethodGet, "/v1/models/"+url.PathEscape(sha256)+"/solidity?"+query.Encode(), nil, nil)
}

// Calldata returns the call that has the contract verify a proof. The query may have packed.
func (c *Client) Calldata(ctx context.Context, id string, query url.Values) (Calldata, error) {
	return call[Calldata](ctx, c, http.MethodGet, path("proof", id)+"/calldata?"+query.Encode(), nil, nil)
}

// WebhookSecret returns what the tenant's webhooks are signed with; with renew, it is
// replaced first.
func (c *Client) WebhookSecret(ctx context.Context, renew bool) (WebhookSecret, error) {
	method := http.MethodGet
	if renew {
		method = http.MethodPost
	}
	return call[WebhookSecret](ctx, c, method, "/v1/webhook-secret", nil, nil)
}

// Wait follows a job until it has ended and returns it. It tells seen, if given, of changes;
// of those that follow one another quickly perhaps only the last. A lost connection is made
// again. With an error, which is a *Problem if the service hasn't the job, it returns the job
// as it was seen last.
func (c *Client) Wait(ctx context.Context, j Job, seen func(Job)) (Job, error) {
	at := path(j.Kind, j.ID) + "/events"
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		told := false
		err := c.follow(ctx, at, func(next Job) {
			if j, told = next, true; seen != nil {
				seen(j)
			}
		})
		if told && j.Final() {
			return j, nil
		}
		if told && err == nil {
			wait = 100 * time.Millisecond
		}
		var problem *Problem
		if errors.As(err, &problem) && problem.Status < 500 && problem.Status != http.StatusTooManyRequests {
			return j, err
		}
		select {
		case <-ctx.Done():
			return j, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// follow reads a job's events until they end.
func (c *Client) follow(ctx context.Context, at string, seen func(Job)) error {
	answer, err := c.send(ctx, http.MethodGet, at, nil, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return events(answer.Body, func(data []byte) error {
		var j Job // what an event leaves out is empty
		if err := json.Unmarshal(data, &j); err != nil {
			return err
		}
		seen(j)
		return nil
	})
}
