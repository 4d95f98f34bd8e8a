package chaos_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/service/internal/chaos"
)

// TestMain has the test's program be a NATS node where it is asked to.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "node" {
		if err := chaos.RunNode(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

const model = "../../../testdata/diabetes"

// built is the folder of the commands once programs has made it.
var built string

// programs builds the commands and returns their folder.
var programs = sync.OnceValues(func() (folder string, err error) {
	if folder, err = os.MkdirTemp("", "zkml-programs-"); err != nil {
		return "", err
	}
	built = folder
	build := exec.Command("go", "build", "-o", folder+string(filepath.Separator), "github.com/zkml-go/zkml/cmd/zkml", "github.com/zkml-go/zkml/service/internal/load/loadclient")
	if out, err := build.CombinedOutput(); err != nil {
		return folder, fmt.Errorf("%w\n%s", err, out)
	}
	return folder, nil
})

// bench is where a test's programs work. What they said is told if it fails.
func bench(t *testing.T) *chaos.Bench {
	t.Helper()
	commands, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		log.Close()
		if text, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("the programs' log:\n%s", text[max(0, len(text)-20000):])
		}
	})
	b := &chaos.Bench{
		Zkml: []string{filepath.Join(commands, "zkml")}, Load: []string{filepath.Join(commands, "loadclient")}, Node: []string{os.Args[0], "node"},
		Folder: folder, Log: log, Seed: uint64(time.Now().UnixNano()),
	}
	t.Logf("seed %d", b.Seed)
	return b
}

// TestStorm is a short one: make chaos has the long one. The client's list is what counts.
func TestStorm(t *testing.T) {
	if testing.Short() {
		t.Skip("takes most of a minute")
	}
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	r, err := bench(t).Storm(ctx, chaos.Storm{
		Model: model, Jobs: 24, Clients: 3, Kills: 5, Stalls: 1, Cuts: 1, Takeover: 2 * time.Second, CutTime: 4 * time.Second,
	})
	if r != nil {
		t.Logf("%d jobs, %d taken over, killed %v", r.Jobs, r.TakenOver, r.Kills)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	if r.Crashes > 0 {
		t.Errorf("programs ended by themselves %d times", r.Crashes)
	}
}

// TestStalledWorker freezes a worker in the middle of a proof, for longer than it may be
// silent. Another one takes the job over and ends it; what the first one does when it wakes up
// changes nothing.
func TestStalledWorker(t *testing.T) {
	t.Parallel()
	b := bench(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s, err := b.Serve(ctx, "stall", "--no-worker", "--takeover", "1s", "--nats", node(t, b))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Kill()
	workers := [2]*chaos.Process{}
	for i := range workers {
		workers[i] = b.Worker(s, fmt.Sprint(i))
		defer workers[i].Kill()
	}
	if err := workers[0].Start(); err != nil {
		t.Fatal(err)
	}
	c := s.Client
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(model, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	build, err := c.Build(ctx, client.BuildRequest{ONNX: &client.Source{Data: read("model.onnx")}, Samples: &client.Source{Data: read("samples.json")}}, "")
	if err == nil {
		build, err = c.Wait(ctx, build, nil)
	}
	if err != nil || build.State != "succeeded" {
		t.Fatalf("%+v, %v", build, err)
	}
	request := client.ProofRequest{Model: build.Model, Inputs: json.RawMessage(read("input.json"))}
	var j client.Job
	for caught := false; !caught; {
		if j, err = c.Prove(ctx, request, ""); err != nil {
			t.Fatal(err)
		}
		for j.State == "queued" {
			if j, err = c.Get(ctx, "proof", j.ID); err != nil {
				t.Fatal(err)
			}
		}
		workers[0].Freeze()
		time.Sleep(200 * time.Millisecond) // what it sent before arrives
		if j, err = c.Get(ctx, "proof", j.ID); err != nil {
			t.Fatal(err)
		}
		if caught = j.State == "running"; !caught {
			workers[0].Thaw() // it was faster
		}
	}
	if err := workers[1].Start(); err != nil {
		t.Fatal(err)
	}
	if j, err = c.Wait(ctx, j, nil); err != nil || j.State != "succeeded" || j.Attempt != 2 {
		t.Fatalf("%+v %+v, %v", j, j.Failure, err)
	}
	proof := func() []byte {
		var text bytes.Buffer
		if err := c.Proof(ctx, j.ID, &text); err != nil {
			t.Fatal(err)
		}
		return text.Bytes()
	}
	before := proof()
	workers[0].Thaw()
	woke := func() bool {
		text, err := os.ReadFile(filepath.Join(b.Folder, "log"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, j.ID) && strings.Contains(line, `"attempt":1`) && (strings.Contains(line, "dropped") || strings.Contains(line, "wasn't recorded")) {
				return true
			}
		}
		return false
	}
	for !woke() {
		select {
		case <-ctx.Done():
			t.Fatal("the worker doesn't wake up")
		case <-time.After(100 * time.Millisecond):
		}
	}
	after, err := c.Get(ctx, "proof", j.ID)
	if err != nil || after.State != j.State || after.Attempt != j.Attempt || !after.Finished.Equal(*j.Finished) || !bytes.Equal(proof(), before) {
		t.Errorf("the job was %+v and is %+v, %v", j, after, err)
	}
}

// node starts one NATS that other programs reach and returns its URL.
func node(t *testing.T, b *chaos.Bench) string {
	t.Helper()
	cluster, err := chaos.StartCluster(filepath.Join(b.Folder, "nats"), b.Node, b.Log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster.URL()
}
