package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestNothingIsPrintedRaw reads the command's source: what has arguments is printed by
// package printable, which escapes names from files, everywhere.
func TestNothingIsPrintedRaw(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	raw := regexp.MustCompile(`fmt\.(Fprintf|Printf|Fprint|Print|Println)\(`)
	found := 0
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		source, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if m := raw.FindString(string(source)); m != "" {
			t.Errorf("%s: %s…) prints names as they are", f.Name(), m)
		}
		found += strings.Count(string(source), "printable.Fprintf(")
	}
	if found == 0 {
		t.Error("nothing is printed by package printable")
	}
}
