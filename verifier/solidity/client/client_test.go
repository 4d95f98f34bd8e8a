package client_test

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	"github.com/ethereum/go-ethereum/node"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/client"
	"github.com/zkml-go/zkml/verifier/solidity/internal/fixture"
)

// key signs everything in these tests.
var key = func() *ecdsa.PrivateKey {
	k, err := crypto.HexToECDSA("0101010101010101010101010101010101010101010101010101010101010101")
	if err != nil {
		panic(err)
	}
	return k
}()

var signer = client.NewSigner(key)

var ether = big.NewInt(1e18)

// rich gives the signer 1000 ether, on a chain with what alloc adds.
func rich(alloc types.GenesisAlloc) types.GenesisAlloc {
	all := types.GenesisAlloc{signer.Address: {Balance: new(big.Int).Mul(ether, big.NewInt(1000))}}
	for address, account := range alloc {
		all[address] = account
	}
	return all
}

// mining is a simulated chain that makes a block of every transaction.
type mining struct {
	simulated.Client
	chain *simulated.Backend
}

// SendTransaction implements client.Backend.
func (m mining) SendTransaction(ctx context.Context, tx *types.Transaction) error {
	if err := m.Client.SendTransaction(ctx, tx); err != nil {
		return err
	}
	m.chain.Commit()
	return nil
}

// start returns a client of a new chain.
func start(t *testing.T, alloc types.GenesisAlloc, options ...func(*node.Config, *ethconfig.Config)) (*client.Client, mining) {
	t.Helper()
	chain := simulated.NewBackend(alloc, options...)
	t.Cleanup(func() { chain.Close() })
	m := mining{chain.Client(), chain}
	return dial(t, m), m
}

// dial returns a client of a backend.
func dial(t *testing.T, b client.Backend) *client.Client {
	t.Helper()
	c, err := client.New(context.Background(), b, client.Options{Poll: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// proven is a key of the development string with a proof.
type proven struct {
	vk    *prover.VerifyingKey
	proof *prover.Proof
}

// proveOnce makes the model of these tests.
var proveOnce = sync.OnceValues(func() (m proven, err error) {
	words, err := fixture.Words(fixture.Digits(), fr.NewElement(5), func(bits int) uint64 { return 1 })
	if err != nil {
		return m, err
	}
	m.vk, m.proof, err = fixture.Make(fixture.Digits(), 1, words)
	return m, err
})

// model is a key of the development string with a proof, the same for all tests.
func model(t *testing.T) (*prover.VerifyingKey, *prover.Proof) {
	t.Helper()
	m, err := proveOnce()
	if err != nil {
		t.Fatal(err)
	}
	return m.vk, m.proof
}

// deadline bounds a test's waiting.
func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// TestDeployment deploys and registers twice, then has proofs verified.
func TestDeployment(t *testing.T) {
	ctx := deadline(t)
	vk, proof := model(t)
	c, m := start(t, rich(nil))
	if c.ChainID().Cmp(big.NewInt(1337)) != 0 {
		t.Errorf("chain %v", c.ChainID())
	}
	var steps [2][]*client.Step
	for i := range steps {
		verifier, err := c.DeployVerifier(ctx, signer, client.Development)
		if err != nil {
			t.Fatal(err)
		}
		registered, err := c.Register(ctx, signer, verifier.Address, vk)
		if err != nil {
			t.Fatal(err)
		}
		steps[i] = []*client.Step{verifier, registered}
	}
	for i, first := range steps[0] {
		again := steps[1][i]
		if first.Receipt == nil || first.Receipt.GasUsed == 0 {
			t.Errorf("%s: no transaction", first.What)
		}
		if again.Receipt != nil || again.Address != first.Address || again.CodeHash != first.CodeHash {
			t.Errorf("%s: %+v the second time, after %+v", first.What, again, first)
		}
	}
	verifier := client.Development.Address()
	if steps[0][0].Address != verifier || steps[0][1].CodeHash != common.Hash(vk.ModelID()) {
		t.Errorf("steps %+v", steps[0])
	}

	answer, err := c.Verify(ctx, verifier, vk, proof, client.Pin{})
	if err != nil {
		t.Fatal(err)
	}
	if answer.Kind != "verifier" || !answer.Pinned || answer.Variant != client.Development || answer.Gas < 250_000 || answer.Call != "verify(bytes32,uint256[],bytes)" {
		t.Errorf("answer %+v", answer)
	}
	calldata, err := solidity.VerifierCall().Encode(vk, proof)
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := c.Submit(ctx, signer, verifier, calldata)
	if err != nil {
		t.Fatal(err)
	}
	if mined, err := m.TransactionReceipt(ctx, receipt.Transaction); err != nil || mined.GasUsed != receipt.GasUsed || mined.BlockNumber.Cmp(receipt.Block) != 0 {
		t.Errorf("receipt %+v, the chain has %+v: %v", receipt, mined, err)
	}

	// The same proof with another context isn't one.
	forged := *proof
	forged.Words = append([]fr.Element{fr.NewElement(6)}, proof.Words[1:]...)
	_, err = c.Verify(ctx, verifier, vk, &forged, client.Pin{})
	var reverted *client.RevertError
	if !errors.Is(err, client.ErrRejected) || !errors.Is(err, prover.ErrRejected) || !errors.As(err, &reverted) || reverted.Name != "ProofRejected" {
		t.Errorf("a forged proof: %v", err)
	}
	if calldata, err = solidity.VerifierCall().Encode(vk, &forged); err != nil {
		t.Fatal(err)
	}
	if _, err = c.Submit(ctx, signer, verifier, calldata); !errors.As(err, &reverted) || reverted.Name != "ProofRejected" {
		t.Errorf("a forged proof is submitted: %v", err)
	}
}

// TestProductionRefusesDevelopmentKeys: by this package and by the contract.
func TestProductionRefusesDevelopmentKeys(t *testing.T) {
	ctx := deadline(t)
	vk, _ := model(t)
	c, _ := start(t, rich(nil))
	verifier, err := c.DeployVerifier(ctx, signer, client.Production)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Register(ctx, signer, verifier.Address, vk); !errors.Is(err, srs.ErrDevelopment) {
		t.Errorf("a development key: %v", err)
	}
	var reverted *client.RevertError
	if _, err := c.Submit(ctx, signer, verifier.Address, solidity.RegisterCalldata(vk)); !errors.As(err, &reverted) || reverted.Name != "DevelopmentSrs" {
		t.Errorf("a development key in a transaction: %v", err)
	}
}

// TestWrongContracts has addresses that aren't what they should be.
func TestWrongContracts(t *testing.T) {
	ctx := deadline(t)
	vk, proof := model(t)
	other := common.Address{0xAB}
	// This contract answers every call with nothing, as one that accepts everything.
	accepting := common.Address{0xAC}
	c, _ := start(t, rich(types.GenesisAlloc{
		other:     {Code: common.FromHex("0x60006000fd"), Balance: new(big.Int)},
		accepting: {Code: common.FromHex("0x00"), Balance: new(big.Int)},
	}))
	var code *client.CodeError
	for _, address := range []common.Address{{1, 2, 3}, other, accepting} {
		if _, err := c.Verify(ctx, address, vk, proof, client.Pin{}); !errors.Is(err, prover.ErrMismatch) || !errors.As(err, &code) {
			t.Errorf("verify by %s: %v", address, err)
		}
		if _, err := c.Register(ctx, signer, address, vk); !errors.Is(err, prover.ErrMismatch) || !errors.As(err, &code) {
			t.Errorf("register with %s: %v", address, err)
		}
	}
	if _, err := c.Submit(ctx, signer, common.Address{1, 2, 3}, nil); !errors.As(err, &code) {
		t.Errorf("submit to nothing: %v", err)
	}
	verifier, err := c.DeployVerifier(ctx, signer, client.Development)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Verify(ctx, verifier.Address, vk, proof, client.Pin{}); !errors.Is(err, client.ErrNotRegistered) || !errors.Is(err, prover.ErrMismatch) {
		t.Errorf("a model that isn't registered: %v", err)
	}
}

// TestProxy deploys where the chain has no proxy: by its presigned transaction where
// that is let in, with an error where it isn't, or where something else is in its place.
func TestProxy(t *testing.T) {
	ctx := deadline(t)
	proxy := common.Address(solidity.Proxy)
	without := rich(types.GenesisAlloc{proxy: {Balance: new(big.Int)}})
	unprotected := func(n *node.Config, _ *ethconfig.Config) { n.AllowUnprotectedTxs = true }

	c, _ := start(t, without, unprotected)
	for i := range 2 {
		step, err := c.DeployProxy(ctx, signer)
		if err != nil {
			t.Fatal(err)
		}
		if step.Address != proxy || (step.Receipt != nil) != (i == 0) {
			t.Errorf("step %+v", step)
		}
	}
	if _, err := c.DeployVerifier(ctx, signer, client.Development); err != nil {
		t.Error(err)
	}

	c, m := start(t, without)
	if _, err := c.DeployVerifier(ctx, signer, client.Development); !errors.Is(err, client.ErrNoProxy) {
		t.Errorf("a chain that takes no unprotected transaction: %v", err)
	}
	if funded, err := m.BalanceAt(ctx, common.HexToAddress("0x3fAB184622Dc19b6109349B94811493BF2a45362"), nil); err != nil || funded.Sign() != 0 {
		t.Errorf("%v wei were sent for nothing: %v", funded, err)
	}

	c, _ = start(t, rich(types.GenesisAlloc{proxy: {Code: []byte{0}, Balance: new(big.Int)}}))
	var code *client.CodeError
	if _, err := c.DeployVerifier(ctx, signer, client.Development); !errors.As(err, &code) || code.Address != proxy {
		t.Errorf("another contract in the proxy's place: %v", err)
	}
}

// TestFunds: an account that can't pay is named with what it has.
func TestFunds(t *testing.T) {
	ctx := deadline(t)
	c, _ := start(t, types.GenesisAlloc{signer.Address: {Balance: big.NewInt(1e9)}})
	var funds *client.FundsError
	if _, err := c.DeployVerifier(ctx, signer, client.Development); !errors.As(err, &funds) || funds.Account != signer.Address || funds.Have.Int64() != 1e9 {
		t.Errorf("no ether: %v", err)
	}
}
