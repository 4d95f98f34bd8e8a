package evm_test

import (
	"math/big"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/common"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
	"github.com/zkml-go/zkml/verifier/solidity/internal/fixture"
)

// Who acts in these tests, where and when.
var (
	alice, mallory, authority = common.Address{0xA1}, common.Address{0xBA, 0xD}, common.Address{0xAA}
	honestly                  = evm.Conditions{Sender: alice, Time: 1_000, ChainID: 1}
)

const deadline = 2_000

// by, on and at return conditions that differ in one thing.
func by(who common.Address) evm.Conditions { c := honestly; c.Sender = who; return c }
func on(chain uint64) evm.Conditions       { c := honestly; c.ChainID = chain; return c }
func at(time uint64) evm.Conditions        { c := honestly; c.Time = time; return c }

// do calls a function and compares the revert with want, empty for none.
func (c *consumer) do(t *testing.T, what string, under evm.Conditions, want, function string, arguments ...any) *big.Int {
	t.Helper()
	calldata, err := c.contract.ABI.Pack(function, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	result, err := c.CallUnder(under, calldata)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	if result.Revert != nil {
		got = result.Revert.Error()
	}
	if want == "" && got != "" || !strings.HasPrefix(got, want) {
		t.Errorf("%s: reverts with %q, want %q", what, got, want)
	}
	return new(big.Int).SetBytes(result.Output)
}

// hashedModel is a manifest of a model with a hashed input and an output of one element.
func hashedModel(name string, bits int, lo int64) *circuit.Manifest {
	one := quantize.Scale{Num: 1, Den: 1}
	return &circuit.Manifest{
		Version: circuit.FormatVersion, Model: name, Weights: circuit.Fixed,
		Inputs:  []circuit.Public{{Name: "data", Visibility: circuit.Hashed, Shape: tensor.Shape{4}, Bits: 8, Scale: one}},
		Outputs: []circuit.Public{{Name: "answer", Shape: tensor.Shape{1}, Lo: lo, Bits: bits, Scale: one}},
	}
}

// stated is a proof of public words, as the contract takes it.
func stated(t *testing.T, m *circuit.Manifest, context *big.Int, words ...uint64) (*prover.VerifyingKey, []byte) {
	t.Helper()
	public := make([]fr.Element, 1+len(words))
	public[0].SetBigInt(context)
	for i, w := range words {
		public[i+1].SetUint64(w)
	}
	vk, proof, err := fixture.Make(m, 1, public)
	if err != nil {
		t.Fatal(err)
	}
	return vk, marshal(t, vk, proof)
}

// address returns an address as a word.
func address(a common.Address) [32]byte { return [32]byte(common.LeftPadBytes(a.Bytes(), 32)) }

// number returns a small number as a word.
func number(n int64) [32]byte {
	word := fr.NewElement(uint64(n))
	return word.Bytes()
}

// TestLending: a factor follows from a score of attested features, and from nothing else.
func TestLending(t *testing.T) {
	needCompiler(t)
	const digest, other, score = 77, 78, 600
	m := hashedModel("score", 10, 300)
	vk, _ := stated(t, m, big.NewInt(0), digest, 0)
	c := deployConsumer(t, "Lending", []*prover.VerifyingKey{vk}, func(c *consumer) [][32]byte {
		return [][32]byte{address(c.verifier.Address), vk.ModelID(), address(authority), number(10), number(300), number(700)}
	})
	nonce, until := big.NewInt(1), big.NewInt(deadline)
	context := c.do(t, "context", honestly, "", "contextOf", alice, nonce, until)
	_, proof := stated(t, m, context, digest, score)
	submit := func(what string, under evm.Conditions, want string, proof []byte, score int64) {
		t.Helper()
		c.do(t, what, under, want, "submitScore", proof, big.NewInt(score), nonce, until)
	}
	factor := func(want int64) {
		t.Helper()
		if got := c.do(t, "factor", honestly, "", "collateralFactor", alice); got.Int64() != want {
			t.Errorf("alice's factor is %v, want %d", got, want)
		}
	}

	submit("unattested input", honestly, "NotAttested", proof, score)
	c.do(t, "a stranger attests", honestly, "NotAttester", "attest", alice, big.NewInt(digest))
	c.do(t, "attest", by(authority), "", "attest", alice, big.NewInt(digest))
	c.do(t, "attest", by(authority), "", "attest", mallory, big.NewInt(digest))
	_, invented := stated(t, m, context, other, score)
	submit("features that nobody attested", honestly, "ProofRejected", invented, score)
	submit("a better score", honestly, "ProofRejected", proof, score+1)
	submit("a score with more bits", honestly, "ScoreOutOfRange", proof, 1<<10+score)
	submit("another's proof", by(mallory), "ProofRejected", proof, score)
	submit("another chain", on(2), "ProofRejected", proof, score)
	submit("too late", at(deadline+1), "Expired", proof, score)
	_, foreign := stated(t, hashedModel("other", 10, 300), context, digest, score)
	submit("another model", honestly, "ProofRejected", foreign, score)
	c.do(t, "another deadline", honestly, "ProofRejected", "submitScore", proof, big.NewInt(score), nonce, big.NewInt(deadline+1))
	factor(0)
	submit("the score", at(deadline), "", proof, score)
	factor(8_000) // 600 + 300 is above 700
	submit("replay", honestly, "ContextUsed", proof, score)
	c.do(t, "other features", by(authority), "", "attest", alice, big.NewInt(other))
	factor(0)
	submit("replay after other features", honestly, "ContextUsed", proof, score)
}

// TestEligibility: only a yes about registered data is recorded.
func TestEligibility(t *testing.T) {
	needCompiler(t)
	const digest, other = 77, 78
	m := hashedModel("diagnosis", 1, 0)
	vk, _ := stated(t, m, big.NewInt(0), digest, 0)
	c := deployConsumer(t, "Eligibility", []*prover.VerifyingKey{vk}, func(c *consumer) [][32]byte {
		return [][32]byte{address(c.verifier.Address), vk.ModelID(), address(authority)}
	})
	nonce, until := big.NewInt(1), big.NewInt(deadline)
	context := c.do(t, "context", honestly, "", "contextOf", alice, nonce, until)
	_, yes := stated(t, m, context, digest, 1)
	_, no := stated(t, m, context, digest, 0)
	_, invented := stated(t, m, context, other, 1)
	_, foreign := stated(t, hashedModel("other", 1, 0), context, digest, 1)

	c.do(t, "unregistered", honestly, "NotRegistered", "prove", yes, nonce, until)
	c.do(t, "a stranger registers", honestly, "NotRegistrar", "register", alice, big.NewInt(digest))
	c.do(t, "register", by(authority), "", "register", alice, big.NewInt(digest))
	c.do(t, "register", by(authority), "", "register", mallory, big.NewInt(digest))
	for _, attack := range []struct {
		name  string
		under evm.Conditions
		want  string
		proof []byte
	}{
		{"a no", honestly, "ProofRejected", no},
		{"other data", honestly, "ProofRejected", invented},
		{"another model", honestly, "ProofRejected", foreign},
		{"another's proof", by(mallory), "ProofRejected", yes},
		{"another chain", on(2), "ProofRejected", yes},
		{"too late", at(deadline + 1), "Expired", yes},
	} {
		c.do(t, attack.name, attack.under, attack.want, "prove", attack.proof, nonce, until)
	}
	if c.do(t, "eligible", honestly, "", "eligible", alice).Sign() != 0 {
		t.Error("alice is eligible without a proof")
	}
	c.do(t, "a yes", honestly, "", "prove", yes, nonce, until)
	if c.do(t, "eligible", honestly, "", "eligible", alice).Sign() == 0 || c.do(t, "eligible", honestly, "", "eligible", mallory).Sign() != 0 {
		t.Error("not alice alone is eligible")
	}
	c.do(t, "replay", honestly, "ContextUsed", "prove", yes, nonce, until)
}

// TestTicTacToe: the house can make no move but the network's for the board.
func TestTicTacToe(t *testing.T) {
	needCompiler(t)
	one := quantize.Scale{Num: 1, Den: 1}
	network := func(name string) *circuit.Manifest {
		return &circuit.Manifest{
			Version: circuit.FormatVersion, Model: name, Weights: circuit.Fixed,
			Inputs:  []circuit.Public{{Name: "board", Shape: tensor.Shape{1, 9}, Lo: -1, Bits: 2, Scale: one}},
			Outputs: []circuit.Public{{Name: "cell", Shape: tensor.Shape{1}, Bits: 4, Scale: one}},
		}
	}
	m := network("house")
	vk, _ := stated(t, m, big.NewInt(0), 0, 0)
	c := deployConsumer(t, "TicTacToe", []*prover.VerifyingKey{vk}, func(c *consumer) [][32]byte {
		return [][32]byte{address(c.verifier.Address), vk.ModelID(), address(authority)}
	})
	cell := func(n int64) *big.Int { return big.NewInt(n) }
	first, second := big.NewInt(1), big.NewInt(2)
	c.do(t, "begin", honestly, "", "begin", cell(4))
	c.do(t, "begin the same", honestly, "", "begin", cell(4))
	board := c.do(t, "board", honestly, "", "boardOf", first)
	packed, err := m.Inputs[0].Pack([]int64{0, 0, 0, 0, -1, 0, 0, 0, 0})
	if err != nil {
		t.Fatal(err)
	}
	if board.Cmp(integer(packed[0])) != 0 {
		t.Errorf("the board is %v, want %v", board, packed[0].String())
	}
	context := func(id *big.Int) *big.Int { return c.do(t, "context", honestly, "", "turnContext", id) }
	move := func(what string, under evm.Conditions, want string, id *big.Int, n int64, proof []byte) {
		t.Helper()
		c.do(t, what, under, want, "playHouse", id, cell(n), proof)
	}
	house := by(authority)
	_, proof := stated(t, m, context(first), board.Uint64(), 0)
	_, elsewhere := stated(t, m, context(first), board.Uint64()^3, 0)
	_, foreign := stated(t, network("other"), context(first), board.Uint64(), 0)
	late, otherChain := house, house
	late.Time, otherChain.ChainID = 1_000_000, 2
	move("the player moves for the house", honestly, "NotYourTurn", first, 0, proof)
	move("another cell", house, "ProofRejected", first, 1, proof)
	move("the answer to another board", house, "ProofRejected", first, 0, elsewhere)
	move("another model", house, "ProofRejected", first, 0, foreign)
	move("another game with the same board", house, "ProofRejected", second, 0, proof)
	move("another chain", otherChain, "ProofRejected", first, 0, proof)
	move("too late", late, "Expired", first, 0, proof)
	c.do(t, "the player moves twice", honestly, "NotYourTurn", "play", first, cell(1))
	move("the network's move", house, "", first, 0, proof)
	move("replay", house, "NotYourTurn", first, 0, proof)
	c.do(t, "a taken cell", honestly, "IllegalMove", "play", first, cell(0))
	c.do(t, "no cell", honestly, "IllegalMove", "play", first, cell(9))
	c.do(t, "another player", by(mallory), "NotYourTurn", "play", first, cell(1))
	c.do(t, "the player's second move", honestly, "", "play", first, cell(3))
	_, stupid := stated(t, m, context(first), c.do(t, "board", honestly, "", "boardOf", first).Uint64(), 0)
	move("a cell that is taken", house, "IllegalMove", first, 0, stupid)
	move("the first proof in the second turn", house, "ProofRejected", first, 0, proof)
	c.do(t, "claim", honestly, "TooEarly", "claim", first)
	_, proof = stated(t, m, context(first), c.do(t, "board", honestly, "", "boardOf", first).Uint64(), 1)
	move("the network's second move", house, "", first, 1, proof)
	c.do(t, "three in a row", honestly, "", "play", first, cell(5))
	if got := c.do(t, "winner", honestly, "", "winnerOf", first); got.Int64() != 1 {
		t.Errorf("%v has won, want the player", got)
	}
	c.do(t, "after the end", honestly, "NotYourTurn", "play", first, cell(8))
	afterwards := honestly
	afterwards.Time = 1_000_000
	c.do(t, "claim of another", by(mallory), "NotYourTurn", "claim", second)
	c.do(t, "claim", afterwards, "", "claim", second)
	if got := c.do(t, "winner", honestly, "", "winnerOf", second); got.Int64() != 1 {
		t.Errorf("%v has won, want the player", got)
	}
}
