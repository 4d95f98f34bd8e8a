//go:build icicle && shim

package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestCardScripts runs the scripts of a program built for a card, on the stand-in for CUDA of
// gpu/shim: ZKML_SHIM_DEVICES is the
// number of cards, and from call ZKML_SHIM_FAIL_AT on every one fails.
func TestCardScripts(t *testing.T) {
	cache := t.TempDir()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/card",
		RequireExplicitExec: true,
		Setup:               func(env *testscript.Env) error { return setupScript(env, cache) },
		Condition:           scriptCondition,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": scriptExits},
	})
}
