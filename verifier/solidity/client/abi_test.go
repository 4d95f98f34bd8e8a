package client_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity/client"
)

// shopABI declares errors of a contract that isn't ours, one of them of a name that ours
// has too.
const shopABI = `[
	{"type":"function","name":"buy","inputs":[{"name":"x","type":"weird type"}],"outputs":[],"stateMutability":"view"},
	{"type":"error","name":"SoldOut","inputs":[{"name":"item","type":"uint256"}]},
	{"type":"error","name":"ProofRejected","inputs":[{"name":"why","type":"string"}]},
	{"type":"error","name":"ContextUsed","inputs":[{"name":"other","type":"uint256"}]},
	{"type":"error","name":"Basket","inputs":[{"name":"b","type":"tuple","components":[{"name":"owner","type":"address"},{"name":"items","type":"uint8[2]"}]}]}
]`

// reverting is code that reverts with a selector and a word.
func reverting(signature string, word int) []byte {
	return common.FromHex("0x7f" + fmt.Sprintf("%x", selector(signature)) + strings.Repeat("00", 28) + "6000527f" + fmt.Sprintf("%064x", word) + "60045260246000fd")
}

// TestForeignErrors: a contract's own errors are named once its ABI is known, whatever wraps
// that, and are never taken for the verifier's.
func TestForeignErrors(t *testing.T) {
	shop, used, text := common.Address{0xC1}, common.Address{0xC2}, common.Address{0xC3}
	_, m := start(t, rich(types.GenesisAlloc{
		shop: {Code: reverting("SoldOut(uint256)", 7), Balance: new(big.Int)},
		used: {Code: reverting("ContextUsed(uint256)", 5), Balance: new(big.Int)},
		// ProofRejected("") of the shop: the offset of a string, and zero bytes behind it.
		text: {Code: common.FromHex("0x7f" + fmt.Sprintf("%x", selector("ProofRejected(string)")) + strings.Repeat("00", 28) + "600052602060045260446000fd"), Balance: new(big.Int)},
	}))
	for name, abi := range map[string]string{"a list": shopABI, "an artifact": `{"contractName":"Shop","abi":` + shopABI + `,"bytecode":{"object":"0x"}}`} {
		list, err := client.ParseErrors([]byte(abi))
		if err != nil || len(list) != 4 {
			t.Fatalf("%s: %d errors: %v", name, len(list), err)
		}
		c, err := client.New(context.Background(), m, client.Options{Poll: 10 * time.Millisecond, Errors: list})
		if err != nil {
			t.Fatal(err)
		}
		for address, want := range map[common.Address]string{shop: "reverted with SoldOut(7)", used: "reverted with ContextUsed(5)", text: `reverted with ProofRejected("")`} {
			_, err = c.Submit(deadline(t), signer, address, []byte{1})
			var reverted *client.RevertError
			if !errors.As(err, &reverted) || err.Error() != want || errors.Is(err, prover.ErrRejected) {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
		}
	}
	// Without it, its data is shown.
	_, err := dial(t, m).Submit(deadline(t), signer, shop, []byte{1})
	if want := fmt.Sprintf("reverted with 0x%x%064x", selector("SoldOut(uint256)"), 7); err == nil || err.Error() != want {
		t.Errorf("without an ABI: %v, want %s", err, want)
	}
}

// TestBadABI has descriptions that are refused.
func TestBadABI(t *testing.T) {
	deep := `{"name":"a","type":"uint256"}`
	for range 20 {
		deep = `{"name":"a","type":"tuple","components":[` + deep + `]}`
	}
	failing := func(inputs string) string { return `[{"type":"error","name":"E","inputs":[` + inputs + `]}]` }
	for name, text := range map[string]string{
		"empty":             "",
		"a number":          "5",
		"an object without": `{"errors":[]}`,
		"another abi":       `{"abi":5}`,
		"a type":            failing(`{"name":"a","type":"nonsense"}`),
		"a long array":      failing(`{"name":"a","type":"uint8[1000000000000]"}`),
		"an endless array":  failing(`{"name":"a","type":"uint8[99999999999999999999999999]"}`),
		"an empty array":    failing(`{"name":"a","type":"uint8[0]"}`),
		"arrays of arrays":  failing(`{"name":"a","type":"uint8[100][100][100]"}`),
		"many":              failing(strings.TrimSuffix(strings.Repeat(`{"name":"a","type":"uint8[4096]"},`, 2), ",")),
		"deep":              failing(deep),
		"too large":         "[" + strings.Repeat(" ", client.MaxABI) + "]",
	} {
		if list, err := client.ParseErrors([]byte(text)); !errors.Is(err, client.ErrABI) {
			t.Errorf("%s: %v, %v", name, list, err)
		}
	}
}

// FuzzParseErrors: a description from anywhere is read or refused, and what is read decodes
// or refuses any data.
func FuzzParseErrors(f *testing.F) {
	f.Add([]byte(shopABI), []byte{1, 2, 3})
	f.Add([]byte(`{"abi":[{"type":"error","name":"E","inputs":[{"type":"tuple[]","name":"","components":[{"name":"a","type":"bytes[2][]"}]}]}]}`), make([]byte, 96))
	f.Fuzz(func(t *testing.T, text, data []byte) {
		list, err := client.ParseErrors(text)
		if err != nil {
			if !errors.Is(err, client.ErrABI) {
				t.Errorf("%v doesn't match ErrABI", err)
			}
			return
		}
		for _, e := range list {
			e.Inputs.Unpack(data)
		}
	})
}
