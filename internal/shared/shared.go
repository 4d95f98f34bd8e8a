// Package shared finds what tests take from outside: the Solidity compiler, and other
// people's models and test data, which lie beside the repository and are never part of
// it.
package shared

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Path returns the absolute path of name inside the shared folder that lies
// beside the repository's root. Where it is absent the test is skipped, or fails
// if the environment has CI=true.
func Path(t testing.TB, name string) string {
	t.Helper()
	_, file, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(file), "..", "..")
	path, err := filepath.Abs(filepath.Join(root, "..", "shared", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("shared test data is missing: %v", err)
		}
		t.Skipf("shared test data is absent: %v", err)
	}
	return path
}
