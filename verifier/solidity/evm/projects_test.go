package evm_test

import (
	"testing"

	"github.com/zkml-go/zkml/verifier/solidity/internal/projects"
)

// TestProjects holds projects of every kind to forge fmt, and in make evm builds and tests
// them without a warning.
func TestProjects(t *testing.T) {
	for _, p := range projects.All() {
		t.Run(p.Name, func(t *testing.T) {
			files, err := p.Export()
			if err != nil {
				t.Fatal(err)
			}
			f := newForge(t, files)
			f.mustRun(t, "fmt", "--check")
			if *full && !p.Alike {
				f.mustRun(t, "test", "--offline", "--use", f.solc)
			}
		})
	}
}
