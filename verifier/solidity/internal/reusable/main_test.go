package reusable_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/zkml-go/zkml/internal/shared"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
	"github.com/zkml-go/zkml/verifier/solidity/internal/reusable"
)

var (
	full    = flag.Bool("full", false, "agree on 300 proofs and fuzz 100,000 calls")
	summary = flag.String("summary", "", "file to which the results are written in one line")
	update  = flag.Bool("update", false, "record the gas snapshot")
)

// figures are what the one line of results says.
var figures struct {
	single, ten      uint64
	fuzzed, accepted int
}

// TestMain runs the tests and writes their results in one line.
func TestMain(m *testing.M) {
	flag.Parse()
	shared.UseCompiler()
	code := m.Run()
	if *summary != "" && code == 0 {
		line := fmt.Sprintf("evm: single %d gas, batch of 10 %d gas per proof, %d calldatas fuzzed, %d accepted\n",
			figures.single, figures.ten, figures.fuzzed, figures.accepted)
		if err := os.WriteFile(*summary, []byte(line), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// needCompiler skips a test where the Solidity compiler isn't installed; with CI=true
// it fails instead.
func needCompiler(t *testing.T) {
	t.Helper()
	if _, err := evm.FindCompiler(); err != nil {
		var missing *evm.ToolError
		if !errors.As(err, &missing) || os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("%v; %s", missing, missing.Hint)
	}
}

// deployed returns a new verifier of the test variant with the models registered.
func deployed(t testing.TB, models ...*reusable.Model) *evm.Deployed {
	t.Helper()
	d, err := evm.DeployArtifact(solidity.Reusable(true))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range models {
		if r := call(t, d, solidity.RegisterCalldata(m.VK)); r.Revert != nil {
			t.Fatalf("registering %+v: %v", m.Shape, r.Revert)
		}
	}
	return d
}

// call runs calldata.
func call(t testing.TB, d *evm.Deployed, calldata []byte) *evm.Result {
	t.Helper()
	r, err := d.Call(calldata)
	if err != nil {
		t.Error(err)
		return &evm.Result{Revert: &evm.RevertError{Cause: err}}
	}
	return r
}

// sample makes a model of a shape with a proof.
func sample(t testing.TB, shape reusable.Shape) *reusable.Sample {
	t.Helper()
	m, err := reusable.NewModel(shape)
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Prove(shape.Seed)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
