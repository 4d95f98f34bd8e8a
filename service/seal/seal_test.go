package seal_test

import (
	"os"
	"path/filepath"
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
