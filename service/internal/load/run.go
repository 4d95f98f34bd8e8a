package load

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/service/client"
)

// model is one that the service built.
type model struct {
	name  string // its SHA-256
	key   *prover.VerifyingKey
	input json.RawMessage
}

// run is a run at work.
type run struct {
	Config
	c      *client.Client
	meter  *meter
	models map[string]*model // by folder
	before map[string]bool   // jobs that the service had

	mu     sync.Mutex
	report Report
	last   time.Time // of an end
	ended  int
}

// Run sends jobs to a service and returns what came of them. The error says that it couldn't
// begin; what happened to jobs is in the report.
func Run(ctx context.Context, c Config) (*Report, error) {
	m := newMeter(c.Clients)
	r := &run{
		Config: c, meter: m, models: map[string]*model{}, before: map[string]bool{},
		c:      client.New(c.Server, c.Token).WithHTTP(&http.Client{Transport: m}),
		report: Report{Lost: []string{}, Doubled: []string{}, Failed: []string{}, Rejected: []string{}},
	}
	m.pause(true)
	if err := r.build(ctx); err != nil {
		return nil, err
	}
	jobs := c.Check
	if jobs == nil {
		if err := r.list(ctx, func(j *client.Job) { r.before[j.ID] = true }); err != nil {
			return nil, err
		}
		jobs = r.order()
	}
	m.pause(false)
	begin := time.Now()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	memory := watchMemory(watching, c.Watch, func() float64 {
		r.mu.Lock()
		defer r.mu.Unlock()
		return float64(r.ended) / float64(len(jobs))
	})
	todo := make(chan *Accepted)
	var clients sync.WaitGroup
	for i := range c.Clients {
		clients.Go(func() {
			select {
			case <-ctx.Done():
			case <-time.After(c.Ramp * time.Duration(i) / time.Duration(c.Clients)):
			}
			for a := range todo {
				r.do(ctx, a)
			}
		})
	}
	for i := range jobs {
		jobs[i].ends = map[string]bool{}
		todo <- &jobs[i]
	}
	close(todo)
	clients.Wait()
	m.pause(true)
	stop()
	r.report.Memory = memory()
	r.report.Jobs, r.report.Accepted = len(jobs), jobs
	if !r.last.IsZero() {
		r.report.Seconds = r.last.Sub(begin).Seconds()
		r.report.Throughput = float64(len(jobs)) / r.report.Seconds
	}
	if !c.Submit {
		r.audit(ctx)
	}
	m.report(&r.report)
	return &r.report, nil
}

// build has the service make the models, and fetches their keys.
func (r *run) build(ctx context.Context) error {
	for _, mix := range r.Mix {
		request, err := mix.request()
		if err != nil {
			return err
		}
		input, err := mix.input()
		if err != nil {
			return err
		}
		j, err := persist(ctx, r.Patience, func() (client.Job, error) { return r.c.Build(ctx, request, "load "+r.Name+" "+mix.Folder) })
		if err == nil {
			j, err = r.c.Wait(ctx, j, nil)
		}
		if err != nil {
			return fmt.Errorf("build %s: %w", mix.Folder, err)
		}
		if j.State != "succeeded" {
			return fmt.Errorf("build %s: %s %+v", mix.Folder, j.State, j.Failure)
		}
		vk, err := persist(ctx, r.Patience, func() (*prover.VerifyingKey, error) {
			var text bytes.Buffer
			if err := r.c.VerifyingKey(ctx, j.Model, &text); err != nil {
				return nil, err
			}
			return prover.ReadVerifyingKey(&text)
		})
		if err != nil {
			return fmt.Errorf("key of %s: %w", mix.Folder, err)
		}
		r.models[mix.Folder] = &model{j.Model, vk, input}
	}
	return nil
}

// order lists the jobs of all models, mixed.
func (r *run) order() []Accepted {
	var jobs []Accepted
	for _, mix := range r.Mix {
		for range mix.Jobs {
			jobs = append(jobs, Accepted{Folder: mix.Folder, Model: r.models[mix.Folder].name})
		}
	}
	rand.New(rand.NewPCG(r.Seed, 0)).Shuffle(len(jobs), func(i, k int) { jobs[i], jobs[k] = jobs[k], jobs[i] })
	for i := range jobs {
		jobs[i].Number = i + 1
	}
	return jobs
}

// do sees a job through to its end.
func (r *run) do(ctx context.Context, a *Accepted) {
	begin := time.Now()
	if a.ID == "" {
		if r.Check != nil || r.submit(ctx, a) != nil {
			r.mu.Lock()
			r.report.Refused++
			r.mu.Unlock()
			return
		}
	}
	if r.Submit {
		return
	}
	r.wait(ctx, a)
	a.Seconds = time.Since(begin).Seconds()
	if a.State == "succeeded" {
		a.Proof, _ = r.proof(ctx, a)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); now.After(r.last) {
		r.last = now
	}
	r.ended++
}

// submit has a job accepted. One in eight is submitted twice, as after a lost answer.
func (r *run) submit(ctx context.Context, a *Accepted) error {
	m := r.models[a.Folder]
	request := client.ProofRequest{Model: m.name, Inputs: m.input, Context: fmt.Sprint(a.Number)}
	send := func() (client.Job, error) {
		return persist(ctx, r.Patience, func() (client.Job, error) {
			return r.c.Prove(ctx, request, fmt.Sprintf("load %s %d", r.Name, a.Number))
		})
	}
	j, err := send()
	if err != nil {
		a.Code = err.Error()
		return err
	}
	a.ID, a.State = j.ID, j.State
	if a.Number%8 == 0 {
		again, err := send()
		a.doubled = err == nil && again.ID != a.ID
	}
	return nil
}

// wait follows a job until its end, and asks for its state meanwhile.
func (r *run) wait(ctx context.Context, a *Accepted) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var mu sync.Mutex
	see := func(j client.Job) {
		mu.Lock()
		defer mu.Unlock()
		a.see(&j)
	}
	var asking sync.WaitGroup
	asking.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(r.Poll):
			}
			if j, err := r.c.Get(ctx, "proof", a.ID); err == nil {
				see(j)
			}
		}
	})
	r.c.Wait(ctx, client.Job{ID: a.ID, Kind: "proof"}, see)
	cancel()
	asking.Wait()
}

// see takes in what the service says of a job. A state that isn't final and comes after one
// that is was under way before it, or the job's end was undone, which the last look shows.
func (a *Accepted) see(j *client.Job) {
	if !j.Final() {
		if len(a.ends) == 0 {
			a.State = j.State
		}
		return
	}
	a.State, a.Attempt = j.State, j.Attempt
	if j.Failure != nil {
		a.Code = j.Failure.Code
	}
	var finished time.Time
	if j.Finished != nil {
		finished = *j.Finished
	}
	a.ends[fmt.Sprint(j.State, j.Attempt, finished.UTC().Format(time.RFC3339Nano))] = true
}

// proof fetches a job's proof and returns its digest, and the proof if it is one.
func (r *run) proof(ctx context.Context, a *Accepted) (string, *prover.Proof) {
	text, err := persist(ctx, r.Patience, func() ([]byte, error) {
		var text bytes.Buffer
		err := r.c.Proof(ctx, a.ID, &text)
		return text.Bytes(), err
	})
	if err != nil {
		return "", nil
	}
	sum := sha256.Sum256(text)
	p, _ := prover.ReadProof(bytes.NewReader(text))
	return hex.EncodeToString(sum[:]), p
}

// list goes through the service's jobs of the run's models.
func (r *run) list(ctx context.Context, visit func(*client.Job)) error {
	models := map[string]bool{}
	for _, m := range r.models {
		models[m.name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(models)) {
		query := url.Values{"limit": {"500"}, "model": {name}}
		for more := true; more; {
			page, err := persist(ctx, r.Patience, func() (client.Jobs, error) { return r.c.List(ctx, "proof", query) })
			if err != nil {
				return fmt.Errorf("list the jobs: %w", err)
			}
			for i := range page.Jobs {
				visit(&page.Jobs[i])
			}
			query.Set("after", page.Next)
			more = page.Next != ""
		}
	}
	return nil
}

// audit goes through all jobs once more.
func (r *run) audit(ctx context.Context) {
	accepted := map[string]bool{}
	var mu sync.Mutex
	var clients sync.WaitGroup
	slots := make(chan struct{}, 4)
	for i := range r.report.Accepted {
		a := &r.report.Accepted[i]
		if a.ID == "" {
			continue
		}
		a.doubled = a.doubled || accepted[a.ID]
		accepted[a.ID] = true
		slots <- struct{}{}
		clients.Go(func() {
			defer func() { <-slots }()
			r.judge(ctx, a, &mu)
		})
	}
	clients.Wait()
	if r.Check != nil {
		return // what there was before is another run's to know
	}
	err := r.list(ctx, func(j *client.Job) {
		if !accepted[j.ID] && !r.before[j.ID] {
			r.report.Doubled = append(r.report.Doubled, j.ID)
		}
	})
	if err != nil {
		r.report.Lost = append(r.report.Lost, err.Error())
	}
}

// judge looks at a job for the last time.
func (r *run) judge(ctx context.Context, a *Accepted, mu *sync.Mutex) {
	first := a.Proof // of the first look
	j, err := persist(ctx, r.Patience, func() (client.Job, error) { return r.c.Get(ctx, "proof", a.ID) })
	if err == nil {
		a.see(&j)
	}
	lost := err != nil || !j.Final()
	var digest string
	var proof *prover.Proof
	if !lost && j.State == "succeeded" {
		digest, proof = r.proof(ctx, a)
		lost = digest == ""
		a.Proof = cmp.Or(digest, a.Proof)
	}
	good := proof != nil && r.verify(a, proof) == nil
	mu.Lock()
	defer mu.Unlock()
	report := &r.report
	if a.Attempt > 1 {
		report.TakenOver++
	}
	switch {
	case lost:
		report.Lost = append(report.Lost, a.ID)
	case a.doubled || len(a.ends) != 1 || first != "" && first != digest:
		report.Doubled = append(report.Doubled, a.ID)
	case j.State != "succeeded":
		report.Failed = append(report.Failed, a.ID)
	case !good:
		report.Rejected = append(report.Rejected, a.ID)
	default:
		report.Verified++
	}
}

// verify checks a job's proof.
func (r *run) verify(a *Accepted, proof *prover.Proof) error {
	m := r.models[a.Folder]
	if m == nil {
		return errors.New("no such model")
	}
	word, err := zkml.ParseContext(fmt.Sprint(a.Number))
	if err != nil {
		return err
	}
	_, err = zkml.Verify(m.key, proof, zkml.Expectation{Context: &word, AllowDevelopmentSRS: true})
	return err
}
