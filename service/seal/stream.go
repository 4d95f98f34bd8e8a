package seal

import (
	"bufio"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	saltSize  = 16
	chunkSize = 64 << 10
)

// nonce is that of a chunk.
type nonce [chacha20poly1305.NonceSize]byte

// next counts.
func (n *nonce) next() {
	for i := len(n) - 2; i >= 0; i-- {
		if n[i]++; n[i] != 0 {
			return
		}
	}
}

// NewReader returns src encrypted under the key, for a place of this name.
func NewReader(src io.Reader, k Key, name string) io.Reader {
	salt := make([]byte, saltSize)
	rand.Read(salt)
	return &transformer{
		src: bufio.NewReaderSize(src, chunkSize), aead: k.stream(salt, name), out: salt,
		in: make([]byte, chunkSize), seal: true,
	}
}

// OpenReader is the inverse of NewReader: it returns what was encrypted. Each chunk is
// checked before any of it is returned. The error is [ErrDamaged] if it isn't whole.
func OpenReader(src io.Reader, k Key, name string) (io.Reader, error) {
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(src, salt); err != nil {
		return nil, damaged(err)
	}
	return &transformer{
		src: bufio.NewReaderSize(src, chunkSize), aead: k.stream(salt, name),
		in: make([]byte, chunkSize+chacha20poly1305.Overhead),
	}, nil
}

// transformer encrypts or decrypts chunk by chunk.
type transformer struct {
	src   *bufio.Reader
	aead  cipher.AEAD
	nonce nonce
	in    []byte // a chunk of the source
	out   []byte // what wasn't read yet
	seal  bool
	last  bool
	err   error
}

// Read implements io.Reader.
func (t *transformer) Read(p []byte) (int, error) {
	for len(t.out) == 0 {
		if t.err == nil && t.last {
			t.err = io.EOF
		}
		if t.err != nil {
			return 0, t.err
		}
		if t.err = t.chunk(); t.err != nil {
			t.out = nil
			return 0, t.err
		}
	}
	n := copy(p, t.out)
	t.out = t.out[n:]
	return n, nil
}

// chunk transforms the next one.
func (t *transformer) chunk() error {
	n, err := io.ReadFull(t.src, t.in)
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		t.last = true
	case err != nil:
		return err
	default:
		if _, err := t.src.Peek(1); err == io.EOF {
			t.last = true
		} else if err != nil {
			return err
		}
	}
	if t.last {
		t.nonce[len(t.nonce)-1] = 1
	}
	if t.seal {
		t.out = t.aead.Seal(nil, t.nonce[:], t.in[:n], nil)
	} else if t.out, err = t.aead.Open(nil, t.nonce[:], t.in[:n], nil); err != nil {
		return ErrDamaged
	}
	t.nonce.next()
	return nil
}

// damaged turns the end of a file that is too short into ErrDamaged.
func damaged(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrDamaged
	}
	return err
}
