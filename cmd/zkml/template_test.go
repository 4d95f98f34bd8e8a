package main

import (
	"bytes"
	"context"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/client"
)

// The second and third of anvil's accounts, who have ether on every node of the scripts.
const (
	malloryKey  = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
	attesterKey = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
)

// TestTemplateScripts has the command and forge deploy each consumer template, as exported,
// on a node, use it from outside, and attack it by transactions that happen and fail: the
// errors are those of the table in verifier/solidity/evm/template_test.go. Another node of
// the other kind, where the contracts are at the same addresses, is the other chain. make evm
// runs all scripts on both; without -full there is one, on anvil.
//
// Beside TestScripts' commands the scripts have:
//
//	deploys FOLDER        forge runs the project's script; ADAPTER and CONSUMER are what it made
//	sends CONTRACT SIGNATURE WORD …          a transaction that succeeds
//	reads NUMBER CONTRACT SIGNATURE WORD …   the last word that a function returns
//	attack ERROR CONTRACT CALL KEY PROOF     a transaction, sent unchecked, that fails with ERROR
//	tamper KEY PROOF TO   another last element of the output stated
//
// and the variables NODE and CHAIN, OTHER_NODE and OTHER_CHAIN. The key to sign with is that
// of ZKML_PRIVATE_KEY.
func TestTemplateScripts(t *testing.T) {
	cache := t.TempDir()
	chains := map[string]string{"anvil": "31337", "geth": "1337"}
	for node, other := range map[string]string{"anvil": "geth", "geth": "anvil"} {
		t.Run(node, func(t *testing.T) {
			p := scriptParams(cache)
			p.Dir = "testdata/template"
			setup := p.Setup
			p.Setup = func(env *testscript.Env) error {
				env.Setenv("NODE", node)
				env.Setenv("CHAIN", chains[node])
				env.Setenv("OTHER_NODE", other)
				env.Setenv("OTHER_CHAIN", chains[other])
				return setup(env)
			}
			p.Cmds["deploys"], p.Cmds["sends"], p.Cmds["reads"] = scriptDeploys, scriptSends, scriptReads
			p.Cmds["attack"], p.Cmds["tamper"] = scriptAttack, scriptTamper
			if !*full {
				if node != "anvil" {
					t.Skip("make evm runs the scripts on go-ethereum's node too")
				}
				p.Files, p.Dir = []string{filepath.Join(p.Dir, "tictactoe.txtar")}, ""
			}
			testscript.Run(t, p)
		})
	}
}

// created are the lines in which forge says what a script returned.
var created = regexp.MustCompile(`(adapter|consumer): contract \w+ (0x[0-9a-fA-F]{40})`)

// scriptDeploys has forge run a project's script, as its README says.
func scriptDeploys(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: deploys folder")
	}
	output, err := forge(ts, ts.MkAbs(args[0]))
	ts.Logf("%s", output)
	if neg != (err != nil) {
		ts.Fatalf("forge script: %v", err)
	}
	// What it says is for stdout's and stderr's checks too.
	ts.Check(os.WriteFile(ts.MkAbs("forge.txt"), output, 0o644))
	for _, found := range created.FindAllSubmatch(output, -1) {
		ts.Setenv(strings.ToUpper(string(found[1])), string(found[2]))
	}
}

// forge runs the deployment of a project.
func forge(ts *testscript.TestScript, dir string) ([]byte, error) {
	binaries, err := filepath.Glob("../../node_modules/@foundry-rs/forge-*/bin/forge*")
	ts.Check(err)
	if len(binaries) == 0 {
		ts.Fatalf("forge is missing: run make tools")
	}
	binary, err := filepath.Abs(binaries[0])
	ts.Check(err)
	// Forge takes a script around npm's compiler for a compiler.
	compiler, err := os.ReadFile("../../verifier/solidity/evm/solc.js")
	ts.Check(err)
	solc := ts.MkAbs("solc")
	ts.Check(os.WriteFile(solc, compiler, 0o755))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "script", "--use", solc, "script/Deploy.s.sol", "--rpc-url", ts.Getenv("RPC"), "--broadcast", "--private-key", nodeKey)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "FOUNDRY_DISABLE_NIGHTLY_WARNING=1", "NO_COLOR=1", "ZKML_SOLC="+ts.Getenv("ZKML_SOLC"))
	for _, t := range solidity.Templates() {
		for _, s := range t.Settings {
			if value := ts.Getenv(s.Variable); value != "" {
				cmd.Env = append(cmd.Env, s.Variable+"="+value)
			}
		}
	}
	return cmd.CombinedOutput()
}

// scriptCall is the calldata of a function that takes words; @FILE is one that a file holds.
func scriptCall(ts *testscript.TestScript, signature string, words []string) []byte {
	data := crypto.Keccak256([]byte(signature))[:4]
	for _, text := range words {
		data = append(data, common.LeftPadBytes(scriptWordOf(ts, text).Bytes(), 32)...)
	}
	return data
}

// scriptWordOf reads a number, or one that a file holds.
func scriptWordOf(ts *testscript.TestScript, text string) *big.Int {
	if path, ok := strings.CutPrefix(text, "@"); ok {
		text = strings.TrimSpace(ts.ReadFile(path))
	}
	word, ok := new(big.Int).SetString(text, 0)
	if !ok {
		ts.Fatalf("%s is no number", text)
	}
	return word
}

func scriptSends(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: sends contract signature word …")
	}
	signer, err := client.ParseKey(ts.Getenv(keyVariable))
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, ts.Getenv("RPC"), client.Options{Poll: 50 * time.Millisecond})
	ts.Check(err)
	defer c.Close()
	_, err = c.Submit(ctx, signer, common.HexToAddress(args[0]), scriptCall(ts, args[1], args[2:]))
	ts.Check(err)
}

func scriptReads(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: reads number contract signature word …")
	}
	want := scriptWordOf(ts, args[0])
	c, err := ethclient.Dial(ts.Getenv("RPC"))
	ts.Check(err)
	defer c.Close()
	contract := common.HexToAddress(args[1])
	answer, err := c.CallContract(context.Background(), ethereum.CallMsg{To: &contract, Data: scriptCall(ts, args[2], args[3:])}, nil)
	ts.Check(err)
	if len(answer) < 32 {
		ts.Fatalf("%s returns %x", args[2], answer)
	}
	if got := new(big.Int).SetBytes(answer[len(answer)-32:]); got.Cmp(want) != 0 {
		ts.Fatalf("%s returns %v, want %v", args[2], got, want)
	}
}

func scriptTamper(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: tamper key proof to")
	}
	vk, proof := scriptProof(ts, args[0], args[1])
	answer := &vk.Manifest().Outputs[0]
	last := len(proof.Words) - 1
	elements, err := answer.Unpack(proof.Words[last:])
	ts.Check(err)
	element := &elements[len(elements)-1]
	if *element++; *element > answer.Lo+(1<<answer.Bits-1) {
		*element -= 2
	}
	words, err := answer.Pack(elements)
	ts.Check(err)
	proof.Words[last] = words[0]
	var file bytes.Buffer
	_, err = proof.WriteTo(&file)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), file.Bytes(), 0o644))
}

// scriptProof reads a key and a proof.
func scriptProof(ts *testscript.TestScript, key, path string) (*prover.VerifyingKey, *prover.Proof) {
	vk, err := prover.ReadVerifyingKey(strings.NewReader(ts.ReadFile(key)))
	ts.Check(err)
	proof, err := prover.ReadProof(strings.NewReader(ts.ReadFile(path)))
	ts.Check(err)
	return vk, proof
}

// scriptAttack sends a transaction as somebody would who has no interest in whether the
// proof holds, and looks at why it failed.
func scriptAttack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 5 {
		ts.Fatalf("usage: attack error contract call key proof")
	}
	vk, proof := scriptProof(ts, args[3], args[4])
	proof.ModelID = vk.ModelID() // another model's is sent as if it were this one's
	call, err := solidity.ParseCall(args[2])
	ts.Check(err)
	data, err := call.Encode(vk, proof)
	ts.Check(err)
	key, err := crypto.HexToECDSA(strings.TrimPrefix(ts.Getenv(keyVariable), "0x"))
	ts.Check(err)
	from, to := crypto.PubkeyToAddress(key.PublicKey), common.HexToAddress(args[1])

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := ethclient.DialContext(ctx, ts.Getenv("RPC"))
	ts.Check(err)
	defer c.Close()
	chain, err := c.ChainID(ctx)
	ts.Check(err)
	nonce, err := c.PendingNonceAt(ctx, from)
	ts.Check(err)
	// A tip above the usual would be the node's advice to the others.
	const gas, gwei = 2_000_000, 1_000_000_000
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(chain), &types.DynamicFeeTx{
		ChainID: chain, Nonce: nonce, To: &to, Data: data, Gas: gas, GasTipCap: big.NewInt(gwei), GasFeeCap: big.NewInt(100 * gwei),
	})
	ts.Check(err)
	ts.Check(c.SendTransaction(ctx, tx))
	receipt, err := c.TransactionReceipt(ctx, tx.Hash())
	for ; err != nil && ctx.Err() == nil; receipt, err = c.TransactionReceipt(ctx, tx.Hash()) {
		time.Sleep(50 * time.Millisecond)
	}
	ts.Check(err)
	if receipt.Status != types.ReceiptStatusFailed || receipt.GasUsed == gas {
		ts.Fatalf("the transaction has status %d and used %d gas", receipt.Status, receipt.GasUsed)
	}
	_, err = c.CallContract(ctx, ethereum.CallMsg{From: from, To: &to, Data: data, Gas: gas}, receipt.BlockNumber)
	var reverted rpc.DataError
	if !errors.As(err, &reverted) {
		ts.Fatalf("the call doesn't revert: %v", err)
	}
	text, _ := reverted.ErrorData().(string)
	answer, err := hexutil.Decode(text)
	ts.Check(err)
	if !bytes.HasPrefix(answer, crypto.Keccak256([]byte(args[0]))[:4]) {
		ts.Fatalf("reverts with %x, want %s", answer, args[0])
	}
	ts.Logf("%s: %d gas, transaction %s", args[0], receipt.GasUsed, tx.Hash())
}
