package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	"github.com/ethereum/go-ethereum/node"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/client"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// The account that has ether on the nodes that scripts start: the first of anvil's.
const nodeKey = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"

// scriptNode starts a node, anvil, bare of the deployment proxy or not, or geth's on a
// simulated chain, and sets RPC to its address and SENDER to the account of nodeKey. MALLORY
// and ATTESTER, who have ether too, are the accounts of MALLORY_KEY and ATTESTER_KEY.
func scriptNode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: node anvil|bare|geth")
	}
	signer, err := client.ParseKey(nodeKey)
	ts.Check(err)
	ts.Setenv("SENDER", signer.Address.Hex())
	ts.Setenv("NODE_KEY", nodeKey)
	rich := []common.Address{signer.Address}
	for name, key := range map[string]string{"MALLORY": malloryKey, "ATTESTER": attesterKey} {
		other, err := client.ParseKey(key)
		ts.Check(err)
		ts.Setenv(name, other.Address.Hex())
		ts.Setenv(name+"_KEY", key)
		rich = append(rich, other.Address)
	}
	switch args[0] {
	case "anvil":
		ts.Setenv("RPC", startAnvil(ts))
	case "bare":
		ts.Setenv("RPC", startAnvil(ts, "--disable-default-create2-deployer"))
	case "geth":
		ts.Setenv("RPC", startGeth(ts, rich))
	default:
		ts.Fatalf("no node %s", args[0])
	}
}

// anvilBinary is Foundry's node, as make tools installs it.
func anvilBinary() (string, error) {
	found, err := filepath.Glob("../../node_modules/@foundry-rs/anvil-*/bin/anvil*")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("anvil is missing: run make tools")
	}
	return filepath.Abs(found[0])
}

// startAnvil runs anvil on a port of its choice.
func startAnvil(ts *testscript.TestScript, flags ...string) string {
	binary, err := anvilBinary()
	ts.Check(err)
	cmd := exec.Command(binary, append([]string{"--port", "0", "--hardfork", "osaka"}, flags...)...)
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "Listening on "); ok {
			go io.Copy(io.Discard, out)
			return "http://" + address
		}
	}
	ts.Fatalf("anvil says nothing of an address")
	return ""
}

// startGeth runs go-ethereum's node on a simulated chain, with a block for whatever is
// pending.
func startGeth(ts *testscript.TestScript, rich []common.Address) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	port := listener.Addr().(*net.TCPAddr).Port
	ts.Check(listener.Close())
	genesis := types.GenesisAlloc{}
	for _, account := range rich {
		genesis[account] = types.Account{Balance: new(big.Int).Mul(big.NewInt(1e18), big.NewInt(1000))}
	}
	chain := simulated.NewBackend(genesis,
		func(n *node.Config, _ *ethconfig.Config) {
			n.HTTPHost, n.HTTPPort, n.HTTPModules = "127.0.0.1", port, []string{"eth", "net"}
		})
	// Until it has indexed a block, the node answers no question about a transaction: some
	// programs take that for a failure.
	chain.Commit()
	for {
		_, err := chain.Client().TransactionReceipt(context.Background(), common.Hash{})
		if errors.Is(err, ethereum.NotFound) {
			break
		}
		if err == nil || !strings.Contains(err.Error(), "indexing") {
			ts.Fatalf("asking for a receipt: %v", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				if n, err := chain.Client().PendingTransactionCount(context.Background()); err == nil && n > 0 {
					chain.Commit()
				}
			}
		}
	}()
	ts.Defer(func() {
		close(stop)
		<-stopped
		chain.Close()
	})
	return "http://127.0.0.1:" + strconv.Itoa(port)
}

// scriptKeystore writes nodeKey as an encrypted file, and its password as another.
func scriptKeystore(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keystore file password-file")
	}
	key, err := crypto.HexToECDSA(strings.TrimPrefix(nodeKey, "0x"))
	ts.Check(err)
	const password = "correct horse"
	file, err := keystore.EncryptKey(&keystore.Key{Address: crypto.PubkeyToAddress(key.PublicKey), PrivateKey: key}, password, 2, 1)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file, 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(password+"\n"), 0o600))
}

// scriptRecord sets VERIFIER, DATA, MODEL_ID, ADAPTER and ADAPTER_HASH to what a record of
// deployments says of its first model.
func scriptRecord(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: record folder chain")
	}
	chain, ok := new(big.Int).SetString(args[1], 10)
	if !ok {
		ts.Fatalf("%s is no chain", args[1])
	}
	r, err := client.ReadRecord(ts.MkAbs(args[0]), chain)
	ts.Check(err)
	if len(r.Models) == 0 || len(r.Models[0].Adapters) == 0 {
		ts.Fatalf("the record has no model with an adapter")
	}
	model := r.Models[0]
	ts.Setenv("VERIFIER", model.Verifier.Hex())
	ts.Setenv("DATA", model.Data.Hex())
	ts.Setenv("MODEL_ID", model.ModelID.String())
	ts.Setenv("ADAPTER", model.Adapters[0].Address.Hex())
	ts.Setenv("ADAPTER_HASH", model.Adapters[0].CodeHash.Hex())
}

// scriptConsumer deploys testdata/LastAnswer.sol and sets CONSUMER to its address.
func scriptConsumer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: consumer verifier model-id")
	}
	source, err := os.ReadFile("testdata/LastAnswer.sol")
	ts.Check(err)
	compiler, err := evm.FindCompiler()
	ts.Check(err)
	contracts, err := compiler.Compile(context.Background(), solidity.Files{"src/LastAnswer.sol": source})
	ts.Check(err)
	creation := bytes.Clone(contracts["LastAnswer"].Creation)
	creation = append(creation, common.LeftPadBytes(common.HexToAddress(args[0]).Bytes(), 32)...)
	creation = append(creation, common.HexToHash(args[1]).Bytes()...)
	signer, err := client.ParseKey(nodeKey)
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, ts.Getenv("RPC"), client.Options{Poll: 50 * time.Millisecond})
	ts.Check(err)
	defer c.Close()
	step, err := c.DeployAdapter(ctx, signer, creation)
	ts.Check(err)
	ts.Setenv("CONSUMER", step.Address.Hex())
}

// scriptView calls a function that takes and returns words, and sets a variable to what
// it returns.
func scriptView(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: view variable contract signature word …")
	}
	data := crypto.Keccak256([]byte(args[2]))[:4]
	for _, text := range args[3:] {
		word, ok := new(big.Int).SetString(text, 0)
		if !ok {
			ts.Fatalf("%s is no number", text)
		}
		data = append(data, common.LeftPadBytes(word.Bytes(), 32)...)
	}
	c, err := ethclient.Dial(ts.Getenv("RPC"))
	ts.Check(err)
	defer c.Close()
	contract := common.HexToAddress(args[1])
	answer, err := c.CallContract(context.Background(), ethereum.CallMsg{To: &contract, Data: data}, nil)
	ts.Check(err)
	ts.Setenv(args[0], "0x"+hex.EncodeToString(answer))
}
