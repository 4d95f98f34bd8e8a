package evm

import (
	"os"
	"path/filepath"
	"testing"
)

// TestBesideExecutable finds the package of a checkout from bin/zkml, and none that
// lies farther away.
func TestBesideExecutable(t *testing.T) {
	root := t.TempDir()
	pkg := filepath.Join(root, "node_modules", "solc")
	if err := os.MkdirAll(pkg, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(pkg, "package.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"zkml": pkg, "bin/zkml": pkg, "a/bin/zkml": ""} {
		got, ok := besideExecutable(filepath.Join(root, filepath.FromSlash(name)))
		if got != want || ok != (want != "") {
			t.Errorf("from %s: %q, %v", name, got, ok)
		}
	}
}
