package evm_test

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
	"github.com/zkml-go/zkml/verifier/solidity/internal/fixture"
)

// TestReusableAccepts proves one statement with 0 to 3 commitments and verifies it alone and in batches.
func TestReusableAccepts(t *testing.T) {
	d, err := evm.DeployArtifact(solidity.Reusable(true))
	if err != nil {
		t.Fatal(err)
	}
	for c := range 4 {
		m := fixture.Digits()
		words, err := fixture.Words(m, fr.NewElement(0xC0DE), source(7))
		if err != nil {
			t.Fatal(err)
		}
		vk, proof, err := fixture.Make(m, c, words)
		if err != nil {
			t.Fatal(err)
		}
		r, err := d.Call(solidity.RegisterCalldata(vk))
		if err != nil || r.Revert != nil {
			t.Fatal(err, r.Revert)
		}
		t.Log("register", r.ExecutionGas, r.TransactionGas)
		item, err := solidity.NewItem(vk, proof)
		if err != nil {
			t.Fatal(err)
		}
		r, err = d.Call(solidity.EncodeVerify(item))
		if err != nil || r.Revert != nil {
			t.Fatal(err, r.Revert)
		}
		single := r
		full, err := solidity.BatchItem(vk, proof)
		if err != nil {
			t.Fatal(err)
		}
		for name, i := range map[string]solidity.Item{"plain": item, "appended": full} {
			for _, n := range []int{1, 2, 10} {
				items := []solidity.Item{}
				for range n {
					items = append(items, i)
				}
				r, err = d.Call(solidity.EncodeVerifyBatch(items))
				if err != nil || r.Revert != nil {
					t.Fatal(err, r.Revert)
				}
				t.Log(c, name, n, single.ExecutionGas, single.TransactionGas, r.ExecutionGas/uint64(n), r.TransactionGas/uint64(n), 100*r.TransactionGas/single.TransactionGas/uint64(n))
			}
		}
	}
}
