package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/zkml-go/zkml/service/client"
)

// TestWait has the events of a job break off, be refused for a while and come anew.
func TestWait(t *testing.T) {
	answers := [][]string{{"queued", "running"}, nil, {}, {"running", "queued"}, {"succeeded"}}
	at := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/proofs/x/events" || at == len(answers) {
			http.NotFound(w, r)
			return
		}
		states := answers[at]
		at++
		if states == nil {
			http.Error(w, "", http.StatusServiceUnavailable)
		}
		for _, state := range states {
			fmt.Fprintf(w, "event: job\ndata: {\"id\": \"x\", \"kind\": \"proof\", \"state\": %q}\n\n", state)
		}
	}))
	defer server.Close()
	c, j := client.New(server.URL, ""), client.Job{ID: "x", Kind: "proof", State: "queued"}

	var seen []string
	last, err := c.Wait(t.Context(), j, func(j client.Job) { seen = append(seen, j.State) })
	if want := []string{"queued", "running", "running", "queued", "succeeded"}; err != nil || last.State != "succeeded" || !slices.Equal(seen, want) {
		t.Errorf("saw %v, then %s, %v", seen, last.State, err)
	}
	var problem *client.Problem
	if _, err := c.Wait(t.Context(), j, nil); !errors.As(err, &problem) || problem.Status != http.StatusNotFound {
		t.Errorf("a job that the service hasn't: %v", err)
	}

	// The caller hears of what was seen last when it ends the waiting.
	at = 0
	ctx, cancel := context.WithCancel(t.Context())
	last, err = c.Wait(ctx, j, func(j client.Job) {
		if j.State == "running" {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || last.State != "running" {
		t.Errorf("%s, %v", last.State, err)
	}
}
