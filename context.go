package zkml

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zkml-go/zkml/circuit"
)

// Context is the word that binds a proof to one use: for a contract,
// uint256(keccak256(abi.encode(chain id, consumer, nonce, …))) with the top byte
// cleared. It has at most 248 bits.
type Context = fr.Element

// ParseContext reads a context: a number in decimal, or in hexadecimal after 0x. It
// returns an error for one of more than 248 bits.
func ParseContext(s string) (c Context, err error) {
	var v big.Int
	digits, hexadecimal := strings.CutPrefix(s, "0x")
	base := 10
	if hexadecimal {
		base = 16
	}
	plain := strings.Trim(strings.ToLower(digits), "0123456789abcdef") == ""
	if _, ok := v.SetString(digits, base); !ok || !plain || len(digits) > 78 {
		return c, fmt.Errorf("context %.80q: want a decimal number, or a hexadecimal one after 0x", s)
	}
	if v.BitLen() > circuit.WordBits {
		return c, fmt.Errorf("context %.80q has %d bits: at most %d fit; clear the top byte of a 256-bit hash", s, v.BitLen(), circuit.WordBits)
	}
	c.SetBigInt(&v)
	return c, nil
}
