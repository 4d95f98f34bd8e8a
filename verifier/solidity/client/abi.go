package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/ethereum/go-ethereum/accounts/abi"
)

// ErrABI is matched if the description of a contract's interface can't be used.
var ErrABI = errors.New("abi")

// Limits on what a description can make this program hold.
const (
	// MaxABI bounds its bytes.
	MaxABI = 4 << 20
	// maxElements bounds the elements of an error's arguments, as far as types fix them,
	// and maxDepth the nesting of structs.
	maxElements, maxDepth = 4096, 16
)

// entry is an entry of an ABI, parameter an argument of it or a part of a struct.
type (
	entry struct {
		Type   string      `json:"type"`
		Name   string      `json:"name"`
		Inputs []parameter `json:"inputs"`
	}
	parameter struct {
		Name         string      `json:"name"`
		Type         string      `json:"type"`
		InternalType string      `json:"internalType,omitempty"`
		Components   []parameter `json:"components,omitempty"`
	}
)

// ParseErrors reads the custom errors of a contract from its ABI: the JSON list that solc
// writes, or a file of Foundry's or Hardhat's, which has that list as "abi". The error
// matches ErrABI.
func ParseErrors(text []byte) ([]abi.Error, error) {
	if len(text) > MaxABI {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrABI, MaxABI)
	}
	var entries []entry
	if err := json.Unmarshal(text, &entries); err != nil {
		var artifact struct {
			ABI []entry `json:"abi"`
		}
		if json.Unmarshal(text, &artifact) != nil || artifact.ABI == nil {
			return nil, fmt.Errorf("%w: want a JSON list of entries, or an object that has one as \"abi\": %w", ErrABI, err)
		}
		entries = artifact.ABI
	}
	entries = slices.DeleteFunc(entries, func(e entry) bool { return e.Type != "error" })
	var all []abi.Error
	for _, e := range entries {
		n, err := elements(e.Inputs, 0)
		if err == nil && n > maxElements {
			err = fmt.Errorf("more than %d elements", maxElements)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: error %.100q: %w", ErrABI, e.Name, err)
		}
		one, err := json.Marshal([]entry{e})
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrABI, err)
		}
		var parsed abi.ABI
		if err := json.Unmarshal(one, &parsed); err != nil {
			return nil, fmt.Errorf("%w: error %.100q: %w", ErrABI, e.Name, err)
		}
		for _, known := range parsed.Errors {
			all = append(all, known)
		}
	}
	return all, nil
}

// fixed is the length of an array in the name of a type.
var fixed = regexp.MustCompile(`\[(\d+)\]`)

// elements counts the elements of arguments as far as their types fix them, up to a little
// above maxElements.
func elements(list []parameter, depth int) (total int, err error) {
	if depth > maxDepth {
		return 0, fmt.Errorf("structs nested more than %d deep", maxDepth)
	}
	for _, p := range list {
		n := 1
		if len(p.Components) > 0 {
			if n, err = elements(p.Components, depth+1); err != nil {
				return 0, err
			}
		}
		for _, length := range fixed.FindAllStringSubmatch(p.Type, -1) {
			factor, err := strconv.Atoi(length[1])
			if err != nil || factor < 1 || factor > maxElements {
				return 0, fmt.Errorf("an array of %.20s", length[1])
			}
			n = min(n*factor, maxElements+1)
		}
		total = min(total+n, maxElements+1)
	}
	return total, nil
}
