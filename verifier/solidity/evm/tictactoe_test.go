package evm_test

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/common"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/graph"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/tensor"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// The states of TicTacToeConsumer.
const (
	playersTurn = 1 + iota
	housesTurn
	playerWon
	houseWon
	drawn
)

// turnSeconds is how long a side may think.
const turnSeconds = 600

// table is a deployed TicTacToeConsumer with the network that it plays.
type table struct {
	*consumed
	m *prepared
}

// board is a position as the house sees it: 1 for its own stones, -1 for the player's.
type board [9]float64

func (b board) inputs() zkml.Inputs {
	return zkml.Inputs{"board": &graph.Tensor{Shape: tensor.Shape{1, 9}, Data: b[:]}}
}

// reply returns the calldata of the house's answer, sent by alice, and its proof.
func (g *table) reply(id int64, b board) ([]byte, *prover.Proof) {
	g.t.Helper()
	proof := g.m.prove(g.t, b.inputs(), g.context(id), nil)
	return g.encode(answerCall(id), proof), proof
}

func answerCall(id int64) string { return fmt.Sprintf("answer(uint256:%d,proof,tensors)", id) }

// context returns the context of the house's answer, sent by alice.
func (g *table) context(id int64) fr.Element {
	g.t.Helper()
	return g.contextOf(id, alice)
}

// contextOf returns the context of the house's answer.
func (g *table) contextOf(id int64, sender common.Address) (c fr.Element) {
	g.t.Helper()
	return *c.SetBigInt(g.read(start, "replyContext", big.NewInt(id), sender).(*big.Int))
}

// networks returns the cell that the network as it was trained chooses.
func (g *table) networks(b board) int {
	g.t.Helper()
	values, err := g.m.network.Graph.Run(b.inputs())
	if err != nil {
		g.t.Fatal(err)
	}
	scores, best := values[g.m.network.Graph.Outputs[0].ID].Data, -1
	for cell := range b {
		if b[cell] == 0 && (best < 0 || scores[cell] > scores[best]) {
			best = cell
		}
	}
	return best
}

// position reads a game: the board and how it stands.
func (g *table) position(id int64) (b board, state uint8) {
	g.t.Helper()
	r, err := g.contract.Call(g.pack("gameOf", big.NewInt(id)))
	if err != nil || r.Revert != nil {
		g.t.Fatal(err, r.Revert)
	}
	values, err := g.abi.Unpack("gameOf", r.Output)
	if err != nil {
		g.t.Fatal(err)
	}
	for cell := range b {
		if values[3].(uint16)>>cell&1 == 1 {
			b[cell] = -1
		} else if values[4].(uint16)>>cell&1 == 1 {
			b[cell] = 1
		}
	}
	return b, values[1].(uint8)
}

// expect checks how a game stands.
func (g *table) expect(id int64, want uint8) {
	g.t.Helper()
	if _, state := g.position(id); state != want {
		g.t.Errorf("game %d is in state %d, want %d", id, state, want)
	}
}

func (g *table) playCall(id, cell int64) []byte {
	return g.pack("play", big.NewInt(id), big.NewInt(cell))
}

// round has the player move and the house answer with the network's move, unless the
// player's ends the game.
func (g *table) round(id, cell int64) (gas uint64, state uint8) {
	g.t.Helper()
	g.send(alice, start, g.playCall(id, cell))
	before, state := g.position(id)
	if state != housesTurn {
		return 0, state
	}
	calldata, _ := g.reply(id, before)
	gas = g.send(alice, start, calldata)
	want := before
	want[g.networks(before)] = 1
	after, state := g.position(id)
	if after != want {
		g.t.Errorf("the house makes %v of %v, the network %v", after, before, want)
	}
	return gas, state
}

// TestTicTacToe plays whole games against the proven network in TicTacToeConsumer, and
// attacks the house's move.
func TestTicTacToe(t *testing.T) {
	needCompiler(t)
	m := prepare(t, "tictactoe", zkml.LoadOptions{}, circuit.Shown, nil)
	g := &table{deployTemplate(t, m.vk, "tictactoe", "TicTacToeConsumer", big.NewInt(turnSeconds)), m}
	for range 4 {
		g.send(alice, start, g.pack("start"))
	}

	t.Run("game", func(t *testing.T) {
		g.t = t
		g.attackRound(1)
		// Player in the corner and the edges: the house takes what it is given.
		var state uint8 = playersTurn
		for cell := int64(1); state == playersTurn; cell++ {
			if before, _ := g.position(1); before[cell] != 0 {
				continue
			}
			_, state = g.round(1, cell)
		}
		if state != houseWon {
			t.Errorf("a game against a fool ends in state %d", state)
		}
		g.repel(sends(alice, start, g.playCall(2, 8)),
			attack{name: "a move after the end", from: alice, time: start, calldata: g.playCall(1, 8), reverts: "WrongState"},
			attack{name: "a timeout after the end", from: alice, time: start + day, calldata: g.pack("claimTimeout", big.NewInt(1)), reverts: "WrongState"},
		)
	})
	t.Run("draw", func(t *testing.T) {
		if !*full {
			t.Skip("proves four moves: make evm plays it")
		}
		g.t = t
		var state uint8 = playersTurn
		for moves := 0; state == playersTurn; moves++ {
			b, _ := g.position(2)
			var gas uint64
			gas, state = g.round(2, int64(bestMove(b)))
			t.Logf("answer %d: %d gas", moves+1, gas)
		}
		if state != drawn {
			t.Errorf("a game against a master ends in state %d", state)
		}
	})
	t.Run("time", func(t *testing.T) {
		g.t = t
		timeout := g.pack("claimTimeout", big.NewInt(3))
		late := uint64(start + turnSeconds + 1)
		g.repel(sends(mallory, late, timeout), attack{name: "too early", from: mallory, time: late - 1, calldata: timeout, reverts: "NotTimedOut"})
		g.repel(sends(alice, late-1, g.playCall(3, 0)), attack{name: "the player is late", from: alice, time: late, calldata: g.playCall(3, 0), reverts: "Expired"})
		g.send(alice, start, g.playCall(3, 0))
		g.send(mallory, late, timeout)
		g.expect(3, playerWon)
		g.send(alice, start, g.pack("start"))
		g.send(mallory, late, g.pack("claimTimeout", big.NewInt(5)))
		g.expect(5, houseWon)
	})
	t.Run("huge statements", func(t *testing.T) {
		g.t = t
		g.send(alice, start, g.pack("start"))
		id := g.read(start, "games").(*big.Int).Int64()
		g.send(alice, start, g.playCall(id, 0))
		g.hugeStatements(id)
	})
	t.Run("free cells", func(t *testing.T) {
		g.t = t
		scores := make([]*big.Int, 9)
		for i := range scores {
			scores[i] = big.NewInt([]int64{9, 8, -3, -5, -3, 7, -9, -9, -9}[i])
		}
		for occupied, want := range map[int64]int64{0: 0, 1: 1, 0b100011: 2, 0b1100101: 1, 0b111111111 &^ 8: 3} {
			if got := g.number(start, "bestFreeCell", big.NewInt(occupied), scores); got != want {
				t.Errorf("with %09b occupied the cell is %d, want %d", occupied, got, want)
			}
		}
	})
}

// attackRound attacks the first round of a game, which is played in the end: the player
// takes the corner.
func (g *table) attackRound(id int64) {
	g.t.Helper()
	g.repel(sends(alice, start, g.playCall(id, 0)),
		attack{name: "another's game", from: mallory, time: start, calldata: g.playCall(id, 0), reverts: "NotPlayer"},
		attack{name: "no cell", from: alice, time: start, calldata: g.playCall(id, 9), reverts: "NoSuchCell"},
		attack{name: "no game", from: alice, time: start, calldata: g.playCall(99, 0), reverts: "WrongState"},
	)
	g.send(alice, start, g.playCall(id, 0))
	g.send(alice, start, g.playCall(4, 0)) // a second game in the same position
	b, _ := g.position(id)
	honest, proof := g.reply(id, b)
	elsewhere := board{8: -1}
	other := prepare(g.t, "tictactoe", zkml.LoadOptions{}, circuit.Shown, []int{9})
	invented, _ := g.reply(id, elsewhere)
	others := other.prove(g.t, b.inputs(), g.context(id), nil)
	g.expectValid(other, others)
	mallorys := g.encode(answerCall(id), g.m.prove(g.t, b.inputs(), g.contextOf(id, mallory), nil))
	g.repel(sends(mallory, start, mallorys), attack{kind: otherCaller, from: mallory, time: start, calldata: honest, reverts: "ProofRejected"})
	g.repel(sends(alice, start, honest),
		attack{name: "the player moves twice", from: alice, time: start, calldata: g.playCall(id, 1), reverts: "WrongState"},
		attack{kind: otherNetwork, from: alice, time: start, chain: otherChain, calldata: honest, reverts: "ProofRejected"},
		attack{kind: otherModel, from: alice, time: start, calldata: g.encode(answerCall(id), others), reverts: "ProofRejected"},
		attack{kind: tamperedOutput, from: alice, time: start, calldata: g.encode(answerCall(id), tampered(g.t, g.m.model.Circuit.Manifest, proof)), reverts: "ProofRejected"},
		attack{kind: unattestedInput, name: "a board that isn't the game's", from: alice, time: start, calldata: invented, reverts: "ProofRejected"},
		attack{kind: replay, name: "in another game with this board", from: alice, time: start, calldata: g.encode(answerCall(4), proof), reverts: "ProofRejected"},
	)
	g.repel(sends(alice, start+turnSeconds, honest), attack{kind: expired, from: alice, time: start + turnSeconds + 1, calldata: honest, reverts: "Expired"})
	if after, _ := g.position(id); after != b {
		g.t.Errorf("the attacks made %v of %v", after, b)
	}
	g.t.Logf("answer: %d gas", g.send(alice, start, honest))
	want := b
	want[g.networks(b)] = 1
	after, _ := g.position(id)
	if after != want {
		g.t.Errorf("the house makes %v of %v, the network %v", after, b, want)
	}
	g.repel(sends(alice, start, g.playCall(id, int64(bestMove(after)))),
		attack{kind: replay, from: alice, time: start, calldata: honest, reverts: "WrongState"},
		attack{name: "own cell", from: alice, time: start, calldata: g.playCall(id, 0), reverts: "OccupiedCell"},
		attack{name: "the house's cell", from: alice, time: start, calldata: g.playCall(id, int64(g.networks(b))), reverts: "OccupiedCell"},
	)
	g.expectTried(replay, otherCaller, otherNetwork, expired, otherModel, tamperedOutput, unattestedInput)
	g.refusesOtherAdapter(other, big.NewInt(turnSeconds))
	// A turn without time, or one so long that its end is before its beginning.
	for _, seconds := range []*big.Int{new(big.Int), new(big.Int).Lsh(big.NewInt(1), 32), new(big.Int).SetUint64(math.MaxUint64)} {
		g.refusesCreation("InvalidTurn", g.adapterAddress(), seconds)
	}
}

// hugeStatements sends more than the contract reads: that costs the sender what the bytes do,
// and who sends a length without bytes next to nothing.
func (g *table) hugeStatements(id int64) {
	g.t.Helper()
	b, _ := g.position(id)
	honest, _ := g.reply(id, b)
	type tensors struct{ Board, Logits []byte }
	try := func(name string, calldata []byte, want string, most uint64) {
		g.t.Helper()
		r, err := g.contract.CallUnder(evm.Conditions{Sender: alice, Time: start, ChainID: chain}, calldata)
		switch {
		case err != nil:
			g.t.Fatal(err)
		case r.Revert == nil || r.Revert.Name != want:
			g.t.Errorf("%s: %v, want %q", name, r.Revert, want)
		case r.ExecutionGas > most:
			g.t.Errorf("%s costs %d gas", name, r.ExecutionGas)
		}
		g.t.Logf("%s: %d gas", name, r.ExecutionGas)
	}
	const size = 64 << 10
	answer := func(board, scores int) []byte {
		values, err := g.abi.Methods["answer"].Inputs.Unpack(honest[4:])
		if err != nil {
			g.t.Fatal(err)
		}
		return g.pack("answer", big.NewInt(id), values[1], tensors{make([]byte, board), make([]byte, scores)})
	}
	try("a huge board, which is ignored", answer(size, 9*2), "TensorLength", 200_000)
	try("huge scores", answer(9, size), "TensorLength", 200_000)
	// The scores are at the end, behind their length.
	scores := &g.m.model.Circuit.Manifest.Outputs[0]
	length := bits.Len64(uint64(max(-scores.Lo, scores.Lo+1<<scores.Bits)))/8 + 1
	lie := bytes.Clone(honest)
	at := len(lie) - (9*length+31)/32*32 - 32
	if lie[at+31] != byte(9*length) {
		g.t.Fatalf("%x isn't the length of the scores", lie[at:at+32])
	}
	copy(lie[at:], bytes.Repeat([]byte{0xff}, 32))
	try("scores of no end", lie, "Error", 10_000) // a panic
	g.repel(sends(alice, start, honest))
}

// bestMove returns a move of the player's that gives away nothing, by minimax.
func bestMove(b board) int {
	move, _ := minimax(b, -1)
	return move
}

// minimax returns the best move of a side, 1 or -1, and what it comes to.
func minimax(b board, side float64) (move int, value float64) {
	move, value = -1, -2
	for cell := range b {
		if b[cell] != 0 {
			continue
		}
		next := b
		next[cell] = side
		result := 1.0
		if !won(next, side) {
			reply, theirs := minimax(next, -side)
			result = -theirs
			if reply < 0 {
				result = 0
			}
		}
		if result > value {
			move, value = cell, result
		}
	}
	return move, value
}

// won reports whether a side fills a line.
func won(b board, side float64) bool {
	for _, line := range [][3]int{{0, 1, 2}, {3, 4, 5}, {6, 7, 8}, {0, 3, 6}, {1, 4, 7}, {2, 5, 8}, {0, 4, 8}, {2, 4, 6}} {
		if b[line[0]] == side && b[line[1]] == side && b[line[2]] == side {
			return true
		}
	}
	return false
}
