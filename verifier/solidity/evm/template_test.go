package evm_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
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
	files, err := solidity.Export(vk, solidity.Options{AllowDevelopmentSRS: true, Template: name})
	if err != nil {
		t.Fatal(err)
	}
	compiler, err := evm.FindCompiler()
	if err != nil {
		t.Fatal(err)
	}
	contracts, err := compiler.Compile(context.Background(), files)
	if err != nil {
		t.Fatal(err)
	}
	c := &consumed{t: t, vk: vk, adapter: contracts["ModelVerifier"], abi: contracts[contract].ABI, creation: contracts[contract].Creation}
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
	if c.contract, err = c.create(c.deployAdapter(vk, c.adapter), arguments...); err != nil {
		t.Fatal(err)
	}
	if size := len(c.contract.Code(c.contract.Address)); size > solidity.MaxRuntimeBytes {
		t.Errorf("%s has %d bytes", contract, size)
	}
	return c
}

// deployAdapter registers a key and deploys its adapter.
func (c *consumed) deployAdapter(vk *prover.VerifyingKey, adapter evm.Contract) common.Address {
	c.t.Helper()
	if r, err := c.verifier.Call(solidity.RegisterCalldata(vk)); err != nil || r.Revert != nil {
		c.t.Fatal(err, r.Revert)
	}
	d, err := c.verifier.Create(append(bytes.Clone(adapter.Creation), solidity.AdapterArguments(c.verifier.Address, nil)...), adapter.ABI)
	if err != nil {
		c.t.Fatal(err)
	}
	return d.Address
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

// attack is a call that must revert with the named error.
type attack struct {
	name string
	from common.Address
	time uint64
	// chain is the number of the chain, the contract's own if zero.
	chain    uint64
	calldata []byte
	reverts  string
}

// repel makes the calls and checks that each reverts with its error.
func (c *consumed) repel(attacks ...attack) {
	c.t.Helper()
	for _, a := range attacks {
		if a.chain == 0 {
			a.chain = chain
		}
		r, err := c.contract.CallUnder(evm.Conditions{Sender: a.from, Time: a.time, ChainID: a.chain}, a.calldata)
		switch {
		case err != nil:
			c.t.Fatal(err)
		case r.Revert == nil:
			c.t.Errorf("%s: accepted", a.name)
		case r.Revert.Name != a.reverts:
			c.t.Errorf("%s: reverts with %v, want %s", a.name, r.Revert, a.reverts)
		}
	}
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
	// The two models have one manifest, and so one adapter but for the model id.
	id, otherID := c.vk.ModelID(), other.vk.ModelID()
	adapter := c.adapter
	adapter.Creation = bytes.ReplaceAll(adapter.Creation, id[:], otherID[:])
	_, err := c.create(c.deployAdapter(other.vk, adapter), arguments...)
	var reverted *evm.RevertError
	if !errors.As(err, &reverted) || reverted.Name != "OtherModel" {
		c.t.Errorf("another model's adapter: %v, want OtherModel", err)
	}
}
