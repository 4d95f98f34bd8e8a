package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/service/internal/load"
)

// Server is a service, or the server of one.
type Server struct {
	*Process
	Client *client.Client
	url    string
	args   []string // what a worker has to be given too
}

// Serve starts zkml serve with everything in one folder, and waits until it is ready. More
// arguments may follow.
func (b *Bench) Serve(ctx context.Context, folder string, more ...string) (*Server, error) {
	ports, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	address := fmt.Sprintf("127.0.0.1:%d", ports[0])
	s := &Server{url: "http://" + address, Client: client.New("http://"+address, "")}
	common := []string{
		"--insecure-dev-srs", "--takeover", "10s", "--max-faults", "1000",
		"--data", filepath.Join(b.Folder, folder), "--operator-key", filepath.Join(b.Folder, "operator.key"),
	}
	for _, arg := range more {
		if arg != "--no-worker" {
			s.args = append(s.args, arg)
		}
	}
	s.args = append(common, s.args...)
	s.Process = b.program("serve", append(append([]string{"serve", "--no-auth", "--listen", address}, common...), more...)...)
	if err := s.Start(); err != nil {
		return nil, err
	}
	if err := s.ready(ctx); err != nil {
		s.Kill()
		return nil, err
	}
	return s, nil
}

// Worker returns a zkml worker of a server that was given --nats. It isn't started.
func (b *Bench) Worker(s *Server, name string) *Process {
	return b.program("worker "+name, append([]string{"worker"}, s.args...)...)
}

// ready waits until the service answers.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		_, err := s.Client.Models(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the service isn't ready: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// loader runs the client process and reads its report, which it has for jobs that went wrong
// too.
func (b *Bench) loader(ctx context.Context, report any, nice bool, args ...string) error {
	command := append(append([]string{}, b.Load...), args...)
	if nice {
		command = append([]string{"nice", "-n", "10"}, command...)
	}
	program := exec.CommandContext(ctx, command[0], command[1:]...)
	var out bytes.Buffer
	program.Env, program.Stdout, program.Stderr, program.SysProcAttr = b.environment(), &out, b.Log, bound()
	failed := program.Run()
	if err := json.Unmarshal(out.Bytes(), report); err != nil {
		return fmt.Errorf("the client has no report: %w", failed)
	}
	fmt.Fprintf(b.Log, "chaos: the client's report: %s\n", out.Bytes())
	return nil
}

// jobs are the arguments for a mix.
func jobs(mix []load.Mix) (args []string) {
	for _, m := range mix {
		args = append(args, "-job", fmt.Sprintf("%s:%d", m.Folder, m.Jobs))
	}
	return args
}

// rounds is how often the service and the library take turns: a machine's speed changes within
// minutes.
const rounds = 5

// Throughput has a service prove a mix for many clients at a time, part by part, and the library
// prove some of each model in a loop before and after each part. The ratio is the service's
// throughput to the library's, the median of the parts'. The report sums the parts up.
func (b *Bench) Throughput(ctx context.Context, mix []load.Mix, clients int) (sum *load.Report, ratio float64, err error) {
	var some []load.Mix
	for _, m := range mix {
		some = append(some, load.Mix{Folder: m.Folder, Jobs: max(1, m.Jobs/(2*rounds))})
	}
	library := func() (map[string]float64, error) {
		var l load.LibraryReport
		// As nice as the service's worker, which leaves the processor to the server.
		err := b.loader(ctx, &l, true, append([]string{"-library"}, jobs(some)...)...)
		return l.Each, err
	}
	before, err := library()
	if err != nil {
		return nil, 0, err
	}
	s, err := b.Serve(ctx, "load")
	if err != nil {
		return nil, 0, err
	}
	defer s.Kill()
	sum = &load.Report{}
	var ratios []float64
	for round := range rounds {
		part := share(mix, rounds, round)
		if len(part) == 0 {
			continue // fewer jobs than rounds
		}
		r := &load.Report{}
		// The clients begin within a second and ask for states every 5 s, besides following events:
		// on two cores their own work would otherwise be part of what is measured.
		args := []string{"-server", s.url, "-clients", fmt.Sprint(clients), "-ramp", "1s", "-poll", "5s", "-name", fmt.Sprint("round ", round)}
		if err := b.loader(ctx, r, false, append(args, jobs(part)...)...); err != nil {
			return sum, 0, err
		}
		sum.Add(r)
		after, err := library()
		if err != nil {
			return sum, 0, err
		}
		var loop float64 // what the library takes for the part, in seconds
		for _, m := range part {
			loop += float64(m.Jobs) * (before[m.Folder] + after[m.Folder]) / 2
		}
		fmt.Fprintf(b.Log, "chaos: the library takes %.1f s, the service %.1f s\n", loop, r.Seconds)
		ratios = append(ratios, loop/r.Seconds)
		before = after
	}
	slices.Sort(ratios)
	return sum, (ratios[(len(ratios)-1)/2] + ratios[len(ratios)/2]) / 2, nil
}

// share returns one of n equal parts of a mix, but for what is left over.
func share(mix []load.Mix, n, i int) (part []load.Mix) {
	for _, m := range mix {
		if jobs := m.Jobs*(i+1)/n - m.Jobs*i/n; jobs > 0 {
			part = append(part, load.Mix{Folder: m.Folder, Jobs: jobs})
		}
	}
	return part
}

// Soak has a service make many proofs and watches what its programs hold. The report's Memory
// says how much that grew.
func (b *Bench) Soak(ctx context.Context, mix []load.Mix, clients int) (*load.Report, error) {
	s, err := b.Serve(ctx, "soak")
	if err != nil {
		return nil, err
	}
	defer s.Kill()
	args := append([]string{"-server", s.url, "-clients", fmt.Sprint(clients), "-watch", fmt.Sprint(s.PID())}, jobs(mix)...)
	r := &load.Report{}
	return r, b.loader(ctx, r, false, args...)
}

// Restart kills a service with jobs in its queue, at least as many as said, and starts it
// again. They are submitted by one client process and judged by another.
func (b *Bench) Restart(ctx context.Context, mix load.Mix, queued int) (*load.Report, error) {
	s, err := b.Serve(ctx, "restart")
	if err != nil {
		return nil, err
	}
	defer func() { s.Kill() }()
	r := &load.Report{}
	if err := b.loader(ctx, r, false, append([]string{"-server", s.url, "-submit", "-clients", "16"}, jobs([]load.Mix{mix})...)...); err != nil {
		return r, err
	}
	list := filepath.Join(b.Folder, "accepted.json")
	data, err := json.Marshal(r)
	if err == nil {
		err = os.WriteFile(list, data, 0o600)
	}
	if err != nil {
		return r, err
	}
	page, err := s.Client.List(ctx, "proof", url.Values{"state": {"queued"}, "limit": {"1000"}})
	if err != nil || len(page.Jobs) < queued {
		return r, fmt.Errorf("%d jobs are queued, want %d; %v", len(page.Jobs), queued, err)
	}
	s.Kill()
	if err := s.Start(); err != nil {
		return r, err
	}
	*r = load.Report{}
	return r, b.loader(ctx, r, false, append([]string{"-server", s.url, "-check", list, "-clients", "8"}, jobs([]load.Mix{mix})...)...)
}
