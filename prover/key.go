package prover

import (
	"slices"

	plonk "github.com/consensys/gnark/backend/plonk/bn254"

	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/prover/srs"
)

// VerifyingKey is what a verifier needs to know of a model: the commitments to its
// circuit and the meaning of the public words. It is immutable.
type VerifyingKey struct {
	manifest circuit.Manifest
	fields   *blobFields
	plonk    *plonk.VerifyingKey
	blob     []byte
	id       ModelID
}

// NewVerifyingKey returns the key of a model whose circuit gnark's key commits to.
// Only what the canonical blob says is taken from gnark's key; the rest — domain,
// generators, the pairing's lines — is computed. It returns an error if the key
// isn't for the standard generators, or doesn't have the manifest's public words.
func NewVerifyingKey(key *plonk.VerifyingKey, m *circuit.Manifest) (*VerifyingKey, error) {
	fields, err := fieldsOf(key, m)
	if err != nil {
		return nil, fileErrorf(verifyingKeyFile, "%v", err)
	}
	return newVerifyingKey(fields.bytes(), m)
}

// newVerifyingKey returns the key with this blob. It checks that the manifest is
// the one that the blob names.
func newVerifyingKey(blob []byte, m *circuit.Manifest) (*VerifyingKey, error) {
	fields, err := parseBlob(blob)
	if err != nil {
		return nil, fileErrorf(verifyingKeyFile, "%v", err)
	}
	digest, err := m.Digest()
	if err != nil {
		return nil, fileErrorf(verifyingKeyFile, "%v", err)
	}
	if digest != fields.manifestDigest {
		return nil, fileErrorf(verifyingKeyFile, "the manifest has digest %x: the key names %x", digest, fields.manifestDigest)
	}
	if m.NbWords() != fields.nbWords {
		return nil, fileErrorf(verifyingKeyFile, "the manifest has %d public words: the key has %d", m.NbWords(), fields.nbWords)
	}
	vk := &VerifyingKey{
		manifest: *m,
		fields:   fields,
		plonk:    fields.key(),
		blob:     blob,
		id:       keccak(blob),
	}
	vk.manifest.ProgramDigest = fields.programDigest
	return vk, nil
}

// ModelID returns the Keccak-256 of the blob.
func (vk *VerifyingKey) ModelID() ModelID { return vk.id }

// Blob returns the canonical blob of the key. It has nothing in it that a verifier
// could compute, and everything that it couldn't.
func (vk *VerifyingKey) Blob() []byte { return slices.Clone(vk.blob) }

// Manifest says what the public words mean. It must not be changed.
func (vk *VerifyingKey) Manifest() *circuit.Manifest { return &vk.manifest }

// Plonk returns gnark's form of the key. It must not be changed.
func (vk *VerifyingKey) Plonk() *plonk.VerifyingKey { return vk.plonk }

// Log returns the binary logarithm of the size of the domain.
func (vk *VerifyingKey) Log() int { return vk.fields.log }

// NbCommitments returns the number c of BSB22 commitments. A proof has 808 + 96c
// bytes.
func (vk *VerifyingKey) NbCommitments() int { return len(vk.fields.rows) }

// SRSID names the structured reference string that the key was made with.
func (vk *VerifyingKey) SRSID() srs.ID { return srs.IDOf(&vk.fields.tauG2) }

// Development reports whether the key was made with the development string, so
// that everyone can forge proofs for it.
func (vk *VerifyingKey) Development() bool { return srs.IsDevelopment(&vk.fields.tauG2) }
