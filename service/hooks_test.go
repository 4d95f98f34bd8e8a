package service_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service"
	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/service/webhook"
)

// TestWebhook has a job's end told to a receiver, which knows its tenant's secret alone.
func TestWebhook(t *testing.T) {
	w := start(t, func(c *service.Config) { c.InsecureWebhooks = true })
	ctx := t.Context()
	token, _ := w.token("alice", 0, access.Prove)
	reader, _ := w.token("alice", 0, access.Read)
	other, _ := w.token("bob", 0, access.Prove)
	c := client.New(w.base, token)
	text, err := c.WebhookSecret(ctx, false)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.WebhookSecret(ctx, false); err != nil || again != text {
		t.Errorf("asked again: %v", err)
	}
	if of, err := client.New(w.base, other).WebhookSecret(ctx, false); err != nil || of == text {
		t.Errorf("another tenant's secret: %v", err)
	}
	wantStatus(t, "a reader's key", func() error { _, err := client.New(w.base, reader).WebhookSecret(ctx, false); return err }, 403)
	secret, err := webhook.ParseSecret(text.Secret)
	if err != nil {
		t.Fatal(err)
	}
	received := make(chan client.Message, 9)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hook", func(_ http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err == nil {
			err = secret.Verify(r.Header, data, time.Now())
		}
		var m client.Message
		if err == nil {
			err = json.Unmarshal(data, &m)
		}
		if err != nil || r.URL.RawQuery != "token=hook-token" {
			t.Errorf("%s %v", r.URL, err)
		}
		received <- m
	})
	receiver := httptest.NewServer(mux)
	defer receiver.Close()
	submit := func() {
		t.Helper()
		j, err := c.Build(ctx, client.BuildRequest{ONNX: &client.Source{Data: []byte("no model")}, Webhook: receiver.URL + "/hook?token=hook-token"}, "")
		if err != nil {
			t.Fatal(err)
		}
		select {
		case m := <-received:
			if m.Type != "build.failed" || m.Data.ID != j.ID || m.Data.State != "failed" || m.Data.Failure == nil || m.Timestamp.IsZero() {
				t.Errorf("%+v", m)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("no webhook came")
		}
	}
	submit()
	if renewed, err := c.WebhookSecret(ctx, true); err != nil || renewed == text {
		t.Errorf("renewed: %v", err)
	}
	submit() // the old one is good for a day

	for _, private := range []string{"hook-token", strings.TrimPrefix(text.Secret, "whsec_")} {
		if strings.Contains(w.log.String(), private) {
			t.Errorf("%s was logged", private)
		}
		err := filepath.WalkDir(w.data, func(path string, e os.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			if strings.Contains(string(data), private) {
				t.Errorf("%s lies in %s", private, path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// TestWebhookRefused gives URLs that a service doesn't send to unless told so.
func TestWebhookRefused(t *testing.T) {
	w := start(t, func(c *service.Config) { c.NoAuth = true })
	c := client.New(w.base, "")
	for _, url := range []string{"http://example.com/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest", "https://u:p@example.com/", "ftp://example.com/", "x"} {
		wantStatus(t, url, func() error {
			_, err := c.Build(t.Context(), client.BuildRequest{ONNX: &client.Source{Data: []byte("x")}, Webhook: url}, "")
			return err
		}, 422)
	}
}
