package page

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/service/client"
)

// recent is how many jobs of a kind the overview shows.
const recent = 50

// overview is what the first view shows.
type overview struct {
	Now   time.Time
	Queue client.Queue
	// Workers is nil if whoever looks may not see them, or nobody can now.
	Workers []client.Worker
	Models  []client.Model
	Names   map[string]string // of models, by SHA-256
	Jobs    []client.Job      // the newest first
	More    bool              // whether there are older ones
}

func (p *Page) overview(ctx context.Context, c *client.Client, _ *http.Request) (any, error) {
	o := &overview{Now: p.Now(), Names: map[string]string{}}
	var err error
	if o.Queue, err = c.Queue(ctx); err != nil {
		return nil, err
	}
	workers, err := c.Workers(ctx)
	switch {
	case err == nil:
		o.Workers = append([]client.Worker{}, workers.Workers...)
	case !answered(err, http.StatusForbidden):
		p.Log.Warn("status page: the workers can't be shown", "error", err.Error())
	}
	models, err := c.Models(ctx)
	if err != nil {
		return nil, err
	}
	o.Models = models.Models
	for _, m := range o.Models {
		o.Names[m.SHA256] = m.Name
	}
	for _, kind := range []string{"proof", "build"} {
		page, err := c.List(ctx, kind, url.Values{"limit": {strconv.Itoa(recent)}})
		if err != nil {
			return nil, err
		}
		o.Jobs = append(o.Jobs, page.Jobs...)
		o.More = o.More || page.Next != ""
	}
	slices.SortStableFunc(o.Jobs, func(a, b client.Job) int { return b.Created.Compare(a.Created) })
	if len(o.Jobs) > recent {
		o.Jobs, o.More = o.Jobs[:recent], true
	}
	return o, nil
}

// answered reports whether an error is an answer of this status.
func answered(err error, status int) bool {
	var problem *client.Problem
	return errors.As(err, &problem) && problem.Status == status
}

// details is what the view of a job shows.
type details struct {
	Now   time.Time
	Job   client.Job
	Model *client.Model // nil if there is none, or none any more
	Proof *proof        // nil if there is none, or no model
	// Deleted reports whether there was a model, whose key has gone with it.
	Deleted bool
}

// Proved reports whether there is a proof.
func (d *details) Proved() bool { return d.Job.Kind == "proof" && d.Job.State == "succeeded" }

// proof is what a proof says.
type proof struct {
	Bytes    int64
	Words    int
	ModelID  string
	Context  string
	Rejected string // why the key doesn't accept it; "" if it does
	Ceremony string
	Insecure bool
	Values   []value
}

// value is a tensor in a proof.
type value struct{ Name, Role, Shape, Text string }

func (p *Page) job(ctx context.Context, c *client.Client, r *http.Request) (any, error) {
	kind := r.PathValue("kind")
	if kind != "proof" && kind != "build" {
		return nil, &client.Problem{Status: http.StatusNotFound, Title: "there is no such page"}
	}
	j, err := c.Get(ctx, kind, r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	d := &details{Now: p.Now(), Job: j}
	if j.Model == "" {
		return d, nil
	}
	m, err := c.Model(ctx, j.Model)
	if d.Deleted = answered(err, http.StatusNotFound); d.Deleted {
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	d.Model = &m
	if d.Proved() {
		d.Proof, err = p.proof(ctx, c, j)
	}
	return d, err
}

// proof fetches a proof and its key, and verifies it.
func (p *Page) proof(ctx context.Context, c *client.Client, j client.Job) (*proof, error) {
	var file, key bytes.Buffer
	if err := c.Proof(ctx, j.ID, &file); err != nil {
		return nil, err
	}
	shown := &proof{Bytes: int64(file.Len())}
	if err := c.VerifyingKey(ctx, j.Model, &key); err != nil {
		return nil, err
	}
	vk, err := prover.ReadVerifyingKey(&key)
	if err != nil {
		return nil, fmt.Errorf("read a verifying key: %w", err)
	}
	pr, err := prover.ReadProof(&file)
	if err != nil {
		return nil, fmt.Errorf("read a proof: %w", err)
	}
	shown.Words, shown.ModelID, shown.Insecure = len(pr.Words), pr.ModelID.String(), vk.Development()
	verdict, err := zkml.Verify(vk, pr, zkml.Expectation{AllowDevelopmentSRS: true})
	if err != nil {
		shown.Rejected = err.Error()
		return shown, nil
	}
	shown.Context, shown.Ceremony = verdict.Context.Text(16), verdict.Ceremony
	for _, v := range verdict.Values {
		shown.Values = append(shown.Values, value{v.Name, v.Role, fmt.Sprint(v.Shape), text(&v)})
	}
	return shown, nil
}

// most is how many elements of a tensor are shown.
const most = 16

// text writes what is known of a tensor.
func text(v *prover.Value) string {
	if v.Digest != nil {
		return "digest " + v.Digest.String()
	}
	var words []string
	for i := range v.Integers {
		switch {
		case i == most:
			return strings.Join(words, " ") + fmt.Sprintf(" … (%d in all)", len(v.Integers))
		case i < len(v.Labels):
			words = append(words, v.Labels[i])
		case i < len(v.Real):
			words = append(words, strconv.FormatFloat(math.Round(v.Real[i]*1e6)/1e6, 'g', -1, 64))
		default:
			words = append(words, strconv.FormatInt(v.Integers[i], 10))
		}
	}
	return strings.Join(words, " ")
}

// Waited returns how long a job waited, or has been waiting.
func (o *overview) Waited(j client.Job) string { return waited(j, o.Now) }

// Waited is overview's.
func (d *details) Waited() string { return waited(d.Job, d.Now) }

func waited(j client.Job, now time.Time) string {
	end := now
	if j.Started != nil {
		end = *j.Started
	} else if j.Finished != nil {
		end = *j.Finished
	}
	return seconds(max(0, end.Sub(j.Created).Seconds()))
}

// Name returns the name of a job's model.
func (o *overview) Name(j client.Job) string { return cmp.Or(o.Names[j.Model], short(j.Model)) }

// ShowWorkers reports whether who looks may see the workers.
func (o *overview) ShowWorkers() bool { return o.Workers != nil }
