package client_test

import (
	"context"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/zkml-go/zkml/verifier/solidity/client"
)

// dear is a node that names fees of its own, and remembers what it is sent.
type dear struct {
	mining
	// base is the fee of a block, nil for a chain without; tip and price are what the node
	// suggests.
	base, tip, price *big.Int
	sent             *types.Transaction
}

// HeaderByNumber implements client.Backend.
func (d *dear) HeaderByNumber(ctx context.Context, number *big.Int) (*types.Header, error) {
	head, err := d.mining.HeaderByNumber(ctx, number)
	if err == nil {
		head.BaseFee = d.base
	}
	return head, err
}

// SuggestGasTipCap implements client.Backend.
func (d *dear) SuggestGasTipCap(context.Context) (*big.Int, error) { return d.tip, nil }

// SuggestGasPrice implements client.Backend.
func (d *dear) SuggestGasPrice(context.Context) (*big.Int, error) { return d.price, nil }

// SendTransaction implements client.Backend.
func (d *dear) SendTransaction(ctx context.Context, tx *types.Transaction) error {
	d.sent = tx
	return d.mining.SendTransaction(ctx, tx)
}

// TestFees: what the node asks for is paid up to the limit, and nothing is signed above it.
func TestFees(t *testing.T) {
	gwei := func(n int64) *big.Int { return big.NewInt(n * 1e9) }
	contract := common.Address{0xC0}
	_, m := start(t, rich(types.GenesisAlloc{contract: {Code: []byte{0x00}, Balance: new(big.Int)}}))
	for _, c := range []struct {
		name             string
		base, tip, price *big.Int
		limit            *big.Int
		// pays is the most that the transaction signed may pay, nil if none is; says is a
		// part of the error.
		pays *big.Int
		says string
	}{
		{"usual", gwei(2), gwei(1), nil, nil, gwei(5), ""},
		{"the default limit", gwei(60), gwei(1), nil, nil, gwei(100), ""},
		{"at the limit", gwei(9), gwei(1), nil, gwei(10), gwei(10), ""},
		{"a base fee above", gwei(10), gwei(1), nil, gwei(10), nil, "asks 11 gwei for a unit of gas, more than the limit of 10 gwei"},
		{"a priority fee above", gwei(1), gwei(2000), nil, nil, nil, "asks 2001 gwei for a unit of gas, more than the limit of 100 gwei"},
		{"a fraction", gwei(1), big.NewInt(500_000_001), nil, big.NewInt(1_500_000_000), nil, "asks 1.500000001 gwei for a unit of gas, more than the limit of 1.5 gwei"},
		{"no base fee", nil, nil, gwei(7), nil, gwei(7), ""},
		{"no base fee, above", nil, nil, gwei(101), nil, nil, "asks 101 gwei for a unit of gas, more than the limit of 100 gwei"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &dear{mining: m, base: c.base, tip: c.tip, price: c.price}
			cl, err := client.New(context.Background(), d, client.Options{Poll: 10 * time.Millisecond, MaxFee: c.limit})
			if err != nil {
				t.Fatal(err)
			}
			_, err = cl.Submit(deadline(t), signer, contract, []byte{1})
			var fee *client.FeeError
			switch {
			case c.pays == nil && (!errors.As(err, &fee) || !strings.Contains(err.Error(), c.says) || d.sent != nil):
				t.Errorf("%v, want a FeeError that %s; sent %v", err, c.says, d.sent)
			case c.pays != nil && err != nil:
				t.Error(err)
			case c.pays != nil && d.sent.GasFeeCap().Cmp(c.pays) != 0:
				t.Errorf("pays up to %v, want %v", d.sent.GasFeeCap(), c.pays)
			}
		})
	}
}
