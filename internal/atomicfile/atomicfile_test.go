package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// text returns a writer of a text, which then fails with err unless it is nil.
func text(s string, err error) func(io.Writer) error {
	return func(w io.Writer) error {
		_, failed := io.WriteString(w, s)
		return errors.Join(failed, err)
	}
}

// TestWriteIsAtomic fails halfway through a file and wants the old one, and nothing
// else, in the folder.
func TestWriteIsAtomic(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	want := func(content string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("%q, %v: want %q", got, err, content)
		}
		if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
			t.Errorf("%d files in the folder, %v", len(entries), err)
		}
	}
	if err := Write(path, 0o644, text("old", nil)); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if err := Write(path, 0o644, text("new", broken)); !errors.Is(err, broken) {
		t.Fatalf("a write that fails: %v", err)
	}
	want("old")
	if err := Write(path, 0o644, text("new", nil)); err != nil {
		t.Fatal(err)
	}
	want("new")
}

func TestWriteMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes")
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := Write(path, 0o600, text("secret", nil)); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("mode %v: want 0600", info.Mode())
	}
}
