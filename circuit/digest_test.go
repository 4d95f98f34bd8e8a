package circuit_test

import (
	"encoding/json"
	"flag"
	"math/big"
	"os"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/poseidon2"
	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/tensor"
)

var update = flag.Bool("update", false, "rewrite testdata/digests.json")

const digestsFile = "testdata/digests.json"

// vector is one digest that another implementation has to agree on. Field elements
// are decimal.
type vector struct {
	Name   string       `json:"name"`
	Shape  tensor.Shape `json:"shape"`
	Lo     int64        `json:"lo"`
	Bits   int          `json:"bits"`
	Num    uint64       `json:"scale_numerator"`
	Den    uint64       `json:"scale_denominator"`
	Exp    int          `json:"scale_exponent"`
	Salt   string       `json:"salt"`
	Values []int64      `json:"values"`
	Tag    string       `json:"tag"`
	Words  []string     `json:"words"`
	Digest string       `json:"digest"`
}

func (v *vector) public() circuit.Public {
	return circuit.Public{
		Name: v.Name, Visibility: circuit.Hashed, Shape: v.Shape, Lo: v.Lo, Bits: v.Bits,
		Scale: quantize.Scale{Num: v.Num, Den: v.Den, Exp: v.Exp},
	}
}

func element(t *testing.T, s string) (e fr.Element) {
	t.Helper()
	if _, err := e.SetString(s); err != nil {
		t.Fatal(err)
	}
	return e
}

// TestDigestVectors holds the digests to the committed ones, and both to what is made
// here of other parts: go-ethereum's abi.encode and keccak256, and gnark-crypto's
// permutation.
func TestDigestVectors(t *testing.T) {
	data, err := os.ReadFile(digestsFile)
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	for i := range vectors {
		v := &vectors[i]
		p := v.public()
		salt := element(t, v.Salt)
		words, err := p.Pack(v.Values)
		if err != nil {
			t.Fatal(err)
		}
		tag := p.Tag()
		digest, err := p.Digest(v.Values, salt)
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			v.Tag, v.Digest, v.Words = tag.String(), digest.String(), nil
			for _, w := range words {
				v.Words = append(v.Words, w.String())
			}
		}
		if tag.String() != v.Tag || digest.String() != v.Digest || len(words) != len(v.Words) {
			t.Errorf("%s: tag %s, digest %s, %d words", v.Name, tag.String(), digest.String(), len(words))
		}
		for k, w := range words {
			if w.String() != v.Words[k] {
				t.Errorf("%s: word %d is %s", v.Name, k, w.String())
			}
		}
		if want := soliditySideTag(t, &p); !tag.Equal(&want) {
			t.Errorf("%s: abi.encode gives the tag %s", v.Name, want.String())
		}
		blocks := append([]fr.Element{fr.NewElement(uint64(len(v.Values))), tag, salt}, words...)
		if want := compressAll(t, blocks); !digest.Equal(&want) {
			t.Errorf("%s: the permutation gives the digest %s", v.Name, want.String())
		}
	}
	if *update {
		data, err := json.MarshalIndent(vectors, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(digestsFile, append(data, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// soliditySideTag is the encoding tag as a contract would compute it.
func soliditySideTag(t *testing.T, p *circuit.Public) (tag fr.Element) {
	t.Helper()
	kind := func(name string) abi.Argument {
		k, err := abi.NewType(name, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		return abi.Argument{Type: k}
	}
	arguments := abi.Arguments{kind("uint256"), kind("uint64[]"), kind("uint256"), kind("int256"), kind("uint256"), kind("uint256"), kind("int256")}
	shape := make([]uint64, len(p.Shape))
	for i, d := range p.Shape {
		shape[i] = uint64(d)
	}
	data, err := arguments.Pack(big.NewInt(circuit.FormatVersion), shape, big.NewInt(int64(p.Bits)), big.NewInt(p.Lo),
		new(big.Int).SetUint64(p.Scale.Num), new(big.Int).SetUint64(p.Scale.Den), big.NewInt(int64(p.Scale.Exp)))
	if err != nil {
		t.Fatal(err)
	}
	hash := crypto.Keccak256(data)
	hash[0] = 0
	tag.SetBytes(hash)
	return tag
}

// compressAll chains the Poseidon2 compression from 0: the permutation of (state,
// block), its second element plus the block.
func compressAll(t *testing.T, blocks []fr.Element) (state fr.Element) {
	t.Helper()
	permutation := poseidon2.NewDefaultPermutation()
	for _, block := range blocks {
		s := []fr.Element{state, block}
		if err := permutation.Permutation(s); err != nil {
			t.Fatal(err)
		}
		state.Add(&s[1], &block)
	}
	return state
}

// TestDigestSeparates changes one thing at a time: every digest is another.
func TestDigestSeparates(t *testing.T) {
	base := circuit.Public{Name: "x", Shape: tensor.Shape{2, 2}, Lo: -8, Bits: 4, Scale: quantize.Scale{Num: 1, Den: 1}}
	values := []int64{1, 0, -3, 0}
	salt := fr.NewElement(5)
	seen := make(map[fr.Element]string)
	add := func(name string, p circuit.Public, values []int64, salt fr.Element) {
		d, err := p.Digest(values, salt)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if other, ok := seen[d]; ok {
			t.Errorf("%s has the digest of %s", name, other)
		}
		seen[d] = name
	}
	add("base", base, values, salt)
	add("another salt", base, values, fr.NewElement(6))
	add("another element", base, []int64{1, 0, -3, 1}, salt)
	change := func(name string, f func(p *circuit.Public)) {
		p := base
		f(&p)
		add(name, p, values, salt)
	}
	change("another shape", func(p *circuit.Public) { p.Shape = tensor.Shape{4} })
	change("another lo", func(p *circuit.Public) { p.Lo = -7 })
	change("another width", func(p *circuit.Public) { p.Bits = 5 })
	change("another numerator", func(p *circuit.Public) { p.Scale.Num = 3 })
	change("another denominator", func(p *circuit.Public) { p.Scale.Den = 3 })
	change("another power of two", func(p *circuit.Public) { p.Scale.Exp = 1 })
	longer := base
	longer.Shape = tensor.Shape{2, 3}
	add("zeros at the end", longer, append([]int64{-8, -8}, values...), salt)

	// Neither name nor role nor labels are part of it.
	named := base
	named.Name, named.Labels, named.Visibility = "y", []string{"no", "yes"}, circuit.Hashed
	d, err := named.Digest(values, salt)
	if err != nil {
		t.Fatal(err)
	}
	if seen[d] != "base" {
		t.Error("another name gives another digest")
	}
}
