package exactmath

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// unfused are the packages, from the repository's root, whose floating-point
// results must be the same on every machine.
var unfused = []string{"./internal/exactmath", "./internal/inputfile", "./graph", "./onnx", "./quantize", "./circuit", "."}

// fusedARM64 matches an instruction that rounds a·b ± c once, with its place in the
// source.
var fusedARM64 = regexp.MustCompile(`\(([^()]*\.go:\d+)\)\s+(FMADD|FMSUB|FNMADD|FNMSUB)[SD]\b`)

// TestNothingFused compiles for arm64, where the compiler fuses wherever the
// language lets it, and looks for fused instructions in the listing.
func TestNothingFused(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the standard library for another machine")
	}
	listing := func(args ...string) []byte {
		cmd := exec.Command("go", append([]string{"build", "-gcflags=-S", "-o", os.DevNull}, args...)...)
		cmd.Dir = "../.."
		cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return out
	}
	// The search itself must find something where something is fused.
	file := t.TempDir() + "/fused.go"
	source := "package fused\n\nfunc F(a, b, c float64) float64 { return a*b + c }\n"
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if !fusedARM64.Match(listing(file)) {
		t.Fatal("a product and a sum without a conversion weren't found fused")
	}
	for _, pkg := range unfused {
		for _, match := range fusedARM64.FindAllSubmatch(listing(pkg), -1) {
			t.Errorf("%s is compiled to %s: round the product with float64()", match[1], match[2])
		}
	}
}
