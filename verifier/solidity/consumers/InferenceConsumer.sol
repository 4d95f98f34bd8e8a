// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What a consumer needs of zkml's verifier
interface IZkmlVerifier {
    /// @notice Returns if the proof proves the public words for the model, reverts otherwise.
    /// @param modelId the model
    /// @param publicWords the public words
    /// @param proof the proof
    function verify(bytes32 modelId, uint256[] calldata publicWords, bytes calldata proof) external view;
}

/// @title A contract that acts on a model's answers, once each
/// @notice Base of contracts that take a proof from a user. It makes up the context itself, of all that a
/// proof must not be moved between: the chain, this contract, the caller, a number that the caller chooses,
/// and a time after which the proof is worth nothing. The prover puts it into the proof: a proof that was made
/// for another context is refused by the verifier, and one that was used is refused here.
/// @dev A derived contract builds the public words of the statement: what it knows it writes, and from the
/// caller it takes only what the model answers. The order is that of zkml's format version 1: the context, the
/// inputs, the outputs, the digest of hashed weights. A model's adapter (zkml export solidity) does the same
/// with names and types.
abstract contract InferenceConsumer {
    /// @notice zkml's verifier, in which the model is registered.
    IZkmlVerifier public immutable VERIFIER;

    /// @notice The model whose answers count.
    bytes32 public immutable MODEL_ID;

    /// @notice The contexts of proofs that have been acted on.
    mapping(uint256 context => bool used) public usedContext;

    /// @notice The request's time is over.
    error Expired(uint256 deadline);

    /// @notice A proof of this context has been acted on.
    error ContextUsed(uint256 context);

    /// @notice An element doesn't fit its word.
    error ElementOutOfRange(uint256 index);

    /// @param verifier zkml's verifier
    /// @param modelId the model whose answers count
    constructor(IZkmlVerifier verifier, bytes32 modelId) {
        VERIFIER = verifier;
        MODEL_ID = modelId;
    }

    /// @notice The context that a proof has to be made for: zkml prove --context.
    /// @param caller who will send the proof
    /// @param nonce a number that the caller hasn't used with this deadline
    /// @param deadline the last second in which the proof counts
    /// @return the word; its top byte is zero
    function contextOf(address caller, uint256 nonce, uint256 deadline) public view returns (uint256) {
        bytes32 hash = keccak256(abi.encode(block.chainid, address(this), caller, nonce, deadline));
        return uint256(hash) & type(uint248).max;
    }

    /// @dev Has a statement verified for the caller's request, once. The first word is written here.
    /// @param words the public words; what the first one holds doesn't matter
    /// @param proof the proof
    /// @param nonce a number that the caller chose
    /// @param deadline the last second in which the proof counts
    function _accept(uint256[] memory words, bytes calldata proof, uint256 nonce, uint256 deadline) internal {
        if (block.timestamp > deadline) revert Expired(deadline);
        uint256 context = contextOf(msg.sender, nonce, deadline);
        if (usedContext[context]) revert ContextUsed(context);
        usedContext[context] = true;
        words[0] = context;
        VERIFIER.verify(MODEL_ID, words, proof);
    }

    /// @dev Decodes an element of a shown tensor from its word, for tensors of one word: u = q - lo of `bits`
    /// bits, the first in the lowest ones.
    /// @param word the word
    /// @param index the element's index
    /// @param bits the bits of an element
    /// @param lo the least element
    /// @return the integer q; its real value is q times the tensor's scale
    function _element(uint256 word, uint256 index, uint256 bits, int256 lo) internal pure returns (int256) {
        return int256((word >> (index * bits)) & ((1 << bits) - 1)) + lo;
    }

    /// @dev Encodes elements of a shown tensor into its word, for tensors of one word.
    /// @param elements the integers q
    /// @param bits the bits of an element
    /// @param lo the least element
    /// @return word the word
    function _pack(int256[] memory elements, uint256 bits, int256 lo) internal pure returns (uint256 word) {
        for (uint256 i = 0; i < elements.length; ++i) {
            uint256 u = uint256(elements[i] - lo);
            if (u >> bits != 0) revert ElementOutOfRange(i);
            word |= u << (i * bits);
        }
    }
}
