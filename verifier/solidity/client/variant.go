package client

import (
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/zkml-go/zkml/verifier/solidity"
)

// Variant is one of the two forms of zkml's verifier, which differ in nothing but the
// keys that they register.
type Variant int

const (
	// Production refuses keys of the development string.
	Production Variant = iota
	// Development registers them too: everyone can forge proofs for them.
	Development
)

// variants are all there are.
var variants = []Variant{Production, Development}

// String returns the variant's name.
func (v Variant) String() string {
	if v == Development {
		return "development"
	}
	return "production"
}

// MarshalText implements encoding.TextMarshaler.
func (v Variant) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *Variant) UnmarshalText(text []byte) error {
	for _, known := range variants {
		if known.String() == string(text) {
			*v = known
			return nil
		}
	}
	return fmt.Errorf("%q is no variant of the verifier", text)
}

// contract returns the compiled verifier.
func (v Variant) contract() solidity.Artifact { return solidity.Reusable(v == Development) }

// creation returns the code of the transaction that creates the verifier.
func (v Variant) creation() []byte { return v.contract().Creation }

// Address returns where the verifier lies on every chain.
func (v Variant) Address() common.Address { return solidity.CreatedAddress(v.creation()) }

// CodeHash returns the hash of the verifier's code.
func (v Variant) CodeHash() common.Hash { return crypto.Keccak256Hash(v.contract().Runtime) }

// variantOf returns the variant whose code has this hash.
func variantOf(hash common.Hash) (Variant, bool) {
	for _, v := range variants {
		if v.CodeHash() == hash {
			return v, true
		}
	}
	return 0, false
}
