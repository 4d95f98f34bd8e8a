package page

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service/client"
)

// TestPartial shows what there is where a part can't be had: the workers, or a proof's model,
// which was deleted. Other faults aren't taken for that.
func TestPartial(t *testing.T) {
	now := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	j := client.Job{ID: "the-job", Kind: "proof", State: "succeeded", Model: "the-model", Created: now}
	for _, c := range []struct {
		name, path     string
		workers, model int // the statuses of their answers
		status         int
		want, not, log string
	}{
		{"no right to the workers", "/", 403, 404, 200, "the-job", "Workers", ""},
		{"no workers to be had", "/", 500, 404, 200, "the-job", "Workers", "the workers can't be shown"},
		{"none", "/", 200, 404, 200, "There are none: jobs wait", "error", ""},
		{"a deleted model", "/jobs/proof/the-job", 200, 404, 200, "the model was deleted", "accepted", ""},
		{"its proof", "/jobs/proof/the-job", 200, 404, 200, "/jobs/proof/the-job/proof.json", "rejected", ""},
		{"a model that can't be read", "/jobs/proof/the-job", 200, 500, 500, "500", "deleted", ""},
	} {
		api := http.NewServeMux()
		answer := func(pattern string, status int, value any) {
			api.HandleFunc("GET "+pattern, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				if status >= 400 {
					value = client.Problem{Status: status, Title: http.StatusText(status)}
				}
				json.NewEncoder(w).Encode(value)
			})
		}
		answer("/v1/queue", 200, client.Queue{})
		answer("/v1/workers", c.workers, client.Workers{})
		answer("/v1/models", 200, client.Models{})
		answer("/v1/models/the-model", c.model, nil)
		answer("/v1/models/the-model/key", c.model, nil)
		answer("/v1/proofs", 200, client.Jobs{Jobs: []client.Job{j}})
		answer("/v1/builds", 200, client.Jobs{})
		answer("/v1/proofs/the-job", 200, j)
		answer("/v1/proofs/the-job/proof", 200, struct{}{})
		var log bytes.Buffer
		mux := http.NewServeMux()
		(&Page{API: api, Log: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return now }}).Register(mux)
		shown := httptest.NewRecorder()
		mux.ServeHTTP(shown, httptest.NewRequest(http.MethodGet, c.path, nil))
		text := shown.Body.String()
		if shown.Code != c.status || !strings.Contains(text, c.want) || strings.Contains(text, c.not) || !strings.Contains(log.String(), c.log) {
			t.Errorf("%s: status %d, log %q:\n%s", c.name, shown.Code, &log, text)
		}
	}
}
