package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/service"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/service/internal/fault"
)

// badDisk does to the files that are made next what it was told, one after the other.
type badDisk struct {
	blob.Disk
	mu   sync.Mutex
	plan []string // good, full, late: full after some bytes, rotten: a bit turns over
}

func (d *badDisk) Create(name string) (blob.File, error) {
	file, err := d.Disk.Create(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil || len(d.plan) == 0 {
		return file, err
	}
	next := d.plan[0]
	d.plan = d.plan[1:]
	return &badFile{File: file, fate: next}, nil
}

func (d *badDisk) next(plan ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.plan = plan
}

// left is what hasn't happened yet.
func (d *badDisk) left() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.plan)
}

type badFile struct {
	blob.File
	fate string
}

func (f *badFile) Write(p []byte) (int, error) {
	switch f.fate {
	case "full":
		return 0, &fs.PathError{Op: "write", Path: "blob", Err: syscall.ENOSPC}
	case "late":
		n, _ := f.File.Write(p[:len(p)/2])
		return n, &fs.PathError{Op: "write", Path: "blob", Err: syscall.ENOSPC}
	case "rotten":
		p = bytes.Clone(p)
		p[len(p)/2] ^= 4
		f.fate = "good"
	}
	return f.File.Write(p)
}

// bad starts a service with such a disk.
func bad(t *testing.T) (*world, *badDisk, *client.Client) {
	t.Helper()
	disk := &badDisk{}
	w := start(t, func(c *service.Config) {
		c.NoAuth = true
		c.Queue.Policy.Backoff = 200 * time.Millisecond
		c.Disk = func(d blob.Disk) blob.Disk {
			disk.Disk = d
			return disk
		}
	})
	return w, disk, client.New(w.base, "")
}

// simple has the service compile the diabetes network, all public. The key makes it a job of
// its own.
func simple(t *testing.T, c *client.Client, key string) client.Job {
	t.Helper()
	r := client.BuildRequest{ONNX: &client.Source{Data: model(t, "diabetes/model.onnx")}, Samples: &client.Source{Data: model(t, "diabetes/samples.json")}}
	j, err := c.Build(t.Context(), r, key)
	if err == nil {
		j, err = c.Wait(t.Context(), j, nil)
	}
	if err != nil || j.State != "succeeded" {
		t.Fatalf("%+v %+v, %v", j, j.Failure, err)
	}
	return j
}

// request is one for a proof of it.
func request(t *testing.T, build client.Job) client.ProofRequest {
	return client.ProofRequest{Model: build.Model, Inputs: json.RawMessage(model(t, "diabetes/input.json"))}
}

// verified fetches the proof of a job and wants it to be good.
func verified(t *testing.T, c *client.Client, j client.Job) {
	t.Helper()
	var text bytes.Buffer
	if err := c.Proof(t.Context(), j.ID, &text); err != nil {
		t.Fatal(err)
	}
	if _, err := prover.ReadProof(bytes.NewReader(text.Bytes())); err != nil {
		t.Fatal(err)
	}
	if v, err := c.Verify(t.Context(), client.VerifyRequest{Model: j.Model, Proof: text.Bytes()}); err != nil || !v.Accepted {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestBlobDiskFull fills the disk of the blobs before jobs are accepted, and while they run.
func TestBlobDiskFull(t *testing.T) {
	w, disk, c := bad(t)
	build := simple(t, c, "first")
	r := request(t, build)
	for _, fate := range []string{"full", "late"} {
		disk.next(fate)
		wantStatus(t, fate, func() error { _, err := c.Prove(t.Context(), r, fate); return err }, 500)
	}
	if page, err := c.List(t.Context(), "proof", nil); err != nil || len(page.Jobs) != 0 {
		t.Errorf("accepted without its inputs: %+v, %v", page, err)
	}
	for i, plan := range [][]string{{"good", "full", "late", "full"}, {"good", "late"}} { // the inputs, then proofs
		disk.next(plan...)
		j, err := c.Prove(t.Context(), r, fmt.Sprint(i))
		if err == nil {
			j, err = c.Wait(t.Context(), j, nil)
		}
		if err != nil || j.State != "succeeded" || j.Attempt != uint64(len(plan)) {
			t.Fatalf("%v: %+v %+v, %v", plan, j, j.Failure, err)
		}
		verified(t, c, j)
	}
	disk.next("good", "full", "full", "full", "full", "full") // for longer than the policy has patience
	j, err := c.Prove(t.Context(), r, "long")
	if err == nil {
		j, err = c.Wait(t.Context(), j, nil)
	}
	if err != nil || j.State != "failed" || j.Failure.Fault != "infrastructure" || !j.Failure.Retry || disk.left() != 1 {
		t.Errorf("%+v %+v, %v, left %d", j, j.Failure, err, disk.left())
	}
	if left, err := os.ReadDir(filepath.Join(w.data, "blobs", "incomplete")); err != nil || len(left) != 0 {
		t.Errorf("left incomplete: %v, %v", left, err)
	}
}

// TestRecordDiskFull fills the disk of the records, while jobs are accepted and done. What
// was accepted is done when there is room again.
func TestRecordDiskFull(t *testing.T) {
	if !fault.Alone(t) {
		return
	}
	_, _, c := bad(t)
	r := request(t, simple(t, c, "first"))
	accepted := make(chan client.Job, 12)
	var clients sync.WaitGroup
	for i := range cap(accepted) {
		clients.Go(func() {
			time.Sleep(time.Duration(i) * 30 * time.Millisecond)
			for {
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				j, err := c.Prove(ctx, r, fmt.Sprint(i))
				cancel()
				if err == nil {
					accepted <- j
					return
				}
				if t.Context().Err() != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
	time.Sleep(150 * time.Millisecond)
	empty, err := fault.FillDisk()
	if err != nil {
		t.Fatal(err)
	}
	defer empty()
	time.Sleep(2 * time.Second)
	empty()
	clients.Wait()
	close(accepted)
	ids := map[string]bool{}
	for j := range accepted {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		j, err := c.Wait(ctx, j, nil)
		if err != nil || j.State != "succeeded" {
			t.Fatalf("%+v %+v, %v", j, j.Failure, err)
		}
		verified(t, c, j)
		ids[j.ID] = true
	}
	page, err := c.List(t.Context(), "proof", nil)
	if err != nil || len(page.Jobs) != len(ids) || len(ids) != cap(accepted) {
		t.Errorf("%d jobs, %d accepted, %v", len(page.Jobs), len(ids), err)
	}
}

// TestDamage has bits turn over on the disk: in inputs, a proof, and a model with its keys. A
// job that meets one fails by the right cause, and none has a wrong result; what is stored
// again is whole again.
func TestDamage(t *testing.T) {
	w, disk, c := bad(t)
	build := simple(t, c, "first")
	r := request(t, build)
	prove := func(key string) client.Job {
		t.Helper()
		j, err := c.Prove(t.Context(), r, key)
		if err == nil {
			j, err = c.Wait(t.Context(), j, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	damaged := func(what string, j client.Job) {
		t.Helper()
		if j.State != "failed" || j.Failure.Code != "damaged" || j.Failure.Fault != "infrastructure" || j.Attempt != 1 {
			t.Errorf("%s: %+v %+v", what, j, j.Failure)
		}
	}
	// All of the model that a worker without it in memory reads.
	public, err := filepath.Glob(filepath.Join(w.data, "blobs", "public", "*", "*"))
	if err != nil || len(public) < 3 {
		t.Fatal(public, err)
	}
	met := 0
	for i, path := range public {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rotten := bytes.Clone(whole)
		rotten[len(rotten)/3] ^= 1
		if err := os.WriteFile(path, rotten, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := c.VerifyingKey(t.Context(), build.Model, io.Discard); err != nil {
			met++
			simple(t, c, fmt.Sprint("again ", i)) // makes the same files
			if err := c.VerifyingKey(t.Context(), build.Model, io.Discard); err != nil {
				t.Errorf("the verifying key after another build: %v", err)
			}
			continue
		}
		if j := prove(fmt.Sprint("model ", i)); j.State != "succeeded" {
			damaged(filepath.Base(path), j)
			met++
		}
		digest := filepath.Base(path)
		d, _ := blob.ParseDigest(digest)
		if err := put(t, w.base, digest, whole); err != nil {
			t.Error(err)
		}
		if got, err := os.ReadFile(path); err != nil || blob.Sum(got) != d {
			t.Errorf("stored again, %s is still damaged", digest)
		}
	}
	if met != 3 {
		t.Errorf("%d of the model, its proving and its verifying key were found damaged", met)
	}

	disk.next("rotten") // the inputs
	damaged("inputs", prove("inputs"))
	disk.next("good", "rotten") // the proof
	j := prove("proof")
	if j.State != "succeeded" {
		t.Fatalf("%+v %+v", j, j.Failure)
	}
	var text bytes.Buffer
	if err := c.Proof(t.Context(), j.ID, &text); err == nil {
		t.Error("a damaged proof was handed out as whole")
	}
	if j := prove("whole"); j.State != "succeeded" {
		t.Errorf("%+v %+v", j, j.Failure)
	} else {
		verified(t, c, j)
	}
}

// put uploads a blob.
func put(t *testing.T, base, digest string, data []byte) error {
	t.Helper()
	answer, err := do(t, "PUT", base+"/v1/blobs/"+digest, data)
	if err == nil && answer >= 300 {
		err = errors.New(fmt.Sprint("status ", answer))
	}
	return err
}

// do makes a request and returns the answer's status.
func do(t *testing.T, method, url string, body []byte) (int, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}
