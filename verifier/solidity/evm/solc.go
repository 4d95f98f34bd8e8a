package evm

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"

	"github.com/zkml-go/zkml/verifier/solidity"
)

// solcScript is the small program that node runs.
//
//go:embed solc.js
var solcScript string

// ToolError says that a program needed to compile Solidity is missing or wrong.
type ToolError struct {
	// Tool is "node" or "solc".
	Tool string
	// Problem says what was found.
	Problem string
	// Hint says what to do.
	Hint string
}

// Error implements error.
func (e *ToolError) Error() string { return e.Tool + ": " + e.Problem }

const (
	nodeHint = "install Node.js 20 or later (https://nodejs.org), then run `make tools`"
	solcHint = "run `make tools` in zkml's repository and take its bin/zkml; or `npm install solc@" + solidity.SolcVersion +
		"` and set ZKML_SOLC to the directory of that npm package, node_modules/solc"
)

// Compiler is the JavaScript build of solc, run by node.
type Compiler struct {
	node, pkg string
}

// FindCompiler looks for node in PATH and for npm's solc package of version
// solidity.SolcVersion: in the directory that ZKML_SOLC names or, without it, in
// node_modules/solc beside the executable or beside its directory, as in bin/zkml of a
// checkout. Never in the working directory or above it: the package is a program, and
// who runs zkml in a folder of someone else's files doesn't mean to run theirs. It
// returns a *ToolError if one isn't there.
func FindCompiler() (*Compiler, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, &ToolError{Tool: "node", Problem: "not found in PATH", Hint: nodeHint}
	}
	if dir := os.Getenv("ZKML_SOLC"); dir != "" {
		dir, err := filepath.Abs(dir)
		if err != nil {
			return nil, &ToolError{Tool: "solc", Problem: "ZKML_SOLC: " + err.Error(), Hint: solcHint}
		}
		if err := checkSolc(dir); err != nil {
			return nil, err
		}
		return &Compiler{node: node, pkg: dir}, nil
	}
	exe, err := os.Executable()
	if err == nil {
		exe, err = filepath.EvalSymlinks(exe)
	}
	if err != nil {
		return nil, &ToolError{Tool: "solc", Problem: "where zkml itself lies is unknown: " + err.Error(), Hint: solcHint}
	}
	if pkg, ok := besideExecutable(exe); ok {
		if err := checkSolc(pkg); err != nil {
			return nil, err
		}
		return &Compiler{node: node, pkg: pkg}, nil
	}
	return nil, &ToolError{Tool: "solc", Problem: "ZKML_SOLC isn't set, and there is no npm package solc in a node_modules beside zkml", Hint: solcHint}
}

// besideExecutable returns the solc package of the executable's directory or of the one
// above that, if there is one.
func besideExecutable(exe string) (string, bool) {
	dir := filepath.Dir(exe)
	for _, dir := range []string{dir, filepath.Dir(dir)} {
		pkg := filepath.Join(dir, "node_modules", "solc")
		if _, err := os.Stat(filepath.Join(pkg, "package.json")); err == nil {
			return pkg, true
		}
	}
	return "", false
}

// checkSolc returns a *ToolError unless dir is npm's solc of the pinned version.
func checkSolc(dir string) error {
	var manifest struct{ Name, Version string }
	data, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err == nil {
		err = json.Unmarshal(data, &manifest)
	}
	switch {
	case err != nil:
		return &ToolError{Tool: "solc", Problem: fmt.Sprintf("%s isn't an npm package: %v", dir, err), Hint: solcHint}
	case manifest.Name != "solc" || manifest.Version != solidity.SolcVersion:
		return &ToolError{Tool: "solc", Problem: fmt.Sprintf("%s holds %s %s, want solc %s", dir, manifest.Name, manifest.Version, solidity.SolcVersion), Hint: solcHint}
	}
	return nil
}

// Contract is a compiled contract.
type Contract struct {
	// Creation is the code of the transaction that creates it, without arguments.
	Creation []byte
	// ABI describes its functions and errors.
	ABI abi.ABI
}

// CompileError holds what the compiler said.
type CompileError struct{ Messages []string }

// Error implements error.
func (e *CompileError) Error() string { return "solc: " + strings.Join(e.Messages, "\n") }

// standardInput and standardOutput are the parts of solc's standard JSON in use.
type standardInput struct {
	Language string                    `json:"language"`
	Sources  map[string]standardSource `json:"sources"`
	Settings standardSettings          `json:"settings"`
}

type standardSource struct {
	Content string `json:"content"`
}

type standardSettings struct {
	EVMVersion string `json:"evmVersion"`
	Optimizer  struct {
		Enabled bool `json:"enabled"`
		Runs    int  `json:"runs"`
	} `json:"optimizer"`
	Metadata struct {
		BytecodeHash string `json:"bytecodeHash"`
	} `json:"metadata"`
	OutputSelection map[string]map[string][]string `json:"outputSelection"`
}

type standardOutput struct {
	Errors []struct {
		Severity         string `json:"severity"`
		FormattedMessage string `json:"formattedMessage"`
	} `json:"errors"`
	Contracts map[string]map[string]struct {
		ABI json.RawMessage `json:"abi"`
		EVM struct {
			Bytecode struct {
				Object string `json:"object"`
			} `json:"bytecode"`
			DeployedBytecode struct {
				Object string `json:"object"`
			} `json:"deployedBytecode"`
		} `json:"evm"`
	} `json:"contracts"`
}

// Compile compiles the contracts under src/ with the settings of the project's
// foundry.toml and returns them by name. It returns a *CompileError if the compiler
// rejects them.
func (c *Compiler) Compile(ctx context.Context, files solidity.Files) (map[string]Contract, error) {
	input := standardInput{Language: "Solidity", Sources: map[string]standardSource{}}
	for name, content := range files {
		if path.Dir(name) == "src" && path.Ext(name) == ".sol" {
			input.Sources[name] = standardSource{Content: string(content)}
		}
	}
	input.Settings.EVMVersion = solidity.EVMVersion
	input.Settings.Optimizer.Enabled = true
	input.Settings.Optimizer.Runs = solidity.OptimizerRuns
	input.Settings.Metadata.BytecodeHash = "none"
	input.Settings.OutputSelection = map[string]map[string][]string{"*": {"*": {"abi", "evm.bytecode.object"}}}
	request, err := json.Marshal(input)
	if err != nil {
		return nil, fmt.Errorf("compiling the verifier: %w", err)
	}

	output, err := c.run(ctx, request)
	if err != nil {
		return nil, err
	}
	return output.contracts()
}

// CompileReusable compiles the reusable verifier and its test variant with the
// settings that lie beside their sources, and returns both by name. The result is what
// solidity.Reusable returns, unless the sources have changed since.
func (c *Compiler) CompileReusable(ctx context.Context) (map[string]solidity.Artifact, error) {
	sources, settings, err := solidity.ReusableSources()
	if err != nil {
		return nil, err
	}
	var input map[string]any
	if err := json.Unmarshal(settings, &input); err != nil {
		return nil, fmt.Errorf("compiling the verifier: settings: %w", err)
	}
	contents := map[string]standardSource{}
	for name, text := range sources {
		contents[name] = standardSource{Content: string(text)}
	}
	input["sources"] = contents
	request, err := json.Marshal(input)
	if err != nil {
		return nil, fmt.Errorf("compiling the verifier: %w", err)
	}
	output, err := c.run(ctx, request)
	if err != nil {
		return nil, err
	}
	if err := output.failure(); err != nil {
		return nil, err
	}
	artifacts := map[string]solidity.Artifact{}
	for _, source := range output.Contracts {
		for name, compiled := range source {
			a := solidity.Artifact{Name: name, ABI: compiled.ABI}
			for _, code := range []struct {
				to   *[]byte
				from string
			}{{&a.Creation, compiled.EVM.Bytecode.Object}, {&a.Runtime, compiled.EVM.DeployedBytecode.Object}} {
				if *code.to, err = hex.DecodeString(code.from); err != nil {
					return nil, fmt.Errorf("compiling the verifier: bytecode of %s: %w", name, err)
				}
			}
			artifacts[name] = a
		}
	}
	return artifacts, nil
}

// run hands standard JSON to the compiler and returns its answer.
func (c *Compiler) run(ctx context.Context, request []byte) (*standardOutput, error) {
	cmd := exec.CommandContext(ctx, c.node, "-e", solcScript)
	cmd.Dir = c.pkg // node looks around where it starts
	cmd.Env = append(os.Environ(), "ZKML_SOLC="+c.pkg)
	cmd.Stdin = bytes.NewReader(request)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	answer, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("compiling the verifier: node: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	var output standardOutput
	if err := json.Unmarshal(answer, &output); err != nil {
		return nil, fmt.Errorf("compiling the verifier: solc's answer: %w", err)
	}
	return &output, nil
}

// failure returns a *CompileError if the compiler rejected the sources.
func (o *standardOutput) failure() error {
	var messages []string
	for _, e := range o.Errors {
		if e.Severity == "error" {
			messages = append(messages, e.FormattedMessage)
		}
	}
	if len(messages) > 0 {
		return &CompileError{Messages: messages}
	}
	return nil
}

// contracts decodes what the compiler returned.
func (o *standardOutput) contracts() (map[string]Contract, error) {
	if err := o.failure(); err != nil {
		return nil, err
	}
	contracts := map[string]Contract{}
	for _, source := range o.Contracts {
		for name, compiled := range source {
			creation, err := hex.DecodeString(compiled.EVM.Bytecode.Object)
			if err != nil {
				return nil, fmt.Errorf("compiling the verifier: bytecode of %s: %w", name, err)
			}
			parsed, err := abi.JSON(bytes.NewReader(compiled.ABI))
			if err != nil {
				return nil, fmt.Errorf("compiling the verifier: ABI of %s: %w", name, err)
			}
			contracts[name] = Contract{Creation: creation, ABI: parsed}
		}
	}
	return contracts, nil
}
