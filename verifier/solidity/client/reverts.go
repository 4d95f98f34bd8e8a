package client

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/verifier/solidity/client/internal/bindings"
)

//go:generate go run github.com/ethereum/go-ethereum/cmd/abigen@v1.17.10 --v2 --abi IZkmlVerifier.abi --pkg bindings --type IZkmlVerifier --out internal/bindings/bindings.go

// contract encodes calls of zkml's verifier.
var contract = bindings.NewIZkmlVerifier()

// adapterErrors are the custom errors of IModelVerifier, the same for every model.
var adapterErrors = []string{
	"CalldataLength(uint256,uint256)",
	"CalldataOffset(uint256,uint256)",
	"ContextOutOfRange(uint256)",
	"TensorLength(uint256,uint256,uint256)",
	"DirtyPadding(uint256)",
	"ElementOutOfRange(uint256,uint256,int256)",
	"WordOutOfRange(uint256,uint256,uint256)",
	"DigestOutOfRange(uint256,uint256)",
	"ProofLength(uint256,uint256)",
	"WeightsMismatch(uint256,uint256)",
	"MalformedProof()",
	unregistered,
}

// consumerErrors are the custom errors of the consumer templates.
var consumerErrors = []string{
	"OtherModel(bytes32,bytes32)",
	"OtherWeights(uint256,uint256)",
	"Expired(uint256)",
	"ContextUsed(uint256)",
	"NoRegistrar()",
	"NotRegistrar(address)",
	"NotAttester(address)",
	"UnattestedInput(address,uint256)",
	"StaleAttestation(uint256,uint256)",
	"AttestationUsed(address,uint256)",
	"InvalidPolicy()",
	"NotEligible(address)",
	"WrongState(uint256,uint8)",
	"NotPlayer(address,address)",
	"NoSuchCell(uint256)",
	"OccupiedCell(uint256)",
	"NotTimedOut(uint256)",
	"InvalidTurn(uint256)",
}

// rejections are the errors that say something of a proof or a statement, those of the
// adapter and of the verifier. The others are of keys, of the set-up, or of gas.
var rejections = func() map[[4]byte]bool {
	set := map[[4]byte]bool{}
	for _, name := range []string{"NonCanonicalCalldata", "EmptyBatch", "BatchLengths", "DifferentSrs", "WordCount", "ValueOutOfRange", "InvalidPoint", "ProofRejected"} {
		e, ok := contract.GetABI().Errors[name]
		if !ok {
			panic(name + " is no error of the verifier's") // the list above
		}
		set[[4]byte(e.ID[:4])] = true
	}
	for _, signature := range adapterErrors {
		if signature != unregistered {
			set[selectorOf(signature)] = true
		}
	}
	return set
}()

// unregistered is what an adapter reverts with if the verifier doesn't hold its model's key.
const unregistered = "ModelNotRegistered(address)"

// unknownModels are the errors that say that a verifier doesn't hold a model's key.
var unknownModels = map[[4]byte]bool{selectorOf("UnknownModel(bytes32)"): true, selectorOf(unregistered): true}

func selectorOf(signature string) [4]byte { return [4]byte(crypto.Keccak256([]byte(signature))[:4]) }

// rejects reports whether the contract said that a proof isn't acceptable. A name alone
// doesn't count: a contract of somebody else's may have another error of the same.
func (e *RevertError) rejects() bool {
	return e.Name != "" && len(e.Data) >= 4 && rejections[[4]byte(e.Data[:4])]
}

// knowsNoModel reports whether the contract said that it doesn't hold the model's key.
func (e *RevertError) knowsNoModel() bool {
	return e.Name != "" && len(e.Data) >= 4 && unknownModels[[4]byte(e.Data[:4])]
}

// Is reports whether target is prover.ErrRejected and the contract said that a proof
// isn't acceptable, be it through another contract.
func (e *RevertError) Is(target error) bool {
	return target == prover.ErrRejected && e.rejects()
}

// errorsBySelector are the custom errors that can be named.
var errorsBySelector = func() map[[4]byte]abi.Error {
	known := map[[4]byte]abi.Error{}
	for _, e := range contract.GetABI().Errors {
		known[[4]byte(e.ID[:4])] = e
	}
	for _, signature := range append(slices.Clone(adapterErrors), consumerErrors...) {
		e, err := parseError(signature)
		if err != nil {
			panic(err) // the list above
		}
		known[[4]byte(e.ID[:4])] = e
	}
	return known
}()

// parseError reads an error's canonical signature.
func parseError(signature string) (abi.Error, error) {
	name, rest, ok := strings.Cut(signature, "(")
	inner, closed := strings.CutSuffix(rest, ")")
	if !ok || !closed || name == "" {
		return abi.Error{}, fmt.Errorf("%q isn't an error's signature", signature)
	}
	var inputs abi.Arguments
	if inner != "" {
		for text := range strings.SplitSeq(inner, ",") {
			kind, err := abi.NewType(text, "", nil)
			if err != nil {
				return abi.Error{}, fmt.Errorf("error %s: %w", name, err)
			}
			inputs = append(inputs, abi.Argument{Type: kind})
		}
	}
	return abi.NewError(name, inputs), nil
}
