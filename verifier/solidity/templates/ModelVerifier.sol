// SPDX-License-Identifier: Apache-2.0
pragma solidity {{.Solc}};

import {IModelVerifier} from "./IModelVerifier.sol";
{{- if .Standalone}}
import {PlonkVerifier} from "./PlonkVerifier.sol";
{{- else}}
import {IZkmlVerifier} from "./IZkmlVerifier.sol";
{{- end}}
{{- if .Tensors}}
import {TensorCodec} from "./TensorCodec.sol";
{{- end}}

/// @title Verifier of one model's answers
/// @notice Stateless: a call that returns says that the statement holds, everything
/// else reverts. Model {{comment .ModelName}}.
{{- if .WeightsNote}}
/// {{.WeightsNote}}
{{- end}}
{{- if not .Standalone}}
/// Whoever is handed a contract of this code by a stranger checks its VERIFIER, which anyone
/// who creates it can choose: zkml's own is {{.ReusableAddress}} on every chain.
{{- end}}
{{- if .Development}}
/// DEVELOPMENT KEY: its secret is public and everyone can forge proofs for it.
/// For tests only.
{{- end}}
/// @dev The public words of the proof are the context, then the inputs, the outputs
/// and the digest of hashed weights, in the order of the Tensors struct.
/// @custom:generator zkml, format version {{.Version}}. Not to be edited.
contract ModelVerifier is IModelVerifier {
    /// @inheritdoc IModelVerifier
    bytes32 public constant MODEL_ID = 0x{{.ID}};

    /// @notice The version of the public words' encoding.
    uint256 public constant FORMAT_VERSION = {{.Version}};

    /// @notice The number of public words, the context included.
    uint256 public constant PUBLIC_WORDS = {{.NbWords}};

    /// @notice The length of a proof in bytes.
    uint256 public constant PROOF_BYTES = {{.ProofBytes}};
{{- range .Shapes}}

    /// @notice Number of elements of {{.Role}} {{comment .Name}}, shape {{.ShapeText}}.
    uint256 public constant {{.Const}}_ELEMENTS = {{.Elements}};

    /// @notice The least value of an element of {{.Role}} {{comment .Name}}.
    int256 public constant {{.Const}}_LO = {{.Lo}};

    /// @notice An element of {{.Role}} {{comment .Name}} is below {{.Const}}_LO + 2^{{.Const}}_BITS.
    uint256 public constant {{.Const}}_BITS = {{.Bits}};

    /// @notice Real value of an element q of {{.Role}} {{comment .Name}}:
    /// q * {{.Const}}_SCALE_NUMERATOR / {{.Const}}_SCALE_DENOMINATOR / 2^{{.Const}}_SCALE_EXPONENT.
    uint256 public constant {{.Const}}_SCALE_NUMERATOR = {{.Scale.Num}};

    /// @notice See {{.Const}}_SCALE_NUMERATOR.
    uint256 public constant {{.Const}}_SCALE_DENOMINATOR = {{.Scale.Den}};

    /// @notice See {{.Const}}_SCALE_NUMERATOR; may be negative.
    int256 public constant {{.Const}}_SCALE_EXPONENT = {{.Scale.Exp}};
{{- end}}

{{- if .Standalone}}

    /// @notice gnark's verifier for this model's key, created with this contract.
    PlonkVerifier public immutable PLONK_VERIFIER;
{{- else}}

    /// @notice The verifier of all models' proofs, which holds this model's key.
    IZkmlVerifier public immutable VERIFIER;
{{- end}}
{{- if .Weights}}

    /// @inheritdoc IModelVerifier
    uint256 public immutable WEIGHTS_DIGEST;
{{- end}}
{{if .Standalone}}
    /// @notice Creates gnark's verifier. There is no owner and nothing to set up.
{{- if .Weights}}
    /// @param weightsDigest the digest of the weights that a proof must be about
{{- end}}
    constructor({{if .Weights}}uint256 weightsDigest{{end}}) {
        PLONK_VERIFIER = new PlonkVerifier();
{{- else}}
    /// @notice Binds the contract to a verifier in which the model's key is
    /// registered. There is no owner and nothing to set up.
    /// @param verifier the verifier of all models' proofs
{{- if .Weights}}
    /// @param weightsDigest the digest of the weights that a proof must be about
{{- end}}
    constructor(IZkmlVerifier verifier{{if .Weights}}, uint256 weightsDigest{{end}}) {
        // The key's code is the key itself, and its hash the model id.
        if (address(verifier).code.length == 0 || verifier.dataOf(MODEL_ID).codehash != MODEL_ID) {
            revert ModelNotRegistered(address(verifier));
        }
        VERIFIER = verifier;
{{- end}}
{{- if .Weights}}
        WEIGHTS_DIGEST = TensorCodec.digest({{.Weights.Index}}, weightsDigest);
{{- end}}
    }

    /// @inheritdoc IModelVerifier
    function verify(bytes calldata proof, uint256 context{{if .Tensors}}, Tensors calldata tensors{{end}})
{{- if .HasOutputs}}
        external
        view
        returns (Outputs memory outputs)
    {
{{- else}} external view {
{{- end}}
        uint256[] memory words = _open(proof, context);
{{- if .HasPacked}}
        uint256 position;
        assembly ("memory-safe") {
            position := tensors
        }
        TensorCodec.expectAt(position, {{.Typed.Tensors}});
{{- end}}
{{- range .Tensors}}
{{- if .Shown}}
        TensorCodec.packBytes(words, _{{.Field}}Encoding(), tensors.{{.Field}}, {{index $.Typed.Fields .Index}});
{{- else}}
        words[{{.At}}] = {{if eq .Role "weights"}}_weights(tensors.{{.Field}}){{else}}TensorCodec.digest({{.Index}}, tensors.{{.Field}}){{end}};
{{- end}}
{{- end}}
        _check(proof, words, {{.Typed.Bytes}});
{{- range .Outputs}}
        outputs.{{.Field}} = TensorCodec.unpack(words, _{{.Field}}Encoding());
{{- end}}
    }
{{- if .HasPacked}}

    /// @inheritdoc IModelVerifier
    function verifyPacked(bytes calldata proof, uint256 context, PackedTensors calldata tensors)
{{- if .HasOutputs}}
        external
        view
        returns (Outputs memory outputs)
    {
{{- else}} external view {
{{- end}}
        uint256[] memory words = _open(proof, context);
        uint256 position;
        assembly ("memory-safe") {
            position := tensors
        }
        TensorCodec.expectAt(position, {{.Packed.Tensors}});
{{- range .Tensors}}
{{- if .Shown}}
        TensorCodec.packWords(words, _{{.Field}}Encoding(), tensors.{{.Field}}, {{index $.Packed.Fields .Index}});
{{- else}}
        words[{{.At}}] = {{if eq .Role "weights"}}_weights(tensors.{{.Field}}){{else}}TensorCodec.digest({{.Index}}, tensors.{{.Field}}){{end}};
{{- end}}
{{- end}}
        _check(proof, words, {{.Packed.Bytes}});
{{- range .Outputs}}
        outputs.{{.Field}} = TensorCodec.unpack(words, _{{.Field}}Encoding());
{{- end}}
    }
{{- end}}

    /// @dev Checks the arguments that every call has, makes room for the public words
    /// and writes the first.
    /// @param proof the proof
    /// @param context the first public word
    /// @return words room for the public words, the first of them written
    function _open(bytes calldata proof, uint256 context) private pure returns (uint256[] memory words) {
        if (proof.length != PROOF_BYTES) {
            revert ProofLength(proof.length, PROOF_BYTES);
        }
        uint256 position;
        assembly ("memory-safe") {
            position := proof.offset
        }
        if (position != {{.Typed.Proof}}) {
            revert CalldataOffset(position, {{.Typed.Proof}});
        }
        if (context >> 248 != 0) {
            revert ContextOutOfRange(context);
        }
        words = new uint256[](PUBLIC_WORDS);
        words[0] = context;
    }

    /// @dev Reverts unless the proof holds for the words. The length of the calldata
    /// and the place of everything in it are fixed, so that a statement and a proof
    /// have one calldata, with nothing smuggled in behind or between the arguments.
    /// @param proof the proof
    /// @param words the public words
    /// @param calldataBytes the length that the calldata must have
    function _check(bytes calldata proof, uint256[] memory words, uint256 calldataBytes) private view {
        if (msg.data.length != calldataBytes) {
            revert CalldataLength(msg.data.length, calldataBytes);
        }
{{- if .Standalone}}
        (bool wellFormed, bool accepted) = _callPlonk(proof, words);
        if (!wellFormed) {
            revert MalformedProof();
        }
        if (!accepted) {
            revert ProofRejected();
        }
{{- else}}
        _callVerifier(proof, words);
{{- end}}
    }
{{- if .Weights}}

    /// @dev Reverts unless the statement is about the weights that this contract is for.
    /// @param digest the digest that the statement has
    /// @return the digest
    function _weights(uint256 digest) private view returns (uint256) {
        if (digest != WEIGHTS_DIGEST) {
            revert WeightsMismatch(digest, WEIGHTS_DIGEST);
        }
        return digest;
    }
{{- end}}
{{if .Standalone}}
    /// @dev PLONK_VERIFIER.Verify(proof, words), encoded by three copies where the
    /// compiler would loop over the words. PROOF_BYTES is a multiple of 32.
    /// @param proof the proof
    /// @param words the public words
    /// @return wellFormed whether the verifier returned
    /// @return accepted what it returned
    function _callPlonk(bytes calldata proof, uint256[] memory words)
        private
        view
        returns (bool wellFormed, bool accepted)
    {
        address target = address(PLONK_VERIFIER);
        bytes4 selector = PlonkVerifier.Verify.selector;
        assembly ("memory-safe") {
            // selector, offset of proof, offset of words, length and bytes of proof,
            // length and words: the last two lie in memory as they are encoded.
            let request := mload(0x40)
            mstore(request, selector)
            mstore(add(request, 0x04), 0x40)
            mstore(add(request, 0x24), add(0x60, proof.length))
            mstore(add(request, 0x44), proof.length)
            calldatacopy(add(request, 0x64), proof.offset, proof.length)
            let size := shl(5, add(mload(words), 1))
            mcopy(add(add(request, 0x64), proof.length), words, size)
            mstore(0, 0)
            let success := staticcall(gas(), target, request, add(add(0x64, proof.length), size), 0, 0x20)
            wellFormed := and(success, eq(returndatasize(), 0x20))
            accepted := and(wellFormed, eq(mload(0), 1))
        }
    }
{{- else}}
    /// @dev VERIFIER.verify(MODEL_ID, words, proof), encoded by two copies where the
    /// compiler would loop over the words, and with its error passed on.
    /// @param proof the proof
    /// @param words the public words
    function _callVerifier(bytes calldata proof, uint256[] memory words) private view {
        address target = address(VERIFIER);
        bytes32 modelId = MODEL_ID;
        bytes4 selector = IZkmlVerifier.verify.selector;
        bool accepted;
        assembly ("memory-safe") {
            // selector, model id, offset of words, offset of proof, length and words
            // as they lie in memory, length and bytes of proof.
            let request := mload(0x40)
            let size := shl(5, add(mload(words), 1))
            let tail := add(add(request, 0x64), size)
            mstore(request, selector)
            mstore(add(request, 0x04), modelId)
            mstore(add(request, 0x24), 0x60)
            mstore(add(request, 0x44), add(0x60, size))
            mcopy(add(request, 0x64), words, size)
            mstore(tail, proof.length)
            calldatacopy(add(tail, 0x20), proof.offset, proof.length)
            // A call of an address without code succeeds.
            accepted := gt(extcodesize(target), 0)
            if accepted {
                if iszero(staticcall(gas(), target, request, add(add(0x84, size), proof.length), 0, 0)) {
                    returndatacopy(request, 0, returndatasize())
                    revert(request, returndatasize())
                }
            }
        }
        if (!accepted) {
            revert ModelNotRegistered(target);
        }
    }
{{- end}}
{{- range .Shapes}}

    /// @dev How {{.Role}} {{comment .Name}} is encoded.
    /// @return encoding the encoding
    function _{{.Field}}Encoding() private pure returns (TensorCodec.Encoding memory encoding) {
        encoding.tensor = {{.Index}};
        encoding.firstWord = {{.At}};
        encoding.elements = {{.Const}}_ELEMENTS;
        encoding.width = {{.Width}};
        encoding.bits = {{.Const}}_BITS;
        encoding.lo = {{.Const}}_LO;
    }
{{- end}}
}
