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
