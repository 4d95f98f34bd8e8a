package reusable_test

import (
	"maps"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/core/vm/runtime"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"

	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/internal/reusable"
)

// TestMissingPrecompiles: on a chain that lacks a precompiled contract, the verifier can't
// be created, or registers no key. A call of an address without code succeeds, so that
// without sums of points both sides of the pairing check would be zero for every proof.
func TestMissingPrecompiles(t *testing.T) {
	s := sample(t, reusable.Shape{Words: 2, Commitments: 1, Gates: 40, Seed: 31})
	for _, missing := range []byte{0, 0x02, 0x05, 0x06, 0x07, 0x08} { // 0: none is
		db, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
		if err != nil {
			t.Fatal(err)
		}
		rules := params.MergedTestChainConfig.Rules(common.Big0, true, 0)
		config := runtime.Config{
			ChainConfig: params.MergedTestChainConfig, State: db, Difficulty: common.Big0, BlockNumber: common.Big0,
			GasLimit: params.MaxTxGas, GasPrice: common.Big0, BaseFee: common.Big0, BlobBaseFee: common.Big0, Random: new(common.Hash),
		}
		machine := runtime.NewEnv(&config)
		precompiles := maps.Clone(vm.ActivePrecompiledContracts(rules))
		delete(precompiles, common.BytesToAddress([]byte{missing}))
		machine.SetPrecompiles(precompiles)
		budget := vm.NewGasBudget(params.MaxTxGas, 0)
		_, verifier, _, err := machine.Create(common.Address{}, solidity.Reusable(true).Creation, budget, new(uint256.Int))
		if got, want := err == nil, missing == 0 || missing == 0x08; got != want {
			t.Errorf("without %#x: created %t, want %t (%v)", missing, got, want, err)
		}
		if err != nil {
			continue
		}
		_, _, err = machine.Call(common.Address{}, verifier, solidity.RegisterCalldata(s.Model.VK), budget, new(uint256.Int))
		if got, want := err == nil, missing == 0; got != want {
			t.Errorf("without %#x: registered %t, want %t (%v)", missing, got, want, err)
		}
	}
}
