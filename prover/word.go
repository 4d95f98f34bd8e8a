package prover

import (
	"encoding/hex"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// Word is a public word. Its text is 0x and the 64 hexadecimal digits of a value
// below the modulus of BN254's scalar field, in lower case: each word has one.
type Word fr.Element

// String returns the text.
func (w Word) String() string {
	b := (*fr.Element)(&w).Bytes()
	return "0x" + hex.EncodeToString(b[:])
}

// MarshalText implements encoding.TextMarshaler.
func (w Word) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (w *Word) UnmarshalText(text []byte) error {
	b, err := parseHex32(string(text))
	if err != nil {
		return fmt.Errorf("word: %w", err)
	}
	if (*fr.Element)(w).SetBytesCanonical(b[:]) != nil {
		return fmt.Errorf("word %q isn't below the modulus", text)
	}
	return nil
}

// ParseWord reads a word's text.
func ParseWord(s string) (fr.Element, error) {
	var w Word
	err := w.UnmarshalText([]byte(s))
	return fr.Element(w), err
}
