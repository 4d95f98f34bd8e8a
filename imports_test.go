package zkml_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/zkml-go/zkml"

// allowed says which of our packages each package may import directly or through
// others, besides internal ones. It is the path of the data: one direction, no
// way back.
var allowed = map[string][]string{
	"tensor":                        nil,
	"graph":                         {"tensor"},
	"onnx":                          {"graph", "tensor"},
	"onnx/onnxgo":                   {"graph", "onnx", "tensor"},
	"quantize":                      {"graph", "tensor"},
	"circuit/gadget":                {"graph", "quantize", "tensor"},
	"circuit":                       {"circuit/gadget", "graph", "quantize", "tensor"},
	"audit":                         {"circuit", "circuit/gadget", "graph", "quantize", "tensor"},
	"prover":                        {"circuit", "circuit/gadget", "graph", "prover/msm", "prover/plonk", "prover/srs", "quantize", "tensor"},
	"prover/srs":                    nil,
	"prover/msm":                    nil,
	"prover/plonk":                  {"prover/msm"},
	"gpu":                           {"prover/msm", "prover/plonk"},
	"verifier/solidity":             {"circuit", "circuit/gadget", "graph", "prover", "prover/msm", "prover/plonk", "prover/srs", "quantize", "tensor"},
	"verifier/solidity/evm":         {"circuit", "circuit/gadget", "graph", "prover", "prover/msm", "prover/plonk", "prover/srs", "quantize", "tensor", "verifier/solidity"},
	"verifier/solidity/client":      {"circuit", "circuit/gadget", "graph", "prover", "prover/msm", "prover/plonk", "prover/srs", "quantize", "tensor", "verifier/solidity"},
	"":                              {"circuit", "circuit/gadget", "graph", "onnx", "prover", "prover/msm", "prover/plonk", "prover/srs", "quantize", "tensor"},
	"service/job":                   nil,
	"service/seal":                  nil,
	"service/blob":                  {"service/seal"},
	"service/blob/s3":               {"service/blob", "service/seal"},
	"service/blob/blobtest":         {"service/blob", "service/seal"},
	"service/embedded":              nil,
	"service/embedded/embeddedtest": {"service/embedded"},
	"service/child":                 nil,
	"service/queue":                 {"service/job"},
	"service/client":                nil,
	"service/access":                {"service/job", "service/seal", "service/webhook"},
	"service/webhook":               {"service/job"},
	"service/work":                  {"", "circuit", "circuit/gadget", "graph", "onnx", "prover", "prover/msm", "prover/plonk", "prover/srs", "quantize", "tensor", "service/blob", "service/client", "service/job", "service/queue", "service/seal"},
	"service/api":                   {"", "circuit", "circuit/gadget", "graph", "onnx", "prover", "prover/msm", "prover/plonk", "prover/srs", "quantize", "tensor", "service/access", "service/blob", "service/client", "service/job", "service/queue", "service/seal", "service/webhook", "service/work", "verifier/solidity"},
	"service/page":                  {"", "circuit", "circuit/gadget", "graph", "onnx", "prover", "prover/msm", "prover/plonk", "prover/srs", "quantize", "tensor", "service/client"},
	"service":                       {"", "circuit", "circuit/gadget", "graph", "onnx", "prover", "prover/msm", "prover/plonk", "prover/srs", "quantize", "tensor", "service/access", "service/api", "service/blob", "service/blob/s3", "service/client", "service/embedded", "service/job", "service/page", "service/queue", "service/seal", "service/webhook", "service/work", "verifier/solidity"},
	"cmd/zkml":                      {"*"},
}

// heavy lists modules that only the packages named may depend on.
var heavy = map[string][]string{
	"github.com/ethereum/go-ethereum": {"verifier/solidity/evm", "verifier/solidity/client", "cmd/zkml"},
	"github.com/owulveryck/onnx-go":   {"onnx/onnxgo"},
	"github.com/nats-io":              {"service", "service/access", "service/api", "service/embedded", "service/embedded/embeddedtest", "service/queue", "service/webhook", "service/work", "cmd/zkml"},
	"github.com/spf13/cobra":          {"cmd/zkml"},
	"github.com/prometheus":           {"service", "service/api", "service/work", "cmd/zkml", "verifier/solidity/evm", "verifier/solidity/client"}, // go-ethereum brings it too
	"github.com/minio/minio-go":       {"service/blob/s3", "service", "cmd/zkml"},
}

// TestImports holds the packages to the table of the design.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Deps " "}}`, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(strings.TrimPrefix(fields[0], module), "/")
		if strings.Contains(pkg, "internal/") || strings.HasPrefix(pkg, "bench") || strings.Contains(pkg, "quantizetest") {
			continue
		}
		may, known := allowed[pkg]
		if !known {
			t.Errorf("package %q is not in the table", pkg)
			continue
		}
		for _, dep := range fields[1:] {
			if ours, ok := strings.CutPrefix(dep, module); ok {
				ours = strings.TrimPrefix(ours, "/")
				if !strings.Contains(ours, "internal/") && !slices.Contains(may, ours) && !slices.Contains(may, "*") {
					t.Errorf("%q depends on %q", pkg, ours)
				}
				continue
			}
			for prefix, who := range heavy {
				if strings.HasPrefix(dep, prefix) && !slices.Contains(who, pkg) {
					t.Errorf("%q depends on %s", pkg, dep)
				}
			}
		}
	}
}
