package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/seal"
)

func open(t *testing.T) (*blob.Dir, string) {
	t.Helper()
	folder := t.TempDir()
	d, err := blob.OpenDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, folder
}

func all(t *testing.T, r io.ReadCloser, err error) ([]byte, error) {
	t.Helper()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// files counts the regular files below a folder.
func files(t *testing.T, folder string) (n int) {
	t.Helper()
	err := filepath.WalkDir(folder, func(_ string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPublic(t *testing.T) {
	d, folder := open(t)
	ctx := context.Background()
	data := []byte("a model")
	digest := blob.Sum(data)
	broken := io.MultiReader(strings.NewReader("a mo"), iotest.ErrReader(errors.New("the line broke")))
	for _, c := range []struct {
		name  string
		r     io.Reader
		limit int64
		want  error
	}{
		{"other content", strings.NewReader("another"), 100, blob.ErrDigest},
		{"cut short", strings.NewReader("a mode"), 100, blob.ErrDigest},
		{"too large", bytes.NewReader(data), 6, blob.ErrTooLarge},
		{"broken off", broken, 100, nil},
	} {
		err := blob.PutPublic(ctx, d, "a", digest, c.r, c.limit)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if n := files(t, folder); n != 0 {
		t.Errorf("%d files were left by failed writes", n)
	}
	if err := blob.PutPublic(ctx, d, "a", digest, bytes.NewReader(data), 7); err != nil {
		t.Fatal(err)
	}
	r, err := blob.OpenPublic(ctx, d, "a", digest)
	if got, err := all(t, r, err); err != nil || !bytes.Equal(got, data) {
		t.Errorf("read %q, %v", got, err)
	}
	if _, err := blob.OpenPublic(ctx, d, "b", digest); !errors.Is(err, blob.ErrMissing) {
		t.Errorf("another tenant's: %v", err)
	}
	path := filepath.Join(folder, filepath.FromSlash(blob.PublicName("a", digest)))
	if err := os.WriteFile(path, []byte("a madel"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err = blob.OpenPublic(ctx, d, "a", digest)
	if _, err := all(t, r, err); !errors.Is(err, blob.ErrDamaged) {
		t.Errorf("a changed byte: %v", err)
	}
}

// TestPrivate seals sizes around the limits of chunks, and changes, cuts and moves what
// was sealed.
func TestPrivate(t *testing.T) {
	d, folder := open(t)
	ctx := context.Background()
	k := seal.NewKey()
	for _, size := range []int{0, 1, 65535, 65536, 65537, 2 * 65536, 200000} {
		data := bytes.Repeat([]byte("secret "), size/7+1)[:size]
		name := blob.PrivateName("a")
		if err := blob.PutPrivate(ctx, d, name, k, iotest.HalfReader(bytes.NewReader(data))); err != nil {
			t.Fatal(err)
		}
		r, err := blob.OpenPrivate(ctx, d, name, k)
		if got, err := all(t, r, err); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: read %d, %v", size, len(got), err)
		}
		path := filepath.Join(folder, filepath.FromSlash(name))
		sealed, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(sealed, []byte("secret")) {
			t.Errorf("%d bytes: the plain text lies on the disk", size)
		}
		refused := func(what string, content []byte) {
			t.Helper()
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := blob.OpenPrivate(ctx, d, name, k)
			if _, err := all(t, r, err); !errors.Is(err, seal.ErrDamaged) {
				t.Errorf("%d bytes, %s: %v", size, what, err)
			}
		}
		for _, i := range []int{0, len(sealed) / 2, len(sealed) - 1} {
			changed := bytes.Clone(sealed)
			changed[i] ^= 1
			refused("changed", changed)
		}
		refused("cut", sealed[:len(sealed)-1])
		refused("empty", nil)
		if chunk := 16 + 65536 + 16; len(sealed) > chunk {
			refused("cut after a chunk", sealed[:chunk])
		}
		refused("longer", append(bytes.Clone(sealed), 0))
		other := blob.PrivateName("a")
		if err := d.Put(ctx, other, bytes.NewReader(sealed)); err != nil {
			t.Fatal(err)
		}
		r, err = blob.OpenPrivate(ctx, d, other, k)
		if _, err := all(t, r, err); !errors.Is(err, seal.ErrDamaged) {
			t.Errorf("%d bytes under another name: %v", size, err)
		}
	}
}

func TestNames(t *testing.T) {
	d, folder := open(t)
	digest := strings.Repeat("0", 64)
	for _, name := range []string{"", "x", "../x", "public/../" + digest, "public/a/../../x", "/public/a/" + digest, "public/a/" + digest + "/x", "public/A/" + digest} {
		if err := d.Put(context.Background(), name, strings.NewReader("x")); err == nil {
			t.Errorf("%q was stored", name)
		}
		if _, err := d.Open(context.Background(), name); !errors.Is(err, blob.ErrMissing) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if n := files(t, folder); n != 0 {
		t.Errorf("%d files", n)
	}
}

func TestCollect(t *testing.T) {
	d, folder := open(t)
	ctx := context.Background()
	var names []string
	for i := range 4 {
		name := blob.PrivateName("a")
		names = append(names, name)
		if err := d.Put(ctx, name, strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
		if i < 3 {
			old := time.Now().Add(-time.Hour)
			if err := os.Chtimes(filepath.Join(folder, filepath.FromSlash(name)), old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := d.Touch(ctx, names[1]); err != nil {
		t.Fatal(err)
	}
	removed, err := blob.Collect(ctx, d, time.Now().Add(-time.Minute), func(name string) bool { return name == names[0] })
	if err != nil || removed != 1 {
		t.Errorf("removed %d, %v", removed, err)
	}
	for i, name := range names {
		_, err := d.Touch(ctx, name)
		if gone := errors.Is(err, blob.ErrMissing); gone != (i == 2) {
			t.Errorf("blob %d: gone %v (%v)", i, gone, err)
		}
	}
}
