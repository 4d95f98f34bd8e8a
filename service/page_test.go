package service_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/client"
)

// browser returns a command for a page in headless Chromium.
func browser(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			args = append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
				"--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
				"--user-data-dir=" + t.TempDir(), "--window-size=1280,900"}, args...)
			return exec.CommandContext(t.Context(), path, args...)
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("there is no Chromium: install it (on Debian, apt-get install chromium)")
	}
	t.Skip("the status page is looked at in Chromium, which isn't installed")
	return nil
}

// look returns what a browser makes of a page, as text and tags. A page that a browser
// complains about fails the test: what its policy forbids is told there.
func look(t *testing.T, page string) string {
	t.Helper()
	cmd := browser(t, "--dump-dom", page)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	dom, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, complaints.String())
	}
	for line := range strings.Lines(complaints.String()) {
		if strings.Contains(line, "CONSOLE") {
			t.Errorf("%s: %s", page, line)
		}
	}
	return string(dom)
}

// contain wants all of these texts in a page.
func contain(t *testing.T, name, dom string, want ...string) {
	t.Helper()
	for _, text := range want {
		if !strings.Contains(dom, text) {
			t.Errorf("%s has no %q:\n%s", name, text, dom)
		}
	}
}

// TestPage looks at the status page in a browser, with two tenants' keys.
func TestPage(t *testing.T) {
	browser(t)
	w := start(t, nil)
	ctx := t.Context()
	token, _ := w.token("alice", 0, access.Prove, access.Read)
	other, _ := w.token("bob", 0, access.Read)
	operator, _ := w.token("root", 0, access.Read, access.Admin)
	c := client.New(w.base, token)
	build := built(t, c)
	inputs := json.RawMessage(model(t, "diabetes/input.json"))
	proof, err := c.Prove(ctx, client.ProofRequest{Model: build.Model, Inputs: inputs, Context: "0x2a"}, "")
	if err == nil {
		proof, err = c.Wait(ctx, proof, nil)
	}
	if err != nil || proof.State != "succeeded" {
		t.Fatalf("%+v, %v", proof, err)
	}
	hostile, err := c.Build(ctx, client.BuildRequest{
		ONNX: &client.Source{Data: []byte("no model")}, Options: client.Options{Name: "<script>alert(1)</script>"},
	}, "")
	if err == nil {
		hostile, err = c.Wait(ctx, hostile, nil)
	}
	if err != nil || hostile.State != "failed" {
		t.Fatalf("%+v, %v", hostile, err)
	}
	as := func(token, path string) string {
		u, err := url.Parse(w.base + path)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword("me", token)
		return u.String()
	}

	overview := look(t, as(token, "/"))
	contain(t, "the overview", overview, proof.ID[:12], build.ID[:12], "succeeded", "failed: model", "<title>proving: openings: ", "<title>compiling: ")
	if n := strings.Count(overview, "<tr>"); n != 2+3+1 {
		t.Errorf("the overview has %d rows, want two heads, three jobs and a model:\n%s", n, overview)
	}
	contain(t, "the proof's page", look(t, as(token, "/jobs/proof/"+proof.ID)),
		"accepted", "anyone can forge its proofs", "0x2a", "output progression", "digest 0x", "loading the model", "proof.json")
	contain(t, "the failure's page", look(t, as(token, "/jobs/build/"+hostile.ID)), "user, code model", "trying again won't help")
	contain(t, "the operator's page", look(t, as(operator, "/")), `id="workers"`, "4.0 GiB", " ago")
	if strings.Contains(overview, "Workers") {
		t.Errorf("alice sees the workers:\n%s", overview)
	}
	if dom := look(t, as(other, "/")); strings.Contains(dom, proof.ID[:12]) || !strings.Contains(dom, "None yet") {
		t.Errorf("bob sees:\n%s", dom)
	}
	shot := filepath.Join(t.TempDir(), "page.png")
	if out, err := browser(t, "--screenshot="+shot, as(token, "/")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if info, err := os.Stat(shot); err != nil || info.Size() < 10_000 {
		t.Errorf("the page's picture: %v, %v", info, err)
	}
	if keep := os.Getenv("ZKML_KEEP_PAGE"); keep != "" {
		browser(t, "--screenshot="+filepath.Join(keep, "proof.png"), as(token, "/jobs/proof/"+proof.ID)).Run()
		data, _ := os.ReadFile(shot)
		os.WriteFile(filepath.Join(keep, "overview.png"), data, 0o644)
	}

	status := func(token, path string) *http.Response {
		t.Helper()
		request, err := http.NewRequest(http.MethodGet, w.base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			request.SetBasicAuth("me", token)
		}
		answer, err := (&http.Client{Timeout: time.Minute}).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { answer.Body.Close() })
		return answer
	}
	for _, c := range []struct {
		name, token, path string
		status            int
	}{
		{"no key", "", "/", 401},
		{"no key for a proof", "", "/jobs/proof/" + proof.ID + "/proof.json", 401},
		{"another key", token + "x", "/", 401},
		{"another tenant's job", other, "/jobs/proof/" + proof.ID, 404},
		{"another tenant's proof", other, "/jobs/proof/" + proof.ID + "/proof.json", 404},
		{"no job", token, "/jobs/proof/aaaaaaaaaaaaaaaaaaaaaaaaaa", 404},
		{"no job's name", token, "/jobs/proof/..%2f..%2fqueue", 404},
		{"no kind", token, "/jobs/secret/" + proof.ID, 404},
		{"no page", token, "/jobs", 404},
	} {
		answer := status(c.token, c.path)
		if answer.StatusCode != c.status {
			t.Errorf("%s: status %d, want %d", c.name, answer.StatusCode, c.status)
		}
		if asks := answer.Header.Get("WWW-Authenticate") != ""; asks != (c.status == 401) {
			t.Errorf("%s: asks for a key: %v", c.name, asks)
		}
	}
	answer := status(token, "/jobs/proof/"+proof.ID+"/proof.json")
	if data, _ := io.ReadAll(answer.Body); !json.Valid(data) {
		t.Errorf("proof.json: %d, %.80s", answer.StatusCode, data)
	}
	if p := answer.Header.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") {
		t.Errorf("policy %q", p)
	}
}
