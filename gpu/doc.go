// Package gpu makes proofs on a CUDA card: a [plonk.Device] on ICICLE's libraries, and a
// prover that falls back to the CPU.
//
// It needs the build tag icicle, CUDA's runtime and the libraries that build.sh makes from
// the sources of the pinned ICICLE module. Without the tag the package needs no CUDA and no
// cgo, and [Open] says [ErrNotBuilt].
//
// On the card, field elements and points are in standard form, because ICICLE's products
// are: vectors are converted when they are uploaded, results when they are read. The card's
// work is done by one thread, one call after another, since CUDA binds a card to a thread.
// Every code that a call returns is checked; [Open] compares a multi-exponentiation and a
// transform with the CPU's before the card is used; and [Prover] verifies each proof.
package gpu

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Errors of this package.
var (
	// ErrNotBuilt is returned where the program was built without CUDA.
	ErrNotBuilt = errors.New("built without CUDA: run gpu/build.sh, and build with -tags icicle")
	// ErrNoCard is matched when there is no card, or not the one asked for.
	ErrNoCard = errors.New("no CUDA card")
	// ErrMemory is matched when a card has too little memory for what is to be done.
	ErrMemory = errors.New("not enough memory on the card")
	// ErrCard is matched by every failure of a card or of its libraries.
	ErrCard = errors.New("CUDA card failed")
)

// Info describes a card.
type Info struct {
	Index        int
	Name         string
	Capability   string // compute capability: "9.0"
	Total, Avail uint64 // bytes of memory
}

// Choice says where proofs are to be made.
type Choice struct {
	Auto bool // on the first card, else on the CPU
	CPU  bool // on the CPU
	Card int  // on this card, if neither
}

// ParseChoice reads "auto", "cpu", "cuda" (the first card) or "cuda:N".
func ParseChoice(s string) (Choice, error) {
	switch s {
	case "auto":
		return Choice{Auto: true}, nil
	case "cpu":
		return Choice{CPU: true}, nil
	case "cuda":
		return Choice{}, nil
	}
	if digits, ok := strings.CutPrefix(s, "cuda:"); ok {
		if n, err := strconv.ParseUint(digits, 10, 8); err == nil {
			return Choice{Card: int(n)}, nil
		}
	}
	return Choice{}, fmt.Errorf("device %q isn't auto, cpu or cuda:N", s)
}

// Select opens what was chosen: a card, or nil for the CPU. For auto, why says in a word to
// the user why no card is used; it is nil with a card.
func Select(c Choice) (card *Card, why, err error) {
	if c.CPU {
		return nil, nil, nil
	}
	card, err = Open(c.Card)
	if err != nil && c.Auto {
		return nil, err, nil
	}
	return card, nil, err
}
