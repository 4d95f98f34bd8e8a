package service

import (
	"context"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/api"
	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/queue"
	"github.com/zkml-go/zkml/service/webhook"
	"github.com/zkml-go/zkml/service/work"
)

// outlast is how much longer a webhook's state is kept than its job.
const outlast = 7 * 24 * time.Hour

// openTenants opens what is kept of tenants and of their webhooks.
func (s *Service) openTenants(ctx context.Context) error {
	js, replicas := s.queue.JetStream(), s.queue.Options().Replicas
	bucket, err := queue.Bucket(ctx, js, "zkml_keys", replicas)
	if err != nil {
		return err
	}
	s.keys = access.Open(bucket, s.queue.Now)
	if bucket, err = queue.Bucket(ctx, js, "zkml_tenants", replicas); err != nil {
		return err
	}
	s.tenants = access.OpenTenants(bucket, s.operator, s.queue.Now)
	s.webhooks, err = queue.BucketFor(ctx, js, "zkml_webhooks", replicas, queue.Ephemeral{TTL: 2*s.Retention + outlast})
	return err
}

// running is how many jobs of a tenant may be at work; 0 is any number. A quota that can't be
// read now keeps nobody's job waiting.
func (s *Service) running(ctx context.Context, tenant string) int {
	if known, ok := s.limits.Load(tenant); ok && time.Since(known.(limit).at) < limitAge {
		return known.(limit).running
	}
	t, err := s.tenants.Get(ctx, tenant)
	if err != nil {
		return 0
	}
	s.limits.Store(tenant, limit{t.Quota.Running, time.Now()})
	return t.Quota.Running
}

// largest is what a tenant's models may have and need; 0 is any number.
func (s *Service) largest(ctx context.Context, tenant string) (rows int, memory int64, err error) {
	t, err := s.tenants.Get(ctx, tenant)
	return t.Quota.Rows, t.Quota.Memory, err
}

// limitAge is how long a worker believes a quota that it read.
const limitAge = 5 * time.Second

// limit is a tenant's quota of jobs at work, as it was read.
type limit struct {
	running int
	at      time.Time
}

// deliverWebhooks tells tenants of jobs that have ended, until ctx ends.
func (s *Service) deliverWebhooks(ctx context.Context, states jetstream.KeyValue) {
	webhook.New(webhook.Config{
		States: states, Client: webhook.NewClient(s.InsecureWebhooks), Each: s.queue.Each,
		URL: func(r *job.Record) (string, error) {
			key, err := work.JobKey(s.operator, r)
			if err != nil {
				return "", err
			}
			return api.Webhook(r, key)
		},
		Secrets: s.tenants.Secrets, Message: api.Message, Now: s.queue.Now, Log: s.Log,
	}).Run(ctx)
}
