package evm_test

// The attacks that each template repels, here with real proofs of trained networks in
// go-ethereum's virtual machine, and with make evm as transactions on anvil and on
// go-ethereum's node too (cmd/zkml/testdata/script/template-*.txtar). A cell is the error of
// the attack; expectTried fails where a test leaves one out. Each attack has a control that
// differs in one thing and succeeds, before and after it.
//
//	                  inference        lending          eligibility      tictactoe
//	replay            ContextUsed      ContextUsed      ContextUsed      WrongState
//	another caller    ProofRejected    ProofRejected    ProofRejected    ProofRejected
//	another chain     ProofRejected    ProofRejected    ProofRejected    ProofRejected
//	expired           Expired          Expired          Expired          Expired
//	another model     ProofRejected    ProofRejected    ProofRejected    ProofRejected
//	tampered output   ProofRejected    ProofRejected    ProofRejected    ProofRejected
//	unattested input  –                UnattestedInput  UnattestedInput  ProofRejected
//
// Nobody attests inputs for the inference template: its caller chooses them, its statement
// names them, and its comment says what that is worth. The game attests them itself: it packs
// the board, so that a proof for another board is rejected. A replay of the game's answer
// finds that it is the player's turn, before its context is looked at: a context has the
// stones of both sides in it, and no position comes twice. Another caller includes whoever
// sees a proof in the pool of transactions and sends it first; in lending and eligibility
// that caller's own proof of somebody else's input is UnattestedInput, in inference and the
// game it is as good as anyone's.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// Who takes part in the templates' tests, and where and when they do. The registrar and
// the attester of one deployment aren't those of another.
var (
	registrar = common.HexToAddress("0x1111111111111111111111111111111111111111")
	attester  = common.HexToAddress("0x2222222222222222222222222222222222222222")
	alice     = common.HexToAddress("0xa11ce00000000000000000000000000000000000")
	mallory   = common.HexToAddress("0xbad0000000000000000000000000000000000000")
)

const (
	chain      = 1
	otherChain = 10
	start      = 1_800_000_000
	day        = 86_400
)

// prepared is a model of testdata with keys and the network that it was made from.
type prepared struct {
	network *zkml.Network
	model   *zkml.Model
	vk      *prover.VerifyingKey
	prover  *zkml.Prover
}

// prepare compiles a model as compiled does, with tables of the given widths: other
// widths give another key for the same statements.
func prepare(t *testing.T, name string, load zkml.LoadOptions, input circuit.Visibility, widths []int) *prepared {
	t.Helper()
	n, err := zkml.Load(models+name+"/model.onnx", load)
	if err != nil {
		t.Fatal(err)
	}
	o := zkml.Options{Widths: widths, Visibility: map[string]circuit.Visibility{}}
	if o.Samples, err = n.ReadSamples(models + name + "/samples.json"); err != nil {
		t.Fatal(err)
	}
	for name := range o.Samples[0] {
		o.Visibility[name] = input
	}
	p := &prepared{network: n}
	if p.model, err = zkml.Compile(context.Background(), n, o); err != nil {
		t.Fatal(err)
	}
	pk, vk := keys(t, p.model)
	p.vk = vk
	if p.prover, err = zkml.NewProver(p.model, pk, zkml.ProverOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.prover.Close)
	return p
}

// prove proves an answer for a context, under the salts of secrets if there are any.
func (p *prepared) prove(t *testing.T, inputs zkml.Inputs, context_ fr.Element, secrets *zkml.Secrets) *prover.Proof {
	t.Helper()
	proof, err := p.prover.Prove(context.Background(), inputs, zkml.ProveOptions{Context: context_, Secrets: secrets})
	if err != nil {
		t.Fatal(err)
	}
	return proof
}

// consumed is a deployed template.
type consumed struct {
	// tried has the kinds of attacks that have been tried.
	tried map[kindOfAttack]bool

	t        *testing.T
	vk       *prover.VerifyingKey
	contract *evm.Deployed
	abi      abi.ABI
	adapter  evm.Contract
	verifier *evm.Deployed
	creation []byte
}

// deployTemplate exports a model's project with a template and deploys zkml's verifier,
// the adapter and the template's contract, whose constructor takes the adapter and then
// the arguments.
func deployTemplate(t *testing.T, vk *prover.VerifyingKey, name, contract string, arguments ...any) *consumed {
	t.Helper()
	return deployTemplateWith(t, vk, solidity.Options{Template: name}, contract, arguments...)
}

// deployTemplateWith is deployTemplate of a project with other options.
func deployTemplateWith(t *testing.T, vk *prover.VerifyingKey, o solidity.Options, contract string, arguments ...any) *consumed {
	t.Helper()
	o.AllowDevelopmentSRS = true
	files, err := solidity.Export(vk, o)
	if err != nil {
		t.Fatal(err)
	}
	contracts := compileOnce(t, files)
	c := &consumed{tried: map[kindOfAttack]bool{}, t: t, vk: vk, adapter: contracts["ModelVerifier"], abi: contracts[contract].ABI, creation: contracts[contract].Creation}
	reusable := solidity.Reusable(true)
	known, err := abi.JSON(bytes.NewReader(reusable.ABI))
	if err != nil {
		t.Fatal(err)
	}
	c.abi.Errors = maps.Clone(c.abi.Errors)
	for _, passed := range []abi.ABI{known, c.adapter.ABI} {
		for _, e := range passed.Errors {
			c.abi.Errors[e.Sig] = e
		}
	}
	if c.verifier, err = evm.DeployArtifact(reusable); err != nil {
		t.Fatal(err)
	}
	var digest []fr.Element
	if o.WeightsDigest != nil {
		digest = append(digest, *o.WeightsDigest)
	}
	if c.contract, err = c.create(c.deployAdapter(vk, c.adapter, digest...).Address, arguments...); err != nil {
		t.Fatal(err)
	}
	if size := len(c.contract.Code(c.contract.Address)); size > solidity.MaxRuntimeBytes {
		t.Errorf("%s has %d bytes", contract, size)
	}
	return c
}

// deployAdapter registers a key and deploys its adapter.
func (c *consumed) deployAdapter(vk *prover.VerifyingKey, adapter evm.Contract, digest ...fr.Element) *evm.Deployed {
	c.t.Helper()
	if r, err := c.verifier.Call(solidity.RegisterCalldata(vk)); err != nil || r.Revert != nil {
		c.t.Fatal(err, r.Revert)
	}
	var weights *fr.Element
	if len(digest) > 0 {
		weights = &digest[0]
	}
	d, err := c.verifier.Create(append(bytes.Clone(adapter.Creation), solidity.AdapterArguments(c.verifier.Address, weights)...), adapter.ABI)
	if err != nil {
		c.t.Fatal(err)
	}
	return d
}

// compiledProjects are the projects compiled by the tests so far.
var compiledProjects = map[[32]byte]map[string]evm.Contract{}

// compileOnce compiles a project, which takes seconds, unless it has been.
func compileOnce(t *testing.T, files solidity.Files) map[string]evm.Contract {
	t.Helper()
	text := sha256.New()
	for _, path := range files.Paths() {
		fmt.Fprintf(text, "%s %d\n%s", path, len(files[path]), files[path])
	}
	key := [32]byte(text.Sum(nil))
	if contracts, ok := compiledProjects[key]; ok {
		return contracts
	}
	compiler, err := evm.FindCompiler()
	if err != nil {
		t.Fatal(err)
	}
	contracts, err := compiler.Compile(context.Background(), files)
	if err != nil {
		t.Fatal(err)
	}
	compiledProjects[key] = contracts
	return contracts
}

// adapterAddress returns the address of the adapter that the template asks.
func (c *consumed) adapterAddress() common.Address {
	return c.read(start, "VERIFIER").(common.Address)
}

// create creates the template's contract over an adapter.
func (c *consumed) create(adapter common.Address, arguments ...any) (*evm.Deployed, error) {
	c.t.Helper()
	packed, err := c.abi.Pack("", append([]any{adapter}, arguments...)...)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.verifier.Create(append(bytes.Clone(c.creation), packed...), c.abi)
}

// pack encodes a call.
func (c *consumed) pack(function string, arguments ...any) []byte {
	c.t.Helper()
	calldata, err := c.abi.Pack(function, arguments...)
	if err != nil {
		c.t.Fatal(err)
	}
	return calldata
}

// encode encodes a call of which arguments are a proof's, as zkml submit does.
func (c *consumed) encode(call string, proof *prover.Proof) []byte {
	c.t.Helper()
	parsed, err := solidity.ParseCall(call)
	if err != nil {
		c.t.Fatal(err)
	}
	own := *proof // that of another model is sent as if it were this one's
	own.ModelID = c.vk.ModelID()
	calldata, err := parsed.Encode(c.vk, &own)
	if err != nil {
		c.t.Fatal(err)
	}
	return calldata
}

// send makes a call on the contract's own chain that must succeed, and returns its gas.
func (c *consumed) send(from common.Address, time uint64, calldata []byte) uint64 {
	c.t.Helper()
	r, err := c.contract.CallUnder(evm.Conditions{Sender: from, Time: time, ChainID: chain}, calldata)
	if err != nil || r.Revert != nil {
		c.t.Fatal(err, r.Revert)
	}
	return r.TransactionGas
}

// read calls a function that returns one value.
func (c *consumed) read(time uint64, function string, arguments ...any) any {
	c.t.Helper()
	r, err := c.contract.CallUnder(evm.Conditions{Sender: mallory, Time: time, ChainID: chain}, c.pack(function, arguments...))
	if err != nil || r.Revert != nil {
		c.t.Fatal(err, r.Revert)
	}
	values, err := c.abi.Unpack(function, r.Output)
	if err != nil {
		c.t.Fatal(err)
	}
	return values[0]
}

// number reads a number.
func (c *consumed) number(time uint64, function string, arguments ...any) int64 {
	c.t.Helper()
	return c.read(time, function, arguments...).(*big.Int).Int64()
}

// kindOfAttack is a column of the table in the file's comment.
type kindOfAttack string

const (
	replay          kindOfAttack = "replay"
	otherCaller     kindOfAttack = "another caller"
	otherNetwork    kindOfAttack = "another chain"
	expired         kindOfAttack = "expired"
	otherModel      kindOfAttack = "another model"
	tamperedOutput  kindOfAttack = "tampered output"
	unattestedInput kindOfAttack = "unattested input"
)

// attack is a call that must revert with the named error.
type attack struct {
	kind kindOfAttack
	// name says more than the kind, or all.
	name string
	from common.Address
	time uint64
	// chain is the number of the chain, the contract's own if zero.
	chain    uint64
	calldata []byte
	reverts  string
}

// control does on a fork what an attack does, but honestly: it must succeed, or the attack
// shows nothing.
type control func(fork *consumed)

// sends is the control that sends a call.
func sends(from common.Address, time uint64, calldata []byte) control {
	return func(fork *consumed) {
		fork.t.Helper()
		fork.send(from, time, calldata)
	}
}

// repel makes the calls and checks that each reverts with its error. The control succeeds
// before them and after: an attack doesn't spoil it either.
func (c *consumed) repel(honest control, attacks ...attack) {
	c.t.Helper()
	try := func() {
		c.t.Helper()
		fork := *c
		fork.contract, fork.verifier = c.contract.Fork(), nil
		honest(&fork)
	}
	try()
	for _, a := range attacks {
		c.tried[a.kind] = true
		if a.chain == 0 {
			a.chain = chain
		}
		r, err := c.contract.CallUnder(evm.Conditions{Sender: a.from, Time: a.time, ChainID: a.chain}, a.calldata)
		switch {
		case err != nil:
			c.t.Fatal(err)
		case r.Revert == nil:
			c.t.Errorf("%s %s: accepted", a.kind, a.name)
		case r.Revert.Name != a.reverts:
			c.t.Errorf("%s %s: reverts with %v, want %s", a.kind, a.name, r.Revert, a.reverts)
		}
	}
	try()
}

// expectTried fails unless all attacks of a row of the table have been tried.
func (c *consumed) expectTried(kinds ...kindOfAttack) {
	c.t.Helper()
	for _, kind := range kinds {
		if !c.tried[kind] {
			c.t.Errorf("no attack was tried: %s", kind)
		}
	}
}

// expectValid checks that another model's own adapter accepts its proof: what a template
// refuses it for is the model.
func (c *consumed) expectValid(other *prepared, proof *prover.Proof) {
	c.t.Helper()
	calldata, err := solidity.Calldata(other.vk, solidity.Typed, proof)
	if err != nil {
		c.t.Fatal(err)
	}
	fork := *c
	fork.verifier = c.verifier.Fork()
	adapter := fork.deployAdapter(other.vk, c.adapterOf(other))
	if r, err := adapter.Call(calldata); err != nil || r.Revert != nil {
		c.t.Fatal(err, r.Revert)
	}
}

// adapterOf is the adapter of a model that has the template's manifest: the two differ in
// the model id.
func (c *consumed) adapterOf(other *prepared) evm.Contract {
	id, otherID := c.vk.ModelID(), other.vk.ModelID()
	adapter := c.adapter
	adapter.Creation = bytes.ReplaceAll(adapter.Creation, id[:], otherID[:])
	return adapter
}

// request is the context of a call and the values that it is made of, and checks that
// the contract makes the same of them.
func (c *consumed) request(caller common.Address, nonce, deadline uint64) fr.Element {
	c.t.Helper()
	r := solidity.Request{ChainID: chain, Consumer: c.contract.Address, Caller: caller, Deadline: deadline}
	binary.BigEndian.PutUint64(r.Nonce[24:], nonce)
	want := r.Context()
	got := c.read(start, "contextOf", caller, new(big.Int).SetUint64(nonce), new(big.Int).SetUint64(deadline)).(*big.Int)
	if got.Cmp(integer(want)) != 0 {
		c.t.Fatalf("the contract's context is %x, the package's %x", got, integer(want))
	}
	return want
}

// tampered returns a proof that states another last element of the model's output.
func tampered(t *testing.T, m *circuit.Manifest, proof *prover.Proof) *prover.Proof {
	t.Helper()
	forged := *proof
	forged.Words = slices.Clone(proof.Words)
	answer := &m.Outputs[0]
	last := len(forged.Words) - 1
	elements, err := answer.Unpack(forged.Words[last:])
	if err != nil {
		t.Fatal(err)
	}
	element := &elements[len(elements)-1]
	if *element++; *element > answer.Lo+(1<<answer.Bits-1) {
		*element -= 2
	}
	words, err := answer.Pack(elements)
	if err != nil {
		t.Fatal(err)
	}
	forged.Words[last] = words[0]
	return &forged
}

// refusesOtherAdapter checks that a template can't be created over another model's
// adapter, whose integers would mean something else.
func (c *consumed) refusesOtherAdapter(other *prepared, arguments ...any) {
	c.t.Helper()
	c.refusesCreation("OtherModel", c.deployAdapter(other.vk, c.adapterOf(other)).Address, arguments...)
}

// refusesCreation checks that the template's constructor reverts with an error.
func (c *consumed) refusesCreation(want string, adapter common.Address, arguments ...any) {
	c.t.Helper()
	_, err := c.create(adapter, arguments...)
	var reverted *evm.RevertError
	if !errors.As(err, &reverted) || reverted.Name != want {
		c.t.Errorf("constructor of %v: %v, want %s", arguments, err, want)
	}
}
