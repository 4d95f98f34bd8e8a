package evm_test

import (
	"bytes"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/ethereum/go-ethereum/accounts/abi"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/internal/projects"
)

// typedTensors and packedTensors are the structs of projects.Mixed.
type typedTensors struct {
	Image         []byte
	Sensor        []byte
	SecretDigest  *big.Int
	Score         []byte
	WeightsDigest *big.Int
}

type packedTensors struct {
	Image         []*big.Int
	Sensor        []*big.Int
	SecretDigest  *big.Int
	Score         []*big.Int
	WeightsDigest *big.Int
}

// arguments are those of one call, to be spoilt before encoding.
type arguments struct {
	proof   []byte
	context *big.Int
	typed   typedTensors
	packed  packedTensors
}

var mixedABI = func() abi.ABI {
	const text = `[
	{"type":"function","name":"verify","inputs":[{"type":"bytes"},{"type":"uint256"},{"type":"tuple","components":[
		{"name":"image","type":"bytes"},{"name":"sensor","type":"bytes"},{"name":"secretDigest","type":"uint256"},{"name":"score","type":"bytes"},{"name":"weightsDigest","type":"uint256"}]}]},
	{"type":"function","name":"verifyPacked","inputs":[{"type":"bytes"},{"type":"uint256"},{"type":"tuple","components":[
		{"name":"image","type":"uint256[]"},{"name":"sensor","type":"uint256[]"},{"name":"secretDigest","type":"uint256"},{"name":"score","type":"uint256[]"},{"name":"weightsDigest","type":"uint256"}]}]}]`
	parsed, err := abi.JSON(strings.NewReader(text))
	if err != nil {
		panic(err)
	}
	return parsed
}()

func (a *arguments) encode(t *testing.T, entry solidity.Entry) []byte {
	t.Helper()
	var tensors any = a.typed
	if entry == solidity.Packed {
		tensors = a.packed
	}
	calldata, err := mixedABI.Pack(entry.String(), a.proof, a.context, tensors)
	if err != nil {
		t.Fatal(err)
	}
	return calldata
}

// honest returns the arguments of an accepted call.
func honest(t *testing.T, vk *prover.VerifyingKey, p *prover.Proof) arguments {
	t.Helper()
	m := vk.Manifest()
	bigWords := make([]*big.Int, len(p.Words))
	for i := range p.Words {
		bigWords[i] = p.Words[i].BigInt(new(big.Int))
	}
	unpack := func(tensor circuit.Public, words []fr.Element, width int) (out []byte) {
		values, err := tensor.Unpack(words)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range values {
			if width == 2 {
				out = append(out, byte(q>>8))
			}
			out = append(out, byte(q))
		}
		return out
	}
	return arguments{
		proof: marshal(t, vk, p), context: bigWords[0],
		typed: typedTensors{
			Image: unpack(m.Inputs[0], p.Words[1:3], 1), Sensor: unpack(m.Inputs[1], p.Words[3:5], 2),
			SecretDigest: bigWords[5], Score: unpack(m.Outputs[0], p.Words[6:7], 1), WeightsDigest: bigWords[7],
		},
		packed: packedTensors{Image: bigWords[1:3], Sensor: bigWords[3:5], SecretDigest: bigWords[5], Score: bigWords[6:7], WeightsDigest: bigWords[7]},
	}
}

// TestMalformedCallsRevert spoils one thing of an accepted call at a time and names
// the error that the contract must give.
func TestMalformedCallsRevert(t *testing.T) { eachKind(t, malformedCallsRevert) }

func malformedCallsRevert(t *testing.T, k kind) {
	vk, proof, v := prove(t, k, projects.Mixed(), 1)
	bit := func(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }
	add := func(a, b *big.Int) *big.Int { return new(big.Int).Add(a, b) }
	order, prime := fr.Modulus(), fp.Modulus()
	addTo := func(data []byte, n *big.Int) { add(new(big.Int).SetBytes(data), n).FillBytes(data) }
	typed, packed := solidity.Typed, solidity.Packed
	both := []solidity.Entry{typed, packed}
	// gnark's contract doesn't say what it found.
	malformed := func(reason string) string {
		if k.standalone {
			return "MalformedProof"
		}
		return reason
	}
	cases := []struct {
		name    string
		entries []solidity.Entry
		spoil   func(a *arguments)
		want    string
	}{
		{"nothing", both, func(a *arguments) {}, ""},
		{"context of another request", both, func(a *arguments) { a.context = add(a.context, bit(0)) }, "ProofRejected"},
		{"context with its top byte", both, func(a *arguments) { a.context = add(a.context, bit(248)) }, "ContextOutOfRange"},
		{"context + r", both, func(a *arguments) { a.context = add(a.context, order) }, "ContextOutOfRange"},
		{"another pixel", []solidity.Entry{typed}, func(a *arguments) { a.typed.Image[39] ^= 1 }, "ProofRejected"},
		{"another output", []solidity.Entry{typed}, func(a *arguments) { a.typed.Score[0] ^= 1 }, "ProofRejected"},
		{"swapped elements", []solidity.Entry{typed}, func(a *arguments) {
			a.typed.Sensor[0], a.typed.Sensor[1], a.typed.Sensor[2], a.typed.Sensor[3] = a.typed.Sensor[2], a.typed.Sensor[3], a.typed.Sensor[0], a.typed.Sensor[1]
		}, "ProofRejected"},
		{"another word", []solidity.Entry{packed}, func(a *arguments) { a.packed.Image[0] = new(big.Int).Xor(a.packed.Image[0], bit(0)) }, "ProofRejected"},
		{"swapped words", []solidity.Entry{packed}, func(a *arguments) {
			a.packed.Image = []*big.Int{new(big.Int).Rsh(a.packed.Image[0], 176), a.packed.Image[1]}
		}, "ProofRejected"},
		{"a byte too few", []solidity.Entry{typed}, func(a *arguments) { a.typed.Image = a.typed.Image[:39] }, "TensorLength(0, 39, 40)"},
		{"a byte too many", []solidity.Entry{typed}, func(a *arguments) { a.typed.Sensor = append(a.typed.Sensor, 0) }, "TensorLength(1, 51, 50)"},
		{"no output", []solidity.Entry{typed}, func(a *arguments) { a.typed.Score = nil }, "TensorLength(3, 0, 1)"},
		{"a word too few", []solidity.Entry{packed}, func(a *arguments) { a.packed.Image = a.packed.Image[:1] }, "TensorLength(0, 1, 2)"},
		{"a word too many", []solidity.Entry{packed}, func(a *arguments) { a.packed.Score = append(a.packed.Score[:1:1], bit(0)) }, "TensorLength(3, 2, 1)"},
		{"below the interval", []solidity.Entry{typed}, func(a *arguments) { copy(a.typed.Sensor[48:], []byte{0xFA, 0x23}) }, "ElementOutOfRange(1, 24, -1501)"},
		{"above the interval", []solidity.Entry{typed}, func(a *arguments) { copy(a.typed.Sensor[2:], []byte{0x0A, 0x24}) }, "ElementOutOfRange(1, 1, 2596)"},
		{"unsigned below the interval", []solidity.Entry{typed}, func(a *arguments) { a.typed.Score[0] = 9 }, "ElementOutOfRange(3, 0, 9)"},
		{"unsigned above the interval", []solidity.Entry{typed}, func(a *arguments) { a.typed.Score[0] = 138 }, "ElementOutOfRange(3, 0, 138)"},
		{"bits above a full word", []solidity.Entry{packed}, func(a *arguments) {
			a.packed.Image = []*big.Int{add(a.packed.Image[0], bit(248)), a.packed.Image[1]}
		}, "WordOutOfRange(0, 0"},
		{"bits above the last element", []solidity.Entry{packed}, func(a *arguments) {
			a.packed.Image = []*big.Int{a.packed.Image[0], add(a.packed.Image[1], bit(72))}
		}, "WordOutOfRange(0, 1"},
		{"a word + r", []solidity.Entry{packed}, func(a *arguments) { a.packed.Score = []*big.Int{add(a.packed.Score[0], order)} }, "WordOutOfRange(3, 0"},
		{"another digest", both, func(a *arguments) { a.setSecret(add(bit(0), bit(7))) }, "ProofRejected"},
		{"a digest + r", both, func(a *arguments) { a.setSecret(add(a.typed.SecretDigest, order)) }, "DigestOutOfRange(2"},
		{"digest r", both, func(a *arguments) { a.setSecret(order) }, "DigestOutOfRange(2"},
		{"other weights", both, func(a *arguments) { a.setWeights(bit(9)) }, "WeightsMismatch(512, "},
		{"weights' digest + r", both, func(a *arguments) { a.setWeights(add(a.typed.WeightsDigest, order)) }, "WeightsMismatch("},
		{"no proof", both, func(a *arguments) { a.proof = nil }, "ProofLength(0, 864)"},
		{"proof a byte short", both, func(a *arguments) { a.proof = a.proof[:863] }, "ProofLength(863, 864)"},
		{"proof a word long", both, func(a *arguments) { a.proof = append(a.proof, make([]byte, 32)...) }, "ProofLength(896, 864)"},
		{"point off the curve", both, func(a *arguments) { a.proof[63] ^= 1 }, malformed("InvalidPoint(0, 0)")},
		{"coordinate + p", both, func(a *arguments) { addTo(a.proof[0:32], prime) }, malformed("InvalidPoint(0, 0)")},
		{"evaluation + r", both, func(a *arguments) { addTo(a.proof[384:416], order) }, malformed("ValueOutOfRange(0, 384)")},
		{"selector's evaluation + r", both, func(a *arguments) { addTo(a.proof[768:800], order) }, malformed("ValueOutOfRange(0, 768)")},
		{"another evaluation", both, func(a *arguments) { a.proof[415] ^= 1 }, "ProofRejected"},
		{"another point", both, func(a *arguments) { copy(a.proof[:64], a.proof[64:128]) }, "ProofRejected"},
		{"all points at infinity", both, func(a *arguments) { clear(a.proof) }, malformed("InvalidPoint(0, 0)")},
	}
	for _, c := range cases {
		for _, entry := range c.entries {
			t.Run(fmt.Sprintf("%s/%v", c.name, entry), func(t *testing.T) {
				a := honest(t, vk, proof)
				c.spoil(&a)
				expect(t, run(t, v, a.encode(t, entry)).Revert, c.want)
			})
		}
	}
}

func (a *arguments) setWeights(digest *big.Int) {
	a.typed.WeightsDigest, a.packed.WeightsDigest = digest, digest
}

func (a *arguments) setSecret(digest *big.Int) {
	a.typed.SecretDigest, a.packed.SecretDigest = digest, digest
}

// expect compares a revert with the text of the error, empty for none.
func expect(t *testing.T, revert interface{ Error() string }, want string) {
	t.Helper()
	got := ""
	if e, ok := revert.(error); ok && fmt.Sprint(e) != "<nil>" {
		got = e.Error()
	}
	if want == "" && got != "" || !strings.HasPrefix(got, want) {
		t.Errorf("reverted with %q, want %q", got, want)
	}
}

// TestNonCanonicalCalldataReverts spoils the encoding, not the arguments.
func TestNonCanonicalCalldataReverts(t *testing.T) { eachKind(t, nonCanonicalCalldataReverts) }

func nonCanonicalCalldataReverts(t *testing.T, k kind) {
	vk, proof, v := prove(t, k, projects.Mixed(), 1)
	for _, entry := range []solidity.Entry{solidity.Typed, solidity.Packed} {
		calldata, err := solidity.Calldata(vk, entry, proof)
		if err != nil {
			t.Fatal(err)
		}
		cases := []struct {
			name     string
			calldata []byte
			want     string
		}{
			{"a byte behind", append(bytes.Clone(calldata), 0), "CalldataLength"},
			{"a word behind", append(bytes.Clone(calldata), make([]byte, 32)...), "CalldataLength"},
			{"a word short", calldata[:len(calldata)-32], "execution reverted"},
			{"half", calldata[:len(calldata)/2], "execution reverted"},
			{"selector only", calldata[:4], "execution reverted"},
			{"empty", nil, "execution reverted"},
			{"another function", append([]byte{1, 2, 3, 4}, calldata[4:]...), "execution reverted"},
		}
		for _, c := range cases {
			t.Run(fmt.Sprintf("%s/%v", c.name, entry), func(t *testing.T) {
				result := run(t, v, c.calldata)
				if result.Revert == nil {
					t.Fatal("accepted")
				}
				expect(t, result.Revert, c.want)
			})
		}
	}
	a := honest(t, vk, proof)
	calldata := a.encode(t, solidity.Typed)
	at := bytes.Index(calldata, a.typed.Image) + len(a.typed.Image)
	calldata[at] = 1
	expect(t, run(t, v, calldata).Revert, "DirtyPadding(0)")
}

// TestSharedOffsetsRevert lets two equal tensors, or two equal structs of them, share
// one place in the calldata. That would leave room for bytes that nothing reads.
func TestSharedOffsetsRevert(t *testing.T) { eachKind(t, sharedOffsetsRevert) }

func sharedOffsetsRevert(t *testing.T, k kind) {
	one := quantize.Scale{Num: 1, Den: 1}
	m := &circuit.Manifest{Version: 1, Model: "twins", Weights: circuit.Fixed, Inputs: []circuit.Public{
		{Name: "a", Shape: tensor.Shape{1}, Bits: 3, Scale: one}, {Name: "b", Shape: tensor.Shape{1}, Bits: 3, Scale: one},
	}}
	words := []fr.Element{fr.NewElement(1), fr.NewElement(5), fr.NewElement(5)}
	vk, proof, v := deploy(t, k, m, 0, words)
	for _, entry := range []solidity.Entry{solidity.Typed, solidity.Packed} {
		calldata, err := solidity.Calldata(vk, entry, proof)
		if err != nil {
			t.Fatal(err)
		}
		if result := run(t, v, calldata); result.Revert != nil {
			t.Fatalf("%v: %v", entry, result.Revert)
		}
		word := func(data []byte, i int) []byte { return data[4+32*i : 36+32*i] }
		// Words: 0 to 2 are the arguments' heads, then the proof, then the struct's
		// two offsets and its two tails of two words each.
		heads := 3 + 1 + 768/32
		shared := bytes.Clone(calldata)
		copy(word(shared, heads+1), word(shared, heads))
		word(shared, heads+5)[7] = 0xBA // the dead tail
		expect(t, run(t, v, shared).Revert, "CalldataOffset")

		// The struct moves behind a copy of itself, the proof doesn't.
		moved := append(bytes.Clone(calldata), calldata[4+32*heads:]...)
		word(moved, 2)[30], word(moved, 2)[31] = byte(32*(heads+6)>>8), byte(32*(heads+6)&0xFF)
		expect(t, run(t, v, moved).Revert, "CalldataOffset")
	}
}

// TestEveryChangedByteReverts changes each byte of an accepted call in turn: the
// selector, offsets, lengths, padding, proof and statement. None is accepted, so the
// calldata of a statement is unique but for another proof of it.
func TestEveryChangedByteReverts(t *testing.T) { eachKind(t, everyChangedByteReverts) }

func everyChangedByteReverts(t *testing.T, k kind) {
	vk, proof, v := prove(t, k, projects.Mixed(), 1)
	for _, entry := range []solidity.Entry{solidity.Typed, solidity.Packed} {
		calldata, err := solidity.Calldata(vk, entry, proof)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(2, uint64(entry)))
		for i := range calldata {
			changed := bytes.Clone(calldata)
			changed[i] ^= byte(1 + r.IntN(255))
			if result := run(t, v, changed); result.Revert == nil {
				t.Errorf("%v: byte %d of %d changed from %#x to %#x: accepted", entry, i, len(calldata), calldata[i], changed[i])
			}
		}
		if result := run(t, v, calldata); result.Revert != nil {
			t.Errorf("%v: the unchanged call reverts: %v", entry, result.Revert)
		}
	}
}

// TestMutatedCalldataReverts applies random edits of several kinds.
func TestMutatedCalldataReverts(t *testing.T) { eachKind(t, mutatedCalldataReverts) }

func mutatedCalldataReverts(t *testing.T, k kind) {
	vk, proof, v := prove(t, k, projects.Mixed(), 2)
	r := rand.New(rand.NewPCG(3, 3))
	for _, entry := range []solidity.Entry{solidity.Typed, solidity.Packed} {
		calldata, err := solidity.Calldata(vk, entry, proof)
		if err != nil {
			t.Fatal(err)
		}
		word := func() int { return 4 + 32*r.IntN((len(calldata)-4)/32) }
		for range 300 {
			changed := bytes.Clone(calldata)
			switch r.IntN(6) {
			case 0: // some bytes at random
				for range 1 + r.IntN(8) {
					changed[r.IntN(len(changed))] = byte(r.Uint32())
				}
			case 1: // one word in another's place
				copy(changed[word():], calldata[word():][:32])
			case 2: // two words swapped
				i, j := word(), word()
				copy(changed[i:i+32], calldata[j:j+32])
				copy(changed[j:j+32], calldata[i:i+32])
			case 3: // a small number for a word, as an offset or a length is
				i := word()
				clear(changed[i : i+32])
				changed[i+31] = byte(32 * r.IntN(8))
			case 4: // cut
				changed = changed[:r.IntN(len(changed))]
			case 5: // the modulus added to a word
				i := word()
				sum := new(big.Int).SetBytes(changed[i : i+32])
				if sum.Add(sum, fr.Modulus()).BitLen() <= 256 {
					sum.FillBytes(changed[i : i+32])
				}
			}
			if bytes.Equal(changed, calldata) {
				continue
			}
			if result := run(t, v, changed); result.Revert == nil {
				t.Errorf("%v: accepted a changed call:\n%x\ninstead of\n%x", entry, changed, calldata)
			}
		}
	}
}
