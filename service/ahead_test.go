package service_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	gnark "github.com/consensys/gnark/backend/plonk/bn254"
	"github.com/consensys/gnark/backend/witness"
	cs "github.com/consensys/gnark/constraint/bn254"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/plonk"
	"github.com/zkml-go/zkml/service"
	"github.com/zkml-go/zkml/service/client"
)

// pausing is an engine whose proofs stop before their last round until they may go on.
type pausing struct {
	*plonk.Prover
	there chan struct{} // has one when a proof has stopped
	goOn  chan struct{}
}

// Prove implements prover.Engine.
func (p pausing) Prove(ctx context.Context, w witness.Witness, o plonk.ProofOptions) (*gnark.Proof, error) {
	tell := o.Progress
	o.Progress = func(r plonk.Round) {
		tell(r)
		if r == plonk.Openings {
			p.there <- struct{}{}
			<-p.goOn
		}
	}
	return p.Prover.Prove(ctx, w, o)
}

// TestAhead stops proofs before their last round. The worker takes the next job then, and no
// other one; it heeds that it is cancelled; and told to end it gives it back as it was.
func TestAhead(t *testing.T) {
	there, goOn := make(chan struct{}), make(chan struct{})
	w := start(t, func(c *service.Config) {
		c.NoAuth, c.Grace = true, time.Minute
		c.Prover.Engine = func(system *cs.SparseR1CS, pk *gnark.ProvingKey) prover.Engine {
			p, err := plonk.New(context.Background(), system, pk, plonk.Options{})
			if err != nil {
				t.Error(err)
			}
			return pausing{p, there, goOn}
		}
	})
	ctx := t.Context()
	c := client.New(w.base, "")
	model := built(t, c).Model
	row := json.RawMessage(`{"features": [0.03` + strings.Repeat(", 0.01", 9) + `]}`)
	jobs := make([]client.Job, 4)
	for i := range jobs {
		var err error
		if jobs[i], err = c.Prove(ctx, client.ProofRequest{Model: model, Inputs: row}, ""); err != nil {
			t.Fatal(err)
		}
	}
	states := func(want ...string) {
		t.Helper()
		var got []string
		for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(20 * time.Millisecond) {
			got = got[:0]
			for _, j := range jobs {
				now, err := c.Get(ctx, "proof", j.ID)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, now.State)
			}
			if strings.Join(got, " ") == strings.Join(want, " ") {
				return
			}
		}
		t.Fatalf("the jobs are %v, want %v", got, want)
	}
	<-there
	states("running", "running", "queued", "queued")
	if _, err := c.Cancel(ctx, "proof", jobs[1].ID); err != nil {
		t.Fatal(err)
	}
	goOn <- struct{}{}
	<-there
	states("succeeded", "cancelled", "running", "running")
	w.endWork()
	goOn <- struct{}{}
	<-w.worked
	states("succeeded", "cancelled", "succeeded", "queued")
	go func() {
		<-there
		goOn <- struct{}{}
	}()
	other, stop := context.WithCancel(ctx)
	ended := make(chan error)
	go func() { ended <- w.s.Work(other, "other") }()
	j, err := c.Wait(ctx, jobs[3], nil)
	if err != nil || j.State != "succeeded" || j.Attempt != 2 || j.Failure != nil {
		t.Errorf("%+v, %v", j, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
