package client

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"

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
	"ModelNotRegistered(address)",
}

// consumerErrors are the custom errors of the consumer templates.
var consumerErrors = []string{
	"OtherModel(bytes32,bytes32)",
	"Expired(uint256)",
	"ContextUsed(uint256)",
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
}

// rejections are the errors that say something of a proof or a statement, those of the
// adapter and of the verifier. The others are of keys, of the set-up, or of gas.
var rejections = func() map[string]bool {
	names := map[string]bool{}
	for _, name := range []string{"NonCanonicalCalldata", "EmptyBatch", "BatchLengths", "DifferentSrs", "WordCount", "ValueOutOfRange", "InvalidPoint", "ProofRejected"} {
		names[name] = true
	}
	for _, signature := range adapterErrors {
		name, _, _ := strings.Cut(signature, "(")
		names[name] = name != "ModelNotRegistered"
	}
	return names
}()

// Is reports whether target is prover.ErrRejected and the contract said that a proof
// isn't acceptable, be it through another contract.
func (e *RevertError) Is(target error) bool {
	return target == prover.ErrRejected && rejections[e.Name]
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
