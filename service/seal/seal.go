// Package seal encrypts what the prover service keeps for its tenants.
//
// Each job has a random key. What is private of it — inputs, hidden weights, salts — is
// sealed with keys derived from that one, and the job's key itself lies in the job's record,
// wrapped by the operator's key, which is in neither place. Whoever has only the blobs,
// or the blobs and the records, learns sizes and nothing else; when a record is deleted,
// and gone from the files of the queue and from backups, what was sealed with its key is lost
// to everyone, in backups of the blobs too.
//
// Streams are encrypted by the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár,
// "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", CRYPTO 2015)
// as the age format instantiates it: chunks of 64 KiB under ChaCha20-Poly1305 whose nonce
// is a counter of 11 bytes and a byte that is 1 for the last chunk. So chunks can't be
// swapped, dropped or cut off unnoticed. The key of a stream is HKDF-SHA-256 of the
// job's key with a random salt of 16 bytes, which precedes the chunks, and the name that
// the stream is stored under: nothing opens under another name.
package seal

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// ErrDamaged is returned where what is read isn't what was sealed, or another key or name
// is given than then.
var ErrDamaged = errors.New("sealed data is damaged, or the key isn't the one it was sealed with")

// Key is a secret of 32 bytes.
type Key [chacha20poly1305.KeySize]byte

// NewKey returns a random key.
func NewKey() (k Key) {
	rand.Read(k[:])
	return k
}

// ReadKey reads the operator's key, 64 hexadecimal digits, from a file that only its
// owner may read, and makes it where there is none. A credential of systemd, a file in
// $CREDENTIALS_DIRECTORY, may have a group that reads it: the folder is the service's alone,
// and the bits are those of the access list that lets the service's own user in.
func ReadKey(path string) (Key, error) {
	var k Key
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return writeKey(path)
	}
	if err != nil {
		return k, fmt.Errorf("operator's key: %w", err)
	}
	others := fs.FileMode(0o077)
	if credential(path) {
		others = 0o037
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&others != 0 {
		return k, fmt.Errorf("operator's key: others may read %s: run chmod 600", path)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(data)))
	if err != nil || len(raw) != len(k) {
		return k, fmt.Errorf("operator's key: %s hasn't 64 hexadecimal digits", path)
	}
	return Key(raw), nil
}

// credential reports whether a file lies in the folder that systemd gives the service its
// credentials in.
func credential(path string) bool {
	folder := os.Getenv("CREDENTIALS_DIRECTORY")
	if !filepath.IsAbs(folder) {
		return false
	}
	path, err := filepath.Abs(path)
	return err == nil && filepath.Dir(path) == filepath.Clean(folder)
}

// writeKey makes a key's file, unless someone else just did: then that one is the key. It
// appears whole, or not at all if the program is killed.
func writeKey(path string) (Key, error) {
	fail := func(err error) (Key, error) { return Key{}, fmt.Errorf("operator's key: %w", err) }
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fail(err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fail(err)
	}
	defer os.Remove(file.Name())
	k := NewKey()
	_, err = file.WriteString(hex.EncodeToString(k[:]) + "\n")
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fail(err)
	}
	if err := os.Link(file.Name(), path); errors.Is(err, fs.ErrExist) {
		return ReadKey(path)
	} else if err != nil {
		return fail(err)
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fail(err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fail(err)
	}
	return k, nil
}

// Wrap encrypts another key for the purpose that name says.
func (k Key) Wrap(key Key, name string) []byte { return k.Seal(key[:], "key "+name) }

// Unwrap is the inverse of Wrap.
func (k Key) Unwrap(wrapped []byte, name string) (Key, error) {
	raw, err := k.Open(wrapped, "key "+name)
	if err != nil || len(raw) != len(k) {
		return Key{}, ErrDamaged
	}
	return Key(raw), nil
}

// Seal encrypts a few bytes, with a random nonce of 24 bytes that precedes them.
func (k Key) Seal(data []byte, name string) []byte {
	nonce := make([]byte, chacha20poly1305.NonceSizeX)
	rand.Read(nonce)
	return k.extended().Seal(nonce, nonce, data, []byte(name))
}

// Open is the inverse of Seal.
func (k Key) Open(sealed []byte, name string) ([]byte, error) {
	if len(sealed) < chacha20poly1305.NonceSizeX {
		return nil, ErrDamaged
	}
	nonce, rest := sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:]
	data, err := k.extended().Open(nil, nonce, rest, []byte(name))
	if err != nil {
		return nil, ErrDamaged
	}
	return data, nil
}

// extended returns the cipher with long nonces.
func (k Key) extended() cipher.AEAD {
	aead, err := chacha20poly1305.NewX(k[:])
	if err != nil {
		panic(err) // the key has the right size
	}
	return aead
}

// stream returns the cipher of one stream.
func (k Key) stream(salt []byte, name string) cipher.AEAD {
	derived, err := hkdf.Key(sha256.New, k[:], salt, "zkml sealed stream v1 "+name, chacha20poly1305.KeySize)
	if err != nil {
		panic(err) // the length is allowed
	}
	aead, err := chacha20poly1305.New(derived)
	if err != nil {
		panic(err) // the key has the right size
	}
	return aead
}
