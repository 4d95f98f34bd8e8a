package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/zkml-go/zkml/internal/printable"
)

// schemaVersion is the version of all JSON output. Members may be added to a version,
// none are renamed or removed.
const schemaVersion = 1

// emit prints a result: v, a struct, as JSON, or else what text writes. Columns that
// text separates by tabs are aligned.
func (a *app) emit(v any, text func(w io.Writer)) error {
	if a.json {
		return a.printJSON(v)
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	text(w)
	return w.Flush()
}

// printJSON writes {"schema": 1, "command": "…", members of v}.
func (a *app) printJSON(v any) error {
	members, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	head, err := json.Marshal(struct {
		Schema  int    `json:"schema"`
		Command string `json:"command"`
	}{schemaVersion, a.command})
	if err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	object := head
	if len(members) > 2 {
		object = append(append(head[:len(head)-1:len(head)-1], ','), members[1:]...)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, object, "", "  "); err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	indented.WriteByte('\n')
	_, err = a.stdout.Write(printable.JSON(indented.Bytes()))
	return err
}

// grouped formats n with commas between groups of three digits.
func grouped[T int | int64 | uint64](n T) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
