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

// printBatch is printValues for a proof about n inferences: shown outputs take a line for
// each. With n of 0 it is printValues.
func printBatch(w io.Writer, values []prover.Value, role string, n int) {
	for _, v := range values {
		size := 0
		if n > 0 {
			size = len(v.Integers) / n
		}
		if v.Role != "output" || size == 0 {
			printValues(w, []prover.Value{v}, role)
			continue
		}
		for i := range n {
			one := prover.Value{Integers: v.Integers[i*size:][:size], Real: v.Real[i*size:][:size]}
			if len(v.Labels) > 0 {
				one.Labels = v.Labels[i*size:][:size]
			}
			printable.Fprintf(w, "%s %s, inference %d: %s\n", v.Role, v.Name, i, describe(&one))
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
