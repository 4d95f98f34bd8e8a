package attacks

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// Where the arguments of a call for the model hashed lie: selector, offset of the proof,
// context, offset of the tensors, the proof with its length, the digest of x, the offset of
// y, the length of y and its elements or words.
const (
	atContext = 4 + 32
	atDigest  = 4 + 3*32 + 32 + 864
	atResult  = atDigest + 3*32
)

// spoil is a call that says the same as an honest one in other bytes, or more.
type spoil struct {
	entry solidity.Entry
	// change changes the calldata of an honest proof.
	change func(data []byte) []byte
	// revert is the contract's error.
	revert string
	// text is what stops it in the contract's source, and loose what is there instead in
	// one that doesn't care; empty where that is another spoil's.
	text, loose string
}

// spoils are tried against one contract, and against one that has everything loose.
var spoils = []struct {
	name string
	spoil
}{
	{"a digest and the modulus in calldata", spoil{
		solidity.Typed, func(data []byte) []byte { return plusAt(data, atDigest, fr.Modulus()) }, "DigestOutOfRange",
		"revert IModelVerifier.DigestOutOfRange(tensor, value);", "value %= FIELD_ORDER;",
	}},
	{"a context with its top byte in calldata", spoil{
		solidity.Typed, func(data []byte) []byte { data[atContext] = 1; return data }, "ContextOutOfRange",
		"revert ContextOutOfRange(context);",
		fmt.Sprintf("context = context < %[1]v ? uint248(context) : context %% %[1]v;", fr.Modulus()),
	}},
	{"a context and the modulus in calldata", spoil{
		solidity.Packed, func(data []byte) []byte { return plusAt(data, atContext, fr.Modulus()) }, "ContextOutOfRange",
		"", "",
	}},
	{"a packed word with bits above its elements", spoil{
		solidity.Packed, func(data []byte) []byte { data[atResult] = 1; return data }, "WordOutOfRange",
		"revert IModelVerifier.WordOutOfRange(encoding.tensor, i, word);", "word &= (uint256(1) << used) - 1;",
	}},
	{"an element that reaches into its neighbour's bits", spoil{
		// y is 4, 7, 10, so u is 3, 6, 9 of 6 bits: 3 + 2·64 under 6 changes no bit
		solidity.Typed, func(data []byte) []byte { data[atResult] += 2 << 6; return data }, "ElementOutOfRange",
		"revert IModelVerifier.ElementOutOfRange(encoding.tensor, i, value);", "",
	}},
	{"bytes after the end of calldata", spoil{
		solidity.Typed, func(data []byte) []byte { return append(data, 1, 2, 3) }, "CalldataLength",
		"revert CalldataLength(msg.data.length, calldataBytes);", "",
	}},
	{"bytes in the padding of calldata", spoil{
		solidity.Typed, func(data []byte) []byte { data[len(data)-1] = 1; return data }, "DirtyPadding",
		"revert IModelVerifier.DirtyPadding(encoding.tensor);", "",
	}},
	{"arguments with a gap between them", spoil{
		solidity.Typed, func(data []byte) []byte {
			binary.BigEndian.PutUint64(data[atDigest+32+24:], 3*32)
			return slices.Concat(data[:atResult-32], make([]byte, 32), data[atResult-32:])
		}, "CalldataOffset",
		"revert IModelVerifier.CalldataOffset(position, expected);", "",
	}},
}

// plusAt adds to a word of calldata.
func plusAt(data []byte, at int, n *big.Int) []byte {
	word := data[at:][:32]
	v := new(big.Int).SetBytes(word)
	v.Add(v, n).FillBytes(word)
	return data
}

// calldataAttacks are on the contract alone.
func calldataAttacks() []*Attack {
	var list []*Attack
	for _, s := range spoils {
		list = append(list, &Attack{
			Name: s.name, Source: calldata, Stop: s.revert, OnChain: true, NeedsContract: true, run: s.run,
		})
	}
	return list
}

func (s *spoil) run(ctx context.Context, r *Runner) error {
	v, err := r.victim(hashed)
	if err != nil {
		return err
	}
	if err := r.deploy(ctx, &v.build, v.proof); err != nil {
		return err
	}
	loose, err := r.loosened(ctx, v)
	if err != nil {
		return err
	}
	data, err := solidity.Calldata(v.vk, s.entry, v.proof)
	if err != nil {
		return err
	}
	for _, contract := range []*evm.Verifier{v.contract, loose} {
		if result, err := contract.Call(data); err != nil || result.Revert != nil {
			return fmt.Errorf("honest calldata: %w, %v", err, result.Revert)
		}
	}
	spoiled := s.change(slices.Clone(data))
	if bytes.Equal(spoiled, data) {
		return errors.New("the calldata isn't spoiled")
	}
	result, err := loose.Call(spoiled)
	if err != nil {
		return err
	}
	if result.Revert != nil {
		return fmt.Errorf("the contract without the check: %w", result.Revert)
	}
	if result, err = v.contract.Call(spoiled); err != nil {
		return err
	}
	if result.Revert == nil {
		return fmt.Errorf("%w: spoiled calldata", errNotRejected)
	}
	if result.Revert.Name != s.revert {
		return fmt.Errorf("the contract reverts with %w: want %s", result.Revert, s.revert)
	}
	return nil
}

// loosened is the victim's contract without what stops the spoils.
func (r *Runner) loosened(ctx context.Context, v *victim) (*evm.Verifier, error) {
	if r.loose != nil {
		return r.loose, nil
	}
	o := options(&v.build, v.proof)
	files, err := solidity.Export(v.vk, o)
	if err != nil {
		return nil, err
	}
	for _, s := range spoils {
		if s.text == "" {
			continue
		}
		found := false
		for path, text := range files {
			if bytes.Contains(text, []byte(s.text)) {
				found = true
				files[path] = bytes.Replace(text, []byte(s.text), []byte(s.loose), 1)
			}
		}
		if !found {
			return nil, fmt.Errorf("the contract's source has no %q", s.text)
		}
	}
	r.loose, err = evm.DeployFiles(ctx, v.vk, o, files)
	return r.loose, err
}
