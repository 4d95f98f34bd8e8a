package client

import (
	"crypto/ecdsa"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// Signer signs transactions with one account's key.
type Signer struct {
	key *ecdsa.PrivateKey
	// Address is the account.
	Address common.Address
}

// NewSigner returns the signer of a key.
func NewSigner(key *ecdsa.PrivateKey) *Signer {
	return &Signer{key: key, Address: crypto.PubkeyToAddress(key.PublicKey)}
}

// String returns the account's address: a signer that is printed shows no key.
func (s *Signer) String() string { return s.Address.Hex() }

// GoString is String, for %#v.
func (s *Signer) GoString() string { return s.String() }

// ParseKey reads a key of 64 hexadecimal digits, with or without 0x. The error matches
// ErrKey and doesn't repeat the text.
func ParseKey(text string) (*Signer, error) {
	key, err := crypto.HexToECDSA(strings.TrimPrefix(strings.TrimSpace(text), "0x"))
	if err != nil {
		return nil, fmt.Errorf("%w: want 64 hexadecimal digits of a secp256k1 key", ErrKey)
	}
	return NewSigner(key), nil
}

// MaxKeystore bounds the bytes of a keystore file.
const MaxKeystore = 1 << 16

// maxScryptMemory bounds what a keystore file makes scrypt use: the standard
// parameters take 256 MiB.
const maxScryptMemory = 1 << 30

// DecryptKeystore reads an encrypted key in the format of geth, of clef and of
// Foundry's cast (Web3 Secret Storage). The error matches ErrKey.
func DecryptKeystore(file []byte, password string) (s *Signer, err error) {
	if len(file) > MaxKeystore {
		return nil, fmt.Errorf("%w: a keystore file of %d bytes: the limit is %d", ErrKey, len(file), MaxKeystore)
	}
	// The type that go-ethereum reads the file into, so that both see the same numbers
	// where a name occurs twice.
	var header struct {
		Crypto keystore.CryptoJSON `json:"crypto"`
	}
	if err := json.Unmarshal(file, &header); err != nil {
		return nil, fmt.Errorf("%w: not a keystore file: %v", ErrKey, err)
	}
	if !affordable(header.Crypto.KDFParams) {
		return nil, fmt.Errorf("%w: the keystore file's key derivation wants too much memory or time", ErrKey)
	}
	// go-ethereum trusts the file to have all parameters, of their types and lengths.
	defer func() {
		if fault := recover(); fault != nil {
			s, err = nil, fmt.Errorf("%w: not a keystore file: %v", ErrKey, fault)
		}
	}()
	key, err := keystore.DecryptKey(file, password)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return NewSigner(key.PrivateKey), nil
}

// affordable reports whether deriving a key with these parameters stays within
// reasonable memory and time: scrypt takes 128·r·(N + p) bytes and a little.
func affordable(parameters map[string]any) bool {
	number := func(name string) float64 {
		x, _ := parameters[name].(float64)
		return x
	}
	n, r, p := number("n"), number("r"), number("p")
	return 128*r*(n+p+2) <= maxScryptMemory && n <= maxScryptMemory && r <= maxScryptMemory && p <= 64 &&
		number("c") <= 1<<24 && number("dklen") <= 1024
}
