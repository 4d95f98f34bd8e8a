// Command slither has the analyser of that name look at the reusable verifier and at
// projects of every kind: `make slither`, in the root of the repository. It fails on any
// finding of high or medium severity that isn't silenced where it is, and first on a contract
// that is known to have one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/consensys/gnark/logger"

	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/internal/projects"
)

func main() {
	logger.Disable()
	program := flag.String("slither", "bin/slither/bin/slither", "the analyser's `program`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *program); err != nil {
		fmt.Fprintln(os.Stderr, "slither:", err)
		stop()
		os.Exit(1)
	}
}

// bad sends the caller all that it has: a finding of high severity.
const bad = `// SPDX-License-Identifier: Apache-2.0
pragma solidity ` + solidity.SolcVersion + `;

contract Bad {
    function take() external {
        payable(msg.sender).transfer(address(this).balance);
    }

    receive() external payable {}
}
`

// settings build the reusable verifier by way of the IR, as contracts/solc.json does.
const settings = `[profile.default]
src = "src"
out = "out"
libs = []
solc_version = "` + solidity.SolcVersion + `"
evm_version = "` + solidity.EVMVersion + `"
optimizer = true
via_ir = true
`

// run analyses everything and sums it up.
func run(ctx context.Context, program string) error {
	dir, err := os.MkdirTemp("", "zkml-slither-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	a, err := newAnalyser(program, dir)
	if err != nil {
		return err
	}
	_, err = a.analyse(ctx, "bad", solidity.Files{"foundry.toml": []byte(settings), "src/Bad.sol": []byte(bad)})
	var found *findingsError
	if !errors.As(err, &found) || !regexp.MustCompile(`arbitrary-send-eth`).MatchString(found.report) {
		return fmt.Errorf("a contract that gives away its money passes: %w", err)
	}
	sources, _, err := solidity.ReusableSources()
	if err != nil {
		return err
	}
	verifier := solidity.Files{"foundry.toml": []byte(settings)}
	for name, text := range sources {
		verifier["src/"+name] = text
	}
	contracts, err := a.analyse(ctx, "verifier", verifier)
	if err != nil {
		return err
	}
	all := projects.All()
	for _, p := range all {
		files, err := p.Export()
		if err != nil {
			return err
		}
		n, err := a.analyse(ctx, p.Name, files)
		if err != nil {
			return err
		}
		contracts += n
	}
	fmt.Printf("slither: %d contracts in the verifier and %d projects, 0 findings of high or medium severity\n", contracts, len(all))
	return nil
}

// analyser builds projects with forge and has slither read what the compiler says of them.
type analyser struct {
	slither, forge, solc, dir string
}

func newAnalyser(program, dir string) (*analyser, error) {
	a := &analyser{dir: dir, solc: filepath.Join(dir, "solc")}
	// The binary itself: npm's wrapper around it exits with 0 when it fails.
	forges, err := filepath.Glob("node_modules/@foundry-rs/forge-*/bin/forge*")
	if err != nil || len(forges) == 0 {
		return nil, errors.New("forge is missing: run make tools")
	}
	if a.forge, err = filepath.Abs(forges[0]); err != nil {
		return nil, err
	}
	if a.slither, err = filepath.Abs(program); err != nil {
		return nil, err
	}
	script, err := os.ReadFile("verifier/solidity/evm/solc.js")
	if err != nil {
		return nil, err
	}
	return a, os.WriteFile(a.solc, script, 0o755)
}

// findingsError holds what slither reports.
type findingsError struct{ name, report string }

// Error implements error.
func (e *findingsError) Error() string { return e.name + ": found:\n" + e.report }

// analysed is how slither ends its report.
var analysed = regexp.MustCompile(`analyzed \((\d+) contracts`)

// analyse writes, builds and analyses a project, and returns the number of its contracts. The
// error is a *findingsError if there is something of high or medium severity.
func (a *analyser) analyse(ctx context.Context, name string, files solidity.Files) (contracts int, err error) {
	dir := filepath.Join(a.dir, name)
	if err := files.Write(dir); err != nil {
		return 0, err
	}
	if output, err := a.command(ctx, dir, a.forge, "build", "--offline", "--use", a.solc, "--build-info"); err != nil {
		return 0, fmt.Errorf("%s: forge build: %w\n%s", name, err, output)
	}
	report, err := a.command(ctx, dir, a.slither, ".", "--ignore-compile", "--fail-medium", "--exclude-low", "--exclude-informational", "--exclude-optimization")
	end := analysed.FindSubmatch(report)
	if end == nil {
		return 0, fmt.Errorf("%s: slither: %v\n%s", name, err, report)
	}
	if contracts, _ = strconv.Atoi(string(end[1])); contracts == 0 {
		return 0, fmt.Errorf("%s: slither sees no contract:\n%s", name, report)
	}
	if err != nil {
		return 0, &findingsError{name, string(report)}
	}
	fmt.Printf("%s: %d contracts\n", name, contracts)
	return contracts, nil
}

// command runs a program in a project, in which slither finds forge, and returns what it says.
func (a *analyser) command(ctx context.Context, dir, program string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(a.forge)+string(os.PathListSeparator)+os.Getenv("PATH"), "NO_COLOR=1")
	return cmd.CombinedOutput()
}
