package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/service/client"
)

// process is a program that is killed and started again.
type process struct {
	t    *testing.T
	args []string
	env  []string
	log  *os.File
	cmd  *exec.Cmd
}

func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.Command("zkml", p.args...)
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = p.env, p.log, p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

// kill ends the process as a loss of power does.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// killChild ends the process's worker, if it has one and the system tells which it is.
func (p *process) killChild() (did bool) {
	for _, pid := range children(p.cmd.Process.Pid) {
		did = syscall.Kill(pid, syscall.SIGKILL) == nil
	}
	return did
}

// children lists the processes that a process started, as Linux tells them.
func children(of int) (pids []int) {
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range all {
		text, _ := os.ReadFile(stat)
		// The name, in parentheses, may have anything in it.
		_, rest, _ := strings.Cut(string(text), ") ")
		var state string
		var parent, pid int
		fmt.Sscan(rest, &state, &parent)
		fmt.Sscan(string(text), &pid)
		if parent == of && state != "Z" {
			pids = append(pids, pid)
		}
	}
	return pids
}

// TestKill has a service on one machine, and one of several programs, killed at random
// moments while it proves. A separate client keeps the list of the jobs that it was told
// are accepted: none may be lost, or end twice. It cancels every fifth.
// It costs 8 s of CPU, for some 70 proofs.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("some dozens of proofs")
	}
	for _, several := range []bool{false, true} {
		t.Run(fmt.Sprintf("several=%v", several), func(t *testing.T) { testKill(t, several, 40, 6) })
	}
}

// testKill submits jobs and kills programs.
func testKill(t *testing.T, several bool, jobs, kills int) {
	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	defer func() {
		if text, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("the programs' log:\n%s", text[max(0, len(text)-10000):])
		}
	}()
	address := freeAddress(t)
	env := append(os.Environ(), srs.CacheVariable+"="+filepath.Join(dir, "cache"))
	common := []string{"--data", filepath.Join(dir, "data"), "--operator-key", filepath.Join(dir, "key"), "--insecure-dev-srs", "--takeover", "2s",
		"--max-faults", "100"} // one job may be hit by many kills
	serve := append([]string{"serve", "--no-auth", "--listen", address}, common...)
	programs := []*process{{t: t, args: serve, env: env, log: log}}
	if several {
		url := startNATS(t, filepath.Join(dir, "nats"))
		programs[0].args = append(programs[0].args, "--no-worker", "--nats", url)
		work := append([]string{"worker", "--nats", url}, common...)
		programs = append(programs, &process{t: t, args: work, env: env, log: log}, &process{t: t, args: work, env: env, log: log})
	}
	for _, p := range programs {
		p.start()
		defer func() { p.kill() }()
	}

	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	c := client.New("http://"+address, "")
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("../../testdata/diabetes", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	request := client.BuildRequest{ONNX: &client.Source{Data: read("model.onnx")}, Samples: &client.Source{Data: read("samples.json")}}
	build, err := persist(ctx, func() (client.Job, error) { return c.Build(ctx, request, "build") })
	if err != nil {
		t.Fatal(err)
	}
	if build, err = ended(c.Wait(ctx, build, nil)); err != nil {
		t.Fatal(err)
	}
	var key bytes.Buffer
	if err := c.VerifyingKey(ctx, build.Model, &key); err != nil {
		t.Fatal(err)
	}
	vk, err := prover.ReadVerifyingKey(&key)
	if err != nil {
		t.Fatal(err)
	}

	ids, states := make([]string, jobs), make([]string, jobs)
	var clients sync.WaitGroup
	for i := range jobs {
		clients.Go(func() {
			time.Sleep(time.Duration(i) * 50 * time.Millisecond)
			r := client.ProofRequest{Model: build.Model, Inputs: json.RawMessage(read("input.json")), Context: fmt.Sprint(i + 1)}
			j, err := persist(ctx, func() (client.Job, error) { return c.Prove(ctx, r, fmt.Sprintf("job %d", i)) })
			if err != nil {
				t.Errorf("job %d wasn't accepted: %v", i, err)
				return
			}
			ids[i] = j.ID
			cancelled := false
			if i%5 == 4 {
				time.Sleep(time.Duration(i/5) * 10 * time.Millisecond) // waiting, at work, or ended
				_, err := persist(ctx, func() (client.Job, error) { return c.Cancel(ctx, "proof", j.ID) })
				var p *client.Problem
				if cancelled = err == nil; err != nil && !(errors.As(err, &p) && p.Status == http.StatusConflict) {
					t.Errorf("job %d wasn't cancelled: %v", i, err)
				}
			}
			finals := map[string]bool{}
			j, err = c.Wait(ctx, j, func(j client.Job) {
				if j.Final() {
					finals[fmt.Sprint(j.State, j.Attempt, j.Finished)] = true
				}
			})
			want := "succeeded"
			if cancelled {
				want = "cancelled"
			}
			if states[i] = j.State; err != nil || j.State != want || len(finals) > 1 {
				t.Errorf("job %d isn't %s: %+v, %+v, %v, %v", i, want, j, j.Failure, finals, err)
			}
		})
	}
	for range kills {
		time.Sleep(time.Duration(200+rand.IntN(800)) * time.Millisecond)
		p := programs[rand.IntN(len(programs))]
		if rand.IntN(2) == 0 && p.killChild() {
			continue
		}
		p.kill()
		p.start()
	}
	clients.Wait()

	distinct, again, cancelled := map[string]bool{}, 0, 0
	for i, id := range ids {
		if states[i] == "cancelled" {
			cancelled++
		}
		if distinct[id] = true; states[i] != "succeeded" {
			continue // nothing to verify, or told above
		}
		proof, err := persist(ctx, func() (*prover.Proof, error) {
			var text bytes.Buffer
			if err := c.Proof(ctx, id, &text); err != nil {
				return nil, err
			}
			return prover.ReadProof(&text)
		})
		if err != nil {
			t.Errorf("job %d: %v", i, err)
			continue
		}
		word, _ := zkml.ParseContext(fmt.Sprint(i + 1))
		if _, err := zkml.Verify(vk, proof, zkml.Expectation{Context: &word, AllowDevelopmentSRS: true}); err != nil {
			t.Errorf("job %d: %v", i, err)
		}
	}
	page, err := persist(ctx, func() (client.Jobs, error) { return c.List(ctx, "proof", nil) })
	for _, j := range page.Jobs {
		if j.Attempt > 1 {
			again++
		}
	}
	t.Logf("%d jobs, %d kills, %d jobs were taken over, %d cancelled", jobs, kills, again, cancelled)
	if cancelled == 0 {
		t.Error("no job was cancelled")
	}
	if err != nil || len(page.Jobs) != jobs || len(distinct) != jobs {
		t.Errorf("%d jobs in the service's list, %d in the client's, %d were submitted; %v", len(page.Jobs), len(distinct), jobs, err)
	}
}

// freeAddress returns an address that nothing listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startNATS runs a NATS that other programs reach.
func startNATS(t *testing.T, folder string) string {
	t.Helper()
	ns, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: folder, SyncAlways: true, NoSigs: true, NoLog: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() {
		ns.Shutdown()
		ns.WaitForShutdown()
	})
	if !ns.ReadyForConnections(20 * time.Second) {
		t.Fatal("nats isn't ready")
	}
	return ns.ClientURL()
}
