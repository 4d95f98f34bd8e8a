package evm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// TestEmbeddedBytecode compiles the reusable verifier again: what package solidity
// embeds, deploys and checks must be what the sources say.
func TestEmbeddedBytecode(t *testing.T) {
	needCompiler(t)
	compiler, err := evm.FindCompiler()
	if err != nil {
		t.Fatal(err)
	}
	built, err := compiler.CompileReusable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(built) != 2 {
		t.Errorf("%d contracts, want the verifier and its test variant", len(built))
	}
	for _, test := range []bool{false, true} {
		embedded := solidity.Reusable(test)
		a := built[embedded.Name]
		if !bytes.Equal(a.Creation, embedded.Creation) || !bytes.Equal(a.Runtime, embedded.Runtime) || !bytes.Equal(compact(t, a.ABI), compact(t, embedded.ABI)) {
			t.Errorf("%s: the embedded code isn't that of the sources: run `make contracts`", embedded.Name)
		}
		d, err := evm.DeployArtifact(embedded)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(d.Code(d.Address), embedded.Runtime) {
			t.Errorf("%s: its creation code doesn't create its runtime code", embedded.Name)
		}
		if n := len(embedded.Runtime); n > solidity.MaxRuntimeBytes {
			t.Errorf("%s: runtime of %d bytes, above %d", embedded.Name, n, solidity.MaxRuntimeBytes)
		}
	}
}

// compact returns JSON without its white space.
func compact(t *testing.T, text []byte) []byte {
	t.Helper()
	var buffer bytes.Buffer
	if err := json.Compact(&buffer, text); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// TestContractsAreFormatted holds the sources of the reusable verifier to forge fmt.
func TestContractsAreFormatted(t *testing.T) {
	sources, _, err := solidity.ReusableSources()
	if err != nil {
		t.Fatal(err)
	}
	f := newForge(t, sources)
	if output, err := f.run(append([]string{"fmt", "--check"}, sources.Paths()...)...); err != nil {
		t.Errorf("forge fmt --check: %v\n%s", err, output)
	}
}
