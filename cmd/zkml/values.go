package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/prover"
)

// shownElements is how many elements of a tensor are printed.
const shownElements = 10

// printValues writes what a proof says of tensors, those of one role or of all if it
// is empty.
func printValues(w io.Writer, values []prover.Value, role string) {
	for _, v := range values {
		if role == "" || v.Role == role {
			printable.Fprintf(w, "%s %s: %s\n", v.Role, v.Name, describe(&v))
		}
	}
}

// describe formats a value in a line.
func describe(v *prover.Value) string {
	if v.Digest != nil {
		return "digest " + v.Digest.String()
	}
	texts := make([]string, 0, shownElements)
	for i := range v.Integers {
		if i == shownElements {
			texts = append(texts, fmt.Sprintf("… (%d in all)", len(v.Integers)))
			break
		}
		if i < len(v.Labels) && v.Labels[i] != "" {
			texts = append(texts, v.Labels[i])
			continue
		}
		texts = append(texts, strconv.FormatFloat(v.Real[i], 'g', -1, 64))
	}
	return strings.Join(texts, " ")
}

// parseExpectation reads the NAME=VALUE flags of verify.
func parseExpectation(expect *prover.Expectation, m *circuit.Manifest, texts []string) error {
	given := make(map[string]bool, len(texts))
	for _, text := range texts {
		name, value, _ := cutLast(text, "=")
		if name == "" || value == "" {
			return usagef("--expect %q: want NAME=VALUE or NAME=DIGEST", text)
		}
		if given[name] {
			return usagef("--expect %q: there is another one for %q", text, name)
		}
		given[name] = true
		if err := expect.Expect(m, name, value); err != nil {
			return usagef("--expect %s: %w", text, err)
		}
	}
	return nil
}
