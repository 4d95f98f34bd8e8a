package api

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/danielgtaylor/huma/v2"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/service/access"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/work"
	"github.com/zkml-go/zkml/verifier/solidity"
)

// solidityInput says which project to make, in the words of zkml export solidity.
type solidityInput struct {
	SHA256     string `path:"sha256" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of the model's .zkml"`
	Standalone bool   `query:"standalone" doc:"verify with gnark's verifier, made for this key, instead of zkml's for all"`
	Template   string `query:"template" enum:"inference,lending,eligibility,tictactoe" doc:"add a contract that acts on answers"`
	Weights    string `query:"weights_digest" maxLength:"80" doc:"the digest that hashed weights must have"`
	Unbound    bool   `query:"unbound_weights" doc:"accept a model with private weights, whose proofs hold for any weights"`
}

// calldataInput says which call to make.
type calldataInput struct {
	ID     string `path:"id" pattern:"^[a-z2-7]{26}$"`
	Packed bool   `query:"packed" doc:"call verifyPacked, which takes public words instead of bytes"`
}

// solidityOperations register what brings proofs onto a chain.
func (s *server) solidityOperations() {
	project := s.operation(access.Read, "get-model-solidity", http.MethodGet, "/v1/models/{sha256}/solidity", "Make a Foundry project with a model's contract")
	project.Errors = append(project.Errors, http.StatusNotFound, http.StatusConflict)
	huma.Register(s.api, project, s.solidity)
	call := s.operation(access.Read, "get-proof-calldata", http.MethodGet, "/v1/proofs/{id}/calldata", "Encode the call that has the contract verify a proof")
	call.Errors = append(call.Errors, http.StatusNotFound, http.StatusConflict)
	huma.Register(s.api, call, s.calldata)
}

// key reads a model's verifying key.
func (s *server) key(ctx context.Context, m *work.Model) (*prover.VerifyingKey, error) {
	d, err := blob.ParseDigest(m.VerifyingKey.Public)
	if err != nil {
		return nil, s.internal("read a key", err)
	}
	src, err := blob.OpenPublic(ctx, s.Blobs, tenantOf(ctx), d)
	if err != nil {
		return nil, s.internal("read a key", err)
	}
	defer src.Close()
	vk, err := prover.ReadVerifyingKey(src)
	if err != nil {
		return nil, s.internal("read a key", err)
	}
	return vk, nil
}

func (s *server) solidity(ctx context.Context, in *solidityInput) (*body[client.Solidity], error) {
	m, err := s.model(ctx, in.SHA256)
	if err != nil {
		return nil, err
	}
	vk, err := s.key(ctx, m)
	if err != nil {
		return nil, err
	}
	o := solidity.Options{Standalone: in.Standalone, Template: in.Template, AllowUnboundWeights: in.Unbound, AllowDevelopmentSRS: s.AllowDevelopment}
	if in.Weights != "" {
		word, err := prover.ParseWord(in.Weights)
		if err != nil {
			return nil, huma.Error422UnprocessableEntity("weights_digest: " + err.Error())
		}
		o.WeightsDigest = (*fr.Element)(&word)
	}
	files, err := solidity.Export(vk, o)
	if err != nil {
		return nil, unencoded(err)
	}
	answer := client.Solidity{ModelID: vk.ModelID().String(), Files: map[string]string{}}
	for path, text := range files {
		answer.Files[path] = string(text)
	}
	return &body[client.Solidity]{answer}, nil
}

// unencoded answers where a contract can't be made for a model, or a call for a proof.
func unencoded(err error) error {
	if errors.Is(err, srs.ErrDevelopment) {
		return huma.Error409Conflict(err.Error())
	}
	return huma.Error422UnprocessableEntity(err.Error())
}

func (s *server) calldata(ctx context.Context, in *calldataInput) (*body[client.Calldata], error) {
	r, err := s.job(ctx, job.Proof, in.ID)
	if err != nil {
		return nil, err
	}
	if r.State != job.Succeeded {
		return nil, huma.Error409Conflict("the proof is " + string(r.State))
	}
	m, err := s.model(ctx, r.Model)
	if err != nil {
		return nil, err
	}
	vk, err := s.key(ctx, m)
	if err != nil {
		return nil, err
	}
	if vk.Development() && !s.AllowDevelopment {
		return nil, unencoded(srs.ErrDevelopment)
	}
	result, err := work.Result(&r)
	if err != nil {
		return nil, s.internal("read a result", err)
	}
	d, err := blob.ParseDigest(result.Proof.Public)
	if err != nil {
		return nil, s.internal("read a proof", err)
	}
	src, err := blob.OpenPublic(ctx, s.Blobs, tenantOf(ctx), d)
	if err != nil {
		return nil, s.internal("read a proof", err)
	}
	defer src.Close()
	proof, err := prover.ReadProof(src)
	if err != nil {
		return nil, s.internal("read a proof", err)
	}
	entry := solidity.Typed
	if in.Packed {
		entry = solidity.Packed
	}
	data, err := solidity.Calldata(vk, entry, proof)
	if err != nil {
		return nil, unencoded(err)
	}
	return &body[client.Calldata]{client.Calldata{Function: solidity.Signature(vk, entry), Calldata: "0x" + hex.EncodeToString(data)}}, nil
}
