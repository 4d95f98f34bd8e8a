package fault

import (
	"os"
	"os/exec"
	"testing"
)

// alone tells a test's own program that it is one.
const alone = "ZKML_TEST_ALONE"

// Alone has a test that breaks its whole program run in a program of its own: it returns
// false, and the test is over, in all others.
func Alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(alone) == t.Name() {
		return true
	}
	program := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	program.Env = append(os.Environ(), alone+"="+t.Name())
	if out, err := program.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}
