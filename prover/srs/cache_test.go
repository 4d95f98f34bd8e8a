package srs

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// cacheOf returns a cache with strings for 2^1 to 2^3 points of a secret that the
// tests take for a ceremony's.
func cacheOf(t *testing.T) *Cache {
	t.Helper()
	cache := NewCache(filepath.Join(t.TempDir(), "made", "when needed"))
	if _, err := importBytes(t, cache, container(makePtau(5))); err != nil {
		t.Fatal(err)
	}
	return cache
}

func equalStrings(a, b *SRS) bool {
	return a.Log == b.Log && a.TauG2 == b.TauG2 && slices.Equal(a.Powers, b.Powers) && slices.Equal(a.Lagrange, b.Lagrange)
}

func TestSelect(t *testing.T) {
	cache := cacheOf(t)
	entries, err := cache.List()
	if err != nil || len(entries) != 3 {
		t.Fatalf("%v, entries %v", err, entries)
	}
	id, source := entries[0].ID.String(), entries[0].Source
	development := DevelopmentID().String()
	for _, test := range []struct {
		name string
		log  int
		want Selection
		err  error
		dev  bool
	}{
		{"smallest that fits", 2, Selection{}, nil, false},
		{"ceremony before development", 3, Selection{AllowDevelopment: true}, nil, false},
		{"too large", 4, Selection{}, ErrMissing, false},
		{"development where none fits", 4, Selection{AllowDevelopment: true}, nil, true},
		{"by ID", 2, Selection{Digest: id}, nil, false},
		{"by 8 digits", 2, Selection{Digest: "0x" + strings.ToUpper(id[:8])}, nil, false},
		{"by 7 digits", 2, Selection{Digest: id[:7]}, ErrMissing, false},
		{"by the file's digest", 2, Selection{Digest: source}, nil, false},
		{"unknown digest", 2, Selection{Digest: "0123456789", AllowDevelopment: true}, ErrMissing, false},
		{"known digest, too large", 4, Selection{Digest: id, AllowDevelopment: true}, ErrMissing, false},
		{"development by ID", 2, Selection{Digest: development}, ErrDevelopment, false},
		{"development by ID and leave", 2, Selection{Digest: "0x" + development[:20], AllowDevelopment: true}, nil, true},
	} {
		s, err := cache.Select(test.log, test.want)
		if !errors.Is(err, test.err) || (err != nil && !errors.Is(err, Err)) {
			t.Errorf("%s: %v: want %v", test.name, err, test.err)
			continue
		}
		if err == nil && (s.Log != test.log || s.Development() != test.dev) {
			t.Errorf("%s: 2^%d, development %v", test.name, s.Log, s.Development())
		}
	}
	empty := NewCache(filepath.Join(t.TempDir(), "absent"))
	if _, err := empty.Select(2, Selection{}); !errors.Is(err, ErrMissing) {
		t.Errorf("empty cache: %v", err)
	}
}

func TestLoad(t *testing.T) {
	cache := cacheOf(t)
	entries, _ := cache.List()
	s, err := cache.Load(entries[0].ID, 3)
	if err != nil || s.Log != 3 {
		t.Fatalf("%v, %+v", err, s)
	}
	if _, err := cache.Load(entries[0].ID, 4); !errors.Is(err, ErrMissing) {
		t.Errorf("larger than cached: %v", err)
	}
	if _, err := cache.Load(ID{1}, 2); !errors.Is(err, ErrMissing) {
		t.Errorf("unknown ID: %v", err)
	}
	made, err := cache.Load(DevelopmentID(), 4)
	if err != nil {
		t.Fatal(err)
	}
	path := cache.path(DevelopmentID(), 4)
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal("the development string wasn't cached")
	}
	again, err := cache.Development(4)
	if err != nil || !equalStrings(made, again) {
		t.Errorf("%v: the cached development string differs", err)
	}
	if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
		t.Error("the development string was made twice")
	}
	if left, _ := filepath.Glob(filepath.Join(cache.Folder(), "*.tmp")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestDamagedCache changes each byte of a cached string.
func TestDamagedCache(t *testing.T) {
	cache := cacheOf(t)
	entries, _ := cache.List()
	e := entries[1]
	whole, err := os.ReadFile(e.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := cache.Verify(&e); err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		damaged := slices.Clone(whole)
		damaged[i] ^= 0x10
		if _, _, err := read(bytes.NewReader(damaged), int64(len(damaged))); !errors.Is(err, ErrInvalid) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	for n := range whole {
		if _, _, err := read(bytes.NewReader(whole[:n]), int64(n)); !errors.Is(err, ErrInvalid) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
	// A damaged development string is made again; a ceremony's is an error.
	want, err := cache.Development(2)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []ID{DevelopmentID(), e.ID} {
		path := cache.path(id, e.Log)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := cache.Development(2)
	if err != nil || !equalStrings(got, want) {
		t.Errorf("damaged development string: %v", err)
	}
	if _, err := cache.Load(e.ID, e.Log); !errors.Is(err, ErrInvalid) {
		t.Errorf("damaged string: %v", err)
	}
	if err := cache.Verify(&e); !errors.Is(err, ErrInvalid) {
		t.Errorf("verify a damaged string: %v", err)
	}
	if err := os.WriteFile(cache.path(ID{9}, 2), []byte("nothing"), 0o644); err != nil {
		t.Fatal(err)
	}
	entries, err = cache.List()
	if err != nil || !slices.ContainsFunc(entries, func(e Entry) bool { return errors.Is(e.Err, ErrInvalid) }) {
		t.Errorf("list with a file that isn't a string: %v, %v", err, entries)
	}
}

// TestSwappedCache puts one string under the name of another.
func TestSwappedCache(t *testing.T) {
	cache := cacheOf(t)
	entries, _ := cache.List()
	b, err := os.ReadFile(entries[1].Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cache.path(DevelopmentID(), 2), b, 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := cache.Development(2)
	if err != nil || !s.Development() {
		t.Errorf("%v: another string was taken for the development one", err)
	}
}

func TestDefaultCache(t *testing.T) {
	t.Setenv(CacheVariable, filepath.Join("some", "where"))
	cache, err := DefaultCache()
	if err != nil || cache.Folder() != filepath.Join("some", "where", "srs") {
		t.Errorf("%v, %q", err, cache.Folder())
	}
	t.Setenv(CacheVariable, "")
	t.Setenv("HOME", "/home/someone")
	t.Setenv("XDG_CACHE_HOME", "")
	if cache, err = DefaultCache(); err != nil || !strings.HasSuffix(cache.Folder(), filepath.Join("zkml", "srs")) {
		t.Errorf("%v, %q", err, cache.Folder())
	}
}

// FuzzCached checks that no file makes the reader of cached strings panic, and
// that each string has one encoding.
func FuzzCached(f *testing.F) {
	s, err := Development(1)
	if err != nil {
		f.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.write(&b, [sourceSize]byte{7}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:40])
	f.Fuzz(func(t *testing.T, b []byte) {
		s, h, err := read(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		var again bytes.Buffer
		if err := s.write(&again, h.source); err != nil || !bytes.Equal(again.Bytes(), b) {
			t.Fatalf("%x is written again as %x (%v)", b, again.Bytes(), err)
		}
	})
}

// TestAmbiguousDigits asks for strings by digits that begin the names of two.
func TestAmbiguousDigits(t *testing.T) {
	named := func(id byte, log int, source string) Entry {
		return Entry{ID: ID{0xab, 0xcd, 0xef, 0x01, id}, Name: "ceremony", Log: log, Source: source}
	}
	broken := named(9, 4, "")
	broken.Err = errors.New("broken")
	entries := []Entry{
		named(1, 3, strings.Repeat("01", 64)), named(1, 4, strings.Repeat("01", 64)), // one string, two sizes
		named(2, 4, strings.Repeat("02", 64)), broken,
		{ID: ID{1}, Source: "abcdef0102" + strings.Repeat("00", 59)},
	}
	for digits, want := range map[string]int{
		"": 0, "abcdef01": 3, "0xABCDEF01": 3, "abcdef0101": 0, "abcdef0102": 2, "01010101": 0, "12345678": 0,
		entries[0].ID.String(): 0,
	} {
		var err *AmbiguousError
		if got := ambiguous(entries, digits); errors.As(got, &err) != (want > 0) || want > 0 && len(err.Matches) != want {
			t.Errorf("%q: %v, want %d matches", digits, got, want)
		}
		if err == nil {
			continue
		}
		for _, m := range err.Matches {
			if !strings.Contains(err.Error(), m.ID.String()) {
				t.Errorf("%q: %v doesn't list %s", digits, err, m.ID)
			}
		}
		if !errors.Is(err, Err) {
			t.Errorf("%v doesn't match Err", err)
		}
	}
}
