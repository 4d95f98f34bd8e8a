package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/zkml-go/zkml/internal/onnxpb"
	"github.com/zkml-go/zkml/internal/shared"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// full has the scripts run that take long, as make evm does.
var full = flag.Bool("full", false, "run the scripts that take long")

func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"zkml": main})
}

// tests runs the tests, but not the commands of their scripts, with the compiler of the
// repository.
type tests struct{ m *testing.M }

func (t tests) Run() int {
	shared.UseCompiler()
	return t.m.Run()
}

// TestScripts runs the scripts, which are the command's manual. Besides testscript's
// own commands they have:
//
//	exits N COMMAND …     run it and want this exit code
//	onnx TEXT FILE        write the ONNX model whose protobuf text is in TEXT
//	replace OLD NEW FILE  replace the first occurrence in FILE, which must have one
//	flip OFFSET FILE      change a byte; a negative offset counts from the end
//	cut N FILE            keep the first N bytes
//	mode PERM FILE        want these permissions, octal
//	digest NAME FROM TO   write the digest of NAME in commit's JSON to a file
//	word I PROOF TO       write a public word of a proof to a file
//	answer FROM NAME TO   write the first hidden output of a secrets file as input NAME
//	token FROM            use the api key that a command printed
//	expect FILE COMMAND … run it with what the file holds in place of @
//	node anvil|bare|geth  start a node; RPC is its address, NODE_KEY the key of SENDER, who has ether
//	keystore KEY PASSWORD write NODE_KEY as a keystore file, and the file's password
//	record FOLDER CHAIN   VERIFIER, DATA, MODEL_ID, ADAPTER, ADAPTER_HASH: what has been deployed
//	consumer VERIFIER ID  deploy testdata/LastAnswer.sol; CONSUMER is its address
//	view VAR ADDRESS SIGNATURE WORD …   VAR is what a function of a contract returns
//
// and the variables MODELS, the folder of the trained models, and ADDRESS, one to serve on. The development srs is
// shared through ZKML_CACHE.
func TestScripts(t *testing.T) {
	p := scriptParams(t.TempDir())
	p.Dir = "testdata/script"
	testscript.Run(t, p)
}

// scriptParams are how scripts run, but for where they are.
func scriptParams(cache string) testscript.Params {
	return testscript.Params{
		RequireExplicitExec: true,
		Setup:               func(env *testscript.Env) error { return setupScript(env, cache) },
		Condition:           scriptCondition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": scriptExits, "onnx": scriptONNX, "replace": scriptReplace, "flip": scriptFlip, "cut": scriptCut,
			"mode": scriptMode, "digest": scriptDigest, "expect": scriptExpect, "word": scriptWord, "answer": scriptAnswer,
			"token": scriptToken,
			"node":  scriptNode, "keystore": scriptKeystore, "record": scriptRecord, "consumer": scriptConsumer, "view": scriptView,
		},
	}
}

// setupScript sets the variables of a script.
func setupScript(env *testscript.Env, cache string) error {
	models, err := filepath.Abs("../../testdata")
	if err != nil {
		return err
	}
	env.Setenv("MODELS", models)
	env.Setenv(srs.CacheVariable, cache)
	ceremony, err := filepath.Abs("../../../shared/srs/powersOfTau28_hez_final_08.ptau")
	if err != nil {
		return err
	}
	env.Setenv("CEREMONY", ceremony)
	env.Setenv("ZKML_SOLC", os.Getenv("ZKML_SOLC"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	env.Setenv("ADDRESS", l.Addr().String())
	env.Setenv(serverVariable, "http://"+l.Addr().String())
	return l.Close()
}

// scriptCondition knows [solc], the Solidity compiler is installed, [anvil], Foundry's
// node is, [full], long scripts run, and [ceremony], the ceremony's file is there. With CI=true both hold, so that a script fails where
// it would be skipped elsewhere.
func scriptCondition(name string) (bool, error) {
	var err error
	switch name {
	case "full":
		return *full, nil
	case "solc":
		_, err = evm.FindCompiler()
	case "anvil":
		_, err = anvilBinary()
	case "ceremony":
		_, err = os.Stat("../../../shared/srs/powersOfTau28_hez_final_08.ptau")
	default:
		return false, errors.New("unknown condition")
	}
	return err == nil || os.Getenv("CI") == "true", nil
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits N command …")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		code = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

func scriptONNX(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: onnx text file")
	}
	var model onnxpb.ModelProto
	ts.Check(prototext.Unmarshal([]byte(ts.ReadFile(args[0])), &model))
	data, err := proto.Marshal(&model)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o644))
}

// scriptEdit applies a change to a file.
func scriptEdit(ts *testscript.TestScript, file string, change func([]byte) []byte) {
	path := ts.MkAbs(file)
	data, err := os.ReadFile(path)
	ts.Check(err)
	ts.Check(os.WriteFile(path, change(data), 0o644))
}

func scriptReplace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace old new file")
	}
	scriptEdit(ts, args[2], func(data []byte) []byte {
		if !bytes.Contains(data, []byte(args[0])) {
			ts.Fatalf("%s has no %q", args[2], args[0])
		}
		return bytes.Replace(data, []byte(args[0]), []byte(args[1]), 1)
	})
}

func scriptFlip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: flip offset file")
	}
	offset, err := strconv.Atoi(args[0])
	ts.Check(err)
	scriptEdit(ts, args[1], func(data []byte) []byte {
		if offset < 0 {
			offset += len(data)
		}
		data[offset] ^= 1
		return data
	})
}

func scriptCut(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: cut n file")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	scriptEdit(ts, args[1], func(data []byte) []byte { return data[:n] })
}

func scriptMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode perm file")
	}
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	stat, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if stat.Mode().Perm() != os.FileMode(want) {
		ts.Fatalf("%s has mode %v", args[1], stat.Mode())
	}
}

func scriptDigest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: digest name from to")
	}
	var read commitResult
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &read))
	for _, v := range read.Digests {
		if v.Name == args[0] {
			ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(v.Digest.String()), 0o644))
			return
		}
	}
	ts.Fatalf("%s has no digest of %s", args[1], args[0])
}

func scriptExpect(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: expect file command …")
	}
	text := ts.ReadFile(args[0])
	command := slices.Clone(args[1:])
	for i := range command {
		command[i] = strings.ReplaceAll(command[i], "@", text)
	}
	if err := ts.Exec(command[0], command[1:]...); (err != nil) != neg {
		ts.Fatalf("%v", err)
	}
}

func scriptWord(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: word i proof to")
	}
	i, err := strconv.Atoi(args[0])
	ts.Check(err)
	proof, err := prover.ReadProof(strings.NewReader(ts.ReadFile(args[1])))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(prover.Word(proof.Words[i]).String()), 0o644))
}

func scriptAnswer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: answer from name to")
	}
	secrets, err := prover.ReadSecrets(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	data, err := json.Marshal(map[string][]float64{args[1]: secrets.Outputs[0].Real})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), data, 0o644))
}

func scriptToken(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: token from")
	}
	ts.Setenv(tokenVariable, strings.TrimSpace(ts.ReadFile(args[0])))
}
