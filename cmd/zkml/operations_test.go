package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// TestOperations holds the files for operators to what the command takes.
func TestOperations(t *testing.T) {
	root := (&app{stdout: io.Discard, stderr: io.Discard}).root()
	var commands int
	for _, name := range []string{"README.md", "zkml-serve.service", "zkml-worker.service", "Containerfile"} {
		data, err := os.ReadFile(filepath.Join("../../deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			words := commandOf(line)
			if words == nil {
				continue
			}
			commands++
			cmd, rest, err := root.Find(words)
			if err != nil || cmd == root {
				t.Errorf("%s: %q: %v", name, line, err)
				continue
			}
			for _, word := range rest {
				flag, ok := strings.CutPrefix(word, "--")
				flag, _, _ = strings.Cut(flag, "=")
				if ok && cmd.Flags().Lookup(flag) == nil && cmd.InheritedFlags().Lookup(flag) == nil {
					t.Errorf("%s: %q: there is no flag --%s", name, strings.TrimSpace(line), flag)
				}
			}
		}
	}
	if commands < 8 {
		t.Errorf("found %d commands in the files", commands)
	}
}

// execPattern finds a command in a unit, in an image and in a paragraph of code.
var execPattern = regexp.MustCompile(`^(?:ExecStart=/usr/local/bin/zkml |CMD \["|    (?:[A-Z_]+=\S+ )*zkml )(.*)`)

// commandOf returns the words after the name of the command, if a line is a call of it.
func commandOf(line string) []string {
	found := execPattern.FindStringSubmatch(strings.TrimRight(line, "\n"))
	if found == nil {
		return nil
	}
	return strings.Fields(strings.NewReplacer(`", "`, " ", `"]`, "").Replace(found[1]))
}

// TestUnits has systemd read the units.
func TestUnits(t *testing.T) {
	systemd, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd isn't installed")
	}
	folder := t.TempDir()
	for _, name := range []string{"zkml-serve.service", "zkml-worker.service"} {
		unit, err := os.ReadFile(filepath.Join("../../deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		// The command needn't be installed here.
		text := strings.ReplaceAll(string(unit), "/usr/local/bin/zkml", "/bin/true")
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(systemd, "verify", path).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}

// TestNATSConfiguration has NATS read its configuration.
func TestNATSConfiguration(t *testing.T) {
	data, err := os.ReadFile("../../deploy/nats.conf")
	if err != nil {
		t.Fatal(err)
	}
	// The certificates aren't here.
	text := regexp.MustCompile(`(?s)\n *tls \{.*?\n *\}`).ReplaceAllString(string(data), "")
	path := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ZKML_NATS_NAME", "n1")
	t.Setenv("ZKML_NATS_PASSWORD", "secret")
	o, err := server.ProcessConfigFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !o.JetStream || !o.SyncAlways || len(o.Routes) != 3 || o.ServerName != "n1" || o.Password != "secret" {
		t.Errorf("jetstream %v, sync always %v, routes %v, name %q", o.JetStream, o.SyncAlways, o.Routes, o.ServerName)
	}
}

// TestScrape holds what Prometheus scrapes to how the servers listen.
func TestScrape(t *testing.T) {
	var text [2]string
	for i, name := range []string{"README.md", "prometheus.yml"} {
		data, err := os.ReadFile(filepath.Join("../../deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		text[i] = string(data)
	}
	port := regexp.MustCompile(`--no-worker .*--listen 0\.0\.0\.0(:\d+) --tls-cert`).FindStringSubmatch(text[0])
	if port == nil {
		t.Fatal("the servers of the cluster have no certificate")
	}
	if strings.Count(text[1], port[1]+`"`) != 2 || !strings.Contains(text[1], "\n    scheme: https") {
		t.Errorf("servers listen with https on %s, and what is scraped is\n%s", port[1], text[1])
	}
}

// TestDashboard holds the dashboard, the alerts and what to scrape to the metrics that there
// are.
func TestDashboard(t *testing.T) {
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	data, err := os.ReadFile("../../deploy/grafana.json")
	if err == nil {
		err = json.Unmarshal(data, &dashboard)
	}
	if err != nil {
		t.Fatal(err)
	}
	alerts, err := os.ReadFile("../../deploy/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("../../service/api/metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"process_resident_memory_bytes", "process_cpu_seconds_total"} // Prometheus's collector has them
	for _, name := range regexp.MustCompile(`"zkml_[a-z_]+"`).FindAllString(string(source), -1) {
		name = strings.Trim(name, `"`)
		known = append(known, name, name+"_bucket", name+"_count")
	}
	expressions := []string{string(alerts)}
	for _, p := range dashboard.Panels {
		if len(p.Targets) == 0 {
			t.Errorf("panel %q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			expressions = append(expressions, target.Expr)
		}
	}
	used := 0
	for _, e := range expressions {
		for _, name := range regexp.MustCompile(`\b(zkml|process)_[a-z_]+\b`).FindAllString(e, -1) {
			used++
			if !slices.Contains(known, name) {
				t.Errorf("%s: there is no metric %s", e, name)
			}
		}
	}
	if used < 12 {
		t.Errorf("found %d metrics in use", used)
	}
}

// TestCheckCertificate checks a certificate before, in and after its time.
func TestCheckCertificate(t *testing.T) {
	begin := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	pair := &tls.Certificate{Leaf: &x509.Certificate{NotBefore: begin, NotAfter: begin.AddDate(1, 0, 0), DNSNames: []string{"prover.example"}}}
	for _, c := range []struct {
		now   time.Time
		wrong bool
		text  string
	}{
		{begin.Add(-time.Hour), true, "isn't valid before 2030-01-01"},
		{begin.AddDate(0, 6, 0), false, "prover.example"},
		{begin.AddDate(1, 0, -7), true, "ends soon"},
		{begin.AddDate(1, 0, 1), true, "ended at 2031-01-01"},
	} {
		if f := checkCertificate(pair, c.now); f.Wrong != c.wrong || !strings.Contains(f.Text, c.text) {
			t.Errorf("at %v: %+v", c.now, f)
		}
	}
}
