package service_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service"
	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/client"
)

// TestWorkers lists a worker while it builds, with the model that it has after a proof, and no
// more when it has ended. Only an admin's key sees it.
func TestWorkers(t *testing.T) {
	w := start(t, func(c *service.Config) { c.Device = "cpu" })
	ctx := t.Context()
	token, _ := w.token("alice", 0, access.Prove)
	admin, _ := w.token("ops", 0, access.Admin)
	c, ops := client.New(w.base, token), client.New(w.base, admin)
	wantStatus(t, "a tenant's key", func() error { _, err := c.Workers(ctx); return err }, 403)
	until := func(what string, is func(client.Worker) bool) {
		t.Helper()
		var last client.Workers
		for range 200 {
			var err error
			if last, err = ops.Workers(ctx); err != nil {
				t.Fatal(err)
			}
			if i := slices.IndexFunc(last.Workers, func(w client.Worker) bool { return w.ID == "w" }); i >= 0 && is(last.Workers[i]) {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Fatalf("%s: %+v", what, last)
	}
	until("idle", func(w client.Worker) bool {
		return w.Job == nil && w.Memory == 4<<30 && w.Device == "cpu" && w.Resident > 10<<20 && w.Resident < 8<<30 && w.Host != "" && w.Version != "" && len(w.Models) == 0 && time.Since(w.Seen) < time.Minute
	})
	if text := metrics(t, w.base); !strings.Contains(text, "\nzkml_workers{state=\"idle\"} 1\n") || !strings.Contains(text, "\nzkml_workers{state=\"busy\"} 0\n") ||
		!strings.Contains(text, fmt.Sprintf("\nzkml_workers_memory_bytes %v\n", float64(4<<30))) || !regexp.MustCompile(`\nzkml_workers_resident_bytes [1-9]`).MatchString(text) {
		t.Errorf("metrics of an idle worker:\n%s", text)
	}
	other, stop := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- w.s.Work(other, "v") }()
	build := built(t, c)
	row := []byte(`{"features": [0.03` + strings.Repeat(", 0.01", 9) + `]}`)
	j, err := c.Prove(ctx, client.ProofRequest{Model: build.Model, Inputs: row}, "")
	if err == nil {
		j, err = c.Wait(ctx, j, nil)
	}
	if err != nil || j.State != "succeeded" {
		t.Fatal(j, err)
	}
	both := func() (names []string) {
		list, err := ops.Workers(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range list.Workers {
			names = append(names, w.ID)
		}
		return names
	}
	if names := both(); !slices.Equal(names, []string{"v", "w"}) {
		t.Errorf("workers %v", names)
	}
	time.Sleep(time.Second)
	list, err := ops.Workers(ctx)
	if err != nil {
		t.Fatal(err)
	}
	has := 0
	for _, w := range list.Workers {
		if slices.Contains(w.Models, "alice."+build.Model) {
			has++
		}
	}
	if has != 1 {
		t.Errorf("%d workers have the model: %+v", has, list)
	}
	if err := c.DeleteModel(ctx, build.Model); err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); has > 0; time.Sleep(50 * time.Millisecond) {
		if list, err = ops.Workers(ctx); err != nil || time.Since(begin) > time.Minute {
			t.Fatalf("a model that was deleted stays: %+v, %v", list, err)
		}
		has = 0
		for _, w := range list.Workers {
			has += len(w.Models)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if names := both(); !slices.Equal(names, []string{"w"}) {
		t.Errorf("after one has ended: %v", names)
	}
}
