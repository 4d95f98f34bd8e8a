package evm_test

import (
	"bytes"
	"fmt"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"

	"github.com/zkml-go/zkml/internal/plonktest"
	"github.com/zkml-go/zkml/prover/plonk"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// TestGnarkContract has the contracts that gnark exports accept our proofs of random
// circuits, and none with a changed byte.
func TestGnarkContract(t *testing.T) {
	needCompiler(t)
	compiler, err := evm.FindCompiler()
	if err != nil {
		t.Fatal(err)
	}
	seeds := []uint64{4, 9, 14, 19} // each number of commitments
	if *full {
		for seed := uint64(20); len(seeds) < 20; seed++ {
			seeds = append(seeds, seed)
		}
	}
	subjects := make([]*plonktest.Subject, len(seeds))
	files := make(solidity.Files)
	for i, seed := range seeds {
		if subjects[i], err = plonktest.Random(seed); err != nil {
			t.Fatal(err)
		}
		var source bytes.Buffer
		if err := subjects[i].Key.Vk.ExportSolidity(&source); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("Verifier%d", i)
		files["src/"+name+".sol"] = bytes.ReplaceAll(source.Bytes(), []byte("contract PlonkVerifier"), []byte("contract "+name))
	}
	contracts, err := compiler.Compile(t.Context(), files)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range subjects {
		t.Run(fmt.Sprint("seed ", seeds[i]), func(t *testing.T) {
			contract := contracts[fmt.Sprintf("Verifier%d", i)]
			deployed, err := evm.DeployArtifact(solidity.Artifact{ABI: []byte("[]"), Creation: contract.Creation})
			if err != nil {
				t.Fatal(err)
			}
			p, err := plonk.New(t.Context(), s.System, s.Key, plonk.Options{})
			if err != nil {
				t.Fatal(err)
			}
			proof, err := p.Prove(t.Context(), s.Witness, plonk.ProofOptions{})
			if err != nil {
				t.Fatal(err)
			}
			words := make([]*big.Int, len(s.Public()))
			for k, w := range s.Public() {
				words[k] = w.BigInt(new(big.Int))
			}
			raw := proof.MarshalSolidity()
			if !accepts(t, deployed, contract.ABI, raw, words) {
				t.Fatalf("%s: not accepted", s)
			}
			for at := 31; at < len(raw); at += 32 {
				raw[at] ^= 1
				if accepts(t, deployed, contract.ABI, raw, words) {
					t.Errorf("%s: accepted with byte %d changed", s, at)
				}
				raw[at] ^= 1
			}
		})
	}
}

// accepts calls the exported contract, which answers false or reverts where it rejects.
func accepts(t *testing.T, deployed *evm.Deployed, contract abi.ABI, proof []byte, words []*big.Int) bool {
	t.Helper()
	calldata, err := contract.Pack("Verify", proof, words)
	if err != nil {
		t.Fatal(err)
	}
	result, err := deployed.Call(calldata)
	if err != nil {
		t.Fatal(err)
	}
	return result.Revert == nil && new(big.Int).SetBytes(result.Output).Cmp(big.NewInt(1)) == 0
}
