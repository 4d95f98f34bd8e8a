package evm_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
	"github.com/zkml-go/zkml/verifier/solidity/internal/fixture"
	"github.com/zkml-go/zkml/verifier/solidity/internal/projects"
)

// forge runs Foundry's forge in a project with npm's solc for a compiler.
type forge struct {
	binary, solc, dir string
}

// newForge writes a project and skips the test where Foundry isn't installed.
func newForge(t *testing.T, files solidity.Files) *forge {
	t.Helper()
	needCompiler(t)
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	// The binary itself: npm's wrapper around it exits with 0 when tests fail.
	binaries, err := filepath.Glob(filepath.Join(root, "node_modules", "@foundry-rs", "forge-*", "bin", "forge*"))
	if err != nil || len(binaries) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("forge is missing: run make tools")
		}
		t.Skip("forge is missing: run make tools")
	}
	f := &forge{binary: binaries[0], dir: t.TempDir()}
	script, err := os.ReadFile("solc.js")
	if err != nil {
		t.Fatal(err)
	}
	f.solc = filepath.Join(t.TempDir(), "solc")
	if err := os.WriteFile(f.solc, script, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := files.Write(f.dir); err != nil {
		t.Fatal(err)
	}
	return f
}

// run runs a command of forge and returns what it wrote.
func (f *forge) run(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, f.binary, args...)
	cmd.Dir = f.dir
	cmd.Env = append(os.Environ(), "FOUNDRY_DISABLE_NIGHTLY_WARNING=1", "NO_COLOR=1")
	output, err := cmd.CombinedOutput()
	return string(output), err
}

// mustRun fails the test if the command fails or says anything of a warning.
func (f *forge) mustRun(t *testing.T, args ...string) string {
	t.Helper()
	output, err := f.run(args...)
	if err != nil {
		t.Fatalf("forge %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	if strings.Contains(strings.ToLower(output), "warning") {
		t.Errorf("forge %s warns:\n%s", strings.Join(args, " "), output)
	}
	return output
}

// TestFoundryProject builds and tests exported projects of several kinds as their
// users do, without a warning, and compares forge's bytecode with this package's.
func TestFoundryProject(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles three projects")
	}
	labelled := fixture.Digits()
	labelled.Weights = circuit.Hashed
	private := fixture.Digits()
	private.Inputs[0].Visibility = circuit.Private
	private.Outputs = nil
	private.Weights = circuit.Private
	noOutput := projects.Mixed()
	noOutput.Outputs[0].Visibility = circuit.Private
	for _, c := range []struct {
		name     string
		kind     kind
		manifest *circuit.Manifest
		passes   []string
	}{
		{"labels and hashed weights", kinds[0], labelled, []string{
			"test_acceptsProof", "test_acceptsPackedProof", "test_rejectsTamperedProof", "test_rejectsPointOffCurve", "test_rejectsWrongContext", "test_rejectsOtherInput",
			"test_rejectsBitsAboveLastElement", "test_rejectsOtherWeights", "test_rejectsUnregisteredModel"}},
		{"no output", kinds[1], noOutput, []string{"test_acceptsProof", "test_acceptsPackedProof", "test_rejectsPointOffCurve"}},
		{"private", kinds[0], private, []string{"test_acceptsProof", "test_rejectsWrongLength", "test_rejectsContextOutOfRange"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			words, err := fixture.Words(c.manifest, fr.NewElement(5), projects.Source(1))
			if err != nil {
				t.Fatal(err)
			}
			vk, proof, err := fixture.Make(c.manifest, 1, words)
			if err != nil {
				t.Fatal(err)
			}
			files, err := solidity.Export(vk, options(c.kind, vk, proof))
			if err != nil {
				t.Fatal(err)
			}
			files["src/Consumer.sol"] = readmeContract(t, files["README.md"])
			f := newForge(t, files)
			output := f.mustRun(t, "test", "--offline", "--use", f.solc)
			for _, name := range c.passes {
				if !strings.Contains(output, "[PASS] "+name+"()") {
					t.Errorf("%s didn't pass:\n%s", name, output)
				}
			}
			f.mustRun(t, "fmt", "--check")
			delete(files, "src/Consumer.sol")
			compareBytecode(t, f, files)
			if c.kind.standalone || c.manifest.Weights != circuit.Hashed {
				return
			}
			deployByForge(t, f)
		})
	}
}

// deployByForge runs the project's script twice on anvil: the verifier is then where
// package solidity says, and the second time there is nothing left to do.
func deployByForge(t *testing.T, f *forge) {
	t.Helper()
	binaries, err := filepath.Glob("../../../node_modules/@foundry-rs/anvil-*/bin/anvil*")
	if err != nil || len(binaries) == 0 {
		t.Fatal("anvil is missing: run make tools")
	}
	anvil := exec.Command(binaries[0], "--port", "0", "--hardfork", "osaka")
	out, err := anvil.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := anvil.Start(); err != nil {
		t.Fatal(err)
	}
	defer anvil.Wait()
	defer anvil.Process.Kill()
	rpc := ""
	for lines := bufio.NewScanner(out); rpc == "" && lines.Scan(); {
		if address, ok := strings.CutPrefix(lines.Text(), "Listening on "); ok {
			rpc = "http://" + address
		}
	}
	go io.Copy(io.Discard, out)
	node, err := ethclient.Dial(rpc)
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	ctx := context.Background()
	// The first of anvil's accounts.
	const key, account = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
	for range 2 {
		if output, err := f.run("script", "--use", f.solc, "script/Deploy.s.sol", "--rpc-url", rpc, "--broadcast", "--private-key", key); err != nil {
			t.Fatalf("deployment: %v\n%s", err, output)
		}
		if sent, err := node.NonceAt(ctx, common.HexToAddress(account), nil); err != nil || sent != 3 {
			t.Errorf("%d transactions, want 3: %v", sent, err)
		}
	}
	verifier := solidity.Reusable(true)
	code, err := node.CodeAt(ctx, solidity.CreatedAddress(verifier.Creation), nil)
	if err != nil || !bytes.Equal(code, verifier.Runtime) {
		t.Errorf("%d bytes of code where the verifier should be: %v", len(code), err)
	}
}

// readmeContract returns the contract that the project's README shows.
func readmeContract(t *testing.T, readme []byte) []byte {
	t.Helper()
	_, rest, ok := bytes.Cut(readme, []byte("```solidity\n"))
	contract, _, closed := bytes.Cut(rest, []byte("```"))
	if !ok || !closed {
		t.Fatal("the README shows no contract")
	}
	return contract
}

// compareBytecode checks that forge compiled ModelVerifier to the code that this
// package runs.
func compareBytecode(t *testing.T, f *forge, files solidity.Files) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(f.dir, "out", "ModelVerifier.sol", "ModelVerifier.json"))
	if err != nil {
		t.Fatal(err)
	}
	var artifact struct {
		Bytecode struct{ Object string }
	}
	if err := json.Unmarshal(data, &artifact); err != nil {
		t.Fatal(err)
	}
	want, err := hex.DecodeString(strings.TrimPrefix(artifact.Bytecode.Object, "0x"))
	if err != nil {
		t.Fatal(err)
	}
	compiler, err := evm.FindCompiler()
	if err != nil {
		t.Fatal(err)
	}
	contracts, err := compiler.Compile(context.Background(), files)
	if err != nil {
		t.Fatal(err)
	}
	if got := contracts["ModelVerifier"].Creation; !bytes.Equal(got, want) {
		t.Errorf("forge's code of %d bytes isn't ours of %d bytes", len(want), len(got))
	}
}

// TestFoundryTestsCanFail runs the project's own tests with a proof of another
// context: the tests that accept must fail.
func TestFoundryTestsCanFail(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a project")
	}
	m := projects.Mixed()
	words, err := fixture.Words(m, fr.NewElement(5), projects.Source(1))
	if err != nil {
		t.Fatal(err)
	}
	vk, proof, err := fixture.Make(m, 0, words)
	if err != nil {
		t.Fatal(err)
	}
	files, err := solidity.Export(vk, options(kinds[0], vk, proof))
	if err != nil {
		t.Fatal(err)
	}
	right := []byte("CONTEXT = 0x0000000000000000000000000000000000000000000000000000000000000005")
	if !bytes.Contains(files["test/Sample.sol"], right) {
		t.Fatal("the sample doesn't show its context")
	}
	wrong := bytes.Clone(right)
	wrong[len(wrong)-1] = '7'
	files["test/Sample.sol"] = bytes.Replace(files["test/Sample.sol"], right, wrong, 1)
	f := newForge(t, files)
	output, err := f.run("test", "--offline", "--use", f.solc)
	if err == nil || !strings.Contains(output, "test_acceptsProof") || !strings.Contains(output, "[FAIL: ProofRejected()]") {
		t.Errorf("a wrong sample: %v\n%s", err, output)
	}
}

// TestFindCompiler has the ways in which the compiler can be missing.
func TestFindCompiler(t *testing.T) {
	t.Run("no node", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		expectToolError(t, "node")
	})
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip(err)
	}
	t.Run("no package", func(t *testing.T) {
		t.Setenv("ZKML_SOLC", t.TempDir())
		expectToolError(t, "solc")
	})
	t.Run("another version", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"name": "solc", "version": "0.8.1"}`), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Setenv("ZKML_SOLC", dir)
		expectToolError(t, "solc")
	})
	t.Run("not installed", func(t *testing.T) {
		t.Setenv("ZKML_SOLC", "")
		t.Chdir(t.TempDir())
		expectToolError(t, "solc")
	})
	t.Run("only where the program runs", func(t *testing.T) {
		dir := t.TempDir()
		pkg := filepath.Join(dir, "node_modules", "solc")
		if err := os.MkdirAll(filepath.Join(dir, "below"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(pkg, 0o755); err != nil {
			t.Fatal(err)
		}
		manifest := `{"name": "solc", "version": "` + solidity.SolcVersion + `"}`
		if err := os.WriteFile(filepath.Join(pkg, "package.json"), []byte(manifest), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, from := range []string{dir, filepath.Join(dir, "below")} {
			t.Chdir(from)
			t.Setenv("ZKML_SOLC", "")
			expectToolError(t, "solc")
			t.Setenv("ZKML_SOLC", pkg) // the same package, named
			if _, err := evm.FindCompiler(); err != nil {
				t.Error(err)
			}
		}
	})
}

func expectToolError(t *testing.T, tool string) {
	t.Helper()
	_, err := evm.FindCompiler()
	var missing *evm.ToolError
	if !errors.As(err, &missing) || missing.Tool != tool || !strings.Contains(missing.Hint, "make tools") {
		t.Errorf("error %v, want a ToolError of %s with a hint", err, tool)
	}
}

// TestCompileErrors shows the compiler's message for a broken contract.
func TestCompileErrors(t *testing.T) {
	needCompiler(t)
	compiler, err := evm.FindCompiler()
	if err != nil {
		t.Fatal(err)
	}
	_, err = compiler.Compile(context.Background(), solidity.Files{"src/ModelVerifier.sol": []byte("contract ModelVerifier { uint256 x = y; }")})
	var broken *evm.CompileError
	if !errors.As(err, &broken) || !strings.Contains(err.Error(), "Undeclared identifier") {
		t.Errorf("error %v, want a CompileError", err)
	}
}
