package srs

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254/kzg"

	"github.com/zkml-go/zkml/internal/atomicfile"
)

// CacheVariable is the environment variable that overrides where caches lie.
const CacheVariable = "ZKML_CACHE"

// Cache is a folder of strings that were checked when they were put there, one
// file for each string and size of domain.
type Cache struct{ folder string }

// DefaultCache returns the user's cache: the folder "srs" in $ZKML_CACHE or, if
// that isn't set, in "zkml" in the user's cache folder ($XDG_CACHE_HOME or
// ~/.cache on Linux).
func DefaultCache() (*Cache, error) {
	root := os.Getenv(CacheVariable)
	if root == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("find the cache folder (set %s): %w", CacheVariable, err)
		}
		root = filepath.Join(user, "zkml")
	}
	return NewCache(filepath.Join(root, "srs")), nil
}

// NewCache returns the cache in this folder, which is made when something is put
// there.
func NewCache(folder string) *Cache { return &Cache{folder} }

// Folder returns where the cache lies.
func (c *Cache) Folder() string { return c.folder }

// Entry describes a cached string.
type Entry struct {
	ID   ID
	Name string
	Log  int
	// HasLagrange is false for an unprepared file's string, whose Lagrange points
	// are computed when they are first needed.
	HasLagrange bool
	// Source is the BLAKE2b-512 of the file that the string is from, in
	// hexadecimal, or "" if it is from none.
	Source string
	Path   string
	Bytes  int64
	// Err is set, and the rest but Path and Bytes isn't, if the file can't be
	// read.
	Err error
}

// Development reports whether the string is the development one.
func (e *Entry) Development() bool { return e.ID == DevelopmentID() }

// matches reports whether digest, at least 8 hexadecimal digits, begins the ID or
// the source's digest.
func (e *Entry) matches(digest string) bool {
	digest = strings.ToLower(strings.TrimPrefix(digest, "0x"))
	return len(digest) >= 8 && (strings.HasPrefix(e.ID.String(), digest) || strings.HasPrefix(e.Source, digest))
}

// List returns the entries, the smallest domain first and of equal ones those of a
// known ceremony first.
func (c *Cache) List() ([]Entry, error) {
	files, err := os.ReadDir(c.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list cached strings: %w", err)
	}
	var entries []Entry
	for _, file := range files {
		if filepath.Ext(file.Name()) == ".srs" && file.Type().IsRegular() {
			entries = append(entries, describe(filepath.Join(c.folder, file.Name())))
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int {
		known := func(e Entry) int {
			if CeremonyName(e.ID) != "" {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Log, b.Log), cmp.Compare(known(a), known(b)), cmp.Compare(a.Path, b.Path))
	})
	return entries, nil
}

// describe reads the front of a file.
func describe(path string) (e Entry) {
	e.Path = path
	file, err := os.Open(path)
	if err != nil {
		e.Err = err
		return e
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		e.Err = err
		return e
	}
	e.Bytes = info.Size()
	h, err := readHeader(file)
	if err == nil && h.size() != e.Bytes {
		err = fmt.Errorf("%w: cached string of %d bytes: want %d", ErrInvalid, e.Bytes, h.size())
	}
	if err != nil {
		e.Err = err
		return e
	}
	e.ID, e.Name, e.Log, e.HasLagrange = IDOf(&h.tauG2), h.name, h.log, h.hasLagrange
	if h.source != [sourceSize]byte{} {
		e.Source = hex.EncodeToString(h.source[:])
	}
	return e
}

// path returns where the string of this ID for this domain lies.
func (c *Cache) path(id ID, log int) string {
	return filepath.Join(c.folder, fmt.Sprintf("%s-%02d.srs", id, log))
}

// store writes a string so that a reader sees all of it or nothing.
func (c *Cache) store(s *SRS, source [sourceSize]byte) (Entry, error) {
	if err := os.MkdirAll(c.folder, 0o755); err != nil {
		return Entry{}, fmt.Errorf("cache a string: %w", err)
	}
	path := c.path(s.ID(), s.Log)
	write := func(w io.Writer) error { return s.write(w, source) }
	if err := atomicfile.Write(path, 0o644, write); err != nil {
		return Entry{}, fmt.Errorf("cache a string: %w", err)
	}
	return describe(path), nil
}

// Load returns the string of this ID for a domain of 2^log points. Where only a
// larger one is cached, or one without Lagrange points, it is cut, its Lagrange
// points are computed, which takes minutes for 2^20 points, and the result is
// cached. The development string is made if it isn't there. The error matches
// [ErrMissing] if there is no such string, [ErrInvalid] if the file is damaged.
func (c *Cache) Load(id ID, log int) (*SRS, error) {
	if id == DevelopmentID() {
		return c.Development(log)
	}
	entries, err := c.List()
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Err == nil && e.ID == id && e.Log >= log {
			return c.open(&e, log)
		}
	}
	return nil, fmt.Errorf("%w: %s for a domain of 2^%d points isn't in %s", ErrMissing, id, log, c.folder)
}

// open reads an entry for a domain of 2^log points, not above the entry's.
func (c *Cache) open(e *Entry, log int) (*SRS, error) {
	s, source, err := readFile(e.Path)
	if err != nil {
		return nil, err
	}
	if s.ID() != e.ID {
		return nil, fmt.Errorf("%w: %s changed while it was read", ErrInvalid, e.Path)
	}
	if s.Log == log && len(s.Lagrange) > 0 {
		return s, nil
	}
	cut := &SRS{Name: s.Name, Log: log, Powers: slices.Clone(s.Powers[:1<<log+extraPowers]), TauG2: s.TauG2}
	if cut.Lagrange, err = kzg.ToLagrangeG1(slices.Clone(cut.Powers[:1<<log])); err != nil {
		return nil, err
	}
	// The string is as good if it can't be cached.
	c.store(cut, source)
	return cut, nil
}

// readFile reads a cached string and the digest of the file that it is from.
func readFile(path string) (*SRS, [sourceSize]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, [sourceSize]byte{}, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, [sourceSize]byte{}, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	s, h, err := read(file, info.Size())
	if err != nil {
		return nil, [sourceSize]byte{}, fmt.Errorf("%s: %w", path, err)
	}
	return s, h.source, nil
}

// Development returns the development string for a domain of 2^log points, from
// the cache if it is there.
func (c *Cache) Development(log int) (*SRS, error) {
	if s, _, err := readFile(c.path(DevelopmentID(), log)); err == nil && s.Development() && s.Log == log && len(s.Lagrange) > 0 {
		return s, nil
	}
	s, err := Development(log)
	if err != nil {
		return nil, err
	}
	// The string is as good if it can't be cached.
	c.store(s, [sourceSize]byte{})
	return s, nil
}

// Selection says which string a set-up wants.
type Selection struct {
	// Digest, if not empty, names the string: at least 8 hexadecimal digits that
	// begin its ID or the BLAKE2b-512 of the file that it is from.
	Digest string
	// AllowDevelopment takes the development string when no ceremony's fits.
	AllowDevelopment bool
}

// Select returns a string for a domain of 2^log points: the smallest cached one of
// a ceremony that fits, else, if that is allowed, the development one. The error
// matches [ErrMissing] if there is none, and is an *AmbiguousError if the digits in
// Selection begin the names of several strings.
func (c *Cache) Select(log int, want Selection) (*SRS, error) {
	entries, err := c.List()
	if err != nil {
		return nil, err
	}
	if err := ambiguous(entries, want.Digest); err != nil {
		return nil, err
	}
	largest := 0
	for _, e := range entries {
		if e.Err != nil || e.Development() || want.Digest != "" && !e.matches(want.Digest) {
			continue
		}
		if e.Log >= log {
			return c.open(&e, log)
		}
		largest = max(largest, e.Log)
	}
	development := Entry{ID: DevelopmentID()}
	named := want.Digest != "" && development.matches(want.Digest)
	switch {
	case named && !want.AllowDevelopment:
		return nil, ErrDevelopment
	case named || want.Digest == "" && want.AllowDevelopment:
		return c.Development(log)
	case want.Digest != "":
		return nil, fmt.Errorf("%w: no cached string %q for a domain of 2^%d points", ErrMissing, want.Digest, log)
	case largest > 0:
		return nil, fmt.Errorf("%w: a domain of 2^%d points is needed: the largest cached string is for 2^%d", ErrMissing, log, largest)
	}
	return nil, fmt.Errorf("%w: no ceremony's string is cached: a domain of 2^%d points is needed", ErrMissing, log)
}

// AmbiguousError says that a few digits name more than one string.
type AmbiguousError struct {
	Digest  string
	Matches []Entry // one of each string
}

// Error implements error.
func (e *AmbiguousError) Error() string {
	text := fmt.Sprintf("%q names more than one string:", e.Digest)
	for _, m := range e.Matches {
		text += fmt.Sprintf("\n%s (%s)", m.ID, m.Name)
	}
	return text
}

// Unwrap makes the error match Err.
func (e *AmbiguousError) Unwrap() error { return Err }

// ambiguous returns an *AmbiguousError if the digits name strings of several IDs, the
// development string among them, which need not be cached.
func ambiguous(entries []Entry, digest string) error {
	if digest == "" {
		return nil
	}
	var matches []Entry
	for _, e := range append(slices.Clone(entries), Entry{ID: DevelopmentID(), Name: "development"}) {
		same := func(m Entry) bool { return m.ID == e.ID }
		if e.Err == nil && e.matches(digest) && !slices.ContainsFunc(matches, same) {
			matches = append(matches, e)
		}
	}
	if len(matches) > 1 {
		return &AmbiguousError{digest, matches}
	}
	return nil
}

// Verify reads a cached string and checks it as [SRS.Check] does.
func (c *Cache) Verify(e *Entry) error {
	s, _, err := readFile(e.Path)
	if err != nil {
		return err
	}
	return s.Check()
}
