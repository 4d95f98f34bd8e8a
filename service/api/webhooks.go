package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/webhook"
)

// webhookOperations register what a tenant does about its webhooks.
func (s *server) webhookOperations() {
	const path = "/v1/webhook-secret"
	get := s.operation(access.Prove, "get-webhook-secret", http.MethodGet, path, "Show what the tenant's webhooks are signed with")
	get.Description = "Webhooks are signed as Standard Webhooks says. The secret is made when it is first asked for or needed."
	huma.Register(s.api, get, func(ctx context.Context, _ *struct{}) (*body[client.WebhookSecret], error) {
		all, err := s.Tenants.Secrets(ctx, tenantOf(ctx))
		if err != nil {
			return nil, s.internal("read a webhook secret", err)
		}
		return &body[client.WebhookSecret]{client.WebhookSecret{Secret: all[0].String()}}, nil
	})
	renew := s.operation(access.Prove, "renew-webhook-secret", http.MethodPost, path, "Replace what the tenant's webhooks are signed with")
	renew.Description = "For a day, webhooks are signed with the old secret too."
	huma.Register(s.api, renew, func(ctx context.Context, _ *struct{}) (*body[client.WebhookSecret], error) {
		secret, err := s.Tenants.RenewSecret(ctx, tenantOf(ctx))
		if err != nil {
			return nil, s.internal("replace a webhook secret", err)
		}
		return &body[client.WebhookSecret]{client.WebhookSecret{Secret: secret.String()}}, nil
	})
}

// webhookName is what a job's webhook is sealed for.
func webhookName(id string) string { return "webhook of " + id }

// webhook seals the URL that a request gives.
func (d *draft) webhook(url string) error {
	if url == "" {
		return nil
	}
	if err := webhook.CheckURL(url, d.s.InsecureWebhooks); err != nil {
		return huma.Error422UnprocessableEntity(err.Error())
	}
	d.record.Webhook = d.key.Seal([]byte(url), webhookName(d.record.ID))
	return nil
}

// Webhook returns the URL that is told of a job's end.
func Webhook(r *job.Record, key interface {
	Open(sealed []byte, name string) ([]byte, error)
}) (string, error) {
	url, err := key.Open(r.Webhook, webhookName(r.ID))
	return string(url), err
}

// Message returns what a webhook is told of a job that has ended. It has nothing of the
// request in it, as lists of jobs haven't.
func Message(r *job.Record) ([]byte, error) {
	return json.Marshal(client.Message{
		Type: string(r.Kind) + "." + string(r.State), Timestamp: r.Finished.UTC().Truncate(time.Second), Data: view(r),
	})
}
