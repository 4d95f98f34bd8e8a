package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/zkml-go/zkml/prover/srs"
)

var update = flag.Bool("update", false, "write the commands' output into README.md")

const readme = "../../README.md"

// block is a fenced block of the README.
type block struct {
	language   string
	start, end int // lines of its content
}

// blocks returns the fenced blocks of a Markdown file.
func blocks(lines []string) []block {
	var found []block
	open := -1
	for i, line := range lines {
		switch {
		case !strings.HasPrefix(line, "```"):
		case open < 0:
			open = i
		default:
			found = append(found, block{strings.TrimPrefix(lines[open], "```"), open + 1, i})
			open = -1
		}
	}
	return found
}

// TestReadme runs the commands of README.md in order and compares their output with
// what is printed there, numbers aside: times differ, and sizes follow the code.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	folder := readmeFolder(t)
	var rewritten []string
	last := 0
	for _, b := range blocks(lines) {
		if b.language != "console" {
			continue
		}
		want := strings.Join(lines[b.start:b.end], "\n") + "\n"
		got := runConsole(t, folder, lines[b.start:b.end])
		if !*update && mask(got) != mask(want) {
			t.Errorf("README.md, line %d: output differs; -update writes it\ngot:\n%s\nwant:\n%s", b.start, got, want)
		}
		rewritten = append(rewritten, lines[last:b.start]...)
		rewritten = append(rewritten, strings.Split(strings.TrimSuffix(got, "\n"), "\n")...)
		last = b.end
	}
	rewritten = append(rewritten, lines[last:]...)
	if *update {
		if err := os.WriteFile(readme, []byte(strings.Join(rewritten, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDemo runs the demonstration and compares its lines, after the digit, with those
// in README.md.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("a proof of LeNet-5 takes half a minute")
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("zkml", "demo")
	cmd.Env = append(os.Environ(), srs.CacheVariable+"="+t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	_, got, ok := strings.Cut(string(out), "\n\n")
	if !ok || !strings.Contains(string(out), "@@") && !strings.Contains(string(out), "%%") {
		t.Fatalf("no digit in\n%s", out)
	}
	lines := strings.Split(string(text), "\n")
	for _, b := range blocks(lines) {
		if b.language != "text" {
			continue
		}
		want := strings.Join(lines[b.start:b.end], "\n") + "\n"
		if *update {
			changed := strings.Replace(string(text), want, got, 1)
			if err := os.WriteFile(readme, []byte(changed), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if mask(got) != mask(want) {
			t.Errorf("README.md, line %d: output differs; -update writes it\ngot:\n%s\nwant:\n%s", b.start, got, want)
		}
		return
	}
	t.Error("README.md doesn't show the demonstration")
}

// readmeFolder makes a folder in which the README's commands run: the command in bin,
// and the trained models.
func readmeFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	models, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(models, filepath.Join(folder, "testdata")); err != nil {
		t.Fatal(err)
	}
	t.Setenv(srs.CacheVariable, filepath.Join(folder, "cache"))
	return folder
}

// runConsole runs the commands of a block, which begin with "$ ", and returns the
// block with what they print.
func runConsole(t *testing.T, folder string, lines []string) string {
	t.Helper()
	var out bytes.Buffer
	for _, line := range lines {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			continue
		}
		args := strings.Fields(command)
		if args[0] != "zkml" {
			t.Fatalf("README.md: %q isn't a zkml command", command)
		}
		fmt.Fprintln(&out, line)
		cmd := exec.Command("zkml", args[1:]...) // testscript puts it into PATH
		cmd.Dir = folder
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil && !strings.Contains(err.Error(), "exit status 10") {
			t.Fatalf("%s: %v\n%s", command, err, out.String())
		}
	}
	return out.String()
}

var (
	longHex = regexp.MustCompile(`[0-9a-f]{16,}`)
	number  = regexp.MustCompile(`[0-9][0-9,.]*(e-[0-9]+)?`)
	spaces  = regexp.MustCompile(` +`)
)

// mask replaces what may differ between two runs.
func mask(text string) string {
	text = longHex.ReplaceAllString(text, "H")
	text = number.ReplaceAllString(text, "N")
	return spaces.ReplaceAllString(text, " ")
}

// TestReadmeMake wants every make command of the README to be a target.
func TestReadmeMake(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)").FindAllStringSubmatch(string(text), -1)
	if len(found) < 3 {
		t.Fatalf("found %d make commands", len(found))
	}
	for _, match := range found {
		if !regexp.MustCompile(`(?m)^` + match[1] + `:`).Match(makefile) {
			t.Errorf("the Makefile has no target %q", match[1])
		}
	}
}

// TestReadmeExample wants the README's Go lines to be lines of the package's example,
// which is run.
func TestReadmeExample(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("../../example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	known := make(map[string]bool)
	for _, line := range strings.Split(string(example), "\n") {
		known[strings.TrimSpace(line)] = true
	}
	lines := strings.Split(string(text), "\n")
	compared := 0
	for _, b := range blocks(lines) {
		if b.language != "go" {
			continue
		}
		for _, line := range lines[b.start:b.end] {
			if line = strings.TrimSpace(line); line != "" && !known[line] {
				t.Errorf("README.md: %q isn't in example_test.go", line)
			}
			compared++
		}
	}
	if compared == 0 {
		t.Error("the README has no Go example")
	}
}
