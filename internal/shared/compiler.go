package shared

import (
	"os"
	"path/filepath"
	"runtime"
)

// UseCompiler sets ZKML_SOLC to the Solidity compiler that make tools installs in the
// repository's root, unless it is set or the compiler isn't there. A test's program
// lies in a folder of its own, where nothing is beside it. It is for TestMain.
func UseCompiler() {
	if os.Getenv("ZKML_SOLC") != "" {
		return
	}
	_, file, _, _ := runtime.Caller(0)
	solc, err := filepath.Abs(filepath.Join(filepath.Dir(file), "..", "..", "node_modules", "solc"))
	if err != nil {
		return
	}
	if _, err := os.Stat(solc); err == nil {
		os.Setenv("ZKML_SOLC", solc)
	}
}
