package blob_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/blob/blobtest"
)

// TestDir has the folder do what every store has to.
func TestDir(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blobtest.World {
		folder := t.TempDir()
		d, err := blob.OpenDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		path := func(name string) string { return filepath.Join(folder, filepath.FromSlash(name)) }
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		return blobtest.World{
			Store:   d,
			Replace: func(name string, content []byte) { check(os.WriteFile(path(name), content, 0o600)) },
			Read: func(name string) []byte {
				data, err := os.ReadFile(path(name))
				check(err)
				return data
			},
			Age: func(name string) {
				old := time.Now().Add(-time.Hour)
				check(os.Chtimes(path(name), old, old))
			},
			Count: func() (n int) {
				check(filepath.WalkDir(folder, func(_ string, e os.DirEntry, err error) error {
					if err == nil && e.Type().IsRegular() {
						n++
					}
					return err
				}))
				return n
			},
		}
	})
}
