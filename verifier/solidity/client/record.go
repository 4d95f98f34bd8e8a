package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"

	"github.com/ethereum/go-ethereum/common"

	"github.com/zkml-go/zkml/internal/atomicfile"
	"github.com/zkml-go/zkml/prover"
)

// Record is what has been deployed on a chain, for people and for pinning an adapter's
// code; nothing that a chain could tell is believed because a record says so.
type Record struct {
	Format    string             `json:"format"` // "zkml-deployments"
	Version   int                `json:"version"`
	ChainID   *big.Int           `json:"chain_id"`
	Verifiers []DeployedVerifier `json:"verifiers"`
	Models    []DeployedModel    `json:"models"`
}

// DeployedVerifier is one of zkml's verifiers.
type DeployedVerifier struct {
	Variant     Variant        `json:"variant"`
	Address     common.Address `json:"address"`
	CodeHash    common.Hash    `json:"code_hash"`
	Transaction *common.Hash   `json:"transaction,omitempty"` // none if somebody else deployed it
}

// DeployedModel is a model that is registered with a verifier, with its adapters.
type DeployedModel struct {
	ModelID     prover.ModelID    `json:"model_id"`
	Name        string            `json:"name"`
	Verifier    common.Address    `json:"verifier"`
	Data        common.Address    `json:"data"`
	Transaction *common.Hash      `json:"transaction,omitempty"`
	Adapters    []DeployedAdapter `json:"adapters,omitempty"`
}

// DeployedAdapter is a model's own contract.
type DeployedAdapter struct {
	Address       common.Address `json:"address"`
	CodeHash      common.Hash    `json:"code_hash"`
	WeightsDigest *prover.Word   `json:"weights_digest,omitempty"`
	Transaction   *common.Hash   `json:"transaction,omitempty"`
}

const (
	recordFormat  = "zkml-deployments"
	recordVersion = 1
	// maxRecord bounds the bytes of a record.
	maxRecord = 16 << 20
)

// RecordPath returns the path of a chain's record in a folder.
func RecordPath(folder string, chainID *big.Int) string {
	return filepath.Join(folder, chainID.String()+".json")
}

// ReadRecord reads a chain's record from a folder; there being none is an empty one.
// The error matches prover.ErrMismatch if the file isn't the chain's record.
func ReadRecord(folder string, chainID *big.Int) (*Record, error) {
	path := RecordPath(folder, chainID)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &Record{Format: recordFormat, Version: recordVersion, ChainID: chainID, Verifiers: []DeployedVerifier{}, Models: []DeployedModel{}}, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRecord+1))
	if err != nil {
		return nil, err
	}
	wrong := func(reason string) error { return &prover.FileError{File: path, Reason: reason} }
	if len(data) > maxRecord {
		return nil, wrong(fmt.Sprintf("is larger than %d bytes", maxRecord))
	}
	var r Record
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return nil, wrong(fmt.Sprintf("isn't a record of deployments: %v", err))
	}
	switch {
	case r.Format != recordFormat || r.Version != recordVersion:
		return nil, wrong(fmt.Sprintf("isn't a record of deployments of version %d", recordVersion))
	case r.ChainID == nil || r.ChainID.Cmp(chainID) != 0:
		return nil, wrong(fmt.Sprintf("is of chain %v, want chain %v", r.ChainID, chainID))
	}
	return &r, nil
}

// Write writes the record into a folder, which it makes if need be.
func (r *Record) Write(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return atomicfile.Write(RecordPath(folder, r.ChainID), 0o644, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	})
}

// transaction returns the hash of a step's transaction: the new one, or the one known
// before.
func (s *Step) transaction(before *common.Hash) *common.Hash {
	if s.Receipt == nil {
		return before
	}
	return &s.Receipt.Transaction
}

// AddVerifier records a verifier.
func (r *Record) AddVerifier(v Variant, s *Step) {
	for i := range r.Verifiers {
		if known := &r.Verifiers[i]; known.Address == s.Address {
			known.Variant, known.CodeHash, known.Transaction = v, s.CodeHash, s.transaction(known.Transaction)
			return
		}
	}
	r.Verifiers = append(r.Verifiers, DeployedVerifier{v, s.Address, s.CodeHash, s.transaction(nil)})
}

// AddModel records a model's registration with a verifier.
func (r *Record) AddModel(vk *prover.VerifyingKey, verifier common.Address, s *Step) {
	if known := r.model(vk.ModelID(), verifier); known != nil {
		known.Data, known.Transaction = s.Address, s.transaction(known.Transaction)
		return
	}
	r.Models = append(r.Models, DeployedModel{ModelID: vk.ModelID(), Name: vk.Manifest().Model, Verifier: verifier, Data: s.Address, Transaction: s.transaction(nil)})
}

// AddAdapter records an adapter of a model that AddModel has recorded.
func (r *Record) AddAdapter(id prover.ModelID, verifier common.Address, weights *prover.Word, s *Step) {
	model := r.model(id, verifier)
	for i := range model.Adapters {
		if known := &model.Adapters[i]; known.Address == s.Address {
			known.CodeHash, known.WeightsDigest, known.Transaction = s.CodeHash, weights, s.transaction(known.Transaction)
			return
		}
	}
	model.Adapters = append(model.Adapters, DeployedAdapter{s.Address, s.CodeHash, weights, s.transaction(nil)})
}

func (r *Record) model(id prover.ModelID, verifier common.Address) *DeployedModel {
	for i := range r.Models {
		if r.Models[i].ModelID == id && r.Models[i].Verifier == verifier {
			return &r.Models[i]
		}
	}
	return nil
}

// Pin returns what the record knows of an adapter's code.
func (r *Record) Pin(id prover.ModelID, address common.Address) Pin {
	for _, model := range r.Models {
		for _, adapter := range model.Adapters {
			if model.ModelID == id && adapter.Address == address {
				return Pin{AdapterCode: adapter.CodeHash}
			}
		}
	}
	return Pin{}
}
