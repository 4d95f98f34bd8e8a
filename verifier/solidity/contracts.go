package solidity

import (
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

// contractFiles are the sources of the reusable verifier, the compiler's settings, and
// what the compiler made of them.
//
//go:embed contracts
var contractFiles embed.FS

// Artifact is a compiled contract.
type Artifact struct {
	// Name is the contract's name.
	Name string
	// ABI describes its functions, events and errors, as JSON.
	ABI json.RawMessage
	// Creation is the code of the transaction that creates it; it takes no arguments.
	Creation []byte
	// Runtime is the code of the contract once it is created. Whoever is handed an
	// address compares the code there with it.
	Runtime []byte
}

// Reusable returns the verifier of all models, ZkmlVerifier, as compiled when this
// package was released: deploying it and checking what was deployed takes no compiler.
// Its test variant, ZkmlTestVerifier, also registers keys of the development string,
// for which everyone can forge proofs.
func Reusable(test bool) Artifact {
	if test {
		return testVerifier()
	}
	return verifier()
}

var (
	verifier     = sync.OnceValue(func() Artifact { return embedded("ZkmlVerifier") })
	testVerifier = sync.OnceValue(func() Artifact { return embedded("ZkmlTestVerifier") })
)

// artifactJSON is an artifact's file.
type artifactJSON struct {
	ContractName     string          `json:"contractName"`
	ABI              json.RawMessage `json:"abi"`
	Bytecode         string          `json:"bytecode"`
	DeployedBytecode string          `json:"deployedBytecode"`
}

// ArtifactPath returns where the artifact of a contract lies among this package's
// files.
func ArtifactPath(name string) string { return "contracts/build/" + name + ".json" }

// MarshalArtifact returns the text of an artifact's file.
func MarshalArtifact(a Artifact) ([]byte, error) {
	text, err := json.MarshalIndent(artifactJSON{
		ContractName: a.Name, ABI: a.ABI,
		Bytecode: "0x" + hex.EncodeToString(a.Creation), DeployedBytecode: "0x" + hex.EncodeToString(a.Runtime),
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("artifact of %s: %w", a.Name, err)
	}
	return append(text, '\n'), nil
}

// UnmarshalArtifact reads the text of an artifact's file.
func UnmarshalArtifact(text []byte) (Artifact, error) {
	var file artifactJSON
	if err := json.Unmarshal(text, &file); err != nil {
		return Artifact{}, fmt.Errorf("artifact: %w", err)
	}
	a := Artifact{Name: file.ContractName, ABI: file.ABI}
	for _, code := range []struct {
		to   *[]byte
		from string
	}{{&a.Creation, file.Bytecode}, {&a.Runtime, file.DeployedBytecode}} {
		decoded, err := hex.DecodeString(strings.TrimPrefix(code.from, "0x"))
		if err != nil {
			return Artifact{}, fmt.Errorf("artifact of %s: %w", a.Name, err)
		}
		*code.to = decoded
	}
	return a, nil
}

// embedded returns an artifact of this package. Tests read all of them, so that it
// can't fail in a released one.
func embedded(name string) Artifact {
	text, err := contractFiles.ReadFile(ArtifactPath(name))
	if err != nil {
		panic(err)
	}
	a, err := UnmarshalArtifact(text)
	if err != nil {
		panic(err)
	}
	return a
}

// ReusableSources returns the sources of the reusable verifier by name, and the
// standard-JSON input for the compiler that names them.
func ReusableSources() (sources Files, input []byte, err error) {
	sources = Files{}
	names, err := fs.Glob(contractFiles, "contracts/*.sol")
	if err != nil {
		return nil, nil, fmt.Errorf("reading the verifier's sources: %w", err)
	}
	for _, name := range names {
		text, err := contractFiles.ReadFile(name)
		if err != nil {
			return nil, nil, fmt.Errorf("reading the verifier's sources: %w", err)
		}
		sources[strings.TrimPrefix(name, "contracts/")] = text
	}
	input, err = contractFiles.ReadFile("contracts/solc.json")
	if err != nil {
		return nil, nil, fmt.Errorf("reading the verifier's sources: %w", err)
	}
	return sources, input, nil
}
