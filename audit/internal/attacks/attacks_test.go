package attacks

import (
	"context"
	"errors"
	"flag"
	"os"
	"testing"

	"github.com/consensys/gnark/logger"

	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

var full = flag.Bool("full", false, "call the contracts in every attack, not only in some")

// TestAttacks makes every attack, some of them through the contracts.
func TestAttacks(t *testing.T) {
	logger.Disable()
	compiler := needCompiler(t)
	r := NewRunner()
	names := make(map[string]bool)
	for _, a := range All() {
		if names[a.Name] {
			t.Errorf("two attacks have the name %q", a.Name)
		}
		names[a.Name] = true
		t.Run(a.Name, func(t *testing.T) {
			if r.Contracts = compiler && (*full || a.OnChain); a.NeedsContract && !r.Contracts {
				t.Skip("needs the Solidity compiler")
			}
			if err := r.Run(context.Background(), a); err != nil {
				t.Error(err)
			}
		})
	}
}

// needCompiler reports whether the Solidity compiler is there; with CI=true its absence
// is a failure.
func needCompiler(t *testing.T) bool {
	t.Helper()
	_, err := evm.FindCompiler()
	var missing *evm.ToolError
	if err != nil && (!errors.As(err, &missing) || os.Getenv("CI") == "true") {
		t.Fatal(err)
	}
	return err == nil
}

// TestForgerWithoutALie proves the truth with the forger: that its other proofs are
// rejected isn't for the way in which it makes them.
func TestForgerWithoutALie(t *testing.T) {
	logger.Disable()
	r := NewRunner()
	for _, m := range []*model{rounded, lookups, product, hashed} {
		v, err := r.victim(m)
		if err != nil {
			t.Fatal(err)
		}
		a := &forgery{model: m, sameWords: true}
		f, err := a.forger(v.circuit.System.GetSparseR1Cs(), nil)
		if err != nil {
			t.Fatal(err)
		}
		words, values, err := a.state(v, f)
		if err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		if broken := f.broken(v.circuit, values); len(broken) > 0 {
			t.Errorf("%s: the truth breaks %v", m.name, broken)
		}
		proof, err := f.prove(&v.build, words)
		if err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		if err := accepted(&v.build, proof); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}
