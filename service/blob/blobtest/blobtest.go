// Package blobtest says what every store of blobs has to do, as tests.
package blobtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/seal"
)

// World is an empty store, and what a test does behind its back.
type World struct {
	Store blob.Store
	// Replace changes a blob's content, whatever its name says.
	Replace func(name string, content []byte)
	// Read returns what is stored under a name.
	Read func(name string) []byte
	// Age makes a blob an hour old.
	Age func(name string)
	// Count returns how many blobs there are, with those that are incomplete.
	Count func() int
}

// Run tests a store; open makes an empty one.
func Run(t *testing.T, open func(t *testing.T) World) {
	for name, test := range map[string]func(*testing.T, func(*testing.T) World){
		"public": testPublic, "private": testPrivate, "names": testNames, "collect": testCollect, "large": testLarge,
	} {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
}

// all reads a blob.
func all(t *testing.T, r io.ReadCloser, err error) ([]byte, error) {
	t.Helper()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func testPublic(t *testing.T, open func(*testing.T) World) {
	w := open(t)
	d := w.Store
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
	if n := w.Count(); n != 0 {
		t.Errorf("%d blobs were left by failed writes", n)
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
	w.Replace(blob.PublicName("a", digest), []byte("a madel"))
	r, err = blob.OpenPublic(ctx, d, "a", digest)
	if _, err := all(t, r, err); !errors.Is(err, blob.ErrDamaged) {
		t.Errorf("a changed byte: %v", err)
	}
}

// testPrivate seals sizes around the limits of chunks, and changes, cuts and moves what
// was sealed.
func testPrivate(t *testing.T, open func(*testing.T) World) {
	w := open(t)
	d := w.Store
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
		sealed := w.Read(name)
		if bytes.Contains(sealed, []byte("secret")) {
			t.Errorf("%d bytes: the plain text lies on the disk", size)
		}
		refused := func(what string, content []byte) {
			t.Helper()
			w.Replace(name, content)
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

func testNames(t *testing.T, open func(*testing.T) World) {
	w := open(t)
	d := w.Store
	digest := strings.Repeat("0", 64)
	for _, name := range []string{"", "x", "../x", "public/../" + digest, "public/a/../../x", "/public/a/" + digest, "public/a/" + digest + "/x", "public/A/" + digest} {
		if err := d.Put(context.Background(), name, strings.NewReader("x")); err == nil {
			t.Errorf("%q was stored", name)
		}
		if _, err := d.Open(context.Background(), name); !errors.Is(err, blob.ErrMissing) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if n := w.Count(); n != 0 {
		t.Errorf("%d blobs", n)
	}
}

func testCollect(t *testing.T, open func(*testing.T) World) {
	w := open(t)
	d := w.Store
	ctx := context.Background()
	var names []string
	for i := range 4 {
		name := blob.PrivateName("a")
		names = append(names, name)
		if err := d.Put(ctx, name, strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
		if i < 3 {
			w.Age(name)
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

// testLarge stores what comes in parts, whole and broken off where it must not be taken for
// an end.
func testLarge(t *testing.T, open func(*testing.T) World) {
	w := open(t)
	d := w.Store
	ctx := context.Background()
	data := make([]byte, 20<<20+12345)
	rand.Read(data)
	digest := blob.Sum(data)
	for _, cause := range []error{errors.New("the line broke"), io.ErrUnexpectedEOF} {
		for _, size := range []int{1 << 20, 8 << 20, 12 << 20} {
			err := d.Put(ctx, blob.PrivateName("a"), io.MultiReader(bytes.NewReader(data[:size]), iotest.ErrReader(cause)))
			if !errors.Is(err, cause) {
				t.Errorf("%d bytes, then %v: %v", size, cause, err)
			}
		}
	}
	if err := blob.PutPublic(ctx, d, "a", digest, bytes.NewReader(data[:len(data)-1]), 1<<30); !errors.Is(err, blob.ErrDigest) {
		t.Errorf("cut short: %v", err)
	}
	if n := w.Count(); n != 0 {
		t.Errorf("%d blobs were left by failed writes", n)
	}
	if err := blob.PutPublic(ctx, d, "a", digest, bytes.NewReader(data), 1<<30); err != nil {
		t.Fatal(err)
	}
	info, err := d.Stat(ctx, blob.PublicName("a", digest))
	if err != nil || info.Size != int64(len(data)) || time.Since(info.Touched) > time.Minute {
		t.Errorf("%+v, %v", info, err)
	}
	r, err := blob.OpenPublic(ctx, d, "a", digest)
	if got, err := all(t, r, err); err != nil || !bytes.Equal(got, data) {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
}
