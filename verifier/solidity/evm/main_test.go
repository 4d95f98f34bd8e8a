package evm_test

import (
	"os"
	"testing"

	"github.com/zkml-go/zkml/internal/shared"
)

func TestMain(m *testing.M) {
	shared.UseCompiler()
	os.Exit(m.Run())
}
