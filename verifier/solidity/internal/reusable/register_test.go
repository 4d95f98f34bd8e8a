package reusable_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/verifier/solidity"
	"github.com/zkml-go/zkml/verifier/solidity/evm"
	"github.com/zkml-go/zkml/verifier/solidity/internal/reusable"
)

// Where the parts of a blob lie.
const (
	blobVersion, blobLog, blobWords, blobCommitments, blobRows = 5, 71, 75, 79, 83
)

// TestRegister registers a key and finds its blob as the code of its data contract.
func TestRegister(t *testing.T) {
	s := sample(t, reusable.Shape{Words: 5, Commitments: 2, Gates: 50, Seed: 41})
	blob, id := s.Model.VK.Blob(), s.Model.VK.ModelID()
	d := deployed(t)
	dataOf := func() common.Address {
		r := call(t, d, solidity.EncodeDataOf(id))
		if r.Revert != nil || len(r.Output) != 32 {
			t.Fatal(r.Revert)
		}
		return common.BytesToAddress(r.Output)
	}
	if dataOf() != (common.Address{}) {
		t.Error("an unregistered key has data")
	}
	rejected(t, d, solidity.EncodeVerify(s.Item), "UnknownModel(")
	for range 2 { // the second time changes nothing
		r := call(t, d, solidity.RegisterCalldata(s.Model.VK))
		if r.Revert != nil || !bytes.Equal(r.Output, id[:]) {
			t.Fatalf("registering: %x, %v; want the model id %s", r.Output, r.Revert, id)
		}
		code := d.Code(dataOf())
		if !bytes.Equal(code, blob) || crypto.Keccak256Hash(code) != common.Hash(id) {
			t.Error("the data contract's code isn't the blob")
		}
		accepted(t, d, solidity.EncodeVerify(s.Item))
	}
}

// TestRegisterRefusesDevelopment registers a development key with the real verifier,
// and keys of other strings with both.
func TestRegisterRefusesDevelopment(t *testing.T) {
	s := sample(t, reusable.Shape{Words: 1, Gates: 20, Seed: 42})
	own := bytes.Clone(s.Model.VK.Blob())
	copy(own[len(own)-128:], tauOf(12345))
	for _, test := range []bool{false, true} {
		d, err := evm.DeployArtifact(solidity.Reusable(test))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := abi.JSON(bytes.NewReader(solidity.Reusable(test).ABI))
		if err != nil {
			t.Fatal(err)
		}
		r := call(t, d, parsed.Methods["acceptsDevelopmentSrs"].ID)
		if got := len(r.Output) == 32 && r.Output[31] == 1; got != test {
			t.Errorf("acceptsDevelopmentSrs answers %v, want %v", got, test)
		}
		accepted(t, d, solidity.EncodeRegister(own))
		if test {
			accepted(t, d, solidity.RegisterCalldata(s.Model.VK))
			continue
		}
		rejected(t, d, solidity.RegisterCalldata(s.Model.VK), "DevelopmentSrs()")
		rejected(t, d, solidity.EncodeVerify(s.Item), "UnknownModel(")
	}
}

// tauOf returns [τ]₂ for a secret.
func tauOf(secret uint64) []byte {
	var p bn254.G2Affine
	_, _, _, g2 := bn254.Generators()
	p.ScalarMultiplication(&g2, new(big.Int).SetUint64(secret))
	encoded := srs.EncodeG2(&p)
	return encoded[:]
}

// outsideSubgroup returns a point on the twist that isn't in G₂.
func outsideSubgroup(t *testing.T) []byte {
	t.Helper()
	for i := uint64(1); i < 1000; i++ {
		x := bn254.E2{A0: fp.NewElement(i), A1: fp.NewElement(1)}
		// y² = x³ + 3/(9 + u), the constant taken from the generator.
		_, _, _, g2 := bn254.Generators()
		var b, cube, y bn254.E2
		cube.Square(&g2.X).Mul(&cube, &g2.X)
		b.Square(&g2.Y).Sub(&b, &cube)
		y.Square(&x).Mul(&y, &x).Add(&y, &b)
		if y.Legendre() != 1 {
			continue
		}
		y.Sqrt(&y)
		p := bn254.G2Affine{X: x, Y: y}
		if p.IsOnCurve() && !p.IsInSubGroup() {
			encoded := srs.EncodeG2(&p)
			return encoded[:]
		}
	}
	t.Fatal("no point of the twist outside the subgroup")
	return nil
}

// TestRegisterChecksTheBlob spoils one thing of a key at a time.
func TestRegisterChecksTheBlob(t *testing.T) {
	s := sample(t, reusable.Shape{Words: 5, Commitments: 2, Gates: 50, Seed: 43})
	blob := s.Model.VK.Blob()
	points := blobRows + 4*2
	tau := points + 64*10
	put := func(at int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte { binary.BigEndian.PutUint32(b[at:], v); return b }
	}
	n := uint32(1) << s.Model.VK.Log()
	plus := func(at int, n *big.Int) func([]byte) []byte {
		return func(b []byte) []byte {
			sum := new(big.Int).Add(new(big.Int).SetBytes(b[at:at+32]), n)
			sum.FillBytes(b[at : at+32])
			return b
		}
	}
	zero := func(from, to int) func([]byte) []byte {
		return func(b []byte) []byte { clear(b[from:to]); return b }
	}
	type spoil = func(b []byte) []byte
	cases := []struct {
		name  string
		spoil spoil
		want  string
	}{
		{"nothing", func(b []byte) []byte { return b }, ""},
		{"another program", func(b []byte) []byte { b[7] ^= 1; return b }, ""},
		{"another manifest", func(b []byte) []byte { b[70] ^= 1; return b }, ""},
		{"empty", func(b []byte) []byte { return nil }, "KeyLength(0, 83)"},
		{"header only", func(b []byte) []byte { return b[:83] }, "KeyLength(83, 859)"},
		{"a byte short", func(b []byte) []byte { return b[:len(b)-1] }, "KeyLength("},
		{"a byte long", func(b []byte) []byte { return append(b, 0) }, "KeyLength("},
		{"a word long", func(b []byte) []byte { return append(b, make([]byte, 32)...) }, "KeyLength("},
		{"first byte", func(b []byte) []byte { b[0] = 0xEF; return b }, "KeyFormat()"},
		{"tag", func(b []byte) []byte { b[2] ^= 0x20; return b }, "KeyFormat()"},
		{"version 0", func(b []byte) []byte { b[blobVersion+1] = 0; return b }, "KeyFormat()"},
		{"version 2", func(b []byte) []byte { b[blobVersion+1] = 2; return b }, "KeyFormat()"},
		{"version 257", func(b []byte) []byte { b[blobVersion] = 1; return b }, "KeyFormat()"},
		{"domain of 1", put(blobLog, 0), "KeyDomain(0)"},
		{"domain of 2^29", put(blobLog, 29), "KeyDomain(29)"},
		{"domain of 2^(2^32-1)", put(blobLog, 1<<32-1), "KeyDomain(4294967295)"},
		{"no words", put(blobWords, 0), "KeyWords(0)"},
		{"more words than rows", put(blobWords, n+1), "KeyWords("},
		{"2^32-1 words", put(blobWords, 1<<32-1), "KeyWords("},
		{"words over the commitments' rows", put(blobWords, n), "KeyRow(0)"},
		{"a commitment fewer", put(blobCommitments, 1), "KeyLength("},
		{"a commitment more", put(blobCommitments, 3), "KeyLength("},
		{"65 commitments", put(blobCommitments, 65), "KeyCommitments(65)"},
		{"2^32-1 commitments", put(blobCommitments, 1<<32-1), "KeyCommitments("},
		{"row outside the domain", put(blobRows+4, n-5), "KeyRow(1)"},
		{"row 2^32-1", put(blobRows+4, 1<<32-1), "KeyRow(1)"},
		{"rows the same", func(b []byte) []byte { copy(b[blobRows+4:], b[blobRows:blobRows+4]); return b }, "KeyRow(1)"},
		{"S1 at infinity", zero(points, points+64), "KeyPoint(0)"},
		{"S3 at infinity", zero(points+128, points+192), "KeyPoint(2)"},
		{"Ql at infinity", zero(points+192, points+256), ""},
		{"Qk at infinity", zero(points+448, points+512), ""},
		{"Qcp at infinity", zero(points+512, points+576), "KeyPoint(8)"},
		{"S2 off the curve", func(b []byte) []byte { b[points+127] ^= 1; return b }, "KeyPoint(1)"},
		{"Qm's x + q", plus(points+5*64, fp.Modulus()), "KeyPoint(5)"},
		{"Qm's y + q", plus(points+5*64+32, fp.Modulus()), "KeyPoint(5)"},
		{"half of Qo zero", zero(points+6*64, points+6*64+32), "KeyPoint(6)"},
		{"last Qcp off the curve", func(b []byte) []byte { b[tau-1] ^= 1; return b }, "KeyPoint(9)"},
		{"[τ]₂ = 0", zero(tau, tau+128), "KeyTau()"},
		{"[τ]₂ off the twist", func(b []byte) []byte { b[tau+127] ^= 1; return b }, "KeyTau()"},
		{"[τ]₂ outside the subgroup", func(b []byte) []byte { copy(b[tau:], outsideSubgroup(t)); return b }, "KeyTau()"},
		{"[τ]₂ of another string", func(b []byte) []byte { copy(b[tau:], tauOf(9)); return b }, ""},
		{"[τ]₂ + q", plus(tau, fp.Modulus()), "KeyTau()"},
		{"[τ]₂'s last coordinate + q", plus(tau+96, fp.Modulus()), "KeyTau()"},
		{"[τ]₂'s coordinates swapped", func(b []byte) []byte {
			copy(b[tau:], slices.Concat(b[tau+32:tau+64], b[tau:tau+32], b[tau+96:tau+128], b[tau+64:tau+96]))
			return b
		}, "KeyTau()"},
	}
	d := deployed(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			calldata := solidity.EncodeRegister(c.spoil(bytes.Clone(blob)))
			if c.want == "" {
				accepted(t, d, calldata)
			} else {
				rejected(t, d, calldata, c.want)
			}
		})
	}
}

// TestSpoiltKeys registers keys that differ from a proof's in a digest or a selector:
// none accepts the proof, so that nothing in a blob is without effect but what the id
// names.
func TestSpoiltKeys(t *testing.T) {
	s := sample(t, reusable.Shape{Words: 3, Commitments: 1, Gates: 50, Seed: 44})
	d := deployed(t, s.Model)
	blob := s.Model.VK.Blob()
	points := blobRows + 4
	_, _, g1, _ := bn254.Generators()
	generator := g1.RawBytes()
	for name, spoil := range map[string]func(b []byte){
		"log":        func(b []byte) { b[blobLog+3]++ },
		"row":        func(b []byte) { b[blobRows+3] ^= 1 },
		"S1":         func(b []byte) { copy(b[points:], generator[:]) },
		"S2":         func(b []byte) { copy(b[points+64:], generator[:]) },
		"S3":         func(b []byte) { copy(b[points+128:], generator[:]) },
		"Ql":         func(b []byte) { copy(b[points+192:], generator[:]) },
		"Qr":         func(b []byte) { clear(b[points+256 : points+320]) },
		"Qm":         func(b []byte) { clear(b[points+320 : points+384]) },
		"Qo":         func(b []byte) { copy(b[points+384:], generator[:]) },
		"Qk":         func(b []byte) { copy(b[points+448:], generator[:]) },
		"Qcp":        func(b []byte) { copy(b[points+512:], generator[:]) },
		"[τ]₂":       func(b []byte) { copy(b[points+576:], tauOf(7)) },
		"generator₂": func(b []byte) { copy(b[points+576:], tauOf(1)) },
	} {
		changed := bytes.Clone(blob)
		spoil(changed)
		accepted(t, d, solidity.EncodeRegister(changed))
		for _, item := range []solidity.Item{s.Item, s.BatchItem} {
			item.ModelID = [32]byte(crypto.Keccak256(changed))
			if r := call(t, d, solidity.EncodeVerifyBatch([]solidity.Item{item})); r.Revert == nil || r.Revert.Error() != "ProofRejected()" {
				t.Errorf("%s: %v", name, r.Revert)
			}
		}
		if strings.HasPrefix(name, "[τ]") {
			other := s.Item
			other.ModelID = [32]byte(crypto.Keccak256(changed))
			rejected(t, d, solidity.EncodeVerifyBatch([]solidity.Item{s.Item, other}), "DifferentSrs(1)")
		}
	}
}

// harness shows what the contract computes of a domain.
const harness = `// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;
import {Bn254, R} from "./Bn254.sol";
contract Harness {
    function domain(uint256 log) external pure returns (uint256 omega, uint256 inverse) {
        return (Bn254.rootOfUnity(log), R - ((R - 1) >> log));
    }
}`

// TestDomains compares ω and 1/n, which the contract computes, with gnark-crypto's for
// all sizes of domains.
func TestDomains(t *testing.T) {
	needCompiler(t)
	compiler, err := evm.FindCompiler()
	if err != nil {
		t.Fatal(err)
	}
	sources, _, err := solidity.ReusableSources()
	if err != nil {
		t.Fatal(err)
	}
	contracts, err := compiler.Compile(context.Background(), solidity.Files{
		"src/Harness.sol": []byte(harness), "src/Bn254.sol": sources["Bn254.sol"], "src/IZkmlVerifier.sol": sources["IZkmlVerifier.sol"],
	})
	if err != nil {
		t.Fatal(err)
	}
	d, err := evm.DeployArtifact(solidity.Artifact{Name: "Harness", ABI: []byte("[]"), Creation: contracts["Harness"].Creation})
	if err != nil {
		t.Fatal(err)
	}
	method := contracts["Harness"].ABI.Methods["domain"]
	for log := 1; log <= 28; log++ {
		domain := fft.NewDomain(1<<log, fft.WithoutPrecompute())
		arguments, err := method.Inputs.Pack(big.NewInt(int64(log)))
		if err != nil {
			t.Fatal(err)
		}
		r := call(t, d, slices.Concat(method.ID, arguments))
		if r.Revert != nil {
			t.Fatal(r.Revert)
		}
		omega, inverse := domain.Generator.Bytes(), domain.CardinalityInv.Bytes()
		if !bytes.Equal(r.Output, slices.Concat(omega[:], inverse[:])) {
			t.Errorf("domain of 2^%d: ω, 1/n = %x, want %x, %x", log, r.Output, omega, inverse)
		}
	}
}
