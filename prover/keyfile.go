package prover

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover/srs"
)

// A verifying key's file, model.vk, is, big-endian:
//
//	8 bytes  "zkml-vk" 01
//	uint32   size of the canonical blob, then the blob
//	uint32   size of the public manifest's encoding, then the encoding
//
// and a proving key's file, model.pk:
//
//	8 bytes  "zkml-pk" 01
//	32 bytes digest (ID) of the structured reference string
//	byte     length of the string's name, then the name, for people
//	...      the verifying key's file
const (
	verifyingKeyTag = "zkml-vk\x01"
	provingKeyTag   = "zkml-pk\x01"
	maxKeyFile      = 16 << 20
)

// errShort is why a key file that ends early is refused.
var errShort = errors.New("ends early")

// WriteTo writes the key's file.
func (vk *VerifyingKey) WriteTo(w io.Writer) (int64, error) {
	manifest, err := vk.manifest.AppendBinary(nil)
	if err != nil {
		return 0, fmt.Errorf("write %s: %w", verifyingKeyFile, err)
	}
	b := []byte(verifyingKeyTag)
	b = append(binary.BigEndian.AppendUint32(b, uint32(len(vk.blob))), vk.blob...)
	b = append(binary.BigEndian.AppendUint32(b, uint32(len(manifest))), manifest...)
	n, err := w.Write(b)
	return int64(n), err
}

// ReadVerifyingKey reads a key's file, all of r. The file may come from anyone:
// the key that it gives is whole and consistent, but whether it is the right one
// only its [VerifyingKey.ModelID] says. The error is a [*FileError].
func ReadVerifyingKey(r io.Reader) (*VerifyingKey, error) {
	b, err := readLimited(r, maxKeyFile)
	if err != nil {
		return nil, fileErrorf(verifyingKeyFile, "%v", err)
	}
	return parseVerifyingKey(b)
}

func parseVerifyingKey(b []byte) (*VerifyingKey, error) {
	rest, ok := bytes.CutPrefix(b, []byte(verifyingKeyTag))
	if !ok {
		return nil, fileErrorf(verifyingKeyFile, "not a verifying key's file of version 1")
	}
	blob, rest, err := takeSized(rest)
	if err != nil {
		return nil, fileErrorf(verifyingKeyFile, "blob: %v", err)
	}
	encoded, rest, err := takeSized(rest)
	if err != nil {
		return nil, fileErrorf(verifyingKeyFile, "manifest: %v", err)
	}
	if len(rest) > 0 {
		return nil, fileErrorf(verifyingKeyFile, "%d bytes after its end", len(rest))
	}
	var m circuit.Manifest
	if err := m.UnmarshalBinary(encoded); err != nil {
		return nil, fileErrorf(verifyingKeyFile, "%v", err)
	}
	return newVerifyingKey(blob, &m)
}

// WriteTo writes the key's file. It doesn't hold the structured reference string,
// only its digest.
func (pk *ProvingKey) WriteTo(w io.Writer) (int64, error) {
	id := pk.vk.SRSID()
	name := pk.srsName[:min(len(pk.srsName), 255)]
	b := append([]byte(provingKeyTag), id[:]...)
	b = append(append(b, byte(len(name))), name...)
	n, err := w.Write(b)
	if err != nil {
		return int64(n), err
	}
	more, err := pk.vk.WriteTo(w)
	return int64(n) + more, err
}

// ReadProvingKey reads a key's file, all of r. The key has no structured reference
// string until [ProvingKey.Attach]. The error is a [*FileError].
func ReadProvingKey(r io.Reader) (*ProvingKey, error) {
	b, err := readLimited(r, maxKeyFile)
	if err != nil {
		return nil, fileErrorf(provingKeyFile, "%v", err)
	}
	rest, ok := bytes.CutPrefix(b, []byte(provingKeyTag))
	if !ok {
		return nil, fileErrorf(provingKeyFile, "not a proving key's file of version 1")
	}
	var id srs.ID
	if len(rest) < len(id)+1 || len(rest) < len(id)+1+int(rest[len(id)]) {
		return nil, fileErrorf(provingKeyFile, "%v", errShort)
	}
	rest = rest[copy(id[:], rest):]
	nameEnd := 1 + int(rest[0])
	name := string(rest[1:nameEnd])
	vk, err := parseVerifyingKey(rest[nameEnd:])
	if err != nil {
		return nil, fileErrorf(provingKeyFile, "the key inside: %v", err)
	}
	if vk.SRSID() != id {
		return nil, fileErrorf(provingKeyFile, "names the reference string %s: the key inside was made with %s", id, vk.SRSID())
	}
	return &ProvingKey{vk: vk, srsName: name}, nil
}

// CheckModel returns a [*FileError] unless the key is of the program and has the
// public words of this manifest, which comes from model.zkml.
func (vk *VerifyingKey) CheckModel(m *circuit.Manifest) error {
	if m.ProgramDigest != vk.fields.programDigest {
		return fileErrorf(modelFile, "has program %x: the key is of program %x", m.ProgramDigest, vk.fields.programDigest)
	}
	digest, err := m.Digest()
	if err != nil {
		return fileErrorf(modelFile, "%v", err)
	}
	if digest != vk.fields.manifestDigest {
		return fileErrorf(modelFile, "has the public manifest %x: the key names %x", digest, vk.fields.manifestDigest)
	}
	return nil
}

// readLimited reads all of r, at most limit bytes.
func readLimited(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("more than %d bytes", limit)
	}
	return b, err
}

// takeSized takes a uint32 and as many bytes off the front of b.
func takeSized(b []byte) (taken, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, errShort
	}
	n := uint64(binary.BigEndian.Uint32(b))
	if n > uint64(len(b)-4) {
		return nil, nil, errShort
	}
	return b[4 : 4+n : 4+n], b[4+n:], nil
}
