package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity/client"
)

// TestDialRefusals has addresses that aren't a node's, and nodes that misbehave.
func TestDialRefusals(t *testing.T) {
	ctx := deadline(t)
	for _, address := range []string{"", "localhost:8545", "ftp://host/", "ipc:///tmp/geth.ipc", "/tmp/geth.ipc", "http://", "http://%zz"} {
		if _, err := client.Dial(ctx, address, client.Options{}); !errors.Is(err, client.ErrAddress) {
			t.Errorf("%q: %v, want ErrAddress", address, err)
		}
	}
	serve := func(handler http.HandlerFunc) string {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return server.URL
	}
	answer := func(result string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var request struct{ ID json.RawMessage }
			json.NewDecoder(r.Body).Decode(&request)
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s}`, request.ID, result)
		}
	}
	huge := answer(`"0x` + strings.Repeat("00", 8<<20) + `"`)
	for name, address := range map[string]string{
		"nothing there": "http://127.0.0.1:1/secret-token",
		"not found":     serve(http.NotFound) + "/secret-token",
		"not JSON":      serve(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }) + "/secret-token",
		"a huge answer": serve(huge) + "/secret-token",
		"no number":     serve(answer(`"many"`)) + "/secret-token",
		"no websocket":  strings.Replace(serve(http.NotFound), "http", "ws", 1) + "/secret-token",
	} {
		_, err := client.Dial(ctx, address, client.Options{})
		var failed *client.RPCError
		if !errors.As(err, &failed) {
			t.Errorf("%s: %v, want an RPCError", name, err)
		} else if strings.Contains(err.Error(), "secret-token") {
			t.Errorf("%s: the error repeats the address: %v", name, err)
		}
	}
	_, err := client.Dial(ctx, serve(answer(`"0x1"`)), client.Options{ChainID: big.NewInt(5)})
	var other *client.ChainError
	if !errors.As(err, &other) || !errors.Is(err, prover.ErrMismatch) || other.Found.Int64() != 1 {
		t.Errorf("another chain: %v", err)
	}
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	stuck := serve(func(http.ResponseWriter, *http.Request) { time.Sleep(time.Second) })
	if _, err := client.Dial(short, stuck, client.Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a node that doesn't answer: %v", err)
	}
}

// racing is a chain where somebody else uses the account's nonce once in a while.
type racing struct {
	mining
	thefts int
}

// SendTransaction implements client.Backend.
func (r *racing) SendTransaction(ctx context.Context, tx *types.Transaction) error {
	if r.thefts > 0 {
		r.thefts--
		theft, err := types.SignNewTx(key, types.LatestSignerForChainID(big.NewInt(1337)), &types.DynamicFeeTx{
			ChainID: big.NewInt(1337), Nonce: tx.Nonce(), To: &signer.Address, Gas: 30_000, GasFeeCap: tx.GasFeeCap(), GasTipCap: tx.GasTipCap(),
		})
		if err != nil {
			return err
		}
		if err := r.mining.SendTransaction(ctx, theft); err != nil {
			return err
		}
	}
	return r.mining.SendTransaction(ctx, tx)
}

// TestNonceRaces: a nonce that was used meanwhile is replaced, a few times; goroutines of
// one client don't take each other's.
func TestNonceRaces(t *testing.T) {
	ctx := deadline(t)
	code := common.Address{0xC0}
	_, m := start(t, rich(types.GenesisAlloc{code: {Code: []byte{0x00}, Balance: new(big.Int)}}))
	r := &racing{m, 3}
	c := dial(t, r)
	if _, err := c.Submit(ctx, signer, code, []byte{1}); err != nil || r.thefts != 0 {
		t.Errorf("after three thefts: %v", err)
	}
	r.thefts = 100
	var failed *client.RPCError
	if _, err := c.Submit(ctx, signer, code, []byte{1}); !errors.As(err, &failed) {
		t.Errorf("always robbed: %v, want an RPCError", err)
	}
	r.thefts = 0
	var all sync.WaitGroup
	errs := make(chan error, 8)
	for range cap(errs) {
		all.Go(func() {
			_, err := c.Submit(ctx, signer, code, []byte{1})
			errs <- err
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Errorf("one of eight at once: %v", err)
		}
	}
}

// idle is a chain that makes no blocks.
type idle struct{ mining }

// SendTransaction implements client.Backend.
func (i idle) SendTransaction(ctx context.Context, tx *types.Transaction) error {
	return i.Client.SendTransaction(ctx, tx)
}

// flaky is a chain whose node forgets every second receipt.
type flaky struct {
	mining
	asked int
}

// TransactionReceipt implements client.Backend.
func (f *flaky) TransactionReceipt(ctx context.Context, hash common.Hash) (*types.Receipt, error) {
	if f.asked++; f.asked%2 == 1 {
		return nil, errors.New("502 bad gateway")
	}
	return f.mining.TransactionReceipt(ctx, hash)
}

// TestWaiting: what isn't in a block in time is named; a node that stumbles is asked
// again.
func TestWaiting(t *testing.T) {
	code := common.Address{0xC0}
	_, m := start(t, rich(types.GenesisAlloc{code: {Code: []byte{0x00}, Balance: new(big.Int)}}))
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	var pending *client.PendingError
	if _, err := dial(t, idle{m}).Submit(ctx, signer, code, []byte{1}); !errors.As(err, &pending) || pending.Transaction == (common.Hash{}) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("no block: %v, want a PendingError", err)
	}
	m.chain.Commit()
	f := &flaky{mining: m}
	if _, err := dial(t, f).Submit(deadline(t), signer, code, []byte{1}); err != nil || f.asked != 2 {
		t.Errorf("a stumbling node, asked %d times: %v", f.asked, err)
	}
}

// confused is a node whose receipts are spoilt.
type confused struct {
	mining
	spoil func(*types.Receipt)
}

// TransactionReceipt implements client.Backend.
func (c confused) TransactionReceipt(ctx context.Context, hash common.Hash) (*types.Receipt, error) {
	receipt, err := c.mining.TransactionReceipt(ctx, hash)
	if err == nil {
		c.spoil(receipt)
	}
	return receipt, err
}

// TestSpoiltReceipts: a receipt that isn't of the transaction, or of no block, isn't taken
// for its success, nor for its failure.
func TestSpoiltReceipts(t *testing.T) {
	code := common.Address{0xC0}
	_, m := start(t, rich(types.GenesisAlloc{code: {Code: []byte{0x00}, Balance: new(big.Int)}}))
	for name, spoil := range map[string]func(*types.Receipt){
		"no block":            func(r *types.Receipt) { r.BlockNumber = nil },
		"no block, failed":    func(r *types.Receipt) { r.BlockNumber, r.Status = nil, types.ReceiptStatusFailed },
		"another transaction": func(r *types.Receipt) { r.TxHash[0] ^= 1 },
	} {
		var pending *client.PendingError
		if _, err := dial(t, confused{m, spoil}).Submit(deadline(t), signer, code, []byte{1}); !errors.As(err, &pending) {
			t.Errorf("%s: %v, want a PendingError", name, err)
		}
	}
}

// stale is a node that estimates well and runs badly: the transaction reverts in its
// block.
type stale struct{ mining }

// EstimateGas implements client.Backend.
func (s stale) EstimateGas(context.Context, ethereum.CallMsg) (uint64, error) { return 100_000, nil }

// selector returns the first bytes of a signature's hash.
func selector(signature string) []byte { return crypto.Keccak256([]byte(signature))[:4] }

// TestRevertInBlock decodes the reason of a transaction that happened and failed.
func TestRevertInBlock(t *testing.T) {
	ctx := deadline(t)
	// Reverts with ContextUsed(5): PUSH4 selector, PUSH1 5.
	code := common.FromHex("0x7f" + fmt.Sprintf("%x", selector("ContextUsed(uint256)")) + strings.Repeat("00", 28) + "600052600560045260246000fd")
	contract := common.Address{0xC1}
	_, m := start(t, rich(types.GenesisAlloc{contract: {Code: code, Balance: new(big.Int)}}))
	_, err := dial(t, stale{m}).Submit(ctx, signer, contract, []byte{1})
	var reverted *client.RevertError
	if !errors.As(err, &reverted) || reverted.Transaction == (common.Hash{}) || !strings.HasSuffix(err.Error(), "reverted with ContextUsed(5)") || errors.Is(err, prover.ErrRejected) {
		t.Errorf("%v, want a RevertError of ContextUsed(5) in a transaction", err)
	}
}

// TestAdapterErrorsAreKnown compares the errors that can be named with those that the
// template of IModelVerifier and those of consumers declare.
func TestAdapterErrorsAreKnown(t *testing.T) {
	for path, known := range map[string][]string{
		"../templates/IModelVerifier.sol": client.AdapterErrors,
		"../consumers/*.sol":              client.ConsumerErrors,
	} {
		files, err := filepath.Glob(path)
		if err != nil {
			t.Fatal(err)
		}
		var text []byte
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, source...)
		}
		declared := map[string]bool{}
		for _, match := range regexp.MustCompile(`\berror (\w+)\(([^)]*)\);`).FindAllStringSubmatch(string(text), -1) {
			var kinds []string
			for _, parameter := range strings.Split(match[2], ",") {
				kind, _, _ := strings.Cut(strings.TrimSpace(parameter), " ")
				if kind == "State" { // an enum
					kind = "uint8"
				}
				kinds = append(kinds, kind)
			}
			declared[match[1]+"("+strings.Join(kinds, ",")+")"] = true
		}
		delete(declared, "ProofRejected()") // the verifier's has the same signature
		for _, signature := range known {
			if !declared[signature] {
				t.Errorf("%s doesn't declare %s", path, signature)
			}
			delete(declared, signature)
		}
		for signature := range declared {
			t.Errorf("%s of %s can't be named", signature, path)
		}
	}
}

// TestSigners reads keys and refuses what isn't one, without repeating it.
func TestSigners(t *testing.T) {
	const text = "0101010101010101010101010101010101010101010101010101010101010101"
	for _, good := range []string{text, "0x" + text, " 0x" + text + "\n"} {
		if s, err := client.ParseKey(good); err != nil || s.Address != signer.Address {
			t.Errorf("a key: %v, %v", s, err)
		}
	}
	for _, bad := range []string{"", "0x", text[1:], text + "01", strings.Repeat("0", 64), strings.Repeat("f", 64), strings.Repeat("x", 64)} {
		if _, err := client.ParseKey(bad); !errors.Is(err, client.ErrKey) || len(bad) > 2 && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if shown := fmt.Sprintf(format, signer); shown != signer.Address.Hex() {
			t.Errorf("%s prints %s", format, shown)
		}
	}
	file, err := keystore.EncryptKey(&keystore.Key{Address: signer.Address, PrivateKey: key}, "password", 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := client.DecryptKeystore(file, "password"); err != nil || s.Address != signer.Address {
		t.Errorf("a keystore: %v, %v", s, err)
	}
	replaced := func(old, new string) string {
		text := strings.Replace(string(file), old, new, 1)
		if text == string(file) {
			t.Errorf("the keystore file has no %s", old)
		}
		return text
	}
	memory := replaced(`"n":2,`, `"n":1073741824,`)
	for name, bad := range map[string]string{
		// Names of Go's structs match whatever their case; those of maps don't.
		"too much memory, hidden": replaced(`"n":2,`, `"n":1073741824,"N":2,`),
		// 128·r·p is 32 GiB.
		"too much memory in lanes": strings.Replace(replaced(`"p":1,`, `"p":64,`), `"r":8`, `"r":4194304`, 1),
		"no salt":                  replaced(`"salt"`, `"pepper"`),
		"no n":                     replaced(`"n":2,`, ``),
		"n of another type":        replaced(`"n":2,`, `"n":"2",`),
		"short vector":             replaced(`"iv":"`, `"iv":"","vi":"`),
	} {
		if _, err := client.DecryptKeystore([]byte(bad), "password"); !errors.Is(err, client.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, bad := range map[string]string{"empty": "", "other JSON": "{}", "too large": string(file) + strings.Repeat(" ", client.MaxKeystore), "too much memory": memory, "cut": string(file[:len(file)/2])} {
		if _, err := client.DecryptKeystore([]byte(bad), "password"); !errors.Is(err, client.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := client.DecryptKeystore(file, "other"); !errors.Is(err, client.ErrKey) {
		t.Errorf("another password: %v", err)
	}
}

// FuzzReadRecord: a record from anywhere is read or refused.
func FuzzReadRecord(f *testing.F) {
	f.Add([]byte(`{"format":"zkml-deployments","version":1,"chain_id":5,"verifiers":[],"models":[]}`))
	f.Add([]byte(`{"format":"zkml-deployments","version":1,"chain_id":5,"verifiers":[{"variant":"other"}],"models":[{"adapters":[{}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		folder := t.TempDir()
		if err := os.WriteFile(client.RecordPath(folder, big.NewInt(5)), data, 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := client.ReadRecord(folder, big.NewInt(5))
		if err != nil {
			if !errors.Is(err, prover.ErrMismatch) {
				t.Errorf("%v doesn't match ErrMismatch", err)
			}
			return
		}
		if err := r.Write(folder); err != nil {
			t.Fatal(err)
		}
		if _, err := client.ReadRecord(folder, big.NewInt(5)); err != nil {
			t.Errorf("what was written isn't read: %v", err)
		}
	})
}
