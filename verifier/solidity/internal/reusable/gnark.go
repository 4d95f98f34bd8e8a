package reusable

import (
	"bytes"
	"context"
	"fmt"
	"math/big"

	gnarksolidity "github.com/consensys/gnark/backend/solidity"

	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
)

// GnarkContracts compiles and deploys the verifier that gnark generates for each
// model's key, each in a virtual machine of its own.
func GnarkContracts(ctx context.Context, models []*Model) ([]*evm.Deployed, error) {
	compiler, err := evm.FindCompiler()
	if err != nil {
		return nil, err
	}
	files := solidity.Files{}
	name := func(i int) string { return fmt.Sprintf("PlonkVerifier%d", i) }
	for i, m := range models {
		var text bytes.Buffer
		if err := m.VK.Plonk().ExportSolidity(&text, gnarksolidity.WithPragmaVersion(solidity.SolcVersion)); err != nil {
			return nil, fmt.Errorf("exporting gnark's verifier: %w", err)
		}
		source := bytes.Replace(text.Bytes(), []byte("contract PlonkVerifier"), []byte("contract "+name(i)), 1)
		files["src/"+name(i)+".sol"] = source
	}
	contracts, err := compiler.Compile(ctx, files)
	if err != nil {
		return nil, err
	}
	deployed := make([]*evm.Deployed, len(models))
	for i := range models {
		artifact := solidity.Artifact{Name: name(i), ABI: []byte("[]"), Creation: contracts[name(i)].Creation}
		if deployed[i], err = evm.DeployArtifact(artifact); err != nil {
			return nil, err
		}
	}
	return deployed, nil
}

// gnarkSelector is that of Verify(bytes,uint256[]).
var gnarkSelector = []byte{0x7e, 0x4f, 0x7a, 0x8a}

// EncodeGnark returns the call of gnark's Verify(bytes,uint256[]).
func EncodeGnark(words [][32]byte, proof []byte) []byte {
	body := append(number(0x40), number(0x40+0x20+(len(proof)+31)/32*32)...)
	body = append(append(body, number(len(proof))...), proof...)
	body = append(body, make([]byte, -len(proof)&31)...)
	return append(append(bytes.Clone(gnarkSelector), body...), encodeWords(words)...)
}

// EncodeVerify returns the call of verify for words that may be any numbers.
func EncodeVerify(id [32]byte, words [][32]byte, proof []byte) []byte {
	out := solidity.EncodeVerify(solidity.Item{})[:4]
	out = append(append(out, id[:]...), number(0x60)...)
	out = append(out, number(0x60+0x20+0x20*len(words))...)
	out = append(append(out, encodeWords(words)...), number(len(proof))...)
	return append(append(out, proof...), make([]byte, -len(proof)&31)...)
}

// encodeWords encodes a list of words: its length, then the words.
func encodeWords(words [][32]byte) []byte {
	out := number(len(words))
	for i := range words {
		out = append(out, words[i][:]...)
	}
	return out
}

// number is a number as a word.
func number(n int) []byte { return big.NewInt(int64(n)).FillBytes(make([]byte, 32)) }
