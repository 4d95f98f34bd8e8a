// Command contracts compiles the reusable verifier and writes what package solidity
// embeds: `make contracts` after a change of the sources. It runs in the root of the
// repository.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

func main() {
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, "contracts:", err)
		os.Exit(1)
	}
}

// build writes an artifact for each contract and prints its size.
func build() error {
	compiler, err := evm.FindCompiler()
	if err != nil {
		return err
	}
	artifacts, err := compiler.CompileReusable(context.Background())
	if err != nil {
		return err
	}
	for name, a := range artifacts {
		text, err := solidity.MarshalArtifact(a)
		if err != nil {
			return err
		}
		path := filepath.Join("verifier", "solidity", filepath.FromSlash(solidity.ArtifactPath(name)))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
		fmt.Printf("%s: %d bytes of runtime code\n", name, len(a.Runtime))
	}
	return nil
}
