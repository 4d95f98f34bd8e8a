package seal_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/zkml-go/zkml/service/seal"
)

// TestReadKey has programs that begin at the same time agree on the operator's key, and sees
// that no moment leaves half a key behind.
func TestReadKey(t *testing.T) {
	for range 50 {
		path := filepath.Join(t.TempDir(), "zkml", "operator.key")
		keys := make([]seal.Key, 8)
		var programs sync.WaitGroup
		for i := range keys {
			programs.Go(func() {
				var err error
				if keys[i], err = seal.ReadKey(path); err != nil {
					t.Error(err)
				}
			})
		}
		programs.Wait()
		for _, k := range keys {
			if k != keys[0] || k == (seal.Key{}) {
				t.Fatal("different keys")
			}
		}
		if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
			t.Fatalf("%v, %v", files, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%v, %v", info.Mode(), err)
		}
	}
}

// TestKeyMode reads keys that others may or may not read, inside and outside of the folder of
// systemd's credentials.
func TestKeyMode(t *testing.T) {
	inside, outside := t.TempDir(), t.TempDir()
	for _, c := range []struct {
		folder, credentials string
		mode                os.FileMode
		ok                  bool
	}{
		{inside, inside, 0o400, true},
		{inside, inside + "/", 0o440, true},
		{inside, inside, 0o460, false},
		{inside, inside, 0o444, false},
		{outside, inside, 0o440, false},
		{outside, inside, 0o400, true},
		{filepath.Join(inside, "..", filepath.Base(outside)), inside, 0o440, false},
		{inside, "", 0o440, false},
		{inside, "/", 0o440, false},
	} {
		t.Setenv("CREDENTIALS_DIRECTORY", c.credentials)
		path := filepath.Join(c.folder, "operator.key")
		os.Remove(path)
		if err := os.WriteFile(path, []byte(strings.Repeat("ab", 32)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := seal.ReadKey(path); (err == nil) != c.ok {
			t.Errorf("%v in %s, credentials in %s: %v", c.mode, c.folder, c.credentials, err)
		}
	}
}
