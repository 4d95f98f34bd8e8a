package solidity

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/zkml-go/zkml/prover"
)

// Call is a function of a contract whose arguments come from a proof.
type Call struct {
	name string
	args []argument
}

// argument is one of the words below, or a constant.
type argument struct {
	// from says what of the proof it is; for a constant it is the constant's type.
	from  string
	value *value
}

// What an argument can be of a proof, in the text of a Call.
const (
	argProof   = "proof"   // bytes: the proof as a contract reads it
	argContext = "context" // uint256: the first public word
	argWords   = "words"   // uint256[]: all public words, the context first
	argModel   = "model"   // bytes32: the model id
	argTensors = "tensors" // the struct Tensors of IModelVerifier
	argPacked  = "packed"  // the struct PackedTensors of IModelVerifier
)

// ParseCall reads a call's text: a function's name and, in parentheses, what each
// argument is. That is one of
//
//	proof    bytes: the proof
//	context  uint256: the first public word
//	words    uint256[]: all public words, the context first
//	model    bytes32: the model id
//	tensors  the struct Tensors of the model's IModelVerifier
//	packed   its struct PackedTensors
//
// or a constant TYPE:VALUE of type address, bool, bytes32, uintN or intN. For example
// submit(proof,tensors,uint256:1700000000).
func ParseCall(text string) (*Call, error) {
	name, rest, ok := strings.Cut(text, "(")
	inner, closed := strings.CutSuffix(rest, ")")
	if !ok || !closed || !isIdentifier(name) {
		return nil, fmt.Errorf("%q isn't a call: want a function's name and its arguments, as in submit(proof,tensors)", text)
	}
	c := &Call{name: name}
	if inner == "" {
		return c, nil
	}
	for part := range strings.SplitSeq(inner, ",") {
		arg, err := parseArgument(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("call %s: %w", name, err)
		}
		c.args = append(c.args, arg)
	}
	return c, nil
}

func parseArgument(text string) (argument, error) {
	kind, constant, ok := strings.Cut(text, ":")
	if !ok {
		switch text {
		case argProof, argContext, argWords, argModel, argTensors, argPacked:
			return argument{from: text}, nil
		}
		return argument{}, fmt.Errorf("argument %q: want proof, context, words, model, tensors, packed, or TYPE:VALUE", text)
	}
	word, err := parseConstant(kind, constant)
	if err != nil {
		return argument{}, fmt.Errorf("argument %q: %w", text, err)
	}
	v := wordValue(word)
	return argument{from: kind, value: &v}, nil
}

// parseConstant encodes a constant of a type that takes a single word.
func parseConstant(kind, text string) (word [32]byte, err error) {
	digits, isHex := strings.CutPrefix(text, "0x")
	switch kind {
	case "bool":
		set, err := strconv.ParseBool(text)
		if set {
			word[31] = 1
		}
		return word, err
	case "address", "bytes32":
		data, err := hex.DecodeString(digits)
		size := 20
		if kind == "bytes32" {
			size = 32
		}
		if err != nil || !isHex || len(data) != size {
			return word, fmt.Errorf("want 0x and %d hexadecimal digits", 2*size)
		}
		copy(word[32-size:], data)
		return word, nil
	}
	width, signed := strings.CutPrefix(kind, "int")
	if !signed {
		var ok bool
		if width, ok = strings.CutPrefix(kind, "uint"); !ok {
			return word, fmt.Errorf("type %q: want address, bool, bytes32, uintN or intN", kind)
		}
	}
	n, err := strconv.Atoi(width)
	if err != nil || n < 8 || n > 256 || n%8 != 0 || strconv.Itoa(n) != width {
		return word, fmt.Errorf("type %q: N is 8, 16, … 256", kind)
	}
	number, ok := new(big.Int).SetString(text, 0)
	low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), uint(n))
	if signed {
		high.Rsh(high, 1)
		low.Neg(high)
	}
	if !ok || number.Cmp(low) < 0 || number.Cmp(high) >= 0 {
		return word, fmt.Errorf("want a number of %s", kind)
	}
	if number.Sign() < 0 {
		number.Add(number, new(big.Int).Lsh(big.NewInt(1), 256))
	}
	number.FillBytes(word[:])
	return word, nil
}

// isIdentifier reports whether text is a name in Solidity.
func isIdentifier(text string) bool {
	for i, c := range text {
		letter := c == '_' || c == '$' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return text != ""
}

// EntryCall returns the call of a ModelVerifier's entry.
func EntryCall(vk *prover.VerifyingKey, entry Entry) *Call {
	c := &Call{name: entry.String(), args: []argument{{from: argProof}, {from: argContext}}}
	if len(fieldsOf(vk.Manifest())) == 0 {
		return c
	}
	tensors := argTensors
	if entry == Packed {
		tensors = argPacked
	}
	c.args = append(c.args, argument{from: tensors})
	return c
}

// VerifierCall returns the call of verify of the reusable verifier.
func VerifierCall() *Call {
	return &Call{name: "verify", args: []argument{{from: argModel}, {from: argWords}, {from: argProof}}}
}

// Signature returns the canonical signature for a model, for example
// submit(bytes,(bytes,bytes)). Its keccak256 begins with the selector.
func (c *Call) Signature(vk *prover.VerifyingKey) string {
	types := make([]string, len(c.args))
	for i, arg := range c.args {
		switch arg.from {
		case argProof:
			types[i] = "bytes"
		case argContext:
			types[i] = "uint256"
		case argWords:
			types[i] = "uint256[]"
		case argModel:
			types[i] = "bytes32"
		case argTensors, argPacked:
			types[i] = tensorsType(fieldsOf(vk.Manifest()), arg.from == argPacked)
		default:
			types[i] = arg.from
		}
	}
	return c.name + "(" + strings.Join(types, ",") + ")"
}

// tensorsType returns the type of the struct Tensors or PackedTensors.
func tensorsType(fields []field, packed bool) string {
	types := make([]string, len(fields))
	for i, f := range fields {
		switch {
		case !f.Shown():
			types[i] = "uint256"
		case packed:
			types[i] = "uint256[]"
		default:
			types[i] = "bytes"
		}
	}
	return "(" + strings.Join(types, ",") + ")"
}

// Encode returns the ABI-encoded call for a proof. It doesn't verify the proof. The
// error matches [prover.ErrMismatch] if the proof is for another model, and
// [prover.ErrRejected] if it can't be one for any.
func (c *Call) Encode(vk *prover.VerifyingKey, p *prover.Proof) ([]byte, error) {
	out, err := c.encode(vk, p)
	if err != nil {
		return nil, fmt.Errorf("encoding calldata: %w", err)
	}
	return out, nil
}

// EncodeConstant returns the ABI-encoded call of a function whose arguments are all
// constants: a question to a contract, without a proof.
func (c *Call) EncodeConstant() ([]byte, error) {
	args := make([]value, len(c.args))
	types := make([]string, len(c.args))
	for i, arg := range c.args {
		if arg.value == nil {
			return nil, fmt.Errorf("call %s: argument %q is of a proof, and there is none", c.name, arg.from)
		}
		args[i], types[i] = *arg.value, arg.from
	}
	selector := keccak256([]byte(c.name + "(" + strings.Join(types, ",") + ")"))
	return append(selector[:4], tupleValue(args).body...), nil
}

func (c *Call) encode(vk *prover.VerifyingKey, p *prover.Proof) ([]byte, error) {
	proof, err := marshalProof(vk, p)
	if err != nil {
		return nil, err
	}
	args := make([]value, len(c.args))
	for i, arg := range c.args {
		switch arg.from {
		case argProof:
			args[i] = bytesValue(proof)
		case argContext:
			args[i] = wordValue(p.Words[0].Bytes())
		case argWords:
			args[i] = wordsValue(p.Words)
		case argModel:
			args[i] = wordValue(p.ModelID)
		case argTensors, argPacked:
			if args[i], err = tensorsValue(fieldsOf(vk.Manifest()), p, arg.from == argPacked); err != nil {
				return nil, err
			}
		default:
			args[i] = *arg.value
		}
	}
	selector := keccak256([]byte(c.Signature(vk)))
	data := append(selector[:4], tupleValue(args).body...)
	if len(data) > MaxCalldataBytes {
		return nil, fmt.Errorf("calldata of %d bytes, more than %d: let the model hash its tensors", len(data), MaxCalldataBytes)
	}
	return data, nil
}

// tensorsValue encodes the struct Tensors or PackedTensors.
func tensorsValue(fields []field, p *prover.Proof, packed bool) (value, error) {
	if len(fields) == 0 {
		return value{}, fmt.Errorf("the model shows and hashes nothing: there is no struct of tensors")
	}
	if packed && !slices.ContainsFunc(fields, field.Shown) {
		return value{}, fmt.Errorf("the model shows no tensor: there is no struct of packed tensors")
	}
	tensors := make([]value, len(fields))
	for i, f := range fields {
		words := f.words(p.Words)
		if !f.Shown() {
			tensors[i] = wordValue(words[0].Bytes())
			continue
		}
		if err := f.checkSize(); err != nil {
			return value{}, err
		}
		// Unpack checks that the words can be those of a tensor.
		elements, err := f.Unpack(words)
		if err != nil {
			return value{}, fmt.Errorf("%w: %w", prover.ErrRejected, err)
		}
		if packed {
			tensors[i] = wordsValue(words)
		} else {
			tensors[i] = bytesValue(f.bytes(elements))
		}
	}
	return tupleValue(tensors), nil
}
