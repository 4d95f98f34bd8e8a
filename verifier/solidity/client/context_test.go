package client_test

import (
	"context"
	"errors"
	"math/big"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/zkml-go/zkml/internal/shared"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/client"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

func TestMain(m *testing.M) {
	shared.UseCompiler()
	os.Exit(m.Run())
}

// compiled is the inference template for the model of these tests, compiled once.
var compiled = sync.OnceValues(func() (map[string]evm.Contract, error) {
	compiler, err := evm.FindCompiler()
	if err != nil {
		return nil, err
	}
	m, err := proveOnce()
	if err != nil {
		return nil, err
	}
	files, err := solidity.Export(m.vk, solidity.Options{Template: "inference", AllowDevelopmentSRS: true})
	if err != nil {
		return nil, err
	}
	return compiler.Compile(context.Background(), files)
})

// deployConsumer puts the inference template on a chain.
func deployConsumer(t *testing.T, c *client.Client) (consumer common.Address, vk *prover.VerifyingKey) {
	t.Helper()
	contracts, err := compiled()
	var missing *evm.ToolError
	if errors.As(err, &missing) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	vk, _ = model(t)
	ctx := deadline(t)
	verifier, err := c.DeployVerifier(ctx, signer, client.Development)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Register(ctx, signer, verifier.Address, vk); err != nil {
		t.Fatal(err)
	}
	adapter, err := c.DeployAdapter(ctx, signer, slices.Concat(contracts["ModelVerifier"].Creation, solidity.AdapterArguments(verifier.Address, nil)))
	if err != nil {
		t.Fatal(err)
	}
	step, err := c.DeployAdapter(ctx, signer, slices.Concat(contracts["LastAnswer"].Creation, common.LeftPadBytes(adapter.Address[:], 32)))
	if err != nil {
		t.Fatal(err)
	}
	return step.Address, vk
}

// TestCheckRequest compares contexts with those of a real template's contract on a chain.
func TestCheckRequest(t *testing.T) {
	reverts, long := common.Address{0xC1}, common.Address{0xC2}
	c, _ := start(t, rich(types.GenesisAlloc{
		reverts: {Code: common.FromHex("0x60006000fd"), Balance: new(big.Int)},
		// Returns 32 bytes of ones.
		long: {Code: common.FromHex("0x60001960005260206000f3"), Balance: new(big.Int)},
	}))
	consumer, _ := deployConsumer(t, c)
	ctx := deadline(t)
	for name, r := range map[string]solidity.Request{
		"small":   {Caller: signer.Address, Nonce: [32]byte{31: 7}, Deadline: 4_000_000_000},
		"zero":    {},
		"largest": {Caller: common.MaxAddress, Nonce: common.MaxHash, Deadline: 1<<64 - 1},
	} {
		r.ChainID, r.Consumer = 1337, consumer
		if err := c.CheckRequest(ctx, &r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := solidity.Request{ChainID: 1, Consumer: consumer}
	var chain *client.ChainError
	if err := c.CheckRequest(ctx, &r); !errors.As(err, &chain) || chain.Found.Int64() != 1337 || chain.Want.Int64() != 1 {
		t.Errorf("another chain: %v", err)
	}
	r.ChainID, r.Consumer = 1337, common.Address{1, 2, 3}
	var code *client.CodeError
	if err := c.CheckRequest(ctx, &r); !errors.As(err, &code) {
		t.Errorf("no contract: %v", err)
	}
	for name, address := range map[string]common.Address{
		"another contract": client.Development.Address(), "one that reverts": reverts, "one with a top byte": long,
	} {
		r.Consumer = address
		if err := c.CheckRequest(ctx, &r); !errors.Is(err, client.ErrContext) || !errors.Is(err, prover.ErrMismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A contract that has another context: this one returns 5 to everything.
	other, _ := start(t, rich(types.GenesisAlloc{reverts: {Code: common.FromHex("0x600560005260206000f3"), Balance: new(big.Int)}}))
	r.Consumer = reverts
	if err := other.CheckRequest(ctx, &r); !errors.Is(err, client.ErrContext) {
		t.Errorf("another context: %v", err)
	}
	if found, err := other.AskContext(context.Background(), reverts, []byte{1, 2, 3, 4}); err != nil || found.Uint64() != 5 {
		t.Errorf("asked: %v, %v", found, err)
	}
}

// TestConsumerErrors: the reasons of a template's contract come with their names, those of
// the verifier behind it too, and only these say that the proof is rejected.
func TestConsumerErrors(t *testing.T) {
	c, _ := start(t, rich(nil))
	consumer, vk := deployConsumer(t, c)
	_, proof := model(t)
	ctx := deadline(t)
	for text, want := range map[string]struct {
		says     string
		rejected bool
	}{
		"submit(proof,uint256:1,uint256:5,tensors)":          {"reverted with Expired(5)", false},
		"submit(proof,uint256:1,uint256:4000000000,tensors)": {"reverted with ProofRejected()", true},
	} {
		call, err := solidity.ParseCall(text)
		if err != nil {
			t.Fatal(err)
		}
		data, err := call.Encode(vk, proof)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Submit(ctx, signer, consumer, data); err == nil || err.Error() != want.says || errors.Is(err, prover.ErrRejected) != want.rejected {
			t.Errorf("%s: %v, want %s", text, err, want.says)
		}
	}
}
