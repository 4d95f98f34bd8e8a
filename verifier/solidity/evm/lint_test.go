package evm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/internal/projects"
)

// lint runs solhint over files of a folder, with the configuration in it, and returns what
// it found: FILE:LINE:COLUMN: TEXT [Warning/RULE].
func lint(t *testing.T, dir string, paths ...string) (findings []string) {
	t.Helper()
	program, err := filepath.Abs(filepath.Join("..", "..", "..", "node_modules", "solhint", "solhint.js"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("solhint is missing: run make tools")
		}
		t.Skip("solhint is missing: run make tools")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{program, "--disc", "--noPoster", "--max-warnings", "0", "--formatter", "unix"}, paths...)...)
	cmd.Dir = dir
	output, err := cmd.CombinedOutput()
	for line := range strings.Lines(string(output)) {
		if finding.MatchString(line) {
			findings = append(findings, strings.TrimSpace(line))
		}
	}
	if (err == nil) != (len(findings) == 0) {
		t.Fatalf("solhint: %v\n%s", err, output)
	}
	return findings
}

// finding is a line that solhint prints of what it found.
var finding = regexp.MustCompile(`^\S+:\d+:\d+: .* \[\w+/[\w-]+\]\s*$`)

// TestContractsAreLinted holds the sources of the reusable verifier to solhint.
func TestContractsAreLinted(t *testing.T) {
	needCompiler(t)
	for _, finding := range lint(t, filepath.Join("..", "contracts"), "*.sol") {
		t.Error(finding)
	}
}

// TestProjectsAreLinted holds projects of every kind to the configuration of solhint that
// they come with. What has been seen is left out: much is the same in all.
func TestProjectsAreLinted(t *testing.T) {
	needCompiler(t)
	all := solidity.Files{}
	var paths []string
	seen := map[string]bool{}
	for _, p := range projects.All() {
		files, err := p.Export()
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files.Paths() {
			text := files[path]
			if path == ".solhint.json" {
				if other, ok := all[path]; ok && !bytes.Equal(text, other) {
					t.Fatalf("%s: the configuration isn't that of other projects", p.Name)
				}
				all[path] = text
				continue
			}
			all[p.Name+"/"+path] = text
			if strings.HasSuffix(path, ".sol") && !seen[string(text)] {
				seen[string(text)] = true
				paths = append(paths, p.Name+"/"+path)
			}
		}
	}
	// What is found in this one shows that the search finds something.
	const bad = "bad/Bad.sol"
	rules := []string{"contract-name-capwords", "no-empty-blocks", "use-natspec"}
	all[bad] = []byte("pragma solidity 0.8.37;\ncontract bad { function f() external {} }\n")
	paths = append(paths, bad)
	dir := t.TempDir()
	if err := all.Write(dir); err != nil {
		t.Fatal(err)
	}
	for _, finding := range lint(t, dir, paths...) {
		if !strings.HasPrefix(finding, bad) {
			t.Error(finding)
		}
		rules = slices.DeleteFunc(rules, func(rule string) bool { return strings.Contains(finding, "/"+rule+"]") })
	}
	if len(rules) > 0 {
		t.Errorf("not found in a bad contract: %v", rules)
	}
}

// TestRulesTurnedOff: whoever reads a configuration of solhint finds why each of its rules
// isn't as recommended.
func TestRulesTurnedOff(t *testing.T) {
	for config, text := range map[string]string{
		"../contracts/.solhint.json": "../../../RATIONALE.md",
		"../templates/solhint.json":  "../templates/README.md",
	} {
		var settings struct{ Rules map[string]any }
		data, err := os.ReadFile(config)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &settings); err != nil {
			t.Fatal(err)
		}
		if len(settings.Rules) == 0 {
			t.Errorf("%s has no rules", config)
		}
		reasons, err := os.ReadFile(text)
		if err != nil {
			t.Fatal(err)
		}
		for rule := range settings.Rules {
			if !bytes.Contains(reasons, []byte("`"+rule+"`")) {
				t.Errorf("%s doesn't say why %s isn't as recommended in %s", text, rule, config)
			}
		}
	}
}

// TestLinterVersion: the README of a project names the linter that it was held to.
func TestLinterVersion(t *testing.T) {
	var tools struct{ DevDependencies map[string]string }
	data, err := os.ReadFile("../../../package.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &tools); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../templates/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := "npx solhint@" + tools.DevDependencies["solhint"] + " "; !bytes.Contains(readme, []byte(want)) {
		t.Errorf("the README doesn't have %q", want)
	}
}

// TestSuppressionsHaveReasons: a comment that silences a finding of solhint or slither
// follows one that says why.
func TestSuppressionsHaveReasons(t *testing.T) {
	suppression := regexp.MustCompile(`(slither|solhint)-disable`)
	reason := regexp.MustCompile(`^\s*// [^ ].*[.:]$`)
	count := 0
	for _, folder := range []string{"contracts", "templates", "consumers"} {
		paths, err := filepath.Glob(filepath.Join("..", folder, "*.sol"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v", folder, err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(string(text), "\n")
			for i, line := range lines {
				if !suppression.MatchString(line) {
					continue
				}
				count++
				if strings.Contains(line, "disable-file") || strings.Contains(line, "disable-start") {
					t.Errorf("%s:%d silences more than a line", path, i+1)
				}
				if i == 0 || suppression.MatchString(lines[i-1]) || !reason.MatchString(lines[i-1]) {
					t.Errorf("%s:%d: no reason in the line above: %q", path, i+1, line)
				}
			}
		}
	}
	if count == 0 {
		t.Error("nothing is silenced: the search finds nothing")
	}
}
