// Package chaos runs a prover service of several programs and breaks it while it works.
//
// [Bench.Storm] has a NATS cluster of three nodes, a server and two workers on this machine,
// and a client process that sends jobs (package load). While that waits for its proofs,
// programs are killed at random moments, workers are frozen until their jobs have gone to the
// other one, and nodes are cut off from the cluster. What was lost or doubled is counted by
// the client from its own list of accepted jobs, and by nothing here.
//
// All traffic is on the loopback interface, and all programs end with this one.
package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/service/internal/load"
)

// Bench is what the programs are and where they work.
type Bench struct {
	// Zkml, Load and Node are the commands zkml, loadclient and one that runs RunNode; what
	// else they need is appended.
	Zkml, Load, Node []string
	// Folder is where everything is kept.
	Folder string
	// Log takes what the programs say and what was done to them.
	Log io.Writer
	// Seed draws who is broken, and when.
	Seed uint64
}

// Storm says how much is broken.
type Storm struct {
	// Model is a folder with model.onnx, samples.json and input.json.
	Model string
	// Jobs is how many proofs there are, Clients how many wait for one at a time.
	Jobs, Clients int
	// Kills is how many programs are killed; Stalls how many workers are frozen, for longer
	// than Takeover; Cuts how many NATS nodes are cut off, for CutTime each.
	Kills, Stalls, Cuts int
	Takeover, CutTime   time.Duration
}

// Result is what came of it.
type Result struct {
	load.Report
	// Kills are those of each kind of program.
	Kills map[string]int
	// Crashes is how often a program ended by itself.
	Crashes int
}

// storm is one at work.
type storm struct {
	Storm
	log     io.Writer
	random  *rand.Rand
	cluster *Cluster
	server  *Process
	workers []*Process
	client  *client.Client
	kills   map[string]int
	away    sync.WaitGroup // what is broken and comes back
	mu      sync.Mutex
	busy    map[string]bool // a frozen worker, or a cluster that isn't whole
}

// environment is that of the programs.
func (b *Bench) environment() []string {
	return append(os.Environ(), srs.CacheVariable+"="+filepath.Join(b.Folder, "srs"))
}

// program is a zkml command.
func (b *Bench) program(name string, args ...string) *Process {
	return &Process{Name: name, Command: append(append([]string{}, b.Zkml...), args...), Env: b.environment(), Log: b.Log}
}

// Storm runs one. The error says that it couldn't be carried out; what happened to jobs is in
// the result.
func (b *Bench) Storm(ctx context.Context, o Storm) (*Result, error) {
	s := &storm{
		Storm: o, log: b.Log, random: rand.New(rand.NewPCG(b.Seed, 1)), kills: map[string]int{}, busy: map[string]bool{},
	}
	var err error
	if s.cluster, err = StartCluster(filepath.Join(b.Folder, "nats"), b.Node, b.Log); err != nil {
		return nil, err
	}
	defer s.cluster.Close()
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	address := fmt.Sprintf("127.0.0.1:%d", ports[0])
	s.client = client.New("http://"+address, "")
	common := []string{
		"--nats", s.cluster.URL(), "--replicas", fmt.Sprint(nodes), "--data", filepath.Join(b.Folder, "data"),
		"--operator-key", filepath.Join(b.Folder, "operator.key"),
	}
	s.server = b.program("server", append([]string{"serve", "--no-auth", "--no-worker", "--insecure-dev-srs", "--listen", address, "--takeover", o.Takeover.String()}, common...)...)
	for i := range 2 {
		// One job may be hit by many kills.
		args := append([]string{"worker", "--insecure-dev-srs", "--takeover", o.Takeover.String(), "--max-faults", "1000"}, common...)
		s.workers = append(s.workers, b.program(fmt.Sprintf("worker %d", i), args...))
	}
	for _, p := range append([]*Process{s.server}, s.workers...) {
		if err := p.Start(); err != nil {
			return nil, err
		}
		defer p.Kill()
	}
	return s.run(ctx, b, "http://"+address)
}

// run has the client at work and breaks things meanwhile. Where its jobs end before all that
// was asked for is broken, it is run again.
func (s *storm) run(ctx context.Context, b *Bench, server string) (*Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &Result{Kills: s.kills}
	broken := make(chan error, 1)
	go func() {
		err := s.rage(ctx)
		s.away.Wait()
		broken <- err
	}()
	wait := func(err error) (*Result, error) {
		err = errors.Join(err, <-broken)
		for _, p := range append([]*Process{s.server}, s.workers...) {
			r.Crashes += p.Crashes()
		}
		return r, err
	}
	for {
		var part load.Report
		err := b.loader(ctx, &part, false, "-server", server, "-job", fmt.Sprintf("%s:%d", s.Model, s.Jobs),
			"-clients", fmt.Sprint(s.Clients), "-seed", fmt.Sprint(b.Seed), "-patience", "3m")
		r.Add(&part)
		if err != nil || ctx.Err() != nil {
			cancel()
			return wait(errors.Join(err, ctx.Err()))
		}
		select {
		case err := <-broken:
			broken <- err
			return wait(nil)
		default:
		}
	}
}

// rage breaks things in step with the jobs until all that was asked for is done.
func (s *storm) rage(ctx context.Context) error {
	type deed struct {
		what string
		do   func(context.Context)
	}
	var deeds []deed
	for range s.Kills {
		deeds = append(deeds, deed{"kill", s.kill})
	}
	for range s.Stalls {
		deeds = append(deeds, deed{"stall", s.stall})
	}
	for range s.Cuts {
		deeds = append(deeds, deed{"cut", s.cutOff})
	}
	s.random.Shuffle(len(deeds), func(i, k int) { deeds[i], deeds[k] = deeds[k], deeds[i] })
	for i, d := range deeds {
		if !s.await(ctx, s.Jobs*9*i/(10*len(deeds))) {
			return fmt.Errorf("the time was over after %d of %d interruptions", i, len(deeds))
		}
		d.do(ctx)
	}
	return nil
}

// impatience is how long no job may end before the next thing is broken all the same.
const impatience = 8 * time.Second

// await waits for a random moment after so many jobs have ended. It returns false if ctx does.
func (s *storm) await(ctx context.Context, done int) bool {
	limit := time.After(impatience)
	for s.ended(ctx) < done {
		select {
		case <-ctx.Done():
			return false
		case <-limit:
			done = -1
		case <-time.After(200 * time.Millisecond):
		}
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Duration(s.random.Int64N(int64(time.Second)))):
		return true
	}
}

// ended asks the service how many proofs there are; -1 if it doesn't answer.
func (s *storm) ended(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	page, err := s.client.List(ctx, "proof", url.Values{"state": {"succeeded"}, "limit": {"1000"}})
	if err != nil {
		return -1
	}
	return len(page.Jobs)
}

// say logs what is done.
func (s *storm) say(format string, args ...any) {
	fmt.Fprintf(s.log, "chaos: %s "+format+"\n", append([]any{time.Now().Format("15:04:05.000")}, args...)...)
}

// take reserves something for one interruption at a time.
func (s *storm) take(what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[what] {
		return false
	}
	s.busy[what] = true
	return true
}

func (s *storm) release(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, what)
}

// kill kills a program: one of four times a NATS node, and of those every other time the one
// that leads the records.
func (s *storm) kill(ctx context.Context) {
	if s.random.IntN(4) == 0 && s.take("cluster") {
		node := s.node(ctx)
		s.say("kill nats n%d", node)
		s.kills["nats"]++
		s.cluster.Kill(node)
		down := time.Duration(s.random.Int64N(int64(3 * time.Second)))
		s.away.Go(func() {
			defer s.release("cluster")
			time.Sleep(down)
			if err := s.cluster.Start(node); err != nil {
				s.say("%v", err)
			}
			s.whole(ctx)
		})
		return
	}
	p := append([]*Process{s.server}, s.workers...)[s.random.IntN(1+len(s.workers))]
	s.say("kill %s", p.Name)
	if p == s.server {
		s.kills["server"]++
	} else {
		s.kills["worker"]++
	}
	p.Kill()
	if err := p.Start(); err != nil {
		s.say("%v", err)
	}
}

// node draws a NATS node.
func (s *storm) node(ctx context.Context) int {
	drawn, leader := s.random.IntN(nodes), s.random.IntN(2) == 0
	if leader {
		if node, err := s.cluster.Leader(ctx, "KV_zkml_jobs"); err == nil {
			s.say("n%d leads", node)
			return node
		}
	}
	return drawn
}

// whole waits for the cluster, within reason.
func (s *storm) whole(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := s.cluster.WaitWhole(ctx); err != nil {
		s.say("%v", err)
		return
	}
	s.say("the cluster is whole")
}

// stall freezes a worker until its job has gone to another one, and a while longer.
func (s *storm) stall(context.Context) {
	p := s.workers[s.random.IntN(len(s.workers))]
	if !s.take(p.Name) {
		return
	}
	s.say("freeze %s", p.Name)
	p.Freeze()
	length := s.Takeover + 2*time.Second + time.Duration(s.random.Int64N(int64(2*time.Second)))
	s.away.Go(func() {
		defer s.release(p.Name)
		time.Sleep(length)
		s.say("thaw %s", p.Name)
		p.Thaw()
	})
}

// cutOff cuts a NATS node off from the others. It waits until the cluster is whole before.
func (s *storm) cutOff(ctx context.Context) {
	for !s.take("cluster") {
		select {
		case <-ctx.Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
	node := s.node(ctx)
	s.say("cut nats n%d off", node)
	s.cluster.Cut(node, true)
	s.away.Go(func() {
		defer s.release("cluster")
		time.Sleep(s.CutTime)
		s.say("heal nats n%d", node)
		s.cluster.Cut(node, false)
		s.whole(ctx)
	})
}
