package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/service/child"
	"github.com/zkml-go/zkml/service/client"
)

// place is where a service of a test keeps what it has.
type place struct {
	t    *testing.T
	dir  string
	log  *os.File
	env  []string
	args []string // of every program of the service
}

func newPlace(t *testing.T) *place {
	t.Helper()
	dir := t.TempDir()
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, dir: dir, log: log}
	t.Cleanup(func() {
		if text := p.text(); t.Failed() {
			t.Logf("the programs' log:\n%s", text[max(0, len(text)-10000):])
		}
		log.Close()
	})
	p.env = append(os.Environ(), srs.CacheVariable+"="+filepath.Join(dir, "cache"))
	p.args = []string{"--data", filepath.Join(dir, "data"), "--operator-key", filepath.Join(dir, "key"), "--insecure-dev-srs"}
	return p
}

// text is what the programs logged.
func (p *place) text() string {
	text, _ := os.ReadFile(p.log.Name())
	return string(text)
}

// run starts a program of the service, which is killed at the test's end.
func (p *place) run(args ...string) *process {
	p.t.Helper()
	program := &process{t: p.t, args: append(args, p.args...), env: p.env, log: p.log}
	program.start()
	p.t.Cleanup(program.kill)
	return program
}

// terminate sends SIGTERM and waits for the program's end, which has to be a good one.
func (p *process) terminate() {
	p.t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.cmd.Wait(); err != nil {
		p.t.Error("after SIGTERM:", err)
	}
}

// logged waits until the programs logged a text so many times.
func (p *place) logged(text string, times int) {
	p.t.Helper()
	for begin := time.Now(); strings.Count(p.text(), text) < times; time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			p.t.Fatalf("%q isn't logged %d times", text, times)
		}
	}
}

// modelFile reads one of a trained model's files.
func modelFile(t *testing.T, model, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../testdata", model, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// buildModel has a service compile a model. It doesn't wait.
func buildModel(ctx context.Context, t *testing.T, c *client.Client, model string) client.Job {
	t.Helper()
	r := client.BuildRequest{ONNX: &client.Source{Data: modelFile(t, model, "model.onnx")}, Samples: &client.Source{Data: modelFile(t, model, "samples.json")}}
	j, err := persist(ctx, func() (client.Job, error) { return c.Build(ctx, r, model) })
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// submitted submits proofs of a model.
func submitted(ctx context.Context, t *testing.T, c *client.Client, model, folder string, n int) (jobs []client.Job) {
	t.Helper()
	r := client.ProofRequest{Model: model, Inputs: json.RawMessage(modelFile(t, folder, "input.json"))}
	for i := range n {
		j, err := persist(ctx, func() (client.Job, error) { return c.Prove(ctx, r, fmt.Sprint(i)) })
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, j)
	}
	return jobs
}

// TestDrain ends a service by SIGTERM in the midst of proofs: the one at work is finished,
// and the others later, each at the first attempt.
func TestDrain(t *testing.T) {
	p := newPlace(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	address := freeAddress(t)
	c := client.New("http://"+address, "")
	serve := p.run("serve", "--no-auth", "--listen", address)
	build, err := ended(c.Wait(ctx, buildModel(ctx, t, c, "diabetes"), nil))
	if err != nil {
		t.Fatal(err)
	}
	jobs := submitted(ctx, t, c, build.Model, "diabetes", 5)
	p.logged(`"job started"`, 3) // the build, and two proofs
	serve.terminate()
	text := p.text()
	if started, ended := strings.Count(text, `"job started"`), strings.Count(text, `"job succeeded"`); started != ended || strings.Contains(text, "given back") {
		t.Errorf("%d jobs were started, %d finished", started, ended)
	}
	p.run("serve", "--no-auth", "--listen", address)
	for _, j := range jobs {
		if j, err := c.Wait(ctx, j, nil); err != nil || j.State != "succeeded" || j.Attempt != 1 {
			t.Errorf("%+v, %v", j, err)
		}
	}
}

// TestGiveBack ends a worker that has no time to finish: another one has the job at once, not
// when the first is missed.
func TestGiveBack(t *testing.T) {
	p := newPlace(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	address, url := freeAddress(t), startNATS(t, filepath.Join(p.dir, "nats"))
	const takeover = 10 * time.Minute
	p.run("serve", "--no-auth", "--listen", address, "--no-worker", "--nats", url, "--takeover", takeover.String())
	workers := [2]*process{}
	for i := range workers {
		workers[i] = p.run("worker", "--nats", url, "--grace", "1ms", "--takeover", takeover.String())
	}
	c := client.New("http://"+address, "")
	j := buildModel(ctx, t, c, "lenet5") // some seconds
	p.logged(`"job started"`, 1)
	holder := workers[0]
	if strings.Contains(p.text(), fmt.Sprintf(`-%d","job":`, workers[1].cmd.Process.Pid)) {
		holder = workers[1]
	}
	begin := time.Now()
	holder.terminate()
	p.logged(`"job given back"`, 1)
	p.logged(`"job started"`, 2)
	t.Log("the other worker began after", time.Since(begin))
	j, err := c.Get(ctx, "build", j.ID)
	if err != nil || j.State != "running" || j.Attempt != 2 {
		t.Errorf("%+v, %v", j, err)
	}
	if _, err := c.Cancel(ctx, "build", j.ID); err != nil {
		t.Error(err)
	}
}

// TestWorkerEnds kills the worker of a service: the next one has its job at once, not when
// the first is missed.
func TestWorkerEnds(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the worker's process is found as Linux tells it")
	}
	p := newPlace(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	address := freeAddress(t)
	serve := p.run("serve", "--no-auth", "--listen", address, "--takeover", "10m")
	c := client.New("http://"+address, "")
	j := buildModel(ctx, t, c, "lenet5") // some seconds
	p.logged(`"job started"`, 1)
	begin := time.Now()
	if !serve.killChild() {
		t.Fatal("there is no worker")
	}
	p.logged(`"job started"`, 2)
	t.Log("the next worker began after", time.Since(begin))
	j, err := c.Get(ctx, "build", j.ID)
	if err != nil || j.State != "running" || j.Attempt != 2 {
		t.Errorf("%+v, %v", j, err)
	}
	if _, err := c.Cancel(ctx, "build", j.ID); err != nil {
		t.Error(err)
	}
}

// TestLargestJob lets jobs need what some worker of the service may have.
func TestLargestJob(t *testing.T) {
	for _, c := range []struct {
		name  string
		args  []string
		share bool
		want  int64
	}{
		{"the only worker", nil, true, 4 << 30},
		{"the only worker, told", []string{"--memory=8192"}, true, 8 << 30},
		{"workers elsewhere", []string{"--nats=nats://n1"}, false, 16 << 30},
		{"workers elsewhere too", []string{"--nats=nats://n1"}, true, 16 << 30},
		{"no worker yet", nil, false, 16 << 30},
		{"no bound", []string{"--memory=0"}, true, 16 << 30},
		{"workers elsewhere, told", []string{"--nats=nats://n1", "--memory=65536"}, false, 64 << 30},
	} {
		t.Setenv(natsVariable, "")
		var f serviceFlags
		flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
		f.add(flags)
		f.addWorker(flags)
		if err := flags.Parse(c.args); err != nil {
			t.Fatal(err)
		}
		config, err := f.config(&app{stderr: io.Discard})
		if err != nil {
			t.Fatal(err)
		}
		config.Share = c.share
		if got := largestJob(&config, flags.Changed("memory")); got != c.want {
			t.Errorf("%s: %d MiB, want %d", c.name, got>>20, c.want>>20)
		}
	}
}

// TestWorkerName tells workers apart whose host and process have the same names.
func TestWorkerName(t *testing.T) {
	names := map[string]bool{}
	for range 10 {
		names[workerName(newTag(), 1)] = true
	}
	if len(names) != 10 {
		t.Errorf("ten workers have the names %v", names)
	}
}

// TestHopeless has a worker of serve say that none would do better only where its command line
// is wrong.
func TestHopeless(t *testing.T) {
	for _, c := range []struct {
		name       string
		supervised bool
		err        error
		want       int
	}{
		{"a worker's command line", true, usagef("--device none"), child.Hopeless},
		{"a file that a worker lacks", true, fs.ErrNotExist, exitUsage},
		{"another command line", false, usagef("--device none"), exitUsage},
	} {
		a := &app{stdout: io.Discard, stderr: io.Discard, supervised: c.supervised}
		if code := a.fail(c.err); code != c.want {
			t.Errorf("%s: exit code %d, want %d", c.name, code, c.want)
		}
	}
	args := []string{"worker", "--" + supervised, "--device", "none"}
	r, w := io.Pipe() // stays open: the parent is there
	go io.WriteString(w, "tag nats://127.0.0.1:1\n")
	if code := run(args, r, io.Discard, io.Discard); code != child.Hopeless {
		t.Errorf("%q: exit code %d", args, code)
	}
}

// TestRestart kills a service that has 100 jobs queued: the next one does them all.
// It costs 5 s of CPU, for the proofs.
func TestRestart(t *testing.T) {
	if testing.Short() {
		t.Skip("100 proofs")
	}
	p := newPlace(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	address := freeAddress(t)
	c := client.New("http://"+address, "")
	serve := p.run("serve", "--no-auth", "--listen", address)
	build, err := ended(c.Wait(ctx, buildModel(ctx, t, c, "diabetes"), nil))
	if err != nil {
		t.Fatal(err)
	}
	serve.kill()
	serve = p.run("serve", "--no-auth", "--listen", address, "--no-worker")
	jobs := submitted(ctx, t, c, build.Model, "diabetes", 100)
	serve.kill()
	p.run("serve", "--no-auth", "--listen", address)
	for _, j := range jobs {
		if j, err := c.Wait(ctx, j, nil); err != nil || j.State != "succeeded" || j.Attempt != 1 {
			t.Errorf("%+v, %v", j, err)
		}
	}
}

// certificate writes a certificate for 127.0.0.1 that signs itself, and its key.
func certificate(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: public}, key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// TestTLS serves with a certificate, to those who trust it and speak TLS 1.2 at least.
func TestTLS(t *testing.T) {
	p := newPlace(t)
	cert, key := certificate(t, p.dir, "good")
	_, otherKey := certificate(t, p.dir, "other")
	for _, c := range []struct{ name, cert, key, want string }{
		{"no certificate", filepath.Join(p.dir, "none.pem"), key, "none.pem: no such file"},
		{"no key", cert, filepath.Join(p.dir, "none.key"), "none.key: no such file"},
		{"another key", cert, otherKey, "private key does not match"},
		{"a key as the certificate", key, key, "PEM"},
		{"a certificate alone", cert, "", "belong together"},
	} {
		cmd := exec.Command("zkml", append([]string{"serve", "--no-auth", "--listen", "127.0.0.1:0", "--tls-cert", c.cert, "--tls-key", c.key}, p.args...)...)
		text, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != exitUsage || !strings.Contains(string(text), c.want) {
			t.Errorf("%s: %v: %s", c.name, err, text)
		}
	}

	address := freeAddress(t)
	serve := p.run("serve", "--no-auth", "--no-worker", "--listen", address, "--tls-cert", cert, "--tls-key", key)
	p.logged("listening on https://", 1)
	trusted := x509.NewCertPool()
	if data, err := os.ReadFile(cert); err != nil || !trusted.AppendCertsFromPEM(data) {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, scheme string
		config       *tls.Config
		status       int // 0 for no answer
	}{
		{"trusted", "https", &tls.Config{RootCAs: trusted}, 200},
		{"not trusted", "https", &tls.Config{RootCAs: x509.NewCertPool()}, 0},
		{"old TLS", "https", &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, 0},
		{"no TLS", "http", nil, 400},
	} {
		h := &http.Client{Transport: &http.Transport{TLSClientConfig: c.config, DisableKeepAlives: true}}
		status := 0
		answer, err := h.Get(c.scheme + "://" + address + "/healthz")
		if err == nil {
			status = answer.StatusCode
			answer.Body.Close()
		}
		if status != c.status {
			t.Errorf("%s: status %d, %v", c.name, status, err)
		}
	}
	// The command trusts what the system trusts.
	for file, ok := range map[string]bool{cert: true, filepath.Join(p.dir, "other.pem"): false} {
		cmd := exec.Command("zkml", "job", "ls", "--server", "https://"+address)
		cmd.Env = append(p.env, "SSL_CERT_FILE="+file, "SSL_CERT_DIR="+p.dir+"/none")
		if text, err := cmd.CombinedOutput(); (err == nil) != ok || !ok && !bytes.Contains(text, []byte("certificate")) {
			t.Errorf("with %s: %v: %s", file, err, text)
		}
	}
	serve.terminate()
}

// TestReadmeService runs the README's two commands of a service, in the folder of the
// others, on a free address: the client verifies the proof of LeNet-5.
func TestReadmeService(t *testing.T) {
	if testing.Short() {
		t.Skip("a proof of LeNet-5 takes half a minute")
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	var commands [][]string
	for line := range strings.Lines(string(text)) {
		if command, ok := strings.CutPrefix(line, "    zkml "); ok && (strings.HasPrefix(command, "serve ") || strings.HasPrefix(command, "job ")) {
			commands = append(commands, strings.Fields(command))
		}
	}
	if len(commands) != 2 || commands[0][0] != "serve" || commands[1][0] != "job" || !strings.Contains(strings.Join(commands[1], " "), "lenet5") {
		t.Fatalf("the README has %q: want a service and a job", commands)
	}
	folder, address := readmeFolder(t), freeAddress(t)
	env := append(os.Environ(), serverVariable+"=http://"+address, "HOME="+folder, "XDG_CONFIG_HOME="+filepath.Join(folder, "config"))
	serve := exec.Command("zkml", append(commands[0], "--listen", address)...)
	serve.Dir, serve.Env = folder, env
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	defer serve.Wait()
	defer serve.Process.Kill()
	job := exec.Command("zkml", commands[1]...)
	job.Dir, job.Env = folder, env
	out, err := job.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "proof.json: proved by the service, verified here\n") {
		t.Errorf("%v\n%s", err, out)
	}
}
