// SPDX-License-Identifier: Apache-2.0
pragma solidity {{.Solc}};

import {IModelVerifier} from "./IModelVerifier.sol";

/// @title Base of contracts that act on an answer of the model, once
/// @notice A proof says that the model gives an answer. It doesn't say to whom, and whoever
/// sees it can send it again. This contract asks for more: a proof is made for one chain,
/// one consumer, one caller, one nonce and one deadline, and is taken once.
/// @dev All of that is in the proof's first public word, the context. Call _infer before
/// acting on anything, and act on what it returns. A contract with two functions that take
/// proofs lets them have different nonces, or a proof made for one is good for the other.
abstract contract InferenceConsumer {
    /// @notice The model whose answers count.
    bytes32 public constant MODEL_ID = 0x{{.ID}};
{{- if .Weights}}

    /// @notice The digest of the weights that an answer must be of: the model id doesn't name
    /// hidden weights.
    uint256 public constant WEIGHTS_DIGEST = {{.WeightsDigest}};
{{- end}}
{{- if .HasOutputs}}

    /// @notice The real value 1 as _{{(index .Outputs 0).Field}}Real and its like return it.
    int256 public constant ONE = 1e18;
{{- end}}

    /// @notice The model's adapter, which checks proofs.
    IModelVerifier public immutable VERIFIER;

    /// @notice The contexts of which a proof has been taken.
    mapping(uint256 context => bool used) public usedContext;

    /// @notice The adapter is for another model: its integers mean something else.
    /// @param found the adapter's model id
    /// @param expected the only model id accepted
    error OtherModel(bytes32 found, bytes32 expected);
{{- if .Weights}}

    /// @notice The adapter is for other weights.
    /// @param found the adapter's digest of weights
    /// @param expected the only one accepted
    error OtherWeights(uint256 found, uint256 expected);
{{- end}}

    /// @notice The deadline has passed.
    /// @param deadline the last second in which the call was good
    error Expired(uint256 deadline);

    /// @notice A proof for this context has been taken already.
    /// @param context the context
    error ContextUsed(uint256 context);

    /// @notice Binds the contract to the model's adapter, for good.
    /// @param verifier the model's adapter
    constructor(IModelVerifier verifier) {
        bytes32 found = verifier.MODEL_ID();
        if (found != MODEL_ID) {
            revert OtherModel(found, MODEL_ID);
        }
{{- if .Weights}}
        uint256 weights = verifier.WEIGHTS_DIGEST();
        if (weights != WEIGHTS_DIGEST) {
            revert OtherWeights(weights, WEIGHTS_DIGEST);
        }
{{- end}}
        VERIFIER = verifier;
    }

    /// @notice The context to make a proof with: zkml prove --context.
    /// @param caller who will send the proof
    /// @param nonce any number that the caller hasn't used with this deadline
    /// @param deadline the last second in which the proof is good
    /// @return context a hash with the top byte cleared, as every context has it
    function contextOf(address caller, uint256 nonce, uint256 deadline) public view returns (uint256 context) {
        bytes32 hash = keccak256(abi.encode(block.chainid, address(this), caller, nonce, deadline));
        return uint256(hash) & type(uint248).max;
    }

    /// @dev Returns the answer that the caller proved; reverts unless the proof is for this
    /// call and hasn't been taken before. Nothing is said about where inputs come from: the
    /// contract above has to choose public inputs itself and to know digests.
    /// @param proof the proof
    /// @param nonce the nonce of the context
    /// @param deadline the deadline of the context
{{- if .Tensors}}
    /// @param tensors the statement
{{- end}}
{{- if .HasOutputs}}
    /// @return outputs the answer as integers
{{- end}}
    function _infer(bytes calldata proof, uint256 nonce, uint256 deadline
{{- if .Tensors}}, IModelVerifier.Tensors memory tensors)
        internal
{{- if .HasOutputs}}
        returns (IModelVerifier.Outputs memory outputs)
{{- end}}
    {
{{- else}}) internal {
{{- end}}
        if (block.timestamp > deadline) {
            revert Expired(deadline);
        }
        uint256 context = contextOf(msg.sender, nonce, deadline);
        if (usedContext[context]) {
            revert ContextUsed(context);
        }
        usedContext[context] = true;
        {{if .HasOutputs}}return {{end}}VERIFIER.verify(proof, context{{if .Tensors}}, tensors{{end}});
    }
{{- range .Outputs}}
{{- $real := index $.Reals .Field}}

    /// @dev The real value of an element of output {{comment .Name}}, times ONE, rounded towards
    /// zero.
    /// @param q the element
    /// @return the real value
    function _{{.Field}}Real(int256 q) internal pure returns (int256) {
        return q * {{$real.Num}}{{if ne $real.Den.String "1"}} / {{$real.Den}}{{end}};
    }
{{- end}}
}
