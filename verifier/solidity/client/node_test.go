package client_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/node"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/client"
)

// scripted is a node of a chain on which zkml's verifier holds a model's key, and which
// answers to the verification as a script has it.
type scripted struct {
	verifier, data common.Address
	blob           []byte
	// verify is the answer to eth_call of verify, as members of the JSON-RPC answer.
	verify string
	// dataOf is the answer to eth_call of dataOf, that the key is registered if empty.
	dataOf string
	// status is the HTTP status of the answer to verify, 200 if zero.
	status int
}

// ServeHTTP implements http.Handler.
func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request struct {
		ID     json.RawMessage
		Method string
		Params []json.RawMessage
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := `"error":{"code":-32601,"message":"no such method"}`
	switch request.Method {
	case "eth_chainId":
		answer = `"result":"0x539"`
	case "eth_getCode":
		var address common.Address
		json.Unmarshal(request.Params[0], &address)
		code := []byte{}
		switch address {
		case s.verifier:
			code = solidity.Reusable(true).Runtime
		case s.data:
			code = s.blob
		}
		answer = fmt.Sprintf(`"result":"0x%x"`, code)
	case "eth_getBlockByNumber":
		zero := "0x" + strings.Repeat("00", 32)
		answer = fmt.Sprintf(`"result":{"number":"0x10","parentHash":%q,"sha3Uncles":%q,"miner":"0x%s","stateRoot":%q,"transactionsRoot":%q,"receiptsRoot":%q,"logsBloom":"0x%s","difficulty":"0x0","gasLimit":"0x1c9c380","gasUsed":"0x0","timestamp":"0x1","extraData":"0x","mixHash":%q,"nonce":"0x0000000000000000","baseFeePerGas":"0x1"}`,
			zero, zero, strings.Repeat("00", 20), zero, zero, zero, strings.Repeat("00", 256), zero)
	case "eth_estimateGas":
		answer = `"result":"0x50000"`
	case "eth_call":
		var call struct{ Input, Data string }
		json.Unmarshal(request.Params[0], &call)
		switch selector := hex.EncodeToString(crypto.Keccak256([]byte("dataOf(bytes32)"))[:4]); {
		case !strings.HasPrefix(call.Input+call.Data, "0x"+selector):
			answer = s.verify
			if s.status != 0 {
				w.WriteHeader(s.status)
			}
		case s.dataOf != "":
			answer = s.dataOf
		default:
			answer = fmt.Sprintf(`"result":"0x%064x"`, s.data[:])
		}
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,%s}`, request.ID, answer)
}

// outcome is what an error of Verify says.
type outcome string

const (
	accepted   outcome = "accepted"
	rejected   outcome = "the proof is rejected"
	unknown    outcome = "the model isn't registered"
	mismatch   outcome = "another contract"
	failing    outcome = "the contract fails"
	halted     outcome = "the machine gave up"
	nodeFailed outcome = "the node fails"
)

// outcomeOf sorts an error by the types that callers act on.
func outcomeOf(err error) outcome {
	var reverted *client.RevertError
	var halt *client.HaltError
	var node *client.RPCError
	switch {
	case err == nil:
		return accepted
	case errors.Is(err, prover.ErrRejected):
		if !errors.Is(err, client.ErrRejected) || !errors.As(err, &reverted) || errors.Is(err, prover.ErrMismatch) {
			return "rejected without a reason"
		}
		return rejected
	case errors.Is(err, client.ErrNotRegistered):
		return unknown
	case errors.Is(err, prover.ErrMismatch):
		return mismatch
	case errors.As(err, &reverted):
		return failing
	case errors.As(err, &halt):
		return halted
	case errors.As(err, &node):
		return nodeFailed
	}
	return outcome("untyped: " + err.Error())
}

// TestAnswers has all that nodes of several makes say to a verification, and what it means.
func TestAnswers(t *testing.T) {
	vk, proof := model(t)
	data := func(signature string, words ...string) string {
		return "0x" + hex.EncodeToString(selector(signature)) + strings.Join(words, "")
	}
	word := func(n int) string { return fmt.Sprintf("%064x", n) }
	var (
		refused  = data("ProofRejected()")
		point    = data("InvalidPoint(uint256,uint256)", word(0), word(1))
		noModel  = data("UnknownModel(bytes32)", word(7))
		adapters = data("ModelNotRegistered(address)", word(7))
		gas      = data("PrecompileFailed()")
		foreign  = data("ProofRejected(uint256)", word(1))
		reason   = data("Error(string)", word(32), word(2), "6e6f"+strings.Repeat("0", 60))
	)
	failed := func(code int, message, data string) string {
		if data != "" {
			data = fmt.Sprintf(`,"data":%s`, data)
		}
		return fmt.Sprintf(`"error":{"code":%d,"message":%q%s}`, code, message, data)
	}
	quoted := func(s string) string { return `"` + s + `"` }
	for _, c := range []struct {
		name, answer string
		want         outcome
	}{
		{"accepted", `"result":"0x"`, accepted},
		// A refused proof, in the dialects of geth, anvil, Nethermind, Besu and Hardhat.
		{"geth", failed(3, "execution reverted", quoted(refused)), rejected},
		{"geth, a point", failed(3, "execution reverted", quoted(point)), rejected},
		{"anvil", failed(3, "execution reverted: custom error 0xd611c318", quoted(refused)), rejected},
		{"nethermind", failed(-32015, "VM execution error.", quoted("Reverted "+refused)), rejected},
		{"besu", failed(-32000, "Execution reverted", quoted(refused)), rejected},
		{"hardhat", failed(-32603, "Error: VM Exception while processing transaction: reverted with custom error 'ProofRejected()'", `{"message":"x","data":"`+refused+`"}`), rejected},
		// The model isn't known.
		{"unknown model", failed(3, "execution reverted", quoted(noModel)), unknown},
		{"unknown to an adapter's verifier", failed(3, "execution reverted", quoted(adapters)), unknown},
		// A revert that isn't about the proof.
		{"a precompiled contract without gas", failed(3, "execution reverted", quoted(gas)), failing},
		{"no data", failed(3, "execution reverted", ""), failing},
		{"empty data", failed(3, "execution reverted", `"0x"`), failing},
		{"another error of the name", failed(3, "execution reverted", quoted(foreign)), failing},
		{"a reason in words", failed(3, "execution reverted: no", quoted(reason)), failing},
		{"cut data", failed(3, "execution reverted", quoted(refused[:8])), failing},
		{"data that isn't hexadecimal", failed(3, "execution reverted", `"ProofRejected()"`), failing},
		{"data of another kind", failed(3, "execution reverted", `[1,2]`), failing},
		// The machine gives up.
		{"geth, out of gas", failed(-32000, "out of gas", ""), halted},
		{"the node's own limit", failed(-32000, "gas required exceeds allowance (50000)", ""), halted},
		{"anvil, out of gas", failed(-32003, "Out of gas: gas required exceeds allowance: 50000", ""), halted},
		{"nethermind, out of gas", failed(-32015, "VM execution error.", `"OutOfGas"`), halted},
		{"an opcode", failed(-32000, "invalid opcode: CLZ", ""), halted},
		// The node fails, whatever data it gives.
		{"data of an error of another kind", failed(-32000, "header not found", quoted(refused)), nodeFailed},
		{"a limit of requests", failed(-32005, "daily request count exceeded", `"0xd611c318"`), nodeFailed},
		{"a missing block", failed(-32001, "resource not found", ""), nodeFailed},
		{"no result", `"result":null`, nodeFailed},
		{"a result that isn't hexadecimal", `"result":"yes"`, nodeFailed},
		{"a result of another kind", `"result":{"ok":true}`, nodeFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			node := &scripted{verifier: client.Development.Address(), data: common.Address{0xDA}, blob: vk.Blob(), verify: c.answer}
			_, err := onScripted(t, node).Verify(deadline(t), node.verifier, vk, proof, client.Pin{})
			if got := outcomeOf(err); got != c.want {
				t.Errorf("%s, want %s: %v", got, c.want, err)
			}
		})
	}
	t.Run("http", func(t *testing.T) {
		node := &scripted{verifier: client.Development.Address(), data: common.Address{0xDA}, blob: vk.Blob(), status: 503, verify: failed(3, "execution reverted", quoted(refused))}
		_, err := onScripted(t, node).Verify(deadline(t), node.verifier, vk, proof, client.Pin{})
		if got := outcomeOf(err); got != nodeFailed {
			t.Errorf("%s: %v", got, err)
		}
	})
	for name, c := range map[string]struct {
		dataOf string
		want   outcome
	}{
		"no key":                {`"result":"0x` + word(0) + `"`, unknown},
		"another key":           {`"result":"0x` + word(9) + `"`, mismatch},
		"a short answer":        {`"result":"0x"`, nodeFailed},
		"a verifier that fails": {failed(3, "execution reverted", quoted(refused)), nodeFailed},
		"a node that fails":     {failed(-32000, "header not found", ""), nodeFailed},
	} {
		t.Run(name, func(t *testing.T) {
			node := &scripted{verifier: client.Development.Address(), data: common.Address{0xDA}, blob: vk.Blob(), dataOf: c.dataOf, verify: `"result":"0x"`}
			_, err := onScripted(t, node).Verify(deadline(t), node.verifier, vk, proof, client.Pin{})
			if got := outcomeOf(err); got != c.want {
				t.Errorf("%s, want %s: %v", got, c.want, err)
			}
		})
	}
	t.Run("no code", func(t *testing.T) {
		node := &scripted{verifier: client.Development.Address(), verify: `"result":"0x"`}
		_, err := onScripted(t, node).Verify(deadline(t), common.Address{1}, vk, proof, client.Pin{})
		if got := outcomeOf(err); got != mismatch {
			t.Errorf("%s: %v", got, err)
		}
	})
}

// onScripted returns a client of a scripted node.
func onScripted(t *testing.T, s *scripted) *client.Client {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c, err := client.Dial(deadline(t), server.URL, client.Options{Poll: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// TestTooLittleGas has nodes of go-ethereum that allow calls too little gas: wherever the
// contract runs out of it, nobody says that the proof is bad.
func TestTooLittleGas(t *testing.T) {
	vk, proof := model(t)
	verifier, data := client.Development.Address(), common.Address{0xDA}
	// dataOf is the contract's only variable: the slot of a key is keccak256(key, 0).
	id := vk.ModelID()
	slot := crypto.Keccak256Hash(id[:], make([]byte, 32))
	alloc := types.GenesisAlloc{
		verifier: {Code: solidity.Reusable(true).Runtime, Storage: map[common.Hash]common.Hash{slot: common.BytesToHash(data[:])}, Balance: new(big.Int)},
		data:     {Code: vk.Blob(), Balance: new(big.Int)},
	}
	seen := map[outcome]int{}
	for _, gas := range []uint64{0, 25_000, 40_000, 60_000, 80_000, 100_000, 120_000, 140_000, 160_000, 180_000, 200_000, 220_000, 240_000, 260_000, 280_000, 300_000, 400_000, 30_000_000} {
		c, _ := start(t, alloc, func(_ *node.Config, e *ethconfig.Config) { e.RPCGasCap = gas })
		_, err := c.Verify(deadline(t), verifier, vk, proof, client.Pin{})
		got := outcomeOf(err)
		seen[got]++
		t.Logf("%d gas: %v", gas, err)
		switch got {
		case accepted, failing, halted:
		default:
			t.Errorf("%d gas: %s: %v", gas, got, err)
		}
		if (gas == 0 || gas >= 400_000) != (got == accepted) { // 0 is no limit
			t.Errorf("%d gas: %s: %v", gas, got, err)
		}
	}
	if seen[halted] == 0 || seen[accepted] == 0 {
		t.Errorf("not all is seen: %v", seen)
	}
}
