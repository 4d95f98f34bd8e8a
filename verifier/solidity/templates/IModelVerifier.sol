// SPDX-License-Identifier: Apache-2.0
pragma solidity >=0.8.20;

/// @title What a contract needs to know to check an answer of this model
/// @notice Model {{comment .ModelName}}, model id 0x{{.ID}}.
/// A call that returns says: the model gives these outputs for these inputs.
/// Everything else reverts with one of the errors below
{{- if .Standalone}}.
{{- else}} or of IZkmlVerifier.
{{- end}}
{{- if .WeightsNote}}
/// {{.WeightsNote}}
{{- end}}
{{- if .Digests}}
/// A digest in the statement says nothing by itself: compare it with one that you
/// have from elsewhere.
{{- end}}
/// Anyone can submit a proof that they have seen. A consumer that must not act on
/// one twice, or on someone else's, computes the context itself and passes it.
/// Trust no contract because it has these functions: of one that a stranger deployed, check
/// that its code is ModelVerifier's, that its MODEL_ID is the one above
{{- if .Standalone}}.
{{- else}} and that its
/// VERIFIER is zkml's own, which is {{.ReusableAddress}} on every chain.
{{- end}}
/// @custom:generator zkml, format version {{.Version}}. Not to be edited.
interface IModelVerifier {
{{- if .Tensors}}
    /// @notice The tensors of the statement, elements in bytes, row-major.
    /// @dev An element is written as abi.encodePacked writes an integer of the
    /// stated type. A digest is a BN254 scalar.
    struct Tensors {
{{- range .Tensors}}
        // {{.Describe}}
        {{if .Shown}}bytes{{else}}uint256{{end}} {{.Field}};
{{- end}}
    }
{{end}}
{{- if .HasPacked}}
    /// @notice The tensors of the statement, elements packed in words: each as
    /// u = q - lo of the stated bits, floor(248 / bits) to a word, the first in
    /// the lowest bits.
    struct PackedTensors {
{{- range .Tensors}}
        // {{if .Shown}}{{.DescribePacked}}{{else}}{{.Describe}}{{end}}
        {{if .Shown}}uint256[]{{else}}uint256{{end}} {{.Field}};
{{- end}}
    }
{{end}}
{{- if .HasOutputs}}
    /// @notice The answer: integers q, row-major. The real value of an element is
    /// q * numerator / denominator / 2^exponent with the constants of ModelVerifier.
    struct Outputs {
{{- range .Outputs}}
        // {{.DescribeValues}}
        int256[] {{.Field}};
{{- end}}
    }
{{end}}
    /// @notice The calldata holds more or less than the arguments in standard ABI encoding.
    /// @param found the length of the calldata in bytes
    /// @param expected the only length accepted
    error CalldataLength(uint256 found, uint256 expected);

    /// @notice An argument doesn't lie where the standard ABI encoding puts it.
    /// @param found where it begins in the calldata
    /// @param expected the only place accepted
    error CalldataOffset(uint256 found, uint256 expected);

    /// @notice The context's top byte isn't zero.
    /// @param context the argument
    error ContextOutOfRange(uint256 context);
{{- if .Tensors}}

    /// @notice A tensor has the wrong number of bytes or words.
    /// @param tensor the position in the struct, from 0
    /// @param found the length given
    /// @param expected the only length accepted
    error TensorLength(uint256 tensor, uint256 found, uint256 expected);

    /// @notice The bytes that fill a tensor up to a multiple of 32 aren't zero.
    /// @param tensor the position in the struct, from 0
    error DirtyPadding(uint256 tensor);

    /// @notice An element lies outside its tensor's declared interval.
    /// @param tensor the position in the struct, from 0
    /// @param index the element's row-major index
    /// @param value the element
    error ElementOutOfRange(uint256 tensor, uint256 index, int256 value);

    /// @notice A packed word has bits above its last element.
    /// @param tensor the position in the struct, from 0
    /// @param index the word's index within the tensor
    /// @param word the word
    error WordOutOfRange(uint256 tensor, uint256 index, uint256 word);

    /// @notice A digest isn't below the order of the BN254 scalar field.
    /// @param tensor the position in the struct, from 0
    /// @param digest the argument
    error DigestOutOfRange(uint256 tensor, uint256 digest);
{{- end}}

    /// @notice The proof has the wrong length.
    /// @param found the length given in bytes
    /// @param expected the only length accepted
    error ProofLength(uint256 found, uint256 expected);

{{- if .Weights}}

    /// @notice The statement is about other weights than the contract is for.
    /// @param found the digest given
    /// @param expected the only digest accepted
    error WeightsMismatch(uint256 found, uint256 expected);
{{- end}}
{{- if .Standalone}}

    /// @notice The proof holds points off the curve or scalars out of range, or
    /// the gas ran out while it was checked.
    error MalformedProof();

    /// @notice The proof doesn't show this statement.
    error ProofRejected();
{{- else}}

    /// @notice The address isn't a verifier in which the model's key is registered.
    /// @param verifier the address
    error ModelNotRegistered(address verifier);
{{- end}}

    /// @notice Names the model and its verifying key.
    /// @return keccak256 of the canonical verifying key
    function MODEL_ID() external view returns (bytes32);
{{- if .Weights}}

    /// @notice Names the weights, which the model id doesn't: the same for all proofs accepted.
    /// @return the digest of the weights that a proof must be about
    function WEIGHTS_DIGEST() external view returns (uint256);
{{- end}}

    /// @notice Checks a proof{{if .HasPacked}} of tensors given in bytes{{end}}; reverts unless it holds.
    /// @param proof {{.ProofBytes}} bytes
    /// @param context the word that the proof was made for, zero if unused
{{- if .Tensors}}
    /// @param tensors the statement
{{- end}}
{{- if .HasOutputs}}
    /// @return outputs the answer as integers
{{- end}}
    function verify(bytes calldata proof, uint256 context{{if .Tensors}}, Tensors calldata tensors{{end}})
{{- if .HasOutputs}}
        external
        view
        returns (Outputs memory outputs);
{{- else}} external view;
{{- end}}
{{- if .HasPacked}}

    /// @notice Checks a proof of tensors given in packed words; reverts unless it holds.
    /// @param proof {{.ProofBytes}} bytes
    /// @param context the word that the proof was made for, zero if unused
    /// @param tensors the statement
{{- if .HasOutputs}}
    /// @return outputs the answer as integers
{{- end}}
    function verifyPacked(bytes calldata proof, uint256 context, PackedTensors calldata tensors)
{{- if .HasOutputs}}
        external
        view
        returns (Outputs memory outputs);
{{- else}} external view;
{{- end}}
{{- end}}
}
